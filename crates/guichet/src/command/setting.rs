//! `guichet setting`: shows and changes an account's settings.

use desk::account::Settings;
use engine::admin::AdminError;
use serde_json::{Map, Value, json};

use super::Session;
use crate::cli;
use crate::failure::{Doing as _, Failure, Result};

/// Runs `setting …`.
pub(super) async fn run(session: &Session<'_>, command: &cli::Setting) -> Result<()> {
    let id = session.account().await?;
    let engine = session.engine().await?;
    match command {
        cli::Setting::Get { key } => {
            let account = engine.account(id).await.doing("the account cannot be read")?;
            show(session, &as_map(&account.settings)?, key.as_deref())
        }
        cli::Setting::Set { key, value } => {
            let (wanted, value) = (key.clone(), value.clone());
            let change = move |settings: &Settings| changed(&mut as_map(settings)?, &wanted, &value);
            let settings = engine.change_settings(id, change).await.doing("the setting was not changed")??;
            let now = as_map(&settings)?.remove(key).unwrap_or_default();
            session.output().answer(&json!({key: now}), &format!("{key} is {now} now."))
        }
    }
}

fn show(session: &Session<'_>, all: &Map<String, Value>, key: Option<&str>) -> Result<()> {
    let Some(key) = key else {
        let rows: Vec<Vec<String>> = all.iter().map(|(key, value)| vec![key.clone(), value.to_string()]).collect();
        return session.output().answer(&Value::Object(all.clone()), &crate::output::table(&rows));
    };
    let value = all.get(key).ok_or_else(|| unknown(key, all))?;
    session.output().answer(&json!({key: value}), &value.to_string())
}

fn as_map(settings: &Settings) -> Result<Map<String, Value>> {
    match serde_json::to_value(settings).doing("the settings cannot be shown")? {
        Value::Object(map) => Ok(map),
        other => Err(Failure::new("the settings cannot be shown", format!("they are {other}"), "")),
    }
}

fn unknown(key: &str, all: &Map<String, Value>) -> Failure {
    let known: Vec<&str> = all.keys().map(String::as_str).collect();
    let error = AdminError::Setting(format!("there is no setting {key:?}; known are {}", known.join(", ")));
    Failure::of("nothing was changed or shown", &error)
}

/// Settings with one value changed; the value is read in the form that the present one has.
fn changed(all: &mut Map<String, Value>, key: &str, value: &str) -> Result<Settings> {
    let Some(present) = all.get_mut(key) else { return Err(unknown(key, all)) };
    let wrong =
        |form: &str| Failure::new("the setting was not changed", format!("{key} cannot be {value:?}"), format!("give it {form}"));
    *present = match &*present {
        Value::Bool(_) => Value::Bool(value.parse().map_err(|_| wrong("true or false"))?),
        Value::Number(_) => Value::from(value.parse::<u32>().map_err(|_| wrong("a whole number"))?),
        _ => Value::String(value.to_owned()),
    };
    serde_json::from_value(Value::Object(all.clone())).doing("the setting was not changed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_in_the_form_they_have() {
        let mut all = as_map(&Settings::default()).unwrap();
        assert!(changed(&mut all, "wildcard", "true").unwrap().wildcard);
        assert_eq!(changed(&mut all, "addresses_max", "5").unwrap().addresses_max, 5);
        for (key, value, want) in [
            ("wildcard", "yes", "give it true or false"),
            ("addresses_max", "-1", "give it a whole number"),
            ("wildcrad", "true", "known are acknowledge, addresses_max, agent_forwarding"),
        ] {
            let next = changed(&mut all, key, value).unwrap_err().next;
            assert!(next.starts_with(want), "{key}={value}: {next}");
        }
    }
}
