//! Good layers override each other in order; each bad configuration is reported in words of its own.

use std::net::SocketAddr;

use super::*;
use crate::config::{LogFormat, Out, Role};

fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guichet.toml");
    std::fs::write(&path, text).unwrap();
    let sources = Sources { file: Some(path), data: Some(folder.path().to_owned()), ..Sources::default() };
    (folder, sources)
}

/// The problems in a file, without the file's own name.
fn problems(text: &str) -> Vec<String> {
    let (_folder, sources) = file(text);
    let name = sources.file.as_ref().unwrap().display().to_string();
    match load(&sources) {
        Ok(_) => vec![],
        Err(Problems(problems)) => {
            problems.iter().map(|problem| problem.to_string().replace(&name, "FILE")).collect()
        }
    }
}

#[test]
fn each_bad_configuration_says_key_value_reason_and_example() {
    for (text, want) in [
        (
            "[http]\nlisten = \"8080\"",
            "http.listen = \"8080\" (FILE): it must be an IP address with a port; example: [http] listen = \"127.0.0.1:8080\"",
        ),
        (
            "[http]\nlistn = \"x\"",
            "http.listn (FILE): there is no such key; see docs/configuration.md; example: [http] listen = \"127.0.0.1:8080\"",
        ),
        ("colour = 1", "colour (FILE): there is no such key; see docs/configuration.md"),
        (
            "[smtp]\ntrusted_relays = [\"10.0.0.0/40\"]",
            "smtp.trusted_relays = [\"10.0.0.0/40\"] (FILE): \"10.0.0.0/40\" is not a network; write 192.0.2.0/24, 2001:db8::/32 or a single address; example: [smtp] trusted_relays = [\"192.0.2.0/24\"]",
        ),
        (
            "[lmtp]\nlisten = \"unix:\"",
            "lmtp.listen = \"unix:\" (FILE): no path follows unix:; example: [lmtp] listen = \"unix:/run/guichet/lmtp\"",
        ),
        (
            "[mail]\ndomain = \"not a host\"",
            "mail.domain = \"not a host\" (FILE): it must be a host name of letters, digits, hyphens and dots; example: [mail] domain = \"desk.example.com\"",
        ),
        (
            "[store]\nurl = \"mysql://u:secret@h/d\"",
            "store.url = (hidden) (FILE): it must begin with sqlite: or postgres://; example: [store] url = \"postgres://guichet:password@localhost/guichet\"",
        ),
        (
            "[store]\nconnections = 0",
            "store.connections = 0 (FILE): it must be a whole number from 1 to 1000; example: [store] connections = 16",
        ),
        (
            "[store]\nallow_unsafe = \"perhaps\"",
            "store.allow_unsafe = \"perhaps\" (FILE): it must be true or false; example: [store] allow_unsafe = true",
        ),
        (
            "[blobs]\nurl = \"ftp://x\"",
            "blobs.url = \"ftp://x\" (FILE): it must be file: and a path, or s3:// and a bucket; example: [blobs] url = \"file:/var/lib/guichet/blobs\"",
        ),
        (
            "[delivery]\nrelay = \"mail.example.com\"",
            "delivery.relay = (hidden) (FILE): a relay URL starts with smtp:// or smtps://, for example smtp://user:password@mail.example.org:587; example: [delivery] relay = \"smtp://user:password@mail.example.com:587\"",
        ),
        (
            "[delivery]\ngive_up_after = 5",
            "delivery.give_up_after = 5 (FILE): it must be a duration with its unit, such as 30s, 10m, 4h or 5d; example: [delivery] give_up_after = \"3d\"",
        ),
        (
            "[delivery]\nrelay_file = \"/nowhere/at/all\"",
            "delivery.relay_file = \"/nowhere/at/all\" (FILE): the file cannot be read: No such file or directory (os error 2); example: [delivery] relay_file = \"/run/secrets/relay\"",
        ),
        (
            "[dns]\nservers = [\"ns.example\"]",
            "dns.servers = [\"ns.example\"] (FILE): \"ns.example\" is not an IP address with or without port; example: [dns] servers = [\"192.0.2.53\", \"127.0.0.1:5353\"]",
        ),
        (
            "[limits]\nmax_mail_size = \"big\"",
            "limits.max_mail_size = \"big\" (FILE): it must be a size such as 25MB or 64KiB; example: [limits] max_mail_size = \"25MB\"",
        ),
        (
            "[limits]\nrecipients = 99",
            "limits.recipients = 99 (FILE): it must be a whole number from 100 to 100000; example: [limits] recipients = 100",
        ),
        (
            "[tls]\nkey_file = \"/dev/null\"",
            "tls.certificate_file (configuration): tls.key_file is set, so this one is needed too; example: [tls] certificate_file = \"/etc/guichet/fullchain.pem\"",
        ),
        (
            "[engine]\nlease = \"10ms\"",
            "engine.lease = \"10ms\" (FILE): it must be at least 1s; example: [engine] lease = \"30s\"",
        ),
        (
            "[log]\nformat = \"xml\"",
            "log.format = \"xml\" (FILE): it must be text or json; example: [log] format = \"json\"",
        ),
        (
            "roles = [\"smtp\", \"imap\"]",
            "roles = [\"smtp\", \"imap\"] (FILE): \"imap\" is none of smtp, engine, outbox, web; example: roles = [\"smtp\", \"engine\", \"outbox\", \"web\"]",
        ),
        ("http = 3", "http (FILE): there is no such key; see docs/configuration.md"),
    ] {
        assert_eq!(problems(text), [want], "{text}");
    }
}

#[test]
fn a_file_that_is_not_toml_or_not_there_is_told_too() {
    assert!(problems("[http").first().unwrap().starts_with("FILE: not TOML: "));
    let sources = Sources { file: Some("/nowhere/guichet.toml".into()), ..Sources::default() };
    let Problems(told) = load(&sources).unwrap_err();
    assert_eq!(told.len(), 1);
    assert!(told[0].to_string().starts_with("/nowhere/guichet.toml: the file cannot be read"), "{}", told[0]);
}

#[test]
fn every_problem_is_told_at_once_and_no_secret_is() {
    let told = problems(
        "[http]\nlisten = \"x\"\n[delivery]\nrelay = \"imap://u:hush@h\"\n[limits]\nconnections = -1\n",
    );
    assert_eq!(told.len(), 3);
    assert!(!told.join("\n").contains("hush"), "{told:?}");
}

#[test]
fn a_secret_and_its_file_do_not_go_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay");
    std::fs::write(&path, "smtp://u:p@relay.example\n").unwrap();
    let alone = format!("[delivery]\nrelay_file = {path:?}\n");
    let (_kept, sources) = file(&alone);
    assert!(
        matches!(load(&sources).unwrap().config.delivery.relay, Out::Relay(relay) if relay.host == "relay.example")
    );
    let told = problems(&format!("{alone}relay = \"direct\"\n"));
    assert!(told[0].contains("delivery.relay is set too; keep one of them"), "{told:?}");
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let (_folder, mut sources) = file(
        "[http]\nlisten = \"127.0.0.1:1\"\n[smtp]\nlisten = \"127.0.0.1:1\"\n[lmtp]\nlisten = \"off\"\n",
    );
    sources.environment = [
        ("GUICHET_HTTP__LISTEN", "127.0.0.1:2"),
        ("GUICHET_SMTP__LISTEN", "127.0.0.1:2"),
        ("GUICHET_BIN", "x"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    sources.flags =
        vec!["smtp.listen=127.0.0.1:3".into(), "log.format=json".into(), "roles=web,engine".into()];
    let config = load(&sources).unwrap().config;
    let port = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    assert_eq!((config.http.listen, config.smtp.listen, config.lmtp.listen), (port(2), Some(port(3)), None));
    assert_eq!((config.log.format, config.roles), (LogFormat::Json, vec![Role::Web, Role::Engine]));
}

#[test]
fn an_unknown_variable_of_ours_is_a_problem() {
    let environment = vec![("GUICHET_HTTP__PORT".to_owned(), "1".to_owned())];
    let Problems(told) = load(&Sources { environment, ..Sources::default() }).unwrap_err();
    assert!(
        told[0].to_string().starts_with("http.port (environment GUICHET_HTTP__PORT): there is no such key"),
        "{}",
        told[0]
    );
}

#[test]
fn a_variable_without_a_section_is_a_problem_unless_it_is_no_key() {
    let told = |names: &[&str]| {
        let environment = names.iter().map(|name| ((*name).to_owned(), "secret".to_owned())).collect();
        match load(&Sources { environment, ..Sources::default() }) {
            Ok(_) => vec![],
            Err(Problems(problems)) => problems.iter().map(ToString::to_string).collect::<Vec<String>>(),
        }
    };
    assert_eq!(
        told(&["GUICHET_SMTP_LISTEN", "GUICHET_COLOUR"]),
        [
            "GUICHET_COLOUR (environment): it names no section; a key is written as GUICHET_SECTION__KEY; see docs/configuration.md",
            "GUICHET_SMTP_LISTEN (environment): it names no section; did you mean GUICHET_SMTP__LISTEN?",
        ]
    );
    let others = [
        "GUICHET_DATA",
        "GUICHET_CONFIG",
        "GUICHET_BIN",
        "GUICHET_TEST_POSTGRES",
        "GUICHET_PORT",
        "GUICHET_SERVICE_HOST",
    ];
    assert_eq!(told(&others), Vec::<String>::new());
}

#[test]
fn the_data_folder_decides_the_defaults_of_database_and_blobs() {
    let loaded = load(&Sources { data: Some("/srv/desk".into()), ..Sources::default() }).unwrap();
    let options = loaded.config.store_options(&loaded.data);
    assert_eq!(
        (options.url.as_str(), options.blobs.as_str()),
        ("sqlite:/srv/desk/guichet.db", "file:/srv/desk/blobs")
    );
    assert_eq!(loaded.config.sqlite_file(&loaded.data), Some("/srv/desk/guichet.db".into()));
}
