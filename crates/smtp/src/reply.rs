//! Every sentence a session says: code, enhanced code (RFC 3463), plain words.
//!
//! A reply is one line without its CRLF. A reply starting with `5` counts as an error of the client.

use std::borrow::Cow;

use crate::config::{Config, Protocol};
use crate::step::{MailAnswer, RecipientAnswer};

/// One reply line without its CRLF.
pub(crate) type Reply = Cow<'static, str>;

const fn line(text: &'static str) -> Reply {
    Cow::Borrowed(text)
}

pub(crate) const BYE: Reply = line("221 2.0.0 goodbye");
pub(crate) const RESET: Reply = line("250 2.0.0 forgotten, begin again");
pub(crate) const NOTHING_DONE: Reply = line("250 2.0.0 nothing done");
pub(crate) const CHUNK_TAKEN: Reply = line("250 2.0.0 chunk taken");
pub(crate) const SENDER_TAKEN: Reply = line("250 2.1.0 sender taken");
pub(crate) const RECIPIENT_TAKEN: Reply = line("250 2.1.5 recipient taken");
pub(crate) const START_TLS: Reply = line("220 2.0.0 ready to start TLS");
pub(crate) const NOT_VERIFIED: Reply = line("252 2.5.2 addresses are checked at RCPT only");
pub(crate) const SEND_MAIL: Reply = line("354 send the mail, end it with a single dot on a line");

pub(crate) const TEMPORARY: Reply =
    line("451 4.3.0 the mail cannot be taken right now, please try again later");
pub(crate) const DIRECTORY_DOWN: Reply =
    line("451 4.3.0 the address cannot be checked right now, please try again later");
pub(crate) const NO_ROOM: Reply =
    line("452 4.3.1 too many large mails are coming in at once, please try again later");
pub(crate) const TOO_MANY_RECIPIENTS: Reply =
    line("452 4.5.3 too many recipients, please send the others separately");

pub(crate) const LINE_TOO_LONG: Reply = line("500 5.5.2 command line too long");
pub(crate) const LINE_BARE_NEWLINE: Reply =
    line("500 5.5.2 command line must end in CR LF and hold neither alone");
pub(crate) const LINE_NOT_TEXT: Reply = line("500 5.5.2 command line is not clean UTF-8 text");
pub(crate) const UNKNOWN_COMMAND: Reply = line("500 5.5.1 command not known, see HELP");
pub(crate) const NOT_HTTP: Reply = line("500 5.5.1 this is a mail server, goodbye");
pub(crate) const USE_LHLO: Reply = line("500 5.5.1 this is LMTP, please greet with LHLO");
pub(crate) const USE_EHLO: Reply = line("500 5.5.1 this is SMTP, please greet with EHLO");
pub(crate) const NOT_OFFERED: Reply = line("502 5.5.1 command not offered here");

pub(crate) const NO_ARGUMENT_ALLOWED: Reply = line("501 5.5.4 the command takes no argument");
pub(crate) const NAME_MISSING: Reply =
    line("501 5.5.4 please greet with your host name of at most 255 octets");
pub(crate) const MAIL_SYNTAX: Reply = line("501 5.5.4 expected MAIL FROM:<address>");
pub(crate) const RCPT_SYNTAX: Reply = line("501 5.5.4 expected RCPT TO:<address>");
pub(crate) const SENDER_INVALID: Reply = line("501 5.1.7 the sender is not a valid address");
pub(crate) const RECIPIENT_INVALID: Reply = line("501 5.1.3 the recipient is not a valid address");
pub(crate) const PARAMETER_INVALID: Reply = line("501 5.5.4 a parameter has a bad value or stands twice");
pub(crate) const PARAMETER_UNKNOWN: Reply = line("555 5.5.4 a parameter is not known here");
pub(crate) const NEEDS_SMTPUTF8: Reply = line("553 5.6.7 this address needs SMTPUTF8 to be declared at MAIL");
pub(crate) const CHUNK_SYNTAX: Reply = line("501 5.5.4 expected BDAT size [LAST], closing the connection");

pub(crate) const GREET_FIRST: Reply = line("503 5.5.1 please greet first");
pub(crate) const MAIL_OPEN: Reply = line("503 5.5.1 a mail is already begun, send RSET to forget it");
pub(crate) const MAIL_FIRST: Reply = line("503 5.5.1 please send MAIL first");
pub(crate) const NO_RECIPIENTS: Reply = line("503 5.5.1 no recipient was accepted");
pub(crate) const CHUNKS_BEGUN: Reply =
    line("503 5.5.1 the mail already comes in chunks, go on with BDAT or RSET");
pub(crate) const CHUNKS_FAILED: Reply = line("503 5.5.1 an earlier chunk was refused, send RSET");
pub(crate) const TLS_ALREADY: Reply = line("503 5.5.1 TLS is already on");

pub(crate) const TOO_LARGE: Reply = line("552 5.3.4 the mail is larger than this server takes");
pub(crate) const HEADER_TOO_LARGE: Reply = line("554 5.6.0 the header of the mail is too large");
pub(crate) const MAIL_LINE_TOO_LONG: Reply = line("554 5.6.0 the mail has a line that is too long");
pub(crate) const TOO_MANY_HOPS: Reply =
    line("554 5.4.6 the mail has passed too many servers, it runs in a circle");

/// The first line of a connection (RFC 5321 §3.1).
pub(crate) fn greeting(config: &Config) -> Reply {
    let protocol = match config.protocol {
        Protocol::Smtp => "ESMTP",
        Protocol::Lmtp => "LMTP",
    };
    format!("220 {} {protocol} Guichet", config.hostname).into()
}

pub(crate) fn hello(config: &Config) -> Reply {
    format!("250 {}", config.hostname).into()
}

pub(crate) fn unknown_recipient() -> Reply {
    line("550 5.1.1 nobody here has this address")
}

/// The lines of HELP, in order.
pub(crate) const HELP: [&str; 2] = [
    "214-2.0.0 EHLO HELO LHLO MAIL RCPT DATA BDAT RSET NOOP",
    "214 2.0.0 HELP VRFY STARTTLS QUIT, as in RFC 5321 and RFC 2033",
];

pub(crate) fn too_many_connections(config: &Config) -> Reply {
    format!("421 4.7.0 {} has too many connections, please try again later", config.hostname).into()
}

pub(crate) fn too_many_errors(config: &Config) -> Reply {
    format!("421 4.7.0 {} closes the connection after too many errors", config.hostname).into()
}

pub(crate) fn too_many_commands(config: &Config) -> Reply {
    format!("421 4.7.0 {} closes the connection after too many commands", config.hostname).into()
}

pub(crate) fn too_many_mails(config: &Config) -> Reply {
    format!("421 4.7.0 {} takes no more mails in this connection, please connect again", config.hostname)
        .into()
}

pub(crate) fn timed_out(config: &Config) -> Reply {
    format!("421 4.4.2 {} has waited too long, closing", config.hostname).into()
}

pub(crate) fn shutting_down(config: &Config) -> Reply {
    format!("421 4.3.2 {} is shutting down, please try again later", config.hostname).into()
}

pub(crate) fn recipient(answer: &RecipientAnswer) -> Reply {
    match answer {
        RecipientAnswer::Accepted => RECIPIENT_TAKEN,
        RecipientAnswer::Unknown => unknown_recipient(),
        RecipientAnswer::Temporary => DIRECTORY_DOWN,
    }
}

pub(crate) fn mail(answer: &MailAnswer) -> Reply {
    match answer {
        MailAnswer::Accepted { id } => format!("250 2.0.0 {} accepted", printable(id)).into(),
        MailAnswer::Temporary => TEMPORARY,
    }
}

/// Makes foreign text fit within one reply line (RFC 5321 §4.5.3.1.5: 512 octets).
fn printable(text: &str) -> String {
    let clean = |c: char| {
        if c == ' ' || c.is_ascii_graphic() { c } else { '?' }
    };
    text.chars().take(400).map(clean).collect()
}
