//! Plays one scene: sets the stage, gives each round its load and its fault, waits until all is quiet, and looks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use testkit::server::until;

use super::evidence::{Evidence, Posted};
use super::faults::{self, Fault};
use super::report::Report;
use super::stage::{DELIVERIES_OF_A_NODE, Load, Stage};
use super::{Options, Scene, read};
use crate::load::desk::{ACCOUNT, Node};
use crate::load::mails::{Mail, Mix, Recipe, Sample};
use crate::load::sender::{Control, Fate, Sent, send};

/// How long the desk may take for what is left when all faults are over.
const QUIET_WITHIN: Duration = Duration::from_secs(180);

/// Plays a scene and reports what was seen at its end.
pub(super) fn play(options: &Options, report: &mut Report) -> Result<()> {
    let mut stage = Stage::set(options)?;
    for round in 0..options.rounds {
        stage
            .round(round)
            .with_context(|| format!("round {round}"))
            .with_context(|| stage.desk.log_tail())?;
    }
    let evidence = stage.finish(options.rounds)?;
    report.add(&format!("{} rounds", options.rounds), &evidence, Vec::new());
    Ok(())
}

impl Stage {
    fn round(&mut self, round: usize) -> Result<()> {
        self.sink.begin_round(round);
        let fault = Fault::choose(self.scene, &mut self.chance);
        while self.nodes.len() < faults::processes(self.scene) {
            // A process that is to die while it comes up is not waited for.
            self.nodes.push(if fault == Fault::StartUp { self.desk.spawn()? } else { self.desk.start()? });
        }
        let sample = self.sample(round)?;
        let target = self.target();
        let control = Control::default();
        let is_over = AtomicBool::new(false);
        let sent = thread::scope(|scope| {
            let sender = scope.spawn(|| {
                let sent = send(&sample.mails, &target, &control);
                is_over.store(true, Ordering::Release);
                sent
            });
            let struck = fault.strike(self, &Load { control: &control, is_over: &is_over });
            control.stop();
            let sent = sender.join().map_err(|_| anyhow!("the sender panicked"))?;
            struck
                .with_context(|| format!("{fault:?}; the sender heard {:?}", sent.complaints))
                .map(|()| sent)
        })?;
        self.note(round, sample, &sent);
        Ok(())
    }

    fn sample(&mut self, round: usize) -> Result<Sample> {
        let host = self.desk.native_host();
        let recipe = Recipe {
            count: if self.scene == Scene::Cluster { 1_500 } else { 400 },
            seed: self.chance.bits(),
            tag: u32::try_from(round)?.saturating_add(1),
            supports: vec![format!("support@{host}")],
            mix: Mix::Desk,
        };
        Ok(Sample::make(&recipe))
    }

    fn note(&mut self, round: usize, sample: Sample, sent: &Sent) {
        for ((mail, fate), heard) in sample.mails.into_iter().zip(&sent.fates).zip(&sent.heard) {
            let thread = (round, mail.thread);
            let message_id = mail.message_id.clone();
            if *fate == Fate::InDoubt {
                self.doubtful.push((self.posted.len(), mail));
            }
            self.posted.push(Posted {
                account: ACCOUNT.to_owned(),
                message_id,
                thread,
                fate: *fate,
                heard: *heard,
                sent_again: false,
            });
        }
    }

    /// Brings everything up, sends again what was in doubt as any mail server would, and waits until nothing moves.
    fn finish(mut self, rounds: usize) -> Result<Evidence> {
        self.sink.begin_round(rounds);
        while self.nodes.len() < faults::processes(self.scene) {
            self.nodes.push(self.desk.start()?);
        }
        let (places, mails): (Vec<usize>, Vec<Mail>) = std::mem::take(&mut self.doubtful).into_iter().unzip();
        let sent = send(&mails, &self.target(), &Control::default());
        for (place, fate) in places.iter().zip(&sent.fates) {
            if let Some(posted) = self.posted.get_mut(*place) {
                posted.fate = *fate;
                // The first copy may have been the one that was taken, at an unknown time.
                posted.sent_again = true;
            }
        }
        let accounts = [ACCOUNT.to_owned()];
        if let Err(error) = until("ledger and outbox come to rest", QUIET_WITHIN, || {
            read::is_quiet(&self.desk, &accounts).map(|quiet| quiet.then_some(()))
        }) {
            // What is left over is named by the checks, one by one.
            eprintln!("{error:#}\n{}", self.desk.log_tail());
        }
        self.nodes.drain(..).try_for_each(Node::stop)?;
        Ok(Evidence {
            answers: Vec::new(),
            ledger: read::rows(&self.desk, &accounts, &["ledger", "list"])?,
            tickets: read::rows(&self.desk, &accounts, &["ticket", "list"])?,
            outbox: read::rows(&self.desk, &accounts, &["outbox", "list"])?,
            taken: self.sink.taken(),
            attempts: self.sink.attempts(),
            deliveries_at_once: DELIVERIES_OF_A_NODE * faults::processes(self.scene),
            relay_peaks: (0..rounds).map(|round| self.sink.peak(round)).collect(),
            timed: None,
            posted: self.posted,
        })
    }
}
