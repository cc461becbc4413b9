//! The decision table row by row: each test is named after what it decides (docs/behaviour/intake.md §3 and
//! §4).

mod agents;
mod causes;
mod clients;
mod commands;
mod deliveries;
mod files;
mod follow_ups;
mod forwards;
mod held;
mod learnt;
mod machines;
mod openings;
mod order;
mod participants;
mod people;
mod readers;
mod recovered;
mod reports;
mod senders;
mod texts;
mod tickets;

use desk::account::Account;
use desk::authentication::{Authentication, Check};
use desk::changes::Changes;
use desk::envelope::Envelope;
use desk::facts::Facts;
use desk::id::MailId;
use desk::id_source::Counting;
use desk::inbound::{Inbound, Recovered};
use desk::setting::Settings;
use desk::verdict::{Decision, decide};
use mail::letter::Letter;

use crate::scene::{NOW, account_of, addresses, carried_out, envelope, facts, keys, letter, shown};

const NATIVE: &str = "support@acme.desk.example";

/// A case under settings, authentication and facts of its own.
struct Table {
    account: Account,
    authentication: Authentication,
    facts: Facts,
    envelope: Envelope,
    recovered: Option<Recovered>,
}

fn table(settings: Settings) -> Table {
    settings.check().unwrap();
    Table {
        account: account_of(settings, addresses()),
        authentication: Authentication::unchecked(),
        facts: facts(),
        envelope: envelope(&[NATIVE]),
        recovered: None,
    }
}

fn usual() -> Table {
    table(Settings::default())
}

/// Bob's own domain vouches for what he sends.
fn authenticated() -> Authentication {
    Authentication { is_checked: true, dmarc: Check::Pass, ..Authentication::unchecked() }
}

fn forged() -> Authentication {
    Authentication { is_checked: true, dmarc: Check::Fail, ..Authentication::unchecked() }
}

fn nothing_published() -> Authentication {
    Authentication { is_checked: true, ..Authentication::unchecked() }
}

impl Table {
    fn by(self, authentication: Authentication) -> Table {
        Table { authentication, ..self }
    }

    fn inbound<'a>(&'a self, letter: &'a Letter, raw: &'a [u8]) -> Inbound<'a> {
        let inbound = Inbound::new(MailId(1), NOW, &self.envelope, letter);
        Inbound { authentication: &self.authentication, recovered: self.recovered.as_ref(), raw, ..inbound }
    }

    fn decided(&self, mail: &str) -> Decision {
        let letter = letter(mail);
        decide(&self.account, &keys(), &self.facts, &self.inbound(&letter, &[]))
    }

    fn check(&self, cases: &[(&str, &str, &str)]) {
        for (name, mail, want) in cases {
            let decision = self.decided(mail);
            assert_eq!(shown(&decision), *want, "{name}: {:#?}", decision.reasons);
        }
    }

    fn changes(&self, mail: &str) -> (Changes, Facts) {
        let letter = letter(mail);
        let mut facts = self.facts.clone();
        let mut changes = Changes::default();
        let inbound = self.inbound(&letter, &[]);
        carried_out(&self.account, &mut facts, &mut Counting::from(10_000), &mut changes, &inbound);
        (changes, facts)
    }
}

fn of(settings: impl FnOnce(&mut Settings)) -> Settings {
    let mut all = Settings::default();
    settings(&mut all);
    all
}
