//! Transactions whose closure may refuse: an error of its own kind rolls everything back and reaches the caller as it was.

use std::any::Any;
use std::sync::{Arc, Mutex};

use crate::error::StoreError;
use crate::{Store, Tx};

/// What the database threads are told of a refusal; the caller gets the refusal itself.
const REFUSED: &str = "what the transaction was asked to change";

impl Store {
    /// [`Store::write`] for a closure that may refuse. Whatever error it ends with, nothing is written.
    ///
    /// Where `E` is [`StoreError`] itself this is [`Store::write`]: its errors count in [`Store::check`]. One that the closure has
    /// wrapped in a refusal of its own does not.
    ///
    /// # Errors
    /// The closure's own, unchanged, or the store's.
    pub async fn write_or<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let refusal = Refusal::default();
        let written = self.write(refusal.kept_from(closure)).await;
        refusal.or(written)
    }

    /// [`Store::read_now`] for a closure that may refuse.
    ///
    /// # Errors
    /// The closure's own, unchanged, or the store's.
    pub async fn read_or<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let refusal = Refusal::default();
        let read = self.read_now(refusal.kept_from(closure)).await;
        refusal.or(read)
    }
}

/// Where the error of the last run is left for the caller.
struct Refusal<E>(Arc<Mutex<Option<E>>>);

impl<E> Default for Refusal<E> {
    fn default() -> Refusal<E> {
        Refusal(Arc::default())
    }
}

impl<E: From<StoreError> + Send + 'static> Refusal<E> {
    /// The closure as the store runs it. It may be run again: only its last error counts.
    fn kept_from<T>(
        &self,
        mut closure: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> impl FnMut(&mut Tx<'_>) -> crate::Result<T> + Send + 'static {
        let place = Arc::clone(&self.0);
        move |tx| {
            let (done, mut refusal) = match closure(tx) {
                Ok(done) => (Ok(done), None),
                Err(refusal) => (Err(StoreError::Changed(REFUSED)), Some(refusal)),
            };
            // The store is told of its own errors, to note a disk that is full.
            let error =
                (&mut refusal as &mut dyn Any).downcast_mut::<Option<StoreError>>().and_then(Option::take);
            *place.lock().expect("plain value") = refusal;
            error.map_or(done, Err)
        }
    }

    fn or<T>(self, result: crate::Result<T>) -> Result<T, E> {
        result.map_err(|error| {
            // What the database says instead, of a run that was to be repeated, is what counts then.
            let is_ours = matches!(&error, StoreError::Changed(what) if *what == REFUSED);
            let refusal = self.0.lock().expect("plain value").take().filter(|_| is_ours);
            refusal.unwrap_or_else(|| E::from(error))
        })
    }
}
