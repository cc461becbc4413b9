//! Tests of whole streams, built octet by octet.

use super::*;
use proptest::prelude::*;

/// A stream of attributes: level, type and name, content.
pub(crate) fn stream(attributes: &[(u8, u32, Vec<u8>)]) -> Vec<u8> {
    let mut octets = SIGNATURE.to_le_bytes().to_vec();
    octets.extend([1, 0]);
    for (level, name, data) in attributes {
        octets.push(*level);
        octets.extend(name.to_le_bytes());
        octets.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        octets.extend(data);
        octets.extend([0, 0]);
    }
    octets
}

/// A list of properties: type, id, packed value.
fn properties(list: &[(u16, u16, Vec<u8>)]) -> Vec<u8> {
    let mut octets = u32::try_from(list.len()).unwrap().to_le_bytes().to_vec();
    for (kind, id, value) in list {
        octets.extend(kind.to_le_bytes());
        octets.extend(id.to_le_bytes());
        octets.extend(value);
    }
    octets
}

fn counted(value: &[u8]) -> Vec<u8> {
    let mut octets = 1_u32.to_le_bytes().to_vec();
    octets.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    octets.extend(value);
    octets.resize(octets.len().next_multiple_of(4), 0);
    octets
}

fn unicode(text: &str) -> Vec<u8> {
    counted(&text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

const STRING8: u16 = 0x1e;
const UNICODE: u16 = 0x1f;
const BINARY: u16 = 0x102;
const OBJECT: u16 = 0x0d;

fn file(title: &str, data: &[u8], list: &[(u16, u16, Vec<u8>)]) -> Vec<(u8, u32, Vec<u8>)> {
    vec![
        (2, 0x0006_9002, vec![0; 14]),
        (2, 0x0001_8010, [title.as_bytes(), b"\0"].concat()),
        (2, 0x0006_800f, data.to_vec()),
        (2, 0x0006_9005, properties(list)),
    ]
}

#[test]
fn text_and_files_are_unpacked() {
    let named = (0x0003, 0x8001, [vec![7; 16], vec![0; 4], vec![1, 0, 0, 0], vec![9, 0, 0, 0]].concat());
    let mut attributes = vec![
        (1, 0x0006_9007, 1252_u64.to_le_bytes().to_vec()),
        (1, 0x0001_8004, b"caf\xe9\0".to_vec()),
        (
            1,
            0x0006_9003,
            properties(&[
                named,
                (0x000b, 0x0e1b, vec![1, 0, 0, 0]),
                (STRING8, mapi::BODY, counted(b"One\r\ntwo\0")),
            ]),
        ),
    ];
    attributes.extend(file(
        "A~1.PDF",
        b"%PDF",
        &[
            (UNICODE, mapi::ATTACH_LONG_FILENAME, unicode("été.pdf")),
            (STRING8, mapi::ATTACH_MIME_TAG, counted(b"Application/PDF\0")),
        ],
    ));
    attributes.extend(file("B.PNG", b"png", &[(STRING8, mapi::ATTACH_CONTENT_ID, counted(b"b@x\0"))]));
    let tnef = read(&stream(&attributes)).unwrap();
    assert_eq!((tnef.subject.as_str(), tnef.text.as_str(), tnef.html), ("café", "One\ntwo", None));
    let want = |name: &str, kind: &str, id: Option<&str>, bytes: &[u8]| File {
        name: name.to_owned(),
        content_type: kind.to_owned(),
        content_id: id.map(str::to_owned),
        bytes: bytes.to_vec(),
    };
    assert_eq!(
        tnef.files,
        [want("été.pdf", "application/pdf", None, b"%PDF"), want("B.PNG", "", Some("b@x"), b"png")]
    );
}

#[test]
fn text_comes_from_html_or_rtf_where_that_is_all() {
    let text = |list: &[(u16, u16, Vec<u8>)]| {
        let tnef = read(&stream(&[(1, 0x0006_9003, properties(list))])).unwrap();
        (tnef.text, tnef.html)
    };
    let page = (0x0003, 0x3fde, 65_001_u32.to_le_bytes().to_vec());
    let html = "<p>é</p>";
    assert_eq!(
        text(&[page, (BINARY, mapi::HTML, counted(html.as_bytes()))]),
        ("é".to_owned(), Some(html.to_owned()))
    );
    let rtf = |rtf: &str| (BINARY, mapi::RTF_COMPRESSED, counted(&lzfu::tests::pack(rtf.as_bytes())));
    assert_eq!(text(&[rtf(r"{\rtf1 a\par b}")]), ("a\nb".to_owned(), None));
    let from_html = r"{\rtf1\fromhtml1 {\*\htmltag64 <b>}a{\*\htmltag72 </b>}}";
    assert_eq!(text(&[rtf(from_html)]), ("a".to_owned(), Some("<b>a</b>".to_owned())));
    assert_eq!(read(&stream(&[(1, 0x0002_800c, b"old\0".to_vec())])).unwrap().text, "old");
}

/// A message that contains a message that contains …
fn nested(depth: usize) -> Vec<u8> {
    let mut inner = stream(&file("deep.txt", b"deep", &[]));
    for level in 0..depth {
        let object = [vec![7; 16], inner].concat();
        let mut attributes = vec![(1, 0x0001_8004, format!("m{level}\0").into_bytes())];
        attributes.extend(file("", b"", &[(OBJECT, mapi::ATTACH_DATA, counted(&object))]));
        inner = stream(&attributes);
    }
    inner
}

#[test]
fn nested_messages_hold_at_n_and_break_at_n_plus_one() {
    let names = |depth: usize| -> Vec<String> {
        read(&nested(depth)).unwrap().files.into_iter().map(|file| file.name).collect()
    };
    assert_eq!(names(2), ["m0.txt", "message.txt", "deep.txt"]);
    assert_eq!(names(MAX_DEPTH).last().map(String::as_str), Some("deep.txt"));
    assert_eq!(names(MAX_DEPTH + 1).last().map(String::as_str), Some(""));
}

#[test]
fn file_limit_holds_at_n_and_breaks_at_n_plus_one() {
    for count in [MAX_FILES, MAX_FILES + 1] {
        let attributes: Vec<_> = (0..count).flat_map(|_| file("a", b"a", &[])).collect();
        assert_eq!(read(&stream(&attributes)).unwrap().files.len(), MAX_FILES);
    }
}

#[test]
fn damaged_streams_give_what_stands_before_the_damage() {
    let whole = stream(&[file("a", b"abc", &[]), file("b", b"def", &[])].concat());
    assert_eq!(read(&whole).unwrap().files.len(), 2);
    let cut = read(whole.get(..whole.len() - 40).unwrap()).unwrap();
    assert_eq!(cut.files.first().map(|file| file.bytes.as_slice()), Some(&b"abc"[..]));
    assert_eq!(read(b"none"), None);
    assert_eq!(read(b""), None);
}

proptest! {
    #[test]
    fn any_octets_are_read(octets: Vec<u8>, kind in 0_u16..0x110, many: bool, id: u16) {
        let kind = if many { kind | 0x1000 } else { kind };
        let list = properties(&[(kind, id, octets.clone())]);
        let whole = stream(&[(1, 0x0006_9003, list.clone()), (2, 0x0006_9002, vec![]), (2, 0x0006_9005, list), (1, 0x0002_800c, octets.clone())]);
        let _ = read(&whole);
        let _ = read(&[&SIGNATURE.to_le_bytes()[..], &octets].concat());
    }
}
