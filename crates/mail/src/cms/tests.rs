//! Signed and encrypted content, built octet by octet.

use super::*;
use crate::letter::Letter;
use crate::transfer::encode_base64;
use proptest::prelude::*;

/// An element with a definite length.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut octets = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => octets.push(short),
        _ => {
            octets.push(0x84);
            octets.extend(u32::try_from(length).unwrap().to_be_bytes());
        }
    }
    octets.extend(content);
    octets
}

/// An element of indefinite length.
fn open_ended(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, 0x80], content, &[0, 0]].concat()
}

type Wrap = fn(u8, &[u8]) -> Vec<u8>;

/// SignedData around a content that already is an octet string.
fn signed_data(wrap: Wrap, kind: &[u8], string: &[u8]) -> Vec<u8> {
    let explicit = if string.is_empty() { Vec::new() } else { wrap(0xa0, string) };
    let algorithms = wrap(0x31, &wrap(0x30, &element(6, b"\x60\x86")));
    let encapsulated = wrap(0x30, &[element(6, kind), explicit].concat());
    let signers = wrap(0x31, b"");
    let signed = wrap(0x30, &[element(2, &[1]), algorithms, encapsulated, signers].concat());
    wrap(0x30, &[element(6, SIGNED), wrap(0xa0, &signed)].concat())
}

#[test]
fn signed_content_is_taken_out() {
    let text = b"Content-Type: text/plain\r\n\r\nHello";
    let (first, second) = text.split_at(10);
    let pieces = [element(4, first), element(4, second)].concat();
    let nested = [open_ended(0x24, &element(4, first)), element(0x24, &element(4, second))].concat();
    for (name, octets) in [
        ("one piece", signed_data(element, DATA, &element(4, text))),
        ("without lengths", signed_data(open_ended, DATA, &element(4, text))),
        ("pieces", signed_data(element, DATA, &element(0x24, &pieces))),
        ("pieces without lengths", signed_data(open_ended, DATA, &open_ended(0x24, &pieces))),
        ("pieces in pieces", signed_data(open_ended, DATA, &open_ended(0x24, &nested))),
    ] {
        assert_eq!(read(&octets), Cms::Signed(text.to_vec()), "{name}");
        // Truncated inside the content.
        let at = memchr::memmem::find(&octets, b"Hello").unwrap();
        assert!(
            matches!(read(&octets[..at]), Cms::Signed(begin) if text.starts_with(&begin) && begin.len() > 9),
            "{name}"
        );
    }
}

#[test]
fn what_is_not_signed_content_is_told() {
    let info = |kind: &[u8]| element(0x30, &[element(6, kind), element(0xa0, &element(0x30, b"x"))].concat());
    for (name, octets, want) in [
        ("enveloped", info(ENVELOPED), Cms::Encrypted),
        ("authenticated", info(AUTH_ENVELOPED), Cms::Encrypted),
        ("encrypted", info(ENCRYPTED), Cms::Encrypted),
        ("certificates alone", signed_data(element, DATA, b""), Cms::Other),
        ("a receipt", signed_data(element, b"\x2a\x03", &element(4, b"x")), Cms::Other),
        ("text", b"Hello".to_vec(), Cms::Other),
        ("nothing", Vec::new(), Cms::Other),
        ("a length of too many octets", [&[0x30, 0xff][..], &[0xff; 127]].concat(), Cms::Other),
    ] {
        assert_eq!(read(&octets), want, "{name}");
    }
}

/// A single-part message of that type.
fn mail(content_type: &str, octets: &[u8]) -> String {
    format!(
        "From: a@x.example\nSubject: s\nMessage-ID: <1@x>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nContent-Type: {content_type}\nContent-Transfer-Encoding: base64\n\n{}\n",
        encode_base64(octets)
    )
}

#[test]
fn opaque_mail_shows_what_was_signed() {
    let entity = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nHello\r\n--c\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--c--\r\n--b\r\nContent-Type: image/png; name=a.png\r\n\r\npng\r\n--b--\r\n";
    let octets = signed_data(open_ended, DATA, &element(4, entity.as_bytes()));
    for content_type in [
        "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
        "application/x-pkcs7-mime",
        "application/octet-stream; name=SMIME.P7M",
    ] {
        let raw = mail(content_type, &octets);
        let letter = Letter::parse(raw.as_bytes());
        assert_eq!(
            (letter.text.as_str(), letter.has_html, letter.defects.as_slice()),
            ("Hello", true, &[][..]),
            "{content_type}"
        );
        let names: Vec<(&str, u32)> =
            letter.attachments.iter().map(|file| (file.name.as_str(), file.part)).collect();
        assert_eq!(names, [("a.png", 4)]);
        assert_eq!(Letter::attachment(raw.as_bytes(), 4).as_deref(), Some(&b"png"[..]));
        assert_eq!(Letter::html(raw.as_bytes()).as_deref(), Some("<p>Hello</p>"));
    }
}

#[test]
fn a_signed_part_among_others_is_read_in_its_place() {
    let signed =
        encode_base64(&signed_data(element, DATA, &element(4, b"Content-Type: text/plain\r\n\r\nHello")));
    let raw = format!(
        "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n{signed}\n--b\n\nThe list.\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nBye\n--c\nContent-Type: text/html\n\nBye\n--c--\n--b--\n"
    );
    assert_eq!(Letter::parse(raw.as_bytes()).text, "Hello\n\nThe list.\n\nBye");
}

#[test]
fn signed_files_stay_files() {
    for content in
        [&b"%PDF-1.7\n1 0 obj"[..], b"<?xml version='1.0'?>", b"Name: value\r\n\r\nnone of MIME", b""]
    {
        let octets = signed_data(element, DATA, &element(4, content));
        let letter = Letter::parse(mail("application/pkcs7-mime; name=contract.pdf.p7m", &octets).as_bytes());
        assert_eq!(
            (letter.text.as_str(), letter.attachments.len()),
            ("", 1),
            "{}",
            String::from_utf8_lossy(content)
        );
    }
}

#[test]
fn encrypted_mail_stays_an_attachment() {
    let octets = element(0x30, &[element(6, ENVELOPED), element(0xa0, b"x")].concat());
    let letter = Letter::parse(
        mail("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", &octets).as_bytes(),
    );
    assert_eq!((letter.text.as_str(), letter.defects.as_slice()), ("", &[Defect::Encrypted][..]));
    assert_eq!(letter.attachments.first().map(|file| file.name.as_str()), Some("smime.p7m"));
    let pgp = "From: a@x.example\nContent-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream\n\nx\n--b--\n";
    assert!(Letter::parse(pgp.as_bytes()).defects.contains(&Defect::Encrypted));
}

#[test]
fn opened_parts_hold_at_n_and_stay_at_n_plus_one() {
    let signed =
        encode_base64(&signed_data(element, DATA, &element(4, b"Content-Type: text/plain\r\n\r\nHello")));
    let part =
        format!("--b\nContent-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n{signed}\n");
    for (count, left) in [(MAX_OPENED, 0), (MAX_OPENED + 1, 1)] {
        let raw = format!(
            "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n{}--b--\n",
            part.repeat(count)
        );
        let letter = Letter::parse(raw.as_bytes());
        assert_eq!((letter.text.matches("Hello").count(), letter.attachments.len()), (MAX_OPENED, left));
    }
}

proptest! {
    #[test]
    fn any_octets_are_read(octets: Vec<u8>, tag in prop::sample::select(vec![4_u8, 0x24, 0x30, 0x31, 0])) {
        for octets in [octets.clone(), signed_data(element, DATA, &element(tag, &octets)), signed_data(open_ended, DATA, &[&[tag, 0x80], octets.as_slice()].concat())] {
            if let Cms::Signed(content) = read(&octets) {
                prop_assert!(content.len() <= octets.len());
            }
        }
    }
}
