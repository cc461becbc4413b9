//! Who gets in by the link, what a post does, and what each answer carries.

use axum::http::HeaderMap;
use store::Store;
use store::account::AccountRow;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;
use crate::clock::SystemClock;

const GOOD: &str = "company=Acme&subdomain=Acme&admin=ann%40acme.example&native_host=.guichet.localhost";

struct Desk {
    setup: Arc<Setup>,
    runtime: Runtime,
    _folder: TempDir,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    html: String,
}

impl Desk {
    fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::default();
        let store = Store::open(&config.store_options(folder.path())).unwrap();
        store.migrate().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let engine = runtime
            .block_on(Engine::new(store, engine::EngineOptions::default(), Arc::new(SystemClock)))
            .unwrap();
        Desk { setup: Arc::new(Setup::new(engine, &config)), runtime, _folder: folder }
    }

    fn open(&self) -> String {
        self.setup.open().strip_prefix("/setup/").unwrap().to_owned()
    }

    fn get(&self, token: &str) -> Answer {
        self.answer(ask(State(Arc::clone(&self.setup)), Path(token.to_owned())))
    }

    fn post(&self, token: &str, form: &str) -> Answer {
        self.answer(make(State(Arc::clone(&self.setup)), Path(token.to_owned()), Body::from(form.to_owned())))
    }

    fn answer(&self, response: impl Future<Output = Response>) -> Answer {
        self.runtime.block_on(async {
            let (parts, body) = response.await.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let html = String::from_utf8(bytes.to_vec()).unwrap();
            Answer { status: parts.status.as_u16(), headers: parts.headers, html }
        })
    }

    fn accounts(&self) -> Vec<AccountRow> {
        self.runtime.block_on(self.setup.engine.store().read_now(store::account::list)).unwrap()
    }
}

#[test]
fn only_the_newest_link_leads_to_the_form() {
    let desk = Desk::new();
    assert_eq!(desk.get("anything").status, 404);
    let old = desk.open();
    let token = desk.open();
    assert!(token.len() == 2 * TOKEN_BYTES && old != token);
    for wrong in [old.as_str(), "", &token.repeat(2), &format!("{token}0")] {
        assert_eq!((desk.get(wrong).status, desk.post(wrong, GOOD).status), (404, 404), "{wrong}");
    }
    let form = desk.get(&token);
    assert_eq!(form.status, 200);
    assert!(
        form.html.contains("<form method=\"post\">") && form.html.contains("value=\".guichet.localhost\""),
        "{}",
        form.html
    );
    assert!(desk.accounts().is_empty());
}

#[test]
fn a_form_makes_the_account_and_ends_the_link() {
    let desk = Desk::new();
    let token = desk.open();
    let made = desk.post(&token, GOOD);
    assert_eq!(made.status, 200, "{}", made.html);
    assert!(
        made.html.contains("support@acme.guichet.localhost") && made.html.contains("ann@acme.example"),
        "{}",
        made.html
    );
    let accounts = desk.accounts();
    assert!(
        matches!(accounts.as_slice(), [AccountRow { subdomain, name, .. }] if subdomain == "acme" && name == "Acme"),
        "{accounts:?}"
    );
    for again in [desk.get(&token), desk.post(&token, GOOD)] {
        assert_eq!(again.status, 410);
        assert!(
            again.html.contains("This desk is set up")
                && again.html.contains("<code>guichet token create EMAIL</code>")
        );
    }
    assert_eq!(desk.get("anything").status, 404);
    assert_eq!(desk.accounts().len(), 1);
}

#[test]
fn a_refused_form_is_shown_again_with_what_was_typed() {
    let desk = Desk::new();
    let token = desk.open();
    for (form, field, kept) in [
        ("subdomain=a+b&admin=a%40b.example", "subdomain", "a b"),
        ("subdomain=acme&admin=nobody", "admin", "nobody"),
        ("subdomain=acme&admin=support%40acme.guichet.localhost", "admin", "support@acme.guichet.localhost"),
        ("subdomain=acme&admin=a%40b.example&native_host=not+a+host", "native_host", "not a host"),
        ("company=a%0Ab&subdomain=acme&admin=a%40b.example", "company", "a b"),
        ("", "subdomain", ""),
    ] {
        let answer = desk.post(&token, form);
        assert_eq!(answer.status, 422, "{form}");
        for wanted in
            [format!("id=\"{field}-wrong\""), format!("id=\"{field}\" name=\"{field}\" value=\"{kept}\"")]
        {
            assert!(answer.html.contains(&wanted), "{form}: {wanted} is not in {}", answer.html);
        }
    }
    assert!(desk.accounts().is_empty());
    assert_eq!(desk.post(&token, GOOD).status, 200);
}

#[test]
fn all_that_is_wrong_is_shown_at_once() {
    let desk = Desk::new();
    let token = desk.open();
    for (form, want) in [
        (
            "company=a%0Ab&subdomain=a+b&admin=nobody&native_host=not+a+host",
            &["company", "subdomain", "admin", "native_host"][..],
        ),
        ("subdomain=a+b&admin=nobody&native_host=.guichet.localhost", &["subdomain", "admin"]),
        ("", &["subdomain", "admin"]),
        ("subdomain=acme&admin=nobody&native_host=a+b", &["admin", "native_host"]),
        ("subdomain=acme&admin=a%40b.example&native_host=.not+a+host", &["native_host"]),
    ] {
        let answer = desk.post(&token, form);
        assert_eq!(answer.status, 422, "{form}");
        let told = |field: &&str| {
            let at_field = answer.html.contains(&format!("id=\"{field}-wrong\""));
            assert_eq!(
                at_field,
                answer.html.contains(&format!("<p><a href=\"#{field}\">")),
                "{form}: {field}"
            );
            at_field
        };
        let fields: Vec<&str> =
            ["company", "subdomain", "admin", "native_host"].into_iter().filter(told).collect();
        assert_eq!(fields, want, "{form}");
        assert_eq!(answer.html.matches("role=\"alert\"").count(), 1, "{form}");
    }
}

#[test]
fn a_form_has_a_size() {
    let desk = Desk::new();
    let token = desk.open();
    let of_size = |size: usize| format!("admin=nobody&x={}", "x".repeat(size - "admin=nobody&x=".len()));
    assert_eq!(desk.post(&token, &of_size(FORM_BYTES)).status, 422);
    let beyond = desk.post(&token, &of_size(FORM_BYTES + 1));
    assert_eq!(beyond.status, 413);
    assert!(beyond.html.contains("16,384"), "{}", beyond.html);
}

#[test]
fn no_answer_is_kept_framed_or_told_elsewhere() {
    let desk = Desk::new();
    let token = desk.open();
    for answer in [
        desk.get("wrong"),
        desk.get(&token),
        desk.post(&token, ""),
        desk.post(&token, GOOD),
        desk.get(&token),
    ] {
        let header = |name: &str| {
            answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        assert_eq!(
            [
                header("cache-control"),
                header("referrer-policy"),
                header("x-content-type-options"),
                header("content-type")
            ],
            ["no-store", "no-referrer", "nosniff", "text/html; charset=utf-8"],
            "{}",
            answer.status
        );
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-")
                && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("script-src") && !answer.html.contains("<script"));
    }
}

#[test]
fn a_link_names_a_host_that_can_be_opened() {
    for (http, want) in [
        ("127.0.0.1:8080", "http://127.0.0.1:8080/setup/x"),
        ("[::1]:80", "http://[::1]:80/setup/x"),
        ("0.0.0.0:8080", "http://desk.example:8080/setup/x"),
        ("[::]:8080", "http://desk.example:8080/setup/x"),
    ] {
        assert_eq!(link(http.parse().unwrap(), "desk.example", "/setup/x"), want, "{http}");
    }
}
