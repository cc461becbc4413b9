//! A small SMTP client for the sample mails: one connection, one mail after the other.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::mails::Sample;
use crate::failure::{Doing as _, Failure, Result};

/// A connection to our own door.
pub(super) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects and greets.
    ///
    /// # Errors
    /// When nobody answers, or the answer is not the expected one.
    pub(super) async fn connect(address: &str) -> Result<Client> {
        let stream = TcpStream::connect(address).await.doing("the desk's own SMTP port cannot be reached")?;
        let mut client = Client { stream: BufReader::new(stream) };
        client.expect("the greeting", "220").await?;
        client.command("EHLO demo.localhost", "250").await?;
        Ok(client)
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// When any step is refused.
    pub(super) async fn send(&mut self, sample: &Sample) -> Result<()> {
        // RFC 6152 §2: non-ASCII bytes are announced.
        let body = if sample.bytes.is_ascii() { "" } else { " BODY=8BITMIME" };
        self.command(&format!("MAIL FROM:<{}>{body}", sample.mail_from), "250").await?;
        for address in &sample.rcpt {
            self.command(&format!("RCPT TO:<{address}>"), "250").await?;
        }
        self.command("DATA", "354").await?;
        let stuffed = stuffed(&sample.bytes);
        self.stream.get_mut().write_all(&stuffed).await.doing("the sample mail cannot be sent")?;
        self.expect("the mail", "250").await
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// When the door does not answer.
    pub(super) async fn quit(mut self) -> Result<()> {
        self.command("QUIT", "221").await
    }

    async fn command(&mut self, line: &str, want: &str) -> Result<()> {
        self.stream
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .doing("the sample mail cannot be sent")?;
        self.expect(line, want).await
    }

    /// Reads a reply to its last line (RFC 5321 §4.2.1: the one without a hyphen after the code).
    async fn expect(&mut self, to: &str, want: &str) -> Result<()> {
        loop {
            let mut line = String::new();
            let read =
                self.stream.read_line(&mut line).await.doing("the desk's own SMTP port does not answer")?;
            if !line.starts_with(want) || read == 0 {
                let why = format!("to {to} the door said {:?}", line.trim_end());
                return Err(Failure::new(
                    "a sample mail was refused",
                    why,
                    "name another folder with --data, or look at the log",
                ));
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}

/// RFC 5321 §4.5.2: a dot that begins a line is doubled; CRLF `.` CRLF ends the mail.
fn stuffed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn dots_at_the_beginning_of_lines_are_doubled() {
        assert_eq!(super::stuffed(b".a\r\nb.\r\n..\r\n"), b"..a\r\nb.\r\n...\r\n.\r\n");
    }
}
