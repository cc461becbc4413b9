//! A plain SMTP and LMTP client for tests that must see each answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// How long the client waits for an answer; a server that is silent for longer fails the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The three digits.
    pub code: u16,
    /// All its lines without the code, joined by LF.
    pub text: String,
}

/// A connection that speaks SMTP or LMTP, in the clear, one command at a time.
pub struct Client {
    reader: BufReader<Box<dyn Read + Send>>,
    writer: Box<dyn Write + Send>,
    greeting: &'static str,
}

impl Client {
    /// Connects to a loopback port for SMTP and says EHLO.
    ///
    /// # Errors
    /// When nobody listens or the server refuses.
    pub fn smtp(port: u16) -> Result<Self> {
        Self::tcp(port, "EHLO")
    }

    /// Connects to a loopback port for LMTP and says LHLO.
    ///
    /// # Errors
    /// When nobody listens or the server refuses.
    pub fn lmtp(port: u16) -> Result<Self> {
        Self::tcp(port, "LHLO")
    }

    /// Connects to a unix socket for LMTP and says LHLO.
    ///
    /// # Errors
    /// When nobody listens or the server refuses.
    pub fn lmtp_unix(path: &Path) -> Result<Self> {
        let stream =
            UnixStream::connect(path).with_context(|| format!("connecting to {}", path.display()))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Self::greet(Box::new(stream.try_clone()?), Box::new(stream), "LHLO")
    }

    fn tcp(port: u16, greeting: &'static str) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("connecting to {port}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Self::greet(Box::new(stream.try_clone()?), Box::new(stream), greeting)
    }

    fn greet(
        read: Box<dyn Read + Send>,
        writer: Box<dyn Write + Send>,
        greeting: &'static str,
    ) -> Result<Self> {
        let mut client = Self { reader: BufReader::new(read), writer, greeting };
        client.expect(220)?;
        client.command(&format!("{greeting} client.example"))?.with_code(250)?;
        Ok(client)
    }

    /// Sends one command line (without CRLF) and returns the answer.
    ///
    /// # Errors
    /// When the connection breaks or the answer is none.
    pub fn command(&mut self, line: &str) -> Result<Answer> {
        self.write(format!("{line}\r\n").as_bytes())?;
        self.answer()
    }

    /// Sends bytes as they are, without waiting for anything.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer.write_all(bytes)?;
        Ok(self.writer.flush()?)
    }

    /// Sends a whole mail and returns the last answer: a refusal of the sender or the recipient, or the answer to the
    /// data. `mail` has CRLF line ends; lines that start with a dot get another.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn send(&mut self, from: &str, recipient: &str, mail: &[u8]) -> Result<Answer> {
        for line in [format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{recipient}>")] {
            let answer = self.command(&line)?;
            if answer.code != 250 {
                self.command("RSET")?;
                return Ok(answer);
            }
        }
        let answer = self.command("DATA")?;
        if answer.code != 354 {
            return Ok(answer);
        }
        self.write(&stuffed(mail))?;
        self.answer()
    }

    /// Reads one answer.
    ///
    /// # Errors
    /// When the connection breaks, the server is silent for a minute, or the line is no answer.
    pub fn answer(&mut self) -> Result<Answer> {
        let mut text = Vec::new();
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                bail!("the server closed the connection ({} client)", self.greeting);
            }
            let line = line.trim_end();
            let (code, rest) = line.split_at_checked(3).with_context(|| format!("{line:?} is no answer"))?;
            text.push(rest.trim_start_matches(['-', ' ']).to_owned());
            if !rest.starts_with('-') {
                let code = code.parse().with_context(|| format!("{line:?} has no code"))?;
                return Ok(Answer { code, text: text.join("\n") });
            }
        }
    }

    fn expect(&mut self, code: u16) -> Result<Answer> {
        self.answer()?.with_code(code)
    }
}

impl Answer {
    /// The answer itself when it has this code.
    ///
    /// # Errors
    /// When it has another; the error carries the answer.
    pub fn with_code(self, code: u16) -> Result<Self> {
        if self.code != code {
            bail!("expected {code}, the server said {} {}", self.code, self.text);
        }
        Ok(self)
    }
}

/// RFC 5321 §4.5.2: a dot before each line that starts with one; then the end of the data.
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            bytes.push(b'.');
        }
        bytes.extend_from_slice(line);
    }
    if !mail.ends_with(b"\r\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b".\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::stuffed;

    #[test]
    fn dots_at_line_starts_are_doubled_and_the_end_is_marked() {
        assert_eq!(stuffed(b".a\r\nb.\r\n..\r\n"), b"..a\r\nb.\r\n...\r\n.\r\n");
        assert_eq!(stuffed(b"a"), b"a\r\n.\r\n");
    }
}
