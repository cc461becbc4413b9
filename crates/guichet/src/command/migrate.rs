//! `guichet migrate`: creates the database or brings its tables up to date.

use serde_json::json;

use crate::cli::Common;
use crate::failure::Result;
use crate::open;
use crate::output::{Output, counted};

/// Runs `migrate`.
pub(super) fn run(common: &Common) -> Result<()> {
    let loaded = open::configuration(common)?;
    let store = open::open_store(&loaded)?;
    let ran = open::migrate(&store)?;
    store.close();
    let numbers: Vec<String> = ran.iter().map(ToString::to_string).collect();
    let lines = match ran.len() {
        0 => "Nothing to do: the tables are up to date.".to_owned(),
        count => format!("Ran {}: {}.", counted(count, "migration"), numbers.join(", ")),
    };
    Output::standard(common.json).answer(&json!({"migrations": ran}), &lines)
}
