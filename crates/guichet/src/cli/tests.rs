//! Which command lines are read, and what is said about those that cannot be.

use clap::CommandFactory as _;

use super::*;

fn read(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("guichet").chain(line.split(' ')))
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn common_flags_stand_first_or_last() {
    for line in [
        "--json --data /d --config c.toml --account acme --set a.b=c ticket list",
        "ticket list --json --data /d --config c.toml --account acme --set a.b=c",
        "ticket --data /d list --limit 5 --json --account acme --config c.toml --set a.b=c",
    ] {
        let common = read(line).unwrap().common;
        let got = (common.json, common.data, common.config, common.account, common.set);
        let want =
            (true, Some("/d".into()), Some("c.toml".into()), Some("acme".into()), vec!["a.b=c".to_owned()]);
        assert_eq!(got, want, "{line}");
    }
}

#[test]
fn every_documented_line_is_read() {
    for line in [
        "serve",
        "demo --data /tmp/demo",
        "explain mail.eml --rcpt a@x.example --rcpt b@x.example --mail-from c@y.example --json",
        "explain - --rcpt a@x.example --null-sender",
        "parse mail.eml --json",
        "parse -",
        "intake --rcpt a@x.example --rcpt b@x.example --mail-from <>",
        "intake --rcpt a@x.example",
        "import mbox old.mbox --rcpt a@x.example",
        "import maildir Maildir --rcpt a@x.example --subfolders --json",
        "import eml mails --rcpt a@x.example --account acme",
        "account create acme --admin a@x.example --name Acme --native-host support.x.example --json",
        "account list",
        "brand add acme-two --name Two",
        "brand list",
        "setting list",
        "setting get",
        "setting get wildcard",
        "setting set wildcard true",
        "address add help@x.example --brand acme --name Help --default",
        "address list",
        "address check help@x.example",
        "address remove help@x.example",
        "address default help@x.example",
        "user add bob@x.example --role agent --name Bob",
        "user list",
        "token create bob@x.example --name script",
        "token list",
        "token revoke 12",
        "ticket show 1",
        "ticket reply 1 --as bob@x.example --public --body Hello --status solved",
        "ticket reply 1 --as bob@x.example --note --body-file -",
        "ticket reply 1 --as bob@x.example --status pending",
        "suspended list",
        "suspended show 4",
        "outbox list",
        "outbox retry",
        "outbox retry 9",
        "ledger list --message-id <a@b> --limit 3",
        "check --reference",
        "doctor",
        "migrate",
    ] {
        assert!(read(line).is_ok(), "{line}: {}", read(line).unwrap_err());
    }
}

#[test]
fn what_is_missing_or_contradicts_itself_is_refused_in_words() {
    for (line, want) in [
        ("ticket reply 1 --as a@x.example --body x", "<--public|--note>"),
        ("ticket reply 1 --as a@x.example --public", "<--body <TEXT>|--body-file <FILE>>"),
        ("ticket reply 1 --as a@x.example", "--status <STATUS>"),
        ("ticket reply 1 --as a@x.example --public --status open", "<--body <TEXT>|--body-file <FILE>>"),
        ("ticket reply 1 --as a@x.example --body x --status open", "<--public|--note>"),
        ("ticket reply 1 --as a@x.example --public --note --body x", "cannot be used with"),
        ("ticket reply 1 --public --body x", "--as <EMAIL>"),
        ("ticket reply one --as a@x.example --public --body x", "invalid value 'one'"),
        ("ticket reply 1 --as a@x.example --public --body x --status new", "invalid value 'new'"),
        ("explain mail.eml", "--rcpt <ADDR>"),
        ("explain mail.eml --rcpt a@x.example --mail-from b@x.example --null-sender", "cannot be used with"),
        ("intake", "--rcpt <ADDR>"),
        ("import mbox old.mbox", "--rcpt <ADDR>"),
        ("import pst old.pst --rcpt a@x.example", "invalid value 'pst'"),
        ("account create acme", "--admin <EMAIL>"),
        ("user add a@x.example --role boss", "invalid value 'boss'"),
        ("ticket list --limit 0", "0 is not in 1.."),
        ("fly", "unrecognized subcommand 'fly'"),
    ] {
        let error = read(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(want), "{line}: {error}");
    }
}
