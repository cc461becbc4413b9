//! The sample must have what the benchmark promises: mix, mean size, threads, bytes.

use super::{Mail, Mix, Recipe, Sample};
use std::collections::BTreeSet;

fn recipe(count: usize, tag: u32) -> Recipe {
    let supports = vec!["support@a.example".to_owned(), "sales@a.example".to_owned()];
    Recipe { count, seed: 11, tag, supports, mix: Mix::Desk }
}

fn text(mail: &Mail) -> String {
    String::from_utf8(mail.raw().into_owned()).expect("samples are UTF-8")
}

#[test]
fn mix_and_mean_are_what_the_benchmark_promises() {
    for count in [1_000, 4_000] {
        let sample = Sample::make(&recipe(count, 1));
        let share =
            |part: &str| sample.mails.iter().filter(|mail| text(mail).contains(part)).count() * 100 / count;
        assert_eq!(share("multipart/alternative"), 20);
        assert_eq!(share("multipart/mixed"), 10);
        let replies = sample.mails.iter().filter(|mail| mail.parent.is_some()).count() * 100 / count;
        assert!((29..=30).contains(&replies), "{replies} % replies");
        let mean = sample.raw_size_bytes() / count as u64;
        assert!((10_290..=10_710).contains(&mean), "mean {mean}");
    }
}

#[test]
fn replies_name_an_earlier_mail_to_the_same_address() {
    let sample = Sample::make(&recipe(500, 1));
    for (number, mail) in sample.mails.iter().enumerate() {
        let Some(parent) = mail.parent else { continue };
        let earlier = &sample.mails[parent];
        assert!(parent < number);
        assert_eq!((&mail.to, mail.thread), (&earlier.to, earlier.thread));
        assert!(text(mail).contains(&format!("In-Reply-To: <{}>\r\n", earlier.message_id)));
        assert!(text(mail).contains(&format!("<{}>", sample.mails[mail.thread].message_id)), "root named");
    }
}

#[test]
fn tags_share_no_message_id_and_nothing_else_differs() {
    let one = Sample::make(&recipe(200, 1));
    let other = Sample::make(&recipe(200, 2));
    let ids: BTreeSet<&str> =
        one.mails.iter().chain(&other.mails).map(|mail| mail.message_id.as_str()).collect();
    assert_eq!(ids.len(), 400);
    assert_eq!(one.raw_size_bytes(), other.raw_size_bytes());
    assert_eq!(text(&one.mails[7]).replace("00000001.", "00000002."), text(&other.mails[7]));
}

#[test]
fn every_line_ends_in_crlf_and_none_is_too_long() {
    for mail in Sample::make(&recipe(200, 1)).mails {
        let raw = text(&mail);
        assert!(raw.ends_with("\r\n"));
        for line in raw.split_inclusive('\n') {
            assert!(line.ends_with("\r\n") && line.len() <= 1_000, "{line:?}");
        }
    }
}
