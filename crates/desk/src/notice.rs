//! The built-in notices: the acknowledgement and the comment update (docs/behaviour/outgoing-mail.md §2).

use mail::address::Mailbox;
use mail::message_id::MessageId;
use mail::{compose, html_of};
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::address::Kind;
use crate::clock::Millis;
use crate::id::BrandId;
use crate::str_enum::str_enum;
use crate::ticket::Ticket;
use crate::token::ThreadToken;
use crate::user::Person;

str_enum! {
    /// What a mail of ours is.
    pub enum NoticeKind {
        /// To the requester: the ticket was opened.
        Acknowledgement = "acknowledgement",
        /// To the requester and CCs: a public comment.
        Comment = "comment",
        /// To an agent who follows the ticket: any comment.
        Follower = "follower",
        /// To somebody unknown: only registered people may write.
        SignUp = "sign_up",
        /// To an external support address: does its forward work?
        Probe = "probe",
        /// To the address an account chose: what was held lately.
        Digest = "digest",
    }
}

/// A name and address as stored in [`Content`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Display name, may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Address.
    pub address: String,
}

impl From<Mailbox> for Party {
    fn from(mailbox: Mailbox) -> Party {
        Party { name: mailbox.name, address: mailbox.address }
    }
}

impl From<&Party> for Mailbox {
    fn from(party: &Party) -> Mailbox {
        Mailbox { name: party.name.clone(), address: party.address.clone() }
    }
}

/// The values of a mail at the event that caused it. Stored as JSON: a file format, so fields are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What it is: a [`NoticeKind`]'s word.
    pub kind: String,
    /// From.
    pub from: Party,
    /// Reply-To, with the thread token at native hosts.
    pub reply_to: Party,
    /// To.
    pub to: Vec<Party>,
    /// Cc.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<Party>,
    /// Subject; empty for an acknowledgement, which has its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Text of a probe. An acknowledgement has its own, a comment's is read from the comment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The brand's name, for an acknowledgement.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub brand: String,
    /// The line above which people answer; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub delimiter: String,
    /// The thread token; empty for a probe.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// The host of our Message-IDs, and of the return path.
    pub host: String,
    /// The Message-ID it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// The probe's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
}

/// What every mail about a ticket shares.
struct Frame {
    from: Party,
    reply_to: Party,
    delimiter: String,
    host: String,
}

fn frame(account: &Account, ticket: &Ticket, agent: Option<&Person>) -> Option<Frame> {
    let sender = account.sender_for(&ticket.received.recipient, ticket.brand_id)?;
    let host = host_of(account, ticket.brand_id)?;
    let personal = agent.filter(|_| account.settings.personalized_replies);
    let name = match (personal, sender.name.as_str()) {
        (Some(agent), "") => agent.name.clone(),
        (Some(agent), name) => format!("{} ({name})", agent.name),
        (None, name) => name.to_owned(),
    };
    let reply_address = match sender.kind {
        Kind::Native => {
            format!("{}+id{}@{}", sender.email.local(), ticket.token.as_str(), sender.email.domain())
        }
        Kind::External => sender.written.clone(),
    };
    Some(Frame {
        from: Party { name, address: sender.written.clone() },
        reply_to: Party { name: sender.name.clone(), address: reply_address },
        delimiter: account.settings.delimiter_line().unwrap_or_default().to_owned(),
        host,
    })
}

/// The native host of a brand, which signs for Message-IDs and return paths.
#[must_use]
pub fn host_of(account: &Account, brand: BrandId) -> Option<String> {
    account.brand(brand).or_else(|| account.default_brand()).map(|brand| brand.native_host.clone())
}

/// The acknowledgement of a new ticket. It repeats nothing the sender wrote: an unauthenticated mail must not make us
/// carry its text to a third party.
#[must_use]
pub fn acknowledgement(account: &Account, ticket: &Ticket, requester: &Person) -> Option<Content> {
    let frame = frame(account, ticket, None)?;
    let brand = account.brand(ticket.brand_id).map_or(account.name.as_str(), |brand| brand.name.as_str());
    Some(Content {
        kind: NoticeKind::Acknowledgement.as_str().into(),
        from: frame.from,
        reply_to: frame.reply_to,
        to: vec![requester.mailbox().into()],
        cc: vec![],
        subject: String::new(),
        text: String::new(),
        brand: brand.to_owned(),
        delimiter: frame.delimiter,
        token: ticket.token.as_str().into(),
        host: frame.host,
        in_reply_to: ticket.last_message_id.clone(),
        probe: None,
    })
}

/// The mail that carries a public comment; `to` and `cc` are who gets it.
#[must_use]
pub fn comment(
    account: &Account,
    ticket: &Ticket,
    author: &Person,
    to: Vec<Party>,
    cc: Vec<Party>,
) -> Option<Content> {
    let frame = frame(account, ticket, author.is_staff().then_some(author))?;
    Some(Content {
        kind: NoticeKind::Comment.as_str().into(),
        from: frame.from,
        reply_to: frame.reply_to,
        to,
        cc,
        subject: reply_subject(&ticket.subject),
        text: String::new(),
        brand: String::new(),
        delimiter: frame.delimiter,
        token: ticket.token.as_str().into(),
        host: frame.host,
        in_reply_to: ticket.last_message_id.clone(),
        probe: None,
    })
}

/// The mail that carries a comment, an internal note too, to one follower; answers to it are internal notes.
#[must_use]
pub fn follower(account: &Account, ticket: &Ticket, author: &Person, to: Party) -> Option<Content> {
    let content = comment(account, ticket, author, vec![to], vec![])?;
    let subject = format!("[{}] Update: {}", account.name, ticket.subject);
    Some(Content { kind: NoticeKind::Follower.as_str().into(), subject, ..content })
}

/// Tells somebody unknown that only registered people may write. Repeats nothing of their mail.
#[must_use]
pub fn sign_up(
    account: &Account,
    brand: BrandId,
    recipient: &str,
    to: Party,
    in_reply_to: Option<String>,
) -> Option<Content> {
    let sender = account.sender_for(recipient, brand)?;
    let host = host_of(account, brand)?;
    let name = account.brand(brand).map_or(account.name.as_str(), |brand| brand.name.as_str());
    let from: Party = sender.mailbox().into();
    Some(Content {
        kind: NoticeKind::SignUp.as_str().into(),
        reply_to: from.clone(),
        from,
        to: vec![to],
        cc: vec![],
        subject: format!("[{name}] Please sign up to write to us"),
        text: format!(
            "Your mail arrived, but {name} takes mail from registered people only, so nobody has read it yet.\n\n\
             Please ask {name} to register this address, then send your mail again.\n"
        ),
        brand: String::new(),
        delimiter: String::new(),
        token: String::new(),
        host,
        in_reply_to,
        probe: None,
    })
}

/// `Re: ` before a subject that has none.
pub(crate) fn reply_subject(subject: &str) -> String {
    let begins = subject.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("re:"));
    if begins { subject.to_owned() } else { format!("Re: {subject}") }
}

/// The forwarding probe: its secret stands in a header, in the Message-ID and in the subject, as forwards keep at least one.
#[must_use]
pub fn probe(account: &Account, external: &crate::address::SupportAddress, secret: &str) -> Option<Content> {
    let sender = account.default_address(external.brand_id)?;
    let host = host_of(account, external.brand_id)?;
    let system =
        account.addresses().find(|address| address.brand_id == external.brand_id && address.is_system);
    let from: Party = system.unwrap_or(sender).mailbox().into();
    Some(Content {
        kind: NoticeKind::Probe.as_str().into(),
        reply_to: from.clone(),
        from,
        to: vec![external.mailbox().into()],
        cc: vec![],
        subject: format!("Forwarding test {secret}"),
        text: format!(
            "This mail tests whether {} forwards to the help desk.\n\
             It is taken out when it comes back; if you read it, the forward does not work yet.\n",
            external.written
        ),
        brand: String::new(),
        delimiter: String::new(),
        token: String::new(),
        host,
        in_reply_to: None,
        probe: Some(secret.to_owned()),
    })
}

/// The digest of suspended tickets, from the default brand's own address; none when the account has none.
#[must_use]
pub fn digest(account: &Account, to: &str, words: crate::digest::Words) -> Option<Content> {
    let brand = account.default_brand()?;
    let system = account.addresses().find(|address| address.brand_id == brand.id && address.is_system);
    let from: Party = system.or_else(|| account.default_address(brand.id))?.mailbox().into();
    Some(Content {
        kind: NoticeKind::Digest.as_str().into(),
        reply_to: from.clone(),
        from,
        to: vec![Party { name: String::new(), address: to.to_owned() }],
        cc: vec![],
        subject: words.subject,
        text: words.text,
        brand: String::new(),
        delimiter: String::new(),
        token: String::new(),
        host: host_of(account, brand.id)?,
        in_reply_to: None,
        probe: None,
    })
}

/// A Message-ID of a mail about a ticket: `TOKEN.random@host`.
#[must_use]
pub fn message_id(token: &ThreadToken, random: u64, host: &str) -> String {
    format!("{}.{random:016x}@{host}", token.as_str())
}

/// What stands before the random part in the Message-ID of a notice to a follower.
const FOLLOWER_MARK: char = 'f';

/// A Message-ID of a notice to a follower, by which its answers are known.
#[must_use]
pub fn follower_message_id(token: &ThreadToken, random: u64, host: &str) -> String {
    format!("{}.{FOLLOWER_MARK}{random:016x}@{host}", token.as_str())
}

/// Whether a Message-ID is one that [`follower_message_id`] made.
#[must_use]
pub fn is_follower_id(message_id: &str) -> bool {
    let random =
        message_id.split('@').next().and_then(|local| local.split_once('.')).map(|(_, random)| random);
    random.is_some_and(|random| random.len() == 17 && random.starts_with(FOLLOWER_MARK))
}

/// What is left to know when the bytes are made.
#[derive(Debug, Clone)]
pub struct Rendering<'a> {
    /// The values at the event.
    pub content: &'a Content,
    /// The mail's Message-ID.
    pub message_id: &'a str,
    /// The ticket's number, 0 for a probe.
    pub number: i64,
    /// The comment's text, for a comment.
    pub comment: &'a str,
    /// Earlier ids of the conversation, oldest first.
    pub references: &'a [String],
    /// The signed id that goes into `X-Guichet-Mail`.
    pub mark: &'a str,
    /// The outgoing mail's id, which also seeds its MIME boundary.
    pub id: i64,
    /// Date.
    pub date: Millis,
}

/// Makes the bytes of a mail. The same values give the same bytes.
#[must_use]
pub fn render(rendering: &Rendering<'_>) -> Vec<u8> {
    let content = rendering.content;
    let (subject, body) = words_of(rendering);
    let root = (!content.token.is_empty()).then(|| format!("{}@{}", content.token, content.host));
    let mut references: Vec<&String> = Vec::new();
    for id in root.iter().chain(rendering.references).chain(&content.in_reply_to) {
        if !references.contains(&id) {
            references.push(id);
        }
    }
    let (text, html) = with_token(&with_delimiter(body, &content.delimiter), &content.token);
    let mut extra = vec![("X-Guichet-Mail".to_owned(), rendering.mark.to_owned())];
    if let Some(secret) = &content.probe {
        extra.push(("X-Guichet-Probe".to_owned(), secret.clone()));
    }
    let own = MessageId::new(rendering.message_id);
    compose::compose(&compose::Outgoing {
        from: (&content.from).into(),
        reply_to: Some((&content.reply_to).into()),
        to: content.to.iter().map(Into::into).collect(),
        cc: content.cc.iter().map(Into::into).collect(),
        subject,
        message_id: own.expect("made by message_id() or the probe, both of plain characters"),
        in_reply_to: content.in_reply_to.iter().filter_map(|id| MessageId::new(id)).collect(),
        references: references.into_iter().filter_map(|id| MessageId::new(id)).collect(),
        date: rendering.date,
        auto_submitted: true,
        extra,
        text,
        html: Some(html),
        attachments: Vec::new(),
        boundary_seed: u64::try_from(rendering.id).unwrap_or_default(),
    })
}

/// Subject and text by the kind of mail. The ticket's number is known only once the ticket is written, so it comes in here.
fn words_of(rendering: &Rendering<'_>) -> (String, String) {
    let content = rendering.content;
    match content.kind.parse() {
        Ok(NoticeKind::Acknowledgement) => {
            let (brand, number) = (&content.brand, rendering.number);
            let text = format!(
                "Your request #{number} has arrived and is in good hands.\n\n\
                 To add something, just reply to this mail.\n\n{brand}"
            );
            (format!("[{brand}] We have your request (#{number})"), text)
        }
        Ok(NoticeKind::Comment | NoticeKind::Follower) => {
            (content.subject.clone(), rendering.comment.to_owned())
        }
        Ok(NoticeKind::Probe | NoticeKind::SignUp | NoticeKind::Digest) | Err(_) => {
            (content.subject.clone(), content.text.clone())
        }
    }
}

/// Puts the line above which people answer on top, so that it stands between their answer and what they quote.
fn with_delimiter(body: String, delimiter: &str) -> String {
    if delimiter.is_empty() { body } else { format!("{delimiter}\n\n{body}") }
}

/// Puts the thread token below the text, far enough not to be read, and unseen into the HTML.
fn with_token(body: &str, token: &str) -> (String, String) {
    if token.is_empty() {
        return (body.to_owned(), html_of(body));
    }
    let text = format!("{}\n\n\n\n\n[{token}]\n", body.trim_end());
    let html = format!(
        "{}<span style=\"color:#ffffff\" aria-hidden=\"true\">[{token}]</span>",
        html_of(body.trim_end())
    );
    (text, html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_each_mail_once_and_the_thread_root_first() {
        let party = |address: &str| Party { name: String::new(), address: address.into() };
        let content = Content {
            kind: NoticeKind::Comment.as_str().into(),
            from: party("support@desk.example"),
            reply_to: party("support@desk.example"),
            to: vec![party("ada@customer.example")],
            cc: vec![],
            subject: "Re: Lamp".into(),
            text: String::new(),
            brand: String::new(),
            delimiter: String::new(),
            token: "ABCDEF-GHIJ".into(),
            host: "desk.example".into(),
            in_reply_to: Some("two@customer.example".into()),
            probe: None,
        };
        let references = ["one@customer.example".to_owned(), "two@customer.example".to_owned()];
        let rendering = Rendering {
            content: &content,
            message_id: "ABCDEF-GHIJ.1@desk.example",
            number: 1,
            comment: "hello",
            references: &references,
            mark: "1-x",
            id: 1,
            date: 0,
        };
        let letter = mail::letter::Letter::parse(&render(&rendering));
        let ids: Vec<&str> = letter.references.iter().map(|id| id.as_str()).collect();
        assert_eq!(ids, ["ABCDEF-GHIJ@desk.example", "one@customer.example", "two@customer.example"]);
        assert!(letter.text.contains("hello") && letter.text.contains("[ABCDEF-GHIJ]"));
    }
}
