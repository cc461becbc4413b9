//! What became of a message, in one word.

use crate::str_enum::str_enum;

str_enum! {
    /// The one outcome that every accepted mail ends with.
    pub enum Outcome {
        /// It opened a ticket.
        NewTicket = "new_ticket",
        /// It became a comment on a ticket.
        Comment = "comment",
        /// It answered a closed ticket and opened another that names it.
        FollowUp = "follow_up",
        /// It waits among the suspended tickets.
        Suspended = "suspended",
        /// It reported on a delivery of ours.
        Bounce = "bounce",
        /// It is the same as an earlier one.
        Duplicate = "duplicate",
        /// It is kept, and nothing else happens.
        Discarded = "discarded",
    }
}
