//! The measured program compared with an older one that took turns with it: one ratio for each kind of row.

use super::line;
use crate::bench::figures::{BESIDE, Figures, GUICHET, Served, ratio};

/// By how much a row may be worse than the older program's.
const TOLERANCE: f64 = 0.05;

/// What makes rows comparable: database, what the desk held, connections.
type Kind<'a> = (&'a str, &'a str, usize);

/// Medians over all rounds, new to old; nothing if there is no older program.
pub(super) fn ratios(out: &mut String, figures: &Figures) {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for row in figures.guichet.iter().filter(|row| row.what == BESIDE) {
        if !kinds.contains(&kind(row)) {
            kinds.push(kind(row));
        }
    }
    for one in kinds {
        let (database, with, connections) = one;
        let of = |pick: fn(&Served) -> f64| {
            ratio(median(figures, GUICHET, one, pick), median(figures, BESIDE, one, pick))
        };
        let rate = of(|row| row.rate_done);
        let cpu = of(|row| row.cpu_ms);
        let verdict = if rate >= 1.0 - TOLERANCE && cpu <= 1.0 + TOLERANCE { "kept" } else { "WORSE" };
        let name = format!("{database} {with} × {connections}");
        line(
            out,
            &format!(
                "new to old, {name:<28} done/s {rate:.2}, CPU a mail {cpu:.2}, p50 to 250 {:.2}, p99 {:.2}  {verdict}",
                of(|row| row.accept_ms.0),
                of(|row| row.accept_ms.1)
            ),
        );
    }
}

fn kind(row: &Served) -> Kind<'_> {
    (row.database.as_str(), row.with.as_str(), row.connections)
}

/// The middle value of a program's rows of one kind; of an even number, the lower of the two in the middle.
fn median(figures: &Figures, what: &str, of: Kind<'_>, pick: fn(&Served) -> f64) -> f64 {
    let rows = figures.guichet.iter().filter(|row| row.what == what && kind(row) == of);
    let mut values: Vec<f64> = rows.map(pick).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{BESIDE, Figures, GUICHET, Served, ratios};

    fn row(what: &str, connections: usize, rate_done: f64) -> Served {
        Served {
            what: what.to_owned(),
            database: "sqlite".to_owned(),
            with: String::new(),
            connections,
            accepted: 1,
            rate_accepted: rate_done,
            rate_done,
            cpu_ms: 1.0,
            database_cpu_ms: 0.0,
            sender_cpu_ms: 0.0,
            accept_ms: (1.0, 2.0),
            done_ms: None,
            idle_bytes: 0,
            peak_bytes: 0,
            deferred: 0,
            complaints: Vec::new(),
        }
    }

    #[test]
    fn medians_of_the_rounds_are_compared_row_by_row() {
        let pace = |what, rates: [f64; 3]| rates.map(|rate| row(what, 10, rate));
        let guichet = [pace(BESIDE, [100.0, 90.0, 500.0]), pace(GUICHET, [80.0, 110.0, 90.0])].concat();
        let mut out = String::new();
        ratios(&mut out, &Figures { guichet, ..Figures::default() });
        assert!(
            out.contains("sqlite  × 10") && out.contains("done/s 0.90") && out.contains("WORSE"),
            "{out}"
        );
        let alone = Figures { guichet: vec![row(GUICHET, 10, 1.0)], ..Figures::default() };
        let mut out = String::new();
        ratios(&mut out, &alone);
        assert_eq!(out, "");
    }
}
