//! Which way mail leaves: nowhere yet, through a relay, or straight to mail exchangers.

use std::{fmt, net::SocketAddr, str::FromStr};

/// The way out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Route {
    /// None is configured; mail waits visibly.
    #[default]
    None,
    /// Everything goes to one server.
    Relay(RelayUrl),
    /// Each mail goes to the mail exchangers of its recipient's domain.
    Direct {
        /// The port of every exchanger; 25 outside of tests.
        port: u16,
        /// The name servers to ask; empty: those of the system.
        dns_servers: Vec<SocketAddr>,
        /// Whether an exchanger may be this machine; only tests want it.
        allow_loopback: bool,
    },
}

/// User and password for a relay; its debug text hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name, percent-decoded, without NUL.
    pub user: String,
    /// The password, percent-decoded, without NUL.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A relay as `delivery.relay` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayUrl {
    /// Host name or IP address, lower-cased, without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
    /// Whether TLS starts with the connection (`smtps://`); otherwise STARTTLS is used where it is offered, and
    /// required where a password would leave this machine.
    pub implicit_tls: bool,
    /// User and password, if the URL has them.
    pub credentials: Option<Credentials>,
}

/// Why a relay URL cannot be used; never shows the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelayUrlError {
    /// The text starts with no known scheme.
    #[error(
        "a relay URL starts with smtp:// or smtps://, for example smtp://user:password@mail.example.org:587"
    )]
    Scheme,
    /// No host stands after the scheme.
    #[error("the relay URL names no host, for example smtp://mail.example.org")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the relay URL's port {0:?} is not a number from 1 to 65535")]
    Port(String),
    /// A path, query or fragment follows the host.
    #[error("the relay URL ends with the host and port, but {0:?} follows; write / in a password as %2F")]
    Trailing(String),
    /// A user without a password, or the other way round.
    #[error("the relay URL needs user and password, both or none: smtp://user:password@host")]
    Credentials,
    /// A `%` is not followed by two hexadecimal digits, or decodes to something that is no text.
    #[error("the relay URL's user or password has a % that is no escape; write % itself as %25")]
    Escape,
}

impl RelayUrl {
    /// Reads `smtp://[user:password@]host[:port]` or `smtps://…`. User and password are percent-decoded. The port
    /// defaults to 465 for `smtps`, 587 for `smtp` with a password, else 25.
    ///
    /// # Errors
    /// A [`RelayUrlError`] that says which part is wrong and what to write instead.
    pub fn parse(url: &str) -> Result<Self, RelayUrlError> {
        let (scheme, rest) = url.trim().split_once("://").ok_or(RelayUrlError::Scheme)?;
        let implicit_tls = match scheme.to_ascii_lowercase().as_str() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(RelayUrlError::Scheme),
        };
        // The last @ ends the password, so that one inside it does no harm.
        let (credentials, authority) = match rest.rsplit_once('@') {
            Some((login, authority)) => (Some(read_credentials(login)?), authority),
            None => (None, rest),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if let Some(at) = authority.find(['/', '?', '#']) {
            let trailing = authority.get(at..).unwrap_or_default();
            return Err(RelayUrlError::Trailing(trailing.to_owned()));
        }
        let (host, port) = split_port(authority)?;
        let default_port = match (implicit_tls, &credentials) {
            (true, _) => 465,
            (false, Some(_)) => 587,
            (false, None) => 25,
        };
        let port = match port {
            Some(digits) => read_port(digits)?,
            None => default_port,
        };
        Ok(Self { host: host.to_ascii_lowercase(), port, implicit_tls, credentials })
    }
}

impl FromStr for RelayUrl {
    type Err = RelayUrlError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        Self::parse(url)
    }
}

impl fmt::Display for RelayUrl {
    /// Writes the URL without user and password, fit for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.implicit_tls { "smtps" } else { "smtp" };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), RelayUrlError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(literal) => {
            let (host, after) = literal.split_once(']').ok_or(RelayUrlError::Host)?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(port),
                None if after.is_empty() => None,
                None => return Err(RelayUrlError::Trailing(after.to_owned())),
            };
            (host, port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(RelayUrlError::Host);
    }
    Ok((host, port))
}

fn read_port(digits: &str) -> Result<u16, RelayUrlError> {
    match digits.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(RelayUrlError::Port(digits.to_owned())),
    }
}

fn read_credentials(login: &str) -> Result<Credentials, RelayUrlError> {
    let (user, password) = login.split_once(':').ok_or(RelayUrlError::Credentials)?;
    if user.is_empty() || password.is_empty() {
        return Err(RelayUrlError::Credentials);
    }
    Ok(Credentials { user: percent_decode(user)?, password: percent_decode(password)? })
}

fn percent_decode(text: &str) -> Result<String, RelayUrlError> {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, literal) = part.split_at_checked(2).ok_or(RelayUrlError::Escape)?;
        // from_str_radix would take a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(RelayUrlError::Escape);
        }
        decoded.push(u8::from_str_radix(digits, 16).map_err(|_| RelayUrlError::Escape)?);
        decoded.extend_from_slice(literal.as_bytes());
    }
    // RFC 4616 §2: NUL separates the fields of PLAIN.
    let decoded = String::from_utf8(decoded).map_err(|_| RelayUrlError::Escape)?;
    if decoded.contains('\0') { Err(RelayUrlError::Escape) } else { Ok(decoded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: &str, password: &str) -> Option<Credentials> {
        Some(Credentials { user: user.to_owned(), password: password.to_owned() })
    }

    #[test]
    fn urls_are_read() {
        struct Case {
            url: &'static str,
            host: &'static str,
            port: u16,
            implicit_tls: bool,
            credentials: Option<Credentials>,
        }
        fn usual() -> Case {
            Case { url: "", host: "", port: 25, implicit_tls: false, credentials: None }
        }

        for Case { url, host, port, implicit_tls, credentials } in [
            Case { url: "smtp://mail.example.org", host: "mail.example.org", ..usual() },
            Case { url: "smtp://Mail.Example.org/", host: "mail.example.org", ..usual() },
            Case {
                url: "smtp://u:p@mail.example.org",
                host: "mail.example.org",
                port: 587,
                credentials: login("u", "p"),
                ..usual()
            },
            Case {
                url: "smtps://u:p@mail.example.org",
                host: "mail.example.org",
                port: 465,
                implicit_tls: true,
                credentials: login("u", "p"),
            },
            Case { url: "SMTP://127.0.0.1:2525", host: "127.0.0.1", port: 2525, ..usual() },
            Case { url: "smtp://[::1]:25", host: "::1", ..usual() },
            Case { url: "smtp://[::1]", host: "::1", ..usual() },
            Case {
                url: "smtp://a%40b.example:p%3A%25%2F@h:26",
                host: "h",
                port: 26,
                credentials: login("a@b.example", "p:%/"),
                ..usual()
            },
            Case {
                url: "smtp://a@b.example:p/w@x@h:26",
                host: "h",
                port: 26,
                credentials: login("a@b.example", "p/w@x"),
                ..usual()
            },
            Case { url: "smtp://u:%C3%A9@h", host: "h", port: 587, credentials: login("u", "é"), ..usual() },
        ] {
            let want = RelayUrl { host: host.to_owned(), port, implicit_tls, credentials };
            assert_eq!(RelayUrl::parse(url), Ok(want), "{url}");
        }
    }

    #[test]
    fn wrong_urls_say_what_is_wrong() {
        for (url, want) in [
            ("mail.example.org", RelayUrlError::Scheme),
            ("http://mail.example.org", RelayUrlError::Scheme),
            ("smtp://", RelayUrlError::Host),
            ("smtp://:25", RelayUrlError::Host),
            ("smtp://[::1", RelayUrlError::Host),
            ("smtp://h:0", RelayUrlError::Port("0".to_owned())),
            ("smtp://h:65536", RelayUrlError::Port("65536".to_owned())),
            ("smtp://h:", RelayUrlError::Port(String::new())),
            ("smtp://h/path", RelayUrlError::Trailing("/path".to_owned())),
            ("smtp://user@h", RelayUrlError::Credentials),
            ("smtp://user:@h", RelayUrlError::Credentials),
            ("smtp://:p@h", RelayUrlError::Credentials),
            ("smtp://u:50%@h", RelayUrlError::Escape),
            ("smtp://u:%+1@h", RelayUrlError::Escape),
            ("smtp://u:%00@h", RelayUrlError::Escape),
            ("smtp://u:%FF@h", RelayUrlError::Escape),
        ] {
            assert_eq!(RelayUrl::parse(url), Err(want), "{url}");
        }
    }

    #[test]
    fn passwords_are_never_shown() {
        let url = RelayUrl::parse("smtp://u:hidden@h:26").unwrap();
        assert_eq!(url.to_string(), "smtp://h:26");
        assert!(!format!("{url:?}").contains("hidden"));
    }
}
