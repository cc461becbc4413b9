//! Reads a mailbox over IMAP4rev1, as much of it as the tests need (RFC 3501).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A connection that is logged in.
#[derive(Debug)]
pub struct Imap {
    reader: BufReader<TcpStream>,
    count: u32,
}

impl Imap {
    /// Connects to a loopback port and logs in.
    ///
    /// # Errors
    /// When nobody listens or the server refuses.
    pub fn login(port: u16, user: &str, password: &str) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut imap = Self { reader: BufReader::new(stream), count: 0 };
        imap.line()?;
        imap.command(&format!("LOGIN \"{user}\" \"{password}\""))?;
        Ok(imap)
    }

    /// Every mail in the inbox as it is stored, oldest first.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn mails(&mut self) -> Result<Vec<Vec<u8>>> {
        self.command("SELECT INBOX")?;
        if self.search("ALL")?.is_empty() {
            return Ok(Vec::new());
        }
        self.command("FETCH 1:* (BODY.PEEK[])")
    }

    /// The sequence numbers of the mails in the selected mailbox that match, such as `SUBJECT lamp`.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn search(&mut self, criteria: &str) -> Result<Vec<u32>> {
        let tag = self.send(&format!("SEARCH {criteria}"))?;
        let mut found = Vec::new();
        loop {
            let line = self.line()?;
            if let Some(numbers) = line.strip_prefix("* SEARCH") {
                found.extend(numbers.split_whitespace().filter_map(|number| number.parse::<u32>().ok()));
            } else if is_end(&tag, &line)? {
                return Ok(found);
            }
        }
    }

    /// Sends a command and returns the literals (`{n}` and n bytes) of its answer.
    fn command(&mut self, command: &str) -> Result<Vec<Vec<u8>>> {
        let tag = self.send(command)?;
        let mut literals = Vec::new();
        loop {
            let line = self.line()?;
            let size =
                line.strip_suffix('}').and_then(|start| start.rsplit_once('{')?.1.parse::<usize>().ok());
            if let Some(size) = size {
                let mut literal = vec![0; size];
                self.reader.read_exact(&mut literal)?;
                literals.push(literal);
            } else if is_end(&tag, &line)? {
                return Ok(literals);
            }
        }
    }

    fn send(&mut self, command: &str) -> Result<String> {
        self.count += 1;
        let tag = format!("t{}", self.count);
        self.reader.get_mut().write_all(format!("{tag} {command}\r\n").as_bytes())?;
        Ok(tag)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).context("reading from the IMAP server")?;
        if read == 0 {
            bail!("the IMAP server closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }
}

/// Whether this is the closing line of the command; an error if it says NO or BAD.
fn is_end(tag: &str, line: &str) -> Result<bool> {
    match line.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
        Some(result) if result.starts_with("OK") => Ok(true),
        Some(result) => bail!("the IMAP server said {result}"),
        None => Ok(false),
    }
}
