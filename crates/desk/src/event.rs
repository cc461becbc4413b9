//! What an audit tells of a ticket: one event for each thing that happened.
//!
//! Stored as JSON, one object an event, and shown to programs as stored: a file format. An event of a newer
//! version whose type or fields are not known here is kept as it is ([`Event::Unknown`]), and so is one that
//! a newer version wrote with more fields, apart from those. This is the only place that writes or reads this
//! JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::comment::Flag;
use crate::delivery::DeliveryResult;
use crate::id::{CommentId, MailId, OrganizationId, TicketId, UserId};
use crate::str_enum::str_enum;
use crate::suspension::Cause;
use crate::ticket::{Priority, Status, Ticket, TicketType};

/// The version of the stored form, written into every event as `v`. Readers go by type and fields and need it
/// only once a field changes its meaning.
const VERSION: u32 = 1;

/// Something that happened to a ticket.
// `remote` makes `serialize` and `deserialize` below functions of the type itself; the traits add the
// version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "type")]
pub enum Event {
    /// It was opened. Records what may change later; the rest stays on the ticket for good.
    Create {
        /// The subject.
        subject: String,
        /// Received at.
        recipient: String,
        /// The closed ticket it follows up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follow_up_of: Option<TicketId>,
        /// Who brought its message.
        #[serde(flatten)]
        peer: Peer,
    },
    /// A comment was added.
    Comment {
        /// The comment.
        id: CommentId,
        /// Public, or an internal note.
        public: bool,
        /// The message it came by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mail: Option<MailId>,
        /// Warnings shown next to it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        flags: Vec<Flag>,
        /// What agents made of each warning.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        flags_options: BTreeMap<Flag, FlagOptions>,
        /// Who brought its message, where the message did not open the ticket.
        #[serde(flatten)]
        peer: Peer,
    },
    /// A field was changed.
    Change(Change),
    /// A message of the ticket was reported on.
    Delivery {
        /// Its recipient.
        recipient: String,
        /// What became of it.
        result: DeliveryResult,
        /// What the other server said.
        answer: String,
    },
    /// The same message opened other tickets too.
    Siblings {
        /// The others.
        tickets: Vec<TicketId>,
    },
    /// An attachment was left out of a comment.
    AttachmentRefused {
        /// Its file name.
        name: String,
        /// Why, in plain words.
        why: String,
    },
    /// A command in an agent's mail could not be carried out.
    CommandIgnored {
        /// The command as it was understood.
        command: String,
        /// Why, in plain words.
        why: String,
    },
    /// The message of this audit was held, and somebody took it out of the suspended tickets.
    Recovered {
        /// The message.
        mail: MailId,
        /// Why it was held, where that is known.
        cause: Option<Cause>,
        /// The cause's name; empty where it is not known.
        #[serde(default)]
        cause_name: String,
        /// Who took it out, in plain words.
        by: String,
    },
    /// An event of a newer version, as stored.
    #[serde(untagged)]
    Unknown(serde_json::Value),
}

/// The client that brought a message: the rest of its envelope goes with the spool row
/// (docs/behaviour/smtp.md §6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its IP address; empty on a unix socket, and where no mail came.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client: String,
    /// What it called itself; empty where it did not, or no mail came.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub helo: String,
}

/// What is said of a flag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagOptions {
    /// Whether an agent looked and found the comment trustworthy.
    pub trusted: bool,
}

str_enum! {
    /// A field of a ticket that may change.
    pub enum Field {
        /// The status.
        Status = "status",
        /// Who answers.
        Assignee = "assignee",
        /// All tags.
        Tags = "tags",
        /// Who asks.
        Requester = "requester",
        /// Whose request it is.
        Organization = "organization",
        /// How urgent it is.
        Priority = "priority",
        /// What kind of request it is.
        Type = "type",
    }
}

/// A field that was one thing and is another. Stored under the [`Field`]'s word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "field", rename_all = "snake_case")]
pub enum Change {
    /// [`Field::Status`].
    Status(FromTo<Status>),
    /// [`Field::Assignee`]; none for nobody.
    Assignee(FromTo<Option<UserId>>),
    /// [`Field::Tags`], sorted.
    Tags(FromTo<Vec<String>>),
    /// [`Field::Requester`].
    Requester(FromTo<UserId>),
    /// [`Field::Organization`].
    Organization(FromTo<Option<OrganizationId>>),
    /// [`Field::Priority`].
    Priority(FromTo<Option<Priority>>),
    /// [`Field::Type`].
    Type(FromTo<Option<TicketType>>),
}

/// The value before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromTo<T> {
    /// Before.
    pub from: T,
    /// After.
    pub to: T,
}

impl<T: PartialEq + Clone> FromTo<T> {
    fn of(from: &T, to: &T) -> Option<FromTo<T>> {
        (from != to).then(|| FromTo { from: from.clone(), to: to.clone() })
    }
}

impl Change {
    /// Which field it is.
    #[must_use]
    pub fn field(&self) -> Field {
        match self {
            Change::Status(_) => Field::Status,
            Change::Assignee(_) => Field::Assignee,
            Change::Tags(_) => Field::Tags,
            Change::Requester(_) => Field::Requester,
            Change::Organization(_) => Field::Organization,
            Change::Priority(_) => Field::Priority,
            Change::Type(_) => Field::Type,
        }
    }

    /// How two states of a ticket differ, field by field in a fixed order.
    #[must_use]
    pub fn between(before: &Ticket, after: &Ticket) -> Vec<Change> {
        [
            FromTo::of(&before.status, &after.status).map(Change::Status),
            FromTo::of(&before.assignee_id, &after.assignee_id).map(Change::Assignee),
            FromTo::of(&before.tags, &after.tags).map(Change::Tags),
            FromTo::of(&before.requester_id, &after.requester_id).map(Change::Requester),
            FromTo::of(&before.organization_id, &after.organization_id).map(Change::Organization),
            FromTo::of(&before.priority, &after.priority).map(Change::Priority),
            FromTo::of(&before.ticket_type, &after.ticket_type).map(Change::Type),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Event {
    /// A comment that no mail brought.
    #[must_use]
    pub fn comment(id: CommentId, public: bool) -> Event {
        Event::Comment {
            id,
            public,
            mail: None,
            flags: vec![],
            flags_options: BTreeMap::new(),
            peer: Peer::default(),
        }
    }

    /// A message let out of the suspended tickets.
    #[must_use]
    pub fn recovered(mail: MailId, cause: Option<Cause>, by: &str) -> Event {
        let cause_name = cause.map_or("", Cause::name).to_owned();
        Event::Recovered { mail, cause, cause_name, by: by.to_owned() }
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Versioned<'a> {
            v: u32,
            #[serde(flatten, serialize_with = "tagged")]
            event: &'a Event,
        }

        fn tagged<S: Serializer>(event: &Event, serializer: S) -> Result<S::Ok, S::Error> {
            Event::serialize(event, serializer)
        }

        match self {
            Event::Unknown(stored) => stored.serialize(serializer),
            event => Versioned { v: VERSION, event }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
        Event::deserialize(deserializer)
    }
}
