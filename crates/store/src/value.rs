//! Values that go into statements and rows that come out, the same for both databases.

use std::borrow::Cow;

use desk::clock::Millis;
use desk::id::{
    AccountId, BrandId, CommentId, MailId, OrganizationId, OutboxId, OutgoingId, SupportAddressId, TicketId,
    TokenId, UserId,
};

use crate::StoreError;

/// One bound value. Integers, ids, times (unix milliseconds) and booleans (0/1) are all [`Value::Int`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// TEXT; U+0000 is left out on the way, since PostgreSQL refuses it: no mail may stop its batch by it.
    Text(&'a str),
    /// BLOB or BYTEA.
    Bytes(&'a [u8]),
}

/// The values of a statement, in the order of their numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound<'v> {
    /// `$1` of a statement on one account's data; the others follow it.
    pub(crate) account: Option<AccountId>,
    pub(crate) values: &'v [Value<'v>],
}

impl<'v> Bound<'v> {
    pub(crate) fn len(&self) -> usize {
        usize::from(self.account.is_some()) + self.values.len()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Value<'v>> {
        self.account.map(Value::from).into_iter().chain(self.values.iter().copied())
    }
}

/// The values of one statement that is run for each of many rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'v, const N: usize> {
    /// `$1` for all of them, on one account's data.
    pub(crate) account: Option<AccountId>,
    pub(crate) rows: &'v [[Value<'v>; N]],
}

/// A text as it is stored: without U+0000, which is copied away only where there is one.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}
impl From<Millis> for Value<'_> {
    fn from(time: Millis) -> Self {
        Value::Int(time.0)
    }
}
macro_rules! from_ids {
    ($($id:ident),+ $(,)?) => {
        $(impl From<$id> for Value<'_> {
            fn from(id: $id) -> Self {
                Value::Int(id.0)
            }
        })+
    };
}
from_ids!(
    AccountId,
    BrandId,
    CommentId,
    MailId,
    OrganizationId,
    OutboxId,
    OutgoingId,
    SupportAddressId,
    TicketId,
    TokenId,
    UserId
);
impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Int(i64::from(value))
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Text(value)
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Value::Text(value)
    }
}
impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Value::Bytes(value)
    }
}
impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Value::Bytes(value)
    }
}
impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// The JSON that is kept of a value.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("values of strings and numbers always have a JSON text")
}

/// Values of one type, for an `IN` list.
pub(crate) fn list_of<'a, T: Copy + Into<Value<'a>>>(values: &[T]) -> Vec<Value<'a>> {
    values.iter().map(|value| (*value).into()).collect()
}

/// Builds a row of [`Value`]s from anything that converts into one.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}

/// One value of a result row, owned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// One result row, read from its first column to its last, in the order of the SELECT list.
#[derive(Debug)]
pub struct Row {
    cells: std::vec::IntoIter<Cell>,
    column: usize,
}

impl Row {
    pub(crate) fn new(cells: Vec<Cell>) -> Row {
        Row { cells: cells.into_iter(), column: 0 }
    }

    fn take(&mut self) -> Cell {
        self.column += 1;
        self.cells.next().unwrap_or(Cell::Null)
    }

    fn wrong(&self, wanted: &'static str) -> StoreError {
        StoreError::Row { column: self.column, wanted }
    }

    /// The next column as a non-null integer.
    ///
    /// # Errors
    /// [`StoreError::Row`] when it is NULL or of another type; so for the other readers.
    pub fn int(&mut self) -> Result<i64, StoreError> {
        match self.take() {
            Cell::Int(value) => Ok(value),
            _ => Err(self.wrong("integer")),
        }
    }

    /// The next column as an integer or NULL.
    ///
    /// # Errors
    /// [`StoreError::Row`] when it is of another type.
    pub fn maybe_int(&mut self) -> Result<Option<i64>, StoreError> {
        match self.take() {
            Cell::Int(value) => Ok(Some(value)),
            Cell::Null => Ok(None),
            _ => Err(self.wrong("integer or NULL")),
        }
    }

    /// The next column as a point in time.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn time(&mut self) -> Result<Millis, StoreError> {
        Ok(Millis(self.int()?))
    }

    /// The next column as a point in time or NULL.
    ///
    /// # Errors
    /// As [`Row::maybe_int`].
    pub fn maybe_time(&mut self) -> Result<Option<Millis>, StoreError> {
        Ok(self.maybe_int()?.map(Millis))
    }

    /// The next column as a boolean kept as 0 or 1.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn flag(&mut self) -> Result<bool, StoreError> {
        Ok(self.int()? != 0)
    }

    /// The next column as non-null text.
    ///
    /// # Errors
    /// As [`Row::int`].
    pub fn text(&mut self) -> Result<String, StoreError> {
        match self.take() {
            Cell::Text(value) => Ok(value),
            _ => Err(self.wrong("text")),
        }
    }

    /// The next column as text or NULL.
    ///
    /// # Errors
    /// As [`Row::maybe_int`].
    pub fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.take() {
            Cell::Text(value) => Ok(Some(value)),
            Cell::Null => Ok(None),
            _ => Err(self.wrong("text or NULL")),
        }
    }

    /// The next column as bytes, NULL read as none.
    ///
    /// # Errors
    /// As [`Row::maybe_int`].
    pub fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.take() {
            Cell::Bytes(value) => Ok(Some(value)),
            Cell::Null => Ok(None),
            _ => Err(self.wrong("bytes or NULL")),
        }
    }

    /// The next column as JSON kept in TEXT.
    ///
    /// # Errors
    /// [`StoreError::Row`] when the text is not the JSON wanted.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|_| self.wrong("JSON of the expected shape"))
    }

    /// The next column as one of a desk enum's wire words, or NULL.
    ///
    /// # Errors
    /// As [`Row::word`].
    pub fn maybe_word<T: std::str::FromStr>(&mut self) -> Result<Option<T>, StoreError> {
        let Some(text) = self.maybe_text()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.wrong("a known word or NULL"))
    }

    /// The next column as one of a desk enum's wire words.
    ///
    /// # Errors
    /// [`StoreError::Row`] when the word is unknown, as after a downgrade.
    pub fn word<T: std::str::FromStr>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        text.parse().map_err(|_| self.wrong("a known word"))
    }
}
