//! A throw-away Exim that delivers to given domains.
//!
//! Debian's packages of Postfix and Exim exclude each other, so Exim is fetched as a package file, unpacked into a
//! folder and run from there; libraries that the system lacks are unpacked beside it.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::folder::Folder;
use super::port::free_port;
use super::postfix::Route;
use super::process::{as_root, find_program, is_root, run, user_exists};

/// The package that holds Exim's program.
const PACKAGE: &str = "exim4-daemon-light";
/// The user that the program asks for by name at every start; the package would create it.
const USER: &str = "Debian-exim";
/// The variable that names a folder in which [`Exim::unpack`] has already worked.
pub const VARIABLE: &str = "GUICHET_TEST_EXIM";

/// An Exim with its queue; it runs only while it delivers, and is removed when dropped.
#[derive(Debug)]
pub struct Exim {
    folder: Folder,
    program: PathBuf,
    libraries: PathBuf,
}

impl Exim {
    /// Configures an Exim that delivers the mail of each domain by its route: with `starttls` only over TLS, whose
    /// certificate it does not check. Fetches and unpacks the program where `GUICHET_TEST_EXIM` names no folder that
    /// has it.
    ///
    /// # Errors
    /// When the package cannot be fetched or the program does not start.
    pub fn start(routes: &[(String, Route)]) -> Result<Self> {
        let folder = Folder::new("exim")?;
        let unpacked = match env::var_os(VARIABLE) {
            Some(unpacked) => PathBuf::from(unpacked),
            None => Self::unpack(&folder.folder("package", None)?)?,
        };
        let program = unpacked.join("usr/sbin/exim4");
        folder.folder("spool", Some(USER))?;
        folder.folder("log", Some(USER))?;
        folder.write("exim.conf", configuration(&folder, &program, routes))?;
        // Exim refuses a configuration that somebody else than root may have written.
        run(as_root("chown").arg("root").arg(folder.join("exim.conf")))?;
        let server = Self { folder, program, libraries: unpacked };
        run(server.command().arg("-bV")).with_context(|| server.log())?;
        Ok(server)
    }

    /// Fetches Exim and the libraries that this system lacks, unpacks them into `folder` (which may have them
    /// already), and returns it. Creates the system user that the program needs.
    ///
    /// # Errors
    /// When the package manager cannot fetch a package.
    pub fn unpack(folder: &Path) -> Result<PathBuf> {
        if !user_exists(USER) {
            run(as_root("useradd").args(["--system", "--user-group", "--no-create-home"]).args([
                "--home-dir",
                "/nonexistent",
                "--shell",
                "/usr/sbin/nologin",
                USER,
            ]))?;
        }
        if folder.join("usr/sbin/exim4").exists() {
            return Ok(folder.to_owned());
        }
        let mut packages = vec![PACKAGE.to_owned()];
        packages.extend(missing_libraries()?);
        run(Command::new(find_program("apt-get")?).arg("download").args(&packages).current_dir(folder))?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                run(Command::new("dpkg-deb").arg("-x").arg(&path).arg(folder))?;
            }
        }
        Ok(folder.to_owned())
    }

    /// Takes a mail (lines end in LF or CRLF) and tries to deliver it at once to each recipient.
    ///
    /// # Errors
    /// When Exim does not take it; a delivery that fails stays in its queue and is told by [`Exim::log`].
    pub fn send(&self, from: &str, recipients: &[&str], mail: &[u8]) -> Result<()> {
        let mut command = self.command();
        // -odi: deliver in the foreground; -oi: a line with one dot does not end the mail.
        command.args(["-odi", "-oi", "-f", from, "--"]).args(recipients);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        child.stdin.take().context("standard input is piped")?.write_all(mail)?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("exim: {}: {}{}", output.status, String::from_utf8_lossy(&output.stderr), self.log());
        }
        Ok(())
    }

    /// The main log: one line per arrival (`<=`), delivery (`=>`), refusal (`**`) and deferral (`==`).
    #[must_use]
    pub fn log(&self) -> String {
        run(as_root("cat").arg(self.folder.join("log/mainlog"))).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = as_root("env");
        command.arg(format!("LD_LIBRARY_PATH={}", library_path(&self.libraries)));
        command.arg(&self.program).arg("-C").arg(self.folder.join("exim.conf")).current_dir("/");
        command
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        self.folder.print_tail_on_panic("log/mainlog");
        self.folder.print_tail_on_panic("log/paniclog");
    }
}

/// The folders below an unpacked package in which libraries lie.
fn library_path(unpacked: &Path) -> String {
    let triplets =
        fs::read_dir(unpacked.join("usr/lib")).into_iter().flatten().flatten().map(|entry| entry.path());
    let folders: Vec<String> = triplets
        .chain([unpacked.join("lib"), unpacked.join("usr/lib")])
        .chain(fs::read_dir(unpacked.join("lib")).into_iter().flatten().flatten().map(|entry| entry.path()))
        .filter(|path| path.is_dir())
        .map(|path| path.display().to_string())
        .collect();
    folders.join(":")
}

/// The library packages below Exim that this system has not installed.
fn missing_libraries() -> Result<Vec<String>> {
    let ignored = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"]
        .map(|kind| format!("--no-{kind}"));
    let direct = run(Command::new(find_program("apt-cache")?).arg("depends").args(&ignored).arg(PACKAGE))?;
    let direct: Vec<&str> =
        direct.lines().filter_map(|line| line.trim().strip_prefix("Depends: lib")).collect();
    // Only below the libraries: exim4-base would drag in half a system.
    let wanted = direct.iter().map(|name| format!("lib{name}"));
    let all = run(Command::new(find_program("apt-cache")?)
        .args(["depends", "--recurse"])
        .args(&ignored)
        .args(wanted))?;
    let libraries = all
        .lines()
        .filter(|line| line.starts_with("lib") && !line.contains(':'))
        .filter(|name| !is_installed(name));
    Ok(libraries.map(str::to_owned).collect())
}

fn is_installed(package: &str) -> bool {
    let state = run(Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status} ", package]));
    state.is_ok_and(|state| state.split_whitespace().any(|word| word == "installed"))
}

/// Mail is delivered by the process that took it (`deliver_drop_privilege`): one that it starts anew with another user than its
/// own would be denied LD_LIBRARY_PATH, and with it the libraries that the system lacks (ld.so(8), secure-execution mode).
fn configuration(folder: &Folder, program: &Path, routes: &[(String, Route)]) -> String {
    let (mut routers, mut transports) = (String::new(), String::new());
    for (number, (domain, route)) in routes.iter().enumerate() {
        let (hosts, transport) = delivery(route);
        routers.push_str(&format!(
            "r{number}:\n  driver = {}\n  domains = {domain}\n  transport = t{number}\n{hosts}",
            if hosts.is_empty() { "accept" } else { "manualroute" },
        ));
        transports.push_str(&format!("t{number}:\n{transport}"));
    }
    format!(
        "primary_hostname = exim.example
spool_directory = {at}/spool
log_file_path = {at}/log/%slog
pid_file_path = {at}/spool/exim.pid
exim_path = {program}
daemon_smtp_ports = {unused}
trusted_users = {trusted}
keep_environment = LD_LIBRARY_PATH
never_users =
deliver_drop_privilege = true
disable_ipv6 = true
qualify_domain = exim.example
begin routers
{routers}begin transports
{transports}begin retry
* * F,1h,1s
",
        at = folder.path().display(),
        program = program.display(),
        unused = free_port(),
        trusted = if is_root() { "root" } else { "root : Debian-exim" },
    )
}

/// The router's host list (empty: none is needed) and the transport of a route.
fn delivery(route: &Route) -> (String, String) {
    let hosts = "  route_list = * 127.0.0.1\n  self = send\n".to_owned();
    match route {
        Route::Smtp { port, starttls } => {
            let tls = if *starttls { "hosts_require_tls = *" } else { "hosts_avoid_tls = *" };
            (hosts, format!("  driver = smtp\n  port = {port}\n  {tls}\n  allow_localhost\n"))
        }
        Route::LmtpTcp(port) => (
            hosts,
            format!(
                "  driver = smtp\n  protocol = lmtp\n  port = {port}\n  hosts_avoid_tls = *\n  allow_localhost\n"
            ),
        ),
        Route::LmtpUnix(path) => {
            (String::new(), format!("  driver = lmtp\n  socket = {}\n  user = {USER}\n", path.display()))
        }
    }
}
