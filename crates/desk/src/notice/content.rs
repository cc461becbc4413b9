//! What is kept of a message the desk sends: the values at the event that caused it.

use mail::address::Mailbox;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::NoticeKind;
use crate::account::Account;
use crate::address::{Kind, SupportAddress};
use crate::id::BrandId;
use crate::ticket::Ticket;
use crate::token::ThreadToken;
use crate::user::Person;

/// A name and address as stored in [`Content`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Display name, may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Address.
    pub address: String,
}

impl From<Mailbox> for Party {
    fn from(mailbox: Mailbox) -> Party {
        Party { name: mailbox.name, address: mailbox.address }
    }
}

impl From<&Party> for Mailbox {
    fn from(party: &Party) -> Mailbox {
        Mailbox { name: party.name.clone(), address: party.address.clone() }
    }
}

/// The values of a message at the event that caused it. Stored as JSON: a file format, so fields are only
/// ever added. A version that changes what they mean raises `v` and keeps those that are read here; older ones then leave
/// the message to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The version of the stored form.
    #[serde(default)]
    v: Version,
    /// From.
    pub from: Party,
    /// Reply-To, with the thread token at native hosts.
    pub reply_to: Party,
    /// To.
    pub to: Vec<Party>,
    /// Cc.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<Party>,
    /// The host of our Message-IDs, and of the return path.
    pub host: String,
    /// What it says.
    #[serde(flatten)]
    pub notice: Notice,
}

/// What a message says, by its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// [`NoticeKind::Acknowledgement`]. Its words are made of the ticket's number, which is known once the
    /// ticket is written.
    Acknowledgement {
        /// The brand's name.
        brand: String,
        /// The ticket's conversation.
        #[serde(flatten)]
        thread: Thread,
    },
    /// [`NoticeKind::Comment`]. Its text is read from the comment.
    Comment {
        /// Subject.
        subject: String,
        /// The ticket's conversation.
        #[serde(flatten)]
        thread: Thread,
    },
    /// [`NoticeKind::Follower`]. Its text is read from the comment.
    Follower {
        /// Subject.
        subject: String,
        /// The ticket's conversation.
        #[serde(flatten)]
        thread: Thread,
    },
    /// [`NoticeKind::SignUp`].
    SignUp {
        /// What it says.
        #[serde(flatten)]
        letter: Letter,
        /// The Message-ID of the message it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_reply_to: Option<String>,
    },
    /// [`NoticeKind::Probe`].
    Probe {
        /// What it says to somebody who finds it in a mailbox.
        #[serde(flatten)]
        letter: Letter,
        /// The secret by which it is known again.
        #[serde(rename = "probe")]
        secret: String,
    },
    /// [`NoticeKind::Digest`].
    Digest {
        /// What it says.
        #[serde(flatten)]
        letter: Letter,
    },
    /// A kind of a newer version, or one that lacks what it should have, as stored. Its bytes cannot be made
    /// here.
    #[serde(untagged)]
    Unknown(Json),
}

/// The conversation of a ticket that a message belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The ticket's token.
    pub token: ThreadToken,
    /// The line above which people answer; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub delimiter: String,
    /// The Message-ID it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
}

/// Subject and text that were made at the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// Plain text, LF line ends.
    pub text: String,
}

impl Notice {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> NoticeKind {
        match self {
            Notice::Acknowledgement { .. } => NoticeKind::Acknowledgement,
            Notice::Comment { .. } => NoticeKind::Comment,
            Notice::Follower { .. } => NoticeKind::Follower,
            Notice::SignUp { .. } => NoticeKind::SignUp,
            Notice::Probe { .. } => NoticeKind::Probe,
            Notice::Digest { .. } => NoticeKind::Digest,
            Notice::Unknown(stored) => stored.get("kind").and_then(Json::as_str).unwrap_or_default().into(),
        }
    }

    /// The conversation it belongs to.
    #[must_use]
    pub fn thread(&self) -> Option<&Thread> {
        match self {
            Notice::Acknowledgement { thread, .. }
            | Notice::Comment { thread, .. }
            | Notice::Follower { thread, .. } => Some(thread),
            Notice::SignUp { .. } | Notice::Probe { .. } | Notice::Digest { .. } | Notice::Unknown(_) => None,
        }
    }

    /// The Message-ID it answers.
    #[must_use]
    pub fn in_reply_to(&self) -> Option<&str> {
        match self {
            Notice::SignUp { in_reply_to, .. } => in_reply_to.as_deref(),
            other => other.thread().and_then(|thread| thread.in_reply_to.as_deref()),
        }
    }
}

impl Content {
    /// A message about a ticket, from the address the ticket was received at; in an agent's name where the
    /// account wants that. None where the account has no address to send from.
    pub(super) fn about(
        account: &Account,
        ticket: &Ticket,
        agent: Option<&Person>,
        to: Vec<Party>,
        notice: impl FnOnce(Thread) -> Notice,
    ) -> Option<Content> {
        let sender = account.sender_for(&ticket.received.recipient, ticket.brand_id)?;
        let personal = agent.filter(|_| account.settings.personalized_replies);
        let name = match (personal, sender.name.as_str()) {
            (Some(agent), "") => agent.name.clone(),
            (Some(agent), name) => format!("{} ({name})", agent.name),
            (None, name) => name.to_owned(),
        };
        Some(Content {
            v: Version::default(),
            from: Party { name, address: sender.written.clone() },
            reply_to: Party { name: sender.name.clone(), address: reply_address(sender, &ticket.token) },
            to,
            cc: vec![],
            host: host_of(account, ticket.brand_id)?,
            notice: notice(Thread {
                token: ticket.token.clone(),
                delimiter: account.settings.delimiter_line().unwrap_or_default().to_owned(),
                in_reply_to: ticket.last_message_id.clone(),
            }),
        })
    }

    /// Whether a newer version wrote it in a form that means something else.
    pub(super) fn is_newer(&self) -> bool {
        self.v.0 > Version::KNOWN.0
    }

    /// A message about no ticket, to one recipient. None where the account has no host to send from.
    pub(super) fn from_desk(
        account: &Account,
        brand: BrandId,
        sender: &SupportAddress,
        to: Party,
        notice: Notice,
    ) -> Option<Content> {
        let from: Party = sender.mailbox().into();
        let host = host_of(account, brand)?;
        Some(Content {
            v: Version::default(),
            reply_to: from.clone(),
            from,
            to: vec![to],
            cc: vec![],
            host,
            notice,
        })
    }
}

/// Where answers go: at a native host the token travels in the address.
fn reply_address(sender: &SupportAddress, token: &ThreadToken) -> String {
    match sender.kind {
        Kind::Native => format!("{}+id{}@{}", sender.email.local(), token.as_str(), sender.email.domain()),
        Kind::External => sender.written.clone(),
    }
}

/// The native host of a brand, which signs for Message-IDs and return paths.
fn host_of(account: &Account, brand: BrandId) -> Option<String> {
    account.brand(brand).or_else(|| account.default_brand()).map(|brand| brand.native_host.clone())
}

/// The version of the stored form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Version(u32);

impl Version {
    /// The newest that is known here.
    const KNOWN: Version = Version(1);
}

impl Default for Version {
    fn default() -> Version {
        Version::KNOWN
    }
}
