//! Which PostgreSQL `store.url` means, and how its connections are made: `sslmode` and `sslrootcert` mean what they mean to
//! libpq (docs/operating.md §7).

use std::time::Duration;

use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{self, Trust};
use crate::error::{Result, StoreError};

/// Time allowed for connecting before the database counts as gone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server and how to speak to it; cheap to clone.
#[derive(Clone)]
pub(crate) struct Server {
    config: Config,
    tls: MakeRustlsConnect,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The configuration shows no password.
        f.debug_struct("Server").field("config", &self.config).finish_non_exhaustive()
    }
}

type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

impl Server {
    /// Reads `postgres://…`; touches no network.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when the URL, its TLS parameters or the file of authorities cannot be used.
    pub(crate) fn parse(url: &str) -> Result<Server> {
        let (url, tls) = TlsParameters::take(url)?;
        let mut config: Config = url
            .parse()
            .map_err(|error| StoreError::setup(format!("store.url is not a PostgreSQL URL: {error}")))?;
        config.connect_timeout(CONNECT_TIMEOUT).application_name("guichet");
        // A server that vanished without a word is noticed in half a minute, not in the kernel's two hours.
        config
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
        config.tcp_user_timeout(Duration::from_secs(20));
        let (mode, trust) = tls.meaning()?;
        config.ssl_mode(mode);
        name_hosts(&mut config);
        Ok(Server { config, tls: MakeRustlsConnect::new(tls::client_config(trust)?) })
    }

    /// Connects; the connection must be driven for the client to work.
    pub(crate) async fn connect(&self) -> Result<(Client, Connection<Socket, Stream>)> {
        self.config
            .connect(self.tls.clone())
            .await
            .map_err(|error| StoreError::Unavailable(tls::explain(&error)))
    }
}

/// PostgreSQL speaks no TLS on a unix socket, which libpq passes over in silence too; and a certificate is checked against
/// the address where no name is given.
fn name_hosts(config: &mut Config) {
    let is_socket = |host: &Host| matches!(host, Host::Unix(_));
    if !config.get_hosts().is_empty() && config.get_hosts().iter().all(is_socket) {
        config.ssl_mode(SslMode::Disable);
    }
    if config.get_hosts().is_empty() {
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
    }
}

/// What a URL says about TLS; the driver's own reader knows no `verify-full` and no `sslrootcert`.
#[derive(Debug, Default, PartialEq, Eq)]
struct TlsParameters {
    mode: Option<String>,
    authorities: Option<String>,
}

impl TlsParameters {
    /// Takes them off a URL.
    fn take(url: &str) -> Result<(String, TlsParameters)> {
        let mut found = TlsParameters::default();
        // A password may hold a question mark.
        let behind_user = url.find('@').unwrap_or(0);
        let Some((at, _)) = url.match_indices('?').find(|(at, _)| *at > behind_user) else {
            return Ok((url.to_owned(), found));
        };
        let (base, query) = url.split_at(at);
        let mut kept = Vec::new();
        for pair in query.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => found.mode = Some(decoded(value)?),
                Some(("sslrootcert", value)) => found.authorities = Some(decoded(value)?),
                _ => kept.push(pair),
            }
        }
        let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
        Ok((url, found))
    }

    /// What the driver must do, and whose certificates it accepts.
    fn meaning(&self) -> Result<(SslMode, Trust)> {
        let authorities = self.authorities.as_deref();
        let unused = || {
            StoreError::setup(
                "store.url names sslrootcert, but its sslmode checks no certificate; use sslmode=verify-full, or leave sslrootcert out",
            )
        };
        match (self.mode.as_deref().unwrap_or("prefer"), authorities) {
            ("disable" | "prefer", Some(_)) => Err(unused()),
            ("disable", None) => Ok((SslMode::Disable, Trust::Anybody)),
            ("prefer", None) => Ok((SslMode::Prefer, Trust::Anybody)),
            ("require", None) => Ok((SslMode::Require, Trust::Anybody)),
            // As libpq: who names authorities wants them asked.
            ("require" | "verify-ca", Some(path)) => {
                Ok((SslMode::Require, Trust::Signed(tls::read_authorities(path)?)))
            }
            // Anybody gets a certificate for some name from a public authority.
            ("verify-ca", None) => Err(StoreError::setup(
                "sslmode=verify-ca of store.url needs sslrootcert=PATH, the authority that signed the server's certificate; \
                 sslmode=verify-full alone goes by the public authorities",
            )),
            ("verify-full", Some(path)) => Ok((SslMode::Require, Trust::Named(tls::read_authorities(path)?))),
            ("verify-full", None) => Ok((SslMode::Require, Trust::Named(tls::public_authorities()))),
            (other, _) => Err(StoreError::setup(format!(
                "sslmode={other:?} of store.url is not known; it is disable, prefer, require, verify-ca or verify-full"
            ))),
        }
    }
}

fn decoded(text: &str) -> Result<String> {
    let wrong = || {
        StoreError::setup(format!(
            "store.url holds {text:?}, in which a % is not followed by two hexadecimal digits"
        ))
    };
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, literal) = part.split_at_checked(2).ok_or_else(wrong)?;
        // from_str_radix would take a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        bytes.extend_from_slice(literal.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_tls_is_taken_off_the_url() {
        struct Case {
            url: &'static str,
            want: &'static str,
            mode: Option<&'static str>,
            authorities: Option<&'static str>,
        }
        fn usual() -> Case {
            Case { url: "", want: "postgres://h/d", mode: None, authorities: None }
        }

        for Case { url, want, mode, authorities } in [
            Case { url: "postgres://h/d", ..usual() },
            Case { url: "postgres://h/d?sslmode=require", mode: Some("require"), ..usual() },
            Case { url: "postgres://u:p?sslmode=x@h/d", want: "postgres://u:p?sslmode=x@h/d", ..usual() },
            Case {
                url: "postgres://u:p?@h/d?a=b&sslrootcert=%2Fca%20x.pem&c=d",
                want: "postgres://u:p?@h/d?a=b&c=d",
                authorities: Some("/ca x.pem"),
                ..usual()
            },
        ] {
            let (left, found) = TlsParameters::take(url).unwrap();
            let want_found =
                TlsParameters { mode: mode.map(str::to_owned), authorities: authorities.map(str::to_owned) };
            assert_eq!((left.as_str(), found), (want, want_found), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_to_do() {
        for (query, word) in [
            ("sslmode=verify-ca", "sslrootcert=PATH"),
            ("sslmode=prefer&sslrootcert=/x", "verify-full"),
            ("sslrootcert=/x", "leave sslrootcert out"),
            ("sslmode=disable&sslrootcert=/x", "verify-full"),
            ("sslmode=allow", "verify-ca or verify-full"),
            ("sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "/nowhere/ca.pem"),
            ("sslmode=verify-full&sslrootcert=/dev/null", "no certificate"),
            ("sslmode=require%2", "hexadecimal"),
        ] {
            let refused = Server::parse(&format!("postgres://localhost/x?{query}")).unwrap_err().to_string();
            assert!(refused.contains(word), "{query}: {refused}");
        }
    }

    #[test]
    fn a_unix_socket_goes_without_tls_and_an_address_is_its_own_name() {
        let socket = Server::parse("postgres://u@%2Frun%2Fpostgresql/d?sslmode=verify-full").unwrap();
        assert_eq!(socket.config.get_ssl_mode(), SslMode::Disable);
        let address = Server::parse("postgres:///d?hostaddr=192.0.2.1").unwrap();
        assert_eq!(address.config.get_hosts(), [Host::Tcp("192.0.2.1".into())]);
        assert_eq!(address.config.get_ssl_mode(), SslMode::Prefer);
    }
}
