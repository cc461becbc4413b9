//! Small programs that send one mail: swaks and msmtp.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};

use super::process::find_program;

/// A `swaks` command that speaks SMTP to a loopback port; the caller adds what it sends, and reads the dialogue on
/// standard output.
///
/// # Errors
/// When swaks is not installed.
pub fn swaks(port: u16) -> Result<Command> {
    let mut command = Command::new(find_program("swaks")?);
    command.args(["--server", "127.0.0.1", "--port", &port.to_string(), "--timeout", "60"]);
    command.stdin(Stdio::null());
    Ok(command)
}

/// Sends a mail with `msmtp` to a loopback port, in the clear, or with `tls_trust` over STARTTLS whose certificate
/// must be the one in that file.
///
/// # Errors
/// When msmtp is not installed; a refusal is in the output that it returns.
pub fn msmtp(
    port: u16,
    tls_trust: Option<&Path>,
    from: &str,
    recipients: &[&str],
    mail: &[u8],
) -> Result<Output> {
    let mut command = Command::new(find_program("msmtp")?);
    command.args(["--file=/dev/null", "--host=localhost", "--auth=off", "--domain=client.example"]);
    command.arg(format!("--port={port}")).arg(format!("--from={from}"));
    match tls_trust {
        Some(file) => command
            .args(["--tls=on", "--tls-starttls=on"])
            .arg(format!("--tls-trust-file={}", file.display())),
        None => command.arg("--tls=off"),
    };
    command.arg("--").args(recipients).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    child.stdin.take().context("standard input is piped")?.write_all(mail)?;
    Ok(child.wait_with_output()?)
}
