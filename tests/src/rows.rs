//! What a desk shows of tickets, ledger and outbox, waited for.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::desk::Desk;

impl Desk {
    /// The ticket with this number and its comments, as soon as there is one.
    ///
    /// # Errors
    /// When there is none in time.
    pub fn ticket(&self, number: u64) -> Result<Value> {
        self.wait(&format!("ticket {number}"), || {
            let known = self.list(&["ticket", "list"])?.iter().any(|ticket| ticket["number"] == number);
            if known { self.run(&["ticket", "show", &number.to_string()]).map(Some) } else { Ok(None) }
        })
    }

    /// The comments of a ticket, as soon as there are `count`.
    ///
    /// # Errors
    /// When there are fewer in time, or more.
    pub fn comments(&self, number: u64, count: usize) -> Result<Vec<Value>> {
        let comments = self.wait(&format!("{count} comments on ticket {number}"), || {
            let comments = self
                .ticket(number)?
                .get("comments")
                .and_then(Value::as_array)
                .cloned()
                .context("a ticket has comments")?;
            Ok((comments.len() >= count).then_some(comments))
        })?;
        ensure!(comments.len() == count, "{} comments instead of {count}: {comments:?}", comments.len());
        Ok(comments)
    }

    /// The ledger's rows of mails that came in, oldest first, as soon as `count` are decided.
    ///
    /// # Errors
    /// When there are fewer in time, or more.
    pub fn decided(&self, count: usize) -> Result<Vec<Value>> {
        let rows = self.wait(&format!("{count} decided mails"), || {
            let mut rows = self.list(&["ledger", "list"])?;
            rows.retain(|row| row["direction"] == "in");
            rows.reverse();
            Ok((rows.len() >= count && rows.iter().all(|row| !row["outcome"].is_null())).then_some(rows))
        })?;
        ensure!(rows.len() == count, "{} mails in the ledger instead of {count}: {rows:?}", rows.len());
        Ok(rows)
    }

    /// The outbox rows, as soon as there are `count` and all are in `state`.
    ///
    /// # Errors
    /// When that does not happen in time; the error shows the rows.
    pub fn outbox(&self, count: usize, state: &str) -> Result<Vec<Value>> {
        let mut last = Vec::new();
        let found = self.wait(&format!("{count} outbox rows {state}"), || {
            last = self.list(&["outbox", "list"])?;
            Ok((last.len() == count && last.iter().all(|row| row["state"] == state)).then_some(()))
        });
        found.with_context(|| format!("{last:?}"))?;
        Ok(last)
    }
}
