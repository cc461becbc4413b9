//! Causes for which a message is held as a suspended ticket (docs/behaviour/suspension.md).

use crate::clock::DAY;
use crate::numbered::numbered;

/// How long a suspended ticket is kept; then it is deleted for good.
pub const HELD_FOR: i64 = 14 * DAY;

/// Declares the causes with their number, name and sentence, said once each.
macro_rules! causes {
    ($($variant:ident = $number:literal, $name:literal, $sentence:literal;)+) => {
        /// A cause, with the number and the name that existing clients know. Not every one is given yet: see
        /// docs/behaviour/suspension.md §2.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Cause {
            $(#[doc = concat!(stringify!($number), ": ", $sentence, ".")] $variant),+
        }

        impl Cause {
            /// Every cause, by number.
            pub const ALL: &[Cause] = &[$(Cause::$variant),+];

            /// The number stored and shown to programs.
            #[must_use]
            pub fn number(self) -> i64 {
                match self { $(Cause::$variant => $number),+ }
            }

            /// The word in exports and in the audit of a recovered message.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Cause::$variant => $name),+ }
            }

            /// The plain sentence people read.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $(Cause::$variant => $sentence),+ }
            }
        }
    };
}

causes! {
    Spam = 0, "spam", "judged to be spam";
    NotOnAllowlist = 1, "not_on_whitelist", "the sender is not on the allow list, and the desk is closed to others";
    Unverified = 2, "unverified", "the sender has not verified the address";
    AutoMailer = 3, "auto_mailer", "sent by a machine";
    Loop = 4, "loop", "a mail loop, or too many mails of one sender";
    UnknownUserUpdate = 5, "unknown_user_update", "an unknown person wrote to an existing ticket";
    OtherUserUpdate = 6, "other_user_update", "a person who is not part of the conversation wrote to an existing ticket";
    AutoDeliveryFailure = 7, "auto_delivery_failure", "a delivery report that answers no mail of ours";
    AutoVacation = 8, "auto_vacation", "an automatic answer, such as an absence notice";
    SystemUser = 9, "system_user", "sent by a mail system, not by a person";
    UnknownAuthor = 10, "unknown_author", "no author who may submit tickets";
    Blank = 11, "blank", "no subject, no text and no attachment";
    SignupRequired = 12, "signup_required", "the sender must sign up first and was told so";
    Blocklisted = 13, "blocklisted", "the sender is on the block list";
    Backscatter = 14, "backscatter", "a delivery report on a mail that somebody else sent in our name";
    Disabled = 15, "disabled", "the e-mail channel is switched off";
    ToNoreply = 16, "to_noreply", "written to a no-reply address";
    ServerLock = 17, "server_lock", "came through an unknown mail server";
    UnserviceableAccount = 18, "unserviceable_account", "the account cannot be served";
    UnprocessableEmail = 19, "unprocessable_email", "processing failed; the mail is kept whole";
    UnauthenticatedEmailUpdate = 20, "unauthenticated_email_update", "unauthenticated mail to a ticket that was opened by an authenticated one";
    RegisteredUserLoggedOut = 21, "registered_user_logged_out", "a registered person who was not signed in";
    FromSupportAddress = 22, "from_support_address", "sent from one of this account's own support addresses";
    FromHelpDesk = 23, "from_zendesk_account", "sent by another help desk";
    ContentProcessorTimedOut = 24, "content_processor_timed_out", "reading it took too long; the mail is kept whole";
    MalwareDetected = 25, "malware_detected", "it carries malware";
    FailedEmailAuthentication = 26, "failed_email_authentication", "SPF, DKIM or DMARC says that From did not send it";
    FromNoreply = 27, "from_noreply", "sent from a no-reply address";
    OwnerEmailUnverified = 28, "account_owner_email_unverified", "the account owner's own address is not verified";
    MaliciousPattern = 29, "malicious_pattern_detected", "it carries a malicious pattern";
    NumberRecipients = 30, "number_recipients_exceeded", "more CCs than a ticket may have";
}

numbered!(Cause);

impl Cause {
    /// A cause by its number.
    #[must_use]
    pub fn of_number(number: i64) -> Option<Cause> {
        Cause::ALL.iter().copied().find(|cause| cause.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_run_from_0_to_30_and_no_name_is_used_twice() {
        let numbers: Vec<i64> = Cause::ALL.iter().map(|cause| cause.number()).collect();
        assert_eq!(numbers, (0..=30).collect::<Vec<i64>>());
        let names: std::collections::BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
        assert_eq!(names.len(), Cause::ALL.len());
        assert_eq!(Cause::of_number(13), Some(Cause::Blocklisted));
        assert_eq!(Cause::of_number(31), None);
    }
}
