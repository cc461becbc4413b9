//! The desk that cases are decided on: one account with one brand, no people, no settings changed.

use desk::account::{Account, Brand};
use desk::clock::Millis;
use desk::envelope::{Door, Envelope};
use desk::id::{AccountId, BrandId};
use desk::setting::Settings;
use desk::signed::SigningKeys;
use mail::letter::Letter;

/// A moment long after every mail.
pub(super) const NOW: Millis = Millis(4_000_000_000_000);

pub(super) fn keys() -> Option<SigningKeys> {
    SigningKeys::new(vec![[7; 32]])
}

/// What SMTP may have said about a letter. A letter without From still has an envelope.
pub(super) fn envelope(letter: &Letter) -> Envelope {
    Envelope {
        door: Door::Smtp,
        client: String::new(),
        helo: String::new(),
        mail_from: Some(
            letter
                .from
                .first()
                .map_or_else(|| "someone@sender.invalid".to_owned(), |from| from.address.clone()),
        ),
        recipients: vec!["support@desk.invalid".into()],
        trusted: false,
        tls: false,
    }
}

pub(super) fn account() -> Account {
    let brand = Brand {
        id: BrandId(1),
        name: "Desk".into(),
        subdomain: "desk".into(),
        native_host: "desk.invalid".into(),
        is_default: true,
    };
    Account::new(AccountId(1), "desk".into(), "Desk".into(), Settings::default(), vec![brand], vec![])
}
