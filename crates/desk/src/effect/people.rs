//! Users created from mail: authors, CCs, followers (docs/behaviour/people.md).

use mail::address::{AddressKey, Mailbox};

use crate::changes::NewPerson;
use crate::edit::Edit;
use crate::id::UserId;
use crate::inbound::Inbound;
use crate::language;
use crate::sender_list::{self, Listed};
use crate::user::{Deliverable, Person, Role, name_from};
use crate::verdict::Author;
use crate::writer::Writer;

impl Writer<'_> {
    /// A participant of a message as a person, created if need be. The person in From wrote it, which reveals
    /// their language and that their address works; somebody named by Reply-To, a forward or a command did
    /// not.
    pub(super) fn person(&mut self, author: &Author, inbound: &Inbound<'_>) -> Person {
        let mut person = match self.facts.people.get(&author.key) {
            Some(person) => person.clone(),
            None => self.make_person(&author.mailbox, author.key.clone()),
        };
        let from = inbound.letter.from.first().and_then(Mailbox::key);
        if from.is_some_and(|from| from == author.key) {
            self.learn_language(&mut person, inbound);
            self.forget_bounces(&mut person, &author.key, inbound);
        }
        person
    }

    /// Makes an end user of a mailbox.
    pub(crate) fn make_person(&mut self, mailbox: &Mailbox, key: AddressKey) -> Person {
        let person = Person {
            id: self.supply.take(),
            name: name_from(mailbox, &key),
            role: Role::EndUser,
            is_suspended: false,
            address: mailbox.address.trim().to_owned(),
            deliverable: Deliverable::Deliverable,
            is_verified: false,
            locale: None,
            organization_id: self.facts.organizations.of(&key),
        };
        self.facts.know(key.clone(), person.clone());
        self.changes.people.push(NewPerson { person: person.clone(), address: key, created_at: self.now });
        person
    }

    /// Notes the language of somebody who has none, where the account speaks several.
    fn learn_language(&mut self, person: &mut Person, inbound: &Inbound<'_>) {
        if person.locale.is_some() || person.is_staff() || self.account.settings.languages().nth(1).is_none()
        {
            return;
        }
        let Some(locale) = language::of(inbound.letter, &self.account.settings) else { return };
        person.locale = Some(locale.clone());
        self.changes.locales.insert(person.id, locale.clone());
        for known in self.facts.people.values_mut().chain(self.facts.people_by_id.values_mut()) {
            if known.id == person.id {
                known.locale = Some(locale.clone());
            }
        }
    }

    /// A message from an address shows that it works, unless it is forged or a machine's.
    fn forget_bounces(&mut self, person: &mut Person, key: &AddressKey, inbound: &Inbound<'_>) {
        let is_machines =
            inbound.letter.nature.with_envelope(inbound.envelope.mail_from.is_none()).is_automatic();
        if is_machines || inbound.authentication.has_failed() || self.facts.troubles.remove(key).is_none() {
            return;
        }
        self.changes.well_addresses.insert(key.clone());
        if AddressKey::parse(&person.address).is_ok_and(|primary| primary == *key) {
            person.deliverable = Deliverable::Deliverable;
            let address = person.address.clone();
            self.facts.reach_at(person.id, &address);
        }
    }

    /// To and Cc of a message become CCs, other than our own addresses, the author and those who may not be
    /// CCs.
    pub(super) fn add_ccs(&mut self, edit: &mut Edit, inbound: &Inbound<'_>, author: UserId) {
        let letter = inbound.letter;
        for mailbox in letter.to.iter().chain(&letter.cc) {
            self.add_cc(edit, mailbox, Some(author));
        }
    }

    /// Makes the person of a mailbox a CC, unless it is the author of what names them.
    pub(super) fn add_cc(&mut self, edit: &mut Edit, mailbox: &Mailbox, author: Option<UserId>) {
        let Some(key) = mailbox.key() else { return };
        // Any address at a native host is ours, registered or not: mailing it would be a loop.
        if self.account.is_own(&key) || self.account.lists.ccs_block.covering(&key).is_some() {
            return;
        }
        if !edit.takes_ccs() {
            return;
        }
        let Some(person) = self.known_or_made(mailbox, key) else { return };
        let known = edit.known();
        let is_on = Some(person.id) == author
            || person.id == known.ticket.requester_id
            || known.ccs.contains(&person.id);
        if is_on {
            return;
        }
        edit.add_cc(person.id);
        // An agent who is copied follows the ticket from then on.
        if person.is_staff() {
            edit.add_follower(person.id);
        }
    }

    /// The person of an address; somebody unknown is made, unless the desk is closed to them or the block
    /// list names them.
    pub(super) fn known_or_made(&mut self, mailbox: &Mailbox, key: AddressKey) -> Option<Person> {
        if let Some(person) = self.facts.people.get(&key) {
            return Some(person.clone());
        }
        let settings = &self.account.settings;
        let lists = &self.account.lists;
        let listed = sender_list::verdict(
            &lists.allow,
            &lists.block,
            &key,
            false,
            self.facts.organizations.domain_of(&key),
        );
        let is_welcome = match listed {
            Listed::Allowed { .. } => true,
            Listed::Unlisted => settings.anyone_can_submit && !settings.sign_up_required,
            _ => false,
        };
        is_welcome.then(|| self.make_person(mailbox, key))
    }
}
