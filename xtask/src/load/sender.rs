//! Sends a sample over many connections and notes what became of each mail and how long each 250 took. One blocking
//! thread per connection: with two system calls each way per mail, that costs less CPU than a reactor would, and the
//! sender shares the machine with what it measures.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::connection::{Answer, Connection, Lost, Protocol};
use super::mails::Mail;

/// The pause before a mail is tried again after a 4xx or a lost connection.
const PAUSE: Duration = Duration::from_millis(10);
/// Stack of a sending thread; mails are on the heap.
const STACK_BYTES: usize = 128 * 1024;

/// Where and how mails are sent.
#[derive(Debug, Clone)]
pub struct Target {
    /// SMTP or LMTP.
    pub protocol: Protocol,
    /// Receivers; connections take turns, and a lost one tries the next. Must not be empty.
    pub addresses: Vec<SocketAddr>,
    /// Number of connections at the same time.
    pub connections: usize,
    /// How long one answer may take before the connection counts as lost.
    pub patience: Duration,
    /// Pause of each connection after each mail; zero for as fast as it goes.
    pub pace: Duration,
}

/// What became of one mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Never handed over in whole: the receiver cannot have it.
    Unsent,
    /// 250 was said.
    Accepted,
    /// The connection broke after the content: the receiver may have it. Never sent again by the sender itself.
    InDoubt,
    /// A 5xx.
    Refused,
}

/// Controls the sender and counts while it runs; shared with whatever breaks things meanwhile.
#[derive(Debug, Default)]
pub struct Control {
    stop: AtomicBool,
    accepted: AtomicUsize,
    deferred: AtomicUsize,
}

impl Control {
    /// Ends the sending: no further mail is begun.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Whether [`Control::stop`] was called.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Mails that got 250 so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Acquire)
    }

    /// 4xx answers so far; the mails are tried again.
    pub fn deferred(&self) -> usize {
        self.deferred.load(Ordering::Acquire)
    }
}

/// When a 250 was heard, by the sender's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Just before the last piece of the mail was written: the receiver cannot have taken it earlier.
    pub begun: Instant,
    /// When 250 had been read: the receiver cannot have taken it later.
    pub at: Instant,
}

/// The result of a run.
#[derive(Debug)]
pub struct Sent {
    /// One entry per mail, in their order.
    pub fates: Vec<Fate>,
    /// One entry per mail, in their order; none without a 250.
    pub heard: Vec<Option<Heard>>,
    /// From end of DATA to 250, of all accepted mails, ascending.
    pub waits: Vec<Duration>,
    /// From the first connection to the last answer.
    pub took: Duration,
    /// 4xx answers; each mail was tried again.
    pub deferred: usize,
    /// Connections that broke or could not be opened.
    pub lost: usize,
    /// The first complaint of each kind: refusals, deferrals, broken connections.
    pub complaints: Vec<String>,
}

impl Sent {
    /// Number of mails with the given fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.fates.iter().filter(|one| **one == fate).count()
    }

    /// The wait that `part` (0 to 1) of the accepted mails did not exceed; zero when none was accepted.
    pub fn quantile(&self, part: f64) -> Duration {
        quantile(&self.waits, part)
    }
}

/// The value that `part` (0 to 1) of an ascending list does not exceed (nearest rank); zero for an empty list.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rank within a list"
)]
pub fn quantile(ascending: &[Duration], part: f64) -> Duration {
    let rank = (ascending.len() as f64 * part).ceil() as usize;
    ascending.get(rank.clamp(1, ascending.len().max(1)).saturating_sub(1)).copied().unwrap_or_default()
}

/// Sends all `mails`; returns when each has its fate or `control` says stop.
///
/// A mail that gets 4xx, or whose connection breaks before its end, is tried again until then.
pub fn send(mails: &[Mail], target: &Target, control: &Control) -> Sent {
    Run::new(mails, target, control, Tries::UntilAnswered).play()
}

/// Offers each of `mails` once: one that gets 4xx, or whose connection breaks before its end, stays unsent.
pub fn send_once(mails: &[Mail], target: &Target) -> Sent {
    Run::new(mails, target, &Control::default(), Tries::Once).play()
}

#[derive(Default)]
struct Notes {
    answers: Vec<(usize, Fate, Option<Heard>)>,
    lost: usize,
    complaints: Vec<String>,
}

impl Notes {
    fn sum_up(self, mails: usize, took: Duration, deferred: usize) -> Sent {
        let mut fates = vec![Fate::Unsent; mails];
        let mut heard = vec![None; mails];
        for (place, fate, moment) in self.answers {
            if let Some((its_fate, its_moment)) = fates.get_mut(place).zip(heard.get_mut(place)) {
                *its_fate = fate;
                *its_moment = moment;
            }
        }
        let wait = |moment: &Heard| moment.at.saturating_duration_since(moment.begun);
        let mut waits: Vec<Duration> = heard.iter().flatten().map(wait).collect();
        waits.sort_unstable();
        Sent { fates, heard, waits, took, deferred, lost: self.lost, complaints: self.complaints }
    }
}

/// How often a mail is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tries {
    /// Until it has a fate.
    UntilAnswered,
    /// Once.
    Once,
}

struct Run<'run> {
    mails: &'run [Mail],
    target: &'run Target,
    control: &'run Control,
    tries: Tries,
    next: AtomicUsize,
    notes: Mutex<Notes>,
}

impl<'run> Run<'run> {
    fn new(mails: &'run [Mail], target: &'run Target, control: &'run Control, tries: Tries) -> Self {
        Self { mails, target, control, tries, next: AtomicUsize::new(0), notes: Mutex::default() }
    }

    fn play(self) -> Sent {
        let begun = Instant::now();
        thread::scope(|scope| {
            for number in 0..self.target.connections {
                let run = &self;
                let work = move || run.work(number);
                // A thread that cannot start leaves its share to the others.
                let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
            }
        });
        let took = begun.elapsed();
        let notes = self.notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        notes.sum_up(self.mails.len(), took, self.control.deferred())
    }

    /// One connection's life: takes mail after mail, connects again when the connection is lost.
    fn work(&self, number: usize) {
        let mut notes = Notes::default();
        let mut connection = None;
        let mut turn = number;
        while !self.control.is_stopped() {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(mail) = self.mails.get(place) else {
                break;
            };
            let answer = self.deliver(mail, &mut connection, &mut turn, &mut notes);
            notes.answers.extend(answer.map(|(fate, heard)| (place, fate, heard)));
            if !self.target.pace.is_zero() {
                thread::sleep(self.target.pace);
            }
        }
        if let Some(connection) = connection {
            connection.quit();
        }
        let mut all = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        all.answers.append(&mut notes.answers);
        all.lost = all.lost.saturating_add(notes.lost);
        for complaint in notes.complaints {
            complain(&mut all.complaints, complaint);
        }
    }

    /// Tries one mail until it has a fate; `None` when it was stopped before.
    fn deliver(
        &self,
        mail: &Mail,
        connection: &mut Option<Connection>,
        turn: &mut usize,
        notes: &mut Notes,
    ) -> Option<(Fate, Option<Heard>)> {
        while !self.control.is_stopped() {
            match self.attempt(mail, connection, *turn) {
                Ok(Answer::Accepted(wait)) => {
                    self.control.accepted.fetch_add(1, Ordering::AcqRel);
                    let at = Instant::now();
                    let begun = at.checked_sub(wait).unwrap_or(at);
                    return Some((Fate::Accepted, Some(Heard { begun, at })));
                }
                Ok(Answer::Refused(reply)) => {
                    complain(&mut notes.complaints, reply);
                    return Some((Fate::Refused, None));
                }
                Ok(Answer::Deferred(reply)) => {
                    self.control.deferred.fetch_add(1, Ordering::AcqRel);
                    complain(&mut notes.complaints, reply);
                }
                Err(Lost { in_doubt, cause }) => {
                    *connection = None;
                    *turn = turn.wrapping_add(1);
                    notes.lost = notes.lost.saturating_add(1);
                    complain(&mut notes.complaints, cause.to_string());
                    if in_doubt {
                        return Some((Fate::InDoubt, None));
                    }
                }
            }
            if self.tries == Tries::Once {
                return None;
            }
            thread::sleep(PAUSE);
        }
        None
    }

    fn attempt(&self, mail: &Mail, connection: &mut Option<Connection>, turn: usize) -> Result<Answer, Lost> {
        let open = match connection {
            Some(open) => open,
            None => connection.insert(self.connect(turn).map_err(|cause| Lost { in_doubt: false, cause })?),
        };
        open.submit(mail)
    }

    fn connect(&self, turn: usize) -> std::io::Result<Connection> {
        let addresses = &self.target.addresses;
        let address = turn.checked_rem(addresses.len()).and_then(|place| addresses.get(place));
        let address = address.ok_or_else(|| std::io::Error::other("the target has no address"))?;
        Connection::open(*address, self.target.protocol, self.target.patience)
    }
}

/// Keeps the first complaint of each code or kind, at most ten.
fn complain(complaints: &mut Vec<String>, complaint: String) {
    let kind: String = complaint.chars().take(20).collect();
    if complaints.len() < 10 && !complaints.iter().any(|known| known.starts_with(&kind)) {
        complaints.push(complaint);
    }
}

#[cfg(test)]
#[path = "sender_tests.rs"]
mod tests;
