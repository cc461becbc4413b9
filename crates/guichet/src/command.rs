//! The subcommands: each opens what it needs, asks a room, prints the answer.

mod account;
mod address;
mod brand;
mod check;
mod doctor;
mod explain;
mod import;
mod intake;
mod ledger;
mod migrate;
mod outbox;
mod parse;
mod setting;
mod suspended;
mod ticket;
mod token;
mod user;

use std::io::StdoutLock;

use desk::id::AccountId;
use engine::Engine;
use store::Store;

use crate::cli::{self, Cli, Common};
use crate::config::Loaded;
use crate::failure::{Doing as _, Result};
use crate::output::Output;
use crate::{demo, open, serve};

pub(crate) use intake::EX_USAGE;

/// Rows that a list reads from the store at once.
const PAGE: u64 = 500;

/// What a command on a desk works with.
struct Session<'a> {
    common: &'a Common,
    loaded: Loaded,
    store: Store,
}

impl Session<'_> {
    async fn account(&self) -> Result<AccountId> {
        open::account(&self.store, self.common.account.as_deref()).await
    }

    async fn engine(&self) -> Result<Engine> {
        open::engine(&self.store, &self.loaded).await
    }

    fn output(&self) -> Output<StdoutLock<'static>> {
        Output::standard(self.common.json)
    }

    /// A native host below `mail.domain`.
    fn native_host(&self, subdomain: &str, named: Option<&str>) -> String {
        let made = || format!("{}.{}", subdomain.trim().to_lowercase(), self.loaded.config.mail.domain);
        named.map_or_else(made, str::to_owned)
    }
}

/// How many rows a list still wants, page by page.
#[derive(Debug, Clone, Copy)]
struct Wanted(u64);

impl Wanted {
    const ALL: Wanted = Wanted(u64::MAX);

    fn of(paging: cli::Paging) -> Wanted {
        Wanted(paging.limit.unwrap_or(Wanted::ALL.0))
    }

    /// The size of the next page; none when the list has enough.
    fn page(self) -> Option<i64> {
        i64::try_from(self.0.min(PAGE)).ok().filter(|page| *page > 0)
    }

    /// Everything at once, for what the store does not page.
    fn all(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Notes a page and says whether another one may follow.
    fn took(&mut self, rows: usize, page: i64) -> bool {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.0 = self.0.saturating_sub(rows);
        i64::try_from(rows).is_ok_and(|rows| rows >= page)
    }
}

/// Runs a subcommand to its end.
///
/// # Errors
/// What happened, why, what to do next.
pub(crate) fn run(cli: &Cli) -> Result<()> {
    match &cli.command {
        cli::Command::Serve => serve::run(&cli.common),
        cli::Command::Demo => demo::run(&cli.common),
        cli::Command::Check(check) => check::run(&cli.common, check),
        cli::Command::Doctor => doctor::run(&cli.common),
        cli::Command::Migrate => migrate::run(&cli.common),
        cli::Command::Intake(command) => intake::run(&cli.common, command),
        cli::Command::Parse(command) => parse::run(&cli.common, command),
        command => on_desk(&cli.common, command),
    }
}

fn on_desk(common: &Common, command: &cli::Command) -> Result<()> {
    let loaded = open::configuration(common)?;
    let makes_desk = matches!(command, cli::Command::Account(cli::Account::Create { .. }));
    let store =
        if makes_desk { open::new_or_existing_store(&loaded)? } else { open::existing_store(&loaded)? };
    let session = Session { common, loaded, store };
    runtime()?.block_on(async {
        match command {
            cli::Command::Explain(command) => explain::run(&session, command).await,
            cli::Command::Import(command) => import::run(&session, command).await,
            cli::Command::Account(command) => account::run(&session, command).await,
            cli::Command::Brand(command) => brand::run(&session, command).await,
            cli::Command::Setting(command) => setting::run(&session, command).await,
            cli::Command::Address(command) => address::run(&session, command).await,
            cli::Command::User(command) => user::run(&session, command).await,
            cli::Command::Token(command) => token::run(&session, command).await,
            cli::Command::Ticket(command) => ticket::run(&session, command).await,
            cli::Command::Suspended(command) => suspended::run(&session, command).await,
            cli::Command::Outbox(command) => outbox::run(&session, command).await,
            cli::Command::Ledger(command) => ledger::run(&session, command).await,
            cli::Command::Serve
            | cli::Command::Demo
            | cli::Command::Check(_)
            | cli::Command::Doctor
            | cli::Command::Migrate
            | cli::Command::Intake(_)
            | cli::Command::Parse(_) => Ok(()),
        }
    })
}

/// A small runtime for a command.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .doing("the program could not start its runtime")
}

/// A file, or standard input for `-`.
fn read_file(path: &std::path::Path) -> Result<Vec<u8>> {
    let read = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.doing(&format!("{} cannot be read", path.display()))
}
