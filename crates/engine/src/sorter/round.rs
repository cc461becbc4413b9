//! A round through the announcements: which accounts with mail are begun, page by page. Each round begins where the one
//! before ended, in a circle of all accounts by their ids: all have their turn, whoever has the most to do.
//!
//! Reads nothing itself: it is told pages and says which one it wants next.

use store::work::Announced;

/// Announcements in a page at most.
const ANNOUNCEMENTS: usize = 512;
/// Announcements in a page at most, for each account that there is room for.
const ANNOUNCEMENTS_EACH: usize = 32;
/// Pages in a round at most.
const PAGES: usize = 8;

/// The page that a round wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Only accounts behind this one.
    pub(super) after: i64,
    /// Announcements at most.
    pub(super) limit: usize,
}

/// What was found on the way round.
#[derive(Debug)]
pub(super) struct Round {
    lap: Lap,
    /// The account looked at last; 0: none since the beginning of the circle.
    after: i64,
    pages: usize,
    room: usize,
    found: Vec<Announced>,
}

/// Where a round is.
#[derive(Debug, Clone, Copy)]
enum Lap {
    /// On its way to the last of all accounts; `begun` is the account behind which it began.
    ToTheEnd { begun: i64 },
    /// On its way from the first account to this one, which is still looked at.
    UpTo(i64),
    /// All the way round.
    Done,
}

impl Round {
    /// A round that begins behind an account (0: at the first of all) and finds as many accounts as there is room for.
    pub(super) fn new(after: i64, room: usize) -> Round {
        let lap = if after == 0 { Lap::UpTo(i64::MAX) } else { Lap::ToTheEnd { begun: after } };
        Round { lap, after, pages: 0, room, found: Vec::new() }
    }

    /// The page to read next; none when the round is over.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        if self.is_full() || self.pages >= PAGES || matches!(self.lap, Lap::Done) {
            return None;
        }
        Some(Wanted { after: self.after, limit: ANNOUNCEMENTS.min(self.room * ANNOUNCEMENTS_EACH) })
    }

    /// Takes in the page that was wanted; `is_all` tells that no account is behind it.
    pub(super) fn take(&mut self, page: Vec<Announced>, is_all: bool, is_free: impl Fn(i64) -> bool) {
        self.pages += 1;
        for account in page {
            if self.is_full() {
                return;
            }
            if self.is_behind(account.account_id) {
                self.lap = Lap::Done;
                return;
            }
            self.after = account.account_id;
            if is_free(account.account_id) {
                self.found.push(account);
            }
        }
        if is_all {
            self.after = 0;
            self.lap = match self.lap {
                Lap::ToTheEnd { begun } => Lap::UpTo(begun),
                Lap::UpTo(_) | Lap::Done => Lap::Done,
            };
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.room
    }

    /// Whether an account lies behind where this round ends.
    fn is_behind(&self, account_id: i64) -> bool {
        matches!(self.lap, Lap::UpTo(last) if account_id > last)
    }

    /// The accounts to begin, and the one behind which the next round begins.
    pub(super) fn end(self) -> (Vec<Announced>, i64) {
        (self.found, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accounts with one announcement for each time they are named in a row.
    fn announced(named: &[i64]) -> Vec<Announced> {
        let group = |ids: &[i64]| Announced {
            account_id: ids[0],
            rows: (1..).zip(ids).map(|(row, _)| (0, row)).collect(),
        };
        named.chunk_by(|left, right| left == right).map(group).collect()
    }

    fn ids(found: &[Announced]) -> Vec<i64> {
        found.iter().map(|account| account.account_id).collect()
    }

    #[test]
    fn a_round_finds_free_accounts_in_a_circle_as_many_as_there_is_room_for() {
        struct Case {
            name: &'static str,
            after: i64,
            room: usize,
            busy: &'static [i64],
            pages: &'static [(&'static [i64], bool)],
            asked: &'static [i64],
            found: &'static [i64],
            next_after: i64,
        }
        let plain = Case {
            name: "",
            after: 0,
            room: 9,
            busy: &[],
            pages: &[],
            asked: &[],
            found: &[],
            next_after: 0,
        };
        let cases = [
            Case { name: "nothing is announced", pages: &[(&[], true)], asked: &[0], ..plain },
            Case { name: "no room: nothing is read", after: 4, room: 0, next_after: 4, ..plain },
            Case {
                name: "one page holds all",
                pages: &[(&[1, 2, 3], true)],
                asked: &[0],
                found: &[1, 2, 3],
                ..plain
            },
            Case {
                name: "the next page begins behind the last account",
                pages: &[(&[1, 2], false), (&[5], true)],
                asked: &[0, 2],
                found: &[1, 2, 5],
                ..plain
            },
            Case {
                name: "behind the last account the first ones follow, up to where the round began",
                after: 3,
                pages: &[(&[4, 5], true), (&[1, 2, 3, 4, 5], true)],
                asked: &[3, 0],
                found: &[4, 5, 1, 2, 3],
                next_after: 3,
                ..plain
            },
            Case {
                name: "the second half, too, has several pages",
                after: 3,
                pages: &[(&[4], true), (&[1, 2], false), (&[3, 4], false)],
                asked: &[3, 0, 2],
                found: &[4, 1, 2, 3],
                next_after: 3,
                ..plain
            },
            Case {
                name: "nobody is left where the round began: it ends with the last account",
                after: 7,
                pages: &[(&[], true), (&[1, 2], true)],
                asked: &[7, 0],
                found: &[1, 2],
                ..plain
            },
            Case {
                name: "accounts at work are passed over",
                busy: &[1, 3],
                room: 2,
                pages: &[(&[1, 2, 3, 4, 5], true)],
                asked: &[0],
                found: &[2, 4],
                next_after: 4,
                ..plain
            },
            Case {
                name: "a page of accounts at work is not the end",
                busy: &[1, 2],
                pages: &[(&[1, 2], false), (&[3], true)],
                asked: &[0, 2],
                found: &[3],
                ..plain
            },
            Case {
                name: "room is used up within a page",
                after: 3,
                room: 2,
                pages: &[(&[4, 5, 6], true)],
                asked: &[3],
                found: &[4, 5],
                next_after: 5,
                ..plain
            },
            Case {
                name: "room is used up at the end of a page",
                room: 2,
                pages: &[(&[1, 2], false)],
                asked: &[0],
                found: &[1, 2],
                next_after: 2,
                ..plain
            },
            Case {
                name: "room is used up with the last account",
                after: 3,
                room: 2,
                pages: &[(&[4, 5], true)],
                asked: &[3],
                found: &[4, 5],
                ..plain
            },
            Case {
                name: "several announcements of an account take one place",
                room: 2,
                pages: &[(&[1, 1, 1, 2, 2, 3], true)],
                asked: &[0],
                found: &[1, 2],
                next_after: 2,
                ..plain
            },
            Case {
                name: "so many pages and no more",
                busy: &[1, 2, 3, 4, 5, 6, 7],
                pages: &[
                    (&[1], false),
                    (&[2], false),
                    (&[3], false),
                    (&[4], false),
                    (&[5], false),
                    (&[6], false),
                    (&[7], false),
                    (&[8], false),
                ],
                asked: &[0, 1, 2, 3, 4, 5, 6, 7],
                found: &[8],
                next_after: 8,
                ..plain
            },
        ];
        for case in cases {
            let mut round = Round::new(case.after, case.room);
            let (mut pages, mut asked) = (case.pages.iter(), Vec::new());
            while let Some(wanted) = round.wanted() {
                asked.push(wanted.after);
                let (page, is_all) =
                    pages.next().unwrap_or_else(|| panic!("{}: wants one page more", case.name));
                round.take(announced(page), *is_all, |id| !case.busy.contains(&id));
            }
            let (found, next_after) = round.end();
            assert_eq!((asked.as_slice(), ids(&found).as_slice()), (case.asked, case.found), "{}", case.name);
            assert_eq!(next_after, case.next_after, "{}", case.name);
        }
    }

    #[test]
    fn an_account_keeps_all_announcements_of_its_page() {
        let mut round = Round::new(0, 1);
        round.take(announced(&[4, 4, 4, 9]), true, |_| true);
        assert_eq!(round.end(), (announced(&[4, 4, 4]), 4));
    }

    #[test]
    fn a_page_is_as_long_as_there_is_room_up_to_a_limit() {
        for (room, limit) in [(1, 32), (15, 480), (16, 512), (17, 512), (64, 512)] {
            assert_eq!(Round::new(3, room).wanted(), Some(Wanted { after: 3, limit }), "room for {room}");
        }
    }

    #[test]
    fn with_little_room_all_accounts_have_their_turn() {
        let (mut after, mut begun) = (0, Vec::new());
        for _ in 0..5 {
            let mut round = Round::new(after, 2);
            while let Some(wanted) = round.wanted() {
                let behind: Vec<i64> = [1, 2, 3, 4, 5].into_iter().filter(|id| *id > wanted.after).collect();
                round.take(announced(&behind), true, |_| true);
            }
            let (found, next_after) = round.end();
            begun.extend(ids(&found));
            after = next_after;
        }
        assert_eq!(begun, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
    }
}
