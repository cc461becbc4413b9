//! The comments of a ticket stand in the order in which their mails were accepted.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::kill::evidence::{Evidence, LedgerRow, TicketRow};
use crate::load::sender::Heard;

/// A mail, and when the sender's clock says that it was accepted.
type Mail<'a> = (&'a str, Heard);

pub(super) fn check(evidence: &Evidence, inbound: &[&LedgerRow], wrong: &mut Vec<String>) {
    let heard: BTreeMap<&str, Heard> =
        evidence.posted.iter().filter_map(|mail| Some((mail.message_id.as_str(), mail.heard?))).collect();
    let mails: BTreeMap<(&str, i64), Mail<'_>> = inbound
        .iter()
        .filter_map(|row| {
            let message_id = row.message_id.as_deref()?;
            Some(((row.account.as_str(), row.id), (message_id, *heard.get(message_id)?)))
        })
        .collect();
    for ticket in &evidence.tickets {
        let account = ticket.account.as_str();
        let shown = ticket.comments.iter().filter_map(|comment| mails.get(&(account, comment.mail?)));
        in_order(ticket, &shown.copied().collect::<Vec<_>>(), wrong);
    }
}

/// What the desk's clock cannot tell apart: it counts milliseconds, and nodes take their ids independently of each other.
const SAME_TIME: Duration = Duration::from_millis(1);

/// Two mails are out of order when the one that comes later had its 250 before the other one's content was sent: mails
/// accepted at the same time may be in either order.
fn in_order(ticket: &TicketRow, shown: &[Mail<'_>], wrong: &mut Vec<String>) {
    for (place, (later_id, later)) in shown.iter().enumerate() {
        let before = shown.iter().take(place);
        let swapped = before.filter(|(_, earlier)| later.at + SAME_TIME < earlier.begun);
        wrong.extend(swapped.map(|(earlier_id, earlier)| {
            let ahead_ms = earlier.begun.saturating_duration_since(later.at).as_millis();
            let number = ticket.number;
            format!("ticket {number}: {later_id} was accepted {ahead_ms} ms before {earlier_id}, and stands after it")
        }));
    }
}
