//! `guichet explain`: what would become of a mail, and why. Writes nothing.

use desk::envelope::{Door, Envelope};
use desk::id::AccountId;
use desk::received::{Received, Source, Trust};
use desk::suspension::Cause;
use desk::verdict::{Author, Verdict};
use engine::explain::Explained;
use mail::address::AddressKey;
use mail::letter::Letter;
use serde_json::{Value, json};

use super::{Session, read_file};
use crate::cli;
use crate::failure::{Doing as _, Failure, Result};
use crate::letter_view;
use crate::output::tame;

/// Runs `explain`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Explain) -> Result<()> {
    let raw = read_file(&command.mail)?;
    let engine = session.engine().await?;
    let (accounts, refused) = by_account(session, &command.rcpt).await?;
    let mail_from = return_path(command, &raw)?;
    if let Some(reason) = too_large(&raw, session.loaded.config.limits.max_mail_bytes)
        && !accounts.is_empty()
    {
        let recipients: Vec<String> = accounts.concat();
        let value = json!({
            "recipients": recipients, "outcome": "refused", "reason": reason, "reasons": [reason], "ticket": null,
        });
        let lines = format!("Mail to {}\n  outcome  refused\n  why\n    1. {reason}", recipients.join(", "));
        told(session, vec![value], vec![lines], &refused)?;
        return Err(Failure::new(
            "the doors would refuse this mail",
            reason,
            "raise limits.max_mail_size, or send less",
        ));
    }
    let mut mails = Vec::new();
    let mut lines = Vec::new();
    for recipients in accounts {
        let envelope = Envelope {
            door: Door::Smtp,
            client: String::new(),
            helo: String::new(),
            mail_from: mail_from.clone(),
            recipients: recipients.clone(),
            trusted: false,
            tls: false,
        };
        if let Some(explained) = engine.explain(&raw, envelope).await.doing("the mail cannot be explained")? {
            mails.push(as_json(&explained, &recipients));
            lines.push(text(&explained, &recipients));
        }
    }
    told(session, mails, lines, &refused)?;
    if refused.is_empty() { Ok(()) } else { Err(unknown(&refused)) }
}

/// The failure for recipients refused at RCPT; what would become of the mail is printed all the same.
fn unknown(refused: &[String]) -> Failure {
    Failure::new(
        "the doors would refuse this mail",
        format!("no account has {}", refused.join(", ")),
        "see `guichet address list`; add an address with `guichet address add EMAIL`",
    )
}

fn told(session: &Session<'_>, mails: Vec<Value>, mut lines: Vec<String>, refused: &[String]) -> Result<()> {
    for address in refused {
        lines.push(format!("{address}: refused at RCPT with 550 5.1.1: no account has this address"));
    }
    session.output().answer(&answer(mails, refused), &tame(&lines.join("\n\n")))
}

/// Recipients by account, in the order of each account's first one; and those that no account has.
async fn by_account(session: &Session<'_>, recipients: &[String]) -> Result<(Vec<Vec<String>>, Vec<String>)> {
    let mut accounts: Vec<(AccountId, Vec<String>)> = Vec::new();
    let mut refused = Vec::new();
    for recipient in recipients {
        let wrong = |_| {
            Failure::new(
                format!("{recipient:?} is not an e-mail address"),
                "--rcpt takes one address",
                "write name@example.com",
            )
        };
        let key = AddressKey::parse(recipient.trim()).map_err(wrong)?;
        let found = session
            .store
            .read_now(move |tx| store::recipient::account_of(tx, &key))
            .await
            .doing("the directory cannot be read")?;
        match (found, accounts.iter_mut().find(|(id, _)| Some(*id) == found)) {
            (None, _) => refused.push(recipient.clone()),
            (Some(_), Some((_, known))) => known.push(recipient.clone()),
            (Some(id), None) => accounts.push((id, vec![recipient.clone()])),
        }
    }
    Ok((accounts.into_iter().map(|(_, recipients)| recipients).collect(), refused))
}

/// Why a door refuses a mail for its size, counted as on the wire: a bare LF becomes CRLF there (RFC 1870 §5).
fn too_large(raw: &[u8], limit: u64) -> Option<String> {
    let size = intake::raw_mail::wire_bytes(raw);
    (size > limit).then(|| format!("552 5.3.4: {size} bytes, the limit is {limit}"))
}

fn return_path(command: &cli::Explain, raw: &[u8]) -> Result<Option<String>> {
    if command.null_sender {
        return Ok(None);
    }
    if let Some(written) = &command.mail_from {
        let wrong = |_| {
            Failure::new(
                format!("{written:?} is not an e-mail address"),
                "--mail-from takes one address",
                "write name@example.com, or --null-sender for the null return path <>",
            )
        };
        AddressKey::parse(written.trim()).map_err(wrong)?;
        return Ok(Some(written.trim().to_owned()));
    }
    Ok(Letter::parse(raw).from.first().map(|mailbox| mailbox.address.clone()))
}

/// One object: the first account's mail, with those of the others under `also`.
fn answer(mut mails: Vec<Value>, refused: &[String]) -> Value {
    let also = mails.split_off(mails.len().min(1));
    let mut first = mails.pop().unwrap_or_else(
        || json!({"outcome": "refused", "reason": "550 5.1.1: no account has this address", "reasons": [], "ticket": null}),
    );
    if let Some(object) = first.as_object_mut() {
        object.insert("refused".into(), json!(refused));
        object.insert("also".into(), Value::Array(also));
    }
    first
}

fn author(verdict: &Verdict) -> Option<&Author> {
    match verdict {
        Verdict::NewTicket { author, .. }
        | Verdict::Comment { author, .. }
        | Verdict::FollowUp { author, .. } => Some(author),
        _ => None,
    }
}

fn cause(verdict: &Verdict) -> Option<Cause> {
    match verdict {
        Verdict::Suspend { cause } => Some(*cause),
        _ => None,
    }
}

/// The support address, how it was found, and who says so.
fn received_at(received: &Received) -> String {
    let how = match received.source {
        Source::Envelope => "the envelope names it",
        Source::Forward => "the envelope names the proven target of its forward",
        Source::HopHeader => "a relay's header field names it",
        Source::Header => "To or Cc names it",
        Source::Default => "nothing names an address of ours: the brand's default",
    };
    let trust = match received.trust {
        Trust::Proven => "proven",
        Trust::Relay => "said by a trusted relay",
        Trust::Sender => "said by the sender alone",
    };
    format!("{} ({how}; {trust})", received.recipient)
}

fn as_json(explained: &Explained, recipients: &[String]) -> Value {
    let letter = &explained.letter;
    let decision = &explained.decision;
    let received = &decision.arrival.received;
    let is_public = match &decision.verdict {
        Verdict::Comment { is_public, .. } => Some(*is_public),
        _ => None,
    };
    json!({
        "account": explained.account,
        "recipients": recipients,
        "outcome": decision.outcome().as_str(),
        "reason": decision.reason(),
        "reasons": decision.reasons,
        "recipient": received.recipient,
        "received": {
            "source": json!(received.source),
            "trust": json!(received.trust),
            "matches": received.matches,
            "written_to": received.written_to,
        },
        "ticket": explained.ticket,
        "cause": cause(&decision.verdict).map(|cause| json!({"number": cause.number(), "name": cause.name(), "sentence": cause.sentence()})),
        "author": author(&decision.verdict).map(|author| author.key.to_string()),
        "public": is_public,
        "automatic": decision.is_automatic,
        "flags": decision.flags.iter().map(|flag| flag.number()).collect::<Vec<_>>(),
        "subject": letter.subject,
        "message_id": letter.message_id.as_ref().map(|id| id.as_str()),
        "look": letter_view::summary_json(letter),
    })
}

fn text(explained: &Explained, recipients: &[String]) -> String {
    let letter = &explained.letter;
    let decision = &explained.decision;
    let mut lines = vec![format!("Mail to {} (account {})", recipients.join(", "), explained.account)];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<12}{value}"));
    row("subject", letter.subject.clone());
    row("outcome", decision.outcome().to_string());
    if let Some(number) = explained.ticket {
        row("ticket", number.to_string());
    }
    if let Some(cause) = cause(&decision.verdict) {
        row("cause", format!("{}: {}", cause.number(), cause.sentence()));
    }
    if let Some(author) = author(&decision.verdict) {
        row("author", author.key.to_string());
    }
    if let Verdict::Comment { is_public, .. } = &decision.verdict {
        row("shown to", if *is_public { "everybody on the ticket" } else { "agents only" }.to_owned());
    }
    row("received at", received_at(&decision.arrival.received));
    for (name, value) in letter_view::summary(letter) {
        row(name, value);
    }
    if decision.is_automatic {
        row("answered", "by nothing automatic".to_owned());
    }
    lines.push("  why".to_owned());
    lines.extend(
        decision.reasons.iter().enumerate().map(|(place, reason)| format!("    {}. {reason}", place + 1)),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_counts_as_on_the_wire() {
        for (raw, limit, want) in [
            ("a\r\nb\r\n", 6, None),
            ("a\nb\n", 6, None),
            ("a\nb\n", 5, Some("552 5.3.4: 6 bytes, the limit is 5")),
            ("\na", 2, Some("552 5.3.4: 3 bytes, the limit is 2")),
        ] {
            assert_eq!(too_large(raw.as_bytes(), limit).as_deref(), want, "{raw:?}");
        }
    }

    #[test]
    fn the_return_path_is_an_address_or_none() {
        let path = |mail_from: Option<&str>, null_sender| {
            let command = cli::Explain {
                mail: "-".into(),
                rcpt: vec![],
                mail_from: mail_from.map(str::to_owned),
                null_sender,
            };
            return_path(&command, b"From: a@x.example\n\nhi").map_err(|failure| failure.what)
        };
        assert_eq!(path(None, false), Ok(Some("a@x.example".to_owned())));
        assert_eq!(path(None, true), Ok(None));
        assert_eq!(path(Some(" b@y.example"), false), Ok(Some("b@y.example".to_owned())));
        for wrong in ["", "<>", "nobody"] {
            assert_eq!(path(Some(wrong), false), Err(format!("{wrong:?} is not an e-mail address")));
        }
    }
}
