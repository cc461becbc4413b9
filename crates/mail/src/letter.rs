//! The letter: a raw mail, read once, with everything a decision about it may need.

use crate::address::Mailbox;
use crate::defect::{Defect, Defects};
use crate::forward::{self, Forwarded};
use crate::message_id::MessageId;
use crate::nature::{self, Conclusion, Nature, Sign};
use crate::part;
use crate::reading::{self, Reading};
use crate::reply::Reply;
use crate::report::DeliveryReport;

pub use crate::attachment::{Attachment, FILE_NAME_OCTETS};
pub use crate::mark::MAX_MARKS;
pub use crate::reading::header::{MAX_ADDRESSES, MAX_REFERENCES, SUBJECT_CHARACTERS};
pub use crate::reading::hop::{Hop, HopHeader, MAX_HOPS};

/// How many parts of a mail are read, multiparts included.
pub const MAX_PARTS: usize = part::MAX_PARTS;

/// How deep multiparts are taken apart.
pub const MAX_DEPTH: usize = part::MAX_DEPTH;

/// A parsed mail. Everything in it is what the mail claims; nothing was checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Letter {
    /// The authors; empty when no address can be read.
    pub from: Vec<Mailbox>,
    /// Who sent it for them.
    pub sender: Option<Mailbox>,
    /// Where answers are asked to go; empty when it does not say.
    pub reply_to: Vec<Mailbox>,
    /// The languages its sender reads, most wanted first, as BCP 47 tags (Accept-Language, RFC 3282).
    pub languages: Vec<String>,
    /// At most [`MAX_ADDRESSES`].
    pub to: Vec<Mailbox>,
    /// At most [`MAX_ADDRESSES`].
    pub cc: Vec<Mailbox>,
    /// Decoded, one line, no control characters, at most [`SUBJECT_CHARACTERS`]; empty when there is none.
    pub subject: String,
    /// Unix milliseconds; `None` when missing or unreadable.
    pub date: Option<i64>,
    /// `None` when missing or unreadable.
    pub message_id: Option<MessageId>,
    /// In order, each once, at most [`MAX_REFERENCES`].
    pub in_reply_to: Vec<MessageId>,
    /// In order, each once; of more than [`MAX_REFERENCES`] the first and the last ones.
    pub references: Vec<MessageId>,
    /// What a comment shows: all text parts in order, of an alternative the plain one, HTML rendered where it is all there is. LF line ends, no NUL,
    /// no blank lines around it; uncut.
    pub text: String,
    /// What of the text is quoted or signature.
    pub reply: Reply,
    /// The mail that it forwards, in its text or attached; not looked for in reports and the like.
    pub forwarded: Option<Forwarded>,
    /// Whether it has an HTML body.
    pub has_html: bool,
    /// What stands in square brackets in its HTML and has the form of a mark, shown or hidden: 8 to 16 capitals, digits and
    /// hyphens. In order, each once, at most [`MAX_MARKS`].
    pub marks: Vec<String>,
    /// Everything that is not the text, in order; attached mails are one attachment each, a `winmail.dat` is what it holds.
    pub attachments: Vec<Attachment>,
    /// The trace addresses from the top of the header down, at most [`MAX_HOPS`].
    pub hops: Vec<Hop>,
    /// As the header and the parts have it; ask [`Nature::with_envelope`] once the envelope is known.
    pub nature: Nature,
    /// Why it has this nature; empty for a mail of which nothing but a person is known.
    pub signs: Vec<Sign>,
    /// What it reports about the delivery of another mail.
    pub report: Option<DeliveryReport>,
    /// The value of [`OWN_MARK`](crate::field::OWN_MARK); anybody can write one, so it is worth nothing before its signature is checked.
    pub own_mark: Option<String>,
    /// The value of [`PROBE`](crate::field::PROBE).
    pub probe: Option<String>,
    /// BLAKE3, cut to 128 bits, of the text and the decoded attachments; the same for LF and CRLF and whatever the header says.
    pub digest: [u8; 16],
    /// What was wrong with it, each once, in the order of the enum.
    pub defects: Vec<Defect>,
    /// The octets of the header, the empty line included.
    pub header_bytes: usize,
}

impl Letter {
    /// Reads a raw mail. Never fails and never panics; linear in the size of the mail.
    #[must_use]
    pub fn parse(raw: &[u8]) -> Self {
        reading::read(raw, |reading, mut defects| {
            let concluded = nature::conclude(&reading, &mut defects);
            let may_be_forward = concluded.nature.may_be_forward();
            let forwarded = if may_be_forward { forward::of(&reading) } else { None };
            Self::assemble(reading, concluded, forwarded, defects)
        })
    }

    fn assemble(
        reading: Reading<'_>,
        concluded: Conclusion,
        forwarded: Option<Forwarded>,
        defects: Defects,
    ) -> Self {
        let Reading { header, header_bytes, body, attachments, digest, .. } = reading;
        let Conclusion { nature, report, signs } = concluded;
        Self {
            from: header.from,
            sender: header.sender,
            reply_to: header.reply_to,
            languages: header.languages,
            to: header.to,
            cc: header.cc,
            subject: header.subject,
            date: header.date,
            message_id: header.message_id,
            in_reply_to: header.in_reply_to,
            references: header.references,
            text: body.text,
            // Reports print headers of the mail that they are about, and what matters stands below.
            reply: if nature.may_be_forward() { body.reply } else { Reply::default() },
            forwarded,
            has_html: body.has_html,
            marks: body.marks,
            attachments,
            hops: header.hops,
            nature,
            signs,
            report,
            own_mark: header.own_mark,
            probe: header.probe,
            digest,
            defects: defects.into_sorted(),
            header_bytes,
        }
    }

    /// The decoded octets of one part of a raw mail, by [`Attachment::part`]; `None` when the mail has no such part.
    #[must_use]
    pub fn attachment(raw: &[u8], part: u32) -> Option<Vec<u8>> {
        reading::octets(raw, part)
    }

    /// The HTML of the body as the mail has it, decoded, LF line ends, all HTML parts in order; `None` when it has none.
    ///
    /// Untrusted: whoever shows it cleans it first.
    #[must_use]
    pub fn html(raw: &[u8]) -> Option<String> {
        reading::html(raw)
    }
}

#[cfg(test)]
mod tests;
