//! A throw-away Dovecot: LMTP in, IMAP out, Maildirs between.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::folder::Folder;
use super::port::{free_port, wait_for_port, wait_for_socket};
use super::process::{as_root, find_program, launch, run, signal, wait_for_end};
use super::wait::READY_WITHIN;

/// Owns the Maildirs; it exists on every system.
const MAIL_USER: &str = "nobody";

/// Somebody with a mailbox.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// The whole address, also the login name.
    pub address: String,
    /// The password, in the clear.
    pub password: String,
}

/// A running Dovecot; stopped and removed when dropped.
#[derive(Debug)]
pub struct Dovecot {
    folder: Folder,
    imap_port: u16,
}

impl Dovecot {
    /// Starts Dovecot with these mailboxes and waits until IMAP and LMTP answer; mail to anybody else is refused with
    /// 550 5.1.1.
    ///
    /// # Errors
    /// When Dovecot is not installed or does not start.
    pub fn start(mailboxes: &[Mailbox]) -> Result<Self> {
        let folder = Folder::new("dovecot")?;
        let imap_port = free_port();
        folder.folder("mail", Some(MAIL_USER))?;
        let users =
            mailboxes.iter().map(|mailbox| format!("{}:{{PLAIN}}{}\n", mailbox.address, mailbox.password));
        folder.write("users", users.collect::<String>())?;
        let config = configuration(&folder, imap_port)?;
        folder.write("dovecot.conf", config)?;
        let server = Self { folder, imap_port };
        let mut command = as_root(find_program("dovecot")?);
        command.arg("-c").arg(server.folder.join("dovecot.conf")).current_dir("/");
        launch(&mut command, &server.folder.join("start.log"))?;
        wait_for_port(imap_port)
            .and_then(|()| wait_for_socket(&server.lmtp()))
            .with_context(|| server.log())?;
        Ok(server)
    }

    /// The IMAP port on 127.0.0.1; logins in the clear are allowed.
    #[must_use]
    pub fn imap_port(&self) -> u16 {
        self.imap_port
    }

    /// The LMTP socket; everybody may open it.
    #[must_use]
    pub fn lmtp(&self) -> PathBuf {
        self.folder.join("run/lmtp-in")
    }

    /// Everything logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        run(as_root("cat").arg(self.folder.join("log"))).unwrap_or_default()
    }

    fn pid(&self) -> Result<u32> {
        Ok(run(as_root("cat").arg(self.folder.join("run/master.pid")))?.trim().parse()?)
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.folder.print_tail_on_panic("log");
        let Ok(pid) = self.pid() else { return };
        let _ = signal(pid, "TERM");
        if wait_for_end(pid, READY_WITHIN).is_err() {
            let _ = signal(pid, "KILL");
        }
    }
}

fn configuration(folder: &Folder, imap_port: u16) -> Result<String> {
    let at = folder.path().display();
    let group = run(Command::new("id").args(["-gn", MAIL_USER]))?;
    let group = group.trim();
    Ok(format!(
        r"protocols = imap lmtp
listen = 127.0.0.1
base_dir = {at}/run
state_dir = {at}/state
log_path = {at}/log
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
mail_fsync = never
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = {at}/users
}}
userdb {{
  driver = static
  args = uid={MAIL_USER} gid={group} home={at}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  unix_listener lmtp-in {{
    mode = 0666
  }}
}}
protocol lmtp {{
  auth_username_format = %Lu
}}
"
    ))
}
