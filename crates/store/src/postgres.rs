//! The PostgreSQL side: a bounded pool of threads, each with its own connection and its own small runtime.
//!
//! A thread drives its connection itself, so a statement costs no hop to another thread, and statements can travel together.
//! Serialisation failures and deadlocks run the closure again; a lost connection is opened again.

mod migrating;
mod name_lock;
mod notify;
mod recent;
mod server;
mod session;
mod statement;
mod tls;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::bell::{Bells, Ring};
use crate::error::{Result, StoreError};
use crate::job::{Job, Outcome};
use crate::sql::Sql as _;
use crate::tx::{Inner, Tx};

use name_lock::NameLock;
use notify::Notifier;
use server::Server;
use session::{Access, Failure};

pub(crate) use migrating::Migrating;
#[cfg(feature = "testing")]
pub(crate) use session::STATEMENTS_MAX;
pub(crate) use session::Session;

/// How often a closure is run again after a serialisation failure or a deadlock.
const RETRIES: usize = 5;

struct Work {
    access: Access,
    job: Job,
}

/// The PostgreSQL side of the store.
#[derive(Debug)]
pub(crate) struct Postgres {
    queue: Mutex<Option<mpsc::Sender<Work>>>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
    notifier: Notifier,
    /// For the connection that holds the name.
    server: Box<Server>,
    name: Mutex<Option<NameLock>>,
}

impl Postgres {
    pub(crate) fn open(
        url: &str,
        connections: usize,
        allow_unsafe: bool,
        bells: Arc<Bells>,
    ) -> Result<Postgres> {
        let server = Server::parse(url)?;
        check_server(&server, allow_unsafe)?;
        let (sender, receiver) = mpsc::channel::<Work>();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::new();
        for number in 0..connections.max(1) {
            let (server, receiver) = (server.clone(), Arc::clone(&receiver));
            let thread = std::thread::Builder::new()
                .name(format!("postgres-{number}"))
                .spawn(move || work_loop(&server, &receiver))
                .map_err(|error| StoreError::setup(format!("cannot start a database thread: {error}")))?;
            threads.push(thread);
        }
        let notifier = Notifier::start(server.clone(), bells)?;
        let (queue, threads) = (Mutex::new(Some(sender)), Mutex::new(threads));
        Ok(Postgres { queue, threads, notifier, server: Box::new(server), name: Mutex::default() })
    }

    pub(crate) fn write(&self, job: Job) {
        self.send(Work { access: Access::Write, job });
    }

    pub(crate) fn read(&self, job: Job) {
        self.send(Work { access: Access::Read, job });
    }

    /// As [`Postgres::read`], for a list or a page: its plans are the planner's own choice.
    pub(crate) fn read_page(&self, job: Job) {
        self.send(Work { access: Access::ReadPage, job });
    }

    fn send(&self, work: Work) {
        if let Some(sender) = self.queue.lock().expect("no closure runs under this lock").as_ref() {
            // After close() the job is dropped, which tells its waiter.
            let _ = sender.send(work);
        }
    }

    /// A session for migrations, once no other process has one. Blocks.
    pub(crate) fn migrating(&self) -> Result<Migrating> {
        Migrating::begin(&self.server)
    }

    /// Hears what other nodes ring from now on.
    pub(crate) fn listen(&self) {
        self.notifier.listen();
    }

    /// Tells other nodes of a ring.
    pub(crate) fn tell(&self, ring: Ring) {
        self.notifier.tell(ring);
    }

    /// Takes a node's name until the store is closed; false when another process has it after `wait` still.
    pub(crate) async fn take_name(&self, name: &str, wait: Duration) -> Result<bool> {
        let taken = NameLock::take(Server::clone(&self.server), name, wait).await?;
        let is_taken = taken.is_some();
        *self.name.lock().expect("plain put") = taken;
        Ok(is_taken)
    }

    pub(crate) fn close(&self) {
        self.notifier.close();
        self.queue.lock().expect("no closure runs under this lock").take();
        for thread in self.threads.lock().expect("no closure runs under this lock").drain(..) {
            let _ = thread.join();
        }
        // Last: until here this process may have been at work.
        drop(self.name.lock().expect("plain take").take());
    }
}

/// 250 relies on a commit, so a server that forgets commits is refused, as is one that cannot hold all text.
fn check_server(server: &Server, allow_unsafe: bool) -> Result<()> {
    let mut session = Session::connect(server).map_err(|error| {
        let why = if let StoreError::Unavailable(why) = error { why } else { error.to_string() };
        StoreError::setup(format!("cannot reach PostgreSQL: {why}; check store.url and that the server runs"))
    })?;
    let encoding = show(&mut session, "server_encoding")?;
    // In any other one, part of the world's mail could not be stored, each such mail at the time it comes.
    if encoding != "UTF8" {
        return Err(StoreError::setup(format!(
            "the database is encoded in {encoding}, which cannot hold all mail; make one with \
             CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )));
    }
    for (setting, weak) in [("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")] {
        let value = show(&mut session, setting)?;
        if value == weak && !allow_unsafe {
            return Err(StoreError::setup(format!(
                "PostgreSQL runs with {setting}={value}: accepted mail could vanish in a power cut; \
                 set {setting}=on there, or store.allow_unsafe = true here if this is only a trial"
            )));
        }
    }
    Ok(())
}

fn show(session: &mut Session, setting: &str) -> Result<String> {
    let mut tx = Tx { inner: Inner::Postgres(session), clock: None };
    let row = tx.find(&format!("SHOW {setting}"), &[])?;
    row.map_or(Ok(String::new()), |mut row| row.text())
}

fn work_loop(server: &Server, queue: &Mutex<mpsc::Receiver<Work>>) {
    let mut session: Option<Session> = None;
    loop {
        let Work { access, mut job } = match queue.lock().expect("nothing panics while waiting").recv() {
            Ok(work) => work,
            Err(mpsc::RecvError) => return,
        };
        let outcome = attempt(server, &mut session, &mut job, access);
        job.finish(outcome);
        if let Some(session) = session.as_mut() {
            session.renew_plans();
        }
    }
}

fn attempt(server: &Server, slot: &mut Option<Session>, job: &mut Job, access: Access) -> Outcome {
    let mut retries = 0;
    loop {
        if slot.as_ref().is_none_or(|session| session.is_closed()) {
            *slot = Some(Session::connect(server)?);
        }
        let Some(session) = slot.as_mut() else { continue };
        match session.transaction(job, access) {
            Err(Failure::Retry(_)) if retries < RETRIES => retries += 1,
            // An idle connection that the server had closed: nothing was begun, so begin on a new one.
            Err(Failure::NotBegun) if retries < RETRIES => {
                retries += 1;
                *slot = None;
            }
            Err(Failure::NotBegun) => {
                return Err(StoreError::Unavailable("PostgreSQL closes its connections".into()));
            }
            Err(Failure::Retry(error) | Failure::Final(error)) => return Err(error),
            Ok(outcome) => return Ok(outcome),
        }
    }
}

/// The whole chain of causes: the outermost error of the driver says only "db error".
fn chain(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => {
            let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
            causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
        }
    }
}
