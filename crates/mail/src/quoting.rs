//! What mail programs write around a message that somebody quotes or forwards: lines, marks, words in all
//! languages, subject prefixes. Shared by [`crate::reply`], [`crate::forward`] and `nature`; decides nothing.

pub(crate) mod line;
pub(crate) mod mark;
pub(crate) mod subject;
pub(crate) mod words;
