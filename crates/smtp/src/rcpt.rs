//! RCPT: who the message is for (RFC 5321 §4.1.1.3). The shell's directory decides whether that is one of
//! ours.

use mail::address::AddressKey;

use crate::chunk::Chunks;
use crate::path::Path;
use crate::reply::{self, Reply};
use crate::session::{Flow, Session, State};
use crate::step::{Recipient, RecipientAnswer, Step};

impl Session {
    pub(crate) fn rcpt(&mut self, argument: &str) -> Flow {
        let Some(envelope) = &self.envelope else {
            return self.fail(&reply::MAIL_FIRST);
        };
        if !matches!(envelope.chunks, Chunks::None) {
            return self.fail(&reply::CHUNKS_BEGUN);
        }
        let is_full = envelope.recipients.len() >= self.config.limits.recipients;
        match read(argument, envelope.smtputf8) {
            Err(reply) => self.fail(&reply),
            // RFC 5321 §4.5.3.1.10: 452, so that the client sends the rest in another message; not counted as
            // an error.
            Ok(_) if is_full => self.say(&reply::TOO_MANY_RECIPIENTS),
            Ok(recipient) => {
                self.state = State::Recipient(recipient.clone());
                Some(Step::CheckRecipient(recipient))
            }
        }
    }

    /// Applies the directory's answer.
    pub(crate) fn finish_recipient(&mut self, recipient: Recipient, answer: &RecipientAnswer) {
        let reply = reply::recipient(answer);
        match answer {
            RecipientAnswer::Accepted => {
                if let Some(envelope) = &mut self.envelope {
                    envelope.recipients.push(recipient);
                }
                self.say(&reply);
            }
            RecipientAnswer::Temporary => {
                self.say(&reply);
            }
            RecipientAnswer::Unknown => {
                self.fail(&reply);
            }
        }
    }
}

fn read(argument: &str, smtputf8: bool) -> Result<Recipient, Reply> {
    let path = Path::read(argument, "TO:").ok_or(reply::RCPT_SYNTAX)?;
    if path.parameters().next().is_some() {
        // RFC 5321 §4.1.1.11. None of the extensions offered has a parameter for RCPT.
        return Err(reply::PARAMETER_UNKNOWN);
    }
    if path.address.eq_ignore_ascii_case("postmaster") {
        return Ok(Recipient::Postmaster);
    }
    if !path.address.is_ascii() && !smtputf8 {
        return Err(reply::NEEDS_SMTPUTF8);
    }
    let address = AddressKey::parse(path.address).map_err(|_| reply::RECIPIENT_INVALID)?;
    Ok(Recipient::Address { address, as_written: path.address.to_owned() })
}
