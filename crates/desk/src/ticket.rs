//! Tickets and the system rules of their statuses (docs/behaviour/tickets.md).

use crate::channel::Channel;
use crate::clock::{DAY, Millis};
use crate::id::{BrandId, OrganizationId, TicketId, TicketNumber, UserId};
use crate::received::Received;
use crate::str_enum::str_enum;
use crate::token::ThreadToken;

/// Most e-mail CCs a ticket may have.
pub const CCS_MAX: usize = 48;
/// A solved ticket is closed after this time at the latest.
pub const SOLVED_FOR: i64 = 28 * DAY;

str_enum! {
    /// The status of a ticket. The order is that of `less than` in conditions.
    pub enum Status {
        /// Nobody took it yet.
        New = "new",
        /// Somebody works on it, or the requester answered.
        Open = "open",
        /// We wait for the requester.
        Pending = "pending",
        /// We wait for a third party.
        Hold = "hold",
        /// Done; an answer of the requester opens it again.
        Solved = "solved",
        /// Done for good; an answer opens a follow-up.
        Closed = "closed",
    }
}

str_enum! {
    /// How urgent a ticket is. The order is that of `less than` in conditions.
    pub enum Priority {
        /// Can wait.
        Low = "low",
        /// As usual.
        Normal = "normal",
        /// Before others.
        High = "high",
        /// Before all others.
        Urgent = "urgent",
    }
}

str_enum! {
    /// What kind of request a ticket is.
    pub enum TicketType {
        /// Somebody wants to know.
        Question = "question",
        /// Something happened.
        Incident = "incident",
        /// What incidents come from.
        Problem = "problem",
        /// Something is to be done.
        Task = "task",
    }
}

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its internal id.
    pub id: TicketId,
    /// What people and the API call it; none until it is written for the first time.
    pub number: Option<TicketNumber>,
    /// Its brand.
    pub brand_id: BrandId,
    /// One line.
    pub subject: String,
    /// Its status.
    pub status: Status,
    /// Who asks.
    pub requester_id: UserId,
    /// Who entered it.
    pub submitter_id: UserId,
    /// Who answers.
    pub assignee_id: Option<UserId>,
    /// The requester's organization when it was opened.
    pub organization_id: Option<OrganizationId>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// What kind it is.
    pub ticket_type: Option<TicketType>,
    /// Received at, with how it was found.
    pub received: Received,
    /// By which way it was opened.
    pub channel: Channel,
    /// Its thread token.
    pub token: ThreadToken,
    /// Whether it ever had a public comment.
    pub is_public: bool,
    /// Whether a machine asks: it gets agents' comments, but nothing automatic.
    pub is_machine: bool,
    /// Lower-case words, sorted.
    pub tags: Vec<String>,
    /// The closed ticket this one follows up.
    pub follow_up_of: Option<TicketId>,
    /// The last Message-ID of the conversation, ours or theirs: what the next message answers.
    pub last_message_id: Option<String>,
    /// When it was opened.
    pub created_at: Millis,
    /// When anything of it last changed.
    pub updated_at: Millis,
    /// When it was last solved.
    pub solved_at: Option<Millis>,
}

/// Why a status may not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusRefusal {
    /// Closed tickets do not change.
    #[error("the ticket is closed and cannot be changed; an answer of the requester opens a follow-up")]
    Closed,
    /// New is only ever the first status.
    #[error("a ticket never goes back to new")]
    BackToNew,
    /// Solved wants somebody who solved it.
    #[error("a ticket must have an assignee before it is solved; assign it first")]
    NoAssignee,
    /// Closing follows solving.
    #[error("only a solved ticket can be closed; solve it first")]
    NotSolved,
}

impl Ticket {
    /// Sets the status by the system rules. `solver` becomes the assignee of a ticket that is solved without
    /// one.
    ///
    /// # Errors
    /// The rule that forbids it; the ticket is unchanged then.
    pub fn set_status(
        &mut self,
        to: Status,
        solver: Option<UserId>,
        now: Millis,
    ) -> Result<(), StatusRefusal> {
        match (self.status, to) {
            (from, to) if from == to && from != Status::Closed => return Ok(()),
            (Status::Closed, _) => return Err(StatusRefusal::Closed),
            (_, Status::New) => return Err(StatusRefusal::BackToNew),
            (from, Status::Closed) if from != Status::Solved => return Err(StatusRefusal::NotSolved),
            (_, Status::Solved) if self.assignee_id.is_none() && solver.is_none() => {
                return Err(StatusRefusal::NoAssignee);
            }
            _ => {}
        }
        if to == Status::Solved {
            self.assignee_id = self.assignee_id.or(solver);
            self.solved_at = Some(now);
        }
        self.status = to;
        Ok(())
    }

    /// Sets the assignee; a new ticket becomes open by it.
    ///
    /// # Errors
    /// [`StatusRefusal::Closed`].
    pub fn assign(&mut self, to: Option<UserId>) -> Result<(), StatusRefusal> {
        if self.status == Status::Closed {
            return Err(StatusRefusal::Closed);
        }
        self.assignee_id = to;
        if to.is_some() && self.status == Status::New {
            self.status = Status::Open;
        }
        Ok(())
    }

    /// An end user answered: what waited or was solved is open again.
    pub fn reopen_for_end_user(&mut self) {
        if matches!(self.status, Status::Pending | Status::Hold | Status::Solved) {
            self.status = Status::Open;
        }
    }
}

/// Writes tags as they are kept: lower-case, without spaces, sorted, each once.
#[must_use]
pub fn normal_tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut kept: Vec<String> = tags
        .into_iter()
        .flat_map(str::split_whitespace)
        .map(|tag| {
            tag.to_lowercase()
                .chars()
                .filter(|letter| !letter.is_control() && *letter != ',')
                .take(255)
                .collect()
        })
        .filter(|tag: &String| !tag.is_empty())
        .collect();
    kept.sort();
    kept.dedup();
    kept
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn ticket(status: Status) -> Ticket {
        Ticket {
            id: TicketId(9),
            number: Some(TicketNumber(1)),
            brand_id: BrandId(1),
            subject: "Lamp".into(),
            status,
            requester_id: UserId(5),
            submitter_id: UserId(5),
            assignee_id: None,
            organization_id: None,
            priority: None,
            ticket_type: None,
            received: Received::default(),
            channel: Channel::Email,
            token: ThreadToken::from_random(1),
            is_public: true,
            is_machine: false,
            tags: vec![],
            follow_up_of: None,
            last_message_id: None,
            created_at: Millis(0),
            updated_at: Millis(0),
            solved_at: None,
        }
    }

    #[test]
    fn statuses_follow_the_system_rules() {
        struct Case {
            from: Status,
            to: Status,
            assign: bool,
            want: Result<Status, StatusRefusal>,
        }
        fn usual() -> Case {
            Case { from: S::New, to: S::New, assign: true, want: Ok(S::New) }
        }

        use Status as S;
        let agent = UserId(7);
        for Case { from, to, assign, want } in [
            Case { from: S::New, to: S::Open, want: Ok(S::Open), ..usual() },
            Case { from: S::Open, to: S::New, want: Err(StatusRefusal::BackToNew), ..usual() },
            Case { from: S::New, to: S::New, want: Ok(S::New), ..usual() },
            Case { from: S::Open, to: S::Solved, want: Ok(S::Solved), ..usual() },
            Case { from: S::Open, to: S::Solved, assign: false, want: Err(StatusRefusal::NoAssignee) },
            Case { from: S::Open, to: S::Closed, want: Err(StatusRefusal::NotSolved), ..usual() },
            Case { from: S::Solved, to: S::Closed, want: Ok(S::Closed), ..usual() },
            Case { from: S::Closed, to: S::Open, want: Err(StatusRefusal::Closed), ..usual() },
            Case { from: S::Closed, to: S::Closed, want: Err(StatusRefusal::Closed), ..usual() },
            Case { from: S::Solved, to: S::Pending, want: Ok(S::Pending), ..usual() },
        ] {
            let mut ticket = ticket(from);
            let got = ticket.set_status(to, assign.then_some(agent), Millis(50)).map(|()| ticket.status);
            assert_eq!(got, want, "{from} to {to}");
        }
        let mut solved = ticket(S::Open);
        solved.set_status(S::Solved, Some(agent), Millis(50)).unwrap();
        assert_eq!((solved.assignee_id, solved.solved_at), (Some(agent), Some(Millis(50))));
    }

    #[test]
    fn assigning_opens_a_new_ticket_and_unassigning_does_not_make_it_new() {
        let mut ticket = ticket(Status::New);
        ticket.assign(Some(UserId(7))).unwrap();
        assert_eq!(ticket.status, Status::Open);
        ticket.assign(None).unwrap();
        assert_eq!(ticket.status, Status::Open);
    }

    #[test]
    fn tags_are_kept_in_one_form() {
        assert_eq!(normal_tags(["VIP  urgent", "vip", " a,b "]), ["ab", "urgent", "vip"]);
    }
}
