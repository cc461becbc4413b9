//! Any bytes as a mail: it has a nature, and a reason for every nature but a person's.

use mail::report::{DIAGNOSTIC_CHARACTERS, MAX_RECIPIENTS};
use mail::{Letter, Nature};

/// Asks an input, read as a mail, for its nature.
pub fn hold(input: &[u8]) {
    let letter = Letter::parse(input);
    assert_eq!(letter.nature == Nature::Human, letter.signs.is_empty());
    for sign in &letter.signs {
        let shown = sign.to_string();
        assert!(!shown.is_empty() && !shown.contains('\n'), "a sign is one clause: {shown:?}");
    }
    if let Some(report) = &letter.report {
        assert!(report.recipients.len() <= MAX_RECIPIENTS);
        for one in &report.recipients {
            assert!(!one.address.contains('\n'));
            assert!(one.diagnostic.chars().count() <= DIAGNOSTIC_CHARACTERS);
            assert!(one.smtp_code.is_none_or(|code| (400..600).contains(&code)));
        }
    }
}
