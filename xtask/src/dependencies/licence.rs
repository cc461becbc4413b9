//! Licences: which may be in what we ship.

use super::metadata::Package;

/// Licences that ask only to be named: permissive ones, data under similar terms, the public domain.
const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    // The certificate authorities of webpki-roots: data.
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Single crates under another licence, each with the reason why that is acceptable.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    ("cssparser", "MPL-2.0", "copyleft by file: we change none of its files, and its source is public"),
    ("cssparser-macros", "MPL-2.0", "as cssparser"),
    ("dtoa-short", "MPL-2.0", "as cssparser"),
];

/// The packages whose licence is neither allowed nor excepted. Where there is a choice of licences, one that is allowed
/// suffices: of self_cell (Apache-2.0 or GPL-2.0-only) and r-efi (… or LGPL-2.1-or-later) we take Apache.
pub(crate) fn faults(packages: &[Package]) -> Vec<String> {
    let fault = |package: &Package| {
        let Some(licence) = &package.license else {
            return Some(format!("{} names no licence", package.name));
        };
        let is_fine = is_satisfied(licence, &|name| is_allowed(&package.name, name));
        (!is_fine).then(|| {
            format!(
                "{} is under {licence}, which xtask/src/dependencies/licence.rs does not allow",
                package.name
            )
        })
    };
    packages.iter().filter_map(fault).collect()
}

fn is_allowed(package: &str, licence: &str) -> bool {
    let is_excepted = EXCEPTIONS.iter().any(|(name, allowed, _)| *name == package && *allowed == licence);
    ALLOWED.contains(&licence) || is_excepted
}

/// Whether an SPDX expression (ISO/IEC 5962, annex D) can be satisfied; `/` is an old way to write OR.
fn is_satisfied(expression: &str, is_allowed: &dyn Fn(&str) -> bool) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let (is_fine, rest) = any(&words, is_allowed);
    is_fine && rest.is_empty()
}

/// `… OR …`: returns the words after it, as the two below do.
fn any<'w>(words: &'w [&'w str], is_allowed: &dyn Fn(&str) -> bool) -> (bool, &'w [&'w str]) {
    let (mut is_fine, mut rest) = all(words, is_allowed);
    while let ["OR", after @ ..] = rest {
        let (is_next, after) = all(after, is_allowed);
        is_fine |= is_next;
        rest = after;
    }
    (is_fine, rest)
}

/// `… AND …`, which binds more tightly.
fn all<'w>(words: &'w [&'w str], is_allowed: &dyn Fn(&str) -> bool) -> (bool, &'w [&'w str]) {
    let (mut is_fine, mut rest) = one(words, is_allowed);
    while let ["AND", after @ ..] = rest {
        let (is_next, after) = one(after, is_allowed);
        is_fine &= is_next;
        rest = after;
    }
    (is_fine, rest)
}

/// A licence, one with an exception, or an expression in brackets.
fn one<'w>(words: &'w [&'w str], is_allowed: &dyn Fn(&str) -> bool) -> (bool, &'w [&'w str]) {
    match words {
        ["(", inside @ ..] => match any(inside, is_allowed) {
            (is_fine, [")", after @ ..]) => (is_fine, after),
            (_, after) => (false, after),
        },
        [name, "WITH", exception, after @ ..] => (is_allowed(&format!("{name} WITH {exception}")), after),
        [name, after @ ..] => (is_allowed(name), after),
        [] => (false, words),
    }
}

#[cfg(test)]
mod tests {
    use super::super::metadata::Package;
    use super::faults;

    #[test]
    fn licences_are_allowed_excepted_or_refused() {
        for (name, licence, is_fine) in [
            ("serde", Some("MIT OR Apache-2.0"), true),
            ("old", Some("MIT/Apache-2.0"), true),
            ("self_cell", Some("Apache-2.0 OR GPL-2.0-only"), true),
            ("unicode-ident", Some("(MIT OR Apache-2.0) AND Unicode-3.0"), true),
            ("rustix", Some("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"), true),
            ("cssparser", Some("MPL-2.0"), true),
            ("another", Some("MPL-2.0"), false),
            ("readline", Some("GPL-3.0-only"), false),
            ("mixed", Some("MIT AND GPL-2.0-only"), false),
            ("bound", Some("(MIT OR GPL-2.0-only) AND OpenSSL"), false),
            ("cut", Some("(MIT"), false),
            ("silent", None, false),
        ] {
            assert_eq!(faults(&[Package::sample(name, licence)]).is_empty(), is_fine, "{name}: {licence:?}");
        }
    }
}
