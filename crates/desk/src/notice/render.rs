//! The bytes of our messages.

use mail::message_id::MessageId;
use mail::{compose, html_of};

use super::{Content, Letter, Notice, NoticeKind, Thread, acknowledgement};
use crate::clock::Millis;
use crate::id::{OutgoingId, TicketNumber};

/// What is left to know when the bytes are made.
#[derive(Debug, Clone)]
pub struct Rendering<'a> {
    /// The values at the event.
    pub content: &'a Content,
    /// The message's Message-ID.
    pub message_id: &'a str,
    /// The ticket's number, where it is about one.
    pub number: Option<TicketNumber>,
    /// The comment's text, where it carries one.
    pub comment: &'a str,
    /// Earlier ids of the conversation, oldest first.
    pub references: &'a [String],
    /// The signed id that goes into `X-Guichet-Mail`.
    pub mark: &'a str,
    /// The outgoing mail's id, which also seeds its MIME boundary.
    pub id: OutgoingId,
    /// Date.
    pub date: Millis,
}

/// Why a message cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Only a newer version can make mails of this kind, or in this form.
    #[error("only a newer version can make this mail of the kind {0}")]
    Newer(NoticeKind),
    /// What is stored of it lacks what every message of its kind has.
    #[error("what is stored of this mail of the kind {0} is not whole")]
    Damaged(NoticeKind),
}

impl RenderError {
    fn of(kind: NoticeKind) -> RenderError {
        match kind {
            NoticeKind::Other(_) => RenderError::Newer(kind),
            known => RenderError::Damaged(known),
        }
    }
}

/// Makes the bytes of a message. The same values give the same bytes.
///
/// # Errors
/// [`RenderError`]: the notice is none that is known here.
pub fn render(rendering: &Rendering<'_>) -> Result<Vec<u8>, RenderError> {
    let content = rendering.content;
    if content.is_newer() {
        return Err(RenderError::Newer(content.notice.kind()));
    }
    let letter = letter_of(rendering)?;
    let (text, html) = body_of(&letter.text, content.notice.thread());
    let own = MessageId::new(rendering.message_id);
    Ok(compose::compose(&compose::Outgoing {
        from: (&content.from).into(),
        reply_to: Some((&content.reply_to).into()),
        to: content.to.iter().map(Into::into).collect(),
        cc: content.cc.iter().map(Into::into).collect(),
        subject: letter.subject,
        message_id: own.expect("made by Content::message_id, of plain characters"),
        in_reply_to: content.notice.in_reply_to().and_then(MessageId::new).into_iter().collect(),
        references: references_of(rendering),
        date: rendering.date.0,
        auto_submitted: true,
        extra: marks_of(rendering),
        text,
        html: Some(html),
        attachments: Vec::new(),
        boundary_seed: u64::try_from(rendering.id.0).unwrap_or_default(),
    }))
}

/// Subject and text, without what every message of a conversation has around it.
fn letter_of(rendering: &Rendering<'_>) -> Result<Letter, RenderError> {
    let with_comment =
        |subject: &String| Letter { subject: subject.clone(), text: rendering.comment.to_owned() };
    Ok(match &rendering.content.notice {
        Notice::Acknowledgement { brand, .. } => acknowledgement::letter(brand, rendering.number),
        Notice::Comment { subject, .. } | Notice::Follower { subject, .. } => with_comment(subject),
        Notice::SignUp { letter, .. } | Notice::Probe { letter, .. } | Notice::Digest { letter } => {
            letter.clone()
        }
        unknown @ Notice::Unknown(_) => return Err(RenderError::of(unknown.kind())),
    })
}

/// The root of the thread, the earlier ids and the one that is answered, each once.
fn references_of(rendering: &Rendering<'_>) -> Vec<MessageId> {
    let content = rendering.content;
    let root = content.notice.thread().map(|thread| format!("{}@{}", thread.token.as_str(), content.host));
    let earlier = rendering.references.iter().map(String::as_str);
    let mut ids: Vec<&str> = Vec::new();
    for id in root.as_deref().into_iter().chain(earlier).chain(content.notice.in_reply_to()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.into_iter().filter_map(MessageId::new).collect()
}

fn marks_of(rendering: &Rendering<'_>) -> Vec<(String, String)> {
    let mut marks = vec![("X-Guichet-Mail".to_owned(), rendering.mark.to_owned())];
    if let Notice::Probe { secret, .. } = &rendering.content.notice {
        marks.push(("X-Guichet-Probe".to_owned(), secret.clone()));
    }
    marks
}

/// Text and HTML. In a conversation the line above which people answer comes first, so that it is between
/// their answer and what they quote; the thread token goes below, far enough not to be read, and unseen into
/// the HTML.
fn body_of(text: &str, thread: Option<&Thread>) -> (String, String) {
    let Some(thread) = thread else { return (text.to_owned(), html_of(text)) };
    let token = thread.token.as_str();
    let body = if thread.delimiter.is_empty() {
        text.trim_end().to_owned()
    } else {
        format!("{}\n\n{text}", thread.delimiter).trim_end().to_owned()
    };
    let html =
        format!("{}<span style=\"color:#ffffff\" aria-hidden=\"true\">[{token}]</span>", html_of(&body));
    (format!("{body}\n\n\n\n\n[{token}]\n"), html)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::Party;

    fn content(notice: serde_json::Value) -> Content {
        let party = |address: &str| Party { name: String::new(), address: address.into() };
        let mut stored = serde_json::json!({
            "from": party("support@desk.example"),
            "reply_to": party("support@desk.example"),
            "to": [party("ada@customer.example")],
            "host": "desk.example",
        });
        let fields = stored.as_object_mut().unwrap();
        fields.extend(notice.as_object().unwrap().clone());
        serde_json::from_value(stored).unwrap()
    }

    fn rendering<'a>(content: &'a Content, references: &'a [String]) -> Rendering<'a> {
        Rendering {
            content,
            message_id: "ABCDEF-GHIJ.1@desk.example",
            number: Some(TicketNumber(1)),
            comment: "hello",
            references,
            mark: "1-x",
            id: OutgoingId(1),
            date: Millis(0),
        }
    }

    #[test]
    fn references_name_each_mail_once_and_the_thread_root_first() {
        let content = content(serde_json::json!({
            "kind": "comment",
            "subject": "Re: Lamp",
            "token": "ABCDEF-GHIJ",
            "in_reply_to": "two@customer.example",
        }));
        let references = ["one@customer.example".to_owned(), "two@customer.example".to_owned()];
        let letter = mail::letter::Letter::parse(&render(&rendering(&content, &references)).unwrap());
        let ids: Vec<&str> = letter.references.iter().map(|id| id.as_str()).collect();
        assert_eq!(ids, ["ABCDEF-GHIJ@desk.example", "one@customer.example", "two@customer.example"]);
        assert!(letter.text.contains("hello") && letter.text.contains("[ABCDEF-GHIJ]"));
    }

    #[test]
    fn a_mail_of_a_newer_version_is_kept_and_not_made() {
        let stored = serde_json::json!({"v": 2, "kind": "survey", "question": "How was it?"});
        let content = content(stored);
        let refused = render(&rendering(&content, &[]));
        assert_eq!(refused, Err(RenderError::Newer(NoticeKind::Other("survey".into()))));
        let kept = serde_json::to_value(&content).unwrap();
        assert_eq!((&kept["kind"], &kept["question"]), (&"survey".into(), &"How was it?".into()));

        let known = serde_json::json!({"kind": "comment", "subject": "Re: Lamp", "token": "ABCDEF-GHIJ"});
        for (version, is_made) in [(1, true), (2, false)] {
            let mut stored = known.clone();
            stored["v"] = version.into();
            let content = self::content(stored);
            assert_eq!(render(&rendering(&content, &[])).is_ok(), is_made, "version {version}");
            assert_eq!(serde_json::to_value(&content).unwrap()["v"], version);
        }
    }

    #[test]
    fn a_mail_that_lacks_what_its_kind_has_is_damaged() {
        let content = content(serde_json::json!({"kind": "comment", "subject": "Re: Lamp"}));
        let refused = render(&rendering(&content, &[]));
        assert_eq!(refused, Err(RenderError::Damaged(NoticeKind::Comment)));
    }
}
