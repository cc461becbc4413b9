//! The command line: every subcommand with its flags, as clap reads it; those of `command/NOUN.rs` are in `cli/NOUN.rs`.

mod account;
mod address;
mod brand;
mod check;
mod explain;
mod import;
mod intake;
mod ledger;
mod outbox;
mod parse;
mod setting;
mod suspended;
mod ticket;
mod token;
mod user;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use account::Account;
pub(crate) use address::Address;
pub(crate) use brand::Brand;
pub(crate) use check::Check;
pub(crate) use explain::Explain;
pub(crate) use import::{Import, SourceWord};
pub(crate) use intake::Intake;
pub(crate) use ledger::Ledger;
pub(crate) use outbox::Outbox;
pub(crate) use parse::Parse;
pub(crate) use setting::Setting;
pub(crate) use suspended::Suspended;
pub(crate) use ticket::{StatusWord, Ticket};
pub(crate) use token::Token;
pub(crate) use user::{RoleWord, User};

/// A self-hosted help desk for e-mail: people write to a support address, their mail becomes a ticket, agents answer.
#[derive(Debug, Parser)]
#[command(name = "guichet", version, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// What every subcommand takes.
    #[command(flatten)]
    pub(crate) common: Common,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every subcommand; they may come last on the line.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Configuration file [default: ./guichet.toml, then guichet.toml in the data folder]
    #[arg(long, global = true, value_name = "FILE", env = "GUICHET_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Data folder [default: ./guichet-data]
    #[arg(long, global = true, value_name = "DIR", env = "GUICHET_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Which account, if there are several
    #[arg(long, global = true, value_name = "SUBDOMAIN")]
    pub(crate) account: Option<String>,
    /// Set a configuration key, such as smtp.listen=0.0.0.0:25; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Every subcommand.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the desk: doors, engine, outbox, pages
    Serve,
    /// Run a desk with a sample account and sample mail
    Demo,
    /// Say what would become of a mail, and why; writes nothing
    Explain(Explain),
    /// Say what the parser sees in a mail; needs no desk
    Parse(Parse),
    /// Take one mail from standard input: for the pipe of a mail server
    Intake(Intake),
    /// Bring in old mail; nobody is notified, and no mail is taken twice
    Import(Import),
    /// Accounts of this installation
    #[command(subcommand)]
    Account(Account),
    /// Brands of an account
    #[command(subcommand)]
    Brand(Brand),
    /// Settings of an account
    #[command(subcommand)]
    Setting(Setting),
    /// Support addresses of an account
    #[command(subcommand)]
    Address(Address),
    /// People of an account
    #[command(subcommand)]
    User(User),
    /// API tokens of an account
    #[command(subcommand)]
    Token(Token),
    /// Tickets
    #[command(subcommand)]
    Ticket(Ticket),
    /// Mail held back
    #[command(subcommand)]
    Suspended(Suspended),
    /// Mail on its way out
    #[command(subcommand)]
    Outbox(Outbox),
    /// What became of every mail
    #[command(subcommand)]
    Ledger(Ledger),
    /// Read the configuration and report every problem at once
    Check(Check),
    /// Look at a desk's health and say what to do
    Doctor,
    /// Bring the database's tables up to date
    Migrate,
}

/// How much of a list.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Paging {
    /// Print at most this many rows [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}
