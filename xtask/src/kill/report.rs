//! The result of a scene: counts over all its acts, and a sentence for each thing that was wrong.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::check::{Counts, check};
use super::evidence::Evidence;

/// How many sentences of an act an error repeats: one fault is often found in many mails.
const SHOWN: usize = 12;

/// Grows act by act; prints each act's result at once.
#[derive(Debug, Default)]
pub(super) struct Report {
    counts: Counts,
    /// How much was wrong in all acts.
    wrong: usize,
    /// The first sentences of each act.
    sentences: Vec<String>,
}

impl Report {
    /// Adds an act: what the checks find in its evidence, and its own complaints.
    pub(super) fn add(&mut self, act: &str, evidence: &Evidence, complaints: Vec<String>) {
        let (counts, mut wrong) = check(evidence);
        wrong.extend(complaints);
        let verdict = if wrong.is_empty() { "right".to_owned() } else { format!("{} WRONG", wrong.len()) };
        println!("  {act}: {verdict}{}; {counts}", longest_wait(evidence));
        self.counts.add(&counts);
        self.wrong = self.wrong.saturating_add(wrong.len());
        self.sentences.extend(wrong.iter().take(SHOWN).map(|sentence| format!("{act}: {sentence}")));
    }

    /// The counts of the whole scene.
    ///
    /// # Errors
    /// When something was wrong, with the first sentences.
    pub(super) fn end(self, scene: &str) -> Result<Counts> {
        if self.wrong == 0 {
            return Ok(self.counts);
        }
        bail!("{scene}: {} wrong counts ({}):\n{}", self.wrong, self.counts, self.sentences.join("\n"))
    }
}

/// The longest time from a 250 to a decision that was seen, no matter who was idle meanwhile.
fn longest_wait(evidence: &Evidence) -> String {
    let Some(timed) = &evidence.timed else { return String::new() };
    let wait = |message_id: &str, heard: Instant| {
        timed.decided.get(message_id).map(|decided| decided.saturating_duration_since(heard))
    };
    let waits = evidence.posted.iter().filter_map(|mail| wait(&mail.message_id, mail.heard?.at));
    let longest: Option<Duration> = waits.max();
    longest.map(|longest| format!(", decided within {longest:.1?}")).unwrap_or_default()
}
