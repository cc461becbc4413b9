//! `guichet intake`: one mail on standard input, for the pipe of a mail server. Ends with the codes of sysexits.h, by
//! which mail servers decide whether to try again (docs/behaviour/doors.md §2).

use std::io::Read as _;

use desk::envelope::{Door, Envelope};
use desk::id::MailId;
use intake::parcel::{Parcel, RecipientError, Recipients};
use intake::{Intake, raw_mail};
use mail::address::AddressKey;
use serde_json::json;
use store::Store;

use crate::cli::{self, Common};
use crate::clock::SharedClock;
use crate::config::Loaded;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::{open, serve};

/// The command line cannot be read.
pub(crate) const EX_USAGE: u8 = 64;
/// The input is empty, too large, or not a mail.
const EX_DATAERR: u8 = 65;
/// The recipient is unknown.
const EX_NOUSER: u8 = 67;
/// Nothing is wrong with the mail: it must be tried again.
const EX_TEMPFAIL: u8 = 75;

/// Runs `intake`.
///
/// # Errors
/// With the code that tells the mail server whether to keep the mail. Whatever is not the mail's fault, a defect of ours
/// included, is tried again: a bounce cannot be taken back.
pub(super) fn run(common: &Common, command: &cli::Intake) -> Result<()> {
    let taken = std::panic::catch_unwind(|| take(common, command));
    let again = |failure: Failure| if failure.code == 1 { failure.with_code(EX_TEMPFAIL) } else { failure };
    match taken {
        Ok(taken) => taken.map_err(again),
        Err(_) => Err(Failure::new("the mail was not taken", "the program failed", "please report it")
            .with_code(EX_TEMPFAIL)),
    }
}

fn take(common: &Common, command: &cli::Intake) -> Result<()> {
    let mail_from = command.mail_from.as_deref().map(mail_from).transpose()?;
    let loaded = open::configuration(common)?;
    let mut raw = from_standard_input(loaded.config.limits.max_mail_bytes)?;
    let from_line = raw_mail::take_from_line(&mut raw);
    let unfit = |error| Failure::of("the mail was not taken", &error).with_code(EX_DATAERR);
    raw_mail::check(&raw, loaded.config.limits.max_mail_bytes).map_err(unfit)?;
    let mail_from = mail_from.unwrap_or_else(|| raw_mail::return_path(&raw, from_line.as_deref()));
    let store = open::existing_store(&loaded)?;
    let id = super::runtime()?.block_on(spool(&loaded, &store, command, raw, mail_from))?;
    store.close();
    Output::standard(common.json).answer(&json!({"id": id}), &format!("Accepted mail {id}."))
}

async fn spool(
    loaded: &Loaded,
    store: &Store,
    command: &cli::Intake,
    raw: Vec<u8>,
    mail_from: Option<String>,
) -> Result<MailId> {
    let clock = SharedClock::of(store).await;
    let intake = Intake::new(store.clone(), clock, loaded.config.limits.room_bytes());
    let limit = serve::limits(&loaded.config).recipients;
    if command.rcpt.len() > limit {
        let why = format!("{} recipients are more than the limit of {limit}", command.rcpt.len());
        return Err(
            Failure::new("the mail was not taken", why, "hand it over in several calls").with_code(EX_USAGE)
        );
    }
    let recipients = known(intake.recipients(&command.rcpt).await)?;
    let envelope = Envelope {
        door: Door::Pipe,
        client: String::new(),
        helo: String::new(),
        mail_from,
        recipients: Vec::new(),
        // Only this machine's own mail server or operator runs us.
        trusted: true,
        tls: false,
    };
    let taken = intake.take(Parcel { raw, envelope, recipients: recipients.by_account }).await;
    taken.map_err(|error| Failure::of("the mail was not taken", &error))
}

/// Looks up all recipients; fails if one is unknown: a mail is taken for all its recipients or for none.
fn known(looked_up: Result<Recipients, RecipientError>) -> Result<Recipients> {
    let found = looked_up.map_err(|error| {
        let code = if matches!(error, RecipientError::Malformed { .. }) { EX_NOUSER } else { EX_TEMPFAIL };
        Failure::of("a recipient cannot be looked up", &error).with_code(code)
    })?;
    if found.unknown.is_empty() {
        return Ok(found);
    }
    let what = format!("nobody has the address {}", found.unknown.join(", "));
    Err(Failure::new(what, "5.1.1: no account of this desk", "add it with `guichet address add`")
        .with_code(EX_NOUSER))
}

fn mail_from(written: &str) -> Result<Option<String>> {
    if raw_mail::is_null_sender(written) {
        return Ok(None);
    }
    let bare = written.trim().trim_start_matches('<').trim_end_matches('>').trim();
    let wrong = |_| {
        let next = "write name@example.com, or <> for the null return path";
        Failure::new(format!("{written:?} is not an e-mail address"), "--mail-from takes one address", next)
            .with_code(EX_USAGE)
    };
    AddressKey::parse(bare).map_err(wrong)?;
    Ok(Some(bare.to_owned()))
}

/// All of it, up to a little more than the limit.
fn from_standard_input(limit: u64) -> Result<Vec<u8>> {
    let mut raw = Vec::new();
    // A From_ line may stand before the mail.
    let most = limit.saturating_add(2_000);
    let read = std::io::stdin().lock().take(most).read_to_end(&mut raw);
    read.map_err(|error| Failure::of("standard input cannot be read", &error))?;
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_null_return_path_has_many_names() {
        for written in ["", "<>", "MAILER-DAEMON", "mailer-daemon "] {
            assert_eq!(mail_from(written), Ok(None), "{written:?}");
        }
        assert_eq!(mail_from("<ann@x.example>"), Ok(Some("ann@x.example".to_owned())));
        assert_eq!(mail_from("ann").map_err(|failure| failure.code), Err(EX_USAGE));
    }
}
