//! Is something due that nothing announces?

use desk::id::AccountId;
use store::node::Forgotten;

use super::{Finding, Seen};

/// How many are named; the others are counted.
const NAMED_MAX: usize = 5;

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    forgotten(&seen.forgotten, |id| seen.name_of(id))
}

/// Work that the rows of an account ask for but nobody would take.
fn forgotten(forgotten: &[Forgotten], name_of: impl Fn(AccountId) -> String) -> Option<Finding> {
    if forgotten.is_empty() {
        return None;
    }
    let shown = |one: &Forgotten| format!("{} of {}", one.kind.as_str(), name_of(one.account_id));
    let mut named: Vec<String> = forgotten.iter().take(NAMED_MAX).map(shown).collect();
    if forgotten.len() > NAMED_MAX {
        named.push(format!("{} more", forgotten.len() - NAMED_MAX));
    }
    Some(Finding::warn(
        "forgotten",
        format!("due for a minute and announced to nobody: {}", named.join(", ")),
        "a process with the roles engine and outbox finds it within ten minutes; if this goes on, report it to us",
    ))
}

#[cfg(test)]
mod tests {
    use store::work::Kind;

    use super::*;

    #[test]
    fn what_nobody_would_take_is_named() {
        let name_of = |id: AccountId| format!("desk-{}", id.0);
        assert_eq!(forgotten(&[], name_of), None);
        let one = |id| Forgotten { account_id: AccountId(id), kind: Kind::Close };
        let found = forgotten(&[one(1), one(2)], name_of).unwrap();
        assert!(found.detail.ends_with("nobody: close of desk-1, close of desk-2"), "{found:?}");
        let many: Vec<Forgotten> = (1..=7).map(one).collect();
        assert!(forgotten(&many, name_of).unwrap().detail.ends_with("close of desk-5, 2 more"));
    }
}
