//! Door out: delivers queued mail to a relay or straight to the recipient's mail exchangers, and says when to try
//! again.
//!
//! It knows sockets, DNS and TLS; it does not know tickets. `transport` makes one attempt for one recipient and
//! returns what happened as a value; `retry` turns that into the next due time. Nothing here keeps a mail: what is
//! not recorded by the caller did not happen.

pub mod attempt;
mod extensions;
mod mailbox;
mod mx;
pub mod pool;
mod reply;
pub mod retry;
pub mod route;
mod session;
mod tls;
pub mod transport;
pub mod worker;
