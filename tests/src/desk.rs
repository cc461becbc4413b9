//! A desk: the built program with a configuration, a database and ports of its own.

use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use testkit::database::Database;
use testkit::server::{Folder, free_port, run, signal, until};

use crate::page::Page;
use crate::{AGENT, NATIVE_HOST};

/// How long the tests wait for something that should happen at once; generous, for a busy machine.
pub const WITHIN: Duration = Duration::from_secs(60);

/// Where the desk listens for LMTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lmtp {
    /// On a loopback port.
    Tcp,
    /// On a unix socket in the desk's folder.
    Unix,
}

/// What a desk is made of.
#[derive(Debug, Clone)]
pub struct DeskOptions {
    /// The loopback port of the relay that takes the outgoing mail; without one it waits.
    pub relay: Option<u16>,
    /// Where it listens for LMTP.
    pub lmtp: Lmtp,
    /// The largest mail it takes, in bytes.
    pub max_mail_bytes: u64,
    /// Whether a database that may lose committed rows is allowed.
    pub allow_unsafe: bool,
    /// The data folder; none: one in the desk's own folder.
    pub data: Option<PathBuf>,
}

impl Default for DeskOptions {
    fn default() -> Self {
        Self { relay: None, lmtp: Lmtp::Tcp, max_mail_bytes: 25_000_000, allow_unsafe: false, data: None }
    }
}

/// A configured desk, and its server while it runs. Dropping it kills the server and removes everything.
#[derive(Debug)]
pub struct Desk {
    server: Option<Child>,
    folder: Folder,
    database: Database,
    data: PathBuf,
    smtp_port: u16,
    lmtp_port: u16,
    http_port: u16,
}

impl Desk {
    /// Writes the configuration; nothing runs yet, and no account exists.
    ///
    /// # Errors
    /// When the desk's folder cannot be written.
    pub fn configure(database: Database, options: &DeskOptions) -> Result<Self> {
        Self::configure_at(database, options, free_port())
    }

    /// As [`Desk::configure`], with an SMTP port that a peer already knows.
    pub(crate) fn configure_at(database: Database, options: &DeskOptions, smtp_port: u16) -> Result<Self> {
        let folder = Folder::new("desk")?;
        let data = options.data.clone().unwrap_or_else(|| folder.join("data"));
        let desk = Self {
            server: None,
            folder,
            database,
            data,
            smtp_port,
            lmtp_port: free_port(),
            http_port: free_port(),
        };
        desk.folder.write("guichet.toml", desk.configuration(options))?;
        Ok(desk)
    }

    /// A running desk with the account `acme` and the agent [`AGENT`].
    ///
    /// # Errors
    /// When the program refuses anything; its own words are in the error.
    pub fn open(database: Database, options: &DeskOptions) -> Result<Self> {
        let mut desk = Self::configure(database, options)?;
        desk.create_account()?;
        desk.serve(&[])?;
        Ok(desk)
    }

    /// Creates the account `acme` and the agent [`AGENT`].
    ///
    /// # Errors
    /// When the program refuses.
    pub fn create_account(&self) -> Result<()> {
        let account =
            self.run(&["account", "create", "acme", "--admin", "admin@agents.example", "--name", "Acme"])?;
        ensure!(
            account.get("native_host") == Some(&NATIVE_HOST.into()),
            "another native host than {NATIVE_HOST}: {account}"
        );
        self.run(&["user", "add", AGENT, "--role", "agent", "--name", "Bob Agent"]).map(drop)
    }

    /// The SMTP port on 127.0.0.1.
    #[must_use]
    pub fn smtp_port(&self) -> u16 {
        self.smtp_port
    }

    /// The LMTP port on 127.0.0.1, for a desk with [`Lmtp::Tcp`].
    #[must_use]
    pub fn lmtp_port(&self) -> u16 {
        self.lmtp_port
    }

    /// The LMTP socket, for a desk with [`Lmtp::Unix`].
    #[must_use]
    pub fn lmtp_socket(&self) -> PathBuf {
        self.folder.join("lmtp")
    }

    /// The data folder: blobs, and on SQLite the database.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The desk's database, as `store.url` names it.
    #[must_use]
    pub fn database_url(&self) -> String {
        match self.database.engine {
            "sqlite" => format!("sqlite:{}", self.data.join("desk.db").display()),
            _ => self.database.url.clone(),
        }
    }

    /// A file in the desk's own folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Runs a subcommand with `--json` and returns what it printed; null where it printed nothing.
    ///
    /// # Errors
    /// When it fails (its own words are in the error) or prints anything but one JSON value.
    pub fn run(&self, arguments: &[&str]) -> Result<Value> {
        let said = run(self.program(&[], arguments)?.arg("--json"))?;
        if said.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&said).with_context(|| format!("guichet {} printed {said}", arguments.join(" ")))
    }

    /// The rows that a `list` subcommand prints.
    ///
    /// # Errors
    /// As [`Desk::run`]; also when it is no list.
    pub fn list(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        match self.run(arguments)? {
            Value::Array(rows) => Ok(rows),
            other => bail!("guichet {} printed no list: {other}", arguments.join(" ")),
        }
    }

    /// Starts the server behind `wrapper` (a program with arguments that becomes it, or empty) and waits until it is
    /// ready.
    ///
    /// # Errors
    /// When it ends, or is not ready in time; its log is in the error.
    pub fn serve(&mut self, wrapper: &[&str]) -> Result<()> {
        let mut child = self.spawn(wrapper)?;
        let ready = until("the desk is ready", WITHIN, || {
            if let Some(status) = child.try_wait()? {
                bail!("the server ended with {status}");
            }
            Ok(self.page("/readyz").ok().filter(|page| page.status == 200).map(drop))
        });
        self.server = Some(child);
        ready.with_context(|| self.log())
    }

    /// Starts a server that is expected to refuse, and returns how it ended and what it said.
    ///
    /// # Errors
    /// When it keeps running.
    pub fn serve_in_vain(&self) -> Result<(ExitStatus, String)> {
        let mut child = self.spawn(&[])?;
        let ended = until("the server refuses to start", WITHIN, || Ok(child.try_wait()?));
        if ended.is_err() {
            child.kill()?;
            child.wait()?;
        }
        Ok((ended?, self.log()))
    }

    /// Asks the server to end (SIGTERM) and returns at once.
    ///
    /// # Errors
    /// When it is not running.
    pub fn terminate(&self) -> Result<()> {
        signal(self.server.as_ref().context("the desk does not run")?.id(), "TERM")
    }

    /// Waits until a server that was asked to has ended.
    ///
    /// # Errors
    /// When it keeps running for too long.
    pub fn wait_for_end(&mut self) -> Result<ExitStatus> {
        let mut child = self.server.take().context("the desk does not run")?;
        let ended = until("the server ends", WITHIN, || Ok(child.try_wait()?));
        if ended.is_err() {
            child.kill()?;
            child.wait()?;
        }
        ended.with_context(|| self.log())
    }

    /// Kills the server with SIGKILL.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.server.take().context("the desk does not run")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Fetches a page of the server.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn page(&self, path: &str) -> Result<Page> {
        Page::get(self.http_port, path)
    }

    /// Posts to the server, with header lines in addition to those that HTTP needs.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn post(&self, path: &str, header: &[&str], body: &[u8]) -> Result<Page> {
        Page::post(self.http_port, path, header, body)
    }

    /// The words of a subcommand with this desk's configuration, the program first.
    ///
    /// # Errors
    /// When the program is not built.
    pub fn words(&self, arguments: &[&str]) -> Result<Vec<String>> {
        let command = self.program(&[], arguments)?;
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        Ok(words.map(|word| word.to_string_lossy().into_owned()).collect())
    }

    /// Runs a subcommand with something on its standard input; returns its exit code and all its output.
    ///
    /// # Errors
    /// When it cannot be started or was killed.
    pub fn feed(&self, arguments: &[&str], input: &[u8]) -> Result<(i32, String)> {
        let mut command = self.program(&[], arguments)?;
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // It may end without reading.
        let _ = child.stdin.take().context("standard input is piped")?.write_all(input);
        let output = child.wait_with_output()?;
        let said =
            [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        Ok((output.status.code().context("it was killed")?, said))
    }

    /// Starts a subcommand whose output goes nowhere.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, arguments: &[&str]) -> Result<Child> {
        let mut command = self.program(&[], arguments)?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting guichet")
    }

    /// What the server has written to its log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits for something of this desk; its log is in the error.
    pub(crate) fn wait<T>(&self, what: &str, look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        until(what, WITHIN, look).with_context(|| self.log())
    }

    fn spawn(&self, wrapper: &[&str]) -> Result<Child> {
        let log = File::create(self.folder.join("log"))?;
        let mut command = self.program(wrapper, &["serve"])?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.spawn().context("starting guichet serve")
    }

    /// A subcommand with this desk's configuration, behind `wrapper`.
    fn program(&self, wrapper: &[&str], arguments: &[&str]) -> Result<Command> {
        let program = program()?;
        let mut command = match wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(arguments)
            .arg("--config")
            .arg(self.folder.join("guichet.toml"))
            .arg("--data")
            .arg(&self.data);
        command.current_dir(self.folder.path());
        Ok(command)
    }

    fn configuration(&self, options: &DeskOptions) -> String {
        let Self { smtp_port, lmtp_port, http_port, .. } = self;
        let data = &self.data;
        let url = self.database_url();
        let lmtp = match options.lmtp {
            Lmtp::Tcp => format!("127.0.0.1:{lmtp_port}"),
            Lmtp::Unix => format!("unix:{}", self.lmtp_socket().display()),
        };
        let relay = options.relay.map(|port| format!("[delivery]\nrelay = \"smtp://127.0.0.1:{port}\"\n"));
        format!(
            r#"[http]
listen = "127.0.0.1:{http_port}"
[smtp]
listen = "127.0.0.1:{smtp_port}"
[lmtp]
listen = "{lmtp}"
[mail]
domain = "desk.example"
[store]
url = "{url}"
allow_unsafe = {allow_unsafe}
[blobs]
url = "file:{blobs}"
[limits]
sender_per_hour = 0
connections_per_client = 1000
max_mail_bytes = {max_mail_bytes}
{relay}"#,
            blobs = data.join("blobs").display(),
            allow_unsafe = options.allow_unsafe,
            max_mail_bytes = options.max_mail_bytes,
            relay = relay.unwrap_or_default(),
        )
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(mut child) = self.server.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- the desk's log\n{}", self.log());
        }
    }
}

/// The built program: `GUICHET_BIN`, else what `cargo build` leaves in the checkout.
fn program() -> Result<PathBuf> {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/debug/guichet");
    let program = env::var_os("GUICHET_BIN").map_or_else(|| PathBuf::from(built), PathBuf::from);
    ensure!(program.is_file(), "{} is not built; run the tests by `cargo xtask test`", program.display());
    Ok(program)
}
