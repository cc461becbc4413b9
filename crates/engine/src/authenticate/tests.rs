//! Against a name server of our own, with keys made for the occasion.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use desk::authentication::{Check, Standing};
use desk::envelope::Door;
use mail_auth::arc::ArcSealer;
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use mail_auth::{ArcOutput, AuthenticatedMessage, AuthenticationResults};
use testkit::dns::{Entry, NameServer, Trouble};

use super::*;

/// One key for all domains of the tests.
struct Keys {
    pkcs8: Vec<u8>,
    record: String,
}

impl Keys {
    fn new() -> Keys {
        let pkcs8 = Ed25519Key::generate_pkcs8().unwrap();
        let public = Ed25519Key::from_pkcs8_der(&pkcs8).unwrap().public_key();
        Keys { pkcs8, record: format!("v=DKIM1; k=ed25519; p={}", BASE64_STANDARD.encode(public)) }
    }

    fn key(&self) -> Ed25519Key {
        Ed25519Key::from_pkcs8_der(&self.pkcs8).unwrap()
    }

    /// The mail with a signature of this domain above it.
    fn signed_over(&self, domain: &str, headers: &[&str], mail: &str) -> String {
        let signer =
            DkimSigner::from_key(self.key()).domain(domain).selector("s1").headers(headers.iter().copied());
        signer.sign(mail.as_bytes()).unwrap().to_header() + mail
    }

    fn signed(&self, domain: &str, mail: &str) -> String {
        self.signed_over(domain, &["From", "Subject"], mail)
    }

    /// The mail, sealed by this domain, which says this of what it saw.
    fn sealed(
        &self,
        domain: &str,
        saw: &AuthenticationResults<'_>,
        chain: &ArcOutput<'_>,
        mail: &str,
    ) -> String {
        let message = AuthenticatedMessage::parse(mail.as_bytes()).unwrap();
        let sealer =
            ArcSealer::from_key(self.key()).domain(domain).selector("s1").headers(["From", "Subject"]);
        sealer.seal(&message, saw, chain).unwrap().to_header() + mail
    }
}

/// `good.example` does everything right, the others not quite.
async fn name_server(keys: &Keys) -> NameServer {
    troubled(keys, Trouble::default()).await
}

async fn troubled(keys: &Keys, trouble: Trouble<'_>) -> NameServer {
    let key = &keys.record;
    let entries = [
        Entry::Txt("good.example", "v=spf1 ip4:192.0.2.10 -all"),
        Entry::Txt("_dmarc.good.example", "v=DMARC1; p=reject"),
        Entry::Txt("s1._domainkey.good.example", key),
        Entry::Txt("bounce.good.example", "v=spf1 ip4:192.0.2.10 -all"),
        Entry::Txt("evil.example", "v=spf1 ip4:198.51.100.66 -all"),
        Entry::Txt("_dmarc.evil.example", "v=DMARC1; p=none"),
        Entry::Txt("s1._domainkey.evil.example", key),
        Entry::Txt("plain.example", "v=spf1 mx -all"),
        Entry::Mx("plain.example", "mx.plain.example"),
        Entry::A("mx.plain.example", "192.0.2.20".parse().unwrap()),
        Entry::Txt("soft.example", "v=spf1 include:good.example ~all"),
        Entry::Txt("broken.example", "v=spf1 ip4:banana -all"),
        Entry::Txt("_dmarc.broken.example", "v=DMARC1; p=banana"),
        Entry::Txt("strict.example", "v=spf1 -all"),
        Entry::Txt("mail.strict.example", "v=spf1 ip4:192.0.2.30 -all"),
        Entry::Txt("_dmarc.strict.example", "v=DMARC1; p=reject; aspf=s; adkim=s"),
        Entry::Txt("s1._domainkey.mail.strict.example", key),
        Entry::Txt("s1._domainkey.list.example", key),
        Entry::Txt("s1._domainkey.other-list.example", key),
        Entry::Txt("helo.good.example", "v=spf1 ip4:192.0.2.10 -all"),
        Entry::Txt("xn--bcher-kva.example", "v=spf1 ip4:192.0.2.40 -all"),
    ];
    match (trouble.silent, trouble.failing) {
        ([], []) => NameServer::start(&entries).await,
        _ => NameServer::start_troubled(&entries, trouble).await,
    }
}

fn options(server: &NameServer) -> AuthenticateOptions {
    AuthenticateOptions {
        dns_servers: vec![server.address],
        budget_ms: 60_000,
        ..AuthenticateOptions::default()
    }
}

fn envelope(client: &str, mail_from: &str) -> Envelope {
    Envelope {
        door: Door::Smtp,
        client: client.into(),
        helo: "helo.good.example".into(),
        mail_from: (!mail_from.is_empty()).then(|| mail_from.to_owned()),
        recipients: vec!["support@desk.example".into()],
        trusted: false,
        tls: true,
    }
}

fn subject(envelope: Envelope, raw: &str) -> Subject {
    Subject {
        envelope: Arc::new(envelope),
        raw: Arc::new(raw.as_bytes().to_vec()),
        letter: Arc::new(Letter::parse(raw.as_bytes())),
    }
}

fn from(address: &str) -> String {
    format!("From: Ada <{address}>\r\nTo: support@desk.example\r\nSubject: Lamp\r\n\r\nIt is dark.\r\n")
}

/// Checks one mail.
async fn check(options: AuthenticateOptions, envelope: Envelope, raw: &str) -> Authentication {
    let found = Authenticator::new(options).unwrap().check_all(vec![subject(envelope, raw)]).await;
    assert_eq!(found.len(), 1);
    found.into_iter().next().unwrap()
}

const GOOD: &str = "192.0.2.10";
const EVIL: &str = "198.51.100.66";

#[tokio::test]
async fn records_and_signatures_are_weighed() {
    struct Case<'a> {
        name: &'a str,
        client: &'a str,
        mail_from: &'a str,
        mail: &'a str,
        want: &'a str,
        standing: Standing,
    }

    let keys = Keys::new();
    let server = name_server(&keys).await;
    let good = from("ada@good.example");
    let signed = keys.signed("good.example", &good);
    let changed = signed.replace("It is dark.", "Pay here.");
    let unsigned_from = keys.signed_over("good.example", &["Subject"], &good);
    let forged = keys.signed("evil.example", &good);
    let usual = || Case {
        name: "",
        client: GOOD,
        mail_from: "ada@good.example",
        mail: &good,
        want: "",
        standing: Standing::Authenticated,
    };
    for Case { name, client, mail_from, mail, want, standing } in [
        Case { name: "all is well", mail: &signed, want: "SPF pass, DKIM pass, DMARC pass", ..usual() },
        Case { name: "SPF alone", want: "SPF pass, DKIM none, DMARC pass", ..usual() },
        Case {
            name: "SPF of a sub-domain",
            mail_from: "x@bounce.good.example",
            want: "SPF pass, DKIM none, DMARC pass",
            ..usual()
        },
        Case {
            name: "null return path: EHLO counts",
            mail_from: "",
            want: "SPF pass, DKIM none, DMARC pass",
            ..usual()
        },
        Case {
            name: "forwarded: DKIM alone",
            client: EVIL,
            mail_from: "fwd@none.example",
            mail: &signed,
            want: "SPF none, DKIM pass, DMARC pass",
            ..usual()
        },
        Case {
            name: "forwarded with SPF against it",
            client: EVIL,
            mail: &signed,
            want: "SPF fail, DKIM pass, DMARC pass",
            ..usual()
        },
        Case {
            name: "sent from elsewhere",
            client: EVIL,
            want: "SPF fail, DKIM none, DMARC fail",
            standing: Standing::Failed,
            ..usual()
        },
        Case {
            name: "changed on its way",
            client: EVIL,
            mail: &changed,
            want: "SPF fail, DKIM fail, DMARC fail",
            standing: Standing::Failed,
            ..usual()
        },
        Case {
            name: "From is not signed",
            client: EVIL,
            mail_from: "x@none.example",
            mail: &unsigned_from,
            want: "SPF none, DKIM none, DMARC fail",
            standing: Standing::Failed,
        },
        Case {
            name: "forged From, own SPF and DKIM",
            client: EVIL,
            mail_from: "x@evil.example",
            mail: &forged,
            want: "SPF pass of another domain, DKIM pass of another domain, DMARC fail",
            standing: Standing::Failed,
        },
        Case {
            name: "no DMARC, SPF by MX",
            client: "192.0.2.20",
            mail_from: "a@plain.example",
            mail: &from("a@plain.example"),
            want: "SPF pass, DKIM none, DMARC none",
            ..usual()
        },
        Case {
            name: "no DMARC, SPF says no",
            client: EVIL,
            mail_from: "a@plain.example",
            mail: &from("a@plain.example"),
            want: "SPF fail, DKIM none, DMARC none",
            standing: Standing::Failed,
        },
        Case {
            name: "no DMARC, forged From",
            client: EVIL,
            mail_from: "x@evil.example",
            mail: &from("a@plain.example"),
            want: "SPF pass of another domain, DKIM none, DMARC none",
            standing: Standing::Unknown,
        },
        Case {
            name: "included SPF",
            mail_from: "a@soft.example",
            mail: &from("a@soft.example"),
            want: "SPF pass, DKIM none, DMARC none",
            ..usual()
        },
        Case {
            name: "SPF doubts",
            client: EVIL,
            mail_from: "a@soft.example",
            mail: &from("a@soft.example"),
            want: "SPF softfail, DKIM none, DMARC none",
            standing: Standing::Unknown,
        },
        Case {
            name: "nothing published",
            client: EVIL,
            mail_from: "a@none.example",
            mail: &from("a@none.example"),
            want: "SPF none, DKIM none, DMARC none",
            standing: Standing::Unknown,
        },
        Case {
            name: "broken records",
            client: EVIL,
            mail_from: "a@broken.example",
            mail: &from("a@broken.example"),
            want: "SPF permerror, DKIM none, DMARC permerror",
            standing: Standing::Unknown,
        },
        Case {
            name: "strict alignment: a sub-domain is another",
            client: "192.0.2.30",
            mail_from: "a@mail.strict.example",
            mail: &keys.signed("mail.strict.example", &from("a@strict.example")),
            want: "SPF pass of another domain, DKIM pass of another domain, DMARC fail",
            standing: Standing::Failed,
        },
        Case {
            name: "international domain",
            client: "192.0.2.40",
            mail_from: "a@bücher.example",
            mail: &from("a@bücher.example"),
            want: "SPF pass, DKIM none, DMARC none",
            ..usual()
        },
    ] {
        let found = check(options(&server), envelope(client, mail_from), mail).await;
        assert_eq!((found.clause().as_str(), found.standing()), (want, standing), "{name}");
    }
}

#[tokio::test]
async fn a_mail_that_is_read_in_two_ways_proves_nothing() {
    let keys = Keys::new();
    let server = name_server(&keys).await;
    let signed = keys.signed("good.example", &from("mallory@good.example"));
    let own = keys.signed("evil.example", &from("mallory@evil.example"));
    for (name, mail) in [
        ("a From above the signed one", format!("From: bob@good.example\r\n{signed}")),
        ("a From of another domain above the signed one", format!("From: bob@good.example\r\n{own}")),
        (
            "authors of two domains",
            from("bob@good.example").replace("<bob@good.example>", "<bob@good.example>, x@evil.example"),
        ),
        ("no author", from("nobody")),
        (
            "a group",
            from("bob@good.example").replace("Ada <bob@good.example>", "bob@good.example: x@evil.example;"),
        ),
    ] {
        let found = check(options(&server), envelope(GOOD, "x@good.example"), &mail).await;
        let author = Letter::parse(mail.as_bytes()).from.first().and_then(|mailbox| mailbox.key());
        let shows_good = author.is_some_and(|key| key.domain() == "good.example");
        assert!(!(shows_good && found.is_authenticated()), "{name}: {}", found.clause());
        assert!(!found.has_failed() || name == "a group", "{name}: nothing is held against it either");
    }
}

#[tokio::test]
async fn a_forger_gains_nothing_by_writing_from_twice() {
    struct Case {
        name: &'static str,
        mail_from: &'static str,
        mail: String,
        want: &'static str,
    }
    fn usual() -> Case {
        Case { name: "", mail_from: "x@evil.example", mail: String::new(), want: "" }
    }

    let keys = Keys::new();
    let server = name_server(&keys).await;
    let (victim, plain) = (from("ada@good.example"), from("ada@plain.example"));
    let twice = |mail: &str| format!("{}\r\n{mail}", mail.lines().next().unwrap());
    for Case { name, mail_from, mail, want } in [
        Case {
            name: "the same",
            mail: twice(&victim),
            want: "SPF pass of another domain, DKIM none, DMARC fail",
            ..usual()
        },
        Case {
            name: "signed by another domain",
            mail: twice(&keys.signed("evil.example", &victim)),
            want: "SPF pass of another domain, DKIM pass of another domain, DMARC fail",
            ..usual()
        },
        Case {
            name: "SPF disowns it",
            mail_from: "ada@plain.example",
            mail: twice(&plain),
            want: "SPF fail, DKIM none, DMARC none",
        },
        Case {
            name: "authors of two domains",
            mail: victim.replace("<ada@good.example>", "<ada@good.example>, x@evil.example"),
            want: "SPF pass of another domain, DKIM none, DMARC fail",
            ..usual()
        },
    ] {
        let found = check(options(&server), envelope(EVIL, mail_from), &mail).await;
        assert_eq!((found.clause().as_str(), found.standing()), (want, Standing::Failed), "{name}");
    }
    let said = "Authentication-Results: mx.desk.example; spf=fail smtp.mailfrom=good.example; dmarc=fail header.from=good.example\r\n";
    let options = AuthenticateOptions { authserv_id: Some("mx.desk.example".into()), ..options(&server) };
    for (name, said, want) in [
        ("a relay saw it fail", said.to_owned(), Standing::Failed),
        ("a relay saw one of the two pass", said.replace("fail", "pass"), Standing::Unknown),
    ] {
        let by_relay = Envelope { trusted: true, ..envelope(EVIL, "x@evil.example") };
        let mail = format!(
            "{said}Received: from x by mx.desk.example; Mon, 1 Jan 2024 00:00:00 +0000\r\n{}",
            twice(&victim)
        );
        let found = check(options.clone(), by_relay, &mail).await;
        assert_eq!(found.standing(), want, "{name}: {}", found.clause());
    }
}

#[tokio::test]
async fn trouble_of_another_domain_cancels_no_failure() {
    struct Case<'a> {
        name: &'a str,
        server: &'a NameServer,
        mail: &'a str,
        want: &'a str,
        standing: Standing,
    }

    let keys = Keys::new();
    let good = from("ada@good.example");
    let by_evil = keys.signed("evil.example", &good);
    let by_both = keys.signed("good.example", &by_evil);
    let silent = troubled(&keys, Trouble { silent: &["evil.example"], ..Trouble::default() }).await;
    let failing = troubled(&keys, Trouble { failing: &["evil.example"], ..Trouble::default() }).await;
    let own_fails =
        troubled(&keys, Trouble { failing: &["s1._domainkey.good.example"], ..Trouble::default() }).await;
    let usual = || Case { name: "", server: &silent, mail: &by_evil, want: "", standing: Standing::Failed };
    for Case { name, server, mail, want, standing } in [
        Case { name: "no answer", want: "SPF none, DKIM none, DMARC fail", ..usual() },
        Case {
            name: "failures",
            server: &failing,
            want: "SPF temperror, DKIM temperror, DMARC fail",
            ..usual()
        },
        Case {
            name: "its own passes",
            mail: &by_both,
            want: "SPF none, DKIM pass, DMARC pass",
            standing: Standing::Authenticated,
            ..usual()
        },
        Case {
            name: "its own might have passed",
            server: &own_fails,
            mail: &by_both,
            want: "nobody checked its sender",
            standing: Standing::Unknown,
        },
    ] {
        let options = AuthenticateOptions { budget_ms: 4_000, ..options(server) };
        let found = check(options, envelope(EVIL, "x@evil.example"), mail).await;
        assert_eq!((found.clause().as_str(), found.standing()), (want, standing), "{name}");
    }
}

#[tokio::test]
async fn senders_without_dns_do_not_end_the_checks_of_others() {
    let keys = Keys::new();
    let server = troubled(&keys, Trouble { silent: &["evil.example"], ..Trouble::default() }).await;
    let options = AuthenticateOptions { budget_ms: 1_000, ..options(&server) };
    let authenticator = Authenticator::new(options).unwrap();
    let silent = (0..20).map(|_| subject(envelope(EVIL, "x@evil.example"), &from("x@evil.example")));
    assert_eq!(authenticator.check_all(silent.collect()).await, vec![Authentication::unchecked(); 20]);
    assert!(!authenticator.rest.is_resting(), "name servers are there");
}

#[tokio::test]
async fn relays_are_believed_as_far_as_they_are_ours() {
    struct Case<'a> {
        name: &'a str,
        trusted: bool,
        mail: &'a str,
        want: &'a str,
    }
    fn usual<'a>() -> Case<'a> {
        Case { name: "", trusted: true, mail: "", want: "" }
    }

    let keys = Keys::new();
    let server = name_server(&keys).await;
    let good = from("ada@good.example");
    let said = "Authentication-Results: mx.desk.example; dmarc=pass header.from=good.example\r\n";
    let received = "Received: from x by mx.desk.example; Mon, 1 Jan 2024 00:00:00 +0000\r\n";
    let reported = format!("{said}{received}{good}");
    let forged = format!("{received}{said}{good}");
    let signed = format!("{received}{}", keys.signed("good.example", &good));
    for Case { name, trusted, mail, want } in [
        Case {
            name: "our relay's word counts",
            mail: &reported,
            want: "SPF none, DKIM none, DMARC pass",
            ..usual()
        },
        Case {
            name: "below its Received anybody wrote it",
            mail: &forged,
            want: "nobody checked its sender",
            ..usual()
        },
        Case {
            name: "not our relay",
            trusted: false,
            mail: &reported,
            want: "SPF fail, DKIM none, DMARC fail",
        },
        Case {
            name: "SPF of a relay says nothing",
            mail: &good,
            want: "nobody checked its sender",
            ..usual()
        },
        Case {
            name: "DKIM comes through a relay",
            mail: &signed,
            want: "SPF none, DKIM pass, DMARC pass",
            ..usual()
        },
        Case {
            name: "a failed signature behind a relay disowns nothing",
            mail: &signed.replace("dark", "bright"),
            want: "SPF none, DKIM fail, DMARC none",
            ..usual()
        },
    ] {
        let options = AuthenticateOptions { authserv_id: Some("mx.desk.example".into()), ..options(&server) };
        let found = check(options, Envelope { trusted, ..envelope(EVIL, "ada@good.example") }, mail).await;
        assert_eq!(found.clause(), want, "{name}");
    }
    let old = Envelope { door: Door::Import, ..envelope(GOOD, "ada@good.example") };
    assert_eq!(
        check(options(&server), old, &signed).await,
        Authentication::unchecked(),
        "old mail is not asked about"
    );
    for door in [Door::Http, Door::Lmtp, Door::Pipe] {
        let handed_on = Envelope { door: door.clone(), ..envelope(EVIL, "ada@good.example") };
        assert_eq!(
            check(options(&server), handed_on, &good).await,
            Authentication::unchecked(),
            "{door}: the peer is no sender"
        );
    }
    let inside = check(options(&server), envelope("10.0.0.1", "ada@good.example"), &good).await;
    assert_eq!(inside, Authentication::unchecked(), "SPF says nothing of networks inside a house");
}

#[tokio::test]
async fn seals_count_when_their_writers_are_trusted() {
    struct Case<'a> {
        name: &'a str,
        mail: &'a str,
        trusted: &'a str,
        want: Check,
    }
    fn usual<'a>() -> Case<'a> {
        Case { name: "", mail: "", trusted: "list.example", want: Check::None }
    }

    let keys = Keys::new();
    let server = name_server(&keys).await;
    let resolver = Authenticator::new(options(&server)).unwrap().resolver;
    let good = from("ada@good.example");
    let none = ArcOutput::default();
    let original = keys.signed("good.example", &good);
    let seen = AuthenticatedMessage::parse(original.as_bytes()).unwrap();
    let dkim = resolver.verify_dkim(&seen).await;
    let saw_pass = AuthenticationResults::new("list.example").with_dkim_results(&dkim, "ada@good.example");
    let saw_nothing = AuthenticationResults::new("list.example");
    let honest = keys.sealed("list.example", &saw_pass, &none, &good);
    let silent = keys.sealed("list.example", &saw_nothing, &none, &good);
    let lying = keys.sealed("evil.example", &saw_pass, &none, &good);
    let chain = AuthenticatedMessage::parse(lying.as_bytes()).unwrap();
    let chain = resolver.verify_arc(&chain).await;
    let passed_on = keys.sealed("list.example", &saw_nothing, &chain, &lying);
    let broken = honest.replace("dark", "bright");
    for Case { name, mail, trusted, want } in [
        Case { name: "a believed hop saw it pass", mail: &honest, want: Check::Pass, ..usual() },
        Case {
            name: "a hop that is not believed",
            mail: &honest,
            trusted: "other-list.example",
            want: Check::None,
        },
        Case { name: "a believed hop saw nothing", mail: &silent, want: Check::Neutral, ..usual() },
        Case { name: "anybody can seal what he likes", mail: &lying, want: Check::None, ..usual() },
        Case { name: "the lie before a believed hop", mail: &passed_on, want: Check::Neutral, ..usual() },
        Case { name: "changed since", mail: &broken, want: Check::Fail, ..usual() },
    ] {
        let options =
            AuthenticateOptions { trusted_sealers: BTreeSet::from([trusted.to_owned()]), ..options(&server) };
        let found = check(options, envelope(EVIL, "fwd@none.example"), mail).await;
        assert_eq!((found.arc, found.is_authenticated()), (want, false), "{name}: {}", found.clause());
    }
}

#[tokio::test]
async fn mail_does_not_wait_for_dns_that_is_away() {
    let keys = Keys::new();
    let server = NameServer::silent().await;
    let signed = keys.signed("good.example", &from("ada@good.example"));
    let options = AuthenticateOptions { budget_ms: 20, ..options(&server) };
    let authenticator = Authenticator::new(options).unwrap();
    let batch: Vec<Subject> = (0..20).map(|_| subject(envelope(EVIL, "ada@good.example"), &signed)).collect();
    assert!(!authenticator.rest.is_resting());
    assert_eq!(authenticator.check_all(batch.clone()).await, vec![Authentication::unchecked(); 20]);
    assert!(authenticator.rest.is_resting(), "nothing more is asked for a while");
    assert_eq!(authenticator.check_all(batch).await, vec![Authentication::unchecked(); 20]);
}

#[tokio::test]
async fn results_come_in_the_order_of_the_mails() {
    let keys = Keys::new();
    let server = name_server(&keys).await;
    let authenticator = Authenticator::new(options(&server)).unwrap();
    let mails = |at: usize| match at % 3 {
        0 => subject(envelope(GOOD, "ada@good.example"), &from("ada@good.example")),
        1 => subject(envelope("127.0.0.1", "ada@good.example"), &from("ada@good.example")),
        _ => subject(envelope(EVIL, "ada@good.example"), &from("ada@good.example")),
    };
    let found = authenticator.check_all((0..100).map(mails).collect()).await;
    for (at, found) in found.iter().enumerate() {
        let want = [Standing::Authenticated, Standing::Unknown, Standing::Failed][at % 3];
        assert_eq!(found.standing(), want, "mail {at}");
    }
    assert_eq!(authenticator.check_all(vec![]).await, vec![]);
}

#[tokio::test]
async fn a_thousand_signatures_cost_no_more_than_a_few() {
    let keys = Keys::new();
    let server = name_server(&keys).await;
    let signed = keys.signed("good.example", &from("ada@good.example"));
    let decoy = "DKIM-Signature: v=1; a=rsa-sha256; d=d0.evil.example; s=s1; c=relaxed/relaxed; h=From; bh=AAAA; b=AAAA\r\n";
    let found =
        check(options(&server), envelope(EVIL, "x@none.example"), &(decoy.repeat(1_000) + &signed)).await;
    assert_eq!(found.clause(), "SPF none, DKIM pass, DMARC pass");
    let decoys = decoy.replace("d0.evil", "good").repeat(SIGNATURES_PLENTY);
    let found = check(options(&server), envelope(EVIL, "x@none.example"), &(decoys + &signed)).await;
    assert!(
        !found.is_authenticated(),
        "of one's own domain no more than a few are tried: {}",
        found.clause()
    );
}

/// More signatures of From's own domain than are looked at.
const SIGNATURES_PLENTY: usize = 50;

#[test]
fn networks_inside_a_house_are_no_evidence() {
    for (ip, want) in [
        ("192.0.2.1", true),
        ("2001:db8::1", true),
        ("127.0.0.1", false),
        ("::1", false),
        ("10.1.2.3", false),
        ("192.168.0.9", false),
        ("169.254.1.1", false),
        ("fd00::1", false),
        ("fe80::1", false),
        ("::ffff:10.0.0.1", false),
    ] {
        assert_eq!(is_public(ip.parse().unwrap()), want, "{ip}");
    }
}
