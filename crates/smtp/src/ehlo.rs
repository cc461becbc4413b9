//! EHLO, HELO and LHLO: the client names itself, the server says what it offers (RFC 5321 §4.1.1.1, RFC 2033 §4.1).

use crate::config::Protocol;
use crate::reply::{self, Reply};
use crate::session::{Flow, Session};

/// Longest name that is accepted, in octets (RFC 5321 §4.5.3.1.2).
const NAME_BYTES: usize = 255;

impl Session {
    pub(crate) fn ehlo(&mut self, name: &str) -> Flow {
        self.extended_hello(name, Protocol::Smtp, &reply::USE_LHLO)
    }

    pub(crate) fn lhlo(&mut self, name: &str) -> Flow {
        self.extended_hello(name, Protocol::Lmtp, &reply::USE_EHLO)
    }

    pub(crate) fn helo(&mut self, name: &str) -> Flow {
        if self.config.protocol != Protocol::Smtp {
            return self.fail(&reply::USE_LHLO);
        }
        if !self.greet(name) {
            return self.fail(&reply::NAME_MISSING);
        }
        self.say(&reply::hello(&self.config))
    }

    fn extended_hello(&mut self, name: &str, protocol: Protocol, wrong: &Reply) -> Flow {
        if self.config.protocol != protocol {
            return self.fail(wrong);
        }
        if !self.greet(name) {
            return self.fail(&reply::NAME_MISSING);
        }
        self.offer()
    }

    /// Stores the name and discards a message already begun (RFC 5321 §4.1.4).
    ///
    /// The name is not checked: RFC 5321 §4.1.4 forbids refusing mail because of it, and many clients do not
    /// know their own.
    fn greet(&mut self, name: &str) -> bool {
        let fits = (1..=NAME_BYTES).contains(&name.len());
        if fits {
            self.helo = Some(name.to_owned());
            self.envelope = None;
        }
        fits
    }

    fn offer(&mut self) -> Flow {
        self.say(&format!("250-{}", self.config.hostname));
        self.say("250-PIPELINING");
        self.say(&format!("250-SIZE {}", self.config.max_mail_bytes));
        if self.config.starttls && !self.tls {
            self.say("250-STARTTLS");
        }
        for extension in
            ["250-ENHANCEDSTATUSCODES", "250-8BITMIME", "250-SMTPUTF8", "250-CHUNKING", "250 HELP"]
        {
            self.say(extension);
        }
        None
    }
}
