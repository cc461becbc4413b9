//! `guichet check`: reads the configuration and reports every problem at once.

use serde_json::{Value, json};

use crate::cli::{Check, Common};
use crate::config::Out;
use crate::config::load::{Given, Reading, read};
use crate::config::problem::{Problem, Problems};
use crate::config::reference;
use crate::failure::{Failure, Result};
use crate::open::sources;
use crate::output::{Output, counted};

/// Runs `check`.
pub(super) fn run(common: &Common, check: &Check) -> Result<()> {
    let mut output = Output::standard(common.json);
    if check.reference {
        return output.answer(&Value::from(reference::page()), &reference::page());
    }
    let reading = read(&sources(common));
    let is_good = reading.problems.is_empty();
    if is_good || common.json {
        output.answer(&as_json(&reading), &summary(&reading))?;
    }
    if is_good {
        return Ok(());
    }
    let what = format!("the configuration has {}", counted(reading.problems.len(), "problem"));
    let why = Problems(reading.problems).to_string();
    Err(Failure::new(what, why, "see docs/configuration.md, or `guichet check --reference`"))
}

fn summary(reading: &Reading) -> String {
    let Reading { config, data, file, given, .. } = reading;
    let file = file.as_ref().map_or_else(|| "none; defaults".to_owned(), |path| path.display().to_string());
    let checked = match given.len() {
        0 => "nothing is set: every value is the default".to_owned(),
        count => format!("{}, the others are defaults", counted(count, "value")),
    };
    let mut lines = vec![
        "The configuration is good.".to_owned(),
        format!("  file       {file}"),
        format!("  data       {}", data.display()),
        format!("  domain     {}", config.mail.domain),
        format!("  way out    {}", way_out(&config.delivery.relay)),
        format!("  checked    {checked}"),
    ];
    lines.extend(given.iter().map(|given| {
        let Given { origin, key, value, is_last } = given;
        let over = if *is_last { "" } else { ", set again below" };
        format!("    {key} = {value} ({origin}{over})")
    }));
    lines.join("\n")
}

fn way_out(relay: &Out) -> String {
    match relay {
        Out::Waits => "none: mail waits in the outbox until delivery.relay is set".to_owned(),
        Out::Relay(relay) => relay.to_string(),
        Out::Direct => "direct to mail exchangers".to_owned(),
    }
}

/// What was read, and what was found in it.
fn as_json(reading: &Reading) -> Value {
    let Reading { config, data, file, given, problems } = reading;
    let finding = |given: &Given| {
        let wrong = problems.iter().any(|problem| problem.key == given.key && problem.origin == given.origin);
        json!({
            "origin": given.origin, "key": given.key, "value": given.value, "ok": !wrong, "in_force": given.is_last && !wrong,
        })
    };
    json!({
        "ok": problems.is_empty(),
        "file": file.as_ref().map(|path| path.display().to_string()),
        "data": data.display().to_string(),
        "domain": config.mail.domain,
        "way_out": way_out(&config.delivery.relay),
        "checked": given.iter().map(finding).collect::<Vec<_>>(),
        "problems": problems.iter().map(problem).collect::<Vec<_>>(),
    })
}

fn problem(problem: &Problem) -> Value {
    json!({
        "origin": problem.origin,
        "key": problem.key,
        "value": problem.value,
        "reason": problem.reason,
        "example": problem.example,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::Sources;

    fn reading(file: &str, flags: &[&str]) -> Reading {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guichet.toml");
        std::fs::write(&path, file).unwrap();
        let environment = vec![("GUICHET_SMTP__LISTEN".to_owned(), "127.0.0.1:2526".to_owned())];
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        read(&Sources { file: Some(path), data: Some("/srv/desk".into()), environment, flags })
    }

    #[test]
    fn programs_are_told_what_was_checked() {
        let file =
            "[smtp]\nlisten = \"127.0.0.1:2525\"\n[delivery]\nrelay = \"smtp://u:hush@mail.example.com\"\n";
        let value = as_json(&reading(file, &["limits.recipients=many", "limits.recipents=5"]));
        assert_eq!((&value["ok"], &value["data"]), (&json!(false), &json!("/srv/desk")));
        assert!(value["file"].as_str().unwrap().ends_with("guichet.toml"), "{value}");
        let checked: Vec<(&str, &str, bool, bool)> = value["checked"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["key"].as_str().unwrap(),
                    one["value"].as_str().unwrap(),
                    one["ok"] == true,
                    one["in_force"] == true,
                )
            })
            .collect();
        assert_eq!(
            checked,
            [
                ("delivery.relay", "(hidden)", true, true),
                ("smtp.listen", "\"127.0.0.1:2525\"", true, false),
                ("smtp.listen", "\"127.0.0.1:2526\"", true, true),
                ("limits.recipients", "\"many\"", false, false),
                ("limits.recipents", "(hidden)", false, false),
            ]
        );
        assert_eq!(value["problems"].as_array().unwrap().len(), 2);
        assert!(!value.to_string().contains("hush"), "{value}");
    }

    #[test]
    fn people_are_told_what_was_checked() {
        let text = summary(&reading("[mail]\ndomain = \"desk.example.com\"\n", &[]));
        for line in [
            "  data       /srv/desk",
            "  domain     desk.example.com",
            "  checked    2 values, the others are defaults",
            "    smtp.listen = \"127.0.0.1:2526\" (environment GUICHET_SMTP__LISTEN)",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
