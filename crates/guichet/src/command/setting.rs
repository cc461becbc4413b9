//! `guichet setting`: shows and changes an account's settings.

mod form;

use desk::comment::DELIMITER;
use desk::setting::Settings;
use engine::admin::SettingError;
use serde_json::{Map, Value, json};

use super::Session;
use crate::cli;
use crate::failure::{Doing as _, Failure, Result};

/// How much of a value an error shows, in characters.
const SHOWN_CHARACTERS: usize = 60;

/// Runs `setting …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Setting) -> Result<()> {
    let id = session.account().await?;
    let engine = session.engine().await?;
    if let cli::Setting::Set { key, value } = command {
        let wanted = key.clone();
        let given = value.clone();
        let change = move |settings: &Settings| changed(settings, &wanted, &given);
        let settings =
            engine.change_settings(id, change).await.map_err(|error| refused(key, value, error))?;
        let now = as_map(&settings)?.remove(key).unwrap_or_default();
        let said = format!("{key} is {}.", spoken(&now, session.in_force(key, &now).as_ref(), " now"));
        return session.output().answer(&json!({key: now}), &said);
    }
    let account = engine.account(id).await.doing("the account cannot be read")?;
    let all = as_map(&account.settings)?;
    match command {
        cli::Setting::Get { key: Some(key) } => show(session, &all, key),
        cli::Setting::Get { key: None } if session.common.json => {
            session.output().answer(&Value::Object(all), "")
        }
        _ => list(session, &all),
    }
}

/// What applies where a setting is left open.
#[derive(Debug, Clone, PartialEq)]
struct InForce {
    value: Value,
    from: &'static str,
}

impl Session<'_> {
    /// What is in force for a setting whose value leaves that open; none when its value is.
    fn in_force(&self, key: &str, value: &Value) -> Option<InForce> {
        in_force(key, value, self.loaded.config.limits.sender_per_hour)
    }
}

fn in_force(key: &str, value: &Value, sender_per_hour: u32) -> Option<InForce> {
    match key {
        "sender_per_hour" if *value == 0 => Some(InForce {
            value: sender_per_hour.into(),
            from: "limits.sender_per_hour of the installation",
        }),
        "delimiter" if *value == "" => Some(InForce { value: DELIMITER.into(), from: "the built-in line" }),
        _ => None,
    }
}

/// A value, and what is in force instead of it.
fn spoken(value: &Value, in_force: Option<&InForce>, now: &str) -> String {
    let Some(InForce { value: counts, from }) = in_force else { return format!("{value}{now}") };
    let off = if *counts == 0 { ": it is off" } else { "" };
    format!("{value}{now}; in force is {counts}, from {from}{off}")
}

fn show(session: &Session<'_>, all: &Map<String, Value>, key: &str) -> Result<()> {
    let value = all.get(key).ok_or_else(|| unknown(key, all))?;
    let in_force = session.in_force(key, value);
    let mut answer = json!({key: value});
    if let (Some(in_force), Some(object)) = (&in_force, answer.as_object_mut()) {
        object.insert("in_force".into(), in_force.value.clone());
        object.insert("from".into(), in_force.from.into());
    }
    session.output().answer(&answer, &spoken(value, in_force.as_ref(), ""))
}

/// Lists every setting: its value, what is in force and where that comes from.
fn list(session: &Session<'_>, all: &Map<String, Value>) -> Result<()> {
    let defaults = as_map(&Settings::default())?;
    let mut output = session.output();
    let mut list = output.list(&["SETTING", "VALUE", "IN FORCE", "FROM", "ALLOWED"])?;
    for (key, value) in all {
        let own = if defaults.get(key) == Some(value) { "the default" } else { "this account" };
        let InForce { value: counts, from } =
            session.in_force(key, value).unwrap_or_else(|| InForce { value: value.clone(), from: own });
        let (allowed, example) = form::of(key).map_or(("", ""), |form| (form.allowed, form.example));
        let row = json!({
            "key": key, "value": value, "in_force": counts, "from": from, "default": defaults.get(key), "allowed": allowed,
            "example": example,
        });
        list.row(
            &row,
            [key.clone(), value.to_string(), counts.to_string(), from.to_owned(), allowed.to_owned()],
        )?;
    }
    list.end("There are no settings.")
}

fn as_map(settings: &Settings) -> Result<Map<String, Value>> {
    match serde_json::to_value(settings).doing("the settings cannot be shown")? {
        Value::Object(map) => Ok(map),
        other => Err(Failure::new("the settings cannot be shown", format!("they are {other}"), "")),
    }
}

fn unknown(key: &str, all: &Map<String, Value>) -> Failure {
    let known: Vec<&str> = all.keys().map(String::as_str).collect();
    let next = format!("the settings are {}; see `guichet setting list`", known.join(", "));
    Failure::new("nothing was changed or shown", format!("there is no setting {key:?}"), next)
}

/// Settings with one value changed; the new value is read as the type that the present one has.
fn changed(settings: &Settings, key: &str, value: &str) -> Result<Settings> {
    let all = as_map(settings)?;
    let read = match all.get(key).ok_or_else(|| unknown(key, &all))? {
        Value::Bool(_) => value.trim().parse().ok().map(Value::Bool),
        Value::Number(_) => value.trim().parse::<u32>().ok().map(Value::from),
        _ => Some(Value::String(value.to_owned())),
    };
    // The words of a choice are known only to the settings.
    let changed = read.and_then(|read| settings.with(key, read).ok());
    changed.ok_or_else(|| wrong(key, value, "it is not one of the allowed values"))
}

/// The failure for a value that is not allowed, or a store that failed.
fn refused(key: &str, value: &str, error: SettingError<Failure>) -> Failure {
    match error {
        SettingError::Change(failure) => failure,
        SettingError::Value(why) => wrong(key, value, &why.to_string()),
        SettingError::Store(error) => Failure::of(format!("{key} was not changed"), &error),
    }
}

fn wrong(key: &str, value: &str, why: &str) -> Failure {
    let mut shown: String = value.chars().take(SHOWN_CHARACTERS).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    let next = form::of(key).map_or_else(String::new, |form| {
        let example = if form.example.contains([' ', '*']) {
            format!("'{}'", form.example)
        } else {
            form.example.to_owned()
        };
        format!("allowed: {}; for example: guichet setting set {key} {example}", form.allowed)
    });
    Failure::new(format!("{key} was not changed"), format!("{shown:?} was given: {why}"), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, value: &str) -> Result<Settings> {
        let settings = changed(&Settings::default(), key, value)?;
        let checked = settings.check().map_err(|refusal| refused(key, value, SettingError::Value(refusal)));
        checked.map(|()| settings)
    }

    #[test]
    fn every_example_is_taken() {
        for key in as_map(&Settings::default()).unwrap().keys() {
            let example = form::of(key).unwrap().example;
            assert!(set(key, example).is_ok(), "{key} {example}: {:?}", set(key, example));
        }
    }

    #[test]
    fn a_value_that_cannot_be_is_told_with_what_is_allowed() {
        struct Case {
            key: &'static str,
            value: &'static str,
            why: &'static str,
            next: &'static str,
        }

        for Case { key, value, why, next } in [
            Case {
                key: "wildcard",
                value: "yes",
                why: "\"yes\" was given",
                next: "allowed: true or false; for example: guichet setting set wildcard true",
            },
            Case {
                key: "addresses_max",
                value: "-1",
                why: "\"-1\" was given",
                next: "allowed: a whole number from 0 to 4294967295; for example",
            },
            Case {
                key: "sender_per_hour",
                value: "4294967296",
                why: "\"4294967296\" was given",
                next: "allowed: a whole number from 0 to 4294967295",
            },
            Case {
                key: "agent_mail",
                value: "all",
                why: "\"all\" was given: it is not one of the allowed values",
                next: "allowed: authenticated or any",
            },
            Case {
                key: "suspended_notification",
                value: "",
                why: "\"\" was given",
                next: "allowed: never, hourly, daily or weekly",
            },
            Case {
                key: "allowlist",
                value: "foo:a@x.example",
                why: "allowlist: \"foo:a@x.example\": only suspend:",
                next: "allowed: addresses and hosts",
            },
            Case {
                key: "delimiter",
                value: "short",
                why: "has 5",
                next: "allowed: one line of 20 to 65 characters",
            },
            Case {
                key: "languages",
                value: " ",
                why: "at least one language tag",
                next: "guichet setting set languages 'en fr pt-BR'",
            },
        ] {
            let failure = set(key, value).unwrap_err();
            assert_eq!(failure.what, format!("{key} was not changed"));
            assert!(failure.why.contains(why), "{key}={value}: {}", failure.why);
            assert!(failure.next.contains(next), "{key}={value}: {}", failure.next);
        }
        let failure = set("wildcrad", "true").unwrap_err();
        assert!(failure.next.starts_with("the settings are acknowledge, addresses_max"), "{failure:?}");
        assert!(set("blocklist", &"a ".repeat(9_000)).unwrap_err().why.chars().count() < 300);
    }

    #[test]
    fn a_value_that_leaves_it_open_says_what_is_in_force() {
        struct Case {
            key: &'static str,
            value: Value,
            installed: u32,
            want: &'static str,
        }
        fn usual() -> Case {
            Case { key: "", value: json!(0), installed: 20, want: "" }
        }

        for Case { key, value, installed, want } in [
            Case {
                key: "sender_per_hour",
                value: json!(0),
                want: "0; in force is 20, from limits.sender_per_hour of the installation",
                ..usual()
            },
            Case {
                key: "sender_per_hour",
                value: json!(0),
                installed: 0,
                want: "0; in force is 0, from limits.sender_per_hour of the installation: it is off",
            },
            Case { key: "sender_per_hour", value: json!(5), want: "5", ..usual() },
            Case { key: "wildcard", value: json!(true), want: "true", ..usual() },
        ] {
            assert_eq!(spoken(&value, in_force(key, &value, installed).as_ref(), ""), want, "{key}");
        }
        assert_eq!(in_force("delimiter", &json!(""), 20).unwrap().value, DELIMITER);
        assert_eq!(in_force("delimiter", &json!("an own line of some length"), 20), None);
    }
}
