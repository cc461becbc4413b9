//! The evidence for a nature.

use super::header::Signs;
use super::sender;
use super::sign::Sign;
use super::subject::{self, Subject};
use crate::bounce::Notice;
use crate::defect::Defects;
use crate::reading::Reading;
use crate::wording::Wording;

/// A message that has been read, and what its header, subject and sender say about its nature.
pub(super) struct Evidence<'a> {
    pub(super) reading: &'a Reading<'a>,
    pub(super) seen: Signs,
    pub(super) subject: Subject,
    /// Set if From is a mail server.
    pub(super) daemon: Option<Sign>,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(reading: &'a Reading<'a>, defects: &mut Defects) -> Self {
        Self {
            reading,
            seen: Signs::read(reading.fields, defects),
            subject: subject::of(&reading.header.subject),
            daemon: sender::daemon(&reading.header.from),
        }
    }

    pub(super) fn text(&self) -> &'a str {
        &self.reading.body.text
    }

    /// Whether the subject says that the message answers or forwards another one.
    pub(super) fn is_about_another(&self) -> bool {
        self.subject.is_answer || self.subject.is_forward
    }

    /// The message as a possible notice of a mail server; `wording` is what the subject says.
    pub(super) fn notice(&self, wording: Option<Wording>) -> Notice<'_> {
        Notice {
            text: self.text(),
            wording,
            from: &self.reading.header.from,
            to: &self.reading.header.to,
            named: &self.seen.failed_recipients,
        }
    }
}
