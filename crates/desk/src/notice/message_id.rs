//! The Message-IDs of our messages: `TOKEN.random@host` for one about a ticket, so that its answer is known
//! by it.

use super::{Content, Notice};
use crate::token::ThreadToken;

/// Precedes the random part in the Message-ID of a notice to a follower.
const FOLLOWER_MARK: char = 'f';

impl Content {
    /// A Message-ID for this message, made of 64 random bits.
    #[must_use]
    pub fn message_id(&self, random: u64) -> String {
        let host = &self.host;
        match &self.notice {
            Notice::Follower { thread, .. } => of_follower(&thread.token, random, host),
            Notice::Acknowledgement { thread, .. } | Notice::Comment { thread, .. } => {
                format!("{}.{random:016x}@{host}", thread.token.as_str())
            }
            Notice::Probe { secret, .. } => format!("{secret}@{host}"),
            Notice::SignUp { .. } | Notice::Digest { .. } | Notice::Unknown(_) => {
                format!("notice.{random:016x}@{host}")
            }
        }
    }
}

fn of_follower(token: &ThreadToken, random: u64, host: &str) -> String {
    format!("{}.{FOLLOWER_MARK}{random:016x}@{host}", token.as_str())
}

/// Whether a Message-ID is one of a notice to a follower.
#[must_use]
pub fn is_follower_id(message_id: &str) -> bool {
    let local = message_id.split('@').next();
    let random = local.and_then(|local| local.split_once('.')).map(|(_, random)| random);
    random.is_some_and(|random| random.len() == 17 && random.starts_with(FOLLOWER_MARK))
}
