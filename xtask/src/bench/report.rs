//! Prints the figures as tables, with the ratios between product, floor and Postfix, and the aims next to what was
//! measured.

use std::fmt::Write;

use super::figures::{Disk, Figures, GUICHET, Served, ratio};

mod beside;

const MEGABYTE: f64 = 1_048_576.0;

/// What a database is meant to reach on two processors that it shares with the sender.
struct Aims {
    database: &'static str,
    rate: f64,
    cpu_ms: f64,
    times_postfix: f64,
}

const AIMS: [Aims; 2] = [
    Aims { database: "sqlite", rate: 3_000.0, cpu_ms: 0.35, times_postfix: 8.0 },
    Aims { database: "postgres", rate: 1_500.0, cpu_ms: 0.9, times_postfix: 4.0 },
];

/// All tables as text.
pub(crate) fn text(figures: &Figures) -> String {
    let mut out = String::new();
    for (name, value) in &figures.machine {
        line(&mut out, &format!("{name:<22} {value}"));
    }
    let (count, mean) = figures.sample;
    line(&mut out, &format!("{:<22} {count} mails, mean {mean} bytes\n", "sample"));
    floors(&mut out, figures);
    served(&mut out, figures);
    for disk in &figures.disk {
        let share = ratio(to_f64(disk.grown_bytes), to_f64(disk.raw_bytes));
        let name = format!("{} {} {}", disk.what, disk.database, disk.with);
        let grown = to_f64(disk.grown_bytes) / MEGABYTE;
        let raw = to_f64(disk.raw_bytes) / MEGABYTE;
        let vacuumed = disk.vacuumed_bytes.map(|bytes| ratio(to_f64(bytes), to_f64(disk.raw_bytes)));
        let vacuumed = vacuumed.map(|share| format!("; {share:.2} once vacuumed")).unwrap_or_default();
        line(
            &mut out,
            &format!("disk {name:<34} {grown:>8.1} MB for {raw:.1} MB of raw mail: {share:.2}{vacuumed}"),
        );
    }
    flat(&mut out, figures);
    beside::ratios(&mut out, figures);
    aims(&mut out, figures);
    out
}

/// The rows of the measured program, without those of an older one.
fn ours(figures: &Figures) -> impl Iterator<Item = &Served> {
    figures.guichet.iter().filter(|row| row.what == GUICHET)
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}", text.trim_end());
}

fn floors(out: &mut String, figures: &Figures) {
    if let Some(parsing) = &figures.parsing {
        line(
            out,
            &format!("parsing alone          {:>8.0} mails/s {:>8.3} ms CPU", parsing.rate, parsing.cpu_ms),
        );
    }
    for floor in &figures.floors {
        let name = format!("floor {} × {}", floor.what, floor.group);
        line(out, &format!("{name:<22} {:>8.0} mails/s {:>8.3} ms CPU", floor.rate, floor.cpu_ms));
    }
    line(out, "");
}

fn served(out: &mut String, figures: &Figures) {
    let head = [
        "conns", "to 250/s", "done/s", "CPU ms", "of db", "sender", "250 p50", "p99", "done p50", "p99",
        "idle MB", "peak MB",
    ];
    let head: String = head.iter().map(|title| format!("{title:>9}")).collect();
    line(out, &format!("{:<28}{head}  floor×1  floor×n  floor  Postfix  its p50", ""));
    for row in figures.postfix.iter().chain(&figures.guichet) {
        let name = format!("{} {} {}", row.what, row.database, row.with);
        line(out, &format!("{name:<28}{}{}", cells(row), ratios(figures, row)));
        for complaint in &row.complaints {
            line(out, &format!("    {} × 4xx, and: {complaint}", row.deferred));
        }
    }
    line(
        out,
        "floor×1, ×n: done/s by the bare loop's with one mail, with as many mails as connections in a transaction;",
    );
    line(
        out,
        "floor: by its best. Postfix: done/s by its done/s at as many connections; its p50: of the waits for 250.\n",
    );
}

fn cells(row: &Served) -> String {
    let (p50, p99) = row.accept_ms;
    let done =
        |pick: fn((f64, f64)) -> f64| row.done_ms.map_or("-".to_owned(), |both| format!("{:.2}", pick(both)));
    let memory = |bytes: u64| {
        if bytes == 0 { "-".to_owned() } else { format!("{:.0}", to_f64(bytes) / MEGABYTE) }
    };
    [
        row.connections.to_string(),
        format!("{:.0}", row.rate_accepted),
        format!("{:.0}", row.rate_done),
        format!("{:.3}", row.cpu_ms),
        format!("{:.3}", row.database_cpu_ms),
        format!("{:.3}", row.sender_cpu_ms),
        format!("{p50:.2}"),
        format!("{p99:.2}"),
        done(|both| both.0),
        done(|both| both.1),
        memory(row.idle_bytes),
        memory(row.peak_bytes),
    ]
    .iter()
    .map(|cell| format!("{cell:>9}"))
    .collect()
}

fn ratios(figures: &Figures, row: &Served) -> String {
    if row.what == "postfix" {
        return String::new();
    }
    let single = ratio(row.rate_done, floor_rate(figures, &row.database, 1));
    let same = ratio(row.rate_done, floor_rate(figures, &row.database, row.connections));
    let best = ratio(row.rate_done, best_floor(figures, &row.database));
    let postfix = figures.postfix.iter().find(|other| other.connections == row.connections);
    let times = postfix.map_or(0.0, |other| ratio(row.rate_done, other.rate_done));
    let p50 = postfix.map_or(0.0, |other| ratio(row.accept_ms.0, other.accept_ms.0));
    format!("{single:>9.2}{same:>9.2}{best:>7.2}{times:>9.1}{p50:>9.2}")
}

/// The bare loop's rate with `group` mails a transaction; 0 when that was not measured.
fn floor_rate(figures: &Figures, database: &str, group: usize) -> f64 {
    let mut floors = figures.floors.iter().filter(|floor| floor.what == database);
    floors.find(|floor| floor.group == group).map_or(0.0, |floor| floor.rate)
}

fn best_floor(figures: &Figures, database: &str) -> f64 {
    figures.floors.iter().filter(|floor| floor.what == database).map(|floor| floor.rate).fold(0.0, f64::max)
}

/// Each flat case compared with the plain one of the same run: 1 means that having the rows costs nothing.
fn flat(out: &mut String, figures: &Figures) {
    for row in ours(figures).filter(|row| !row.with.is_empty()) {
        let is_plain = |other: &&Served| {
            other.with.is_empty() && other.database == row.database && other.connections == row.connections
        };
        let Some(plain) = ours(figures).find(is_plain) else { continue };
        line(
            out,
            &format!(
                "flat {} {} at {} connections, by the plain case: done/s {:.2}, CPU a mail {:.2}, p50 to 250 {:.2}",
                row.database,
                row.with,
                row.connections,
                ratio(row.rate_done, plain.rate_done),
                ratio(row.cpu_ms, plain.cpu_ms),
                ratio(row.accept_ms.0, plain.accept_ms.0)
            ),
        );
    }
}

/// One line per aim and database: the aim, what was measured, and whether the aim is met.
fn aims(out: &mut String, figures: &Figures) {
    for aim in &AIMS {
        let rows: Vec<&Served> = ours(figures).filter(|row| row.database == aim.database).collect();
        let Some(best) = rows
            .iter()
            .filter(|row| row.with.is_empty())
            .max_by(|one, other| one.rate_done.total_cmp(&other.rate_done))
        else {
            continue;
        };
        line(
            out,
            &format!("\naims on {} (best of the plain runs: {} connections)", aim.database, best.connections),
        );
        at_least(out, "mails/s to the ticket", aim.rate, best.rate_done);
        at_most(out, "CPU ms a mail", aim.cpu_ms, best.cpu_ms);
        at_least(
            out,
            "of the bare loop, one mail a transaction",
            0.5,
            ratio(best.rate_done, floor_rate(figures, aim.database, 1)),
        );
        let postfix = figures.postfix.iter().map(|row| row.rate_done).fold(0.0, f64::max);
        at_least(out, "times Postfix's best", aim.times_postfix, ratio(best.rate_done, postfix));
        let single = |row: &&Served| row.connections == 1;
        if let Some((ours, theirs)) =
            rows.iter().copied().find(|row| single(row)).zip(figures.postfix.iter().find(single))
        {
            at_most(
                out,
                "of Postfix's p50 to 250 at 1 connection",
                0.4,
                ratio(ours.accept_ms.0, theirs.accept_ms.0),
            );
        }
        let is_ours = |disk: &&Disk| disk.what == GUICHET && disk.database == aim.database;
        for disk in figures.disk.iter().filter(is_ours) {
            at_most(
                out,
                &format!("disk by raw bytes {}", disk.with),
                1.0,
                ratio(to_f64(disk.grown_bytes), to_f64(disk.raw_bytes)),
            );
        }
        let most = |pick: fn(&Served) -> u64| {
            rows.iter().map(|row| to_f64(pick(row)) / MEGABYTE).fold(0.0, f64::max)
        };
        at_most(out, "MB resident, idle", 60.0, most(|row| row.idle_bytes));
        at_most(out, "MB resident, peak under load", 200.0, most(|row| row.peak_bytes));
    }
}

fn at_least(out: &mut String, what: &str, aim: f64, found: f64) {
    let verdict = if found >= aim { "met" } else { "MISSED" };
    line(out, &format!("  {what:<42} ≥ {aim:<8} {found:>9.2}  {verdict}"));
}

fn at_most(out: &mut String, what: &str, aim: f64, found: f64) {
    let verdict = if found <= aim { "met" } else { "MISSED" };
    line(out, &format!("  {what:<42} ≤ {aim:<8} {found:>9.2}  {verdict}"));
}

#[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2⁵² bytes")]
fn to_f64(bytes: u64) -> f64 {
    bytes as f64
}
