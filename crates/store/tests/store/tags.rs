//! The rows of tags follow the lists of the tickets.

use std::collections::{BTreeMap, BTreeSet};

use desk::changes::{ChangedTicket, Changes};
use desk::id::{AccountId, TicketId};
use desk::ticket::Ticket;
use store::Store;
use store::testing::Sql as _;

use crate::support::{account, on_both, opening, ticket, write};

const TAGS: [&str; 6] = ["lamp", "Lamp", "with space", "größe", "a\0b", ""];

/// Numbers that look random and are the same in every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    /// Some of the tags in some order, one of them perhaps twice.
    fn tags(&mut self) -> Vec<String> {
        let count = self.below(5);
        (0..count).map(|_| TAGS[self.below(TAGS.len())].to_owned()).collect()
    }
}

fn rows(store: &Store) -> BTreeSet<(String, i64)> {
    let sql = "SELECT tag, ticket_id FROM ticket_tags WHERE account_id = $1";
    let read = store.read_blocking(move |tx| tx.account(AccountId(1)).query(sql, &[]));
    read.unwrap().into_iter().map(|mut row| (row.text().unwrap(), row.int().unwrap())).collect()
}

fn lists(store: &Store, ids: &[TicketId]) -> BTreeMap<TicketId, Ticket> {
    let ids = ids.to_vec();
    let read = store.read_blocking(move |tx| store::ticket::by_ids(&mut tx.account(AccountId(1)), &ids));
    read.unwrap().into_iter().map(|ticket| (ticket.id, ticket)).collect()
}

#[test]
fn rows_of_tags_equal_the_lists_of_the_tickets_after_any_changes() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        let mut numbers = Numbers(7);
        let ids: Vec<TicketId> = (1..=5).map(|id| TicketId(900 + id)).collect();
        let tagged =
            |id: &TicketId, numbers: &mut Numbers| Ticket { tags: numbers.tags(), ..ticket(id.0, 50) };
        let fresh: Vec<Ticket> = ids.iter().map(|id| tagged(id, &mut numbers)).collect();
        write(store, 1, opening(fresh)).unwrap();
        for _ in 0..40 {
            let known = lists(store, &ids);
            let expected: BTreeSet<(String, i64)> = known
                .values()
                .flat_map(|ticket| ticket.tags.iter().map(|tag| (tag.replace('\0', ""), ticket.id.0)))
                .collect();
            assert_eq!(rows(store), expected);
            let mut changes = Changes::default();
            for before in known.into_values() {
                if numbers.below(3) > 0 {
                    let after = Ticket { tags: numbers.tags(), ..before.clone() };
                    changes.tickets.insert(before.id, ChangedTicket { before: Some(before), after });
                }
            }
            write(store, 1, changes).unwrap();
        }
    });
}

#[test]
fn tickets_with_a_tag_are_paged_within_their_account() {
    on_both(|store| {
        account(store, 1, "acme").unwrap();
        account(store, 2, "other").unwrap();
        let tagged = |id, tags: &[&str]| Ticket {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..ticket(id, 50)
        };
        write(
            store,
            1,
            opening(vec![tagged(903, &["lamp"]), tagged(901, &["lamp", "red"]), tagged(902, &[])]),
        )
        .unwrap();
        write(store, 2, opening(vec![tagged(800, &["lamp"])])).unwrap();
        let with = |account: i64, tag: &'static str, after: Option<i64>, limit| {
            let read = store.read_blocking(move |tx| {
                let tx = &mut tx.account(AccountId(account));
                store::ticket::tag::tickets(tx, tag, after.map(TicketId), limit)
            });
            read.unwrap().into_iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(with(1, "lamp", None, 10), [901, 903]);
        assert_eq!(with(1, "lamp", None, 1), [901]);
        assert_eq!(with(1, "lamp", Some(901), 10), [903]);
        assert_eq!(with(1, "red", None, 10), [901]);
        assert_eq!(with(1, "blue", None, 10), Vec::<i64>::new());
        assert_eq!(with(2, "lamp", None, 10), [800]);
    });
}
