//! Where the desk is reached: the addresses of doors and pages, and what the doors allow.

use std::sync::Arc;

use intake::{Door, DoorOptions, Intake, Limits, Listen};
use smtp::Protocol;
use tokio::net::TcpListener;

use super::tls;
use crate::config::{Config, Loaded, Role};
use crate::failure::{Failure, Result};

/// Opens a door for mail.
///
/// # Errors
/// When its address is taken, or its certificate cannot be used.
pub(super) async fn open(
    loaded: &Loaded,
    intake: &Intake,
    listen: Listen,
    protocol: Protocol,
) -> Result<Door> {
    let key = if protocol == Protocol::Smtp { "smtp.listen" } else { "lmtp.listen" };
    let options = options(&loaded.config, listen.clone(), protocol, tls::server_config(loaded)?);
    intake.open(options).await.map_err(|error| cannot_listen(key, &shown(&listen), &error))
}

/// Listens for the pages, where this process serves them.
///
/// # Errors
/// When their address is taken.
pub(super) async fn pages(config: &Config) -> Result<Option<TcpListener>> {
    if !config.has_role(Role::Web) {
        return Ok(None);
    }
    let bound = TcpListener::bind(config.http.listen).await;
    bound.map(Some).map_err(|error| cannot_listen("http.listen", &config.http.listen.to_string(), &error))
}

fn cannot_listen(key: &str, address: &str, error: &std::io::Error) -> Failure {
    let next = format!("stop what listens there, or set {key} to another address");
    Failure::new(format!("{address} cannot be listened on"), error.to_string(), next)
}

fn shown(listen: &Listen) -> String {
    match listen {
        Listen::Tcp(address) => address.to_string(),
        Listen::Unix(path) => format!("unix:{}", path.display()),
    }
}

/// Time for one mail, from the first recipient to its end: enough for 50 MB at 14 KB a second.
const MAIL_MS: u64 = 60 * 60 * 1_000;

fn options(
    config: &Config,
    listen: Listen,
    protocol: Protocol,
    tls: Arc<rustls::ServerConfig>,
) -> DoorOptions {
    DoorOptions {
        listen,
        protocol,
        hostname: config.hostname().to_owned(),
        max_mail_bytes: config.limits.max_mail_bytes,
        limits: smtp::Limits { recipients: config.limits.recipients, ..smtp::Limits::default() },
        tls: Some(tls),
        trusted_relays: config.smtp.trusted_relays.clone(),
        connections: config.limits.connections,
        connections_per_client: config.limits.connections_per_client,
        idle_ms: config.limits.idle_ms,
        mail_ms: MAIL_MS,
    }
}

/// The limits of the doors that have no dialogue.
pub(crate) fn limits(config: &Config) -> Limits {
    Limits { max_mail_bytes: config.limits.max_mail_bytes, recipients: config.limits.recipients }
}
