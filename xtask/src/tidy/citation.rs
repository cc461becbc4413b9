//! Citations: what sources and pages cite from `docs`, RFCs and the tree must exist.

use std::collections::{BTreeMap, BTreeSet};

/// The sections of each page in `docs`, by place: `docs/behaviour/intake.md` has `1`, `2` …
pub(crate) type Pages = BTreeMap<String, BTreeSet<String>>;

/// The numbered sections of every page: `## 3. From, Reply-To, Subject` is section 3.
pub(crate) fn pages<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Pages {
    let section = |line: &str| {
        let title = line.strip_prefix('#')?.trim_start_matches('#').trim_start();
        let (number, _) = title.split_once(' ')?;
        let number = number.trim_end_matches('.');
        is_section(number).then(|| number.to_owned())
    };
    let pages = texts.into_iter().filter(|(place, _)| place.starts_with("docs/"));
    pages.map(|(place, text)| (place.to_owned(), text.lines().filter_map(section).collect())).collect()
}

/// What a text cites that does not exist.
pub(crate) fn faults(text: &str, pages: &Pages) -> Vec<String> {
    let cited = |line: &str| [page_faults(line, pages), rfc_faults(line)].concat();
    text.lines().flat_map(cited).collect()
}

/// Citations as `docs/behaviour/intake.md §2`.
fn page_faults(line: &str, pages: &Pages) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, _) in line.match_indices("docs/") {
        let rest = line.get(at..).unwrap_or_default();
        let place = rest.split(|sign: char| !sign.is_ascii_alphanumeric() && !"/._-".contains(sign)).next();
        let place = place.unwrap_or_default().trim_end_matches('.');
        // Neither `https://example.com/docs/x.md` nor a folder counts.
        let is_ours =
            !line.get(..at).unwrap_or_default().ends_with(['/', '-', '.']) && place.ends_with(".md");
        if !is_ours {
            continue;
        }
        let Some(sections) = pages.get(place) else {
            faults.push(format!("cites {place}, which is not there"));
            continue;
        };
        let section =
            rest.get(place.len()..).and_then(|rest| rest.trim_start_matches(['`', ')']).strip_prefix(" §"));
        let section = section.map(number);
        faults.extend(
            section
                .filter(|section| !sections.contains(*section))
                .map(|section| format!("cites {place} §{section}, which is not there")),
        );
    }
    faults
}

/// Citations as `RFC 5321 §4.5.3.2.6`.
fn rfc_faults(line: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, _) in line.match_indices("RFC") {
        let rest = line.get(at + 3..).unwrap_or_default();
        let spaced = rest.strip_prefix(' ').unwrap_or(rest);
        let digits: String = spaced.chars().take_while(char::is_ascii_digit).collect();
        if digits.is_empty() {
            continue;
        }
        let after = spaced.get(digits.len()..).unwrap_or_default();
        let is_fine = rest.starts_with(' ') && (3..=5).contains(&digits.len()) && is_rfc_section(after);
        if !is_fine {
            let shown: String = rest.chars().take(24).collect();
            faults.push(format!("cites an RFC as \"RFC{shown}\" and not as \"RFC 5321 §4.5\""));
        }
    }
    faults
}

/// What may follow the number of an RFC: a section in one of our notations, or nothing that means one.
fn is_rfc_section(after: &str) -> bool {
    // Texts that people read in a terminal spell the word out.
    let section = [" §", " section "].iter().find_map(|mark| after.strip_prefix(mark));
    let is_other = || {
        let word = after.trim_start_matches([',', ' ']);
        ["§", "section", "sec.", "Section", "chapter"].iter().any(|other| word.starts_with(other))
    };
    section.map_or_else(|| !is_other(), |section| is_section(number(section)))
}

/// The number at the start of a text: `4.5.3` of `4.5.3. The`.
fn number(text: &str) -> &str {
    let end = text.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '.').unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end_matches('.')
}

/// `4`, `4.5.3.2.6`, and the appendices of RFCs: `A.1`.
fn is_section(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|sign| sign.is_ascii_digit());
    let is_letter = |part: &str| part.len() == 1 && part.chars().all(|sign| sign.is_ascii_uppercase());
    let (first, rest) = text.split_once('.').map_or((text, None), |(first, rest)| (first, Some(rest)));
    (is_number(first) || is_letter(first)) && rest.is_none_or(|rest| rest.split('.').all(is_number))
}

/// The files that a page names in backticks but that do not exist: `store/ticket.rs` is `crates/store/src/ticket.rs`,
/// and `worker/take.rs` any file that ends so.
pub(crate) fn file_faults(page: &str, files: &BTreeSet<String>) -> Vec<String> {
    let short: Vec<String> =
        files.iter().map(|file| format!("/{}", file.replace("crates/", "").replace("/src/", "/"))).collect();
    let is_there = |name: &str| {
        let name = format!("/{}", name.replace("crates/", "").replace("/src/", "/"));
        short.iter().any(|file| file.ends_with(&name))
    };
    let named = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|text| text.ends_with(".rs") && !text.contains(char::is_whitespace));
    let written_out = named.flat_map(written_out);
    written_out
        .filter(|name| !is_there(name))
        .map(|name| format!("names {name}, which is not there"))
        .collect()
}

/// `import/{mbox,folder}.rs` names two files.
fn written_out(name: &str) -> Vec<String> {
    let Some((head, rest)) = name.split_once('{') else {
        return vec![name.to_owned()];
    };
    let (names, tail) = rest.split_once('}').unwrap_or((rest, ""));
    names.split(',').map(|name| format!("{head}{}{tail}", name.trim())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{faults, file_faults, pages};

    #[test]
    fn what_is_cited_is_there() {
        let pages = pages([
            ("docs/behaviour/intake.md", "# Intake\n\n## 1. Doors\n### 1.2 Pipes\n## 10. Crashes\n"),
            ("README.md", "## 7. Not a page\n"),
        ]);
        for (text, want) in [
            ("// docs/behaviour/intake.md §1", None),
            ("// docs/behaviour/intake.md §1.2: pipes", None),
            ("// See docs/behaviour/intake.md §10.", None),
            ("// (`docs/behaviour/intake.md` §10)", None),
            ("// docs/behaviour/intake.md", None),
            ("https://example.com/docs/behaviour/other.md §9", None),
            ("// docs/behaviour/intake.md §2", Some("docs/behaviour/intake.md §2")),
            ("// (`docs/behaviour/intake.md` §3)", Some("docs/behaviour/intake.md §3")),
            ("// docs/behaviour/outtake.md §1", Some("docs/behaviour/outtake.md")),
        ] {
            let want: Vec<String> =
                want.iter().map(|cited| format!("cites {cited}, which is not there")).collect();
            assert_eq!(faults(text, &pages), want, "{text}");
        }
    }

    #[test]
    fn rfcs_are_cited_in_one_form() {
        for (text, is_fine) in [
            ("RFC 5321 §4.5.3.2.6: ten minutes", true),
            ("(RFC 5322 §2.2)", true),
            ("RFC 4155, and what is found", true),
            ("RFC 8601 §2.7.1.", true),
            ("RFC 5322 §A.1", true),
            ("RFC 5322 section 3.3 writes", true),
            ("RFCs and RFC numbers", true),
            ("RFC5321 §4", false),
            ("RFC 5321§4", false),
            ("RFC 5321 §", false),
            ("RFC 5321 §4..5", false),
            ("RFC 5321, section 4.5", false),
        ] {
            assert_eq!(faults(text, &pages([])).is_empty(), is_fine, "{text}");
        }
    }

    #[test]
    fn pages_name_files_that_are_there() {
        let files = ["crates/store/src/ticket.rs", "crates/outbox/src/worker/take.rs", "xtask/src/tidy.rs"];
        let files: BTreeSet<String> = files.iter().map(|file| (*file).to_owned()).collect();
        for (page, want) in [
            (
                "`store/ticket.rs`, `worker/{take}.rs`, `crates/store/src/ticket.rs`, `xtask/src/tidy.rs`",
                &[][..],
            ),
            ("`ticket.rs` and `cargo fmt a.rs`, b.rs", &[]),
            (
                "`desk/ticket.rs` `worker/{take,make}.rs` `icket.rs`",
                &["desk/ticket.rs", "worker/make.rs", "icket.rs"],
            ),
        ] {
            let want: Vec<String> =
                want.iter().map(|name| format!("names {name}, which is not there")).collect();
            assert_eq!(file_faults(page, &files), want, "{page}");
        }
    }
}
