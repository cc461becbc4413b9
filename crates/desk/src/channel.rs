//! Which way a change came.

use crate::str_enum::open_str_enum;

open_str_enum! {
    /// The way a ticket was opened, or an audit's changes were made.
    pub enum Channel {
        /// By mail.
        Email = "email",
        /// By a command of a person or program.
        Api = "api",
        /// By the desk itself, as time passed or a report came.
        System = "system",
    }
}
