//! The extensions that a server offers in its answer to EHLO (RFC 5321 §4.1.1.1). Pure.

use crate::reply::Reply;

/// What the server's EHLO answer offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    pub(crate) starttls: bool,
    pub(crate) eight_bit: bool,
    pub(crate) smtputf8: bool,
    /// The largest mail in bytes; `None`: SIZE not offered; 0: offered without a limit (RFC 1870 §4).
    pub(crate) size: Option<u64>,
    pub(crate) auth_plain: bool,
    pub(crate) auth_login: bool,
}

impl Extensions {
    /// Reads the whole EHLO answer; what it does not know is ignored.
    pub(crate) fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        // The first line is the server's name.
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            // Old servers write AUTH=LOGIN PLAIN.
            let mut words = line.split([' ', '=']);
            match words.next().unwrap_or_default() {
                "STARTTLS" => offers.starttls = true,
                "8BITMIME" => offers.eight_bit = true,
                "SMTPUTF8" => offers.smtputf8 = true,
                "SIZE" => offers.size = Some(words.next().and_then(|limit| limit.parse().ok()).unwrap_or(0)),
                "AUTH" => words.for_each(|mechanism| match mechanism {
                    "PLAIN" => offers.auth_plain = true,
                    "LOGIN" => offers.auth_login = true,
                    _ => {}
                }),
                _ => {}
            }
        }
        offers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_from_the_ehlo_answer() {
        let read = |lines: &[&str]| {
            let lines = ["mx.example"].iter().chain(lines).map(ToString::to_string).collect();
            Extensions::read(&Reply { code: 250, lines })
        };
        let none = Extensions::default();
        for (lines, want) in [
            (&[][..], none.clone()),
            (&["starttls"], Extensions { starttls: true, ..none.clone() }),
            (&["8bitmime", "SMTPUTF8"], Extensions { eight_bit: true, smtputf8: true, ..none.clone() }),
            (&["SIZE 35882577"], Extensions { size: Some(35_882_577), ..none.clone() }),
            (&["SIZE"], Extensions { size: Some(0), ..none.clone() }),
            (&["SIZE lots"], Extensions { size: Some(0), ..none.clone() }),
            (&["AUTH LOGIN XOAUTH2"], Extensions { auth_login: true, ..none.clone() }),
            (&["AUTH=plain"], Extensions { auth_plain: true, ..none.clone() }),
            (&["HELP STARTTLS"], none.clone()),
        ] {
            assert_eq!(read(lines), want, "{lines:?}");
        }
        // The first line is only a name, whatever it says.
        assert_eq!(Extensions::read(&Reply { code: 250, lines: vec!["STARTTLS".to_owned()] }), none);
    }
}
