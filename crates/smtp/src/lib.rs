//! The receiving side of SMTP and LMTP as a state machine: bytes in, replies and steps out.
//!
//! This room knows the dialogue of RFC 5321 and RFC 2033 with PIPELINING, SIZE, 8BITMIME, SMTPUTF8, CHUNKING,
//! STARTTLS and ENHANCEDSTATUSCODES. It knows no socket, clock, file, log or address directory: the shell
//! that owns those pushes what it reads into a [`Session`], asks it for the next [`Step`], does what the step
//! says, and writes whatever [`Session::take_output`] returns.
//!
//! ```
//! use smtp::{Config, MailAnswer, Protocol, RecipientAnswer, Session, Step};
//!
//! let mut session = Session::new(Config::new("mail.example.org", Protocol::Smtp));
//! session.push(b"EHLO a\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nHello\r\n.\r\n");
//! loop {
//!     match session.step() {
//!         Step::CheckRecipient(_) => session.recipient(RecipientAnswer::Accepted),
//!         Step::Mail(mail) => {
//!             assert_eq!(mail.raw, b"Hello\r\n");
//!             session.accepted(&MailAnswer::Accepted { id: "42".into() });
//!         }
//!         Step::NeedInput | Step::StartTls | Step::Close => break,
//!     }
//! }
//! assert!(session.take_output().ends_with(b"250 2.0.0 42 accepted\r\n"));
//! ```
//!
//! Two promises hold for any input. A message ends at CRLF `.` CRLF (or at the counted end of its last chunk)
//! and nowhere else; and it makes no difference how the bytes are split into pushes.

mod bdat;
mod body;
mod chunk;
mod command;
mod config;
mod data;
mod ehlo;
mod envelope;
mod input;
mod mail_from;
mod path;
mod rcpt;
mod reply;
mod session;
mod starttls;
mod step;

pub use config::{Config, Limits, Protocol};
pub use session::Session;
pub use step::{MailAnswer, Recipient, RecipientAnswer, Step, Transaction};
