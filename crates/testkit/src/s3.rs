//! An object store of a test's own: one bucket in memory that speaks as much of S3 as a desk asks.
//!
//! It wants a signature (AWS4-HMAC-SHA256) of a known key on every request, whose digest it does not work out, and a body
//! whose length and SHA-256 are declared. Other requests are refused with the codes of S3.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The bucket there is.
pub const BUCKET: &str = "mails";
/// The key whose signature is taken.
pub const KEY_ID: &str = "AKTEST";
/// The largest object.
const OBJECT_OCTETS: usize = 64 << 20;
/// When every object was written: long ago, so that a sweep may take it.
const WRITTEN: &str = "2020-01-01T00:00:00.000Z";

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// A bucket on a loopback port; it ends when it is dropped.
#[derive(Debug)]
pub struct ObjectServer {
    /// Where it listens.
    pub address: SocketAddr,
    objects: Objects,
    _runtime: Runtime,
}

impl ObjectServer {
    /// Starts an empty bucket.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> Result<ObjectServer> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let (address, objects) = (listener.local_addr()?, Objects::default());
        let service = Router::new().fallback(answer).with_state(Arc::clone(&objects));
        runtime.spawn(async move { axum::serve(listener, service).await });
        Ok(ObjectServer { address, objects, _runtime: runtime })
    }

    /// The variables with which a desk finds and may use it, as `NAME=VALUE`.
    #[must_use]
    pub fn environment(&self) -> [String; 5] {
        [
            format!("AWS_ENDPOINT_URL=http://{}", self.address),
            "AWS_ALLOW_HTTP=true".to_owned(),
            "AWS_REGION=test-1".to_owned(),
            format!("AWS_ACCESS_KEY_ID={KEY_ID}"),
            "AWS_SECRET_ACCESS_KEY=secret".to_owned(),
        ]
    }

    /// The keys of all objects, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

async fn answer(State(objects): State<Objects>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(refusal) = refusal(&parts.headers) {
        return refusal;
    }
    let path = parts.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket != BUCKET {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    let Ok(body) = axum::body::to_bytes(body, OBJECT_OCTETS).await else {
        return error(StatusCode::BAD_REQUEST, "EntityTooLarge");
    };
    let mut objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
    match (parts.method, key) {
        (Method::GET, "") => list(&objects, parts.uri.query().unwrap_or_default()),
        (Method::PUT, key) => {
            objects.insert(key.to_owned(), body);
            ([(header::ETAG, "\"x\"")], "").into_response()
        }
        (Method::DELETE, key) => {
            objects.remove(key);
            StatusCode::NO_CONTENT.into_response()
        }
        // HEAD has the same header; the server leaves the body out.
        (Method::GET | Method::HEAD, key) => match objects.get(key) {
            Some(bytes) => found(bytes.clone()),
            None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

/// What S3 refuses before it looks at the request.
fn refusal(headers: &HeaderMap) -> Option<Response> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = text("authorization");
    let is_ours = signed.starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/"));
    if !is_ours || !signed.contains("Signature=") || text("x-amz-date").is_empty() {
        return Some(error(StatusCode::FORBIDDEN, "SignatureDoesNotMatch"));
    }
    let digest = text("x-amz-content-sha256");
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!is_digest).then(|| error(StatusCode::BAD_REQUEST, "MissingContentSHA256"))
}

fn found(bytes: Bytes) -> Response {
    ([(header::ETAG, "\"x\""), (header::LAST_MODIFIED, "Wed, 01 Jan 2020 00:00:00 GMT")], bytes)
        .into_response()
}

/// ListObjectsV2, all on one page.
fn list(objects: &BTreeMap<String, Bytes>, query: &str) -> Response {
    let prefix = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("prefix="))
        .unwrap_or_default()
        .replace("%2F", "/");
    let entries: String = objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix))
        .map(|(key, bytes)| {
            let size = bytes.len();
            format!(
                "<Contents><Key>{key}</Key><LastModified>{WRITTEN}</LastModified><ETag>\"x\"</ETag><Size>{size}</Size></Contents>"
            )
        })
        .collect();
    let page = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>");
    ([(header::CONTENT_TYPE, "application/xml")], page).into_response()
}

fn error(status: StatusCode, code: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>refused by the test</Message></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}
