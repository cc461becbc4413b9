//! Mail in and out: a raw message becomes a [`Letter`], an [`Outgoing`] becomes a raw message.
//!
//! Reading never fails: whatever the bytes are, a letter comes out and its [`Defect`]s are noted. Time and
//! memory are linear in the size of the message, nesting and counts are bounded, and nothing recurses over
//! the input.
//!
//! The room is pure. It knows no clock, randomness, files, sockets or database; whatever it needs of them
//! (the date, a boundary seed, whether the envelope sender was empty) is passed in. It decides nothing: what
//! becomes of a letter is up to `desk`. The names of our own header fields ([`field::OWN_MARK`],
//! [`field::PROBE`]) are read and written only here.

pub mod address;
pub mod attachment;
pub mod authentication_results;
pub mod cms;
pub mod compose;
pub mod date;
pub mod defect;
pub mod field;
pub mod forward;
pub mod html;
pub mod language;
pub mod letter;
pub mod message_id;
pub mod nature;
pub mod parts;
pub mod reply;
pub mod report;
pub mod tnef;

mod bounce;
mod charset;
mod clear_signed;
mod encoded_word;
mod flowed;
mod fold;
mod html_structure;
mod html_to_text;
mod html_token;
mod line_end;
mod mailbox_list;
mod mark;
mod outgoing_part;
mod parameter;
mod part;
mod quoting;
mod reading;
mod text;
mod transfer;
mod wording;

pub use address::{AddressError, AddressKey, Mailbox};
pub use compose::{Outgoing, compose};
pub use defect::Defect;
pub use html::html_of;
pub use letter::{Attachment, Hop, HopHeader, Letter};
pub use message_id::{MessageId, parse_ids};
pub use nature::{Nature, Sign};
pub use outgoing_part::OutgoingPart;
pub use reply::{Hidden, HiddenKind, Reply};
pub use report::{Action, DeliveryReport, FailedRecipient};
