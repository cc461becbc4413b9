//! Identifies the verb of a command line, and handles the verbs that need only a sentence.

use crate::reply;
use crate::session::{Flow, Session};

impl Session {
    /// Runs one command line, given without its CRLF.
    pub(crate) fn run(&mut self, line: &str) -> Flow {
        let line = line.trim_end_matches([' ', '\t']);
        let (verb, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let argument = argument.trim_start_matches([' ', '\t']);
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.ehlo(argument),
            "HELO" => self.helo(argument),
            "LHLO" => self.lhlo(argument),
            "MAIL" => self.mail(argument),
            "RCPT" => self.rcpt(argument),
            "DATA" => self.data(argument),
            "BDAT" => self.bdat(argument),
            "STARTTLS" => self.starttls(argument),
            "RSET" => self.reset(argument),
            "NOOP" => self.say(&reply::NOTHING_DONE),
            "VRFY" => self.say(&reply::NOT_VERIFIED),
            "HELP" => self.help(),
            "QUIT" if argument.is_empty() => self.say_and_close(&reply::BYE),
            "QUIT" => self.fail(&reply::NO_ARGUMENT_ALLOWED),
            "EXPN" | "AUTH" | "ETRN" | "TURN" => self.fail(&reply::NOT_OFFERED),
            // A browser tricked into posting commands to this port must not get them executed.
            "GET" | "POST" | "PUT" | "HEAD" | "OPTIONS" | "CONNECT" => self.say_and_close(&reply::NOT_HTTP),
            _ => self.fail(&reply::UNKNOWN_COMMAND),
        }
    }

    fn reset(&mut self, argument: &str) -> Flow {
        if !argument.is_empty() {
            return self.fail(&reply::NO_ARGUMENT_ALLOWED);
        }
        self.envelope = None;
        self.say(&reply::RESET)
    }

    fn help(&mut self) -> Flow {
        for line in reply::HELP {
            self.say(line);
        }
        None
    }
}
