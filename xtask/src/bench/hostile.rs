//! Mails made to be expensive: each repeats one thing a great many times.

/// A mail that repeats something `count` times.
pub(crate) struct Hostile {
    /// What is repeated, with the count of the whole mail.
    pub(crate) name: &'static str,
    /// How often.
    pub(crate) count: usize,
    /// The raw mail with that many repetitions.
    pub(crate) make: fn(usize) -> Vec<u8>,
}

/// All of them.
pub(crate) const MAILS: &[Hostile] = &[
    Hostile { name: "10 MB of quotes", count: 10_000_000, make: quotes },
    Hostile { name: "100,000 nested quotes", count: 100_000, make: nested_quotes },
    Hostile { name: "100,000 quotes in quotes", count: 100_000, make: nested_blockquotes },
    Hostile { name: "50,000 recipients", count: 50_000, make: recipients },
    Hostile { name: "50,000 in a forward", count: 50_000, make: forwarded_recipients },
    Hostile { name: "1,000 nested parts", count: 1_000, make: nested_parts },
    Hostile { name: "100,000 nested HTML tags", count: 100_000, make: nested_tags },
    Hostile { name: "10,000 forwards in one", count: 10_000, make: nested_forwards },
    Hostile { name: "10,000 introducing lines", count: 10_000, make: introductions },
    Hostile { name: "100,000 lines of dashes", count: 100_000, make: rules },
    Hostile { name: "40,000 lines of labels", count: 40_000, make: labels },
    Hostile { name: "10,000 in a bounce's line", count: 10_000, make: bounced_in_a_line },
    Hostile { name: "10,000 lines of a bounce", count: 10_000, make: bounced_in_lines },
];

fn plain(body: &str) -> Vec<u8> {
    format!(
        "From: Alice <alice@example.org>\r\nSubject: Fwd: lamps\r\nMessage-ID: <1@example.org>\r\n\r\n{body}"
    )
    .into_bytes()
}

fn html(body: &str) -> Vec<u8> {
    format!("From: Alice <alice@example.org>\r\nSubject: Fwd: lamps\r\nContent-Type: text/html\r\n\r\n{body}")
        .into_bytes()
}

/// Here the count is a number of octets.
fn quotes(octets: usize) -> Vec<u8> {
    let line = "> a line that somebody wrote long ago and that nobody reads\r\n";
    plain(&line.repeat(octets / line.len()))
}

fn nested_quotes(count: usize) -> Vec<u8> {
    plain(&format!("{} deep\r\n", ">".repeat(count)))
}

fn nested_blockquotes(count: usize) -> Vec<u8> {
    html(&format!("{}deep", "<blockquote>".repeat(count)))
}

fn recipients(count: usize) -> Vec<u8> {
    let list: Vec<String> =
        (0..count).map(|number| format!("Person {number} <person{number}@example.net>")).collect();
    format!("From: Alice <alice@example.org>\r\nTo: {}\r\n\r\nHello\r\n", list.join(",\r\n ")).into_bytes()
}

fn forwarded_recipients(count: usize) -> Vec<u8> {
    let list: Vec<String> =
        (0..count).map(|number| format!("Person {number} <person{number}@example.net>")).collect();
    let header = "---------- Forwarded message ---------\r\nFrom: Bob <bob@example.net>\r\nTo: ";
    plain(&format!("{header}{}\r\nSubject: lamps\r\n\r\nHello\r\n", list.join(",\r\n ")))
}

fn nested_parts(count: usize) -> Vec<u8> {
    let mut mail = "From: Alice <alice@example.org>\r\n".to_owned();
    for number in 0..count {
        mail.push_str(&format!("Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\n"));
    }
    mail.push_str("\r\nHello\r\n");
    mail.into_bytes()
}

fn nested_tags(count: usize) -> Vec<u8> {
    html(&format!("{}deep{}", "<div><b>".repeat(count / 2), "</b></div>".repeat(count / 2)))
}

fn nested_forwards(count: usize) -> Vec<u8> {
    plain(
        &"---------- Forwarded message ---------\r\nFrom: Bob <bob@example.net>\r\nSubject: lamps\r\n\r\n"
            .repeat(count),
    )
}

/// Lines that almost introduce a quoted mail.
fn introductions(count: usize) -> Vec<u8> {
    plain(&"On 28/10/2021 12:46 somebody wrote:\r\n".repeat(count))
}

/// Lines that begin like a header on one line, full of words that look like labels but are not.
fn labels(count: usize) -> Vec<u8> {
    plain(&format!("From:{}\r\n", "ABC:DEF:".repeat(30)).repeat(count))
}

fn bounce(notice: &str) -> Vec<u8> {
    format!("From: mailer-daemon@example.net\r\nSubject: Undeliverable\r\n\r\nIt failed for {notice}\r\n")
        .into_bytes()
}

/// Addresses on one line, none of them in a place where one belongs.
fn bounced_in_a_line(count: usize) -> Vec<u8> {
    bounce(&"and person@example.org too ".repeat(count))
}

/// Addresses with no line break between them.
fn bounced_in_lines(count: usize) -> Vec<u8> {
    bounce(&(0..count).map(|number| format!("p{number}@example.org\r\n")).collect::<String>())
}

fn rules(count: usize) -> Vec<u8> {
    plain(&"--- and so on ---\r\n".repeat(count))
}
