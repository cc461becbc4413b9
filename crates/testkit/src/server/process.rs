//! Running other programs: with their words on failure, as root, as another user.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::wait::until;

/// Runs a command without standard input and returns its standard output.
///
/// # Errors
/// When it cannot be started or does not end with 0; the error carries what it said.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("starting {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    bail!("{command:?} ended with {}: {said}{}", output.status, String::from_utf8_lossy(&output.stderr))
}

/// Runs a command that leaves a server behind. Its output goes to a file: a pipe would stay open with the server.
///
/// # Errors
/// When it cannot be started or does not end with 0; the error carries what it said.
pub(super) fn launch(command: &mut Command, said: &Path) -> Result<()> {
    let file = File::create(said)?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    if status.success() {
        return Ok(());
    }
    bail!("{command:?} ended with {status}: {}", fs::read_to_string(said)?)
}

/// Is this process root?
#[must_use]
pub fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| run(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0"))
}

/// A command that runs as root: directly, or through `sudo -n` (which fails instead of asking) for an ordinary user.
#[must_use]
pub fn as_root(program: impl AsRef<OsStr>) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg("-n").arg(program);
    command
}

/// A command that runs as the given system user when this process is root, and as ourselves otherwise.
pub(super) fn as_user(user: &str, program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups", "--"]).arg(program);
    command
}

/// Sends a signal (`TERM`, `KILL`, `STOP` …) to a process.
///
/// # Errors
/// When there is no such process or it is not ours.
pub fn signal(pid: u32, name: &str) -> Result<()> {
    // The shell's own `kill`: the program of that name is not part of a small Debian.
    run(as_root("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid.to_string()])).map(drop)
}

/// Waits until a process has ended; one that only waits for its parent to take note (a zombie) has.
pub(super) fn wait_for_end(pid: u32, within: Duration) -> Result<()> {
    until(&format!("the end of process {pid}"), within, || {
        // `PID (NAME) STATE …`; a name may hold anything, but the last parenthesis is its end.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest.starts_with('Z'));
        Ok(state.unwrap_or(true).then_some(()))
    })
}

/// Finds a program in PATH and in the folders that ordinary users have not in theirs.
///
/// # Errors
/// When it is nowhere; the error says how to get it.
pub fn find_program(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .with_context(|| format!("{name} is not installed; `cargo xtask test` installs what the tests need"))
}

/// Does this system know a user of that name?
pub(super) fn user_exists(name: &str) -> bool {
    run(Command::new("id").args(["-u", name])).is_ok()
}
