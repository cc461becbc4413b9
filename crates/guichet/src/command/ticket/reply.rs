//! `guichet ticket reply`: an agent answers, through the one way to change a ticket.

use desk::id::AccountId;
use desk::notice::NoticeKind;
use desk::ticket::Status;
use desk::update::{NewComment, Update};
use engine::{Command, Queued};
use mail::address::AddressKey;
use serde_json::json;

use super::super::{Session, read_file};
use crate::cli::{self, StatusWord};
use crate::failure::{Doing as _, Failure, Result};

/// Runs `ticket reply`.
pub(super) async fn run(session: &Session<'_>, account: AccountId, command: &cli::Ticket) -> Result<()> {
    let cli::Ticket::Reply { number, agent, public, note: _, body, body_file, status } = command else {
        return Ok(());
    };
    let wrong = |_| {
        Failure::new(
            "the answer was not written",
            format!("{agent:?} is not an e-mail address"),
            "write --as name@example.com",
        )
    };
    let actor = AddressKey::parse(agent.trim()).map_err(wrong)?;
    let body = match (body, body_file) {
        (Some(text), _) => Some(text.clone()),
        (None, Some(path)) => Some(String::from_utf8(read_file(path)?).doing("the text is not UTF-8")?),
        (None, None) => None,
    };
    let comment = body.map(|body| NewComment { body, is_public: *public });
    let is_public = comment.as_ref().map(|comment| comment.is_public);
    let update = Update { comment, status: status.map(as_status), ..Update::default() };
    let submitted = session
        .engine()
        .await?
        .submit(account, Command::UpdateTicket { number: *number, actor, update })
        .await;
    let queued = submitted.doing("the ticket was not changed")?.queued;
    let wanted = *number;
    let ticket = session
        .store
        .read_now(move |tx| store::ticket::by_number(&mut tx.account(account), wanted))
        .await
        .doing("the ticket cannot be read")?;
    let status = ticket.map(|ticket| ticket.status.as_str()).unwrap_or_default();
    let mails: Vec<_> = queued.iter().map(|mail| json!({"kind": mail.kind, "to": mail.to})).collect();
    let value = json!({"number": number, "public": is_public, "status": status, "mails": mails});
    session
        .output()
        .answer(&value, &said(*number, is_public, status, &queued, session.loaded.config.can_deliver()))
}

/// `is_public` is none if no comment was written.
fn said(number: i64, is_public: Option<bool>, status: &str, queued: &[Queued], can_deliver: bool) -> String {
    let what = match is_public {
        Some(true) => "a public comment",
        Some(false) => "an internal note",
        None => "no comment was written",
    };
    let is_notice = |mail: &&Queued| mail.kind == NoticeKind::Follower;
    let (notices, mails): (Vec<&Queued>, Vec<&Queued>) = queued.iter().partition(is_notice);
    let mut told = Vec::new();
    match to(&mails) {
        Some(to) => told.push(format!("mail to {to}")),
        None if is_public == Some(true) => {
            told.push("no mail to the requester and CCs, of whom nobody else can be reached".to_owned())
        }
        None => {}
    }
    told.extend(to(&notices).map(|to| format!("notice to {to}, following the ticket")));
    let waits = if can_deliver || queued.is_empty() {
        ""
    } else {
        "; it waits in the outbox, as delivery.relay is not set"
    };
    let told = if told.is_empty() { "no mail leaves".to_owned() } else { told.join("; ") };
    format!("Ticket {number} is {status}: {what}; {told}{waits}.")
}

fn to(mails: &[&Queued]) -> Option<String> {
    let all: Vec<&str> = mails.iter().flat_map(|mail| mail.to.iter().map(String::as_str)).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn as_status(word: StatusWord) -> Status {
    match word {
        StatusWord::Open => Status::Open,
        StatusWord::Pending => Status::Pending,
        StatusWord::Hold => Status::Hold,
        StatusWord::Solved => Status::Solved,
        StatusWord::Closed => Status::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_whether_mail_leaves() {
        struct Case {
            is_public: Option<bool>,
            queued: Vec<Queued>,
            can_deliver: bool,
            want: String,
        }
        fn usual() -> Case {
            Case { is_public: Some(true), queued: vec![], can_deliver: true, want: String::new() }
        }

        let mail = |kind: &str, to: &[&str]| Queued {
            kind: kind.into(),
            to: to.iter().map(|&to| to.into()).collect(),
        };
        let comment = mail("comment", &["ada@x.example", "carl@x.example"]);
        let notice = mail("follower", &["bob@x.example"]);
        let nobody = "no mail to the requester and CCs, of whom nobody else can be reached";
        for Case { is_public, queued, can_deliver, want } in [
            Case {
                queued: vec![comment.clone()],
                want: "a public comment; mail to ada@x.example, carl@x.example.".to_owned(),
                ..usual()
            },
            Case {
                queued: vec![comment, notice.clone()],
                can_deliver: false,
                want: "a public comment; mail to ada@x.example, carl@x.example; notice to bob@x.example, following the ticket; \
                 it waits in the outbox, as delivery.relay is not set."
                    .to_owned(),
                ..usual()
            },
            Case { want: format!("a public comment; {nobody}."), ..usual() },
            Case {
                queued: vec![notice.clone()],
                want: format!("a public comment; {nobody}; notice to bob@x.example, following the ticket."),
                ..usual()
            },
            Case { is_public: Some(false), want: "an internal note; no mail leaves.".to_owned(), ..usual() },
            Case {
                is_public: Some(false),
                queued: vec![notice],
                want: "an internal note; notice to bob@x.example, following the ticket.".to_owned(),
                ..usual()
            },
            Case { is_public: None, want: "no comment was written; no mail leaves.".to_owned(), ..usual() },
        ] {
            assert_eq!(said(1, is_public, "open", &queued, can_deliver), format!("Ticket 1 is open: {want}"));
        }
    }
}
