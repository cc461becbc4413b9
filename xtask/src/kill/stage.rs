//! What the scenes in which processes die are played on: desk, servers, relay and the load so far.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;
use testkit::server::{Postgres, PostgresOptions};

use super::evidence::Posted;
use super::{Options, Scene};
use crate::load::chance::Chance;
use crate::load::connection::Protocol;
use crate::load::desk::{Database, Desk, DeskOptions, Node};
use crate::load::mails::Mail;
use crate::load::sender::{Control, Target};
use crate::load::sink::{Sink, SinkOptions};

/// Deliveries to the relay that one node has in progress at most.
pub(super) const DELIVERIES_OF_A_NODE: usize = 20;

/// How long a claimed account stays claimed by a silent process; short, so that a scene with frozen ones stays short.
pub(super) const LEASE: Duration = Duration::from_secs(2);

/// Everything a scene is played with. Fields drop in this order: processes before what they use.
pub(super) struct Stage {
    pub(super) nodes: Vec<Node>,
    pub(super) desk: Desk,
    pub(super) server: Option<Postgres>,
    pub(super) chance: Chance,
    pub(super) sink: Sink,
    pub(super) scene: Scene,
    connections: usize,
    pub(super) posted: Vec<Posted>,
    /// Mails in doubt, with their places in `posted`.
    pub(super) doubtful: Vec<(usize, Mail)>,
}

/// The load of one round, as a fault sees it.
pub(super) struct Load<'round> {
    pub(super) control: &'round Control,
    pub(super) is_over: &'round AtomicBool,
}

impl Stage {
    /// Starts servers and creates the desk; none of its processes runs yet.
    pub(super) fn set(options: &Options) -> Result<Self> {
        let sink = Sink::start(SinkOptions::default())?;
        let with_server = options.scene != Scene::Sqlite;
        let server = with_server.then(|| Postgres::start(PostgresOptions::default())).transpose()?;
        let database = match &server {
            Some(server) => Database::Postgres(server.fresh_database()?),
            None => Database::Sqlite,
        };
        let lease = format!("[engine]\nlease = \"{}s\"\n", LEASE.as_secs());
        let desk = Desk::create(&DeskOptions {
            binary: options.binary.clone(),
            database,
            relay: Some(sink.address()),
            further: if with_server { lease } else { String::new() },
        })?;
        Ok(Self {
            nodes: Vec::new(),
            desk,
            server,
            chance: Chance::new(options.seed),
            sink,
            scene: options.scene,
            connections: options.connections,
            posted: Vec::new(),
            doubtful: Vec::new(),
        })
    }

    /// Where the load goes: to all processes, as many connections as wanted.
    pub(super) fn target(&self) -> Target {
        Target {
            protocol: Protocol::Smtp,
            addresses: self.nodes.iter().map(Node::smtp).collect(),
            connections: self.connections,
            patience: Duration::from_secs(30),
            // A frozen process takes its time: the load must last that long.
            pace: if self.scene == Scene::Cluster { Duration::from_millis(25) } else { Duration::ZERO },
        }
    }
}
