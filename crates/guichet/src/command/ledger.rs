//! `guichet ledger`: what became of every mail, in and out.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::ledger::Row;

use super::{Session, Wanted, suspended};
use crate::cli;
use crate::clock::{short, written};
use crate::failure::{Doing as _, Result};
use crate::output::{List, tame};

/// Runs `ledger …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Ledger) -> Result<()> {
    let account = session.account().await?;
    let (message_id, paging) = match command {
        cli::Ledger::List { message_id, paging } => (message_id, paging),
        cli::Ledger::Replay { id, dry_run } => return replay(session, account, *id, *dry_run).await,
    };
    let wanted = Wanted::of(*paging);
    let mut output = session.output();
    let mut list = output.list(&["ID", "AT", "DIR", "OUTCOME", "TICKET", "MESSAGE-ID", "REASON"])?;
    let mut reader = Reader { session, account, wanted };
    match message_id {
        Some(id) => {
            let id = id.trim().trim_start_matches('<').trim_end_matches('>').to_owned();
            reader.of_message_id(&mut list, id).await?;
        }
        None => reader.everything(&mut list).await?,
    }
    list.end("No mail yet.")
}

async fn replay(session: &Session<'_>, account: i64, id: i64, dry_run: bool) -> Result<()> {
    let done = session.engine().await?.replay(account, id, !dry_run).await;
    let done = done.map_err(|error| suspended::refused(&error, "the mail was not decided anew"))?;
    let value = json!({
        "id": id,
        "before": done.before,
        "outcome": done.outcome.as_str(),
        "ticket": done.ticket,
        "changed": done.is_changed,
        "reasons": done.reasons,
    });
    let ticket = done.ticket.map(|number| format!(", ticket {number}")).unwrap_or_default();
    let first = match (done.is_changed, dry_run) {
        (true, _) => format!("Mail {id} was {}; now it is {}{ticket}.", done.before, done.outcome.as_str()),
        (false, true) => {
            format!("Mail {id} is {}; decided today it would be {}. Nothing was written.", done.before, done.outcome.as_str())
        }
        (false, false) => format!("Mail {id} stays {}: nothing has changed.", done.before),
    };
    let reasons = done.reasons.iter().enumerate().map(|(at, reason)| format!("\n  {}. {reason}", at + 1));
    session.output().answer(&value, &tame(&(first + &reasons.collect::<String>())))
}

struct Reader<'s> {
    session: &'s Session<'s>,
    account: i64,
    wanted: Wanted,
}

type Printed<'o> = List<'o, std::io::StdoutLock<'static>>;

impl Reader<'_> {
    /// Decided mails, then undecided ones, then ours.
    ///
    /// The undecided ones are read first: a mail that is decided while the list is made is found among the decided ones or
    /// is still remembered, and so is in the list once, never twice and never not at all.
    async fn everything(&mut self, list: &mut Printed<'_>) -> Result<()> {
        let (account, store) = (self.account, &self.session.store);
        let undecided = store.read(move |tx| store::ledger::undecided(tx, account, i64::MAX)).await;
        let undecided = undecided.doing("the spool cannot be read")?;
        let waiting: BTreeSet<i64> = undecided.iter().map(|row| row.id).collect();
        let mut decided_meanwhile = BTreeSet::new();
        self.pages(list, store::ledger::decided, |row| {
            if waiting.contains(&row.id) {
                decided_meanwhile.insert(row.id);
            }
            true
        })
        .await?;
        for row in undecided.iter().filter(|row| !decided_meanwhile.contains(&row.id)) {
            if self.wanted.page().is_none() {
                break;
            }
            print(list, row)?;
            self.wanted.took(1, 1);
        }
        self.pages(list, store::ledger::outgoing, |_| true).await
    }

    async fn of_message_id(&mut self, list: &mut Printed<'_>, id: String) -> Result<()> {
        let (account, wanted) = (self.account, id.clone());
        let found = self.session.store.read(move |tx| store::ledger::by_message_id(tx, account, &wanted)).await;
        for row in found.doing("the ledger cannot be read")? {
            if self.wanted.page().is_none() {
                break;
            }
            print(list, &row)?;
            self.wanted.took(1, 1);
        }
        self.pages(list, store::ledger::outgoing, |row| row.message_id == id).await
    }

    /// Prints the rows of one kind that are wanted, page by page.
    async fn pages(
        &mut self,
        list: &mut Printed<'_>,
        read: fn(&mut store::Tx<'_>, i64, i64, i64) -> store::Result<Vec<Row>>,
        mut is_wanted: impl FnMut(&Row) -> bool,
    ) -> Result<()> {
        let (account, mut after) = (self.account, 0);
        let page = i64::try_from(super::PAGE).unwrap_or(i64::MAX);
        loop {
            let rows = self.session.store.read(move |tx| read(tx, account, after, page)).await;
            let rows = rows.doing("the ledger cannot be read")?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            for row in &rows {
                if is_wanted(row) {
                    if self.wanted.page().is_none() {
                        return Ok(());
                    }
                    print(list, row)?;
                    self.wanted.took(1, 1);
                }
            }
        }
    }
}

fn print(list: &mut Printed<'_>, row: &Row) -> Result<()> {
    let ticket = row.ticket.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let outcome = match (&row.outcome, row.direction) {
        (Some(outcome), _) => outcome.clone(),
        (None, "in") => "undecided".to_owned(),
        (None, _) => "-".to_owned(),
    };
    let cells = [
        row.id.to_string(),
        short(row.at),
        row.direction.to_owned(),
        outcome,
        ticket,
        row.message_id.clone(),
        row.reason.clone(),
    ];
    list.row(&as_json(row), cells)
}

fn as_json(row: &Row) -> Value {
    json!({
        "id": row.id,
        "direction": row.direction,
        "message_id": row.message_id,
        "outcome": row.outcome,
        "reason": row.reason,
        "reasons": row.reasons,
        "ticket": row.ticket,
        "at": written(row.at),
    })
}
