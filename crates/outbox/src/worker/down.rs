//! Which destinations are left alone for a while, since mail to them would only fail.
//!
//! Pure: an attempt and the time in, what is known out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::attempt::{Attempt, Scope};

/// How long other mails to a destination that is down are not tried at all.
const HOST_DOWN: Duration = Duration::from_secs(10);
/// How long a lost connection counts when more follow.
const COUNTS_FOR: Duration = Duration::from_secs(60);

/// What is known of destinations that take no mail.
#[derive(Debug, Default)]
pub(super) struct Down {
    /// Until when each is left alone, and what it answered.
    down: BTreeMap<String, (Instant, String)>,
    /// How many connections in a row were lost in the middle of their conversation, and until when that counts.
    lost: BTreeMap<String, (Instant, usize)>,
}

impl Down {
    /// The answer of a destination that is left alone now.
    pub(super) fn answer(&self, destination: &str, now: Instant) -> Option<String> {
        self.down.get(destination).filter(|(until, _)| now < *until).map(|(_, answer)| answer.clone())
    }

    /// Notes what an attempt says of its destination. `in_a_row_max` lost connections in a row, without another result
    /// between them, mean that it is down.
    pub(super) fn note(&mut self, destination: &str, attempt: &Attempt, in_a_row_max: usize, now: Instant) {
        // Those that nobody asks for again are forgotten.
        self.down.retain(|_, (until, _)| now < *until);
        self.lost.retain(|_, (until, _)| now < *until);
        let is_down = match attempt.scope {
            Scope::Host => true,
            Scope::Recipient => false,
            Scope::Connection => {
                let (until, count) = self.lost.entry(destination.to_owned()).or_insert((now, 0));
                *until = now + COUNTS_FOR;
                *count += 1;
                if *count < in_a_row_max {
                    return;
                }
                true
            }
        };
        self.lost.remove(destination);
        if is_down {
            self.down.insert(destination.to_owned(), (now + HOST_DOWN, attempt.answer.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::Class;

    const AT: &str = "relay.example";

    fn of(scope: Scope) -> Attempt {
        Attempt::deferred(AT, Class::Closing, scope, format!("{scope:?}"))
    }

    #[test]
    fn a_destination_is_down_when_it_says_so_or_loses_connection_after_connection() {
        use Scope::{Connection, Host, Recipient};
        for (scopes, want) in [
            (&[Recipient, Recipient, Recipient, Recipient][..], None),
            (&[Host], Some("Host")),
            (&[Connection, Connection], None),
            (&[Connection, Connection, Connection], Some("Connection")),
            (&[Connection, Connection, Recipient, Connection, Connection], None),
        ] {
            let (mut down, now) = (Down::default(), Instant::now());
            scopes.iter().for_each(|scope| down.note(AT, &of(*scope), 3, now));
            assert_eq!(down.answer(AT, now).as_deref(), want, "{scopes:?}");
            assert_eq!(down.answer("other.example", now), None);
            assert_eq!(down.answer(AT, now + HOST_DOWN), None, "{scopes:?}");
        }
    }

    #[test]
    fn connections_lost_long_ago_do_not_count_and_are_forgotten() {
        let (mut down, now) = (Down::default(), Instant::now());
        down.note(AT, &of(Scope::Connection), 2, now);
        down.note("other.example", &of(Scope::Host), 2, now);
        let later = now + COUNTS_FOR;
        down.note(AT, &of(Scope::Connection), 2, later);
        assert_eq!(down.answer(AT, later), None);
        assert_eq!((down.down.len(), down.lost.len()), (0, 1));
        down.note(AT, &of(Scope::Connection), 2, later);
        assert_eq!(down.answer(AT, later).as_deref(), Some("Connection"));
    }
}
