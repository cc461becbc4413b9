//! Why a posted mail is not taken: a status, a word for programs, a sentence for people.

use axum::Json;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use store::StoreError;

use crate::raw_mail::Unfit;

/// Seconds after which a client may try again.
const RETRY_AFTER: &str = "5";

/// Why a posted mail is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("a token is needed: Authorization: Bearer TOKEN, Basic EMAIL/token:TOKEN, or ?token=TOKEN")]
    NoToken,
    #[error("the token is not known, was revoked, or is not this person's")]
    WrongToken,
    #[error(
        "the token is of a person who may not post mail: it must be an agent's or an admin's, and not suspended"
    )]
    Forbidden,
    #[error("no recipient: say ?rcpt=ADDRESS, which may be repeated, or X-Envelope-To")]
    NoRecipient,
    #[error("{written:?} is not an e-mail address")]
    Malformed { written: String },
    #[error("more than {limit} recipients")]
    TooManyRecipients { limit: usize },
    #[error("no such address in this account: {}", addresses.join(", "))]
    UnknownRecipient { addresses: Vec<String> },
    #[error("the form has no mail in any of the fields email, body-mime, message, mime, raw")]
    NoMail,
    #[error("{0} is not taken: post the raw mail, or a form with it")]
    WrongType(&'static str),
    #[error("{0}")]
    Unfit(#[from] Unfit),
    #[error("the mail is larger than the limit of {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
    #[error("the body broke off")]
    BrokenOff,
    #[error("the body did not come in time")]
    TooSlow,
    #[error("too many mails are being taken at once: try again later")]
    Busy,
    #[error("the desk cannot take mail now: try again later")]
    Store(#[from] StoreError),
}

impl Refusal {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Refusal::NoToken => (StatusCode::UNAUTHORIZED, "no_token"),
            Refusal::WrongToken => (StatusCode::UNAUTHORIZED, "wrong_token"),
            Refusal::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Refusal::NoRecipient => (StatusCode::BAD_REQUEST, "no_recipient"),
            Refusal::Malformed { .. } => (StatusCode::BAD_REQUEST, "malformed_address"),
            Refusal::TooManyRecipients { .. } => (StatusCode::BAD_REQUEST, "too_many_recipients"),
            Refusal::UnknownRecipient { .. } => (StatusCode::NOT_FOUND, "unknown_recipient"),
            Refusal::NoMail | Refusal::Unfit(Unfit::Empty | Unfit::NotMail | Unfit::NoKnownField) => {
                (StatusCode::BAD_REQUEST, "no_mail")
            }
            Refusal::WrongType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_type"),
            Refusal::TooLarge { .. } | Refusal::Unfit(Unfit::TooLarge { .. }) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large")
            }
            Refusal::BrokenOff => (StatusCode::BAD_REQUEST, "broken_off"),
            Refusal::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
            Refusal::Busy => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            Refusal::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    fn header(&self) -> Option<(HeaderName, &'static str)> {
        match self {
            Refusal::NoToken | Refusal::WrongToken => {
                Some((header::WWW_AUTHENTICATE, "Bearer, Basic realm=\"guichet\""))
            }
            Refusal::Busy | Refusal::Store(_) => Some((header::RETRY_AFTER, RETRY_AFTER)),
            _ => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Refusal::Store(error) = &self {
            tracing::warn!(%error, "A mail was not taken: the client is asked to try again");
        }
        let (status, word) = self.status();
        let body = Json(json!({"error": word, "description": self.to_string()}));
        let mut response = (status, body).into_response();
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, header::HeaderValue::from_static(value));
        }
        response
    }
}
