//! A repeatable sample of help-desk mail: what the benchmark and the kill rounds send.
//!
//! The mix is 70 % short plain text, 20 % `multipart/alternative` with HTML and 10 % `multipart/mixed` with one
//! attachment of 20 to 100 KB; 30 % are replies that name an earlier mail of the sample in In-Reply-To and References.
//! The mean is 10.5 KB ± 2 %. Same recipe, same bytes; another `tag` gives the same mails under other Message-IDs.

use std::borrow::Cow;

use super::chance::Chance;
use super::encode;
use super::words;
use super::write;

/// Replies answer one of this many of the latest mails.
const REPLY_WINDOW: usize = 400;
/// A thread is at most this long, so that every reply can name all its predecessors in References.
const THREAD_LIMIT: usize = 10;
/// The mix repeats exactly after this many mails.
const BLOCK: usize = 20;
/// How many people write.
const PEOPLE: usize = 500;
/// Size of a large attachment before base64: random bytes, which cannot be packed.
const LARGE_BYTES: usize = 400_000;

/// What a sample consists of.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Number of mails.
    pub count: usize,
    /// Chooses people, texts and sizes.
    pub seed: u64,
    /// Goes into every Message-ID: samples with different tags share none.
    pub tag: u32,
    /// Addresses that the mails are written to, lower-case; each new thread draws one. Must not be empty.
    pub supports: Vec<String>,
    /// Which kinds of mail.
    pub mix: Mix,
}

/// Which kinds of mail a sample holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// The measured mix of the module's head.
    Desk,
    /// Plain mails of one short paragraph and no replies: the fastest way to many tickets.
    Short,
    /// The measured mix, but its attachments are large: packed, such a mail is still too large for a row of the database.
    Large,
}

impl Mix {
    fn has_replies(self) -> bool {
        self != Self::Short
    }
}

/// One mail, ready for the wire.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Message-ID without `<>`.
    pub message_id: String,
    /// Return path and From address, ASCII.
    pub from: String,
    /// The one recipient.
    pub to: String,
    /// Position in the sample of the mail this one answers.
    pub parent: Option<usize>,
    /// Position in the sample of the first mail of the thread; its own for a new one.
    pub thread: usize,
    /// Dot-stuffed bytes with the closing dot line, as they follow 354.
    wire: Vec<u8>,
    /// Whether dot-stuffing changed anything.
    stuffed: bool,
}

impl Mail {
    /// The bytes that follow 354: dot-stuffed, CRLF lines, with the final `.` line (RFC 5321 §4.5.2).
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The mail itself as a receiver stores it: CRLF lines, no dot-stuffing, no final dot.
    pub fn raw(&self) -> Cow<'_, [u8]> {
        let stuffed = self.wire.strip_suffix(b".\r\n").unwrap_or(&self.wire);
        if self.stuffed { Cow::Owned(encode::unstuff(stuffed)) } else { Cow::Borrowed(stuffed) }
    }
}

/// The mails of one recipe, in the order in which they are to be sent.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The mails.
    pub mails: Vec<Mail>,
}

impl Sample {
    /// Makes the sample.
    pub fn make(recipe: &Recipe) -> Self {
        let mut maker = Maker::new(recipe);
        Self { mails: (0..recipe.count).map(|number| maker.mail(number)).collect() }
    }

    /// Sum of the raw mails' sizes.
    pub fn raw_size_bytes(&self) -> u64 {
        self.mails.iter().map(|mail| u64::try_from(mail.raw().len()).unwrap_or(u64::MAX)).sum()
    }
}

/// What later replies need to know of a mail.
#[derive(Debug, Clone)]
struct Forerunner {
    number: usize,
    thread: usize,
    person: Person,
    to: String,
    subject: String,
    references: Vec<String>,
    message_id: String,
    quote: Vec<String>,
}

#[derive(Debug, Clone)]
struct Person {
    name: String,
    address: String,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Plain,
    Html,
    /// Size of the attachment in bytes before base64.
    Attachment(usize),
}

struct Maker<'recipe> {
    recipe: &'recipe Recipe,
    chance: Chance,
    people: Vec<Person>,
    plan: Vec<(Kind, bool)>,
    earlier: Vec<Forerunner>,
}

impl<'recipe> Maker<'recipe> {
    fn new(recipe: &'recipe Recipe) -> Self {
        let mut chance = Chance::new(recipe.seed);
        let people = (0..PEOPLE).map(|number| person(&mut chance, number)).collect();
        Self { recipe, chance, people, plan: Vec::new(), earlier: Vec::new() }
    }

    fn mail(&mut self, number: usize) -> Mail {
        if self.plan.is_empty() {
            self.plan = block(&mut self.chance, self.recipe.mix);
        }
        let (kind, is_reply) = self.plan.pop().unwrap_or((Kind::Plain, false));
        let parent = if is_reply { self.forerunner() } else { None };
        let letter = self.letter(number, kind, parent);
        let mail = finish(&mut self.chance, &letter, self.recipe.mix);
        self.remember(letter);
        mail
    }

    fn forerunner(&mut self) -> Option<Forerunner> {
        let place = self.chance.index(self.earlier.len());
        self.earlier.get(place).cloned()
    }

    fn letter(&mut self, number: usize, kind: Kind, parent: Option<Forerunner>) -> Letter {
        let chance = &mut self.chance;
        let (person, to, subject) = match &parent {
            Some(parent) => (parent.person.clone(), parent.to.clone(), reply_subject(&parent.subject)),
            None => {
                let person =
                    self.people.get(chance.index(PEOPLE)).cloned().unwrap_or_else(|| person(chance, number));
                let to = self.recipe.supports.get(chance.index(self.recipe.supports.len())).cloned();
                (person, to.unwrap_or_default(), write::phrase(chance, 3, 7))
            }
        };
        let host = person.address.split('@').nth(1).unwrap_or("example.org");
        let message_id = format!("{:08x}.{number}.{:012x}@{host}", self.recipe.tag, chance.bits() >> 16);
        let paragraphs = if self.recipe.mix.has_replies() { 4 } else { 1 };
        let quote = parent.as_ref().map(|parent| parent.quote.clone()).unwrap_or_default();
        let text = write::text(chance, &person.name, paragraphs, &quote);
        let references = parent.as_ref().map(chain).unwrap_or_default();
        Letter { number, person, to, subject, message_id, references, text, kind, parent }
    }

    fn remember(&mut self, letter: Letter) {
        // A full thread gets no more replies, and only the latest mails are answered.
        if letter.references.len().saturating_add(1) >= THREAD_LIMIT || !self.recipe.mix.has_replies() {
            return;
        }
        if self.earlier.len() >= REPLY_WINDOW {
            self.earlier.remove(0);
        }
        self.earlier.push(Forerunner {
            number: letter.number,
            thread: letter.parent.as_ref().map_or(letter.number, |parent| parent.thread),
            quote: letter.text.iter().take(8).cloned().collect(),
            person: letter.person,
            to: letter.to,
            subject: letter.subject,
            references: letter.references,
            message_id: letter.message_id,
        });
    }
}

/// Everything in a mail, before it is written as bytes.
struct Letter {
    number: usize,
    person: Person,
    to: String,
    subject: String,
    message_id: String,
    references: Vec<String>,
    text: Vec<String>,
    kind: Kind,
    parent: Option<Forerunner>,
}

fn finish(chance: &mut Chance, letter: &Letter, mix: Mix) -> Mail {
    let number = letter.number;
    let mut raw = Vec::with_capacity(4_096);
    if mix.has_replies() {
        write::trace(chance, &mut raw, &letter.person.address, &letter.to, number);
    }
    write::field(&mut raw, "Message-ID", &format!("<{}>", letter.message_id));
    write::field(&mut raw, "Date", &write::date(number));
    write::field(&mut raw, "From", &write::mailbox(&letter.person.name, &letter.person.address));
    write::field(&mut raw, "To", &format!("<{}>", letter.to));
    write::field(&mut raw, "Subject", &encode::encoded_words(&letter.subject));
    if let Some(parent) = &letter.parent {
        write::field(&mut raw, "In-Reply-To", &format!("<{}>", parent.message_id));
        let ids: Vec<String> = letter.references.iter().map(|id| format!("<{id}>")).collect();
        write::field(&mut raw, "References", &ids.join("\r\n "));
    }
    write::field(&mut raw, "User-Agent", chance.word(words::CLIENTS));
    write::field(&mut raw, "MIME-Version", "1.0");
    match letter.kind {
        Kind::Plain => write::plain(&mut raw, &letter.text),
        Kind::Html => write::alternative(chance, &mut raw, &letter.text),
        Kind::Attachment(size) => write::mixed(chance, &mut raw, &letter.text, size),
    }
    let (wire, stuffed) = encode::stuff(&raw);
    Mail {
        message_id: letter.message_id.clone(),
        from: letter.person.address.clone(),
        to: letter.to.clone(),
        parent: letter.parent.as_ref().map(|parent| parent.number),
        thread: letter.parent.as_ref().map_or(number, |parent| parent.thread),
        wire,
        stuffed,
    }
}

/// The kinds of the next mails; the two attachments of a block add up to 120 KB, so that the mean does not depend on luck.
fn block(chance: &mut Chance, mix: Mix) -> Vec<(Kind, bool)> {
    if !mix.has_replies() {
        return vec![(Kind::Plain, false); BLOCK];
    }
    let size = usize::try_from(chance.between(20_000, 100_000)).unwrap_or(60_000);
    let sizes = match mix {
        Mix::Large => [LARGE_BYTES; 2],
        Mix::Desk | Mix::Short => [size, 120_000_usize.saturating_sub(size)],
    };
    let mut kinds = vec![Kind::Plain; 14];
    kinds.extend([Kind::Html; 4]);
    kinds.extend(sizes.map(Kind::Attachment));
    let mut replies = vec![true; 6];
    replies.resize(BLOCK, false);
    chance.shuffle(&mut kinds);
    chance.shuffle(&mut replies);
    kinds.into_iter().zip(replies).collect()
}

fn person(chance: &mut Chance, number: usize) -> Person {
    let given = chance.word(words::GIVEN);
    let family = chance.word(words::FAMILY);
    let local: String = format!("{given}.{family}").to_lowercase().chars().filter(char::is_ascii).collect();
    Person {
        name: format!("{given} {family}"),
        address: format!("{local}{number}@{}", chance.word(words::HOSTS)),
    }
}

fn reply_subject(subject: &str) -> String {
    if subject.starts_with("Re: ") { subject.to_owned() } else { format!("Re: {subject}") }
}

fn chain(parent: &Forerunner) -> Vec<String> {
    let mut references = parent.references.clone();
    references.push(parent.message_id.clone());
    references
}

#[cfg(test)]
#[path = "mails_tests.rs"]
mod tests;
