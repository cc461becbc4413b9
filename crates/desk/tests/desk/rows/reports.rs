//! Reports on our deliveries (docs/behaviour/intake.md §8).

use desk::delivery::DeliveryResult;
use desk::envelope::Envelope;

use super::usual;
use crate::scene::{envelope, keys};

#[test]
fn row_bounces_are_hard_or_soft() {
    let report = |status: &str| {
        format!(
            "From: mailer-daemon@x.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nsorry\n\
             --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; ada@customer.example\n\
             Action: failed\nStatus: {status}\n\n--b--"
        )
    };
    let path = format!(
        "bounce+{}@acme.desk.example",
        keys().sign(desk::signed::Purpose::Bounce, desk::id::AccountId(1), 501)
    );
    for (status, want) in [
        ("5.1.1", DeliveryResult::Hard),
        ("4.4.7", DeliveryResult::Soft),
        ("5.2.2", DeliveryResult::Soft),
        ("5.7.1", DeliveryResult::Soft),
    ] {
        let mut table = usual();
        table.envelope = Envelope { mail_from: None, ..envelope(&[&path]) };
        let (changes, _) = table.changes(&report(status));
        assert_eq!(changes.bounced[0].result, want, "{status}");
        assert_eq!(
            (changes.suspended.len(), changes.outgoing.len()),
            (0, 0),
            "a bounce makes no ticket and triggers no mail"
        );
    }
}
