//! One connection to the sink: the receiving side of SMTP, as far as a client that pipelines needs it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use super::{Attempt, Shared, Taken, Treatment, When, lock};

/// The reply to a mail that is deferred, and to one that is refused: about the mail, never about us or the whole host
/// (docs/behaviour/outgoing-mail.md §7).
const DEFERRED: &str = "450 4.2.1 come back later";
const REFUSED: &str = "550 5.1.1 nobody of that name";

pub(super) struct Dialogue<'shared> {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    shared: &'shared Shared,
    node: String,
    mail: Transaction,
}

/// The transaction in progress.
struct Transaction {
    row: Option<i64>,
    begun: Instant,
    treatment: Treatment,
    recipients: Vec<String>,
}

impl Transaction {
    fn begin(row: Option<i64>, treatment: Treatment) -> Self {
        Self { row, begun: Instant::now(), treatment, recipients: Vec::new() }
    }
}

impl<'shared> Dialogue<'shared> {
    pub(super) fn new(stream: TcpStream, shared: &'shared Shared) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            reader: BufReader::new(stream.try_clone()?),
            writer: stream,
            shared,
            node: String::new(),
            mail: Transaction::begin(None, Treatment::Take),
        })
    }

    pub(super) fn run(mut self) -> io::Result<()> {
        self.say("220 sink.example ESMTP")?;
        let mut line = String::new();
        while self.reader.read_line(&mut line)? > 0 {
            let command = line.trim_end().to_owned();
            line.clear();
            let verb: String = command.chars().take_while(char::is_ascii_alphabetic).collect();
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "LHLO" => self.greet(&command)?,
                "MAIL" => self.begin(&command)?,
                "RCPT" => self.recipient(&command)?,
                "DATA" => self.data()?,
                "RSET" => self.reset()?,
                "HELO" | "NOOP" => self.say("250 2.0.0 ok")?,
                "QUIT" => return self.say("221 2.0.0 bye"),
                _ => self.say("500 5.5.2 not known here")?,
            }
        }
        Ok(())
    }

    fn say(&mut self, reply: &str) -> io::Result<()> {
        self.writer.write_all(format!("{reply}\r\n").as_bytes())
    }

    fn greet(&mut self, command: &str) -> io::Result<()> {
        self.node = command.split_whitespace().nth(1).unwrap_or_default().to_owned();
        self.say("250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 104857600")
    }

    fn begin(&mut self, command: &str) -> io::Result<()> {
        let row = outbox_row(path(command));
        self.mail = Transaction::begin(row, self.shared.treat(row));
        self.say("250 2.1.0 ok")
    }

    fn reset(&mut self) -> io::Result<()> {
        self.mail.recipients.clear();
        self.say("250 2.0.0 ok")
    }

    fn recipient(&mut self, command: &str) -> io::Result<()> {
        match self.mail.treatment {
            Treatment::Defer(When::Recipient) => self.decide(450, DEFERRED),
            Treatment::Refuse(When::Recipient) => self.decide(550, REFUSED),
            Treatment::Take | Treatment::Defer(When::Content) | Treatment::Refuse(When::Content) => {
                self.mail.recipients.push(path(command).to_lowercase());
                self.say("250 2.1.5 ok")
            }
        }
    }

    fn data(&mut self) -> io::Result<()> {
        if self.mail.recipients.is_empty() {
            return self.say("554 5.5.1 no recipients");
        }
        self.say("354 go on")?;
        let raw = self.content()?;
        thread::sleep(self.shared.options.delay);
        match self.mail.treatment {
            Treatment::Defer(_) => self.decide(450, DEFERRED),
            Treatment::Refuse(_) => self.decide(550, REFUSED),
            Treatment::Take => {
                self.take(raw);
                self.decide(250, "250 2.0.0 taken")
            }
        }
    }

    /// Reads up to the dot line, which is not part of the mail, and unstuffs dots.
    fn content(&mut self) -> io::Result<Vec<u8>> {
        let mut raw = Vec::new();
        loop {
            let begin = raw.len();
            if self.reader.read_until(b'\n', &mut raw)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = raw.get(begin..).unwrap_or_default();
            if line == b".\r\n" {
                raw.truncate(begin);
                return Ok(raw);
            }
            if line.starts_with(b".") {
                raw.remove(begin);
            }
        }
    }

    fn take(&mut self, raw: Vec<u8>) {
        let text = String::from_utf8_lossy(&raw);
        let head =
            text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        self.shared.note_taken(Taken {
            message_id: first_id(&head, "message-id:"),
            in_reply_to: first_id(&head, "in-reply-to:"),
            recipients: std::mem::take(&mut self.mail.recipients),
            round: self.shared.round.load(Ordering::Acquire),
            begun: self.mail.begun,
            raw: self.shared.options.keep_raw.then_some(raw),
        });
    }

    /// Notes how the transaction ended and says so: noted first, since the peer may be killed once it has heard.
    fn decide(&mut self, code: u16, reply: &str) -> io::Result<()> {
        lock(&self.shared.attempts).push(Attempt {
            node: self.node.clone(),
            row: self.mail.row,
            begun: self.mail.begun,
            ended: Instant::now(),
            code,
        });
        self.mail.recipients.clear();
        self.say(reply)
    }
}

/// What stands between `<` and `>` of a MAIL or RCPT command.
fn path(command: &str) -> &str {
    command.split('<').nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default()
}

/// The outbox row in a return path `bounce+ROW-SIGNATURE@HOST`.
fn outbox_row(return_path: &str) -> Option<i64> {
    return_path.strip_prefix("bounce+")?.split('-').next()?.parse().ok()
}

/// The first `<id>` of a field, without `<>`; `name` is lower-case and ends in a colon.
fn first_id(head: &str, name: &str) -> String {
    let field = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name)).unwrap_or_default();
    let id = field.split('<').nth(1).and_then(|rest| rest.split('>').next());
    id.unwrap_or_default().to_owned()
}
