//! Ids: small positive integers, exact in JavaScript, unique over all accounts and nodes.

/// A number that names something.
pub trait Id {
    /// The id of this number.
    fn of(number: i64) -> Self;
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        $($(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl Id for $name {
            fn of(number: i64) -> Self {
                $name(number)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        })+
    };
}

ids! {
    /// An account: one company's desk, walled off from all others.
    AccountId,
    /// A brand of an account.
    BrandId,
    /// A support address.
    SupportAddressId,
    /// Anyone known to the desk: end user, agent, admin.
    UserId,
    /// An organization: the company people belong to.
    OrganizationId,
    /// A ticket's internal id; people and the API see its number.
    TicketId,
    /// 1, 2, 3 … within its account: what people and the API call a ticket.
    TicketNumber,
    /// A comment.
    CommentId,
    /// An audit.
    AuditId,
    /// A raw message, and with it its spool row, ledger row and suspended ticket. It follows a message
    /// through all logs.
    MailId,
    /// An outgoing message.
    OutgoingId,
    /// One recipient of an outgoing message.
    OutboxId,
    /// An API token.
    TokenId,
}

/// A word that is none of an enum's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is none of: {wanted}")]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// What is possible, separated by spaces.
    pub wanted: &'static str,
}
