//! Standard output: aligned tables for people, one JSON value for programs.

use std::io::{self, Write};

use serde_json::Value;

use crate::failure::{Failure, Result};

/// The greatest width of a table's cell; the last column is never cut.
const CELL_MAX: usize = 48;

/// Where a command's answer goes and in which form.
pub(crate) struct Output<W: Write> {
    to: W,
    as_json: bool,
}

impl Output<io::StdoutLock<'static>> {
    /// Standard output.
    #[must_use]
    pub(crate) fn standard(as_json: bool) -> Self {
        Output { to: io::stdout().lock(), as_json }
    }
}

impl<W: Write> Output<W> {
    /// Whether JSON is wanted.
    #[must_use]
    pub(crate) fn is_json(&self) -> bool {
        self.as_json
    }

    /// Prints one answer: the value to programs, the lines to people.
    ///
    /// # Errors
    /// When nobody reads it.
    pub(crate) fn answer(&mut self, value: &Value, lines: &str) -> Result<()> {
        let text = if self.as_json { value.to_string() } else { lines.trim_end().to_owned() };
        wrote(writeln!(self.to, "{text}").and_then(|()| self.to.flush()))
    }

    /// Begins a list with the heads of its columns.
    ///
    /// # Errors
    /// As [`Output::answer`].
    pub(crate) fn list<'o>(&'o mut self, heads: &[&str]) -> Result<List<'o, W>> {
        if self.as_json {
            wrote(write!(self.to, "["))?;
        }
        let heads = heads.iter().map(|head| (*head).to_owned()).collect();
        Ok(List { output: self, rows: vec![heads], count: 0 })
    }
}

/// A list being printed. Programs get each row at once; people get an aligned table at the end.
pub(crate) struct List<'o, W: Write> {
    output: &'o mut Output<W>,
    rows: Vec<Vec<String>>,
    count: usize,
}

impl<W: Write> List<'_, W> {
    /// Adds a row in both its forms.
    ///
    /// # Errors
    /// As [`Output::answer`].
    pub(crate) fn row(&mut self, value: &Value, cells: impl IntoIterator<Item = String>) -> Result<()> {
        self.count += 1;
        if self.output.as_json {
            let before = if self.count == 1 { "\n" } else { ",\n" };
            return wrote(write!(self.output.to, "{before}{value}"));
        }
        self.rows.push(cells.into_iter().map(|cell| one_line(&cell)).collect());
        Ok(())
    }

    /// Ends the list; people are told when it is empty.
    ///
    /// # Errors
    /// As [`Output::answer`].
    pub(crate) fn end(self, when_empty: &str) -> Result<()> {
        let text = match (self.output.as_json, self.count) {
            (true, 0) => "]\n".to_owned(),
            (true, _) => "\n]\n".to_owned(),
            (false, 0) => format!("{when_empty}\n"),
            (false, _) => table(&self.rows),
        };
        wrote(write!(self.output.to, "{text}").and_then(|()| self.output.to.flush()))
    }
}

/// A sender's control characters must not reach the terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Text of several lines without the control characters that could steer a terminal.
#[must_use]
pub(crate) fn tame(text: &str) -> String {
    text.chars().filter(|letter| *letter == '\n' || !letter.is_control()).collect()
}

/// A count and its noun, which takes an s unless there is exactly one.
#[must_use]
pub(crate) fn counted(count: impl ToString, word: &str) -> String {
    let count = count.to_string();
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {word}{plural}")
}

/// Rows as aligned columns with two spaces between them; the first row is the head.
#[must_use]
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count().min(CELL_MAX)).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if place + 1 == row.len() {
                line.push_str(cell);
            } else {
                line.push_str(&format!("{:<width$}  ", cut(cell)));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn cut(cell: &str) -> String {
    if cell.chars().count() <= CELL_MAX {
        return cell.to_owned();
    }
    cell.chars().take(CELL_MAX - 1).chain(['…']).collect()
}

fn wrote(result: io::Result<()>) -> Result<()> {
    match result {
        Ok(()) => Ok(()),
        // The reader has seen enough (`| head`): nothing failed, and there is nothing more to say.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::of("the answer could not be printed", &error)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(as_json: bool, rows: &[(Value, [&str; 2])]) -> String {
        let mut output = Output { to: Vec::new(), as_json };
        let mut list = output.list(&["NUMBER", "SUBJECT"]).unwrap();
        for (value, cells) in rows {
            list.row(value, cells.map(str::to_owned)).unwrap();
        }
        list.end("No tickets.").unwrap();
        String::from_utf8(output.to).unwrap()
    }

    #[test]
    fn lists_are_tables_for_people_and_one_array_for_programs() {
        let rows = [
            (json!({"number": 1}), ["1", "A lamp\u{1b}[2J"]),
            (json!({"number": 1000}), ["1000", "Two lamps"]),
        ];
        assert_eq!(printed(false, &rows), "NUMBER  SUBJECT\n1       A lamp [2J\n1000    Two lamps\n");
        assert_eq!(printed(true, &rows), "[\n{\"number\":1},\n{\"number\":1000}\n]\n");
        assert_eq!(
            (printed(false, &[]), printed(true, &[])),
            ("No tickets.\n".to_owned(), "[]\n".to_owned())
        );
    }

    #[test]
    fn one_is_no_plural() {
        for (count, want) in [(0, "0 mails"), (1, "1 mail"), (2, "2 mails"), (21, "21 mails")] {
            assert_eq!(counted(count, "mail"), want);
        }
    }

    #[test]
    fn long_cells_are_cut_but_not_the_last_one() {
        let long = "x".repeat(CELL_MAX + 1);
        let text = table(&[vec![long.clone(), long.clone()]]);
        assert_eq!(text, format!("{}…  {long}\n", "x".repeat(CELL_MAX - 1)));
    }
}
