//! Finds out which programs the tests lack and installs them through the system's package manager.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use testkit::server::{as_root, find_program, is_root, run};

/// The script that Debian's policy layer asks whether a package may start services when it is installed.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// A Debian package, and how to tell that what the tests need from it is installed.
struct Package {
    name: &'static str,
    is_there: fn() -> bool,
}

/// What the tests run besides the program. Exim is not here: its package conflicts with Postfix's, see
/// `testkit::server::Exim`.
const PACKAGES: [Package; 8] = [
    Package { name: "postgresql", is_there: postgres_is_there },
    Package { name: "postfix", is_there: || find_program("postfix").is_ok() },
    Package { name: "dovecot-imapd", is_there: || Path::new("/usr/lib/dovecot/imap").exists() },
    Package { name: "dovecot-lmtpd", is_there: || Path::new("/usr/lib/dovecot/lmtp").exists() },
    Package { name: "swaks", is_there: || find_program("swaks").is_ok() },
    // swaks needs it for TLS.
    Package {
        name: "libnet-ssleay-perl",
        is_there: || run(Command::new("perl").args(["-MNet::SSLeay", "-e1"])).is_ok(),
    },
    Package { name: "msmtp", is_there: || find_program("msmtp").is_ok() },
    Package { name: "strace", is_there: || find_program("strace").is_ok() },
];

/// Installs what is missing and says so.
///
/// # Errors
/// When something is missing and cannot be installed; the error names the packages.
pub(crate) fn ensure_installed() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        println!("xtask: every program that the tests need is installed");
        return Ok(());
    }
    let names = missing.join(" ");
    println!("xtask: missing: {names}");
    install(&missing)
        .with_context(|| format!("the tests need these Debian packages, please install them: {names}"))?;
    let not_found = self::missing();
    ensure!(not_found.is_empty(), "installed, but still not found: {}", not_found.join(" "));
    println!("xtask: installed: {names}");
    Ok(())
}

fn missing() -> Vec<&'static str> {
    PACKAGES.iter().filter(|package| !(package.is_there)()).map(|package| package.name).collect()
}

fn postgres_is_there() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path()).any(|version| version.join("bin/initdb").exists())
        || find_program("initdb").is_ok()
}

fn install(packages: &[&str]) -> Result<()> {
    find_program("apt-get").context("this system has no apt-get")?;
    become_able_to_install()?;
    let _policy = NoServices::forbid()?;
    apt(&["update"])?;
    // --no-remove: Postfix conflicts with other mail servers, and one that the machine runs is not ours to remove.
    let mut arguments = vec!["install", "-y", "--no-install-recommends", "--no-remove"];
    arguments.extend(packages);
    apt(&arguments)
}

/// An ordinary user needs sudo; a password is only asked for at a terminal.
fn become_able_to_install() -> Result<()> {
    if is_root() || run(&mut as_root("true")).is_ok() {
        return Ok(());
    }
    ensure!(std::io::stdin().is_terminal(), "this user is not root and sudo wants a password");
    let status = Command::new("sudo").arg("-v").status().context("starting sudo")?;
    ensure!(status.success(), "sudo refused");
    Ok(())
}

fn apt(arguments: &[&str]) -> Result<()> {
    println!("xtask: apt-get {}", arguments.join(" "));
    let mut command = as_root("env");
    // A system that has just booted may hold the package manager's lock for a while.
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]);
    let status = command.args(arguments).stdin(Stdio::null()).status().context("starting apt-get")?;
    ensure!(status.success(), "apt-get {} ended with {status}", arguments.join(" "));
    Ok(())
}

/// As long as this value lives, installing a package starts no service.
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    /// Puts a policy in place, unless the machine already has one, which is left alone.
    fn forbid() -> Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { is_ours: false });
        }
        // 101 means: action not allowed.
        let script = "cat > \"$0\" && chmod 755 \"$0\"";
        let mut writer = as_root("sh").args(["-c", script, POLICY]).stdin(Stdio::piped()).spawn()?;
        writer.stdin.take().context("standard input is piped")?.write_all(b"#!/bin/sh\nexit 101\n")?;
        let status = writer.wait()?;
        if !status.success() {
            bail!("writing {POLICY} ended with {status}");
        }
        Ok(Self { is_ours: true })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours
            && let Err(error) = run(as_root("rm").args(["-f", POLICY]))
        {
            eprintln!("xtask: {POLICY} was not removed: {error:#}");
        }
    }
}
