//! The sample mails, compiled in, and the order in which they are sent (demo/demo.toml).

use std::collections::BTreeMap;

use desk::clock::{MINUTE, Millis};
use serde::Deserialize;

use crate::failure::{Doing as _, Failure, Result};

/// The order list.
const ORDER: &str = include_str!("../../demo/demo.toml");
/// Time between two messages, according to their dates.
const STEP: i64 = 37 * MINUTE;

/// The placeholder in a message for the hosts of the desk it is sent to.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// The native host of the first brand.
    pub(super) native: String,
    /// The native host of the second brand.
    pub(super) second: String,
}

/// A mail that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    /// The return path without `<>`; empty for the null one.
    pub(super) mail_from: String,
    /// The recipients.
    pub(super) rcpt: Vec<String>,
    /// The bytes, with CRLF line ends.
    pub(super) bytes: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    mail: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    mail_from: String,
    rcpt: Vec<String>,
    #[serde(rename = "about")]
    _about: String,
}

/// All mails in sending order, the last one dated `now`. A file that is sent twice keeps its date; otherwise it would
/// not be a duplicate.
pub(super) fn samples(hosts: &Hosts, now: Millis) -> Result<Vec<Sample>> {
    let order: Order = toml::from_str(ORDER).doing("the list of sample mails cannot be read")?;
    let mut dates: BTreeMap<String, String> = BTreeMap::new();
    let mut left = i64::try_from(order.mail.len()).unwrap_or_default();
    let mut samples = Vec::new();
    for entry in order.mail {
        left -= 1;
        let date = dates.entry(entry.file.clone()).or_insert_with(|| written(now - left * STEP)).clone();
        let missing = || {
            Failure::new(format!("the sample mail {} is missing", entry.file), "it is not compiled in", "")
        };
        let (_, raw) = FILES.iter().find(|(name, _)| *name == entry.file).ok_or_else(missing)?;
        let replace = |bytes: &[u8]| {
            let bytes = replaced(bytes, b"{native}", hosts.native.as_bytes());
            replaced(&bytes, b"{second}", hosts.second.as_bytes())
        };
        let rcpt = entry
            .rcpt
            .iter()
            .map(|address| address.replace("{native}", &hosts.native).replace("{second}", &hosts.second));
        samples.push(Sample {
            mail_from: entry.mail_from,
            rcpt: rcpt.collect(),
            bytes: with_crlf(&replaced(&replace(raw), b"{date}", date.as_bytes())),
        });
    }
    Ok(samples)
}

/// A time as RFC 5322 §3.3 writes it.
fn written(at: Millis) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// Some files are not UTF-8, so everything is done on bytes.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(from) {
            Some(behind) => {
                out.extend_from_slice(to);
                rest = behind;
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 40);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

/// Every file of the folder demo/ with its name.
const FILES: &[(&str, &[u8])] = &[
    ("01-order-late.eml", include_bytes!("../../demo/01-order-late.eml")),
    ("02-broken-lamp-photo.eml", include_bytes!("../../demo/02-broken-lamp-photo.eml")),
    ("03-invoice-question-pdf.eml", include_bytes!("../../demo/03-invoice-question-pdf.eml")),
    ("04-commande-en-retard.eml", include_bytes!("../../demo/04-commande-en-retard.eml")),
    ("05-which-bulb-alternative.eml", include_bytes!("../../demo/05-which-bulb-alternative.eml")),
    ("06-gmail-reply.eml", include_bytes!("../../demo/06-gmail-reply.eml")),
    ("07-very-short.eml", include_bytes!("../../demo/07-very-short.eml")),
    ("08-hotel-purchase-cc.eml", include_bytes!("../../demo/08-hotel-purchase-cc.eml")),
    ("09-outlook-reply-from-cc.eml", include_bytes!("../../demo/09-outlook-reply-from-cc.eml")),
    ("10-emoji-subject.eml", include_bytes!("../../demo/10-emoji-subject.eml")),
    ("11-latin1-body.eml", include_bytes!("../../demo/11-latin1-body.eml")),
    ("12-windows-1252-body.eml", include_bytes!("../../demo/12-windows-1252-body.eml")),
    ("13-html-only.eml", include_bytes!("../../demo/13-html-only.eml")),
    ("14-base64-body.eml", include_bytes!("../../demo/14-base64-body.eml")),
    ("15-apple-reply.eml", include_bytes!("../../demo/15-apple-reply.eml")),
    ("16-thunderbird-reply-fr.eml", include_bytes!("../../demo/16-thunderbird-reply-fr.eml")),
    ("17-two-support-addresses.eml", include_bytes!("../../demo/17-two-support-addresses.eml")),
    ("18-plus-address.eml", include_bytes!("../../demo/18-plus-address.eml")),
    ("19-out-of-office.eml", include_bytes!("../../demo/19-out-of-office.eml")),
    ("20-no-subject.eml", include_bytes!("../../demo/20-no-subject.eml")),
    ("21-no-message-id.eml", include_bytes!("../../demo/21-no-message-id.eml")),
    ("22-angry.eml", include_bytes!("../../demo/22-angry.eml")),
    ("23-second-brand-repair.eml", include_bytes!("../../demo/23-second-brand-repair.eml")),
    ("24-calendar-invite.eml", include_bytes!("../../demo/24-calendar-invite.eml")),
    ("25-vcard.eml", include_bytes!("../../demo/25-vcard.eml")),
    ("26-forward-as-attachment.eml", include_bytes!("../../demo/26-forward-as-attachment.eml")),
    ("27-forward-inline.eml", include_bytes!("../../demo/27-forward-inline.eml")),
    ("28-signature.eml", include_bytes!("../../demo/28-signature.eml")),
    ("29-format-flowed.eml", include_bytes!("../../demo/29-format-flowed.eml")),
    ("30-bilingual.eml", include_bytes!("../../demo/30-bilingual.eml")),
    ("31-bounce.eml", include_bytes!("../../demo/31-bounce.eml")),
    ("32-mailing-list.eml", include_bytes!("../../demo/32-mailing-list.eml")),
    ("33-inline-image.eml", include_bytes!("../../demo/33-inline-image.eml")),
    ("34-lampe-cassee-photo.eml", include_bytes!("../../demo/34-lampe-cassee-photo.eml")),
    ("35-outlook-reply-fr.eml", include_bytes!("../../demo/35-outlook-reply-fr.eml")),
    ("36-long-mail.eml", include_bytes!("../../demo/36-long-mail.eml")),
    ("37-reply-before-original.eml", include_bytes!("../../demo/37-reply-before-original.eml")),
    ("38-original-after-reply.eml", include_bytes!("../../demo/38-original-after-reply.eml")),
    ("39-stranger-replies.eml", include_bytes!("../../demo/39-stranger-replies.eml")),
    ("40-reply-to-differs.eml", include_bytes!("../../demo/40-reply-to-differs.eml")),
    ("41-forwarded-by-server.eml", include_bytes!("../../demo/41-forwarded-by-server.eml")),
    ("42-second-brand-french.eml", include_bytes!("../../demo/42-second-brand-french.eml")),
    ("43-merci.eml", include_bytes!("../../demo/43-merci.eml")),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Sample> {
        let hosts = Hosts { native: "lumen.desk.example".into(), second: "atelier.desk.example".into() };
        samples(&hosts, Millis(1_794_000_000_000)).unwrap()
    }

    #[test]
    fn every_mail_is_complete_and_every_file_is_used() {
        let samples = all();
        assert_eq!(samples.len(), FILES.len() + 1, "one file is sent twice");
        for sample in &samples {
            let text = String::from_utf8_lossy(&sample.bytes);
            for placeholder in ["{native}", "{second}", "{date}"] {
                assert!(!text.contains(placeholder), "{placeholder} in {text}");
            }
            assert!(sample.bytes.ends_with(b"\r\n"));
            assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
            assert!(
                sample.rcpt.iter().all(|address| address.ends_with(".desk.example")),
                "{:?}",
                sample.rcpt
            );
        }
    }

    #[test]
    fn a_file_sent_twice_is_the_same_to_the_byte() {
        let samples = all();
        let twins = samples.iter().zip(samples.iter().skip(1)).filter(|(one, other)| one == other);
        assert_eq!(twins.count(), 1);
    }

    #[test]
    fn dates_are_rfc_5322() {
        assert_eq!(written(Millis(1_794_000_000_000)), "Fri, 06 Nov 2026 21:20:00 +0000");
    }

    #[test]
    fn bytes_are_replaced_and_lines_end_with_crlf() {
        assert_eq!(replaced(b"a{x}b{x", b"{x}", b"12"), b"a12b{x");
        assert_eq!(with_crlf(b"a\nb\r\nc"), b"a\r\nb\r\nc");
    }
}
