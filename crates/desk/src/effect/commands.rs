//! What an agent's commands by mail change on a ticket (docs/behaviour/mail-commands.md).

use serde_json::{Value as Json, json};

use super::Writer;
use crate::id::{TicketId, UserId};
use crate::mail_command::{Command, PersonName};
use crate::ticket::Ticket;
use crate::update::field_events;
use crate::user::Person;

impl Writer<'_> {
    /// Carries out commands in order; one that cannot be is noted in the audit, and the others are carried out all the same.
    pub(super) fn obey(
        &mut self,
        id: TicketId,
        actor: &Person,
        commands: &[Command],
        events: &mut Vec<Json>,
    ) {
        for command in commands {
            let Some(before) = self.facts.tickets.get(&id).map(|known| known.ticket.clone()) else { return };
            let mut ticket = before.clone();
            match self.obey_one(&mut ticket, actor, command) {
                Ok(()) => events.extend(field_events(&before, &ticket)),
                Err(why) => {
                    events.push(json!({"type": "CommandIgnored", "command": said(command), "why": why}));
                    continue;
                }
            }
            if let Some(known) = self.facts.tickets.get_mut(&id) {
                known.ticket = ticket;
            }
        }
    }

    fn obey_one(&mut self, ticket: &mut Ticket, actor: &Person, command: &Command) -> Result<(), String> {
        match command {
            Command::Status(status) => {
                let assign_solver = self.account.settings.assign_tickets_upon_solve;
                ticket
                    .set_status(*status, actor.id, assign_solver, self.now)
                    .map_err(|refusal| refusal.to_string())
            }
            Command::Assignee(name) => {
                let agent = self.by_name(name).filter(Person::is_staff);
                let agent = agent.ok_or_else(|| "no agent has that address or id".to_owned())?;
                ticket.assign(Some(agent.id)).map_err(|refusal| refusal.to_string())
            }
            Command::Requester(name) => {
                let is_own = matches!(name, PersonName::Mailbox(mailbox) if mailbox.key().is_some_and(|key| self.account.is_own(&key)));
                let person = self.by_name(name).filter(|_| !is_own).or_else(|| self.newcomer(name));
                let person =
                    person.ok_or_else(|| "nobody can be requester by that address or id".to_owned())?;
                ticket.requester_id = person.id;
                ticket.organization_id = person.organization_id;
                Ok(())
            }
            Command::Group(_) => Err("there are no groups in this desk".to_owned()),
            Command::Priority(priority) => {
                ticket.priority = Some(*priority);
                Ok(())
            }
            Command::Type(ticket_type) => {
                ticket.ticket_type = Some(*ticket_type);
                Ok(())
            }
            Command::Tags(tags) => {
                ticket.tags.clone_from(tags);
                Ok(())
            }
            Command::Ccs(mailboxes) => {
                for mailbox in mailboxes {
                    self.add_cc(mailbox, ticket.id, UserId(0));
                }
                Ok(())
            }
            // Asked before, when it was decided who reads the comment.
            Command::Public(_) => Ok(()),
        }
    }

    fn by_name(&self, name: &PersonName) -> Option<Person> {
        match name {
            PersonName::Mailbox(mailbox) => self.facts.people.get(&mailbox.key()?).cloned(),
            PersonName::Id(id) => self.facts.person(*id).cloned(),
        }
    }

    fn newcomer(&mut self, name: &PersonName) -> Option<Person> {
        let PersonName::Mailbox(mailbox) = name else { return None };
        let key = mailbox.key().filter(|key| !self.account.is_own(key))?;
        Some(self.make_person(mailbox, key))
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
