//! Any octets as a `winmail.dat`: no panic, bounded counts.

use mail::tnef;

/// Reads an input as TNEF, as it is and below the signature, at which most inputs would end.
pub fn hold(input: &[u8]) {
    let signed = [&0x223e_9f78_u32.to_le_bytes()[..], input].concat();
    for stream in [input, &signed] {
        let unpacked = tnef::read(stream);
        assert_eq!(unpacked.is_some(), tnef::is_tnef(stream));
        assert!(unpacked.is_none_or(|unpacked| unpacked.files.len() <= tnef::MAX_FILES));
    }
}
