//! The session: what is remembered between pushes, and who handles what comes next.

use std::sync::Arc;

use crate::body::Body;
use crate::chunk::Chunk;
use crate::config::{Config, Protocol};
use crate::envelope::Envelope;
use crate::input::{Input, LineFault};
use crate::reply::{self, Reply};
use crate::step::{MailAnswer, Recipient, RecipientAnswer, Step, Transaction};

/// A step for the shell, or `None` to continue with what was pushed.
pub(crate) type Flow = Option<Step>;

/// The dialogue of one connection, from the greeting to the end.
///
/// Do not push more until [`step`](Self::step) returns [`Step::NeedInput`], and write the replies then: the
/// session holds at most what was pushed at once, one command line, one message, and the replies to them.
#[derive(Debug)]
pub struct Session {
    pub(crate) config: Arc<Config>,
    pub(crate) input: Input,
    output: Vec<u8>,
    pub(crate) state: State,
    /// The name the client greeted with; `None` before the greeting.
    pub(crate) helo: Option<String>,
    pub(crate) tls: bool,
    /// The message that has begun.
    pub(crate) envelope: Option<Envelope>,
    commands: u32,
    errors: u32,
    transactions: u32,
    /// What to say before closing, as soon as the message in hand has been answered.
    farewell: Option<Reply>,
}

/// What the next byte, or the next answer, belongs to.
#[derive(Debug)]
pub(crate) enum State {
    /// A command line.
    Command,
    /// The directory's answer about this recipient.
    Recipient(Recipient),
    /// The text of a message after DATA.
    Data(Body),
    /// The octets of a chunk after BDAT.
    Chunk(Chunk),
    /// The store's answer about a message with that many recipients.
    Stored { recipients: usize },
    /// The TLS handshake.
    StartTls,
    /// Nothing any more.
    Closed,
}

impl Session {
    /// Starts a dialogue; the greeting waits in the output.
    #[must_use]
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        let config = config.into();
        let greeting = reply::greeting(&config);
        let mut session = Self {
            config,
            input: Input::default(),
            output: Vec::new(),
            state: State::Command,
            helo: None,
            tls: false,
            envelope: None,
            commands: 0,
            errors: 0,
            transactions: 0,
            farewell: None,
        };
        session.say(&greeting);
        session
    }

    /// Greets a client that has too many connections open, or exceeds the server's total, with 421 4.7.0.
    #[must_use]
    pub fn too_many_connections(config: impl Into<Arc<Config>>) -> Self {
        let mut session = Self::new(config);
        session.output.clear();
        session.say(&reply::too_many_connections(&Arc::clone(&session.config)));
        session.close();
        session
    }

    /// Accepts bytes sent by the client, split anywhere. They are discarded during the TLS handshake and
    /// after the end.
    pub fn push(&mut self, bytes: &[u8]) {
        let used = match &mut self.state {
            State::StartTls | State::Closed => return,
            // The bytes of a message go straight into it.
            State::Data(body) if self.input.is_empty() => body.feed(bytes),
            State::Chunk(chunk) if self.input.is_empty() => chunk.feed(bytes),
            _ => 0,
        };
        self.input.push(bytes.get(used..).unwrap_or_default());
    }

    /// Processes what was pushed, up to the next thing the shell has to do.
    pub fn step(&mut self) -> Step {
        loop {
            let flow = match self.state {
                State::Command => self.next_command(),
                State::Data(_) => self.read_data(),
                State::Chunk(_) => self.read_chunk(),
                State::Recipient(_) | State::Stored { .. } | State::StartTls => Some(Step::NeedInput),
                State::Closed => Some(Step::Close),
            };
            if let Some(step) = flow {
                return step;
            }
        }
    }

    /// Hands over the replies waiting to be written; empty if there are none.
    #[must_use]
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Answers [`Step::CheckRecipient`]. Does nothing if no answer is due.
    pub fn recipient(&mut self, answer: RecipientAnswer) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Recipient(recipient) => self.finish_recipient(recipient, &answer),
            other => self.state = other,
        }
    }

    /// Answers [`Step::Mail`], for all recipients at once. Does nothing if no answer is due.
    pub fn accepted(&mut self, answer: &MailAnswer) {
        self.accepted_each(std::slice::from_ref(answer));
    }

    /// Answers [`Step::Mail`] for each recipient in order; the last answer applies to all that have none.
    ///
    /// LMTP reports each to the client (RFC 2033 §4.2). SMTP has a single reply: the first answer that did
    /// not accept, if there is one, since a second attempt loses nothing and a wrong 250 does. Does nothing
    /// if no answer is due.
    pub fn accepted_each(&mut self, answers: &[MailAnswer]) {
        let State::Stored { recipients } = self.state else {
            return;
        };
        self.state = State::Command;
        let is_accepted = |answer: &&MailAnswer| matches!(answer, MailAnswer::Accepted { .. });
        let last = answers.last().unwrap_or(&MailAnswer::Temporary);
        if answers.iter().any(|answer| is_accepted(&answer)) {
            self.commands = 0;
            self.errors = 0;
        }
        match self.config.protocol {
            Protocol::Smtp => {
                let answer = answers.iter().find(|answer| !is_accepted(answer)).unwrap_or(last);
                self.say(&reply::mail(answer));
            }
            Protocol::Lmtp => {
                for answer in answers.iter().chain(std::iter::repeat(last)).take(recipients) {
                    self.say(&reply::mail(answer));
                }
            }
        }
        if let Some(farewell) = self.farewell.take() {
            self.say_and_close(&farewell);
        }
    }

    /// Continues after the TLS handshake as a fresh session: greeting and message are forgotten (RFC 3207
    /// §4.2).
    ///
    /// Does nothing if no handshake was requested.
    pub fn tls_started(&mut self) {
        if matches!(self.state, State::StartTls) {
            self.state = State::Command;
            self.tls = true;
            self.helo = None;
            self.envelope = None;
        }
    }

    /// Ends a session whose client was silent for too long with 421 4.4.2. A message already handed out is
    /// answered first.
    pub fn timed_out(&mut self) {
        self.end_with(reply::timed_out(&self.config));
    }

    /// Ends the session because the server is stopping, with 421 4.3.2. A message already handed out is
    /// answered first.
    pub fn shutdown(&mut self) {
        self.end_with(reply::shutting_down(&self.config));
    }

    /// Whether a message is coming in or awaits its answer: a server that is stopping should let it finish
    /// first.
    #[must_use]
    pub fn has_mail_in_hand(&self) -> bool {
        let in_body = matches!(self.state, State::Data(_) | State::Chunk(_) | State::Stored { .. });
        in_body || self.envelope.as_ref().is_some_and(|envelope| !envelope.recipients.is_empty())
    }

    /// Octets of memory held for input, message and replies, for metrics and tests.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        let mail = match (&self.state, &self.envelope) {
            (State::Data(body), _) => body.buffered_bytes(),
            (State::Chunk(chunk), _) => chunk.buffered_bytes(),
            (_, Some(envelope)) => envelope.chunks.buffered_bytes(),
            _ => 0,
        };
        self.input.buffered_bytes().saturating_add(self.output.capacity()).saturating_add(mail)
    }

    /// Gives up the incoming message because there is no memory for it: 452 4.3.1 at its end, and the session
    /// continues. Does nothing if no message is coming in.
    pub fn out_of_room(&mut self) {
        match &mut self.state {
            State::Data(body) => body.give_up(),
            State::Chunk(chunk) => chunk.give_up(),
            _ => {
                if let Some(envelope) = &mut self.envelope {
                    envelope.chunks.give_up();
                }
            }
        }
    }

    fn end_with(&mut self, farewell: Reply) {
        match self.state {
            State::Closed => {}
            State::Stored { .. } => self.farewell = Some(farewell),
            _ => {
                self.say_and_close(&farewell);
            }
        }
    }

    fn next_command(&mut self) -> Flow {
        let Some(line) = self.input.next_line(self.config.limits.command_line_bytes) else {
            return Some(Step::NeedInput);
        };
        self.commands = self.commands.saturating_add(1);
        if self.commands > self.config.limits.commands {
            return self.say_and_close(&reply::too_many_commands(&self.config));
        }
        match line {
            Ok(line) => self.run(&line),
            Err(LineFault::TooLong) => self.fail(&reply::LINE_TOO_LONG),
            Err(LineFault::BareNewline) => self.fail(&reply::LINE_BARE_NEWLINE),
            Err(LineFault::NotText) => self.fail(&reply::LINE_NOT_TEXT),
        }
    }

    /// Counts a message that begins, and ends the session at the limit.
    pub(crate) fn begin(&mut self, envelope: Envelope) -> Flow {
        self.transactions = self.transactions.saturating_add(1);
        if self.transactions > self.config.limits.transactions {
            return self.say_and_close(&reply::too_many_mails(&self.config));
        }
        self.envelope = Some(envelope);
        self.say(&reply::SENDER_TAKEN)
    }

    /// Hands a complete message to the shell, or says why it is refused; the message is over either way.
    pub(crate) fn end_mail(&mut self, mail: Result<Vec<u8>, Reply>) -> Flow {
        self.state = State::Command;
        let envelope = self.envelope.take()?;
        match mail {
            Ok(raw) => {
                self.state = State::Stored { recipients: envelope.recipients.len() };
                Some(Step::Mail(self.transaction(envelope, raw)))
            }
            Err(reply) => self.fail_each(&reply, envelope.recipients.len()),
        }
    }

    fn transaction(&self, envelope: Envelope, raw: Vec<u8>) -> Transaction {
        Transaction {
            mail_from: envelope.mail_from,
            mail_from_as_written: envelope.as_written,
            recipients: envelope.recipients,
            helo: self.helo.clone().unwrap_or_default(),
            protocol: self.config.protocol,
            tls: self.tls,
            smtputf8: envelope.smtputf8,
            body_8bit: envelope.body_8bit,
            raw,
        }
    }

    /// Refuses a message at its end: once, and for LMTP once per recipient. Counts as one error at most.
    pub(crate) fn fail_each(&mut self, reply: &Reply, recipients: usize) -> Flow {
        if self.config.protocol == Protocol::Lmtp {
            for _ in 1..recipients {
                self.say(reply);
            }
        }
        self.fail(reply)
    }

    /// Says a refusal; ends the session after too many errors by the client.
    pub(crate) fn fail(&mut self, reply: &Reply) -> Flow {
        if !reply.starts_with('5') {
            return self.say(reply);
        }
        self.errors = self.errors.saturating_add(1);
        if self.errors > self.config.limits.errors {
            return self.say_and_close(&reply::too_many_errors(&self.config));
        }
        self.say(reply)
    }

    pub(crate) fn say(&mut self, line: &str) -> Flow {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        None
    }

    pub(crate) fn say_and_close(&mut self, line: &str) -> Flow {
        self.say(line);
        self.close();
        None
    }

    fn close(&mut self) {
        self.state = State::Closed;
        self.envelope = None;
        self.input.clear();
    }
}
