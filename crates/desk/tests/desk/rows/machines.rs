//! Which cause holds which machine's mail, by the signs that it carries.

use super::usual;

/// A report of a kind in parts.
fn report(from: &str, subject: &str, kind: &str, content_type: &str, part: &str) -> String {
    format!(
        "From: {from}\nSubject: {subject}\nContent-Type: multipart/report; report-type={kind}; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\nSee below.\n--b\nContent-Type: {content_type}\n\n{part}\n--b--"
    )
}

#[test]
fn row_9_machines_by_their_header() {
    usual().check(&[
        ("X-Autorespond", "X-Autorespond: yes\nSubject: x\n\nhi", "suspended 8"),
        ("Precedence: auto_reply", "Precedence: auto_reply\nSubject: x\n\nhi", "suspended 8"),
        ("Precedence: junk", "Precedence: junk\nSubject: x\n\nhi", "suspended 3"),
        ("Precedence: list", "Precedence: list\nSubject: x\n\nhi", "suspended 3"),
        (
            "Precedence: first-class",
            "Precedence: first-class\nSubject: x\n\nhi",
            "new ticket by ada@customer.example",
        ),
        ("List-Post", "List-Post: <mailto:all@l.example>\nSubject: x\n\nhi", "suspended 3"),
        (
            "List-Unsubscribe alone, as sales programs write it",
            "List-Unsubscribe: <mailto:off@l.example>\nSubject: x\n\nhi",
            "new ticket by ada@customer.example",
        ),
        (
            "a person's mail passed on",
            "Auto-Submitted: auto-forwarded\nSubject: x\n\nhi",
            "new ticket by ada@customer.example",
        ),
    ]);
}

#[test]
fn row_9_machines_by_their_words() {
    usual().check(&[
        ("an absence notice", "Subject: Automatic reply: Lamp\n\nI am away.", "suspended 8"),
        ("an absence notice in German", "Subject: Abwesenheitsnotiz: Lampe\n\nIch bin im Urlaub.", "suspended 8"),
        (
            "a person who asks about absence",
            "Subject: Out of office\n\nHow do I switch it on? Please help.",
            "new ticket by ada@customer.example",
        ),
        (
            "a challenge",
            "Subject: Re: Lamp\n\nMy mailbox is protected by a filter. Click the link below so that I get your mail.\n\
             https://filter.example/1",
            "suspended 3",
        ),
        ("a read receipt without its part", "Subject: Read: Lamp\n\nYour message was read on Monday.", "suspended 7"),
    ]);
}

#[test]
fn row_9_reports_and_loops() {
    let complaint = report(
        "abuse@far.example",
        "complaint",
        "feedback-report",
        "message/feedback-report",
        "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1",
    );
    let receipt = report(
        "ada@customer.example",
        "Read: Lamp",
        "disposition-notification",
        "message/disposition-notification",
        "Final-Recipient: rfc822; ada@customer.example\nDisposition: manual-action/MDN-sent-manually; displayed",
    );
    let delayed = report(
        "mailer-daemon@far.example",
        "Delayed",
        "delivery-status",
        "message/delivery-status",
        "Reporting-MTA: dns; far.example\n\nFinal-Recipient: rfc822; x@far.example\nAction: delayed\nStatus: 4.4.1",
    );
    let received: String = (0..51)
        .map(|n| format!("Received: from a by b with SMTP id {n}; Mon, 1 Jun 2026 10:00:00 +0000\n"))
        .collect();
    usual().check(&[
        ("a complaint (ARF)", &complaint, "suspended 3"),
        ("a read receipt", &receipt, "suspended 7"),
        ("a delay", &delayed, "suspended 7"),
        ("a mail in circles", &format!("{received}Subject: x\n\nhi"), "suspended 4"),
    ]);
}
