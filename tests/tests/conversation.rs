//! A customer writes, an agent answers, the customer replies: all through real mail servers and back.

#![expect(clippy::indexing_slicing, reason = "a row or key that is missing fails the test")]

use anyhow::{Context, Result, ensure};
use e2e::{AGENT, CUSTOMER, Desk, EXTERNAL, Letter, Peers, field, ids};
use testkit::database::both;

const NOTE: &str = "This customer is in our test region";
const ANSWER: &str = "Please send us the serial number.";

#[test]
fn a_whole_conversation_stays_one_ticket() -> Result<()> {
    for database in both() {
        let (desk, peers) = Desk::open_with_peers(database)?;
        let question = Letter::new(CUSTOMER, EXTERNAL, "a broken lamp");
        acknowledge(&desk, &peers, &question)?;
        answer(&desk, &peers, &question)?;
        let reply = reply(&peers, &question)?;
        join(&desk, &peers, &reply)?;
    }
    Ok(())
}

/// The question becomes a ticket and the customer gets one acknowledgement from the address that was written to.
fn acknowledge(desk: &Desk, peers: &Peers, question: &Letter) -> Result<()> {
    peers.send(question)?;
    assert_eq!(desk.ticket(1)?["recipient"], EXTERNAL);
    desk.outbox(1, "sent")?;
    let mails = peers.mailbox(1)?;
    assert_eq!(mails.len(), 1);
    let notice = &mails[0];
    ensure!(field(notice, "From").contains(EXTERNAL), "{}", field(notice, "From"));
    ensure!(
        ids(&field(notice, "References")).contains(&question.message_id),
        "{}",
        field(notice, "References")
    );
    // RFC 3834 §5: so that no machine answers it.
    ensure!(field(notice, "Auto-Submitted").starts_with("auto-"), "{}", field(notice, "Auto-Submitted"));
    Ok(())
}

/// A note is mailed to nobody; a public answer reaches the mailbox exactly once, in the thread, from the right address.
fn answer(desk: &Desk, peers: &Peers, question: &Letter) -> Result<()> {
    desk.run(&["ticket", "reply", "1", "--as", AGENT, "--note", "--body", NOTE])?;
    desk.run(&["ticket", "reply", "1", "--as", AGENT, "--public", "--body", ANSWER])?;
    let sent = desk.outbox(2, "sent")?;
    ensure!(
        sent.iter().all(|row| row["to"] == CUSTOMER && row["from"] == EXTERNAL && row["ticket"] == 1),
        "{sent:?}"
    );
    let mails = peers.mailbox(2)?;
    assert_eq!(mails.len(), 2);
    let answers: Vec<_> = mails.iter().filter(|mail| contains(mail, ANSWER)).collect();
    assert_eq!(answers.len(), 1);
    ensure!(mails.iter().all(|mail| !contains(mail, NOTE)), "an internal note was mailed");
    let answer = answers.first().context("one answer")?;
    ensure!(field(answer, "From").contains(EXTERNAL), "{}", field(answer, "From"));
    ensure!(
        ids(&field(answer, "In-Reply-To")).contains(&question.message_id),
        "{}",
        field(answer, "In-Reply-To")
    );
    ensure!(
        ids(&field(answer, "References")).contains(&question.message_id),
        "{}",
        field(answer, "References")
    );
    let comments = desk.comments(1, 3)?;
    let public: Vec<_> = comments.iter().map(|comment| comment["public"].as_bool()).collect();
    assert_eq!(public, [Some(true), Some(false), Some(true)]);
    Ok(())
}

/// What the customer's mail program makes of the answer.
fn reply(peers: &Peers, question: &Letter) -> Result<Letter> {
    let mails = peers.mailbox(2)?;
    let answer = mails.iter().find(|mail| contains(mail, ANSWER)).context("the answer is in the mailbox")?;
    let mut references = ids(&field(answer, "References"));
    references.extend(ids(&field(answer, "Message-ID")));
    let back = [field(answer, "Reply-To"), field(answer, "From")].into_iter().find(|value| !value.is_empty());
    let back = back.context("the answer says where replies go")?;
    // Without a display name the address stands bare.
    let to = ids(&back).pop().unwrap_or_else(|| back.trim().to_owned());
    let mut reply = Letter::new(CUSTOMER, &to, &format!("Re: {}", question.subject));
    reply.references = references;
    reply.body = format!("It is 4711.\n\nAt some time, Acme wrote:\n> {ANSWER}\n");
    Ok(reply)
}

/// The reply becomes a comment on the same ticket and causes no further mail to its author.
fn join(desk: &Desk, peers: &Peers, reply: &Letter) -> Result<()> {
    peers.send(reply)?;
    let comments = desk.comments(1, 4)?;
    ensure!(comments[3]["body"].as_str().is_some_and(|body| body.contains("It is 4711.")), "{comments:?}");
    ensure!(comments[3]["public"] == true, "{comments:?}");
    let decided = desk.decided(2)?;
    let row = decided
        .iter()
        .find(|row| row["message_id"] == reply.message_id.as_str())
        .context("the reply's row")?;
    assert_eq!((&row["outcome"], &row["ticket"]), (&"comment".into(), &1.into()), "{row}");
    assert_eq!(desk.list(&["ticket", "list"])?.len(), 1);
    desk.outbox(2, "sent")?;
    assert_eq!(peers.mailbox(2)?.len(), 2);
    Ok(())
}

/// Whether this text is in the mail, ignoring quoted-printable's soft line breaks.
fn contains(mail: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(mail).replace("=\r\n", "").contains(text)
}
