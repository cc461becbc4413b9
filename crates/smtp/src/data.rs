//! DATA: the text of the message up to CRLF `.` CRLF (RFC 5321 §4.1.1.4).

use crate::body::{Body, Framing};
use crate::chunk::Chunks;
use crate::reply;
use crate::session::{Flow, Session, State};
use crate::step::Step;

impl Session {
    pub(crate) fn data(&mut self, argument: &str) -> Flow {
        if !argument.is_empty() {
            return self.fail(&reply::NO_ARGUMENT_ALLOWED);
        }
        let refusal = match &self.envelope {
            None => reply::MAIL_FIRST,
            // RFC 3030 §2: DATA and BDAT do not mix.
            Some(envelope) if !matches!(envelope.chunks, Chunks::None) => reply::CHUNKS_BEGUN,
            Some(envelope) if envelope.recipients.is_empty() => reply::NO_RECIPIENTS,
            Some(_) => {
                self.state = State::Data(Body::new(Framing::Dots, &self.config));
                return self.say(&reply::SEND_MAIL);
            }
        };
        self.fail(&refusal)
    }

    /// Reads the text of the message; finishes it once its end has been read.
    pub(crate) fn read_data(&mut self) -> Flow {
        if let State::Data(body) = &mut self.state {
            let used = body.feed(self.input.unread());
            self.input.consume(used);
            if !body.is_ended() {
                return Some(Step::NeedInput);
            }
        }
        match std::mem::replace(&mut self.state, State::Command) {
            State::Data(body) => self.end_mail(body.finish()),
            _ => None,
        }
    }
}
