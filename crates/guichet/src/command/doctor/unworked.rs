//! Is there an account that nobody processes?

use desk::id::AccountId;
use store::node::Unheld;

use super::{Finding, Seen};

/// How many accounts are named; the others are counted.
const NAMED_MAX: usize = 5;

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    unworked(&seen.unheld, |id| seen.name_of(id))
}

/// Accounts whose mail or jobs wait while nobody processes them.
fn unworked(unheld: &[Unheld], name_of: impl Fn(AccountId) -> String) -> Option<Finding> {
    if unheld.is_empty() {
        return None;
    }
    let shown = |one: &Unheld| match one.holder.as_str() {
        "" => format!("{} of {}", one.kind.as_str(), name_of(one.account_id)),
        holder => format!("{} of {} (last held by {holder})", one.kind.as_str(), name_of(one.account_id)),
    };
    let mut named: Vec<String> = unheld.iter().take(NAMED_MAX).map(shown).collect();
    if unheld.len() > NAMED_MAX {
        named.push(format!("{} more", unheld.len() - NAMED_MAX));
    }
    Some(Finding::warn(
        "unworked",
        format!("not processed by anybody for a minute: {}", named.join(", ")),
        "make sure that processes with the roles engine and outbox are running, and read their logs",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::Level;
    use store::work::Kind;

    #[test]
    fn accounts_that_nobody_works_are_named() {
        let name_of = |id: AccountId| format!("desk-{}", id.0);
        assert_eq!(unworked(&[], name_of), None);
        let unheld =
            |id, holder: &str| Unheld { account_id: AccountId(id), kind: Kind::Mail, holder: holder.into() };
        let found = unworked(&[unheld(1, "b"), unheld(2, "")], name_of).unwrap();
        assert_eq!(found.level, Level::Warn);
        assert!(found.detail.ends_with("mail of desk-1 (last held by b), mail of desk-2"), "{found:?}");
        let many: Vec<Unheld> = (1..=7).map(|id| unheld(id, "")).collect();
        assert!(unworked(&many, name_of).unwrap().detail.ends_with("mail of desk-5, 2 more"));
    }
}
