//! How far an import has got: a bar on a terminal, a line now and then elsewhere. Both go to standard error.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::counted;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The progress of an import.
pub(super) struct Progress {
    bar: ProgressBar,
    has_bar: bool,
    length: Option<u64>,
    begun: Instant,
    said: Instant,
}

impl Progress {
    /// For a source of `length` bytes or files.
    pub(super) fn new(length: Option<u64>, is_in_bytes: bool) -> Progress {
        let has_bar = std::io::stderr().is_terminal();
        let target = if has_bar { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(length, target);
        let template = match (length, is_in_bytes) {
            (Some(_), true) => "[{bar:30}] {bytes} of {total_bytes}  {msg}  {eta} left",
            (Some(_), false) => "[{bar:30}] {human_pos} of {human_len} files  {msg}  {eta} left",
            (None, _) => "{spinner} {bytes}  {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        let now = Instant::now();
        Progress { bar, has_bar, length, begun: now, said: now }
    }

    /// Notes how far the source has been read, and how many mails were new or already there.
    pub(super) fn at(&mut self, position: u64, imported: u64, already: u64) {
        let rate = per_second(imported + already, self.begun.elapsed());
        self.bar.set_message(format!(
            "{}  {}/s",
            counted(HumanCount(imported + already), "mail"),
            HumanCount(rate)
        ));
        self.bar.set_position(position);
        if !self.has_bar && self.said.elapsed() >= LINE_EVERY {
            self.said = Instant::now();
            eprintln!("{}", self.line(position, imported + already, rate));
        }
    }

    /// Prints a line above the bar.
    pub(super) fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// Removes the bar; returns the seconds the import took.
    pub(super) fn finish(self) -> f64 {
        self.bar.finish_and_clear();
        self.begun.elapsed().as_secs_f64()
    }

    fn line(&self, position: u64, mails: u64, rate: u64) -> String {
        let so_far = format!("{}, {} a second", counted(HumanCount(mails), "mail"), HumanCount(rate));
        match self.length {
            Some(length) if position > 0 && length > 0 => {
                let left = time_left(position, length, self.begun.elapsed());
                format!("{so_far}, {} %, {} left", position.min(length) * 100 / length, HumanDuration(left))
            }
            _ => so_far,
        }
    }
}

fn per_second(count: u64, time: Duration) -> u64 {
    u64::try_from(u128::from(count) * 1_000 / time.as_millis().max(1)).unwrap_or(u64::MAX)
}

/// Estimates the time left from the time that what has been read took.
fn time_left(position: u64, length: u64, time: Duration) -> Duration {
    let left = u128::from(length.saturating_sub(position)) * time.as_millis() / u128::from(position.max(1));
    Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_follow_from_what_was_done() {
        assert_eq!(per_second(3_000, Duration::from_millis(1_500)), 2_000);
        assert_eq!(per_second(7, Duration::ZERO), 7_000);
        assert_eq!(time_left(25, 100, Duration::from_secs(5)), Duration::from_secs(15));
        assert_eq!(time_left(120, 100, Duration::from_secs(5)), Duration::ZERO);
    }

    #[test]
    fn a_line_says_how_far_it_is() {
        let progress = Progress::new(Some(200), false);
        assert!(progress.line(50, 12_345, 678).starts_with("12,345 mails, 678 a second, 25 %, "));
        assert_eq!(Progress::new(None, true).line(50, 5, 6), "5 mails, 6 a second");
    }
}
