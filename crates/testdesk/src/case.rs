//! A case on a desk of its own, on each database.

use engine::EngineOptions;
use testkit::database::both;

use crate::test_desk::TestDesk;

/// Runs a case on a desk of its own on each database, then checks with [`TestDesk::finish`] what the desk is left with.
///
/// # Panics
/// When the case does, or [`TestDesk::finish`].
pub async fn on_both(options: EngineOptions, case: impl AsyncFn(&TestDesk)) {
    for database in both() {
        println!("on {}", database.engine);
        let desk = TestDesk::new(database, options.clone()).await;
        case(&desk).await;
        desk.finish().await;
    }
}
