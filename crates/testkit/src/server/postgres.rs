//! A throw-away PostgreSQL with real durability.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};

use super::certificate::Certificate;
use super::folder::Folder;
use super::port::free_port;
use super::process::{as_root, as_user, find_program, run, signal, user_exists};
use super::wait::{READY_WITHIN, until};
use crate::statement;

/// The system user PostgreSQL runs as when the tests run as root; the Debian package makes it.
const USER: &str = "postgres";

/// How a server is started.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// `fsync` and `synchronous_commit`, both on by default; off makes a server that Guichet must refuse.
    pub durable: bool,
    /// `max_connections`, 200 by default.
    pub connections: u32,
    /// Whether it offers TLS, with a certificate for `localhost` and 127.0.0.1; not by default.
    pub tls: bool,
    /// Further `-c name=value` settings.
    pub settings: Vec<(String, String)>,
    /// An existing folder (a small tmpfs, for example) that shall hold the data; by default the server's own folder.
    pub inside: Option<PathBuf>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { durable: true, connections: 200, tls: false, settings: Vec::new(), inside: None }
    }
}

/// A running PostgreSQL that listens on loopback, trusts everybody, and is removed when dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: Folder,
    data: PathBuf,
    port: u16,
    options: PostgresOptions,
    tls: Option<(Certificate, PathBuf)>,
    child: Option<Child>,
}

impl Postgres {
    /// Makes a cluster, starts it on a free port and waits until it answers.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start; its own words are in the error.
    pub fn start(options: PostgresOptions) -> Result<Self> {
        let folder = Folder::new("postgres")?;
        let data = options.inside.clone().unwrap_or_else(|| folder.path().to_owned()).join("data");
        fs::create_dir(&data)?;
        if super::is_root() {
            ensure_user()?;
            run(as_root("chown").arg(USER).arg(&data).arg(folder.path()))?;
        }
        run(as_user(USER, &program("initdb")?)
            .current_dir("/")
            .args([
                "--username=guichet",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "-D",
            ])
            .arg(&data))?;
        let tls = options.tls.then(|| tls_files(&folder)).transpose()?;
        let mut server = Self { folder, data, port: free_port(), options, tls, child: None };
        server.launch()?;
        Ok(server)
    }

    /// The TCP port on 127.0.0.1; it stays the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of the postmaster, `None` while it is killed or stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The file of the authority that signed its certificate; none without TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&Path> {
        self.tls.as_ref().map(|(_, authority)| authority.as_path())
    }

    /// The URL of the maintenance database, `postgres://…/postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://guichet@127.0.0.1:{}/postgres", self.port)
    }

    /// Creates an empty database and returns its URL; it goes with the server.
    ///
    /// # Errors
    /// When the server does not answer or has no room.
    pub fn fresh_database(&self) -> Result<String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("desk_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        statement::create(&self.url(), &name)
    }

    /// Follows the server as an asynchronous standby named `pg_receivewal`, until the value is dropped. Once a server.
    ///
    /// # Errors
    /// When it cannot be started; it connects some time later.
    pub fn follow(&self) -> Result<Follower> {
        let wal = self.folder.folder("followed", None)?;
        let mut command = Command::new(program("pg_receivewal")?);
        command
            .args(["--no-loop", "-h", "127.0.0.1", "-U", "guichet", "-p"])
            .arg(self.port.to_string())
            .arg("-D")
            .arg(wal);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(self.folder.join("followed.log"))?);
        Ok(Follower(command.spawn().context("starting pg_receivewal")?))
    }

    /// Kills the postmaster with SIGKILL, as a crash would; its children end by themselves when they notice.
    ///
    /// # Errors
    /// When it is not running.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("PostgreSQL is not running")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Stops the server in order ("fast": open connections are cut, everything is checkpointed).
    ///
    /// # Errors
    /// When it is not running or does not end in time.
    pub fn stop(&mut self) -> Result<()> {
        let mut child = self.child.take().context("PostgreSQL is not running")?;
        signal(child.id(), "INT")?;
        until("PostgreSQL stops", READY_WITHIN, || Ok(child.try_wait()?.map(drop)))
    }

    /// Starts the server again on the same data and port after [`Postgres::kill`], [`Postgres::stop`] or a crash of its
    /// own.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub fn restart(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        self.launch()
    }

    /// Has the postmaster ended by itself?
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(match &mut self.child {
            Some(child) => child.try_wait()?.is_some(),
            None => true,
        })
    }

    fn launch(&mut self) -> Result<()> {
        // Children of a killed postmaster hold its shared memory until they have noticed: the new one then refuses to
        // start, and is started again.
        until("PostgreSQL starts", READY_WITHIN, || {
            let mut child = self.spawn()?;
            let answers = until("PostgreSQL answers", READY_WITHIN, || {
                let ended = child.try_wait()?.is_some();
                Ok((ended || statement::answers(&self.url())).then_some(!ended))
            })?;
            self.child = answers.then_some(child);
            Ok(answers.then_some(()))
        })
        .with_context(|| fs::read_to_string(self.folder.join("log")).unwrap_or_default())
    }

    fn spawn(&self) -> Result<Child> {
        let log = File::create(self.folder.join("log"))?;
        let durable = if self.options.durable { "on" } else { "off" };
        let mut command: Command = as_user(USER, &program("postgres")?);
        command.current_dir("/").arg("-D").arg(&self.data).arg("-p").arg(self.port.to_string());
        command.arg("-k").arg(self.folder.path());
        command.args(["-c", "listen_addresses=127.0.0.1"]);
        command.arg("-c").arg(format!("max_connections={}", self.options.connections));
        command.arg("-c").arg(format!("fsync={durable}"));
        command.arg("-c").arg(format!("synchronous_commit={durable}"));
        if let Some((certificate, _)) = &self.tls {
            command.args(["-c", "ssl=on"]);
            command.arg("-c").arg(format!("ssl_cert_file={}", certificate.certificate.display()));
            command.arg("-c").arg(format!("ssl_key_file={}", certificate.key.display()));
        }
        for (name, value) in &self.options.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.spawn().context("starting postgres")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.folder.print_tail_on_panic("log");
        let Some(mut child) = self.child.take() else {
            return;
        };
        let _ = signal(child.id(), "QUIT");
        let stopped = until("PostgreSQL stops", READY_WITHIN, || Ok(child.try_wait()?.map(drop)));
        if stopped.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What follows a [`Postgres`] like a standby; ends when dropped.
#[derive(Debug)]
pub struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The newest installed server's program: Debian keeps them outside PATH, in a folder per version.
fn program(name: &str) -> Result<PathBuf> {
    let newest = fs::read_dir("/usr/lib/postgresql").ok().and_then(|versions| {
        versions
            .filter_map(|version| Some(version.ok()?.path().join("bin").join(name)))
            .filter(|program| program.is_file())
            .max_by_key(|program| version_of(program))
    });
    newest.map_or_else(|| find_program(name), Ok)
}

/// The version in `/usr/lib/postgresql/VERSION/bin/…`, 0 where there is none.
fn version_of(program: &Path) -> u32 {
    let folder = program.ancestors().nth(2).and_then(Path::file_name);
    folder.and_then(|name| name.to_str()?.parse().ok()).unwrap_or(0)
}

/// PostgreSQL takes no key that others may read.
fn tls_files(folder: &Folder) -> Result<(Certificate, PathBuf)> {
    let (certificate, authority) = Certificate::make_signed(folder)?;
    fs::set_permissions(&certificate.key, fs::Permissions::from_mode(0o600))?;
    if super::is_root() {
        run(as_root("chown").arg(USER).arg(&certificate.key))?;
    }
    Ok((certificate, authority))
}

fn ensure_user() -> Result<()> {
    if user_exists(USER) {
        return Ok(());
    }
    let made =
        run(as_root("useradd").args(["--system", "--user-group", "--shell", "/usr/sbin/nologin", USER]));
    if made.is_err() && !user_exists(USER) {
        bail!("PostgreSQL does not run as root, and its system user {USER} could not be created: {made:?}");
    }
    Ok(())
}
