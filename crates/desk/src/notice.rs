//! The messages the desk sends (docs/behaviour/outgoing-mail.md §2). Each kind has a file that says who gets
//! it and what it says.
//!
//! `content` is what is kept of a message at the event that caused it, `render` makes its bytes of that.

mod acknowledgement;
mod comment;
mod content;
mod digest;
mod follower;
mod message_id;
mod probe;
mod render;
mod sign_up;

pub use acknowledgement::acknowledgement;
pub use comment::{comment, reply_subject};
pub use content::{Content, Letter, Notice, Party, Thread};
pub use digest::digest;
pub use follower::follower;
pub use message_id::is_follower_id;
pub use probe::probe;
pub use render::{RenderError, Rendering, render};
pub use sign_up::sign_up;

use crate::str_enum::open_str_enum;

open_str_enum! {
    /// The kind of a message the desk sends.
    pub enum NoticeKind {
        /// To the requester: the ticket was opened.
        Acknowledgement = "acknowledgement",
        /// To the requester and CCs: a public comment.
        Comment = "comment",
        /// To an agent who follows the ticket: any comment.
        Follower = "follower",
        /// To somebody unknown: only registered people may write.
        SignUp = "sign_up",
        /// To an external support address: does its forward work?
        Probe = "probe",
        /// To the address an account chose: what was held lately.
        Digest = "digest",
    }
}
