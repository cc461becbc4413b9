//! MAPI properties as TNEF packs them (MS-OXTNEF §2.1.3.4).

use crate::charset;
use crate::defect::Defects;

pub(super) const SUBJECT: u16 = 0x0037;
pub(super) const BODY: u16 = 0x1000;
pub(super) const RTF_COMPRESSED: u16 = 0x1009;
pub(super) const HTML: u16 = 0x1013;
pub(super) const DISPLAY_NAME: u16 = 0x3001;
pub(super) const ATTACH_DATA: u16 = 0x3701;
pub(super) const ATTACH_FILENAME: u16 = 0x3704;
pub(super) const ATTACH_LONG_FILENAME: u16 = 0x3707;
pub(super) const ATTACH_MIME_TAG: u16 = 0x370e;
pub(super) const ATTACH_CONTENT_ID: u16 = 0x3712;
const INTERNET_CODE_PAGE: u16 = 0x3fde;

/// The length of the interface id before an object, in octets.
const INTERFACE_OCTETS: usize = 16;

/// How many properties of one list are read.
const MAX_PROPERTIES: u32 = 5_000;

/// Octets, read from the front.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// That many octets; `None` if there are fewer.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// That many octets, or as many as there are.
    pub(super) fn take_some(&mut self, count: usize) -> &'a [u8] {
        self.take(count.min(self.0.len())).unwrap_or_default()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().map(|octets| u16::from_le_bytes(*octets))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.first_chunk().map(|octets| u32::from_le_bytes(*octets))
    }

    fn length(&mut self) -> Option<usize> {
        self.u32().and_then(|length| usize::try_from(length).ok())
    }

    /// Octets padded to a multiple of four.
    fn padded(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.take(count)?;
        self.take_some(count.next_multiple_of(4).checked_sub(count)?);
        Some(taken)
    }
}

/// How a value is packed, by its type without the multi-value flag.
enum Packing {
    Fixed(usize),
    Counted,
}

const STRING8: u16 = 0x001e;
const UNICODE: u16 = 0x001f;
const OBJECT: u16 = 0x000d;
const BINARY: u16 = 0x0102;
const INTEGER32: u16 = 0x0003;
const MANY: u16 = 0x1000;

fn packing(kind: u16) -> Option<Packing> {
    Some(match kind {
        // Shorter ones are padded to four octets.
        0x0002 | INTEGER32 | 0x0004 | 0x000a | 0x000b => Packing::Fixed(4),
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Packing::Fixed(8),
        0x0048 => Packing::Fixed(16),
        STRING8 | UNICODE | OBJECT | BINARY => Packing::Counted,
        _ => return None,
    })
}

/// The properties of a message or a file, the first value of each.
#[derive(Default)]
pub(super) struct Properties<'a>(Vec<(u16, u16, &'a [u8])>);

impl<'a> Properties<'a> {
    /// Reads a list; stops at damage.
    pub(super) fn read(octets: &'a [u8]) -> Self {
        let mut reader = Reader::new(octets);
        let count = reader.u32().unwrap_or(0).min(MAX_PROPERTIES);
        let mut properties = Vec::new();
        for _ in 0..count {
            let Some(property) = read_property(&mut reader) else { break };
            properties.push(property);
        }
        Self(properties)
    }

    fn find(&self, id: u16) -> Option<(u16, &'a [u8])> {
        self.0.iter().find(|(_, other, _)| *other == id).map(|(kind, _, value)| (*kind, *value))
    }

    /// The value as text; `None` if it is missing or empty.
    pub(super) fn text(&self, id: u16, code_page: Option<&str>) -> Option<String> {
        let (kind, value) = self.find(id)?;
        let text = match kind {
            UNICODE => charset::decode(value, Some("utf-16le"), &mut Defects::default()),
            STRING8 | BINARY => charset::decode(value, code_page, &mut Defects::default()),
            _ => return None,
        };
        let text = text.trim_end_matches('\0');
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub(super) fn binary(&self, id: u16) -> Option<&'a [u8]> {
        self.find(id).filter(|(kind, _)| *kind == BINARY).map(|(_, value)| value)
    }

    /// The value without the interface id if it is an object, or unchanged if it is binary.
    pub(super) fn object(&self, id: u16) -> Option<&'a [u8]> {
        match self.find(id)? {
            (OBJECT, value) => value.get(INTERFACE_OCTETS..),
            (BINARY, value) => Some(value),
            _ => None,
        }
    }

    /// The charset of its HTML.
    pub(super) fn code_page(&self) -> Option<String> {
        let (_, value) = self.find(INTERNET_CODE_PAGE).filter(|(kind, _)| *kind == INTEGER32)?;
        value.first_chunk().map(|page| code_page(u32::from_le_bytes(*page)))
    }
}

fn read_property<'a>(reader: &mut Reader<'a>) -> Option<(u16, u16, &'a [u8])> {
    let kind = reader.u16()?;
    let id = reader.u16()?;
    if id >= 0x8000 {
        pass_name(reader)?;
    }
    let one = kind & !MANY;
    let first = match packing(one)? {
        Packing::Fixed(octets) if kind & MANY == 0 => reader.take(octets)?,
        Packing::Fixed(octets) => {
            let count = reader.length()?;
            reader.take(octets.checked_mul(count)?)?
        }
        Packing::Counted => {
            let mut first = None;
            for _ in 0..reader.length()? {
                let length = reader.length()?;
                let value = reader.padded(length)?;
                first = first.or(Some(value));
            }
            first.unwrap_or_default()
        }
    };
    Some((one, id, first))
}

/// Skips the name of a named property: its set, and a number or a text.
fn pass_name(reader: &mut Reader<'_>) -> Option<()> {
    reader.take(INTERFACE_OCTETS)?;
    match reader.u32()? {
        0 => reader.take(4).map(|_| ()),
        _ => {
            let length = reader.length()?;
            reader.padded(length).map(|_| ())
        }
    }
}

/// The charset label of a Windows code page.
pub(super) fn code_page(number: u32) -> String {
    match number {
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        850 => "cp850".to_owned(),
        866 => "ibm866".to_owned(),
        874 => "windows-874".to_owned(),
        1_200 => "utf-16le".to_owned(),
        20_127 => "us-ascii".to_owned(),
        20_866 => "koi8-r".to_owned(),
        21_866 => "koi8-u".to_owned(),
        28_591..=28_606 => format!("iso-8859-{}", number - 28_590),
        50_220..=50_222 => "iso-2022-jp".to_owned(),
        50_225 => "iso-2022-kr".to_owned(),
        51_932 => "euc-jp".to_owned(),
        51_949 => "euc-kr".to_owned(),
        54_936 => "gb18030".to_owned(),
        65_000 => "utf-7".to_owned(),
        65_001 => "utf-8".to_owned(),
        _ => format!("windows-{number}"),
    }
}
