//! A walk around the accounts that are due: which of them are claimed, page by page. Each walk begins where the one before ended,
//! in a circle of all accounts by the times they are due: all have their turn, whichever has the most to do.
//!
//! Reads nothing itself: it is told pages and says which one it wants next.

use desk::clock::Millis;
use desk::id::AccountId;

use crate::work::Due;

/// Accounts in a page at most.
const PAGE: usize = 512;
/// Pages in a walk at most.
const PAGES: usize = 8;

/// The page that a walk wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Only accounts after this place.
    pub(super) after: Due,
    /// Accounts at most.
    pub(super) limit: usize,
}

/// What was found on the way.
#[derive(Debug)]
pub(super) struct Circle {
    lap: Lap,
    /// The place looked at last; [`Due::FIRST`]: none since the beginning of the circle.
    after: Due,
    pages: usize,
    room: usize,
    found: Vec<AccountId>,
}

/// Where a walk is.
#[derive(Debug, Clone, Copy)]
enum Lap {
    /// On its way to the last of all accounts; `begun` is the place after which it began.
    ToTheEnd { begun: Due },
    /// On its way from the first account to this place, which is still looked at.
    UpTo(Due),
    /// All the way around.
    Done,
}

/// After every account.
const END: Due = Due { at: Millis::MAX, account_id: AccountId(i64::MAX) };

impl Circle {
    /// A walk that begins after a place ([`Due::FIRST`]: at the first of all) and finds as many accounts as there is room for.
    pub(super) fn new(after: Due, room: usize) -> Circle {
        let lap = if after == Due::FIRST { Lap::UpTo(END) } else { Lap::ToTheEnd { begun: after } };
        Circle { lap, after, pages: 0, room, found: Vec::new() }
    }

    /// The page to read next; none when the walk is over.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        if self.is_full() || self.pages >= PAGES || matches!(self.lap, Lap::Done) {
            return None;
        }
        Some(Wanted { after: self.after, limit: PAGE })
    }

    /// Takes in the page that was wanted; `is_all` tells that no account comes after it.
    pub(super) fn take(&mut self, page: &[Due], is_all: bool, is_free: impl Fn(AccountId) -> bool) {
        self.pages += 1;
        for due in page {
            if self.is_full() {
                return;
            }
            if matches!(self.lap, Lap::UpTo(last) if *due > last) {
                self.lap = Lap::Done;
                return;
            }
            self.after = *due;
            let account = due.account_id;
            // One that became due again on the way is met twice.
            if is_free(account) && !self.found.contains(&account) {
                self.found.push(account);
            }
        }
        if is_all {
            self.after = Due::FIRST;
            self.lap = match self.lap {
                Lap::ToTheEnd { begun } => Lap::UpTo(begun),
                Lap::UpTo(_) | Lap::Done => Lap::Done,
            };
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() >= self.room
    }

    /// The accounts to claim, and the place after which the next walk begins.
    pub(super) fn end(self) -> (Vec<AccountId>, Due) {
        (self.found, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    const USUAL: Case =
        Case { name: "", after: 0, room: 9, busy: &[], pages: &[], asked: &[], found: &[], next_after: 0 };

    /// A place in the circle: each account is due at ten times its id.
    fn place(account: i64) -> Due {
        Due { at: Millis(account * 10), account_id: AccountId(account) }
    }

    #[test]
    fn a_walk_finds_free_accounts_in_a_circle_as_many_as_there_is_room_for() {
        let cases = [
            Case { name: "nothing is due", pages: &[(&[], true)], asked: &[0], ..USUAL },
            Case { name: "no room: nothing is read", after: 4, room: 0, next_after: 4, ..USUAL },
            Case {
                name: "one page holds all",
                pages: &[(&[1, 2, 3], true)],
                asked: &[0],
                found: &[1, 2, 3],
                ..USUAL
            },
            Case {
                name: "the next page begins after the last account",
                pages: &[(&[1, 2], false), (&[5], true)],
                asked: &[0, 2],
                found: &[1, 2, 5],
                ..USUAL
            },
            Case {
                name: "after the last account the first ones follow, up to where the walk began",
                after: 3,
                pages: &[(&[4, 5], true), (&[1, 2, 3, 4, 5], true)],
                asked: &[3, 0],
                found: &[4, 5, 1, 2, 3],
                next_after: 3,
                ..USUAL
            },
            Case {
                name: "nobody is left where the walk began: it ends with the last account",
                after: 7,
                pages: &[(&[], true), (&[1, 2], true)],
                asked: &[7, 0],
                found: &[1, 2],
                ..USUAL
            },
            Case {
                name: "accounts at work or left alone are passed over",
                busy: &[1, 3],
                room: 2,
                pages: &[(&[1, 2, 3, 4, 5], true)],
                asked: &[0],
                found: &[2, 4],
                next_after: 4,
                ..USUAL
            },
            Case {
                name: "room is used up within a page",
                after: 3,
                room: 2,
                pages: &[(&[4, 5, 6], true)],
                asked: &[3],
                found: &[4, 5],
                next_after: 5,
                ..USUAL
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
                ..USUAL
            },
        ];
        for case in cases {
            let begun = if case.after == 0 { Due::FIRST } else { place(case.after) };
            let mut circle = Circle::new(begun, case.room);
            let mut pages = case.pages.iter();
            let mut asked = Vec::new();
            while let Some(wanted) = circle.wanted() {
                asked.push(wanted.after.account_id.0);
                let (page, is_all) =
                    pages.next().unwrap_or_else(|| panic!("{}: wants one page more", case.name));
                let page: Vec<Due> = page.iter().map(|account| place(*account)).collect();
                circle.take(&page, *is_all, |account| !case.busy.contains(&account.0));
            }
            let (found, after) = circle.end();
            let found: Vec<i64> = found.iter().map(|account| account.0).collect();
            assert_eq!(asked, case.asked, "pages of {}", case.name);
            assert_eq!(found, case.found, "found: {}", case.name);
            assert_eq!(after.account_id.0, case.next_after, "where the next begins: {}", case.name);
        }
    }

    #[test]
    fn with_little_room_all_accounts_have_their_turn() {
        let mut after = Due::FIRST;
        let mut begun = Vec::new();
        for _ in 0..5 {
            let mut circle = Circle::new(after, 2);
            while let Some(wanted) = circle.wanted() {
                let later: Vec<Due> = (1..=5).map(place).filter(|due| *due > wanted.after).collect();
                circle.take(&later, true, |_| true);
            }
            let (found, next) = circle.end();
            begun.extend(found.iter().map(|account| account.0));
            after = next;
        }
        assert_eq!(begun, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
    }
}
