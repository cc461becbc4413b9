//! Opens the desk for a command: configuration, database, engine, and which account is meant.

use std::path::Path;

use desk::id::AccountId;
use engine::{Engine, EngineOptions};
use store::{Schema, Store};

use crate::cli::Common;
use crate::clock::SharedClock;
use crate::config::Loaded;
use crate::config::load::{Sources, load};
use crate::failure::{Doing, Failure, Result};

/// Reads the configuration of a command.
///
/// # Errors
/// Every problem in it.
pub(crate) fn configuration(common: &Common) -> Result<Loaded> {
    load(&sources(common)).map_err(|problems| {
        Failure::new(
            "the configuration cannot be used",
            problems.to_string(),
            "correct it; `guichet check` shows every problem",
        )
    })
}

/// Where a command's configuration comes from.
#[must_use]
pub(crate) fn sources(common: &Common) -> Sources {
    // A variable that is not UTF-8 cannot be a setting of ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Sources {
        file: common.config.clone(),
        data: common.data.clone(),
        environment: environment.filter(|(name, _)| name.starts_with("GUICHET_")).collect(),
        flags: common.set.clone(),
    }
}

/// Opens the database for a process that serves: creates it where it is missing, and brings its tables up to date unless
/// `store.migrate` is off. Blocks; call it outside a runtime.
///
/// # Errors
/// When it cannot be reached, might forget commits, lacks tables that may not be created, or is closed to this version.
pub(crate) fn serving_store(loaded: &Loaded) -> Result<Store> {
    let store = open_store(loaded)?;
    if loaded.config.store.migrate {
        migrate(&store)?;
    } else {
        fits(&store)?;
    }
    Ok(store)
}

/// Opens the database for the command that creates the first account: an empty one gets its tables. One that has tables
/// is never changed by a command: others may be working on it (docs/operating.md §12). Blocks; call it outside a
/// runtime.
///
/// # Errors
/// As [`serving_store`].
pub(crate) fn new_or_existing_store(loaded: &Loaded) -> Result<Store> {
    let store = open_store(loaded)?;
    if store.schema().doing(UNREADABLE)? == Schema::Empty {
        migrate(&store)?;
    } else {
        fits(&store)?;
    }
    Ok(store)
}

/// Opens a database that must be there already, with tables for this version. Blocks; call it outside a runtime.
///
/// # Errors
/// When there is no desk yet, and as [`serving_store`].
pub(crate) fn existing_store(loaded: &Loaded) -> Result<Store> {
    if let Some(file) = loaded.config.sqlite_file(&loaded.data)
        && !file.is_file()
    {
        return Err(no_desk(&format!("there is no database {}", file.display()), &loaded.data));
    }
    let store = open_store(loaded)?;
    if store.schema().doing(UNREADABLE)? == Schema::Empty {
        return Err(no_desk("the database has no tables of ours", &loaded.data));
    }
    fits(&store)?;
    Ok(store)
}

const UNREADABLE: &str = "the database cannot be read";

/// Brings the tables up to date and returns the migrations that were run.
///
/// # Errors
/// When a newer version closed the database to this one, or it does not answer.
pub(crate) fn migrate(store: &Store) -> Result<Vec<i64>> {
    store.migrate().doing("the database's tables could not be brought up to date")
}

/// Refuses a database that this version cannot work on as it is.
fn fits(store: &Store) -> Result<()> {
    store.schema().doing(UNREADABLE)?.check().doing("this version cannot work on the database as it is")
}

fn no_desk(why: &str, data: &Path) -> Failure {
    let next =
        "create a desk with `guichet account create SUBDOMAIN --admin EMAIL`, or name its folder with --data";
    Failure::new(format!("there is no desk in {}", data.display()), why, next)
}

/// Opens the database as it is.
///
/// # Errors
/// When it cannot be reached or might forget commits.
pub(crate) fn open_store(loaded: &Loaded) -> Result<Store> {
    Store::open(&loaded.config.store_options(&loaded.data)).doing("the database cannot be opened")
}

/// An engine for a command, on an open store.
///
/// # Errors
/// When the database cannot be used.
pub(crate) async fn engine(store: &Store, loaded: &Loaded) -> Result<Engine> {
    let config = &loaded.config;
    let options = EngineOptions {
        can_deliver: config.can_deliver(),
        sender_per_hour: config.limits.sender_per_hour,
        authenticate: config.authenticate(),
        ..EngineOptions::default()
    };
    Engine::new(store.clone(), options, SharedClock::of(store).await).await.doing("the desk cannot be opened")
}

/// The account a command is about: the one named, else the only one.
///
/// # Errors
/// When there is none, no such one, or one must be named.
pub(crate) async fn account(store: &Store, named: Option<&str>) -> Result<AccountId> {
    let all = store.read_now(store::account::list).await.doing("the accounts cannot be read")?;
    let known = || all.iter().map(|account| account.subdomain.as_str()).collect::<Vec<_>>().join(", ");
    match (named, all.as_slice()) {
        (_, []) => Err(Failure::new(
            "there is no account yet",
            "everything else belongs to one",
            "create one with `guichet account create SUBDOMAIN --admin EMAIL`",
        )),
        (Some(named), all) => {
            let found = all.iter().find(|account| account.subdomain.eq_ignore_ascii_case(named));
            let wrong = || {
                Failure::new(
                    format!("there is no account {named:?}"),
                    format!("the known ones are {}", known()),
                    "name one of them",
                )
            };
            found.map(|account| account.id).ok_or_else(wrong)
        }
        (None, [only]) => Ok(only.id),
        (None, _) => {
            let why = format!("there are several: {}", known());
            Err(Failure::new(
                "it is not clear which account is meant",
                why,
                "name one with --account SUBDOMAIN",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use store::testing::Sql as _;

    use super::*;

    fn loaded(folder: &Path) -> Loaded {
        load(&Sources { data: Some(folder.to_owned()), ..Sources::default() }).unwrap()
    }

    #[test]
    fn a_command_makes_tables_where_there_are_none_and_changes_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut loaded = loaded(folder.path());
        let none = existing_store(&loaded).unwrap_err();
        assert!(none.what.starts_with("there is no desk"), "{none:?}");

        let store = new_or_existing_store(&loaded).unwrap();
        assert_eq!(store.schema().unwrap(), Schema::Ready { newer: vec![] });
        // As if the version that created it had been stopped in the middle.
        let sql = "UPDATE migrations SET steps_done = 0 WHERE number = 1";
        store.write_blocking(move |tx| tx.batch(sql)).unwrap();
        store.close();
        loaded.config.store.migrate = false;
        for (name, open) in [
            ("existing", existing_store as fn(&Loaded) -> Result<Store>),
            ("new or existing", new_or_existing_store),
            ("serving", serving_store),
        ] {
            let refused = open(&loaded).unwrap_err();
            assert!(refused.why.contains("lacks migration 1"), "{name}: {refused:?}");
            assert!(refused.next.contains("guichet migrate"), "{name}: {refused:?}");
        }
    }
}
