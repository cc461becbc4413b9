//! STARTTLS (RFC 3207): the session waits for the handshake and starts over after it.

use crate::reply;
use crate::session::{Flow, Session, State};
use crate::step::Step;

impl Session {
    pub(crate) fn starttls(&mut self, argument: &str) -> Flow {
        let refusal = if self.tls {
            reply::TLS_ALREADY
        } else if !self.config.starttls {
            reply::NOT_OFFERED
        } else if !argument.is_empty() {
            reply::NO_ARGUMENT_ALLOWED
        } else {
            // RFC 3207 §4.2: whatever followed the command in clear text could come from anybody and is never
            // looked at.
            self.input.clear();
            self.state = State::StartTls;
            self.say(&reply::START_TLS);
            return Some(Step::StartTls);
        };
        self.fail(&refusal)
    }
}
