//! Attachments (docs/behaviour/attachments.md).

use desk::authentication::Authentication;
use desk::changes::Changes;
use desk::comment::Flag;
use desk::event::Event;
use desk::id_source::Counting;
use desk::setting::Settings;

use super::{authenticated, nothing_published, of, table, usual};
use crate::scene::{carried_out, facts, letter};

#[test]
fn row_attachments_by_size_and_kind() {
    let mail = "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: application/pdf; name=a.pdf\n\nx\n\
                --b\nContent-Type: application/octet-stream; name=b.exe\n\nx\n--b--";
    let names = |settings: Settings| {
        let (changes, _) = table(settings).changes(mail);
        changes.attachments.iter().map(|new| new.attachment.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(Settings::default()), ["a.pdf"]);
    assert_eq!(names(of(|all| all.attachment_types = "any".into())), ["a.pdf", "b.exe"]);
    assert_eq!(names(of(|all| all.email_attachments = false)), Vec::<String>::new());
    let by_bob = |authentication: Authentication| {
        let table = table(of(|all| all.email_attachments = false)).by(authentication);
        table.changes(&format!("From: bob@acme.example\n{mail}")).0.attachments.len()
    };
    assert_eq!(
        (by_bob(authenticated()), by_bob(nothing_published())),
        (1, 0),
        "an agent's, if the mail proves it"
    );
    let (changes, _) = usual().changes(mail);
    let refused: Vec<&str> = changes.audits[0]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::AttachmentRefused { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!((refused, changes.comments[0].flags.len()), (vec!["b.exe"], 0), "the audit says so");
    let mut large = letter(mail);
    large.attachments[0].size_bytes = 51_000_000;
    let table = usual();
    let mut facts = facts();
    let mut changes = Changes::default();
    carried_out(
        &table.account,
        &mut facts,
        &mut Counting::from(10_000),
        &mut changes,
        &table.inbound(&large, &[]),
    );
    assert_eq!(
        (changes.comments[0].flags.clone(), changes.attachments.len()),
        (vec![Flag::AttachmentRefused], 0)
    );
    let Event::Comment { flags_options, .. } = &changes.audits[0].events[1] else {
        panic!("{:?}", changes.audits)
    };
    assert!(!flags_options[&Flag::AttachmentRefused].trusted);
}
