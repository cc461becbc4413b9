//! `guichet import`: brings in old mail, batch by batch; stopped at any moment and run again, it continues where it
//! stopped.

mod progress;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use desk::id::AccountId;
use intake::Intake;
use intake::import::folder::Folder;
use intake::import::maildir::Maildir;
use intake::import::mbox::Mbox;
use intake::import::{Found, Importer, Source};
use serde_json::json;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;

use super::Session;
use crate::cli::{self, SourceWord};
use crate::clock::SharedClock;
use crate::failure::{Doing as _, Failure, Result};
use crate::output::{counted, tame};
use crate::serve;
use progress::Progress;

/// Mails in one transaction at most.
const BATCH_MAILS: usize = 256;
/// Bytes of mail in one transaction, beyond which no further mail is added.
const BATCH_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of an mbox file read at once.
const BUFFER_BYTES: usize = 1024 * 1024;
/// How many messages that were not taken are listed one by one; the rest are only counted.
const TOLD_MAX: usize = 1_000;

/// Everything is in, except for some that could not be taken.
const SOME_SKIPPED: u8 = 3;
/// Ended by SIGINT or SIGTERM, in the shells' convention.
const INTERRUPTED: u8 = 130;

/// What an import did.
#[derive(Debug, Default)]
struct Tally {
    imported: u64,
    already: u64,
    left_out: u64,
    skipped: u64,
    /// Where, and why; at most [`TOLD_MAX`].
    problems: Vec<(String, String)>,
    was_stopped: bool,
}

/// Runs `import`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Import) -> Result<()> {
    let limit = session.loaded.config.limits.max_mail_bytes;
    let source = source(command, limit)?;
    let room_bytes = session.loaded.config.limits.room_bytes();
    let clock = SharedClock::of(&session.store).await;
    let intake = Intake::new(session.store.clone(), clock, room_bytes);
    let account_id = account_of(session, &intake, &command.rcpt).await?;
    let is_decided = serve::is_running(&session.loaded).unwrap_or(true);
    let importer = Importer::new(intake, account_id, command.rcpt.trim().to_owned(), is_decided);
    let stop = CancellationToken::new();
    serve::listen_for_signals(stop.clone()).doing("signals cannot be handled")?;
    let mut progress = Progress::new(source.length(), source.is_in_bytes());
    let (sender, batches) = channel(2);
    let reader = std::thread::spawn(move || read(source, &sender));
    let mut tally = Tally::default();
    let done = work(importer, batches, &stop, &mut tally, &mut progress).await;
    let seconds = progress.finish();
    done.map_err(|error| interrupted_by(&error, &tally))?;
    // It ends by itself, since nobody takes its batches any more.
    let panicked = reader.join().is_err();
    if panicked {
        return Err(Failure::new(
            "the source was not read to its end",
            "reading it failed",
            "please report it",
        ));
    }
    told(session, command, &tally, seconds)
}

fn source(command: &cli::Import, limit: u64) -> Result<Box<dyn Source>> {
    let path = command.source.as_path();
    let what = format!("{} cannot be imported", path.display());
    if command.subfolders && command.kind != SourceWord::Maildir {
        return Err(Failure::new(
            what,
            "--subfolders is for a Maildir",
            "leave it out: other kinds have no such option",
        ));
    }
    match command.kind {
        SourceWord::Mbox => mbox(path, limit, &what),
        SourceWord::Maildir => Ok(Box::new(Maildir::open(path, command.subfolders, limit).doing(&what)?)),
        SourceWord::Eml => Ok(Box::new(Folder::open(path, limit).doing(&what)?)),
    }
}

fn mbox(path: &Path, limit: u64, what: &str) -> Result<Box<dyn Source>> {
    if path.as_os_str() == "-" {
        let input = BufReader::with_capacity(BUFFER_BYTES, std::io::stdin());
        return Ok(Box::new(Mbox::open(input, None, limit).doing(what)?));
    }
    let file = File::open(path).doing(what)?;
    let length = file.metadata().ok().map(|known| known.len());
    Ok(Box::new(Mbox::open(BufReader::with_capacity(BUFFER_BYTES, file), length, limit).doing(what)?))
}

/// The account of the recipient, which must be the one named, if one is.
async fn account_of(session: &Session<'_>, intake: &Intake, rcpt: &str) -> Result<AccountId> {
    let found = intake.recipients(&[rcpt.to_owned()]).await.doing("the address cannot be looked up")?;
    let named = match session.common.account {
        Some(_) => Some(session.account().await?),
        None => None,
    };
    let of = found.by_account.into_keys().find(|id| named.is_none_or(|named| named == *id));
    let unknown = || {
        let why = if named.is_some() {
            "it is not a support address of this account"
        } else {
            "it is no account's support address"
        };
        let next = format!(
            "see `guichet address list`; add it with `guichet address add {}`, or import to an existing one",
            rcpt.trim()
        );
        Failure::new(format!("mail to {} cannot be imported", rcpt.trim()), why, next)
    };
    of.ok_or_else(unknown)
}

/// Reads a source in batches until its end, or until nobody wants more.
fn read(mut source: Box<dyn Source>, sender: &Sender<Vec<Found>>) {
    loop {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_MAILS && bytes < BATCH_BYTES {
            let Some(found) = source.next() else { break };
            bytes += found.mail.as_ref().map_or(0, |mail| mail.raw.len());
            batch.push(found);
        }
        if batch.is_empty() || sender.blocking_send(batch).is_err() {
            return;
        }
    }
}

/// Takes batch after batch. When stopped, it finishes the one in hand.
async fn work(
    mut importer: Importer,
    mut batches: Receiver<Vec<Found>>,
    stop: &CancellationToken,
    tally: &mut Tally,
    progress: &mut Progress,
) -> store::Result<()> {
    loop {
        let batch = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            batch = batches.recv() => Some(batch),
        };
        let Some(batch) = batch else {
            tally.was_stopped = true;
            return Ok(());
        };
        let Some(batch) = batch else { return Ok(()) };
        let position = batch.last().map_or(0, |found| found.position);
        let mut mails = Vec::with_capacity(batch.len());
        for found in batch {
            match found.mail {
                Ok(mail) => mails.push(mail),
                Err(skip) if skip.is_meant() => tally.left_out += 1,
                Err(skip) => tally.skip(progress, found.place, &skip.to_string()),
            }
        }
        let taken = importer.take(mails).await?;
        tally.imported += taken.new;
        tally.already += taken.known;
        progress.at(position, tally.imported, tally.already);
    }
}

impl Tally {
    fn skip(&mut self, progress: &Progress, place: String, why: &str) {
        self.skipped += 1;
        if self.problems.len() < TOLD_MAX {
            progress.say(&tame(&format!("skipped {place}: {why}")));
            self.problems.push((place, why.to_owned()));
        }
    }
}

fn interrupted_by(error: &store::StoreError, tally: &Tally) -> Failure {
    let next = "run the same command again to go on; no mail is taken twice";
    Failure::new(
        format!("the import ended after {}", counted(tally.imported, "mail")),
        error.to_string(),
        next,
    )
}

fn told(session: &Session<'_>, command: &cli::Import, tally: &Tally, seconds: f64) -> Result<()> {
    let Tally { imported, already, left_out, skipped, problems, was_stopped } = tally;
    let problems: Vec<_> =
        problems.iter().map(|(place, why)| json!({"place": place, "reason": why})).collect();
    let value = json!({
        "source": command.source.display().to_string(), "recipient": command.rcpt, "imported": imported, "already": already,
        "left_out": left_out, "skipped": skipped, "problems": problems, "stopped": was_stopped, "seconds": seconds,
    });
    let mut lines =
        vec![format!("Imported {} to {} in {seconds:.1} s.", counted(*imported, "mail"), command.rcpt)];
    for (count, words) in [
        (already, "there already"),
        (left_out, "left out: drafts and trash"),
        (skipped, "skipped: not mail that can be taken"),
    ] {
        if *count > 0 {
            lines.push(format!("  {count} {words}"));
        }
    }
    if *imported > 0 {
        lines.extend(next_steps(serve::is_running(&session.loaded)));
    }
    session.output().answer(&value, &lines.join("\n"))?;
    if *was_stopped {
        let next = "run the same command again to go on; no mail is taken twice";
        return Err(
            Failure::new("the import was stopped", "a signal asked for it", next).with_code(INTERRUPTED)
        );
    }
    if *skipped > 0 {
        let what = format!("{} not imported", counted(*skipped, "mail"));
        return Err(Failure::new(what, "each was reported with its reason", "everything else is in")
            .with_code(SOME_SKIPPED));
    }
    Ok(())
}

/// Where to see what becomes of the mails: how many of them are held is known when they are decided, not before.
fn next_steps(is_running: Option<bool>) -> Vec<String> {
    let decided = match is_running {
        Some(false) => "They become tickets as soon as the desk runs: `guichet serve`.",
        Some(true) => "The running desk makes tickets of them now.",
        None => "A running desk makes tickets of them.",
    };
    let held = "Some may be held back, such as automatic mail: see `guichet suspended list`; each mail's outcome: `guichet ledger list`.";
    vec![decided.to_owned(), held.to_owned()]
}
