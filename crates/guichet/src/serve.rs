//! `guichet serve`: opens the rooms, lets them work side by side, and stops them in an orderly way.
//! Rooms never call each other here either: they share the store and meet in its tables. `parts` says what runs in
//! which role, `running` starts and stops it.

mod descriptors;
mod door;
mod lock;
mod logging;
mod node;
mod parts;
mod running;
mod signals;
mod tls;

use std::time::Duration;

use serde_json::json;
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::cli::Common;
use crate::config::Loaded;
use crate::failure::{Doing as _, Result};
use crate::http::setup;
use crate::open;
use crate::output::Output;

pub(crate) use door::limits;
pub(crate) use lock::is_running;
pub(crate) use node::holder;
pub(crate) use running::Started;
pub(crate) use signals::listen as listen_for_signals;

use running::{PAGES_WITHIN, Running};

/// How long the database may take to finish work in hand, after everything else.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Runs `serve`.
///
/// # Errors
/// When it cannot start, or a part of it ended that should not have.
pub(crate) fn run(common: &Common) -> Result<()> {
    let loaded = open::configuration(common)?;
    keep_serving(&loaded, async |started| {
        if started.engine.store().read_now(store::account::has_any).await.is_ok_and(|has_any| !has_any) {
            invite(&started, loaded.config.hostname(), common.json);
        }
        Ok(())
    })
}

/// Tells an operator without an account how to create one; the set-up link is shown only here.
fn invite(started: &Started, hostname: &str, as_json: bool) {
    const COMMAND: &str = "guichet account create SUBDOMAIN --admin EMAIL";
    let Some(http) = started.http else {
        tracing::warn!("There is no account yet: create one with `{COMMAND}`; nothing needs a restart");
        return;
    };
    let link = setup::link(http, hostname, &started.setup.open());
    let lines = format!(
        "There is no account yet. Create one on this page, which works once:\n\n  {link}\n\nOr with: {COMMAND}"
    );
    // The log says it too.
    let _ = Output::standard(as_json).answer(&json!({"setup_link": link}), &lines);
    tracing::warn!(
        "There is no account yet: create one at {link} or with `{COMMAND}`; nothing needs a restart"
    );
}

/// Starts the desk, does something with it, and goes on until it is told to stop.
///
/// # Errors
/// As [`run`], and what `then` says.
pub(crate) fn keep_serving(loaded: &Loaded, then: impl AsyncFnOnce(Started) -> Result<()>) -> Result<()> {
    logging::start(&loaded.config.log);
    // Fails only when it is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    descriptors::raise(&loaded.config);
    let _lock = lock::take(loaded)?;
    let store = open::serving_store(loaded)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .doing("the program could not start its runtime")?;
    let ended = runtime.block_on(async {
        store.check_blobs().await.doing("blobs.url cannot be used")?;
        let stop = CancellationToken::new();
        signals::listen(stop.clone()).doing("signals cannot be handled")?;
        let running = Running::start(loaded, &store, stop.clone()).await?;
        let done = tokio::select! {
            done = then(running.started.clone()) => done,
            () = stop.cancelled() => Ok(()),
        };
        if done.is_err() {
            stop.cancel();
        }
        running.until_stopped().await.and(done)
    });
    runtime.shutdown_timeout(PAGES_WITHIN);
    if !close(store, CLOSE_WITHIN) {
        let seconds = CLOSE_WITHIN.as_secs();
        tracing::warn!(
            "The database does not answer: abandoned after {seconds} s; unfinished work is done after the next start"
        );
    }
    ended
}

/// Closes the store, and says whether that finished in time. It waits for commits, which a hanging server never
/// answers, and signals are no longer heard.
fn close(store: Store, within: Duration) -> bool {
    let (tell, told) = std::sync::mpsc::channel();
    let closing = std::thread::Builder::new().name("closing".into()).spawn(move || {
        store.close();
        // Dropped here as well: dropping the last handle may wait again.
        drop(store);
        let _ = tell.send(());
    });
    closing.is_ok() && told.recv_timeout(within).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_database_that_hangs_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Config::default().store_options(folder.path())).unwrap();
        let (let_go, hangs) = std::sync::mpsc::channel::<()>();
        let (begin, begun) = std::sync::mpsc::channel();
        let hanging = std::sync::Mutex::new(hangs);
        let writer = store.clone();
        let writing = std::thread::spawn(move || {
            writer.write_blocking(move |_| {
                let _ = begin.send(());
                let _ = hanging.lock().unwrap().recv();
                Ok(())
            })
        });
        begun.recv().unwrap();
        assert!(!close(store.clone(), Duration::ZERO));
        drop(let_go);
        writing.join().unwrap().unwrap();
        assert!(close(store, Duration::MAX), "it is waited for when it answers");
    }
}
