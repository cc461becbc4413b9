//! The pages for an operator's tools: `/`, which names them, `/healthz`, `/readyz` and `/metrics`; next to them the
//! set-up page and the hooks.

mod connections;
mod gauges;
mod metrics;
pub(crate) mod setup;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use store::{Store, StoreError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use connections::BOUNDS;
pub(crate) use gauges::{Depths, depths};

/// How long the database may take to answer before the desk counts as not ready.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long an answer of the database stays valid: many requests cost it one question.
const ANSWER_GOOD_FOR: Duration = Duration::from_secs(1);
/// How often old samples of the histograms are folded.
const UPKEEP: Duration = Duration::from_secs(5);

/// What the pages show.
#[derive(Debug)]
pub(crate) struct Pages {
    store: Store,
    is_ready: AtomicBool,
    /// When the database was last asked, and why it cannot be used.
    asked: tokio::sync::Mutex<Option<(Instant, Result<(), String>)>>,
    recorder: PrometheusHandle,
}

impl Pages {
    /// Pages of a desk that is not ready yet. Installs the process's metrics recorder.
    #[must_use]
    pub(crate) fn new(store: Store) -> Pages {
        let is_ready = AtomicBool::new(false);
        let asked = tokio::sync::Mutex::new(None);
        Pages { store, is_ready, asked, recorder: metrics::install() }
    }

    /// Sets whether the doors are open.
    pub(crate) fn set_ready(&self, is_ready: bool) {
        self.is_ready.store(is_ready, Ordering::Release);
    }

    /// Whether this node can take mail and process it ([`Store::check`]), else why not.
    async fn store_is_well(&self) -> Result<(), String> {
        let mut asked = self.asked.lock().await;
        if let Some((at, answer)) = &*asked
            && at.elapsed() < ANSWER_GOOD_FOR
        {
            return answer.clone();
        }
        let answer = ask(&self.store).await;
        *asked = Some((Instant::now(), answer.clone()));
        answer
    }
}

async fn ask(store: &Store) -> Result<(), String> {
    match tokio::time::timeout(ANSWER_WITHIN, store.check()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            let why = public(&error);
            tracing::warn!(%error, "This node is not ready");
            Err(why)
        }
        Err(_) => Err("the database or the place of the blobs does not answer in time".into()),
    }
}

/// Why a node is not ready, for anyone who can reach the page: without names of servers, roles, places or statements.
fn public(error: &StoreError) -> String {
    match error {
        StoreError::Setup(why) if !why.contains("blob") => why.clone(),
        StoreError::Setup(_) | StoreError::Blob { .. } | StoreError::BlobMissing { .. } => {
            "the place of the larger raw mails is empty, cannot be read or is another desk's; run `guichet doctor`".into()
        }
        _ => "the database cannot take work now: it is away, full, read-only, or refuses us; run `guichet doctor`".into(),
    }
}

/// Serves the pages, and what others route, until told to stop; requests in hand are finished.
pub(crate) async fn serve(listener: TcpListener, pages: Arc<Pages>, others: Router, stop: CancellationToken) {
    let upkeep = tokio::spawn(upkeep(pages.recorder.clone()));
    connections::serve(listener, router(pages).merge(others), BOUNDS, &stop).await;
    upkeep.abort();
}

async fn upkeep(recorder: PrometheusHandle) {
    let mut every = tokio::time::interval(UPKEEP);
    loop {
        every.tick().await;
        recorder.run_upkeep();
    }
}

fn router(pages: Arc<Pages>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_page))
        .with_state(pages)
}

/// The page at the address that the log names when the desk is ready.
async fn front() -> &'static str {
    "This is Guichet, a help desk for e-mail; its pages for tools are /healthz, /readyz and /metrics; mail is posted to /hooks/mail.\n"
}

/// The process is up.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: the doors are open, the database answers and can be written, no newer version has closed it to this one
/// meanwhile, and the place of the blobs is ours.
async fn readyz(State(pages): State<Arc<Pages>>) -> Response {
    if !pages.is_ready.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the doors are not open\n").into_response();
    }
    match pages.store_is_well().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// Prometheus text, only for this machine.
async fn metrics_page(
    State(pages): State<Arc<Pages>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    // What a proxy on this machine passes on does not come from this machine.
    let is_handed_on = headers.contains_key(header::FORWARDED) || headers.contains_key("x-forwarded-for");
    if !peer.ip().to_canonical().is_loopback() || is_handed_on {
        return (StatusCode::FORBIDDEN, "metrics are shown only to this machine\n").into_response();
    }
    gauges::refresh(&pages.store).await;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, pages.recorder.render()).into_response()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    use crate::config::Config;
    use store::testing::Sql as _;

    fn store(folder: &tempfile::TempDir) -> Store {
        Store::open(&Config::default().store_options(folder.path())).unwrap()
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    /// The answer to a request for a page.
    async fn get(path: &str, pages: Pages) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listener, Arc::new(pages), Router::new(), stop.clone()));
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        stop.cancel();
        served.await.unwrap();
        answer
    }

    #[test]
    fn the_front_page_names_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let answer = run(get("/", Pages::new(store(&folder))));
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.to_lowercase().contains("\r\ncontent-type: text/plain"), "{answer}");
        assert!(["/healthz", "/readyz", "/metrics"].iter().all(|path| answer.contains(path)), "{answer}");
    }

    #[test]
    fn a_desk_is_ready_while_this_version_may_work_on_its_tables() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let readyz = |is_open: bool| {
            let pages = Pages::new(store.clone());
            pages.set_ready(is_open);
            run(get("/readyz", pages))
        };
        let change = |sql: &'static str| store.write_blocking(move |tx| tx.batch(sql)).unwrap();
        let is_refused =
            |answer: &str, why: &str| answer.starts_with("HTTP/1.1 503 ") && answer.contains(why);
        assert!(is_refused(&readyz(true), "no tables of ours"));
        store.migrate().unwrap();
        assert!(is_refused(&readyz(false), "doors are not open"));
        assert!(readyz(true).starts_with("HTTP/1.1 200 "));
        change(
            "INSERT INTO migrations (number, name, hash, steps, steps_done, compatible_from)
             VALUES (9998, 'added', 'x', 1, 1, 0)",
        );
        assert!(readyz(true).starts_with("HTTP/1.1 200 "));
        change("UPDATE migrations SET compatible_from = 9998 WHERE number = 9998");
        assert!(is_refused(&readyz(true), "only programs that know migration 9998"));
        change("DELETE FROM migrations WHERE number = 9998");
        change("UPDATE migrations SET steps_done = 0 WHERE number = 1");
        assert!(is_refused(&readyz(true), "lacks migration 1"));
    }

    #[test]
    fn many_who_ask_cost_the_database_one_question() {
        let folder = tempfile::tempdir().unwrap();
        let pages = Pages::new(store(&folder));
        run(async {
            let first = pages.store_is_well().await;
            assert!(first.is_err());
            pages
                .store
                .write(|tx| tx.batch("CREATE TABLE migrations (number INTEGER, hash TEXT)"))
                .await
                .unwrap();
            assert_eq!(pages.store_is_well().await, first, "the answer is kept");
            assert_ne!(ask(&pages.store).await, first);
        });
    }
}
