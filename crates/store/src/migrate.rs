//! Migrations: numbered texts, one for both databases, forward only, each with its hash kept (CONTRIBUTING.md,
//! "Migrations").
//!
//! An empty database gets all of them in one transaction. One that is in use gets them step by step, each recorded when it
//! is done, so an interrupted migration goes on where it stopped. In a text one of these lines begins the next step:
//!
//! - `-- step`: its statements in one transaction, as those before the first such line;
//! - `-- outside a transaction`: its statements one by one, and all of them again when that was interrupted, so an index is
//!   dropped `IF EXISTS` before it is made. `{{concurrently}}` is CONCURRENTLY where that is known;
//! - `-- in pieces`: one statement that names a small batch of its own, repeated until it changes no row.
//!
//! `-- compatible from N` closes the database, from the first step on, to programs that do not know migration N.

mod history;
#[cfg(feature = "testing")]
mod partition;
mod place;
mod schema;
mod step;

use crate::dialect::{Layout, Tables};
use crate::error::Result;
use crate::sql::Sql as _;
use crate::tx::Tx;

use history::Applied;
pub(crate) use place::Place;
pub use schema::{Pending, Schema};
use step::{Kind, Step};

/// A numbered change of the schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, counting up from 1.
    pub number: i64,
    /// What it brings, in a word.
    pub name: &'static str,
    /// Its steps in SQL. Never edited once released: its hash is checked at every start.
    pub text: &'static str,
}

impl Migration {
    const fn new(number: i64, name: &'static str, text: &'static str) -> Migration {
        Migration { number, name, text }
    }
}

/// All migrations in order.
pub(crate) const MIGRATIONS: &[Migration] =
    &[Migration::new(1, "spine", include_str!("../migrations/0001_spine.sql"))];

/// How the database stands to the migrations of this program; changes nothing.
///
/// # Errors
/// [`crate::StoreError::Setup`] when a migration's text is not the one the database was made with.
pub(crate) fn look(tx: &mut Tx<'_>) -> Result<Schema> {
    schema::compare(&history::read(tx)?, MIGRATIONS)
}

/// Brings the schema up to date and returns the numbers of the migrations that were run now. Idempotent.
///
/// # Errors
/// [`crate::StoreError::Setup`] when a newer version closed the database to this one or a migration's text was changed.
pub(crate) fn run(place: &mut Place<'_>, known: &[Migration], tables: Tables) -> Result<Vec<i64>> {
    let all = known.to_vec();
    // A node whose role may not make tables starts all the same where there is nothing to make.
    if let Schema::Ready { .. } = place.write(move |tx| schema::compare(&history::read(tx)?, &all))? {
        return Ok(Vec::new());
    }
    let all = known.to_vec();
    if let Some(ran) = place.write(move |tx| create(tx, &all, tables))? {
        return Ok(ran);
    }
    let all = known.to_vec();
    let missing = match place.write(move |tx| schema::compare(&history::read(tx)?, &all))? {
        Schema::Behind(missing) => missing,
        Schema::Ready { .. } | Schema::Empty => return Ok(Vec::new()),
        closed @ Schema::Closed { .. } => return closed.check().map(|()| Vec::new()),
    };
    let mut ran = Vec::new();
    for migration in known.iter().filter(|known| missing.iter().any(|one| one.number == known.number)) {
        if run_steps(place, *migration)? {
            ran.push(migration.number);
        }
    }
    Ok(ran)
}

/// Runs everything at once where there is nothing of ours yet: nobody else can be at work on such a database, and one
/// whose creation was interrupted is as empty as before. None when there is something.
fn create(tx: &mut Tx<'_>, known: &[Migration], tables: Tables) -> Result<Option<Vec<i64>>> {
    history::make_table(tx)?;
    if !history::read(tx)?.is_empty() {
        return Ok(None);
    }
    let layout = Layout { tables, is_in_use: false };
    for migration in known {
        tx.batch(&tx.dialect().translate(migration.text, layout))?;
        #[cfg(feature = "testing")]
        if tables == Tables::Partitioned {
            tx.batch(&partition::text(migration.text))?;
        }
        history::insert(tx, &Applied::finished(migration))?;
    }
    Ok(Some(known.iter().map(|migration| migration.number).collect()))
}

/// What came of one turn at a migration.
enum Turn {
    /// A step, or a piece of one, was done.
    Worked,
    /// The step of this place must run outside a transaction.
    Outside(usize),
    /// No step is left.
    Finished,
}

/// Runs the steps of a migration that are not done yet, and says whether there were any.
fn run_steps(place: &mut Place<'_>, migration: Migration) -> Result<bool> {
    let layout = Layout { tables: Tables::Whole, is_in_use: true };
    let mut steps = step::parse(migration.text);
    for step in &mut steps {
        step.text = place.dialect().translate(&step.text, layout);
    }
    let mut is_ours = false;
    loop {
        let all = steps.clone();
        match place.write(move |tx| turn(tx, &migration, &all))? {
            Turn::Worked => {}
            Turn::Outside(at) => {
                place.outside(&steps.get(at).map(Step::statements).unwrap_or_default())?;
                place.write(move |tx| history::advance(tx, migration.number, at))?;
            }
            Turn::Finished => return Ok(is_ours),
        }
        is_ours = true;
    }
}

/// Looks where a migration stands and does what comes next, in the transaction that records it.
fn turn(tx: &mut Tx<'_>, migration: &Migration, steps: &[Step]) -> Result<Turn> {
    let at = history::begin(tx, migration)?;
    let Some(step) = steps.get(at) else { return Ok(Turn::Finished) };
    match step.kind {
        Kind::Outside => return Ok(Turn::Outside(at)),
        Kind::Whole => tx.batch(&step.text)?,
        Kind::Pieces if tx.execute(&step.only_statement()?, &[])? > 0 => return Ok(Turn::Worked),
        Kind::Pieces => {}
    }
    history::advance(tx, migration.number, at)?;
    Ok(Turn::Worked)
}
