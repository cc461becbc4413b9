//! The program: configuration, wiring, command line. It holds none of the desk's rules; it opens the rooms and lets
//! them work.

mod cli;
mod clock;
mod command;
mod config;
mod demo;
mod failure;
mod http;
mod letter_view;
mod open;
mod output;
mod serve;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use cli::Cli;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match command::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.text(cli.common.json));
            ExitCode::from(failure.code)
        }
    }
}

/// Help and version go to standard output and are no failure; a wrong line ends with 2, or in a mail server's pipe with
/// the code that mail servers know.
fn usage(error: &clap::Error) -> ExitCode {
    let as_json = std::env::args_os().any(|argument| argument == "--json");
    if as_json && error.use_stderr() {
        eprintln!("{}", unreadable(error).text(true));
    } else {
        // If nobody reads it, nothing can be done.
        let _ = error.print();
    }
    if error.use_stderr() && is_pipe(std::env::args_os()) {
        return ExitCode::from(command::EX_USAGE);
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Whether the subcommand of a line that could not be read is `intake`.
fn is_pipe(arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let line = Cli::command();
    let named = arguments.skip(1).find(|word| line.get_subcommands().any(|known| *word == *known.get_name()));
    named.is_some_and(|word| word == "intake")
}

/// A line that cannot be read, with everything clap says about it: the missing arguments are named below its first line.
fn unreadable(error: &clap::Error) -> failure::Failure {
    let text = error.to_string();
    let why = text.trim().trim_start_matches("error: ");
    let what = why.lines().next().unwrap_or_default().trim_end_matches(':');
    failure::Failure::new(what, why, "see `guichet help`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_known_by_its_subcommand() {
        let is = |line: &str| is_pipe(line.split(' ').map(Into::into));
        assert!(is("guichet intake --bad") && is("guichet --data /d intake"));
        assert!(!is("guichet ticket --data intake") && !is("guichet") && !is("guichet fly"));
    }

    #[test]
    fn a_line_that_cannot_be_read_names_what_is_missing() {
        let error = Cli::try_parse_from(["guichet", "explain", "mail.eml", "--json"]).unwrap_err();
        let failure = unreadable(&error);
        assert_eq!(failure.what, "the following required arguments were not provided");
        assert!(failure.why.contains("--rcpt <ADDR>"), "{}", failure.why);
    }
}
