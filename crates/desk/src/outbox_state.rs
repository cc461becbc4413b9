//! The state of one recipient of an outgoing message (docs/behaviour/outgoing-mail.md §4).

use crate::str_enum::open_str_enum;

open_str_enum! {
    /// The state of one recipient of an outgoing message.
    pub enum OutboxState {
        /// There is no way out for it yet.
        Waiting = "waiting",
        /// Somebody has to let it go first.
        Held = "held",
        /// It is to go at a later time.
        Scheduled = "scheduled",
        /// It is due.
        Queued = "queued",
        /// A node has it in hand.
        Sending = "sending",
        /// The next server took responsibility.
        Sent = "sent",
        /// It did not go now and is tried again.
        Deferred = "deferred",
        /// Refused for good, at once or by a report.
        Bounced = "bounced",
        /// Not sent, since something forbids it.
        Suppressed = "suppressed",
        /// Somebody took it back before it left.
        Cancelled = "cancelled",
        /// Given up after too many days.
        Expired = "expired",
    }
}

impl OutboxState {
    /// The states in which something is still to be done by itself.
    pub const UNDONE: [OutboxState; 4] =
        [OutboxState::Waiting, OutboxState::Queued, OutboxState::Sending, OutboxState::Deferred];
}
