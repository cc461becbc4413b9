//! Cuts an input into the values that a body needs.

/// ASCII's own separator (0x1F, "unit separator"): a seed stays readable, and one changed octet moves a border.
const SEPARATOR: u8 = 0x1f;

/// The first values of an input, cut at each separator; the last one takes the rest, and missing ones are empty.
pub(crate) fn pieces<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut cut = input.splitn(N, |octet| *octet == SEPARATOR);
    [(); N].map(|()| cut.next().unwrap_or_default())
}

/// An input as text; octets that are not UTF-8 become U+FFFD.
pub(crate) fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}
