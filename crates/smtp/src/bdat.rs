//! BDAT: the message in counted chunks (RFC 3030 §2).
//!
//! A chunk is read to its last octet whatever becomes of it, so that none of its octets is ever taken for a
//! command; if its size cannot be parsed, the session ends.

use crate::body::{Body, Framing};
use crate::chunk::{Chunk, Chunks};
use crate::reply::{self, Reply};
use crate::session::{Flow, Session, State};
use crate::step::Step;

impl Session {
    pub(crate) fn bdat(&mut self, argument: &str) -> Flow {
        let Some((left, is_last)) = read(argument) else {
            return self.say_and_close(&reply::CHUNK_SYNTAX);
        };
        let target = self.chunk_target();
        self.state = State::Chunk(Chunk { left, is_last, target });
        None
    }

    /// Takes the body out of the envelope while a chunk of it is being read.
    fn chunk_target(&mut self) -> Result<Body, Reply> {
        let envelope = self.envelope.as_mut().ok_or(reply::MAIL_FIRST)?;
        if envelope.recipients.is_empty() {
            return Err(reply::NO_RECIPIENTS);
        }
        match std::mem::replace(&mut envelope.chunks, Chunks::Failed) {
            Chunks::None => Ok(Body::new(Framing::Octets, &self.config)),
            Chunks::Open(body) => Ok(body),
            Chunks::Failed => Err(reply::CHUNKS_FAILED),
        }
    }

    /// Reads the octets of the chunk; answers it once the last one has been read.
    pub(crate) fn read_chunk(&mut self) -> Flow {
        if let State::Chunk(chunk) = &mut self.state {
            let used = chunk.feed(self.input.unread());
            self.input.consume(used);
            if chunk.left > 0 {
                return Some(Step::NeedInput);
            }
        }
        match std::mem::replace(&mut self.state, State::Command) {
            State::Chunk(chunk) => self.finish_chunk(chunk),
            _ => None,
        }
    }

    fn finish_chunk(&mut self, chunk: Chunk) -> Flow {
        match chunk.target {
            Ok(body) if chunk.is_last => self.end_mail(body.finish()),
            Ok(body) => match body.refused_already() {
                Some(reply) => self.fail(&reply),
                None => {
                    if let Some(envelope) = &mut self.envelope {
                        envelope.chunks = Chunks::Open(body);
                    }
                    self.say(&reply::CHUNK_TAKEN)
                }
            },
            // The last chunk ends the message even if it failed, so that a client that continues without RSET
            // stays in step.
            Err(reply) if chunk.is_last => match self.envelope.take() {
                Some(envelope) => self.fail_each(&reply, envelope.recipients.len()),
                None => self.fail(&reply),
            },
            Err(reply) => self.fail(&reply),
        }
    }
}

/// Parses `size [LAST]`; `None` if there is no telling how many octets follow.
fn read(argument: &str) -> Option<(u64, bool)> {
    let (size, rest) = argument.split_once(' ').unwrap_or((argument, ""));
    let is_last = match rest.trim_start_matches(' ') {
        "" => false,
        word if word.eq_ignore_ascii_case("LAST") => true,
        _ => return None,
    };
    let is_number = !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit());
    Some((size.parse().ok().filter(|_| is_number)?, is_last))
}
