//! Larger raw mails in a bucket.

use anyhow::{Result, ensure};
use e2e::{Desk, DeskOptions, Letter, SUPPORT};
use testkit::client::Client;
use testkit::database::both;
use testkit::s3::{BUCKET, ObjectServer};

/// A wrapper of `serve` that names the bucket.
fn wrapper(server: &ObjectServer, bucket: &str) -> Vec<String> {
    let url = format!("GUICHET_BLOBS__URL=s3://{bucket}/desk");
    ["env".to_owned(), url].into_iter().chain(server.environment()).collect()
}

#[test]
fn a_large_mail_lies_in_the_bucket_and_becomes_a_ticket() -> Result<()> {
    for database in both() {
        let server = ObjectServer::start()?;
        let mut desk = Desk::configure(database, &DeskOptions::default())?;
        desk.create_account()?;
        let words = wrapper(&server, BUCKET);
        desk.serve(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
        let letter =
            Letter::new("ann@customer.example", SUPPORT, "with a large body").with_random_body(1_000_000);
        Client::smtp(desk.smtp_port())?.send(&letter.from, &letter.to, &letter.bytes())?.with_code(250)?;
        let keys = server.keys();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        ensure!(
            matches!(keys.as_slice(), [blob, "desk/desk.id"] if blob.starts_with("desk/") && blob.ends_with(".zst")),
            "{keys:?}"
        );
        desk.decided(1)?;
        let ticket = desk.ticket(1)?;
        ensure!(ticket.get("subject").is_some_and(|subject| subject == "with a large body"), "{ticket}");
    }
    Ok(())
}
