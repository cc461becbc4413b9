//! Which mails the sink defers and which it refuses: a mixture that follows from a seed and the outbox row alone.

use crate::load::chance::Chance;

/// A seeded mixture of answers: of ten mails about six are taken, two deferred once or twice, two refused.
#[derive(Debug, Clone, Copy)]
pub struct Refusals {
    /// Decides how each mail is treated.
    pub seed: u64,
}

/// What the sink does with one try of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// It says 250.
    Take,
    /// It says 4xx.
    Defer(When),
    /// It says 5xx.
    Refuse(When),
}

/// Which reply carries the bad news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The one to RCPT.
    Recipient,
    /// The one to the content.
    Content,
}

impl Refusals {
    /// What becomes of an outbox row at its `attempt`, counted from 1. The same row is refused at every attempt.
    pub fn treat(self, row: i64, attempt: usize) -> Treatment {
        let mut chance = Chance::new(self.seed ^ u64::from_ne_bytes(row.to_ne_bytes()).rotate_left(32));
        let when = if chance.odds(1, 2) { When::Recipient } else { When::Content };
        let deferrals = if chance.odds(1, 4) { 2 } else { 1 };
        match chance.between(1, 10) {
            1 | 2 => Treatment::Refuse(when),
            3 | 4 if attempt <= deferrals => Treatment::Defer(when),
            _ => Treatment::Take,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusals, Treatment};

    #[test]
    fn a_mail_is_refused_for_good_or_taken_in_the_end() {
        let refusals = Refusals { seed: 5 };
        let mut deferred = 0;
        let mut refused = 0;
        for row in 1..=1_000 {
            let third = refusals.treat(row, 3);
            match refusals.treat(row, 1) {
                Treatment::Take => assert_eq!(third, Treatment::Take),
                Treatment::Defer(_) => {
                    deferred += 1;
                    assert_eq!(third, Treatment::Take);
                }
                Treatment::Refuse(when) => {
                    refused += 1;
                    assert_eq!(third, Treatment::Refuse(when));
                }
            }
        }
        assert!((100..=300).contains(&deferred), "{deferred} of 1,000 deferred");
        assert!((100..=300).contains(&refused), "{refused} of 1,000 refused");
    }
}
