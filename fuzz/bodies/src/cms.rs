//! Any octets as CMS, and as the content of an opaquely signed mail: no panic, and no more comes out than goes in.

use mail::Letter;
use mail::cms::{Cms, read};

/// Up to the object identifier of signed data; most inputs would end there.
const SIGNED: &[u8] = b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01";

/// Reads an input as CMS, as it is and as signed data.
pub fn hold(input: &[u8]) {
    let signed = [SIGNED, input].concat();
    for octets in [input, &signed] {
        if let Cms::Signed(content) = read(octets) {
            assert!(content.len() <= octets.len());
        }
    }
    let head = b"From: a@example.org\nContent-Type: application/pkcs7-mime\n\n";
    let _ = Letter::parse(&[head, signed.as_slice()].concat());
}
