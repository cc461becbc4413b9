//! Identifies the verb of a command line, and handles the verbs that need only a sentence.

use crate::reply;
use crate::session::{Flow, Session};

/// Runs one command line, given without its CRLF.
pub(crate) fn run(session: &mut Session, line: &str) -> Flow {
    let line = line.trim_end_matches([' ', '\t']);
    let (verb, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let argument = argument.trim_start_matches([' ', '\t']);
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => session.ehlo(argument),
        "HELO" => session.helo(argument),
        "LHLO" => session.lhlo(argument),
        "MAIL" => session.mail(argument),
        "RCPT" => session.rcpt(argument),
        "DATA" => session.data(argument),
        "BDAT" => session.bdat(argument),
        "STARTTLS" => session.starttls(argument),
        "RSET" => reset(session, argument),
        "NOOP" => session.say(&reply::NOTHING_DONE),
        "VRFY" => session.say(&reply::NOT_VERIFIED),
        "HELP" => help(session),
        "QUIT" if argument.is_empty() => session.say_and_close(&reply::BYE),
        "QUIT" => session.fail(&reply::NO_ARGUMENT_ALLOWED),
        "EXPN" | "AUTH" | "ETRN" | "TURN" => session.fail(&reply::NOT_OFFERED),
        // A browser tricked into posting commands to this port must not get them executed.
        "GET" | "POST" | "PUT" | "HEAD" | "OPTIONS" | "CONNECT" => session.say_and_close(&reply::NOT_HTTP),
        _ => session.fail(&reply::UNKNOWN_COMMAND),
    }
}

fn reset(session: &mut Session, argument: &str) -> Flow {
    if !argument.is_empty() {
        return session.fail(&reply::NO_ARGUMENT_ALLOWED);
    }
    session.envelope = None;
    session.say(&reply::RESET)
}

fn help(session: &mut Session) -> Flow {
    for line in reply::HELP {
        session.say(line);
    }
    None
}
