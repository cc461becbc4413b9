//! A throw-away Postfix: own configuration, queue and data folders, one SMTP port.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::certificate::Certificate;
use super::folder::Folder;
use super::port::{free_port, wait_for_port};
use super::process::{as_root, find_program, launch, run, signal, wait_for_end};
use super::wait::READY_WITHIN;

/// Owns the Maildirs; it exists on every system.
const MAIL_USER: &str = "nobody";

/// Where Postfix sends the mail of a domain.
#[derive(Debug, Clone)]
pub enum Route {
    /// By SMTP to a loopback port, in the clear or (without checking the certificate) only over STARTTLS.
    Smtp {
        /// The port on 127.0.0.1.
        port: u16,
        /// Is STARTTLS required?
        starttls: bool,
    },
    /// By LMTP to a loopback port.
    LmtpTcp(u16),
    /// By LMTP to a unix socket, which Postfix's own user must be able to open.
    LmtpUnix(PathBuf),
}

/// How the port takes mail in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inbound {
    /// In the clear; STARTTLS is not offered.
    Clear,
    /// STARTTLS is offered with a self-signed certificate for localhost.
    StartTls,
}

/// What a Postfix does.
#[derive(Debug, Clone)]
pub struct PostfixOptions {
    /// How its port takes mail in.
    pub inbound: Inbound,
    /// Domains (`example.org`, or `.example.org` for everything below) and where their mail goes.
    pub routes: Vec<(String, Route)>,
    /// Domains and the command whose standard input gets their mail, run as [`Postfix::pipe_user`]; words as in master.cf.
    pub pipes: Vec<(String, Vec<String>)>,
    /// Domains all of whose mail is stored in one Maildir, see [`Postfix::maildir`].
    pub stored: Vec<String>,
    /// Further `name = value` lines of main.cf.
    pub settings: Vec<(String, String)>,
}

impl Default for PostfixOptions {
    fn default() -> Self {
        Self {
            inbound: Inbound::Clear,
            routes: Vec::new(),
            pipes: Vec::new(),
            stored: Vec::new(),
            settings: Vec::new(),
        }
    }
}

/// A running Postfix that takes mail from loopback; stopped and removed when dropped.
///
/// It retries after a second and sends its non-delivery reports at once, by the same routes. It never asks DNS.
#[derive(Debug)]
pub struct Postfix {
    folder: Folder,
    port: u16,
    certificate: Certificate,
}

impl Postfix {
    /// Writes the configuration, starts Postfix on a free port and waits until it answers.
    ///
    /// # Errors
    /// When Postfix is not installed or does not start.
    pub fn start(options: &PostfixOptions) -> Result<Self> {
        let folder = Folder::new("postfix")?;
        let certificate = Certificate::make(&folder)?;
        let port = free_port();
        let etc = folder.folder("etc", None)?;
        make_queue(&folder)?;
        folder.folder("data", Some("postfix"))?;
        folder.folder("log", Some("root"))?;
        folder.folder("mail", Some(MAIL_USER))?;
        folder.write("etc/main.cf", main_cf(&folder, &certificate, options)?)?;
        folder.write("etc/master.cf", master_cf(port, &options.pipes))?;
        let pipes: String = options.pipes.iter().map(|(domain, _)| format!("{domain} {domain}:\n")).collect();
        folder.write("etc/transport", lines(&options.routes, |route| Some(next_hop(route))) + &pipes)?;
        folder.write("etc/tls_policy", tls_policy(&options.routes))?;
        run(as_root("chown").arg("-R").arg("root").arg(&etc))?;
        let server = Self { folder, port, certificate };
        server.restart().with_context(|| server.log())?;
        Ok(server)
    }

    /// The SMTP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whom the commands of [`PostfixOptions::pipes`] are run as.
    #[must_use]
    pub fn pipe_user() -> &'static str {
        MAIL_USER
    }

    /// The certificate that it shows on STARTTLS.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The Maildir of all stored domains; its `new` holds one file per mail. Only root may read it.
    #[must_use]
    pub fn maildir(&self) -> PathBuf {
        self.folder.join("mail/box")
    }

    /// The queue folder, for measuring where it lies.
    #[must_use]
    pub fn queue(&self) -> PathBuf {
        self.folder.join("queue")
    }

    /// The process id of Postfix's master; its children are the rest.
    ///
    /// # Errors
    /// When it is not running.
    pub fn pid(&self) -> Result<u32> {
        let text = run(as_root("cat").arg(self.folder.join("queue/pid/master.pid")))?;
        text.trim().parse().with_context(|| format!("{text:?} is no process id"))
    }

    /// Everything logged so far; TLS sessions and each delivery have a line.
    #[must_use]
    pub fn log(&self) -> String {
        run(as_root("cat").arg(self.folder.join("log/maillog"))).unwrap_or_default()
    }

    /// Stops it in order; what is being delivered is finished.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop(&self) -> Result<()> {
        let pid = self.pid()?;
        signal(pid, "TERM")?;
        wait_for_end(pid, READY_WITHIN)
    }

    /// Starts it (again) on the same port and queue.
    ///
    /// The master is started directly: `postfix start` asks hundreds of questions first, which takes seconds.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub fn restart(&self) -> Result<()> {
        let daemons = run(Command::new(find_program("postconf")?).args(["-d", "-h", "daemon_directory"]))?;
        let mut command = as_root("env");
        command.arg(format!("MAIL_CONFIG={}", self.folder.join("etc").display()));
        // -w: goes into the background and returns when the master is ready.
        command.arg(Path::new(daemons.trim()).join("master")).arg("-w").current_dir("/");
        launch(&mut command, &self.folder.join("start.log"))?;
        wait_for_port(self.port)
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.folder.print_tail_on_panic("log/maillog");
        if self.stop().is_err()
            && let Ok(pid) = self.pid()
        {
            let _ = signal(pid, "KILL");
        }
    }
}

/// Makes the queue's folders, as `postfix start` would.
fn make_queue(folder: &Folder) -> Result<()> {
    let script = "cd \"$0\" && mkdir pid maildrop public && mkdir -m 700 active bounce corrupt defer deferred flush hold \
        incoming private saved trace && chown postfix active bounce corrupt defer deferred flush hold incoming private \
        saved trace && chown postfix:postdrop maildrop public && chmod 730 maildrop && chmod 710 public";
    let queue = folder.folder("queue", Some("root"))?;
    run(as_root("sh").args(["-c", script]).arg(queue)).map(drop)
}

fn main_cf(folder: &Folder, certificate: &Certificate, options: &PostfixOptions) -> Result<String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let id = |flag: &str| run(Command::new("id").args([flag, MAIL_USER])).map(|id| id.trim().to_owned());
    let routed = options.routes.iter().map(|(domain, _)| domain.as_str());
    let relayed: Vec<&str> = routed.chain(options.pipes.iter().map(|(domain, _)| domain.as_str())).collect();
    let mut settings = vec![
        ("compatibility_level", "3.6".to_owned()),
        ("queue_directory", at("queue")),
        ("data_directory", at("data")),
        ("maillog_file", at("log/maillog")),
        ("maillog_file_prefixes", at("log")),
        ("myhostname", "relay.example".to_owned()),
        ("mydestination", String::new()),
        ("inet_interfaces", "127.0.0.1".to_owned()),
        ("inet_protocols", "ipv4".to_owned()),
        ("mynetworks", "127.0.0.0/8".to_owned()),
        ("alias_maps", String::new()),
        ("alias_database", String::new()),
        ("biff", "no".to_owned()),
        ("disable_dns_lookups", "yes".to_owned()),
        // A mail to a domain below a listed one goes where a dot in front says; the domain itself has a line too.
        ("parent_domain_matches_subdomains", String::new()),
        ("relay_domains", relayed.join(" ")),
        ("transport_maps", format!("texthash:{}", at("etc/transport"))),
        ("smtp_tls_policy_maps", format!("texthash:{}", at("etc/tls_policy"))),
        ("smtp_tls_loglevel", "1".to_owned()),
        ("virtual_mailbox_domains", options.stored.join(" ")),
        ("virtual_mailbox_base", at("mail")),
        ("virtual_mailbox_maps", "static:box/".to_owned()),
        ("virtual_minimum_uid", "1".to_owned()),
        ("virtual_uid_maps", format!("static:{}", id("-u")?)),
        ("virtual_gid_maps", format!("static:{}", id("-g")?)),
        ("message_size_limit", "104857600".to_owned()),
        ("mailbox_size_limit", "0".to_owned()),
        ("virtual_mailbox_limit", "0".to_owned()),
        ("queue_run_delay", "1s".to_owned()),
        ("minimal_backoff_time", "1s".to_owned()),
        ("maximal_backoff_time", "2s".to_owned()),
        // Tests start with a peer that is not there yet; it shall not be held against the next mail.
        ("default_destination_concurrency_failed_cohort_limit", "1000".to_owned()),
        ("smtpd_client_connection_rate_limit", "0".to_owned()),
        ("smtpd_client_connection_count_limit", "0".to_owned()),
        ("default_destination_recipient_limit", "50".to_owned()),
    ];
    if options.inbound == Inbound::StartTls {
        settings.push(("smtpd_tls_security_level", "may".to_owned()));
        settings.push(("smtpd_tls_cert_file", certificate.certificate.display().to_string()));
        settings.push(("smtpd_tls_key_file", certificate.key.display().to_string()));
        settings.push(("smtpd_tls_loglevel", "1".to_owned()));
    }
    let further = options.settings.iter().map(|(name, value)| (name.as_str(), value.clone()));
    Ok(settings.into_iter().chain(further).map(|(name, value)| format!("{name} = {value}\n")).collect())
}

/// Nothing runs in a chroot: the folder has no copies of the system's files.
fn master_cf(port: u16, pipes: &[(String, Vec<String>)]) -> String {
    let services = [
        "pickup unix n - n 60 1 pickup",
        "cleanup unix n - n - 0 cleanup",
        "qmgr unix n - n 300 1 qmgr",
        "tlsmgr unix - - n 1000? 1 tlsmgr",
        "rewrite unix - - n - - trivial-rewrite",
        "bounce unix - - n - 0 bounce",
        "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce",
        "verify unix - - n - 1 verify",
        "flush unix n - n 1000? 0 flush",
        "proxymap unix - - n - - proxymap",
        "smtp unix - - n - - smtp",
        "relay unix - - n - - smtp",
        "showq unix n - n - - showq",
        "error unix - - n - - error",
        "retry unix - - n - - error",
        "discard unix - - n - - discard",
        "virtual unix - n n - - virtual",
        "lmtp unix - - n - - lmtp",
        "anvil unix - - n - 1 anvil",
        "scache unix - - n - 1 scache",
        "postlog unix-dgram n - n - 1 postlogd",
    ];
    let pipe = |(domain, words): &(String, Vec<String>)| {
        format!("{domain} unix - n n - - pipe user={MAIL_USER} argv={}\n", words.join(" "))
    };
    let pipes: String = pipes.iter().map(pipe).collect();
    format!("127.0.0.1:{port} inet n - n - - smtpd\n{}\n{pipes}", services.join("\n"))
}

fn lines(routes: &[(String, Route)], value: impl Fn(&Route) -> Option<String>) -> String {
    routes.iter().filter_map(|(domain, route)| Some(format!("{domain} {}\n", value(route)?))).collect()
}

fn next_hop(route: &Route) -> String {
    match route {
        Route::Smtp { port, .. } => format!("smtp:[127.0.0.1]:{port}"),
        Route::LmtpTcp(port) => format!("lmtp:inet:127.0.0.1:{port}"),
        Route::LmtpUnix(path) => format!("lmtp:unix:{}", path.display()),
    }
}

fn tls_policy(routes: &[(String, Route)]) -> String {
    let policy = |(_, route): &(String, Route)| match route {
        Route::Smtp { port, starttls } => {
            Some(format!("[127.0.0.1]:{port} {}\n", if *starttls { "encrypt" } else { "none" }))
        }
        Route::LmtpTcp(_) | Route::LmtpUnix(_) => None,
    };
    // Several domains may go to one port; Postfix takes a key once.
    let lines: std::collections::BTreeSet<String> = routes.iter().filter_map(policy).collect();
    lines.into_iter().collect()
}
