//! Answers to mails of ours as mail programs and relays write them: each finds its ticket.

use desk::changes::Changes;
use desk::facts::Facts;
use desk::id::{MailId, TicketId, TicketNumber};
use desk::id_source::Counting;
use desk::inbound::Inbound;
use desk::notice::{Rendering, render};
use desk::verdict::decide;
use mail::letter::Letter;

use super::{Table, authenticated, usual};
use crate::scene::{NOW, carried_out, envelope, key, keys, letter, shown};

/// Bob's answer on ticket 1 as it leaves, and what the desk knows from then on.
fn sent() -> (Letter, Facts) {
    let table = usual().by(authenticated());
    let answer = letter(
        "From: bob@acme.example\nIn-Reply-To: <first@customer.example>\nSubject: Re: Lamp\n\nWe look into it.",
    );
    let mut facts = table.facts.clone();
    let mut changes = Changes::default();
    carried_out(
        &table.account,
        &mut facts,
        &mut Counting::from(10_000),
        &mut changes,
        &table.inbound(&answer, &[]),
    );
    let mail = &changes.outgoing[0];
    let raw = render(&Rendering {
        content: &mail.content,
        number: Some(TicketNumber(1)),
        message_id: &mail.message_id,
        comment: &changes.comments[0].body,
        references: &["first@customer.example".to_owned()],
        mark: &keys().sign(desk::signed::Purpose::Mail, desk::id::AccountId(1), mail.id.0),
        id: mail.id,
        date: NOW,
    })
    .unwrap();
    (Letter::parse(&raw), facts)
}

/// What a program quotes of a message.
fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}\n")).collect()
}

/// The same in HTML, as programs that write nothing else quote it.
fn quoted_html(text: &str) -> String {
    format!("<p>Thank you.</p><blockquote>{}</blockquote>", text.replace('\n', "<br>"))
}

fn answered(table: &Table, facts: &Facts, recipient: &str, raw: &str) -> String {
    let letter = Letter::parse(raw.replace('\n', "\r\n").as_bytes());
    let envelope = envelope(&[recipient]);
    shown(&decide(&table.account, &keys(), facts, &Inbound::new(MailId(2), NOW, &envelope, &letter)))
}

#[test]
fn row_3_an_answer_finds_its_ticket_whatever_the_program_leaves_of_the_mail() {
    struct Case<'a> {
        name: &'a str,
        recipient: &'a str,
        header: String,
        body: String,
    }

    let (ours, facts) = sent();
    let table = usual();
    let id = ours.message_id.as_ref().unwrap().as_str();
    let text = &ours.text;
    let references: String = ours.references.iter().map(|id| format!(" <{}>", id.as_str())).collect();
    let plus = ours.reply_to[0].address.as_str();
    let native = "support@acme.desk.example";
    let html = format!("MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n{}", quoted_html(text));
    let alternative = format!(
        "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n\
         Thank you.\n\n{}\n--b\nContent-Type: text/html\n\n{}\n--b--\n",
        quoted(text),
        quoted_html(text)
    );
    let plain = || Case { name: "", recipient: native, header: String::new(), body: "\nThank you.\n".into() };
    for Case { name, recipient, header, body } in [
        Case {
            name: "the whole header",
            header: format!("In-Reply-To: <{id}>\nReferences:{references} <{id}>\n"),
            ..plain()
        },
        Case { name: "References lost", header: format!("In-Reply-To: <{id}>\n"), ..plain() },
        Case { name: "In-Reply-To lost", header: format!("References:{references} <{id}>\n"), ..plain() },
        Case {
            name: "its own id lost, the root kept",
            header: format!("References:{references}\n"),
            ..plain()
        },
        Case {
            name: "the id in capitals of the host",
            header: format!("In-Reply-To: <{}>\n", id.replace("desk.example", "DESK.Example")),
            ..plain()
        },
        Case {
            name: "words behind the id",
            header: format!("In-Reply-To: Your message of Monday <{id}>\n"),
            ..plain()
        },
        Case {
            name: "ids of a relay, quoted below",
            header: "In-Reply-To: <0100-rewritten@ses.example>\n".into(),
            body: format!("\nThank you.\n\n{}", quoted(text)),
            ..plain()
        },
        Case {
            name: "no header at all, quoted below",
            body: format!("\nThank you.\n\n{}", quoted(text)),
            ..plain()
        },
        Case { name: "HTML alone", body: html, ..plain() },
        Case { name: "both forms", body: alternative, ..plain() },
        Case { name: "the address of Reply-To alone", recipient: plus, ..plain() },
        Case { name: "that address in lower case", recipient: &plus.to_lowercase(), ..plain() },
    ] {
        let raw = format!("From: ada@customer.example\nSubject: AW: Lamp\n{header}{body}");
        assert_eq!(
            answered(&table, &facts, recipient, &raw),
            "comment on 100 by ada@customer.example",
            "{name}\n{raw}"
        );
    }
    assert_eq!(key(plus).detail().unwrap().to_ascii_uppercase(), "IDAAAAAA-AAAA");
    assert_eq!(facts.tickets[&TicketId(100)].ticket.token.as_str(), "AAAAAA-AAAA");
}

#[test]
fn row_3_an_answer_of_which_nothing_is_left_is_a_new_ticket() {
    let (_, facts) = sent();
    let raw = "From: ada@customer.example\nSubject: AW: Lamp\nIn-Reply-To: <0100-rewritten@ses.example>\n\nThank you.\n";
    assert_eq!(
        answered(&usual(), &facts, "support@acme.desk.example", raw),
        "new ticket by ada@customer.example"
    );
}

#[test]
fn row_3_a_foreign_id_beside_our_token_names_our_ticket() {
    usual().check(&[(
        "rewritten by a relay",
        "In-Reply-To: <rewritten@ses.example>\nSubject: Re: x\n\nhi\n> [AAAAAA-AAAA]",
        "comment on 100 by ada@customer.example",
    )]);
}
