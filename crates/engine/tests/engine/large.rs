//! Files at the limit and one octet beyond it, through the spool.

use desk::attachment_rule::FILE_OCTETS;
use testdesk::{envelope, on_both, quick};

/// A mail with a file of this many octets, as it is on the wire where the doors take more than 50 MB.
fn with_file(octets: u64) -> Vec<u8> {
    let head = format!(
        "From: Ada <ada@customer.example>\r\nSubject: {octets}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nSee the film.\r\n--b\r\nContent-Type: video/mp4; name=lamp.mp4\r\n\
         Content-Disposition: attachment; filename=lamp.mp4\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    );
    let mut raw = head.into_bytes();
    raw.resize(raw.len() + usize::try_from(octets).unwrap(), b'x');
    raw.extend(b"\r\n--b--\r\n");
    raw
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_beyond_the_limit_is_left_out_and_the_ticket_made() {
    // Reading this much takes a while in unoptimised builds.
    let patient = engine::EngineOptions { parse_budget_ms: 120_000, ..quick() };
    on_both(patient, async |desk| {
        for octets in [FILE_OCTETS, FILE_OCTETS + 1] {
            let recipients = envelope(Some("ada@customer.example"), &["support@acme.desk.example"]);
            desk.accept(recipients, &with_file(octets)).await;
        }
        desk.work().await;
        assert_eq!(desk.outcomes().await, ["new_ticket 1", "new_ticket 2"]);
        for (number, flags, files) in [(1, vec![], vec![50_000_000]), (2, vec![5], vec![])] {
            let comment = desk.comments(number).await.remove(0);
            assert_eq!((comment.body.as_str(), &comment.flags), ("See the film.", &flags), "{number}");
            let (account, id) = (desk.account, comment.id);
            let kept =
                desk.read(move |tx| store::attachment::of_comments(&mut tx.account(account), &[id])).await;
            assert_eq!(kept.iter().map(|file| file.size_bytes).collect::<Vec<_>>(), files, "{number}");
            let raw = desk
                .read(move |tx| store::raw::find(&mut tx.account(account), comment.raw_id.unwrap()))
                .await
                .unwrap();
            assert!(raw.size_bytes > 50_000_000, "the raw mail is whole");
        }
    })
    .await;
}
