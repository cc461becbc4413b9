//! Causes for which a mail is held as a suspended ticket (docs/behaviour/suspension.md).

/// A cause, with the number that existing clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// 5: an unknown person wrote to a ticket found by headers alone.
    UnknownUserUpdate,
    /// 6: a known person wrote to somebody else's ticket found by headers alone.
    OtherUserUpdate,
    /// 7: a delivery report that carries no signature of ours.
    AutoDeliveryFailure,
    /// 9: sent by a mail system (`mailer-daemon@`, `postmaster@`).
    SystemUser,
    /// 10: nobody it could be from, or somebody who may not submit.
    UnknownAuthor,
    /// 16: written to a no-reply address.
    ToNoreply,
    /// 19: a step failed, panicked or stalled on it.
    UnprocessableEmail,
    /// 22: sent from one of our own support addresses.
    FromSupportAddress,
    /// 30: more CCs than a ticket may have.
    NumberRecipients,
}

impl Cause {
    /// Every cause the verdict can give.
    pub const ALL: &[Cause] = &[
        Cause::UnknownUserUpdate,
        Cause::OtherUserUpdate,
        Cause::AutoDeliveryFailure,
        Cause::SystemUser,
        Cause::UnknownAuthor,
        Cause::ToNoreply,
        Cause::UnprocessableEmail,
        Cause::FromSupportAddress,
        Cause::NumberRecipients,
    ];

    /// The number stored and shown to programs.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Cause::UnknownUserUpdate => 5,
            Cause::OtherUserUpdate => 6,
            Cause::AutoDeliveryFailure => 7,
            Cause::SystemUser => 9,
            Cause::UnknownAuthor => 10,
            Cause::ToNoreply => 16,
            Cause::UnprocessableEmail => 19,
            Cause::FromSupportAddress => 22,
            Cause::NumberRecipients => 30,
        }
    }

    /// The plain sentence people read.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Cause::UnknownUserUpdate => "an unknown person wrote to an existing ticket",
            Cause::OtherUserUpdate => "a person who is not part of the conversation wrote to an existing ticket",
            Cause::AutoDeliveryFailure => "a delivery report that answers no mail of ours",
            Cause::SystemUser => "sent by a mail system, not by a person",
            Cause::UnknownAuthor => "no author who may submit tickets",
            Cause::ToNoreply => "written to a no-reply address",
            Cause::UnprocessableEmail => "processing failed; the mail is kept whole",
            Cause::FromSupportAddress => "sent from one of this account's own support addresses",
            Cause::NumberRecipients => "more CCs than a ticket may have",
        }
    }
}
