//! Commands that agents write into their messages (docs/behaviour/mail-commands.md).

use crate::edit::{Action, Edit};
use crate::event::Event;
use crate::mail_command::{Command, PersonName};
use crate::user::Person;
use crate::writer::Writer;

impl Writer<'_> {
    /// Carries out commands in order. One that cannot be is noted in the audit, and the others are carried
    /// out all the same.
    pub(super) fn obey(&mut self, edit: &mut Edit, commands: &[Command]) {
        for command in commands {
            match self.obey_one(edit, command) {
                // Each command is told of on its own, in the order they were written.
                Ok(()) => edit.tell_changes(),
                Err(why) => edit.tell(Event::CommandIgnored { command: said(command), why }),
            }
        }
    }

    fn obey_one(&mut self, edit: &mut Edit, command: &Command) -> Result<(), String> {
        let action = match command {
            Command::Status(status) => Action::SetStatus(*status),
            Command::Assignee(name) => {
                let agent = self.by_name(name).filter(Person::is_staff);
                let agent = agent.ok_or_else(|| "no agent has that address or id".to_owned())?;
                Action::Assign(Some(agent.id))
            }
            Command::Requester(name) => {
                let person = self.requester_named(name);
                let person =
                    person.ok_or_else(|| "nobody can be requester by that address or id".to_owned())?;
                Action::SetRequester(person.id, person.organization_id)
            }
            Command::Group(_) => return Err("there are no groups in this desk".to_owned()),
            Command::Priority(priority) => Action::SetPriority(Some(*priority)),
            Command::Type(ticket_type) => Action::SetType(Some(*ticket_type)),
            Command::Tags(tags) => Action::SetTags(tags.clone()),
            Command::Ccs(mailboxes) => {
                for mailbox in mailboxes {
                    self.add_cc(edit, mailbox, None);
                }
                return Ok(());
            }
            // Asked before, when it was decided who reads the comment.
            Command::Public(_) => return Ok(()),
        };
        edit.apply(action).map_err(|refusal| refusal.to_string())
    }

    /// The person a command makes requester, created where nobody has the address; none for one of our own
    /// addresses.
    fn requester_named(&mut self, name: &PersonName) -> Option<Person> {
        let PersonName::Mailbox(mailbox) = name else { return self.by_name(name) };
        let key = mailbox.key().filter(|key| !self.account.is_own(key))?;
        Some(self.by_name(name).unwrap_or_else(|| self.make_person(mailbox, key)))
    }

    fn by_name(&self, name: &PersonName) -> Option<Person> {
        match name {
            PersonName::Mailbox(mailbox) => self.facts.people.get(&mailbox.key()?).cloned(),
            PersonName::Id(id) => self.facts.person(*id).cloned(),
        }
    }
}

fn said(command: &Command) -> String {
    let person = |name: &PersonName| match name {
        PersonName::Mailbox(mailbox) => mailbox.address.clone(),
        PersonName::Id(id) => id.to_string(),
    };
    match command {
        Command::Status(status) => format!("#status {status}"),
        Command::Assignee(name) => format!("#assignee {}", person(name)),
        Command::Requester(name) => format!("#requester {}", person(name)),
        Command::Group(_) => "#group".to_owned(),
        Command::Public(is_public) => format!("#public {is_public}"),
        Command::Priority(priority) => format!("#priority {priority}"),
        Command::Type(ticket_type) => format!("#type {ticket_type}"),
        Command::Tags(tags) => format!("#tags {}", tags.join(" ")),
        Command::Ccs(_) => "#ccs".to_owned(),
    }
}
