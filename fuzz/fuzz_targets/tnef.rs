//! Any octets as a `winmail.dat`: no panic, bounded counts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mail::tnef;

fuzz_target!(|octets: &[u8]| {
    // Most inputs would end at the signature.
    let signed = [&0x223e_9f78_u32.to_le_bytes()[..], octets].concat();
    for stream in [octets, &signed] {
        let unpacked = tnef::read(stream);
        assert_eq!(unpacked.is_some(), tnef::is_tnef(stream));
        assert!(unpacked.is_none_or(|unpacked| unpacked.files.len() <= tnef::MAX_FILES));
    }
});
