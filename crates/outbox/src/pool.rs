//! How many connections a destination gets, and how long they are kept.
//!
//! A destination is a server: the relay, or one mail exchanger. Each has a limited number of places; a mail that finds
//! none free waits for one. A connection that is done with its mail is kept for the next one, for a short time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// The limits of outgoing connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections to one mail exchanger at once; 0 counts as 1.
    pub per_destination: usize,
    /// Connections to the relay at once; 0 counts as 1.
    pub to_relay: usize,
    /// Mails sent over one connection before it is closed; 0 counts as 1.
    pub mails_per_connection: u32,
    /// How long an unused connection is kept.
    pub idle: Duration,
}

impl Default for Limits {
    /// Five connections to an exchanger, twenty to the relay, a hundred mails each, thirty seconds idle.
    fn default() -> Self {
        Self { per_destination: 5, to_relay: 20, mails_per_connection: 100, idle: Duration::from_secs(30) }
    }
}

/// Destinations by key (host and port), each with its places and its unused connections of type `C`.
#[derive(Debug)]
pub(crate) struct Destinations<C> {
    places: usize,
    idle: Duration,
    by_key: Mutex<BTreeMap<String, Arc<Destination<C>>>>,
}

#[derive(Debug)]
struct Destination<C> {
    places: Arc<Semaphore>,
    unused: Mutex<Vec<(Instant, C)>>,
}

/// A place at a destination; dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Place<C> {
    destination: Arc<Destination<C>>,
    idle: Duration,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<C> Destinations<C> {
    pub(crate) fn new(places: usize, idle: Duration) -> Self {
        Self { places: places.max(1), idle, by_key: Mutex::default() }
    }

    /// Waits for a place at the destination `key`; places are given in the order of the requests.
    pub(crate) async fn place(&self, key: &str) -> Place<C> {
        let destination = self.destination(key);
        // The semaphore is never closed, so a permit always comes.
        let permit = Arc::clone(&destination.places).acquire_owned().await.ok();
        Place { destination, idle: self.idle, _permit: permit }
    }

    /// Returns whether an unused connection to `key` is kept.
    pub(crate) fn has_unused(&self, key: &str) -> bool {
        locked(&self.by_key).get(key).is_some_and(|destination| !locked(&destination.unused).is_empty())
    }

    /// Takes out every connection that was unused for too long, and forgets destinations that nobody uses.
    pub(crate) fn take_stale(&self) -> Vec<C> {
        let mut stale = Vec::new();
        locked(&self.by_key).retain(|_, destination| {
            let mut unused = locked(&destination.unused);
            let (old, fresh) = unused.drain(..).partition(|(since, _)| since.elapsed() >= self.idle);
            *unused = fresh;
            stale.extend::<Vec<(Instant, C)>>(old);
            // Every task that holds or waits for a place shares the destination.
            !unused.is_empty() || Arc::strong_count(destination) > 1
        });
        stale.into_iter().map(|(_, connection)| connection).collect()
    }

    fn destination(&self, key: &str) -> Arc<Destination<C>> {
        let mut by_key = locked(&self.by_key);
        let made = by_key.entry(key.to_owned()).or_insert_with(|| {
            let places = Arc::new(Semaphore::new(self.places));
            Arc::new(Destination { places, unused: Mutex::default() })
        });
        Arc::clone(made)
    }
}

impl<C> Place<C> {
    /// Takes the connection that was used last, if one is still fresh; the older ones can age out.
    pub(crate) fn unused(&self) -> Option<C> {
        let mut unused = locked(&self.destination.unused);
        let (since, connection) = unused.pop()?;
        if since.elapsed() < self.idle {
            return Some(connection);
        }
        // The newest is stale, so all are.
        unused.clear();
        None
    }

    /// Keeps a connection for the next mail, and gives up the place.
    pub(crate) fn keep(self, connection: C) {
        locked(&self.destination.unused).push((Instant::now(), connection));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No critical section in this file can leave the data half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const IDLE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn the_next_one_waits_for_a_place() {
        let destinations = Destinations::<u32>::new(2, IDLE);
        let first = destinations.place("a").await;
        let _second = destinations.place("a").await;
        assert!(destinations.place("a").now_or_never().is_none(), "a third place was given");
        assert!(destinations.place("b").now_or_never().is_some(), "another destination waited too");
        drop(first);
        assert!(destinations.place("a").now_or_never().is_some(), "the free place was not given");
    }

    #[tokio::test(start_paused = true)]
    async fn connections_are_reused_until_they_are_stale() {
        let destinations = Destinations::new(2, IDLE);
        let place = destinations.place("a").await;
        assert_eq!(place.unused(), None);
        place.keep(7);
        assert!(destinations.has_unused("a"));
        let place = destinations.place("a").await;
        assert_eq!(place.unused(), Some(7));
        place.keep(7);
        tokio::time::advance(IDLE).await;
        assert_eq!(destinations.place("a").await.unused(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn stale_connections_and_forgotten_destinations_are_taken_out() {
        let destinations = Destinations::new(2, IDLE);
        destinations.place("old").await.keep(1);
        tokio::time::advance(IDLE / 2).await;
        destinations.place("young").await.keep(2);
        let held = destinations.place("held").await;
        assert_eq!(destinations.take_stale(), Vec::<i32>::new());
        tokio::time::advance(IDLE / 2).await;
        assert_eq!(destinations.take_stale(), [1]);
        let keys: Vec<String> = locked(&destinations.by_key).keys().cloned().collect();
        assert_eq!(keys, ["held", "young"]);
        drop(held);
    }
}
