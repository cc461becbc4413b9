//! Plays one dialogue: reads its client lines and directives, and writes it out with what the session did.

use std::collections::{BTreeMap, VecDeque};

use smtp::{Config, MailAnswer, Protocol, Recipient, RecipientAnswer, Session, Step, Transaction};

/// How the client's bytes are split into pushes.
pub(crate) enum Cut {
    /// One push for each run of client lines.
    Whole,
    /// One push per byte.
    Bytes,
    /// Pushes of these lengths, over and over.
    Lengths(Vec<usize>),
}

/// Plays a script and returns it with the server's lines as observed.
pub(crate) fn play(script: &str, cut: &mut Cut) -> String {
    let mut player = Player::new(script);
    let mut block = Vec::new();
    for line in script.lines().filter(|line| !is_of_server(line)) {
        if let Some(bytes) = client_bytes(line) {
            block.extend(bytes);
        } else {
            player.push(&std::mem::take(&mut block), cut);
        }
        player.direct(line);
        player.write(line);
    }
    player.push(&block, cut);
    player.seen
}

fn is_of_server(line: &str) -> bool {
    ["S:", "M:", "T:", "X:"].iter().any(|start| line.starts_with(start))
}

/// `C: line` with CRLF, `C> bytes` without.
fn client_bytes(line: &str) -> Option<Vec<u8>> {
    if let Some(text) = line.strip_prefix("C>") {
        return Some(unescape(text.trim_start()));
    }
    let text = line.strip_prefix("C:")?;
    Some([&unescape(text.strip_prefix(' ').unwrap_or(text))[..], b"\r\n"].concat())
}

struct Player {
    session: Session,
    recipients: BTreeMap<String, RecipientAnswer>,
    mails: VecDeque<Vec<MailAnswer>>,
    mail_count: usize,
    shutdown_in_hand: bool,
    closed: bool,
    seen: String,
}

impl Player {
    fn new(script: &str) -> Self {
        let mut config = Config::new("desk.example", Protocol::Smtp);
        let settings: Vec<_> = script.lines().filter_map(|line| line.strip_prefix("! ")).collect();
        settings.iter().for_each(|setting| set(&mut config, setting));
        let session = match settings.contains(&"too-many-connections") {
            true => Session::too_many_connections(config),
            false => Session::new(config),
        };
        Self {
            session,
            recipients: BTreeMap::new(),
            mails: VecDeque::new(),
            mail_count: 0,
            shutdown_in_hand: false,
            closed: false,
            seen: String::new(),
        }
    }

    fn direct(&mut self, line: &str) {
        let Some(directive) = line.strip_prefix("> ") else {
            return;
        };
        let words: Vec<_> = directive.split(' ').collect();
        match words[..] {
            ["recipient", answer, address] => {
                let answer = match answer {
                    "unknown" => RecipientAnswer::Unknown,
                    "temporary" => RecipientAnswer::Temporary,
                    other => panic!("no such answer: {other}"),
                };
                self.recipients.insert(address.to_owned(), answer);
            }
            ["mail", ref answers @ ..] => {
                self.mails.push_back(answers.iter().map(|text| mail_answer(text)).collect())
            }
            ["timed-out"] => self.session.timed_out(),
            ["shutdown"] => self.session.shutdown(),
            ["shutdown-in-hand"] => self.shutdown_in_hand = true,
            _ => panic!("no such directive: {directive}"),
        }
    }

    /// Pushes one block from the client, lets the session work, and starts TLS only after the block, as a
    /// peer would.
    fn push(&mut self, block: &[u8], cut: &mut Cut) {
        let mut wants_tls = self.work();
        let mut rest = block;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cut.next().clamp(1, rest.len()));
            self.session.push(now);
            wants_tls |= self.work();
            rest = later;
        }
        if wants_tls {
            self.session.tls_started();
        }
    }

    fn work(&mut self) -> bool {
        loop {
            let step = self.session.step();
            self.write_replies();
            match step {
                Step::NeedInput => return false,
                Step::CheckRecipient(recipient) => self.answer_recipient(&recipient),
                Step::Mail(mail) => self.answer_mail(&mail),
                Step::StartTls => {
                    self.write("T: handshake");
                    return true;
                }
                Step::Close => {
                    if !std::mem::replace(&mut self.closed, true) {
                        self.write("X: closed");
                    }
                    return false;
                }
            }
        }
    }

    fn answer_recipient(&mut self, recipient: &Recipient) {
        let answer = self.recipients.get(recipient.as_written()).cloned();
        self.session.recipient(answer.unwrap_or(RecipientAnswer::Accepted));
    }

    fn answer_mail(&mut self, mail: &Transaction) {
        self.write(&describe(mail));
        self.mail_count += 1;
        if self.shutdown_in_hand {
            self.session.shutdown();
        }
        let default = vec![MailAnswer::Accepted { id: format!("mail-{}", self.mail_count) }];
        let answers = self.mails.pop_front().unwrap_or(default);
        self.session.accepted_each(&answers);
    }

    fn write_replies(&mut self) {
        let output = String::from_utf8(self.session.take_output()).expect("replies are text");
        for reply in output.split_inclusive("\r\n") {
            let reply = reply.strip_suffix("\r\n").expect("a reply ends in CRLF");
            assert!(reply.len() <= 510 && reply.bytes().all(|b| (b' '..=b'~').contains(&b)), "{reply:?}");
            self.write(&format!("S: {reply}"));
        }
    }

    fn write(&mut self, line: &str) {
        self.seen.push_str(line);
        self.seen.push('\n');
    }
}

impl Cut {
    fn next(&mut self) -> usize {
        match self {
            Self::Whole => usize::MAX,
            Self::Bytes => 1,
            Self::Lengths(lengths) => {
                lengths.rotate_left(1);
                lengths.last().copied().unwrap_or(1)
            }
        }
    }
}

fn set(config: &mut Config, setting: &str) {
    let limits = &mut config.limits;
    match setting.split(' ').collect::<Vec<_>>()[..] {
        ["protocol", "lmtp"] => config.protocol = Protocol::Lmtp,
        ["starttls"] => config.starttls = true,
        ["max-mail-bytes", number] => config.max_mail_bytes = number.parse().unwrap(),
        ["command-line-bytes", number] => limits.command_line_bytes = number.parse().unwrap(),
        ["mail-line-bytes", number] => limits.mail_line_bytes = number.parse().unwrap(),
        ["header-bytes", number] => limits.header_bytes = number.parse().unwrap(),
        ["received-fields", number] => limits.received_fields = number.parse().unwrap(),
        ["recipients", number] => limits.recipients = number.parse().unwrap(),
        ["commands", number] => limits.commands = number.parse().unwrap(),
        ["errors", number] => limits.errors = number.parse().unwrap(),
        ["transactions", number] => limits.transactions = number.parse().unwrap(),
        ["too-many-connections"] => {}
        _ => panic!("no such setting: {setting}"),
    }
}

fn mail_answer(text: &str) -> MailAnswer {
    match text {
        "temporary" => MailAnswer::Temporary,
        id => MailAnswer::Accepted { id: id.to_owned() },
    }
}

/// One line about a message that was handed out.
fn describe(mail: &Transaction) -> String {
    let recipients: Vec<_> = mail.recipients.iter().map(describe_recipient).collect();
    let sender = mail.mail_from.as_ref().map_or("<>", |address| address.as_str());
    let flags = [(mail.tls, " tls"), (mail.smtputf8, " smtputf8"), (mail.body_8bit, " 8bit")];
    let flags: String = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| *name).collect();
    let raw = match mail.raw.len() {
        0..=200 => format!("\"{}\"", mail.raw.escape_ascii()),
        length => format!("{length} octets"),
    };
    format!("M: helo={} from={sender} to={}{flags} raw={raw}", mail.helo, recipients.join(","))
}

fn describe_recipient(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Address { address, .. } => address.to_string(),
        Recipient::Postmaster => "(postmaster)".to_owned(),
    }
}

/// Reads `\r \n \t \0 \\ \xNN`, and `{text*7}` for seven times the text.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let (byte, length) = match rest.as_bytes()[0] {
                    b'r' => (b'\r', 1),
                    b'n' => (b'\n', 1),
                    b't' => (b'\t', 1),
                    b'0' => (0, 1),
                    b'x' => (u8::from_str_radix(&rest[1..3], 16).unwrap(), 3),
                    other => (other, 1),
                };
                bytes.push(byte);
                rest = &rest[length..];
            }
            '{' => {
                let (inner, after) = rest.split_once('}').expect("a closing brace");
                let (text, count) = inner.rsplit_once('*').expect("text*count");
                bytes.extend(unescape(text).repeat(count.parse().unwrap()));
                rest = after;
            }
            c => bytes.extend(c.to_string().bytes()),
        }
    }
    bytes
}
