//! A case on a desk of its own, on each database.

use engine::EngineOptions;
use testkit::database::both;

use crate::test_desk::TestDesk;

/// Runs a case on a desk of its own on each database; the case must leave no mail undecided.
///
/// # Panics
/// When the case does, or leaves mail undecided.
pub async fn on_both(options: EngineOptions, case: impl AsyncFn(&TestDesk)) {
    for database in both() {
        println!("on {}", database.engine);
        let desk = TestDesk::new(database, options.clone()).await;
        case(&desk).await;
        let account = desk.account;
        assert_eq!(
            desk.read(move |tx| store::spool::count(&mut tx.account(account))).await,
            0,
            "mail was left undecided"
        );
    }
}
