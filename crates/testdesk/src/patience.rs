//! Waits for what others do, without a sleep of a guessed length.

use std::time::Duration;

/// How long anything may take before a test says that it does not happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Polls until a condition holds.
///
/// # Panics
/// When it does not hold after a minute.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        while !is_so().await {
            ticks.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "{what}: it does not happen");
}
