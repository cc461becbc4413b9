//! Fetches a page over HTTP/1.1.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// An answer of the desk's web port.
#[derive(Debug)]
pub struct Page {
    /// The status code.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

impl Page {
    /// Fetches `path` from a loopback port.
    ///
    /// # Errors
    /// When nobody answers, or the answer is not HTTP.
    pub fn get(port: u16, path: &str) -> Result<Self> {
        Self::ask(port, &format!("GET {path}"), &[], b"")
    }

    /// Posts `body` to `path` of a loopback port, with header lines in addition to those that HTTP needs.
    ///
    /// # Errors
    /// When nobody answers, or the answer is not HTTP.
    pub fn post(port: u16, path: &str, header: &[&str], body: &[u8]) -> Result<Self> {
        let length = format!("Content-Length: {}", body.len());
        let header: Vec<&str> = header.iter().copied().chain([length.as_str()]).collect();
        Self::ask(port, &format!("POST {path}"), &header, body)
    }

    fn ask(port: u16, request: &str, header: &[&str], body: &[u8]) -> Result<Self> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let header: String = header.iter().map(|line| format!("{line}\r\n")).collect();
        write!(stream, "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n")?;
        // A server that refuses need not read the body to its end.
        let _ = stream.write_all(body);
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("an answer has a head")?;
        let status =
            head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("an answer has a status")?;
        Ok(Self { status, body: body.to_owned() })
    }

    /// The sum of a counter over all its labels, on a Prometheus page; 0 when it is not there.
    #[must_use]
    pub fn counter(&self, name: &str) -> f64 {
        let series = self.body.lines().filter_map(|line| line.strip_prefix(name));
        let values =
            series.filter(|rest| rest.starts_with(['{', ' '])).filter_map(|rest| rest.rsplit(' ').next());
        values.filter_map(|value| value.parse::<f64>().ok()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn counters_are_summed_over_labels() {
        let body = "# TYPE a counter\na{x=\"1\"} 2\na{x=\"2\"} 3\na_b 7\nc 1\n".to_owned();
        let page = Page { status: 200, body };
        assert_eq!((page.counter("a"), page.counter("c"), page.counter("d")), (5.0, 1.0, 0.0));
    }
}
