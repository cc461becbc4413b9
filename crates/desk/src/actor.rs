//! Who changes something.

use crate::id::UserId;

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// The desk itself: time passed, or several tickets were opened by one message.
    System,
    /// A person.
    Person(UserId),
}

impl Actor {
    /// The number that stands for the actor where one is stored: a person's id, or 0.
    #[must_use]
    pub fn stored(self) -> i64 {
        match self {
            Actor::System => 0,
            Actor::Person(id) => id.0,
        }
    }

    /// Reads what [`Actor::stored`] gave.
    #[must_use]
    pub fn of_stored(id: i64) -> Actor {
        if id == 0 { Actor::System } else { Actor::Person(UserId(id)) }
    }

    /// The person, unless it was the desk itself.
    #[must_use]
    pub fn person(self) -> Option<UserId> {
        match self {
            Actor::System => None,
            Actor::Person(id) => Some(id),
        }
    }
}
