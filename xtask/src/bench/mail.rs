//! `cargo xtask bench mail`: what understanding one mail costs, step by step, and that the cost of hostile mails grows
//! no faster than their size. Everything runs in this process on one thread: no database, no socket. The decision is
//! made on empty facts.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use desk::account::{Account, Brand};
use desk::clock::Millis;
use desk::envelope::{Door, Envelope};
use desk::facts::Facts;
use desk::id::{AccountId, BrandId, MailId};
use desk::inbound::Inbound;
use desk::setting::Settings;
use desk::signed::SigningKeys;
use desk::verdict::decide;
use mail::{Letter, forward, language, reply};

use super::figures::ms;
use super::hostile::{self, Hostile};
use crate::load::mails::{Mix, Recipe, Sample};
use crate::load::sender::quantile;

/// A moment long after every mail.
const NOW: Millis = Millis(4_000_000_000_000);

/// What `cargo xtask bench mail` takes.
#[derive(Debug, Args)]
pub struct MailArgs {
    /// How many mails the generated sample has.
    #[arg(long, default_value_t = 2_000)]
    mails: usize,
    /// How often every mail is read; the fastest time counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// A folder; every file in it or below is read as a mail too.
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Leave the hostile mails out.
    #[arg(long)]
    no_hostile: bool,
}

/// Measures and prints.
///
/// # Errors
/// When the folder cannot be read or holds no file.
pub fn run(arguments: &MailArgs) -> Result<()> {
    let recipe = Recipe {
        count: arguments.mails,
        seed: 1,
        tag: 1,
        supports: vec!["support@desk.invalid".to_owned()],
        mix: Mix::Desk,
    };
    let sample: Vec<Vec<u8>> =
        Sample::make(&recipe).mails.iter().map(|mail| mail.raw().into_owned()).collect();
    print_steps("made sample", &sample, arguments.rounds)?;
    if let Some(root) = &arguments.corpus {
        print_steps(&root.display().to_string(), &files(root)?, arguments.rounds)?;
    }
    if !arguments.no_hostile {
        print_hostile();
    }
    Ok(())
}

/// What is done with a mail; the parse includes the two steps after it, which are also shown on their own.
const STEPS: [&str; 5] =
    ["parse, all of it", "of that reply text", "of that forwarded", "language", "verdict"];

/// The account and keys a decision needs.
struct Scene {
    account: Account,
    keys: SigningKeys,
}

impl Scene {
    fn new() -> Result<Self> {
        let brand = Brand {
            id: BrandId(1),
            name: "Desk".into(),
            subdomain: "desk".into(),
            native_host: "desk.invalid".into(),
            is_default: true,
        };
        let account = Account::new(
            AccountId(1),
            "desk".into(),
            "Desk".into(),
            Settings::default(),
            vec![brand],
            vec![],
        );
        Ok(Self { account, keys: SigningKeys::new(vec![[7; 32]]).context("there is no key")? })
    }

    /// The time of every step for one mail.
    fn times(&self, raw: &[u8]) -> [Duration; STEPS.len()] {
        let start = Instant::now();
        let letter = black_box(Letter::parse(black_box(raw)));
        let parsed = Instant::now();
        black_box(reply::of_text(&letter.text));
        let answered = Instant::now();
        black_box(forward::original(&letter.text, &letter.subject));
        let forwarded = Instant::now();
        black_box(language::detect(&letter.text));
        let told = Instant::now();
        self.decide(&letter);
        let decided = Instant::now();
        [parsed - start, answered - parsed, forwarded - answered, told - forwarded, decided - told]
    }

    fn decide(&self, letter: &Letter) {
        let envelope = Envelope {
            door: Door::Smtp,
            client: String::new(),
            helo: String::new(),
            mail_from: letter.from.first().map(|mailbox| mailbox.address.clone()),
            recipients: vec!["support@desk.invalid".into()],
            trusted: false,
            tls: false,
        };
        let inbound = Inbound::new(MailId(1), NOW, &envelope, letter);
        black_box(decide(&self.account, &self.keys, &Facts::default(), &inbound));
    }
}

/// Prints mean, median and 99th percentile of every step, and the mean per 10 KB.
fn print_steps(name: &str, mails: &[Vec<u8>], rounds: usize) -> Result<()> {
    let scene = Scene::new()?;
    let mut steps: [Vec<Duration>; STEPS.len()] = Default::default();
    for raw in mails {
        let mut best = [Duration::MAX; STEPS.len()];
        for _ in 0..rounds.max(1) {
            for (best, time) in best.iter_mut().zip(scene.times(raw)) {
                *best = time.min(*best);
            }
        }
        for (step, time) in steps.iter_mut().zip(best) {
            step.push(time);
        }
    }
    let octets: usize = mails.iter().map(Vec::len).sum();
    println!("{name}: {} mails, mean {} octets", mails.len(), octets / mails.len().max(1));
    println!("{:<22} {:>10} {:>10} {:>10} {:>14}", "step", "mean ms", "p50 ms", "p99 ms", "ms per 10 KB");
    let mut whole = Duration::ZERO;
    for (step, times) in STEPS.iter().zip(&mut steps) {
        times.sort_unstable();
        let sum: Duration = times.iter().sum();
        whole += sum;
        let p50 = ms(quantile(times, 0.5));
        let p99 = ms(quantile(times, 0.99));
        println!(
            "{step:<22} {:>10.4} {p50:>10.4} {p99:>10.4} {:>14.4}",
            mean(sum, mails.len()),
            mean(sum, octets) * 10_240.0
        );
    }
    println!(
        "{:<22} {:>10.4} {:>32} {:>3.4}\n",
        "all",
        mean(whole, mails.len()),
        "",
        mean(whole, octets) * 10_240.0
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a count of mails or octets")]
fn mean(sum: Duration, count: usize) -> f64 {
    ms(sum) / count.max(1) as f64
}

/// Every file below a folder, in the order of their names.
fn files(root: &Path) -> Result<Vec<Vec<u8>>> {
    let mut folders = vec![root.to_path_buf()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
        let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?);
            }
        }
    }
    if found.is_empty() {
        bail!("{} holds no file", root.display());
    }
    Ok(found)
}

/// Prints what hostile mails cost compared with a tenth of each: a ratio near ten is linear.
fn print_hostile() {
    println!(
        "{:<26} {:>10} {:>10} {:>10} {:>7} {:>12}",
        "hostile mail", "octets", "a tenth ms", "whole ms", "ratio", "peak MB more"
    );
    for Hostile { name, count, make } in hostile::MAILS {
        let small = make(count / 10);
        let whole = make(*count);
        let tenth = ms(understood(&small));
        let before = memory::reset();
        let time = ms(understood(&whole));
        let peak = before
            .and_then(memory::peak_above)
            .map_or_else(|| "?".to_owned(), |kilobytes| (kilobytes / 1_024).to_string());
        println!(
            "{name:<26} {:>10} {tenth:>10.2} {time:>10.2} {:>7.1} {peak:>12}",
            whole.len(),
            time / tenth
        );
    }
}

/// The best time of three for everything that is done with one mail except the verdict.
fn understood(raw: &[u8]) -> Duration {
    let once = || {
        let start = Instant::now();
        let letter = Letter::parse(black_box(raw));
        black_box(language::detect(&letter.text));
        start.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap_or_default()
}

/// The memory of this process as Linux counts it.
mod memory {
    use std::fs;

    /// Resets the peak; the memory in use, in kilobytes. `None` where the system does not say.
    pub(super) fn reset() -> Option<u64> {
        fs::write("/proc/self/clear_refs", "5").ok()?;
        value("VmRSS:")
    }

    /// How far the peak is above what was in use, in kilobytes.
    pub(super) fn peak_above(before: u64) -> Option<u64> {
        value("VmHWM:").map(|peak| peak.saturating_sub(before))
    }

    fn value(name: &str) -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
    }
}
