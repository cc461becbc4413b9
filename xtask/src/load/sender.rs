//! Sends a sample over many connections and notes what became of each mail and how long each 250 took.
//!
//! One blocking thread a connection: with two system calls each way a mail, that costs less CPU than a reactor would,
//! and the sender shares the machine with what it measures.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::connection::{Answer, Connection, Lost, Protocol};
use super::mails::Mail;

/// The pause before a mail is tried again after a 4xx or a lost connection.
const PAUSE: Duration = Duration::from_millis(10);
/// Stack of a sending thread; mails lie on the heap.
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

/// The sender's control and its count while it runs; shared with whoever breaks things meanwhile.
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

/// What a run came to.
#[derive(Debug)]
pub struct Sent {
    /// One entry per mail, in their order.
    pub fates: Vec<Fate>,
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
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank within a list")]
pub fn quantile(ascending: &[Duration], part: f64) -> Duration {
    let rank = (ascending.len() as f64 * part).ceil() as usize;
    ascending.get(rank.clamp(1, ascending.len().max(1)).saturating_sub(1)).copied().unwrap_or_default()
}

/// Sends all `mails`; returns when each has its fate or `control` says stop.
///
/// A mail that gets 4xx, or whose connection breaks before its end, is tried again until then.
pub fn send(mails: &[Mail], target: &Target, control: &Control) -> Sent {
    let run = Run { mails, target, control, next: AtomicUsize::new(0), notes: Mutex::default() };
    let begun = Instant::now();
    thread::scope(|scope| {
        for number in 0..target.connections {
            let run = &run;
            let work = move || run.work(number);
            // A thread that cannot start leaves its share to the others.
            let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        }
    });
    let took = begun.elapsed();
    let Notes { answers, lost, complaints } = run.notes.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut fates = vec![Fate::Unsent; mails.len()];
    let mut waits = Vec::with_capacity(answers.len());
    for (place, fate, wait) in answers {
        if let Some(slot) = fates.get_mut(place) {
            *slot = fate;
        }
        waits.extend(wait);
    }
    waits.sort_unstable();
    Sent { fates, waits, took, deferred: control.deferred(), lost, complaints }
}

#[derive(Default)]
struct Notes {
    answers: Vec<(usize, Fate, Option<Duration>)>,
    lost: usize,
    complaints: Vec<String>,
}

struct Run<'run> {
    mails: &'run [Mail],
    target: &'run Target,
    control: &'run Control,
    next: AtomicUsize,
    notes: Mutex<Notes>,
}

impl Run<'_> {
    /// One connection's life: takes mail after mail, connects again when the connection is lost.
    fn work(&self, number: usize) {
        let mut notes = Notes::default();
        let (mut connection, mut turn) = (None, number);
        while !self.control.is_stopped() {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(mail) = self.mails.get(place) else { break };
            let answer = self.deliver(mail, &mut connection, &mut turn, &mut notes);
            notes.answers.extend(answer.map(|(fate, wait)| (place, fate, wait)));
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
    ) -> Option<(Fate, Option<Duration>)> {
        while !self.control.is_stopped() {
            match self.attempt(mail, connection, *turn) {
                Ok(Answer::Accepted(wait)) => {
                    self.control.accepted.fetch_add(1, Ordering::AcqRel);
                    return Some((Fate::Accepted, Some(wait)));
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
mod tests {
    use super::{Control, Fate, Target, quantile, send};
    use crate::load::connection::Protocol;
    use crate::load::mails::{Mix, Recipe, Sample};
    use crate::load::sink::Sink;
    use std::collections::BTreeMap;
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, SocketAddr, TcpListener};
    use std::thread;
    use std::time::Duration;

    fn sample(count: usize) -> Sample {
        let supports = vec!["support@a.example".to_owned()];
        Sample::make(&Recipe { count, seed: 3, tag: 9, supports, mix: Mix::Desk })
    }

    fn target(protocol: Protocol, address: SocketAddr) -> Target {
        Target { protocol, addresses: vec![address], connections: 4, patience: Duration::from_secs(30), pace: Duration::ZERO }
    }

    #[test]
    fn every_mail_arrives_once_and_whole() {
        for protocol in [Protocol::Smtp, Protocol::Lmtp] {
            let sink = Sink::start(true).expect("a sink");
            let sample = sample(100);
            let sent = send(&sample.mails, &target(protocol, sink.address()), &Control::default());
            assert_eq!((sent.count(Fate::Accepted), sent.waits.len(), sent.lost), (100, 100, 0));
            let taken: BTreeMap<String, Vec<u8>> =
                sink.taken().into_iter().map(|mail| (mail.message_id, mail.raw.expect("kept"))).collect();
            assert_eq!(taken.len(), 100);
            for mail in &sample.mails {
                assert_eq!(taken[&mail.message_id], mail.raw().as_ref());
            }
            assert!((1..=4).contains(&sink.peak(0)));
        }
    }

    /// A receiver that plays `script` on every connection: each entry is said after something was read; the first is
    /// the greeting. Then it hangs up.
    fn scripted(script: &'static [&'static str], connections: usize) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("bound");
        thread::spawn(move || {
            for stream in listener.incoming().take(connections) {
                let mut stream = stream.expect("a connection");
                let mut heard = vec![0_u8; 1 << 20];
                for (turn, line) in script.iter().enumerate() {
                    if turn > 0 && stream.read(&mut heard).unwrap_or(0) == 0 {
                        break;
                    }
                    if stream.write_all(line.as_bytes()).is_err() {
                        break;
                    }
                }
            }
        });
        address
    }

    #[test]
    fn a_break_after_the_content_is_in_doubt_and_not_sent_again() {
        let address = scripted(&["220 a\r\n", "250 PIPELINING\r\n", "250 a\r\n250 b\r\n354 c\r\n", ""], 1);
        let mut mails = sample(20).mails;
        mails.retain(|mail| mail.wire().len() < 4_000);
        mails.truncate(1);
        let one = Target { connections: 1, ..target(Protocol::Smtp, address) };
        let sent = send(&mails, &one, &Control::default());
        assert_eq!((sent.fates, sent.lost), (vec![Fate::InDoubt], 1));
    }

    #[test]
    fn a_refused_recipient_is_refused_and_a_deferred_one_tried_again() {
        let refused: &[&str] =
            &["220 a\r\n", "250 PIPELINING\r\n", "250 a\r\n550 5.1.1 who\r\n554 none\r\n", "250 reset\r\n"];
        let one = |address| Target { connections: 1, ..target(Protocol::Smtp, address) };
        let mails: Vec<_> = sample(1).mails;
        let sent = send(&mails, &one(scripted(refused, 1)), &Control::default());
        assert_eq!((sent.fates, sent.complaints), (vec![Fate::Refused], vec!["550 5.1.1 who".to_owned()]));

        let later: &[&str] = &[
            "220 a\r\n",
            "250 PIPELINING\r\n",
            "451 4.3.0 wait\r\n503 no\r\n503 no\r\n",
            "250 reset\r\n",
            "550 5.7.1 no more\r\n503 no\r\n503 no\r\n",
            "250 reset\r\n",
        ];
        let sent = send(&mails, &one(scripted(later, 1)), &Control::default());
        assert_eq!((sent.fates, sent.deferred), (vec![Fate::Refused], 1));
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let list: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        for (part, want) in [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)] {
            assert_eq!(quantile(&list, part), Duration::from_millis(want));
        }
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }
}
