//! The command line: every subcommand with its flags, as clap reads it.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

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

/// Flags of every subcommand; they may stand last on the line.
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
    /// Which account, where there are several
    #[arg(long, global = true, value_name = "SUBDOMAIN")]
    pub(crate) account: Option<String>,
    /// Set a key of the configuration, such as smtp.listen=0.0.0.0:25; may be repeated
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
    /// Bring in old mail; nobody is notified, and a mail that is there already is not taken again
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
    /// Read the configuration and tell every problem at once
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

/// `explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The mail as a file; - reads standard input
    #[arg(value_name = "MAIL.eml")]
    pub(crate) mail: PathBuf,
    /// An envelope recipient; may be repeated
    #[arg(long, required = true, value_name = "ADDR")]
    pub(crate) rcpt: Vec<String>,
    /// The return path [default: the address in From]
    #[arg(long, value_name = "ADDR", conflicts_with = "null_sender")]
    pub(crate) mail_from: Option<String>,
    /// The null return path <>, as bounces have it
    #[arg(long)]
    pub(crate) null_sender: bool,
}

/// `parse`
#[derive(Debug, Args)]
pub(crate) struct Parse {
    /// The mail as a file; - reads standard input
    #[arg(value_name = "MAIL.eml")]
    pub(crate) mail: PathBuf,
}

/// `intake`
#[derive(Debug, Args)]
pub(crate) struct Intake {
    /// An envelope recipient; may be repeated
    #[arg(long, required = true, value_name = "ADDR")]
    pub(crate) rcpt: Vec<String>,
    /// The return path; <>, MAILER-DAEMON or nothing is the null one [default: the From_ line, Return-Path, else From]
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true)]
    pub(crate) mail_from: Option<String>,
}

/// What old mail lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceWord {
    /// A file of many mails, each after a From_ line
    Mbox,
    /// A folder with cur and new
    Maildir,
    /// A folder of .eml (or MH) files, with all below it; or one file
    Eml,
}

/// `import`
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// What it is
    #[arg(value_enum, value_name = "KIND")]
    pub(crate) kind: SourceWord,
    /// Where it is; - reads an mbox from standard input
    pub(crate) source: PathBuf,
    /// The support address the mail came to
    #[arg(long, value_name = "ADDR")]
    pub(crate) rcpt: String,
    /// Take the subfolders of a Maildir too
    #[arg(long)]
    pub(crate) subfolders: bool,
}

/// `account …`
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Make an account with its default brand, support@ its native host, its first admin and an API token
    Create {
        /// Letters, digits and hyphens, such as acme
        subdomain: String,
        /// The first admin's address
        #[arg(long, value_name = "EMAIL")]
        admin: String,
        /// The company's name [default: the subdomain]
        #[arg(long)]
        name: Option<String>,
        /// The native host [default: SUBDOMAIN.{mail.domain}]
        #[arg(long, value_name = "HOST")]
        native_host: Option<String>,
    },
    /// List the accounts
    List,
}

/// `brand …`
#[derive(Debug, Subcommand)]
pub(crate) enum Brand {
    /// Add a brand with support@ its native host
    Add {
        /// Letters, digits and hyphens
        subdomain: String,
        /// The name customers see [default: the subdomain]
        #[arg(long)]
        name: Option<String>,
        /// The native host [default: SUBDOMAIN.{mail.domain}]
        #[arg(long, value_name = "HOST")]
        native_host: Option<String>,
    },
    /// List the brands
    List,
}

/// `setting …`
#[derive(Debug, Subcommand)]
pub(crate) enum Setting {
    /// List all settings: value, what is in force and from where, what is allowed
    List,
    /// Show all settings, or one
    Get {
        /// Its name
        key: Option<String>,
    },
    /// Change a setting
    Set {
        /// Its name
        key: String,
        /// Its value
        value: String,
    },
}

/// `address …`
#[derive(Debug, Subcommand)]
pub(crate) enum Address {
    /// Add a support address; mail is taken for it at once
    Add {
        /// The address
        email: String,
        /// Its brand, by name or subdomain [default: the brand of its host, else the default brand]
        #[arg(long)]
        brand: Option<String>,
        /// The name in From of answers
        #[arg(long)]
        name: Option<String>,
        /// Make it its brand's default
        #[arg(long)]
        default: bool,
    },
    /// List the support addresses
    List,
    /// Send a probe through the forward of an external address
    Check {
        /// The address
        email: String,
    },
    /// Remove a support address; its tickets stay
    Remove {
        /// The address
        email: String,
    },
    /// Make a verified address its brand's default
    Default {
        /// The address
        email: String,
    },
}

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleWord {
    /// Answers
    Agent,
    /// Answers and configures
    Admin,
    /// Asks
    EndUser,
}

/// `user …`
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a person, or give a known one another role
    Add {
        /// Their address
        email: String,
        /// What they may do [default: a known person keeps their role, a new one is end-user]
        #[arg(long, value_enum)]
        role: Option<RoleWord>,
        /// Their name [default: made from the address]
        #[arg(long)]
        name: Option<String>,
    },
    /// List the people
    List(Paging),
}

/// `token …`
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make an API token with a person's rights; it is shown this once
    Create {
        /// Whose rights it has
        #[arg(value_name = "EMAIL")]
        user: String,
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: String,
    },
    /// List the tokens, without their secrets
    List,
    /// Revoke a token
    Revoke {
        /// Its id
        id: i64,
    },
}

/// A status an agent may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusWord {
    /// Somebody works on it
    Open,
    /// We wait for the requester
    Pending,
    /// We wait for a third party
    Hold,
    /// Done
    Solved,
    /// Done for good
    Closed,
}

/// `ticket …`
#[derive(Debug, Subcommand)]
pub(crate) enum Ticket {
    /// List the tickets by number
    List(Paging),
    /// Show a ticket with its comments, its history and the reasons
    Show {
        /// Its number
        number: i64,
    },
    /// Answer a ticket, note something on it, or only set its status
    #[command(group(ArgGroup::new("audience").requires("text")), group(ArgGroup::new("text").requires("audience")))]
    #[command(group(ArgGroup::new("change").args(["body", "body_file", "status"]).multiple(true).required(true)))]
    Reply {
        /// Its number
        number: i64,
        /// The agent who answers
        #[arg(long = "as", value_name = "EMAIL")]
        agent: String,
        /// The requester, CCs and followers get it by mail
        #[arg(long, group = "audience")]
        public: bool,
        /// An internal note, which followers alone get by mail
        #[arg(long, group = "audience")]
        note: bool,
        /// The text
        #[arg(long, group = "text", value_name = "TEXT", allow_hyphen_values = true)]
        body: Option<String>,
        /// A file with the text; - reads standard input
        #[arg(long, group = "text", value_name = "FILE")]
        body_file: Option<PathBuf>,
        /// The status to set
        #[arg(long, value_enum)]
        status: Option<StatusWord>,
    },
}

/// `suspended …`
#[derive(Debug, Subcommand)]
pub(crate) enum Suspended {
    /// List held mail, newest first
    List {
        /// Only what is held for this cause
        #[arg(long, value_name = "N")]
        cause: Option<i64>,
        /// How much of it
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one: its cause, every reason, its text, and when it will be deleted
    Show {
        /// Its id
        id: i64,
    },
    /// Let held mail through: each becomes what it would have been
    Recover {
        /// Their ids
        #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "ID")]
        ids: Vec<i64>,
        /// All that is held
        #[arg(long)]
        all: bool,
        /// With --all: only what is held for this cause
        #[arg(long, value_name = "N", requires = "all")]
        cause: Option<i64>,
        /// Make it a comment on this ticket
        #[arg(long, value_name = "NUMBER", conflicts_with = "all")]
        into: Option<i64>,
        /// Make this agent the requester
        #[arg(long = "as", value_name = "AGENT", conflicts_with_all = ["all", "into"])]
        agent: Option<String>,
    },
    /// Delete held mail for good; its sender is not told
    Delete {
        /// Their ids
        #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "ID")]
        ids: Vec<i64>,
        /// All that is held
        #[arg(long)]
        all: bool,
        /// With --all: only what is held for this cause
        #[arg(long, value_name = "N", requires = "all")]
        cause: Option<i64>,
    },
}

/// `outbox …`
#[derive(Debug, Subcommand)]
pub(crate) enum Outbox {
    /// List outgoing mail, one row a recipient
    List(Paging),
    /// Try deferred mail now: all of it, or one row, which may also have expired
    Retry {
        /// The row
        id: Option<i64>,
    },
}

/// `ledger …`
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// List every mail in and out with its outcome, newest first
    List {
        /// Only the mail with this Message-ID, with or without <>
        #[arg(long, value_name = "ID")]
        message_id: Option<String>,
        /// How much of it
        #[command(flatten)]
        paging: Paging,
    },
    /// Decide a mail anew, after a fix or a changed setting
    Replay {
        /// The mail's id
        id: i64,
        /// Only tell what would become of it
        #[arg(long)]
        dry_run: bool,
    },
}

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Print the reference of all keys instead (Markdown)
    #[arg(long)]
    pub(crate) reference: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("guichet").chain(line.split(' ')))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn common_flags_stand_first_or_last() {
        for line in [
            "--json --data /d --config c.toml --account acme --set a.b=c ticket list",
            "ticket list --json --data /d --config c.toml --account acme --set a.b=c",
            "ticket --data /d list --limit 5 --json --account acme --config c.toml --set a.b=c",
        ] {
            let common = read(line).unwrap().common;
            let got = (common.json, common.data, common.config, common.account, common.set);
            let want = (
                true,
                Some("/d".into()),
                Some("c.toml".into()),
                Some("acme".into()),
                vec!["a.b=c".to_owned()],
            );
            assert_eq!(got, want, "{line}");
        }
    }

    #[test]
    fn every_documented_line_is_read() {
        for line in [
            "serve",
            "demo --data /tmp/demo",
            "explain mail.eml --rcpt a@x.example --rcpt b@x.example --mail-from c@y.example --json",
            "explain - --rcpt a@x.example --null-sender",
            "parse mail.eml --json",
            "parse -",
            "intake --rcpt a@x.example --rcpt b@x.example --mail-from <>",
            "intake --rcpt a@x.example",
            "import mbox old.mbox --rcpt a@x.example",
            "import maildir Maildir --rcpt a@x.example --subfolders --json",
            "import eml mails --rcpt a@x.example --account acme",
            "account create acme --admin a@x.example --name Acme --native-host support.x.example --json",
            "account list",
            "brand add acme-two --name Two",
            "brand list",
            "setting list",
            "setting get",
            "setting get wildcard",
            "setting set wildcard true",
            "address add help@x.example --brand acme --name Help --default",
            "address list",
            "address check help@x.example",
            "address remove help@x.example",
            "address default help@x.example",
            "user add bob@x.example --role agent --name Bob",
            "user list",
            "token create bob@x.example --name script",
            "token list",
            "token revoke 12",
            "ticket show 1",
            "ticket reply 1 --as bob@x.example --public --body Hello --status solved",
            "ticket reply 1 --as bob@x.example --note --body-file -",
            "ticket reply 1 --as bob@x.example --status pending",
            "suspended list",
            "suspended show 4",
            "outbox list",
            "outbox retry",
            "outbox retry 9",
            "ledger list --message-id <a@b> --limit 3",
            "check --reference",
            "doctor",
            "migrate",
        ] {
            assert!(read(line).is_ok(), "{line}: {}", read(line).unwrap_err());
        }
    }

    #[test]
    fn what_is_missing_or_contradicts_itself_is_refused_in_words() {
        for (line, want) in [
            ("ticket reply 1 --as a@x.example --body x", "<--public|--note>"),
            ("ticket reply 1 --as a@x.example --public", "<--body <TEXT>|--body-file <FILE>>"),
            ("ticket reply 1 --as a@x.example", "--status <STATUS>"),
            ("ticket reply 1 --as a@x.example --public --status open", "<--body <TEXT>|--body-file <FILE>>"),
            ("ticket reply 1 --as a@x.example --body x --status open", "<--public|--note>"),
            ("ticket reply 1 --as a@x.example --public --note --body x", "cannot be used with"),
            ("ticket reply 1 --public --body x", "--as <EMAIL>"),
            ("ticket reply one --as a@x.example --public --body x", "invalid value 'one'"),
            ("ticket reply 1 --as a@x.example --public --body x --status new", "invalid value 'new'"),
            ("explain mail.eml", "--rcpt <ADDR>"),
            (
                "explain mail.eml --rcpt a@x.example --mail-from b@x.example --null-sender",
                "cannot be used with",
            ),
            ("intake", "--rcpt <ADDR>"),
            ("import mbox old.mbox", "--rcpt <ADDR>"),
            ("import pst old.pst --rcpt a@x.example", "invalid value 'pst'"),
            ("account create acme", "--admin <EMAIL>"),
            ("user add a@x.example --role boss", "invalid value 'boss'"),
            ("ticket list --limit 0", "0 is not in 1.."),
            ("fly", "unrecognized subcommand 'fly'"),
        ] {
            let error = read(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(error.to_string().contains(want), "{line}: {error}");
        }
    }
}
