//! Names, media types and sizes of attachments under each rule.

use super::*;
use proptest::prelude::*;

fn skipped_extension(extension: &str) -> Ruling {
    Ruling::Skip { why: Skip::Extension { extension: extension.into() } }
}

fn skipped_type(media_type: &str) -> Ruling {
    Ruling::Skip { why: Skip::MediaType { media_type: media_type.into() } }
}

#[test]
fn names_and_types_under_the_recommended_rule() {
    for (name, media_type, want) in [
        ("invoice.pdf", "application/pdf", Ruling::Keep),
        ("PHOTO.JPG", "application/octet-stream", Ruling::Keep),
        ("archive.tar.gz", "", Ruling::Keep),
        ("résumé.docx", "application/octet-stream", Ruling::Keep),
        ("invoice.pdf.exe", "application/pdf", skipped_extension("exe")),
        ("invoice.exe.pdf", "application/pdf", Ruling::Keep),
        ("invoice.pdf.js", "", skipped_extension("js")),
        ("macro.docm", "application/octet-stream", skipped_extension("docm")),
        ("page.html", "application/octet-stream", skipped_extension("html")),
        ("drawing.svg", "image/png", skipped_extension("svg")),
        ("run.exe. . ", "", skipped_extension("exe")),
        ("run.exe:notes.txt", "", skipped_extension("exe")),
        ("C:\\files\\run.exe", "", skipped_extension("exe")),
        ("photo\u{202E}gpj.exe", "image/jpeg", skipped_extension("exe")),
        ("run.e\u{200B}xe", "", skipped_extension("exe")),
        ("photo.jpg", "application/x-msdownload", skipped_type("application/x-msdownload")),
        ("photo.png", "IMAGE/SVG+XML; charset=utf-8", skipped_type("image/svg+xml")),
        ("scan", "image/png; name=scan", Ruling::Keep),
        ("notes", "text/plain", Ruling::Keep),
        ("", "message/rfc822", Ruling::Keep),
        ("", "application/octet-stream", skipped_type("application/octet-stream")),
        ("unknown", "", skipped_type("")),
        (".profile", "text/plain", Ruling::Keep),
        ("No. 5 of the list", "application/pdf", Ruling::Keep),
    ] {
        assert_eq!(AttachmentRule::Recommended.check(name, media_type, 1), want, "{name:?} {media_type}");
        assert_eq!(AttachmentRule::Any.check(name, media_type, 1), Ruling::Keep);
    }
}

#[test]
fn a_list_of_ones_own() {
    let rule = AttachmentRule::parse("pdf, .DOCX *.exe image/* text/plain").unwrap();
    for (name, media_type, want) in [
        ("a.pdf", "", Ruling::Keep),
        ("a.docx", "", Ruling::Keep),
        ("a.exe", "application/x-msdownload", Ruling::Keep),
        ("a.png", "application/octet-stream", Ruling::Keep),
        ("a.txt", "", Ruling::Keep),
        ("a", "image/png", Ruling::Keep),
        ("a.zip", "image/png", skipped_extension("zip")),
        ("a.csv", "text/plain", skipped_extension("csv")),
        ("a", "application/pdf", skipped_type("application/pdf")),
    ] {
        assert_eq!(rule.check(name, media_type, 1), want, "{name} {media_type}");
    }
}

#[test]
fn settings_are_read_or_refused() {
    assert_eq!(AttachmentRule::parse(" Any "), Ok(AttachmentRule::Any));
    assert_eq!(AttachmentRule::parse("recommended"), Ok(AttachmentRule::Recommended));
    assert_eq!(AttachmentRule::parse(""), Err(AttachmentRuleError::Empty));
    assert_eq!(AttachmentRule::parse(" , "), Err(AttachmentRuleError::Empty));
    for bad in ["tar.gz", "image/", "/png", "image/p*", "*", "p?f", "*/*", "."] {
        let want = if bad == "image/" { None } else { Some(AttachmentRuleError::Kind(bad.into())) };
        assert_eq!(AttachmentRule::parse(bad).err(), want, "{bad}");
    }
    let full = "pdf ".repeat(KINDS_CHARACTERS / 4);
    assert!(AttachmentRule::parse(&full).is_ok());
    assert_eq!(AttachmentRule::parse(&(full + " ")), Err(AttachmentRuleError::TooLong(KINDS_CHARACTERS + 1)));
}

#[test]
fn size_counts_under_every_rule() {
    for rule in [AttachmentRule::Any, AttachmentRule::Recommended, AttachmentRule::parse("pdf").unwrap()] {
        assert_eq!(rule.check("a.pdf", "", FILE_OCTETS), Ruling::Keep);
        let why = Skip::Size { size_octets: FILE_OCTETS + 1 };
        assert_eq!(rule.check("a.pdf", "", FILE_OCTETS + 1), Ruling::Skip { why });
    }
}

#[test]
fn tables_are_sorted_as_the_search_needs_them() {
    for table in [RECOMMENDED, RECOMMENDED_TYPES, PROGRAM_TYPES] {
        assert!(table.is_sorted(), "{table:?}");
    }
    let runs = [
        "exe", "js", "vbs", "bat", "cmd", "ps1", "scr", "lnk", "msi", "iso", "img", "dmg", "html", "htm",
        "svg", "docm", "xlsm", "jar", "apk", "hta", "one", "url",
    ];
    assert!(runs.iter().all(|extension| !RECOMMENDED.contains(extension)));
}

proptest! {
    #[test]
    fn any_name_is_judged_and_its_last_extension_decides(name in "\\PC{0,40}", last in "(exe|js|vbs|scr|lnk)[. ]{0,3}") {
        let named = format!("{name}.{last}");
        let skipped = matches!(AttachmentRule::Recommended.check(&named, "image/png", 1), Ruling::Skip { .. });
        // A colon in the name moves its end forward, as it does on Windows; a name that is nothing but the
        // extension has none.
        let cut = named.contains(':') || extension(&named).is_none();
        prop_assert!(skipped || cut, "{:?}", named);
    }

    #[test]
    fn extensions_are_lower_case_words(name in "\\PC{0,40}") {
        if let Some(extension) = extension(&name) {
            prop_assert!(!extension.is_empty() && extension.to_lowercase() == extension && !extension.contains(['.', ' ', '/']));
        }
    }
}
