//! What `guichet intake` takes.

use clap::Args;

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
