//! The flat cases: what a desk already holds when it is measured.

use std::str::FromStr;

/// What a desk already holds when the load begins; the figures should not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// One account with this many support addresses, all written to.
    Addresses(usize),
    /// This many accounts with one address each, all written to.
    Accounts(usize),
    /// One account with this many tickets.
    Tickets(usize),
}

impl FromStr for With {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let complaint = || format!("{text:?} is none of addresses=N, accounts=N, tickets=N");
        let (what, number) = text.split_once('=').ok_or_else(complaint)?;
        let number = number.replace('_', "").parse().map_err(|_| complaint())?;
        match what {
            "addresses" => Ok(Self::Addresses(number)),
            "accounts" => Ok(Self::Accounts(number)),
            "tickets" => Ok(Self::Tickets(number)),
            _ => Err(complaint()),
        }
    }
}

impl std::fmt::Display for With {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Addresses(number) => write!(out, "addresses={number}"),
            Self::Accounts(number) => write!(out, "accounts={number}"),
            Self::Tickets(number) => write!(out, "tickets={number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::With;

    #[test]
    fn flat_cases_are_read_as_they_are_written() {
        for (text, want) in [
            ("addresses=3000", Ok(With::Addresses(3_000))),
            ("tickets=1_000_000", Ok(With::Tickets(1_000_000))),
            ("accounts=10", Ok(With::Accounts(10))),
        ] {
            assert_eq!(text.parse(), want);
        }
        assert!("people=3".parse::<With>().is_err());
        assert!("tickets".parse::<With>().is_err());
    }
}
