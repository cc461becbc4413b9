//! What a report says: about which message and which recipients, and what became of each.

use crate::message_id::MessageId;

/// How many recipients of one report are read.
pub const MAX_RECIPIENTS: usize = 1_000;

/// The longest diagnostic in characters; longer ones are cut.
pub const DIAGNOSTIC_CHARACTERS: usize = 1_000;

/// What a mail server says about the delivery of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryReport {
    /// In the order of the report, at most [`MAX_RECIPIENTS`]; empty if the report names none.
    pub recipients: Vec<FailedRecipient>,
    /// If it names none: whether it says that an address is useless (docs/behaviour/nature.md §4).
    pub is_hard: bool,
    /// The Message-ID of the returned message, if its header came with the report.
    pub original_message_id: Option<MessageId>,
    /// The value of [`OWN_MARK`](crate::field::OWN_MARK) in the returned message; worthless until its
    /// signature has been checked.
    pub original_mark: Option<String>,
    /// The host that wrote the report, as it names itself; empty if it does not.
    pub reporting_mta: String,
    /// Whether the report has a machine-readable part (RFC 3464); otherwise it was read from the words of the
    /// text.
    pub is_standard: bool,
}

impl DeliveryReport {
    /// Fills in what the returned part did not provide.
    pub(crate) fn complete_from(&mut self, message_id: Option<MessageId>, mark: Option<String>) {
        self.original_message_id = self.original_message_id.take().or(message_id);
        self.original_mark = self.original_mark.take().or(mark);
    }
}

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailedRecipient {
    /// The original recipient if the report knows it, else the final one; not necessarily a valid address,
    /// never empty.
    pub address: String,
    /// The final recipient if it is a mailbox in another domain: the message was forwarded from `address`
    /// (RFC 3464 §2.3.2).
    pub final_address: Option<String>,
    /// What the server did.
    pub action: Action,
    /// The enhanced status code (RFC 3463) without text, such as `5.1.1`; empty if there is none.
    pub status: String,
    /// The remote server's answer, such as `550 5.1.1 no such user`; one line, empty if unknown.
    pub diagnostic: String,
    /// The reply code (RFC 5321 §4.2) in the remote server's answer, 400 to 599.
    pub smtp_code: Option<u16>,
    /// Whether the failure counts against the address permanently: no such mailbox or domain, closed. Not so
    /// for a full mailbox, or for messages refused because of their size, content or sender
    /// (docs/behaviour/nature.md §4).
    pub is_hard: bool,
}

/// The Action field (RFC 3464 §2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// Given up.
    Failed,
    /// Will be retried.
    Delayed,
    /// Delivered.
    Delivered,
    /// Handed to a server that sends no reports.
    Relayed,
    /// Handed to several recipients.
    Expanded,
    /// Missing, or unknown to the standard.
    #[default]
    Other,
}
