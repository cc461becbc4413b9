//! Every key: its meaning, its default, an example, and how its value is read.

use std::net::SocketAddr;
use std::path::PathBuf;

use intake::Listen;
use outbox::route::RelayUrl;

use super::value::Raw;
use super::{Config, LogFormat, Out, Role, name_server};

/// Sets a value, or says why it cannot be.
type Set = fn(&mut Config, &Raw) -> Result<(), String>;

/// One key of the configuration.
#[derive(Debug)]
pub(crate) struct Key {
    /// `section.key`, or `key` at the top of the file.
    pub(crate) name: &'static str,
    /// The default in words or as written.
    pub(crate) default: &'static str,
    /// A value as it would stand in the file.
    pub(crate) example: &'static str,
    /// What it means, in one or two sentences.
    pub(crate) about: &'static str,
    /// Whether the value may hold a password, so that it is never shown.
    pub(crate) is_secret: bool,
    pub(crate) set: Set,
}

/// Puts a value that was read into its place.
fn put<T>(slot: &mut T, value: T) -> Result<(), String> {
    *slot = value;
    Ok(())
}

/// A key whose value may be shown.
const fn key(
    name: &'static str,
    default: &'static str,
    example: &'static str,
    about: &'static str,
    set: Set,
) -> Key {
    Key { name, default, example, about, is_secret: false, set }
}

/// A key whose value may hold a password.
const fn secret(
    name: &'static str,
    default: &'static str,
    example: &'static str,
    about: &'static str,
    set: Set,
) -> Key {
    Key { name, default, example, about, is_secret: true, set }
}

/// All keys, in the order of the reference.
pub(crate) const KEYS: &[Key] = &[
    key(
        "roles",
        "all",
        r#"["smtp", "engine", "outbox", "web"]"#,
        "What this process does. smtp: the doors, LMTP too; engine: deciding mail; outbox: sending; web: pages. In the environment: GUICHET_ROLES.",
        |config, raw| put(&mut config.roles, roles(&raw.list()?)?),
    ),
    key(
        "http.listen",
        "127.0.0.1:8080",
        r#""127.0.0.1:8080""#,
        "Where pages are served; port 0 picks a free one.",
        |config, raw| put(&mut config.http.listen, socket(&raw.text()?)?),
    ),
    key(
        "smtp.listen",
        "127.0.0.1:2525",
        r#""0.0.0.0:25""#,
        "Where mail is accepted by SMTP; \"off\" keeps the door shut.",
        |config, raw| put(&mut config.smtp.listen, unless_off(&raw.text()?, socket)?),
    ),
    key(
        "smtp.trusted_relays",
        r#"["127.0.0.0/8", "::1"]"#,
        r#"["192.0.2.0/24"]"#,
        "Networks whose hop headers (Delivered-To, X-Original-To, X-Forwarded-To) are believed.",
        |config, raw| {
            let networks: Result<_, _> = raw.list()?.iter().map(|text| text.parse()).collect();
            put(
                &mut config.smtp.trusted_relays,
                networks.map_err(|error: intake::NetworkError| error.to_string())?,
            )
        },
    ),
    key(
        "lmtp.listen",
        "127.0.0.1:2424",
        r#""unix:/run/guichet/lmtp""#,
        "Where mail is accepted by LMTP: an address with a port or `unix:` and a path; \"off\" keeps the door shut.",
        |config, raw| put(&mut config.lmtp.listen, unless_off(&raw.text()?, listen)?),
    ),
    key(
        "mail.domain",
        "guichet.localhost",
        r#""desk.example.com""#,
        "The domain below which accounts and brands get their native hosts: acme becomes acme.desk.example.com. Its mail must reach smtp.listen.",
        |config, raw| put(&mut config.mail.domain, host(&raw.text()?)?),
    ),
    key(
        "mail.hostname",
        "the value of mail.domain",
        r#""mail.example.com""#,
        "The name of this server in its SMTP greeting and in EHLO.",
        |config, raw| put(&mut config.mail.hostname, Some(host(&raw.text()?)?)),
    ),
    key(
        "mail.authenticate",
        "true",
        "false",
        "Whether SPF, DKIM and DMARC of incoming mail are checked. Without that an agent's mail proves nothing; see docs/behaviour/authentication.md.",
        |config, raw| put(&mut config.mail.authenticate, raw.flag()?),
    ),
    key(
        "mail.authserv_id",
        "none",
        r#""mx.example.com""#,
        "The name under which your own relay writes Authentication-Results. Those above its Received field are believed, from trusted relays only.",
        |config, raw| put(&mut config.mail.authserv_id, Some(host(&raw.text()?)?)),
    ),
    key(
        "mail.trusted_sealers",
        "[]",
        r#"["example.net"]"#,
        "Domains whose ARC seals are believed: forwarders that say who sent the original.",
        |config, raw| {
            let domains: Result<_, _> = raw.list()?.iter().map(|text| host(text)).collect();
            put(&mut config.mail.trusted_sealers, domains?)
        },
    ),
    secret(
        "store.url",
        "sqlite:DATA/guichet.db",
        r#""postgres://guichet:password@localhost/guichet""#,
        "The database: `sqlite:PATH` or `postgres://…`, with `?sslmode=` and `&sslrootcert=` for TLS.",
        |config, raw| put(&mut config.store.url, Some(database(&raw.text()?)?)),
    ),
    key(
        "store.url_file",
        "none",
        r#""/run/secrets/store-url""#,
        "A file that holds store.url.",
        |config, raw| put(&mut config.store.url, Some(database(&first_line(&raw.text()?)?)?)),
    ),
    key("store.connections", "8", "16", "Connections to PostgreSQL, or readers of SQLite.", |config, raw| {
        put(&mut config.store.connections, number(raw, 1, 1_000)?)
    }),
    key(
        "store.migrate",
        "true",
        "false",
        "Whether `serve` brings the database's tables up to date before it opens its doors; otherwise `guichet migrate` must have done so.",
        |config, raw| put(&mut config.store.migrate, raw.flag()?),
    ),
    key(
        "store.allow_unsafe",
        "false",
        "true",
        "Accept a PostgreSQL that may forget commits (fsync or synchronous_commit off). Only for trials: accepted mail can vanish.",
        |config, raw| put(&mut config.store.allow_unsafe, raw.flag()?),
    ),
    key(
        "blobs.url",
        "file:DATA/blobs",
        r#""file:/var/lib/guichet/blobs""#,
        "Where larger raw mails are kept: `file:PATH`, or `s3://BUCKET/PREFIX` with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL and AWS_ALLOW_HTTP in the environment.",
        |config, raw| put(&mut config.blobs.url, Some(blobs(&raw.text()?)?)),
    ),
    secret(
        "delivery.relay",
        "none: mail waits in the outbox",
        r#""smtp://user:password@mail.example.com:587""#,
        "The way out: `smtp://` (STARTTLS where offered, required when a password would leave this machine), `smtps://` (TLS), or `direct`, straight to mail exchangers.",
        |config, raw| put(&mut config.delivery.relay, way_out(&raw.text()?)?),
    ),
    key(
        "delivery.relay_file",
        "none",
        r#""/run/secrets/relay""#,
        "A file that holds delivery.relay.",
        |config, raw| put(&mut config.delivery.relay, way_out(&first_line(&raw.text()?)?)?),
    ),
    key(
        "delivery.ca_file",
        "none",
        r#""/etc/ssl/our-authority.pem""#,
        "PEM certificates of authorities to trust besides the public ones; with them a relay on this machine is verified too.",
        |config, raw| put(&mut config.delivery.ca_file, Some(existing(&raw.text()?)?)),
    ),
    key(
        "delivery.port",
        "25",
        "2526",
        "The port of mail exchangers with `direct`; anything but 25 is for tests.",
        |config, raw| put(&mut config.delivery.port, number(raw, 1, 65_535)?),
    ),
    key(
        "delivery.allow_loopback",
        "true when dns.servers is set, else false",
        "false",
        "Whether a mail exchanger may be this machine.",
        |config, raw| put(&mut config.delivery.allow_loopback, Some(raw.flag()?)),
    ),
    key(
        "delivery.give_up_after",
        "5d",
        r#""3d""#,
        "How long delivery is tried before it is abandoned.",
        |config, raw| put(&mut config.delivery.give_up_after_ms, raw.duration_ms()?),
    ),
    key(
        "dns.servers",
        "those of the system",
        r#"["192.0.2.53", "127.0.0.1:5353"]"#,
        "Name servers to ask.",
        |config, raw| {
            let read = |text: &String| {
                name_server(text).ok_or_else(|| format!("{text:?} is not an IP address with or without port"))
            };
            put(&mut config.dns.servers, raw.list()?.iter().map(read).collect::<Result<_, _>>()?)
        },
    ),
    key(
        "limits.max_mail_size",
        "50MB",
        r#""25MB""#,
        "Largest mail; larger ones are refused with 552 5.3.4.",
        |config, raw| put(&mut config.limits.max_mail_bytes, at_least(raw.size_bytes()?, 1_000, "1KB")?),
    ),
    key(
        "limits.connections",
        "1000",
        "200",
        "Simultaneous connections to each door; further ones get 421.",
        |config, raw| put(&mut config.limits.connections, number(raw, 1, 100_000)?),
    ),
    key(
        "limits.connections_per_client",
        "50",
        "20",
        "Simultaneous connections from one client address to each door; further ones get 421.",
        |config, raw| put(&mut config.limits.connections_per_client, number(raw, 1, 100_000)?),
    ),
    key(
        "limits.recipients",
        "1000",
        "100",
        "Recipients of one mail; further ones get 452 and come with the next mail. RFC 5321 section 4.5.3.1.8 asks for at least 100.",
        |config, raw| put(&mut config.limits.recipients, number(raw, 100, 100_000)?),
    ),
    key(
        "limits.sender_per_hour",
        "20",
        "0",
        "Mails from one sender in an hour before the loop guard holds further ones; 0 switches it off. As many again are held; anything beyond that is kept only in the ledger. Senders on an account's allow list, and agents whose mail is authenticated, may send ten times as many. An account's setting sender_per_hour takes precedence.",
        |config, raw| {
            put(
                &mut config.limits.sender_per_hour,
                u32::try_from(raw.count(0, 1_000_000)?).unwrap_or(u32::MAX),
            )
        },
    ),
    key(
        "limits.idle",
        "5m",
        r#""2m""#,
        "Silence after which a session ends with 421. RFC 5321 section 4.5.3.2.7 asks for five minutes.",
        |config, raw| put(&mut config.limits.idle_ms, raw.duration_ms()?),
    ),
    key(
        "limits.mail_memory",
        "512MB",
        r#""128MB""#,
        "Memory for messages coming in by all doors together, not counting the first 64 KiB of each. What does not fit is refused with 452 4.3.1, or 429 by HTTP. Never less than twice limits.max_mail_size.",
        |config, raw| {
            put(&mut config.limits.mail_memory_bytes, at_least(raw.size_bytes()?, 1_000_000, "1MB")?)
        },
    ),
    key(
        "tls.certificate_file",
        "a self-signed one, created and kept in DATA/tls",
        r#""/etc/guichet/fullchain.pem""#,
        "The certificate that the doors show after STARTTLS, with its chain, in PEM form.",
        |config, raw| put(&mut config.tls.certificate_file, Some(existing(&raw.text()?)?)),
    ),
    key(
        "tls.key_file",
        "created with the certificate",
        r#""/etc/guichet/key.pem""#,
        "Its private key, in PEM form.",
        |config, raw| put(&mut config.tls.key_file, Some(existing(&raw.text()?)?)),
    ),
    key(
        "engine.lease",
        "8s",
        r#""30s""#,
        "How long a process that went silent keeps its accounts before another one takes them over.",
        |config, raw| put(&mut config.engine.lease_ms, at_least(raw.duration_ms()?, 1_000, "1s")?),
    ),
    key(
        "node.name",
        "host name and http.listen",
        r#""desk-1""#,
        "The name of this process among several on one PostgreSQL: the same after a restart, different from all others.",
        |config, raw| put(&mut config.node.name, Some(raw.text()?)),
    ),
    key("log.format", "text", r#""json""#, "How log lines are written: text or json.", |config, raw| {
        put(&mut config.log.format, log_format(&raw.text()?)?)
    }),
    key(
        "log.level",
        "info",
        r#""info,engine=debug""#,
        "error, warn, info, debug or trace; for individual crates: `crate=level`, separated by commas.",
        |config, raw| put(&mut config.log.level, log_level(&raw.text()?)?),
    ),
];

/// Former and other spellings that are accepted too.
const ALIASES: &[(&str, &str)] = &[("limits.max_mail_bytes", "limits.max_mail_size")];

/// Pairs of a key and the key that names a file with its value: at most one of them may be set in one place.
pub(crate) const TWINS: &[(&str, &str)] =
    &[("store.url", "store.url_file"), ("delivery.relay", "delivery.relay_file")];

/// A key by its name.
#[must_use]
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, key)| key);
    KEYS.iter().find(|key| key.name == name)
}

fn number<N: TryFrom<u64>>(raw: &Raw, least: u64, most: u64) -> Result<N, String> {
    let number = raw.count(least, most)?;
    N::try_from(number).map_err(|_| format!("{number} is too large here"))
}

fn at_least(value: u64, least: u64, shown: &str) -> Result<u64, String> {
    if value >= least { Ok(value) } else { Err(format!("it must be at least {shown}")) }
}

fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "it must be an IP address with a port".to_owned())
}

fn listen(text: &str) -> Result<Listen, String> {
    match text.strip_prefix("unix:") {
        Some("") => Err("no path follows unix:".into()),
        Some(path) => Ok(Listen::Unix(PathBuf::from(path))),
        None => {
            let wrong = |_| "it must be an IP address with a port, or unix: and a path".to_owned();
            socket(text).map(Listen::Tcp).map_err(wrong)
        }
    }
}

fn unless_off<T>(text: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if text == "off" { Ok(None) } else { read(text).map(Some) }
}

fn host(text: &str) -> Result<String, String> {
    let key = mail::address::domain_key(text).filter(|host| host.is_ascii() && !host.starts_with('['));
    key.ok_or_else(|| "it must be a host name of letters, digits, hyphens and dots".to_owned())
}

fn database(text: &str) -> Result<String, String> {
    let known = ["sqlite:", "postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    if known { Ok(text.to_owned()) } else { Err("it must begin with sqlite: or postgres://".into()) }
}

fn blobs(text: &str) -> Result<String, String> {
    let has_name =
        ["file:", "s3://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    if has_name {
        Ok(text.to_owned())
    } else {
        Err("it must be file: and a path, or s3:// and a bucket".into())
    }
}

fn way_out(text: &str) -> Result<Out, String> {
    if text == "direct" {
        return Ok(Out::Direct);
    }
    RelayUrl::parse(text).map(Out::Relay).map_err(|error| error.to_string())
}

fn existing(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match std::fs::File::open(&path) {
        Ok(_) => Ok(path),
        Err(error) => Err(format!("the file cannot be read: {error}")),
    }
}

fn first_line(path: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("the file cannot be read: {error}"))?;
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    if line.is_empty() { Err("the file is empty".into()) } else { Ok(line) }
}

fn roles(words: &[String]) -> Result<Vec<Role>, String> {
    if words.is_empty() {
        return Err("it names no role".into());
    }
    let read = |word: &String| {
        let found = Role::ALL.iter().find(|(known, _)| known == word).map(|(_, role)| *role);
        found.ok_or_else(|| format!("{word:?} is none of smtp, engine, outbox, web"))
    };
    words.iter().map(read).collect()
}

fn log_format(word: &str) -> Result<LogFormat, String> {
    match word {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("it must be text or json".into()),
    }
}

fn log_level(text: &str) -> Result<String, String> {
    match text.parse::<tracing_subscriber::filter::Targets>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("it is no level: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_accepted_and_changes_only_what_it_should() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "smtp://relay.example\n").unwrap();
        for key in KEYS {
            let example = if key.name.ends_with("_file") {
                format!("{:?}", file.display().to_string())
            } else {
                key.example.to_owned()
            };
            if key.name == "store.url_file" {
                continue;
            }
            let table: toml::Table = format!("value = {example}").parse().unwrap();
            let raw = Raw::from(table.get("value").unwrap());
            assert_eq!((key.set)(&mut Config::default(), &raw), Ok(()), "{}", key.name);
        }
    }

    #[test]
    fn names_are_unique_and_sentences_end() {
        for (place, key) in KEYS.iter().enumerate() {
            assert!(KEYS.iter().skip(place + 1).all(|other| other.name != key.name), "{}", key.name);
            assert!(key.about.ends_with('.'), "{}", key.name);
        }
    }
}
