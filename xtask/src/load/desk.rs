//! A desk as a process of its own: the built `guichet` in a throw-away folder, driven by command line, ports and pages.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use testkit::server::{Folder, READY_WITHIN, free_port, run, signal, until};

use super::page;

/// How long a graceful stop may take: it finishes work in hand.
const STOP_WITHIN: Duration = Duration::from_secs(120);

/// The subdomain of the account that every desk begins with.
pub const ACCOUNT: &str = "bench";

/// Where a desk keeps its data.
#[derive(Debug, Clone)]
pub enum Database {
    /// The embedded database in the desk's own folder.
    Sqlite,
    /// A `postgres://` URL of an empty database.
    Postgres(String),
}

impl Database {
    /// `sqlite` or `postgres`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

/// What a desk is made of.
#[derive(Debug, Clone)]
pub struct DeskOptions {
    /// The built program.
    pub binary: PathBuf,
    /// Where the data is kept.
    pub database: Database,
    /// Takes the outgoing mail; without one it waits in the outbox.
    pub relay: Option<SocketAddr>,
    /// Further lines of guichet.toml: whole tables that are not `mail`, `store`, `blobs`, `limits` or `delivery`.
    pub further: String,
}

/// Variables of a process: name and value.
pub type Environment = Vec<(String, OsString)>;

/// What sets one process of a desk apart from the others.
#[derive(Debug, Clone, Default)]
pub struct NodeOptions {
    /// Its name, under which it holds leases and greets the relay; made from its port if none is given.
    pub name: Option<String>,
    /// Further variables of its environment, `GUICHET_ROLES` for example.
    pub environment: Environment,
}

/// A configured desk with one account; its processes are [`Node`]s. Its folder goes when it is dropped.
#[derive(Debug)]
pub struct Desk {
    folder: Folder,
    binary: PathBuf,
    native_host: String,
}

impl Desk {
    /// Writes the configuration and creates the account `bench`.
    ///
    /// # Errors
    /// When the program refuses; its own words are in the error.
    pub fn create(options: &DeskOptions) -> Result<Self> {
        let folder = Folder::new("desk")?;
        let data = folder.folder("data", None)?;
        folder.write("guichet.toml", configuration(options, &data))?;
        let mut desk = Self { folder, binary: options.binary.clone(), native_host: String::new() };
        desk.native_host = desk.create_account(ACCOUNT)?;
        Ok(desk)
    }

    /// Creates one more account and returns its native host; `support@` at that host takes mail.
    ///
    /// # Errors
    /// When the program refuses.
    pub fn create_account(&self, subdomain: &str) -> Result<String> {
        let admin = format!("admin@{subdomain}.people.example");
        let account = self.command(&["account", "create", subdomain, "--admin", &admin])?;
        let host = account.get("native_host").and_then(Value::as_str);
        host.map(str::to_owned).with_context(|| format!("account create named no native_host: {account}"))
    }

    /// The native host of the account `bench`.
    pub fn native_host(&self) -> &str {
        &self.native_host
    }

    /// Registers one more support address of the account `bench`.
    ///
    /// # Errors
    /// When the program refuses.
    pub fn add_address(&self, address: &str) -> Result<()> {
        self.command(&["address", "add", address, "--account", "bench"]).map(drop)
    }

    /// Runs a subcommand with `--json` and returns what it printed; null when it printed nothing.
    ///
    /// # Errors
    /// When it fails or prints anything other than JSON.
    pub fn command(&self, arguments: &[&str]) -> Result<Value> {
        answer(&mut self.program(arguments), arguments)
    }

    /// Runs a subcommand as [`Desk::command`] does, with further variables in its environment.
    ///
    /// # Errors
    /// As [`Desk::command`].
    pub fn command_with(&self, environment: &Environment, arguments: &[&str]) -> Result<Value> {
        answer(self.program(arguments).envs(environment.iter().map(|(name, value)| (name, value))), arguments)
    }

    /// A list that a subcommand prints, of one account.
    ///
    /// # Errors
    /// As [`Desk::command`]; also when it is no list.
    pub fn list(&self, account: &str, arguments: &[&str]) -> Result<Vec<Value>> {
        match self.command(&[arguments, &["--account", account]].concat())? {
            Value::Array(rows) => Ok(rows),
            other => bail!("guichet {} printed no list: {other}", arguments.join(" ")),
        }
    }

    /// The folder with the blobs, unless a process was given another one.
    pub fn blobs(&self) -> PathBuf {
        self.data().join("blobs")
    }

    /// The folder with database (SQLite) and blobs.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The embedded database's file; there is none when the desk keeps its data elsewhere.
    pub fn sqlite(&self) -> PathBuf {
        self.data().join("guichet.db")
    }

    /// Starts a process of the desk on free ports, and does not wait for it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self) -> Result<Node> {
        self.spawn_as(&NodeOptions::default())
    }

    /// Starts a process that differs from the others of the desk, and does not wait for it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn_as(&self, options: &NodeOptions) -> Result<Node> {
        let port = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let smtp = port();
        let lmtp = port();
        let http = port();
        let name = options.name.clone().unwrap_or_else(|| format!("node-{}", http.port()));
        let path = self.folder.join("serve.log");
        let log = OpenOptions::new().create(true).append(true).open(&path)?;
        let child = self
            .program(&["serve"])
            .env("GUICHET_SMTP__LISTEN", smtp.to_string())
            .env("GUICHET_LMTP__LISTEN", lmtp.to_string())
            .env("GUICHET_HTTP__LISTEN", http.to_string())
            .env("GUICHET_NODE__NAME", &name)
            .env("GUICHET_MAIL__HOSTNAME", &name)
            .envs(options.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting guichet serve")?;
        Ok(Node { child, name, smtp, http, log: path })
    }

    /// Starts a process of the desk and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or is not ready in time; the end of its log is in the error.
    pub fn start(&self) -> Result<Node> {
        self.start_as(&NodeOptions::default())
    }

    /// Starts a process that differs from the others of the desk, and waits until it is ready.
    ///
    /// # Errors
    /// As [`Desk::start`].
    pub fn start_as(&self, options: &NodeOptions) -> Result<Node> {
        let mut node = self.spawn_as(options)?;
        node.wait_ready()?;
        Ok(node)
    }

    /// The end of what the processes logged.
    pub fn log_tail(&self) -> String {
        tail(&self.folder.join("serve.log"))
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(self.folder.path());
        command.arg("--config").arg(self.folder.join("guichet.toml")).arg("--data").arg(self.data());
        command
    }
}

/// One running `guichet serve`; killed when dropped.
#[derive(Debug)]
pub struct Node {
    child: Child,
    name: String,
    smtp: SocketAddr,
    http: SocketAddr,
    log: PathBuf,
}

impl Node {
    /// Its name, with which it greets the relay too.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its SMTP port.
    pub fn smtp(&self) -> SocketAddr {
        self.smtp
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `/readyz` says yes.
    ///
    /// # Errors
    /// When the process ends or takes too long; the end of its log is in the error.
    pub fn wait_ready(&mut self) -> Result<()> {
        let waited = until("guichet serve is ready", READY_WITHIN, || {
            if let Some(status) = self.child.try_wait()? {
                bail!("guichet serve ended with {status}");
            }
            Ok(self.is_ready().then_some(()))
        });
        waited.with_context(|| tail(&self.log))
    }

    /// Whether `/readyz` says yes at this moment.
    pub fn is_ready(&self) -> bool {
        page::get(self.http, "/readyz").is_ok_and(|page| page.status == 200)
    }

    /// Kills it with SIGKILL, as a crash would.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Freezes it with SIGSTOP: it holds its connections and does nothing.
    ///
    /// # Errors
    /// When it is gone.
    pub fn freeze(&self) -> Result<()> {
        signal(self.pid(), "STOP")
    }

    /// Lets a frozen one continue.
    ///
    /// # Errors
    /// When it is gone.
    pub fn thaw(&self) -> Result<()> {
        signal(self.pid(), "CONT")
    }

    /// Stops it gracefully (SIGTERM) and waits until it has ended.
    ///
    /// # Errors
    /// When it fails or does not end in time.
    pub fn stop(mut self) -> Result<()> {
        signal(self.pid(), "TERM")?;
        let status = until("guichet serve stops", STOP_WITHIN, || Ok(self.child.try_wait()?));
        let status = status.with_context(|| tail(&self.log))?;
        if status.success() {
            Ok(())
        } else {
            bail!("guichet serve stopped with {status}: {}", tail(&self.log))
        }
    }

    /// Its `/metrics` now.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metrics(&self) -> Result<page::Metrics> {
        Ok(page::Metrics::parse(&page::get(self.http, "/metrics")?.body))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a subcommand with `--json`; null when it printed nothing.
fn answer(command: &mut Command, arguments: &[&str]) -> Result<Value> {
    let said = run(command.arg("--json"))?;
    if said.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&said).with_context(|| format!("guichet {} printed {said:?}", arguments.join(" ")))
}

/// Limits that protect a real desk are off: load comes from one client and a few senders.
fn configuration(options: &DeskOptions, data: &Path) -> String {
    let store = match &options.database {
        Database::Sqlite => String::new(),
        Database::Postgres(url) => format!("[store]\nurl = \"{url}\"\n"),
    };
    let relay = options
        .relay
        .map(|address| format!("[delivery]\nrelay = \"smtp://{address}\"\n"))
        .unwrap_or_default();
    format!(
        "[mail]\ndomain = \"desk.example\"\n{store}[blobs]\nurl = \"file:{}\"\n[limits]\nsender_per_hour = 0\n\
         connections_per_client = 10000\n{relay}{}\n",
        data.join("blobs").display(),
        options.further
    )
}

fn tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(25)..).unwrap_or_default().join("\n")
}
