//! The numbers and names of the causes, which programs know.

use desk::suspension::Cause;

#[test]
fn row_10_every_cause_has_the_number_and_name_that_programs_know() {
    let want = [
        (0, "spam"),
        (1, "not_on_whitelist"),
        (2, "unverified"),
        (3, "auto_mailer"),
        (4, "loop"),
        (5, "unknown_user_update"),
        (6, "other_user_update"),
        (7, "auto_delivery_failure"),
        (8, "auto_vacation"),
        (9, "system_user"),
        (10, "unknown_author"),
        (11, "blank"),
        (12, "signup_required"),
        (13, "blocklisted"),
        (14, "backscatter"),
        (15, "disabled"),
        (16, "to_noreply"),
        (17, "server_lock"),
        (18, "unserviceable_account"),
        (19, "unprocessable_email"),
        (20, "unauthenticated_email_update"),
        (21, "registered_user_logged_out"),
        (22, "from_support_address"),
        (23, "from_zendesk_account"),
        (24, "content_processor_timed_out"),
        (25, "malware_detected"),
        (26, "failed_email_authentication"),
        (27, "from_noreply"),
        (28, "account_owner_email_unverified"),
        (29, "malicious_pattern_detected"),
        (30, "number_recipients_exceeded"),
    ];
    let all: Vec<(i64, &str)> = Cause::ALL.iter().map(|cause| (cause.number(), cause.name())).collect();
    assert_eq!(all, want);
    for (number, name) in want {
        assert_eq!(Cause::of_number(number).map(Cause::name), Some(name));
    }
    let sentences: std::collections::BTreeSet<&str> =
        Cause::ALL.iter().map(|cause| cause.sentence()).collect();
    assert_eq!(sentences.len(), Cause::ALL.len(), "no two read the same");
}
