//! `guichet check`: reads the configuration and tells every problem at once.

use serde_json::{Value, json};

use crate::cli::{Check, Common};
use crate::config::Loaded;
use crate::config::load::load;
use crate::config::problem::Problem;
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
    match load(&sources(common)) {
        Ok(loaded) => output.answer(&json!({"ok": true, "problems": []}), &summary(&loaded)),
        Err(problems) => {
            let count = problems.0.len();
            let value = json!({"ok": false, "problems": problems.0.iter().map(as_json).collect::<Vec<_>>()});
            if common.json {
                output.answer(&value, "")?;
            }
            let what = format!("the configuration has {}", counted(count, "problem"));
            Err(Failure::new(what, problems.to_string(), "see docs/configuration.md, or `guichet check --reference`"))
        }
    }
}

fn summary(loaded: &Loaded) -> String {
    let file = loaded.file.as_ref().map_or_else(|| "none; defaults".to_owned(), |path| path.display().to_string());
    let out = match &loaded.config.delivery.relay {
        crate::config::Out::Waits => "none: mail waits in the outbox until delivery.relay is set".to_owned(),
        crate::config::Out::Relay(relay) => relay.to_string(),
        crate::config::Out::Direct => "direct to mail exchangers".to_owned(),
    };
    format!(
        "The configuration is good.\n  file       {file}\n  data       {}\n  domain     {}\n  way out    {out}",
        loaded.data.display(),
        loaded.config.mail.domain
    )
}

fn as_json(problem: &Problem) -> Value {
    json!({
        "origin": problem.origin,
        "key": problem.key,
        "value": problem.value,
        "reason": problem.reason,
        "example": problem.example,
    })
}
