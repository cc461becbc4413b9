//! Mail that no person wrote, says nothing, or goes to a crowd.

use desk::authentication::AuthenticationMode;
use desk::setting::Settings;

use super::{forged, of, table, usual};

#[test]
fn row_machines() {
    usual().check(&[
        ("Auto-Submitted", "Auto-Submitted: auto-generated\nSubject: x\n\nhi", "suspended 3"),
        ("Auto-Submitted: no", "Auto-Submitted: no\nSubject: x\n\nhi", "new ticket by ada@customer.example"),
        ("X-Autoreply", "X-Autoreply: yes\nSubject: x\n\nhi", "suspended 8"),
        ("X-Auto-Response-Suppress", "X-Auto-Response-Suppress: All\nSubject: x\n\nhi", "suspended 3"),
        ("Precedence", "Precedence: bulk\nSubject: x\n\nhi", "suspended 3"),
        ("a list", "List-Id: <l.example>\nSubject: x\n\nhi", "suspended 3"),
        (
            "a list in front of a support address",
            "To: support@acme.desk.example\nList-Id: <l.example>\nSubject: x\n\nhi",
            "new ticket by ada@customer.example",
        ),
        ("an absence notice", "Auto-Submitted: auto-replied\nSubject: x\n\nhi", "suspended 8"),
        ("no-reply", "From: no-reply@shop.example\nSubject: x\n\nhi", "suspended 27"),
        (
            "no-reply for somebody who reads answers",
            "From: no-reply@form.example\nReply-To: eve@else.example\nSubject: x\n\nhi",
            "new ticket by eve@else.example",
        ),
        (
            "no-reply for no-reply",
            "From: no-reply@form.example\nReply-To: noreply@form.example\nSubject: x\n\nhi",
            "suspended 27",
        ),
        ("the mail system", "From: postmaster@else.example\nSubject: x\n\nhi", "suspended 9"),
        (
            "another help desk",
            "X-Guichet-Mail: 7-of-theirs\nSubject: x\n\nhi",
            "new ticket by ada@customer.example, flags 4",
        ),
    ]);
    usual().by(forged()).check(&[(
        "another help desk, forged",
        "X-Guichet-Mail: 7-of-theirs\nSubject: x\n\nhi",
        "suspended 23",
    )]);
}

#[test]
fn row_allow_listed_machines_make_tickets_that_nothing_automatic_answers() {
    let table = table(of(|all| all.allowlist = "customer.example shop.example".into()));
    table.check(&[
        (
            "a notification",
            "Auto-Submitted: auto-generated\nSubject: x\n\nhi",
            "new ticket by ada@customer.example, flags 4",
        ),
        (
            "no-reply",
            "From: noreply@shop.example\nSubject: x\n\nhi",
            "new ticket by noreply@shop.example, flags 4",
        ),
    ]);
    let (changes, _) = table.changes("From: noreply@shop.example\nSubject: x\n\nhi");
    assert_eq!(changes.outgoing.len(), 0);
    assert!(changes.tickets[&changes.new_tickets[0]].after.is_machine);
}

#[test]
fn row_the_allow_list_clears_no_other_cause() {
    let allowed = || of(|all| all.allowlist = "customer.example shop.example".into());
    let received = |count: usize| "Received: from a by b\n".repeat(count);
    let ccs: Vec<String> = (0..49).map(|n| format!("p{n}@else.example")).collect();
    let receipt = "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\nSubject: Read: x\n\n--b\n\nread\n\
                   --b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;ada@customer.example\n\
                   Disposition: manual-action/MDN-sent-manually; displayed\n\n--b--";
    table(allowed()).check(&[
        ("nothing to clear", "Subject: x\n\nhi", "new ticket by ada@customer.example"),
        ("an absence notice", "Auto-Submitted: auto-replied\nSubject: x\n\nhi", "new ticket by ada@customer.example, flags 4"),
        ("a suspended person", "From: sue@customer.example\nSubject: x\n\nhi", "suspended 10"),
        ("51 hops", &format!("{}Subject: x\n\nhi", received(51)), "suspended 4"),
        ("a read receipt", receipt, "suspended 7"),
        ("blank", "Subject:\n\n", "suspended 11"),
        ("49 CCs", &format!("Cc: {}\nSubject: x\n\nhi", ccs.join(", ")), "suspended 30"),
        (
            "no-reply by a list that names a support address",
            "From: noreply@shop.example\nTo: support@acme.desk.example\nList-Id: <l.example>\nSubject: x\n\nhi",
            "new ticket by noreply@shop.example, flags 4",
        ),
        (
            "no-reply for somebody who reads answers",
            "From: noreply@shop.example\nReply-To: eve@else.example\nSubject: x\n\nhi",
            "new ticket by eve@else.example",
        ),
    ]);
    let native =
        table(Settings { sender_authentication: AuthenticationMode::Native, ..allowed() }).by(forged());
    native.check(&[("forged", "Subject: x\n\nhi", "suspended 26")]);
}

#[test]
fn row_a_blank_mail_is_held_and_one_with_a_file_is_not() {
    usual().check(&[
        ("nothing", "To: support@acme.desk.example\n\n", "suspended 11"),
        ("blanks", "Subject:  \n\n   \n\t\n", "suspended 11"),
        ("a subject", "Subject: Help\n\n", "new ticket by ada@customer.example"),
        ("a text", "Subject:\n\nhelp", "new ticket by ada@customer.example"),
        ("a file", "Content-Type: application/pdf\n\n%PDF", "new ticket by ada@customer.example"),
    ]);
}

#[test]
fn row_49_ccs_are_too_many() {
    let mail = |count: usize| {
        let ccs: Vec<String> = (0..count).map(|n| format!("p{n}@else.example")).collect();
        format!("Cc: {}\nSubject: x\n\nhi", ccs.join(", "))
    };
    usual()
        .check(&[("48", &mail(48), "new ticket by ada@customer.example"), ("49", &mail(49), "suspended 30")]);
}
