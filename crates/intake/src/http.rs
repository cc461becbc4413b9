//! The door for providers that hand a mail on by HTTP: `POST /hooks/mail` (docs/behaviour/doors.md §1).
//!
//! The answer is 200 only after the commit, and contains the mail's id. Posting needs an agent's API token, which is
//! checked before the body is read.

mod form;
mod refusal;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use desk::envelope::{Door, Envelope};
use desk::id::AccountId;
use desk::user::Role;
use futures_util::StreamExt as _;
use mail::address::AddressKey;
use serde_json::{Value, json};
use store::token::Holder;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::memory::Share;
use crate::parcel::{Parcel, RecipientError};
use crate::raw_mail;
use crate::{Intake, Limits};
use form::Form;
pub use form::pairs;
use refusal::Refusal;

/// Mails that are read concurrently: each is held in memory until it is durable.
const AT_ONCE: usize = 32;
/// How long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(120);
/// What a form may hold besides its mail.
const FORM_BYTES: u64 = 1_000_000;

/// What requests share.
#[derive(Debug)]
struct Hooks {
    intake: Intake,
    limits: Limits,
    places: Semaphore,
}

/// The routes of this door, for the server of the pages. They want to know the peer's address.
pub fn router(intake: Intake, limits: Limits) -> Router {
    let hooks = Hooks { intake, limits, places: Semaphore::new(AT_ONCE) };
    Router::new().route("/hooks/mail", post(take)).with_state(Arc::new(hooks))
}

async fn take(
    State(hooks): State<Arc<Hooks>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    match hooks.take(peer, request).await {
        Ok(taken) => Json(taken).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

impl Hooks {
    async fn take(&self, peer: SocketAddr, request: Request) -> Result<Value, Refusal> {
        let (parts, body) = request.into_parts();
        let query = form::pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let holder = self.holder(&parts.headers, &query).await?;
        let _place = self.place()?;
        let kind = kind(&parts.headers)?;
        // Held until the mail is durable.
        let mut share = self.intake.memory.share();
        let bytes = self.body(&parts, body, &mut share).await?;
        let mut posted = posted(kind, &parts.headers, &query, bytes)?;
        let from_line = raw_mail::take_from_line(&mut posted.raw);
        raw_mail::check(&posted.raw, self.limits.max_mail_bytes)?;
        let recipients = self.recipients(&posted.recipients, holder.account_id).await?;
        let mail_from = match posted.mail_from {
            Some(written) if raw_mail::is_null_sender(&written) => None,
            Some(written) => Some(mail_from(&written)?),
            None => raw_mail::return_path(&posted.raw, from_line.as_deref()),
        };
        let envelope = Envelope {
            door: Door::Http,
            client: peer.ip().to_canonical().to_string(),
            helo: String::new(),
            mail_from,
            recipients: recipients.clone(),
            trusted: false,
            tls: false,
        };
        let parcel = Parcel {
            raw: posted.raw,
            envelope,
            recipients: [(holder.account_id, recipients.clone())].into(),
        };
        let id = self.intake.take(parcel).await?;
        Ok(json!({"id": id, "recipients": recipients}))
    }

    /// Whose token it is, who must be an agent.
    async fn holder(&self, headers: &HeaderMap, query: &[(String, String)]) -> Result<Holder, Refusal> {
        let (secret, email) = credentials(headers, query).ok_or(Refusal::NoToken)?;
        let found = self.intake.store.read_now(move |tx| store::token::holder(tx, &secret)).await?;
        let holder = found.ok_or(Refusal::WrongToken)?;
        if let Some(email) = email {
            let key = AddressKey::parse(&email).map_err(|_| Refusal::WrongToken)?;
            if !holder.addresses.iter().any(|address| address == key.as_str()) {
                return Err(Refusal::WrongToken);
            }
        }
        if holder.is_suspended || holder.role == Role::EndUser { Err(Refusal::Forbidden) } else { Ok(holder) }
    }

    fn place(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        self.places.try_acquire().map_err(|_| Refusal::Busy)
    }

    async fn body(&self, parts: &Parts, body: Body, share: &mut Share) -> Result<Vec<u8>, Refusal> {
        let limit = self.limits.max_mail_bytes.saturating_add(FORM_BYTES);
        let declared = parts
            .headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|declared| declared > limit) {
            return Err(Refusal::TooLarge { limit_bytes: self.limits.max_mail_bytes });
        }
        let read = async {
            let declared = usize::try_from(declared.unwrap_or_default()).unwrap_or_default();
            if !share.hold(declared) {
                return Err(Refusal::Busy);
            }
            let mut bytes = Vec::with_capacity(declared);
            let mut stream = body.into_data_stream();
            while let Some(piece) = stream.next().await {
                bytes.extend_from_slice(&piece.map_err(|_| Refusal::BrokenOff)?);
                if !share.hold(bytes.capacity()) {
                    return Err(Refusal::Busy);
                }
                if bytes.len() as u64 > limit {
                    return Err(Refusal::TooLarge { limit_bytes: self.limits.max_mail_bytes });
                }
            }
            Ok(bytes)
        };
        tokio::time::timeout(BODY_WITHIN, read).await.map_err(|_| Refusal::TooSlow)?
    }

    /// The recipients, all of them addresses of the account: another's are as unknown as nobody's.
    async fn recipients(&self, written: &[String], account_id: AccountId) -> Result<Vec<String>, Refusal> {
        if written.is_empty() {
            return Err(Refusal::NoRecipient);
        }
        if written.len() > self.limits.recipients {
            return Err(Refusal::TooManyRecipients { limit: self.limits.recipients });
        }
        let mut found = self.intake.recipients(written).await?;
        let ours = found.by_account.remove(&account_id).unwrap_or_default();
        let others: Vec<String> =
            found.unknown.into_iter().chain(found.by_account.into_values().flatten()).collect();
        if others.is_empty() { Ok(ours) } else { Err(Refusal::UnknownRecipient { addresses: others }) }
    }
}

/// What was posted, whatever its form.
struct Posted {
    raw: Vec<u8>,
    recipients: Vec<String>,
    mail_from: Option<String>,
}

/// The forms of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Raw,
    /// `multipart/form-data` with its boundary.
    Multipart(String),
    /// `application/x-www-form-urlencoded`, which is also what curl says of raw bytes.
    Pairs,
}

fn kind(headers: &HeaderMap) -> Result<Kind, Refusal> {
    if headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(Refusal::WrongType("a compressed body"));
    }
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "multipart/form-data" => {
            form::boundary(value).map(Kind::Multipart).ok_or(Refusal::WrongType("a form without boundary"))
        }
        "application/x-www-form-urlencoded" => Ok(Kind::Pairs),
        "application/json" => Err(Refusal::WrongType("JSON")),
        _ => Ok(Kind::Raw),
    }
}

/// Puts together what was posted: a form's own fields count where query and header say nothing.
fn posted(
    kind: Kind,
    headers: &HeaderMap,
    query: &[(String, String)],
    bytes: Vec<u8>,
) -> Result<Posted, Refusal> {
    let form = match kind {
        Kind::Raw => Form::raw(bytes),
        Kind::Multipart(boundary) => Form::multipart(&bytes, &boundary).ok_or(Refusal::NoMail)?,
        Kind::Pairs => Form::pairs_or_raw(bytes).ok_or(Refusal::NoMail)?,
    };
    let mut recipients: Vec<String> =
        query.iter().filter(|(name, _)| name == "rcpt").map(|(_, value)| value.clone()).collect();
    let header = |name: &str| -> Vec<String> {
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).map(str::to_owned).collect()
    };
    if recipients.is_empty() {
        recipients = header("x-envelope-to").iter().flat_map(|value| form::addresses(value)).collect();
    }
    if recipients.is_empty() {
        recipients = form.recipients;
    }
    let asked = query.iter().find(|(name, _)| name == "mail_from").map(|(_, value)| value.clone());
    let mail_from = asked.or_else(|| header("x-envelope-from").into_iter().next()).or(form.mail_from);
    Ok(Posted { raw: form.raw, recipients, mail_from })
}

fn mail_from(written: &str) -> Result<String, Refusal> {
    let bare = written.trim().trim_start_matches('<').trim_end_matches('>').trim();
    match AddressKey::parse(bare) {
        Ok(_) => Ok(bare.to_owned()),
        Err(_) => Err(Refusal::Malformed { written: written.to_owned() }),
    }
}

/// The token and, where given, whose it is said to be: `Bearer TOKEN`, `Basic EMAIL/token:TOKEN`, or `?token=`.
fn credentials(headers: &HeaderMap, query: &[(String, String)]) -> Option<(String, Option<String>)> {
    if let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        let (scheme, rest) = value.trim().split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some((rest.trim().to_owned(), None));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(BASE64_STANDARD.decode(rest.trim()).ok()?).ok()?;
        let (name, secret) = decoded.split_once(':')?;
        return Some((secret.to_owned(), Some(name.strip_suffix("/token")?.to_owned())));
    }
    query.iter().find(|(name, _)| name == "token").map(|(_, value)| (value.clone(), None))
}

impl From<RecipientError> for Refusal {
    fn from(error: RecipientError) -> Refusal {
        match error {
            RecipientError::Malformed { written, .. } => Refusal::Malformed { written },
            RecipientError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
