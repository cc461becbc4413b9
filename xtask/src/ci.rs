//! `cargo xtask ci`: what every change must pass, cheap checks first.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{cargo, dependencies, lint, test, tidy};

/// What the checks need from the toolchain besides cargo, with the rustup component that has it.
const TOOLS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// What a step does; it reports its own findings.
type Check = fn() -> Result<()>;

/// The checks in their order; the last one is the README's test command.
const STEPS: [(&str, Check); 6] = [
    ("formatting", lint::formatting),
    ("tidy", tidy::run),
    ("dependencies", dependencies::run),
    ("lints", lint::clippy),
    ("documentation", lint::documentation),
    ("tests", test::all),
];

/// Runs all checks up to the first one that fails, and says what each took.
///
/// # Errors
/// When a tool is missing or a check failed.
pub(crate) fn run() -> Result<()> {
    ensure_installed()?;
    let mut times = Vec::new();
    for (name, check) in STEPS {
        println!("xtask: {name}");
        let start = Instant::now();
        let result = check();
        times.push((name, start.elapsed()));
        if let Err(error) = result {
            println!("{}", table(&times));
            return Err(error.context(format!("{name} failed")));
        }
    }
    println!("{}\nxtask: everything passed", table(&times));
    Ok(())
}

/// Fails early and says what to install: cargo's own words come minutes later.
fn ensure_installed() -> Result<()> {
    for (tool, component) in TOOLS {
        cargo::output(&[tool, "--version"]).with_context(|| {
            format!("cargo {tool} is missing, please install it: rustup component add {component}")
        })?;
    }
    if cfg!(not(target_os = "linux")) {
        bail!("the tests need Linux");
    }
    Ok(())
}

/// What each check took, one a line, and all of them together.
fn table(times: &[(&str, Duration)]) -> String {
    let total = ("together", times.iter().map(|(_, time)| *time).sum());
    let rows = times.iter().chain([&total]);
    rows.map(|(name, time)| format!("xtask: {name:<14}{:>7}", minutes(*time))).collect::<Vec<_>>().join("\n")
}

/// `3:07` for 187 seconds.
fn minutes(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::table;

    #[test]
    fn times_stand_in_columns() {
        let times = [("formatting", Duration::from_millis(1_999)), ("tests", Duration::from_secs(661))];
        let want = "xtask: formatting       0:01\nxtask: tests           11:01\nxtask: together        11:02";
        assert_eq!(table(&times), want);
    }
}
