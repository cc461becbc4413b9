//! The pages an operator's tools ask: `/` that names them, `/healthz`, `/readyz`, `/metrics`; and the set-up page and the
//! hooks beside them.

mod gauges;
mod metrics;
pub(crate) mod setup;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use gauges::{Depths, depths};

/// How long the database may take to answer before the desk counts as not ready.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How often old samples of the histograms are folded.
const UPKEEP: Duration = Duration::from_secs(5);

/// What the pages show.
#[derive(Debug)]
pub(crate) struct Pages {
    store: Store,
    is_ready: AtomicBool,
    recorder: PrometheusHandle,
}

impl Pages {
    /// Pages of a desk that is not ready yet. Installs the process's metrics recorder.
    #[must_use]
    pub(crate) fn new(store: Store) -> Pages {
        Pages { store, is_ready: AtomicBool::new(false), recorder: metrics::install() }
    }

    /// Tells whether the doors are open.
    pub(crate) fn set_ready(&self, is_ready: bool) {
        self.is_ready.store(is_ready, Ordering::Release);
    }
}

/// Serves the pages, and what others route, until told to stop; requests in hand are finished.
pub(crate) async fn serve(listener: TcpListener, pages: Arc<Pages>, others: Router, stop: CancellationToken) {
    let upkeep = tokio::spawn(upkeep(pages.recorder.clone()));
    let service = router(pages).merge(others).into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await {
        tracing::error!(%error, "Pages are not served any more");
    }
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

/// What stands at the address that the ready line names.
async fn front() -> &'static str {
    "This is Guichet, a help desk for e-mail; its pages for tools are /healthz, /readyz and /metrics; mail is posted to /hooks/mail.\n"
}

/// The process is up.
async fn healthz() -> &'static str {
    "ok\n"
}

/// The doors are open and the database answers. Tables are brought up to date before the doors open.
async fn readyz(State(pages): State<Arc<Pages>>) -> Response {
    if !pages.is_ready.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the doors are not open\n").into_response();
    }
    let asked = pages.store.read(|tx| store::account::version_of(tx, store::account::DIRECTORY));
    match tokio::time::timeout(ANSWER_WITHIN, asked).await {
        Ok(Ok(_)) => "ready\n".into_response(),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer in time\n").into_response(),
    }
}

/// Prometheus text, for this machine alone.
async fn metrics_page(
    State(pages): State<Arc<Pages>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    // What a proxy on this machine hands on does not come from this machine.
    let is_handed_on = headers.contains_key(header::FORWARDED) || headers.contains_key("x-forwarded-for");
    if !peer.ip().to_canonical().is_loopback() || is_handed_on {
        return (StatusCode::FORBIDDEN, "metrics are shown to this machine alone\n").into_response();
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

    #[test]
    fn the_front_page_names_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Config::default().store_options(folder.path())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let stop = CancellationToken::new();
            let served = tokio::spawn(serve(listener, Arc::new(Pages::new(store)), Router::new(), stop.clone()));
            let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            stop.cancel();
            served.await.unwrap();
            answer
        });
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.to_lowercase().contains("\r\ncontent-type: text/plain"), "{answer}");
        assert!(["/healthz", "/readyz", "/metrics"].iter().all(|path| answer.contains(path)), "{answer}");
    }
}
