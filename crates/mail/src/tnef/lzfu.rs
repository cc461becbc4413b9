//! Compressed RTF (MS-OXRTFCP): a window of 4,096 octets, initialised with what every RTF by Outlook
//! contains.

/// The size of the window in octets.
const WINDOW_OCTETS: usize = 4_096;

/// The initial content of the window (MS-OXRTFCP §2.2.2.1).
const FIRST: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

const COMPRESSED: u32 = 0x7546_5a4c;
const UNCOMPRESSED: u32 = 0x414c_454d;

/// The size of the header in octets: sizes, kind and checksum.
const HEADER_OCTETS: usize = 16;

/// Unpacks compressed RTF, at most `room` octets; stops at damage; empty if it is not compressed RTF.
pub(super) fn unpack(packed: &[u8], room: usize) -> Vec<u8> {
    let kind =
        packed.get(8..12).and_then(|kind| kind.first_chunk::<4>()).map(|kind| u32::from_le_bytes(*kind));
    let content = packed.get(HEADER_OCTETS..).unwrap_or_default();
    match kind {
        Some(COMPRESSED) => decompress(content, room),
        Some(UNCOMPRESSED) => content.iter().copied().take(room).collect(),
        _ => Vec::new(),
    }
}

fn decompress(content: &[u8], room: usize) -> Vec<u8> {
    let end = FIRST.len().saturating_add(room);
    // The window is the end of the output, so it is not kept separately.
    let mut unpacked = FIRST.to_vec();
    let mut rest = content.iter().copied();
    'whole: while let Some(control) = rest.next() {
        if unpacked.len() >= end {
            break;
        }
        for bit in 0..8 {
            let Some(octet) = rest.next() else { break 'whole };
            if control & (1 << bit) == 0 {
                unpacked.push(octet);
                continue;
            }
            let Some(low) = rest.next() else { break 'whole };
            let reference = usize::from(u16::from_be_bytes([octet, low]));
            let offset = reference >> 4;
            let length = (reference & 15) + 2;
            let written = unpacked.len() % WINDOW_OCTETS;
            if offset == written {
                break 'whole;
            }
            copy(&mut unpacked, offset, written, length);
        }
    }
    unpacked.truncate(end);
    unpacked.split_off(FIRST.len())
}

/// Copies from an offset in the window, which may overlap what is being written; unwritten places hold NULs.
fn copy(unpacked: &mut Vec<u8>, offset: usize, written: usize, length: usize) {
    let back = (WINDOW_OCTETS + written - offset) % WINDOW_OCTETS;
    for _ in 0..length {
        let octet = unpacked.len().checked_sub(back).and_then(|at| unpacked.get(at)).copied().unwrap_or(0);
        unpacked.push(octet);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Packs without references, as a careless program may.
    pub(crate) fn pack(rtf: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        for run in rtf.chunks(8) {
            content.push(0);
            content.extend_from_slice(run);
        }
        let mut packed = Vec::new();
        let size = u32::try_from(content.len() + 12).unwrap();
        for number in [size, u32::try_from(rtf.len()).unwrap(), COMPRESSED, 0] {
            packed.extend_from_slice(&number.to_le_bytes());
        }
        packed.extend(content);
        packed
    }

    #[test]
    fn references_reach_into_the_first_window_and_into_themselves() {
        // "{\rtf1\ansi " of the window, then "ab" and a reference that repeats it, then the end.
        let mut packed = pack(b"");
        let reference =
            |offset: usize, length: usize| u16::try_from((offset << 4) | (length - 2)).unwrap().to_be_bytes();
        let at = FIRST.len();
        packed.push(0b0001_1001);
        packed.extend(reference(0, 11));
        packed.extend(b"ab");
        packed.extend(reference(at + 11, 4));
        packed.extend(reference(at + 17, 2));
        assert_eq!(String::from_utf8_lossy(&unpack(&packed, usize::MAX)), "{\\rtf1\\ansiababab");
    }

    #[test]
    fn what_is_not_compressed_is_taken_as_it_is() {
        let mut packed = pack(b"");
        packed.splice(8..12, UNCOMPRESSED.to_le_bytes());
        packed.extend(b"{\\rtf1}");
        assert_eq!(unpack(&packed, usize::MAX), b"{\\rtf1}");
        assert_eq!(unpack(b"nothing of the kind", 100), b"");
        assert_eq!(FIRST.len(), 207);
    }

    #[test]
    fn room_holds_at_n_and_cuts_at_n_plus_one() {
        for kind in [COMPRESSED, UNCOMPRESSED] {
            let mut packed = if kind == COMPRESSED { pack(&[b'a'; 100]) } else { pack(b"") };
            packed.splice(8..12, kind.to_le_bytes());
            packed.extend([b'a'; 100].iter().filter(|_| kind == UNCOMPRESSED));
            assert_eq!([101, 100, 99].map(|room| unpack(&packed, room).len()), [100, 100, 99]);
        }
        // Eight references of seventeen octets to the brace at the start of the window.
        let mut packed = pack(b"");
        for _ in 0..10_000 {
            packed.extend([0xff_u8].into_iter().chain([0_u8, 0x0f].repeat(8)));
        }
        assert_eq!(unpack(&packed, 1_000).len(), 1_000);
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(rtf: Vec<u8>) {
            prop_assert_eq!(unpack(&pack(&rtf), rtf.len()), rtf);
        }

        #[test]
        fn any_octets_unpack_within_bounds(content: Vec<u8>) {
            let mut packed = pack(b"");
            packed.extend(&content);
            prop_assert!(unpack(&packed, usize::MAX).len() <= content.len() * 9);
        }
    }
}
