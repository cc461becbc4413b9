//! The letter: a raw message, parsed once, with everything that a decision about it may need.

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

/// How many parts of a message are read, multiparts included.
pub const MAX_PARTS: usize = part::MAX_PARTS;

/// How deeply multiparts are taken apart.
pub const MAX_DEPTH: usize = part::MAX_DEPTH;

/// A parsed message. Everything in it is what the message claims; nothing has been verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Letter {
    /// The authors; empty if no address can be read.
    pub from: Vec<Mailbox>,
    /// Who sent it on their behalf.
    pub sender: Option<Mailbox>,
    /// Where replies should go; empty if it does not say.
    pub reply_to: Vec<Mailbox>,
    /// The languages its sender reads, most preferred first, as BCP 47 tags (Accept-Language, RFC 3282).
    pub languages: Vec<String>,
    /// At most [`MAX_ADDRESSES`].
    pub to: Vec<Mailbox>,
    /// At most [`MAX_ADDRESSES`].
    pub cc: Vec<Mailbox>,
    /// Decoded, one line, no control characters, at most [`SUBJECT_CHARACTERS`]; empty if there is none.
    pub subject: String,
    /// Unix milliseconds; `None` if missing or unreadable.
    pub date: Option<i64>,
    /// `None` if missing or unreadable.
    pub message_id: Option<MessageId>,
    /// In order, without duplicates, at most [`MAX_REFERENCES`].
    pub in_reply_to: Vec<MessageId>,
    /// In order, without duplicates; if there are more than [`MAX_REFERENCES`], the first and the last ones.
    pub references: Vec<MessageId>,
    /// What a comment shows: all text parts in order, the plain one of alternatives, rendered HTML if there
    /// is nothing else. LF line ends, no NUL, no blank lines around it; not shortened.
    pub text: String,
    /// Which parts of the text are quotes or the signature.
    pub reply: Reply,
    /// The message it forwards, in its text or attached; not looked for in reports and the like.
    pub forwarded: Option<Forwarded>,
    /// Whether it has an HTML body.
    pub has_html: bool,
    /// Words in square brackets in its HTML that have the form of a mark, visible or hidden: 8 to 16
    /// capitals, digits and hyphens. In order, without duplicates, at most [`MAX_MARKS`].
    pub marks: Vec<String>,
    /// Everything other than the text, in order; an attached message is one attachment, a `winmail.dat` is
    /// replaced by its contents.
    pub attachments: Vec<Attachment>,
    /// The trace addresses from the top of the header down, at most [`MAX_HOPS`].
    pub hops: Vec<Hop>,
    /// According to the header and the parts; call [`Nature::with_envelope`] once the envelope is known.
    pub nature: Nature,
    /// Why it has this nature; empty if nothing suggests anything but a person.
    pub signs: Vec<Sign>,
    /// What it reports about the delivery of another message.
    pub report: Option<DeliveryReport>,
    /// The value of [`OWN_MARK`](crate::field::OWN_MARK); anybody can write one, so it is worthless until its
    /// signature has been checked.
    pub own_mark: Option<String>,
    /// The value of [`PROBE`](crate::field::PROBE).
    pub probe: Option<String>,
    /// BLAKE3, truncated to 128 bits, of the text and the decoded attachments; independent of line ends and
    /// of the header.
    pub digest: [u8; 16],
    /// What is wrong with it, without duplicates, in the order of the enum.
    pub defects: Vec<Defect>,
    /// The length of the header in octets, empty line included.
    pub header_bytes: usize,
}

impl Letter {
    /// Parses a raw message. Never fails and never panics; linear in the size of the message.
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
            // Reports print the headers of the message they are about, and what matters follows below.
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

    /// The decoded octets of one part of a raw message, by [`Attachment::part`]; `None` if there is no such
    /// part.
    #[must_use]
    pub fn attachment(raw: &[u8], part: u32) -> Option<Vec<u8>> {
        reading::octets(raw, part)
    }

    /// The HTML of the body, decoded, LF line ends, all HTML parts in order; `None` if it has none.
    ///
    /// Untrusted: sanitise it before showing it.
    #[must_use]
    pub fn html(raw: &[u8]) -> Option<String> {
        reading::html(raw)
    }
}

#[cfg(test)]
mod tests;
