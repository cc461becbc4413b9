//! People: end users, agents, admins, and the addresses they are known by.

use mail::address::{AddressKey, Mailbox};

use crate::id::{OrganizationId, UserId};
use crate::str_enum::str_enum;

/// Soft bounces in a row after which an address takes no more mail.
pub const SOFT_BOUNCES_MAX: i64 = 10;

str_enum! {
    /// What a person may do.
    pub enum Role {
        /// Writes to us.
        EndUser = "end-user",
        /// Answers.
        Agent = "agent",
        /// Answers and configures.
        Admin = "admin",
    }
}

str_enum! {
    /// Whether mail to an address arrives.
    pub enum Deliverable {
        /// As far as known it does.
        Deliverable = "deliverable",
        /// It bounced for good.
        Undeliverable = "undeliverable",
    }
}

/// A person as a decision sees them, found by one of their addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Suspended people's mail is held.
    pub is_suspended: bool,
    /// Their primary address, as written: where notices go.
    pub address: String,
    /// Whether that address takes mail.
    pub deliverable: Deliverable,
    /// Whether they proved that an address is theirs, or an operator entered them.
    pub is_verified: bool,
    /// Their language as in BCP 47, when it is known.
    pub locale: Option<String>,
    /// Their default organization.
    pub organization_id: Option<OrganizationId>,
}

impl Person {
    /// Whether they answer rather than ask.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.role != Role::EndUser
    }

    /// To in a notice.
    #[must_use]
    pub fn mailbox(&self) -> Mailbox {
        Mailbox { name: self.name.clone(), address: self.address.clone() }
    }
}

/// The name a person gets from the mailbox they wrote with: the display name, else the local part made
/// readable.
#[must_use]
pub fn name_from(mailbox: &Mailbox, key: &AddressKey) -> String {
    let shown = mailbox.name.trim();
    if !shown.is_empty() && !shown.eq_ignore_ascii_case(&mailbox.address) {
        return cap(shown, 255);
    }
    let words: Vec<String> =
        key.local().split(['.', '_', '-']).filter(|word| !word.is_empty()).map(capitalised).collect();
    if words.is_empty() { key.to_string() } else { cap(&words.join(" "), 255) }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn cap(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_display_name_or_the_local_part() {
        for (name, address, want) in [
            ("Ada Byron", "ada@example.org", "Ada Byron"),
            ("", "ada.byron@example.org", "Ada Byron"),
            ("ada@example.org", "ada@example.org", "Ada"),
            ("  ", "_@example.org", "_@example.org"),
        ] {
            let key = AddressKey::parse(address).unwrap();
            assert_eq!(name_from(&Mailbox { name: name.into(), address: address.into() }, &key), want);
        }
    }
}
