//! The connections of the pages: counted, and none kept for a client that says nothing.
//!
//! `axum::serve` has neither bound, and connections that ask for nothing would take the descriptors that mail needs.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How much of the desk clients may take up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Connections at once; the next waits until one ends.
    pub(crate) connections: usize,
    /// How long the head of a request may take, counted from the connection or the previous request.
    pub(crate) head_within: Duration,
    /// How long a connection may be used for new requests.
    pub(crate) used_for: Duration,
    /// How long the last request may take after that; more than the body of a posted mail may.
    pub(crate) last_within: Duration,
}

/// The limits of a running desk.
pub(crate) const BOUNDS: Bounds = Bounds {
    connections: 512,
    head_within: Duration::from_secs(10),
    used_for: Duration::from_secs(600),
    last_within: Duration::from_secs(180),
};

/// Serves connections until told to stop; requests in hand are finished.
pub(super) async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stop: &CancellationToken) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            taken = take(&listener, &places) => match taken {
                Ok((stream, peer, place)) => {
                    let one = serve_one(stream, peer, router.clone(), bounds, stop.clone());
                    connections.spawn(async move {
                        one.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, mostly: the ones in use must end first.
                    tracing::warn!(%error, "Cannot accept a connection to the pages");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            () = stop.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// The next connection, once there is a slot for it: until then the operating system keeps it waiting.
async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

async fn serve_one(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    });
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(bounds.head_within);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // A client that went away or did not speak HTTP is nobody's concern.
        _ = connection.as_mut() => return,
        () = tokio::time::sleep(bounds.used_for) => {}
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(bounds.last_within, connection).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinHandle;

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);
    const PATIENT: Bounds = Bounds { connections: 2, head_within: LONG, used_for: LONG, last_within: LONG };
    const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: desk\r\n\r\n";

    struct Served {
        address: SocketAddr,
        stop: CancellationToken,
        task: JoinHandle<()>,
    }

    async fn served(bounds: Bounds) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new()
            .route("/", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }));
        let theirs = stop.clone();
        let task = tokio::spawn(async move { serve(listener, router, bounds, &theirs).await });
        Served { address, stop, task }
    }

    impl Served {
        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        async fn end(self) {
            self.stop.cancel();
            self.task.await.unwrap();
        }
    }

    /// Sends a request and reads the answer, which is the client's own address.
    async fn ask(client: &mut TcpStream) {
        client.write_all(ASK).await.unwrap();
        hear(client).await;
    }

    async fn hear(client: &mut TcpStream) {
        let wanted = format!("\r\n\r\n{}", client.local_addr().unwrap());
        let mut heard = String::new();
        while !heard.ends_with(&wanted) {
            let mut part = [0; 1_024];
            let length = client.read(&mut part).await.unwrap();
            assert!(length > 0, "closed after {heard:?}");
            heard.push_str(std::str::from_utf8(&part[..length]).unwrap());
        }
    }

    #[tokio::test]
    async fn one_connection_more_than_there_may_be_waits_for_a_place() {
        let served = served(PATIENT).await;
        let (mut first, mut second, mut third) =
            (served.connect().await, served.connect().await, served.connect().await);
        ask(&mut first).await;
        ask(&mut second).await;
        third.write_all(ASK).await.unwrap();
        for _ in 0..10 {
            ask(&mut first).await;
        }
        assert_eq!(third.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        drop(second);
        hear(&mut third).await;
        served.end().await;
    }

    #[tokio::test]
    async fn a_connection_that_asks_for_nothing_is_closed() {
        let served = served(Bounds { head_within: Duration::from_millis(20), ..PATIENT }).await;
        for sent in ["", "GET / HTTP/1.1\r\nHost: d"] {
            let mut idle = served.connect().await;
            idle.write_all(sent.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            idle.read_to_end(&mut answer).await.unwrap();
        }
        served.end().await;
    }

    #[tokio::test]
    async fn a_connection_is_not_used_for_ever() {
        let served = served(Bounds { used_for: Duration::from_millis(20), ..PATIENT }).await;
        let mut client = served.connect().await;
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        served.end().await;
    }

    #[tokio::test]
    async fn a_stop_closes_what_asks_for_nothing() {
        let served = served(PATIENT).await;
        let mut client = served.connect().await;
        ask(&mut client).await;
        served.end().await;
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
    }
}
