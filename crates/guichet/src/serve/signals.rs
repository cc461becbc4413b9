//! SIGTERM and SIGINT: the first asks the desk to stop in an orderly way, the second ends it at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels the token at the first signal. Must be called inside a runtime.
///
/// # Errors
/// When the operating system refuses.
pub(crate) fn listen(stop: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        next(&mut terminate, &mut interrupt).await;
        stop.cancel();
        next(&mut terminate, &mut interrupt).await;
        tracing::warn!("Asked twice: ending at once; unfinished work is done after the next start");
        std::process::exit(130);
    });
    Ok(())
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
