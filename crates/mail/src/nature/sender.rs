//! What From says about the sender: a mail server, a list manager, or an address whose replies nobody reads.

use super::sign::{Sign, VALUE_CHARACTERS};
use crate::address::Mailbox;
use crate::text::one_line;

/// Names that only mail servers use (RFC 5321 §4.5.1 and convention), compared without punctuation.
const DAEMONS: &[&str] = &[
    "mailerdaemon",
    "maildaemon",
    "smtpdaemon",
    "mdaemon",
    "mailsystem",
    "mailsubsystem",
    "maildelivery",
    "maildeliverysystem",
    "maildeliverysubsystem",
    "deliverysubsystem",
    "microsoftexchange",
    "bouncenotification",
    "mailrouter",
    "mailgateway",
    "mailerdemon",
    "majordomobounce",
    "bounces",
    "mailadministrator",
    "returnedmail",
];

/// Names used both by servers and by people behind them.
const OFFICES: &[&str] = &[
    "postmaster",
    "postoffice",
    "postmast",
    "mailadmin",
    "systemadministrator",
    "mailerror",
    "smtp",
    "smtpgateway",
    "mmdf",
    "mailmaster",
    "mailservice",
    "emailadministrator",
    "mailserver",
    "mailagent",
    "administrator",
    "admin",
];

/// Whether From is a mail server: by its local part, or by the display name.
pub(super) fn daemon(from: &[Mailbox]) -> Option<Sign> {
    let mailbox = from.first()?;
    let local = mailbox.address.split('@').next().unwrap_or_default();
    let plain = letters(local);
    // Exchange writes MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@.
    if DAEMONS.contains(&plain.as_str())
        || plain.starts_with("microsoftexchange")
        || plain.starts_with("mailerdaemon")
    {
        return Some(Sign::Daemon(one_line(local, VALUE_CHARACTERS)));
    }
    let name = letters(&mailbox.name);
    if ["maildeliverysystem", "maildeliverysubsystem", "mailerdaemon", "deliverysubsystem"]
        .iter()
        .any(|known| name.contains(known))
    {
        return Some(Sign::Daemon(one_line(&mailbox.name, VALUE_CHARACTERS)));
    }
    let is_program = [
        "smtp",
        "antivirus",
        "gateway",
        "mailserver",
        "maildelivery",
        "mailservice",
        "mailscan",
        "mailsweeper",
        "scanmail",
        "mailfilter",
        "spamfilter",
        "viruswall",
    ]
    .iter()
    .any(|word| plain.contains(word));
    let office = is_list_manager(from)
        || is_program
        || OFFICES.contains(&plain.as_str())
        || ["systemadministrator", "postmaster"].contains(&name.as_str());
    office.then(|| Sign::Office(one_line(local, VALUE_CHARACTERS)))
}

/// Whether From is the program that runs a mailing list (RFC 2142 §6, and convention).
pub(super) fn is_list_manager(from: &[Mailbox]) -> bool {
    let local = from
        .first()
        .and_then(|mailbox| mailbox.address.split('@').next())
        .unwrap_or_default()
        .to_ascii_lowercase();
    ["-admin", "-owner", "-request", "-bounces", "-bounce"].iter().any(|end| local.ends_with(end))
        || ["owner-", "majordomo", "listserv", "sympa", "mailman", "ezmlm"]
            .iter()
            .any(|start| local.starts_with(start))
}

/// Whether From says that nobody reads replies.
pub(super) fn is_unattended(from: &[Mailbox]) -> bool {
    const NAMES: &[&str] = &[
        "noreply",
        "donotreply",
        "nereply",
        "noanswer",
        "dontreply",
        "nepasrepondre",
        "nichtantworten",
        "keineantwort",
        "norespond",
        "norispondere",
        "nonrispondere",
        "naoresponda",
        "naoresponder",
        "nietbeantwoorden",
        "geenantwoord",
        "ikkesvar",
        "svaraej",
        "eivastausta",
        "nieodpowiad",
        "neodpovid",
        "neodpoved",
        "nevalaszol",
        "nuraspunde",
        "unattended",
    ];
    let local = from.first().and_then(|mailbox| mailbox.address.split('@').next()).unwrap_or_default();
    let plain = letters(local);
    NAMES.iter().any(|name| plain.starts_with(name) || plain.ends_with(name))
}

/// As [`is_unattended`], unless a Reply-To leads back to a person: web forms write like this on behalf of
/// their visitors.
pub(super) fn unattended(from: &[Mailbox], reply_to: &[Mailbox]) -> Option<Sign> {
    if !is_unattended(from) || !(reply_to.is_empty() || is_unattended(reply_to)) {
        return None;
    }
    let local = from.first().and_then(|mailbox| mailbox.address.split('@').next()).unwrap_or_default();
    Some(Sign::Unattended(one_line(local, VALUE_CHARACTERS)))
}

/// Only the letters, lower-cased, at most 40.
fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphabetic).take(40).map(|c| c.to_ascii_lowercase()).collect()
}
