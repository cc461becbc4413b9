//! What `guichet import` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `import`
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// What kind of source it is
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

/// What old mail is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceWord {
    /// A file of many mails, each after a From_ line
    Mbox,
    /// A folder with cur and new
    Maildir,
    /// A folder of .eml (or MH) files with all its subfolders, or one file
    Eml,
}
