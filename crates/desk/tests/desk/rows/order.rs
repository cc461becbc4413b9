//! Which row decides where several match: the order of docs/behaviour/intake.md §3.

use desk::authentication::AuthenticationMode;
use desk::envelope::Envelope;
use desk::facts::sender_key;
use desk::rate::Rate;
use desk::setting::Settings;
use desk::signed::Purpose;

use super::{NATIVE, Table, forged, of, table};
use crate::scene::{NOW, envelope, key, keys, shown};

impl Table {
    /// The scene in which somebody wrote so many messages within the hour already.
    fn after(mut self, from: &str, count: u32) -> Table {
        self.facts.sender_per_hour = 20;
        let sender = sender_key(&key(from), &self.authentication);
        self.facts.rates.insert(sender, Rate { window_start: NOW - 1_000, count, held_until: None });
        self
    }

    fn to(self, recipient: &str) -> Table {
        Table { envelope: envelope(&[recipient]), ..self }
    }

    /// The message came with the null return path.
    fn returned(self) -> Table {
        Table { envelope: Envelope { mail_from: None, ..self.envelope }, ..self }
    }
}

const ADA: &str = "ada@customer.example";
const DAEMON: &str = "mailer-daemon@far.example";

fn native(settings: impl FnOnce(&mut Settings)) -> Settings {
    let mut all = of(settings);
    all.sender_authentication = AuthenticationMode::Native;
    all
}

/// A delivery report on a message of ours.
fn report() -> String {
    format!(
        "From: {DAEMON}\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nsorry\n--b\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; far.example\n\n\
         Final-Recipient: rfc822; {ADA}\nAction: failed\nStatus: 5.1.1\n\n--b--"
    )
}

fn crowd() -> String {
    let ccs: Vec<String> = (0..49).map(|n| format!("p{n}@else.example")).collect();
    format!("Cc: {}\n", ccs.join(", "))
}

#[test]
fn row_order_what_is_ours_comes_before_every_setting() {
    let off = || table(of(|all| all.email_channel = false)).after(DAEMON, 40).after(ADA, 40);
    let path =
        format!("bounce+{}@acme.desk.example", keys().sign(Purpose::Bounce, desk::id::AccountId(1), 501));
    let bounce = off().to(&path).returned();
    assert_eq!(shown(&bounce.decided(&report())), "bounce of 501 hard (5.1.1)", "4 before 5 and 7");
    let twice =
        "Message-ID: <first@customer.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: x\n\nhi";
    let mut known = off();
    let letter = crate::scene::letter(twice);
    let print = desk::inbound::fingerprint(&known.inbound(&letter, &[]));
    known.facts.message_ids.get_mut("first@customer.example").unwrap().fingerprint = Some(print);
    assert_eq!(shown(&known.decided(twice)), "duplicate of 71 on Some(100)", "3 before 5 and 7");
    let ours = "Message-ID: <out@acme.desk.example>\nSubject: x\n\nhi";
    assert_eq!(shown(&off().decided(ours)), "discarded", "2 before 5");
    let probe = off().to("inbox@acme.desk.example");
    let secret = "Message-ID: <out@acme.desk.example>\nX-Guichet-Probe: s3cret\n\nx";
    assert_eq!(
        shown(&probe.decided(secret)),
        "probe for probed@acme.example at inbox@acme.desk.example",
        "1 before 2"
    );
}

#[test]
fn row_order_of_the_senders_rows() {
    struct Case {
        name: &'static str,
        table: Table,
        mail: String,
        want: &'static str,
    }

    let from = |from: &str, header: &str| format!("From: {from}\n{header}Subject: x\n\nhi");
    let off = of(|all| all.email_channel = false);
    let reject =
        of(|all| all.blocklist = "reject:customer.example reject:far.example reject:acme.example".into());
    for Case { name, table, mail, want } in [
        Case {
            name: "5 before 6",
            table: table(off.clone()).to("noreply@acme.desk.example"),
            mail: from(ADA, ""),
            want: "suspended 15",
        },
        Case {
            name: "5 before 7",
            table: table(off).after(ADA, 40),
            mail: from(ADA, ""),
            want: "suspended 15",
        },
        Case {
            name: "6 before 7",
            table: table(Settings::default()).to("noreply@acme.desk.example").after(ADA, 40),
            mail: from(ADA, ""),
            want: "suspended 16",
        },
        Case {
            name: "7 before 8",
            table: table(Settings::default()).after(DAEMON, 20),
            mail: report(),
            want: "suspended 4",
        },
        Case { name: "8 before 12", table: table(Settings::default()), mail: report(), want: "suspended 7" },
        Case {
            name: "10 before 13",
            table: table(of(|all| all.blocklist = "reject:acme.example".into())),
            mail: from("help@acme.example", ""),
            want: "suspended 22",
        },
        Case {
            name: "11 before 13",
            table: table(reject.clone()),
            mail: from("sue@customer.example", ""),
            want: "suspended 10",
        },
        Case {
            name: "12 before 13",
            table: table(reject.clone()),
            mail: from(DAEMON, ""),
            want: "suspended 9",
        },
        Case {
            name: "13 before 14",
            table: table(Settings { sender_authentication: AuthenticationMode::Native, ..reject })
                .by(forged()),
            mail: from(ADA, ""),
            want: "discarded",
        },
        Case {
            name: "14 before 15",
            table: table(native(|all| all.blocklist = "customer.example".into())).by(forged()),
            mail: from(ADA, ""),
            want: "suspended 26",
        },
        Case {
            name: "15 before 16",
            table: table(of(|all| {
                all.blocklist = "else.example".into();
                all.anyone_can_submit = false;
            })),
            mail: from("eve@else.example", ""),
            want: "suspended 13",
        },
        Case {
            name: "16 before 17",
            table: table(of(|all| all.anyone_can_submit = false)),
            mail: from("eve@else.example", "Auto-Submitted: auto-replied\n"),
            want: "suspended 1",
        },
    ] {
        let decision = table.decided(&mail);
        assert_eq!(shown(&decision), want, "{name}: {:#?}", decision.reasons);
    }
}

#[test]
fn row_order_of_what_the_mail_itself_is() {
    let crowd = crowd();
    let usual = || table(Settings::default()).to(NATIVE);
    for (name, mail, want) in [
        ("17 before 18", "Precedence: bulk\n\n".to_owned(), "suspended 3"),
        ("17 before 19", format!("{crowd}Precedence: bulk\nSubject: x\n\nhi"), "suspended 3"),
        ("18 before 19", format!("{crowd}\n\n"), "suspended 11"),
        ("19 before 20", format!("{crowd}Reply-To: sue@customer.example\nSubject: x\n\nhi"), "suspended 30"),
        (
            "20 before 21",
            "Reply-To: sue@customer.example\nIn-Reply-To: <old@customer.example>\n\nhi".to_owned(),
            "suspended 10",
        ),
        ("19 before 22", format!("{crowd}In-Reply-To: <first@customer.example>\n\nhi"), "suspended 30"),
    ] {
        let decision = usual().decided(&mail);
        assert_eq!(shown(&decision), want, "{name}: {:#?}", decision.reasons);
    }
}
