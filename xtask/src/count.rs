//! Adds up the summary lines of many test suites.

/// How many tests ran, and how.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that were not run.
    pub(crate) ignored: u64,
}

impl Count {
    /// Adds a suite's summary line (`test result: ok. 3 passed; 0 failed; …`); other lines are ignored.
    pub(crate) fn add(&mut self, line: &str) {
        let Some((_, figures)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for figure in figures.split(';') {
            let mut words = figure.split_whitespace();
            let number = words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
            match words.next().unwrap_or_default() {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn summary_lines_are_added_and_others_are_ignored() {
        let mut count = Count::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s",
            "test result: FAILED. 20 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.23s",
            "test mail::reads ... ok",
        ] {
            count.add(line);
        }
        assert_eq!(count, Count { passed: 23, failed: 2, ignored: 1 });
    }
}
