//! Reads the desk's pages: a bare HTTP request, and the Prometheus text of `/metrics`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug)]
pub struct Page {
    /// Status code.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

/// Gets a page. HTTP/1.0, so that the body ends with the connection and is never chunked (RFC 1945 §7.2.2).
///
/// # Errors
/// When nobody answers in time or the answer is not HTTP.
pub fn get(address: SocketAddr, path: &str) -> Result<Page> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer without an end of its head")?;
    let status =
        head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("an answer without a status")?;
    Ok(Page { status, body: body.to_owned() })
}

/// The samples of a Prometheus page.
#[derive(Debug, Default)]
pub struct Metrics {
    /// `name{labels}` as written, and the value.
    samples: BTreeMap<String, f64>,
}

impl Metrics {
    /// Reads the text form; lines it does not understand are left out.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self { samples: samples.collect() }
    }

    /// The sum of a metric over all its labels; 0 when there is none.
    pub fn sum(&self, name: &str) -> f64 {
        let of_metric =
            |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'));
        self.samples.iter().filter(|(key, _)| of_metric(key)).map(|(_, value)| value).sum()
    }

    /// A quantile (`0.5`, `0.99`) of a summary, in its unit.
    pub fn quantile(&self, name: &str, part: &str) -> Option<f64> {
        let label = format!("quantile=\"{part}\"");
        let of_summary = |key: &str| {
            key.strip_prefix(name).is_some_and(|rest| rest.starts_with('{') && rest.contains(&label))
        };
        self.samples.iter().find(|(key, _)| of_summary(key)).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn sums_run_over_labels_and_quantiles_are_found() {
        let metrics = Metrics::parse(
            "# TYPE decided counter\ndecided{outcome=\"new_ticket\"} 7\ndecided{outcome=\"comment\"} 3\n\
             decided_more 100\nwait_seconds{quantile=\"0.5\"} 0.25\nwait_seconds_sum 3\n",
        );
        assert_eq!(metrics.sum("decided"), 10.0);
        assert_eq!(metrics.sum("none"), 0.0);
        assert_eq!(metrics.quantile("wait_seconds", "0.5"), Some(0.25));
        assert_eq!(metrics.quantile("wait_seconds", "0.99"), None);
    }
}
