//! The one-time set-up link: the page on which a desk without an account gets its first one (docs/operating.md §2). The
//! link is created when `serve` starts and finds no account. Only the hash of its token is kept, and only in memory: a
//! restart creates another link. It works until an account exists, however that was created, and then says so.

mod form;
mod page;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine::Engine;
use engine::admin::{CreateAccountError, CreatedAccount};
use rand::Rng as _;

use crate::config::Config;
use form::{Refused, Typed};
use page::Page;

/// Random bytes of the token.
const TOKEN_BYTES: usize = 24;
/// The size of the largest form: many times what its four fields need.
const FORM_BYTES: usize = 16_384;
/// How long a form may take to arrive.
const FORM_WITHIN: Duration = Duration::from_secs(30);

/// The page of the set-up link, and whether there is such a link.
#[derive(Debug)]
pub(crate) struct Setup {
    engine: Engine,
    /// Native hosts are below it.
    domain: String,
    /// Where mail for them must arrive.
    smtp: Option<SocketAddr>,
    can_deliver: bool,
    /// blake3 of the link's token; none: every link is wrong.
    hash: Mutex<Option<blake3::Hash>>,
}

impl Setup {
    /// The page of a desk, to which no link leads yet.
    #[must_use]
    pub(crate) fn new(engine: Engine, config: &Config) -> Setup {
        Setup {
            engine,
            domain: config.mail.domain.clone(),
            smtp: config.smtp.listen,
            can_deliver: config.can_deliver(),
            hash: Mutex::new(None),
        }
    }

    /// Creates a link and returns its path, which is not kept; an earlier link stops working.
    #[must_use]
    pub(crate) fn open(&self) -> String {
        let mut bytes = [0_u8; TOKEN_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        *self.hash.lock().expect("plain value") = Some(blake3::hash(token.as_bytes()));
        format!("/setup/{token}")
    }

    /// Lets the holder of the link in while there is no account.
    async fn admit(&self, token: &str) -> Result<(), Refusal> {
        let expected = *self.hash.lock().expect("plain value");
        // blake3 compares hashes in constant time.
        if expected.is_none_or(|expected| expected != blake3::hash(token.as_bytes())) {
            return Err(Refusal::Unknown);
        }
        match self.engine.store().read_now(store::account::has_any).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(Refusal::Used),
            Err(error) => {
                tracing::error!(%error, "The set-up page cannot be shown: the database cannot be read");
                Err(Refusal::Unavailable)
            }
        }
    }

    async fn make(&self, token: &str, body: Body) -> Result<Response, Refusal> {
        self.admit(token).await?;
        let read = axum::body::to_bytes(body, FORM_BYTES);
        let read = tokio::time::timeout(FORM_WITHIN, read).await.map_err(|_| Refusal::TooSlow)?;
        let typed = Typed::read(&read.map_err(|_| Refusal::TooLarge)?);
        let request = typed.request(&self.domain);
        let flaws = request.flaws();
        if !flaws.is_empty() {
            return Ok(self.again(&typed, StatusCode::UNPROCESSABLE_ENTITY, &typed.refusals(&flaws)));
        }
        match self.engine.create_first_account(request).await {
            Ok(made) => Ok(self.done(&made)),
            Err(CreateAccountError::NotFirst) => Err(Refusal::Used),
            Err(error) => Ok(self.again(&typed, status_of(&error), &[Refused::of(&error)])),
        }
    }

    fn done(&self, made: &CreatedAccount) -> Response {
        tracing::info!(
            account.id = made.id.0,
            "Created the first account through the set-up link, which no longer works"
        );
        shown(StatusCode::OK, &page::done(made, self.smtp, self.can_deliver))
    }

    /// The form again, with what was typed and everything that is wrong with it.
    fn again(&self, typed: &Typed, status: StatusCode, refused: &[Refused]) -> Response {
        shown(status, &page::form(typed, &self.domain, refused))
    }
}

fn status_of(error: &CreateAccountError) -> StatusCode {
    match error {
        CreateAccountError::Store(error) => {
            tracing::error!(%error, "The first account was not created: the database failed");
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// The routes of the page.
pub(crate) fn router(setup: Arc<Setup>) -> Router {
    Router::new().route("/setup/{token}", get(ask).post(make)).with_state(setup)
}

async fn ask(State(setup): State<Arc<Setup>>, Path(token): Path<String>) -> Response {
    match setup.admit(&token).await {
        Ok(()) => shown(StatusCode::OK, &page::form(&Typed::blank(&setup.domain), &setup.domain, &[])),
        Err(refusal) => refusal.into_response(),
    }
}

async fn make(State(setup): State<Arc<Setup>>, Path(token): Path<String>, body: Body) -> Response {
    setup.make(&token, body).await.unwrap_or_else(IntoResponse::into_response)
}

/// A link as it is opened in a browser; `hostname` stands where pages are served on every address.
#[must_use]
pub(crate) fn link(http: SocketAddr, hostname: &str, path: &str) -> String {
    if http.ip().is_unspecified() {
        return format!("http://{hostname}:{}{path}", http.port());
    }
    format!("http://{http}{path}")
}

/// Why neither form nor account is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Unknown,
    Used,
    TooLarge,
    TooSlow,
    Unavailable,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            Refusal::Unknown => (
                StatusCode::NOT_FOUND,
                "This link leads nowhere",
                "It is misspelt, or from an earlier start: each start of a desk without an account creates a new link and writes \
                 it to its output and its log. A desk that has an account has no link; `guichet account list` shows it.",
            ),
            Refusal::Used => (
                StatusCode::GONE,
                "This desk is set up",
                "It has an account, so this link no longer works. If you do not have its API token, create one with \
                 `guichet token create EMAIL`; another account is created with \
                 `guichet account create SUBDOMAIN --admin EMAIL`.",
            ),
            Refusal::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "That is too much",
                "Nothing was created. Go back and write less; the form may have 16,384 octets in all.",
            ),
            Refusal::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "The form did not arrive",
                "Nothing was created. Go back and send it again; it has 30 seconds to arrive.",
            ),
            Refusal::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer",
                "Nothing was created. Load this page again in a minute; the log says what is wrong.",
            ),
        };
        shown(status, &page::note(title, text))
    }
}

/// A page that is not cached or framed, runs no script, and does not reveal its address to the pages it links to.
fn shown(status: StatusCode, page: &Page) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, page::SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, page.html()).into_response()
}

#[cfg(test)]
mod tests;
