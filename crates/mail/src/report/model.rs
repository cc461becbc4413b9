//! What a report says: of which mail, which recipients, and what became of each.

use crate::message_id::MessageId;

/// How many recipients of one report are read.
pub const MAX_RECIPIENTS: usize = 1_000;

/// The longest diagnostic in characters; the rest is cut.
pub const DIAGNOSTIC_CHARACTERS: usize = 1_000;

/// What a mail server says about the delivery of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryReport {
    /// In the order of the report, at most [`MAX_RECIPIENTS`]; empty when the report names none.
    pub recipients: Vec<FailedRecipient>,
    /// Where it names none: whether it says that an address is of no use (docs/behaviour/nature.md §4).
    pub is_hard: bool,
    /// The Message-ID of the returned mail, when its header came with the report.
    pub original_message_id: Option<MessageId>,
    /// The value of [`OWN_MARK`](crate::field::OWN_MARK) in the returned mail; worth nothing before its signature is checked.
    pub original_mark: Option<String>,
    /// The host that wrote the report, as it names itself; empty when it does not.
    pub reporting_mta: String,
    /// Whether the report has a part for machines (RFC 3464); else it was read from the words of the text.
    pub is_standard: bool,
}

impl DeliveryReport {
    /// Fills in what the returned part did not tell.
    pub(crate) fn complete_from(&mut self, message_id: Option<MessageId>, mark: Option<String>) {
        self.original_message_id = self.original_message_id.take().or(message_id);
        self.original_mark = self.original_mark.take().or(mark);
    }
}

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailedRecipient {
    /// The original recipient where the report knows it, else the final one; may be no valid address, never empty.
    pub address: String,
    /// The final recipient where it is a mailbox of another domain: the mail was passed on from `address` (RFC 3464 §2.3.2).
    pub final_address: Option<String>,
    /// What the server did.
    pub action: Action,
    /// The enhanced status code (RFC 3463) without text, as in `5.1.1`; empty when there is none.
    pub status: String,
    /// What the remote server answered, as in `550 5.1.1 no such user`; one line, empty when it is not known.
    pub diagnostic: String,
    /// The reply code (RFC 5321 §4.2) in what the remote server answered, 400 to 599.
    pub smtp_code: Option<u16>,
    /// Whether the failure speaks against the address for good: no such mailbox or domain, closed. Not so for a full mailbox, and
    /// for what is refused because of its size, its content or its sender (docs/behaviour/nature.md §4).
    pub is_hard: bool,
}

/// The Action field (RFC 3464 §2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// Given up.
    Failed,
    /// Tried again later.
    Delayed,
    /// Delivered.
    Delivered,
    /// Handed to a server that gives no reports.
    Relayed,
    /// Handed to several recipients.
    Expanded,
    /// Missing, or nothing that the standard knows.
    #[default]
    Other,
}
