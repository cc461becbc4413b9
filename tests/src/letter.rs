//! Letters that customers write, and the header fields of those they get.

use rand::distr::{Alphanumeric, SampleString};

/// A plain-text letter.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Without `<>`; unguessable, so that each test has its own.
    pub message_id: String,
    /// The bare address in From.
    pub from: String,
    /// The bare address in To.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The message-ids (without `<>`) that it answers, oldest first; the last one is In-Reply-To.
    pub references: Vec<String>,
    /// The text; lines end in LF.
    pub body: String,
}

impl Letter {
    /// A letter that answers nothing.
    #[must_use]
    pub fn new(from: &str, to: &str, subject: &str) -> Self {
        Self {
            message_id: format!("{}@client.example", random_text(24)),
            from: from.to_owned(),
            to: to.to_owned(),
            subject: subject.to_owned(),
            references: Vec::new(),
            body: format!("Hello,\nthis is about {subject}.\n"),
        }
    }

    /// The same letter with a body of `bytes` that no compressor makes smaller than three quarters.
    #[must_use]
    pub fn with_random_body(mut self, bytes: usize) -> Self {
        const LINE: usize = 72;
        let lines = bytes.div_ceil(LINE);
        self.body = (0..lines).map(|_| random_text(LINE - 2) + "\n").collect();
        self
    }

    /// Its bytes, with CRLF line ends.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "Message-ID: <{}>\nDate: Mon, 02 Nov 2026 10:00:00 +0000\nFrom: Ann Customer <{}>\nTo: {}\nSubject: {}\n",
            self.message_id, self.from, self.to, self.subject
        );
        if let Some(last) = self.references.last() {
            let all: Vec<String> = self.references.iter().map(|id| format!("<{id}>")).collect();
            head += &format!("In-Reply-To: <{last}>\nReferences: {}\n", all.join("\n "));
        }
        head += "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n";
        (head + &self.body).replace('\n', "\r\n").into_bytes()
    }
}

fn random_text(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

/// The value of the first header field with that name (in any case), unfolded; empty if there is none.
#[must_use]
pub fn field(mail: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    let head = text.split("\n\n").next().unwrap_or_default();
    let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
    let found = unfolded
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// The message-ids in a header value, without `<>`.
#[must_use]
pub fn ids(value: &str) -> Vec<String> {
    value.split('<').skip(1).filter_map(|rest| rest.split('>').next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{Letter, field, ids};

    #[test]
    fn fields_are_unfolded_and_end_with_the_header() {
        let mut letter = Letter::new("ann@customer.example", "help@shop.example", "a lamp");
        letter.references = vec!["one@x.example".to_owned(), "two@x.example".to_owned()];
        letter.body = "Secret: yes\n".to_owned();
        let bytes = letter.bytes();
        assert_eq!(ids(&field(&bytes, "references")), letter.references);
        assert_eq!(field(&bytes, "In-Reply-To"), "<two@x.example>");
        assert_eq!(field(&bytes, "Secret"), "");
    }

    #[test]
    fn random_bodies_have_the_size_asked_for() {
        let letter = Letter::new("a@b.example", "c@d.example", "size").with_random_body(10_000);
        let size = letter.bytes().len();
        assert!((10_000..11_000).contains(&size), "{size}");
    }
}
