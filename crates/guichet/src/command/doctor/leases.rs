//! Which node processes the accounts?

use store::node::Holding;

use super::{Finding, Seen};
use crate::output::counted;
use crate::serve;

pub(super) fn check(seen: &Seen<'_>) -> Option<Finding> {
    let loaded = seen.loaded;
    let is_embedded = loaded.config.sqlite_file(&loaded.data).is_some();
    let own = serve::holder(&loaded.config, is_embedded, loaded.config.http.listen);
    Some(leases(&own, &seen.holdings))
}

/// Who holds what, the node of this configuration first.
fn leases(own: &str, holdings: &[Holding]) -> Finding {
    let mut nodes: Vec<&str> =
        holdings.iter().map(|holding| holding.holder.as_str()).filter(|holder| *holder != own).collect();
    nodes.dedup();
    let held = |holder: &str, kind: &str| {
        let of = |holding: &&Holding| holding.holder == holder && holding.kind == kind;
        holdings.iter().find(of).map_or(0, |holding| holding.accounts)
    };
    let of = |holder, kind| counted(held(holder, kind), "account");
    let counts =
        |holder| format!("the mail of {} and the outbox of {}", of(holder, "mail"), of(holder, "outbox"));
    let others = nodes.into_iter().map(|node| format!("; {node} holds {}", counts(node)));
    Finding::ok(
        "leases",
        format!("{own} (the node of this configuration) holds {}{}", counts(own), others.collect::<String>()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_shown_with_what_they_hold() {
        let held = |holder: &str, kind: &str, accounts| Holding {
            holder: holder.into(),
            kind: kind.into(),
            accounts,
        };
        let holdings =
            [held("a", "mail", 2), held("b", "close", 1), held("b", "mail", 5), held("b", "outbox", 1)];
        let shown = leases("a", &holdings).detail;
        let want = "a (the node of this configuration) holds the mail of 2 accounts and the outbox of 0 accounts; \
             b holds the mail of 5 accounts and the outbox of 1 account";
        assert_eq!(shown, want);
    }
}
