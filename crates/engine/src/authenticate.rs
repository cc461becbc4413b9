//! Sender authentication: SPF, DKIM, DMARC and ARC of the mails of a batch, before its transaction
//! (docs/behaviour/authentication.md).
//!
//! Asks DNS and so may wait, never longer than the budget, and less if batches before it waited long. What it finds is
//! a value; what follows from it is the desk's business. A mail that cannot be checked is `unchecked`, never failed.

mod alignment;
mod circuit_breaker;
mod dns_budget;
mod evidence;
mod reported;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use desk::authentication::{Authentication, Check};
use desk::envelope::{Door, Envelope};
use futures_util::{FutureExt, StreamExt};
use mail::address::AddressKey;
use mail::authentication_results::at_top;
use mail::defect::Defect;
use mail::letter::Letter;
use mail_auth::MessageAuthenticator;
use mail_auth::hickory_resolver::TokioResolver;
use mail_auth::hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::net::runtime::TokioRuntimeProvider;
use mail_auth::hickory_resolver::net::{DnsError, NetError};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::hickory_resolver::proto::rr::{Name, RecordType};
use tokio::time::Instant;

use crate::Engine;
use circuit_breaker::CircuitBreaker;
use dns_budget::DnsBudget;

/// Mails checked concurrently in one thread.
const AT_ONCE: usize = 32;
/// Threads that check the mails of one batch.
const THREADS: usize = 4;
/// How long a name server may take to answer, and how often it is asked.
const ANSWER: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;
/// How long name servers may take to show that they are available.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// Answers kept for their time to live.
const ANSWERS_KEPT: u64 = 8_192;
/// The name this machine gives itself where an SPF record asks for the checking host (`%{r}`, RFC 7208 §7.2); nobody
/// needs it.
const OWN_NAME: &str = "unknown";

/// How senders are authenticated.
#[derive(Debug, Clone)]
pub struct AuthenticateOptions {
    /// Name servers; empty: those of the system.
    pub dns_servers: Vec<SocketAddr>,
    /// How long a batch may wait for DNS, milliseconds; less when batches before it waited long (§5).
    pub budget_ms: u64,
    /// The authserv-id of our relay: its Authentication-Results are believed.
    pub authserv_id: Option<String>,
    /// Domains whose ARC seals are trusted, lower-case.
    pub trusted_sealers: BTreeSet<String>,
}

impl Default for AuthenticateOptions {
    fn default() -> AuthenticateOptions {
        AuthenticateOptions {
            dns_servers: vec![],
            budget_ms: 5_000,
            authserv_id: None,
            trusted_sealers: BTreeSet::new(),
        }
    }
}

/// A mail to check.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) raw: Arc<Vec<u8>>,
    pub(crate) letter: Arc<Letter>,
}

/// Checks senders; cheap to clone, answers of name servers are shared.
#[derive(Clone)]
pub(crate) struct Authenticator {
    resolver: MessageAuthenticator,
    /// Keeps no answers.
    fresh: TokioResolver,
    options: Arc<AuthenticateOptions>,
    rest: Arc<CircuitBreaker>,
    patience: Arc<Mutex<DnsBudget>>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What has to be done for one mail.
#[derive(Debug)]
enum Plan {
    /// Nothing that DNS could add.
    Known(Authentication),
    /// Ask.
    Ask(Question),
}

/// What is asked about a mail.
#[derive(Debug)]
struct Question {
    subject: Subject,
    /// The address in From.
    from: AddressKey,
    /// The peer, where SPF says something of it.
    client: Option<IpAddr>,
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// For what cannot vouch for From.
    apart: Instant,
    /// For all of it.
    all: Instant,
}

/// What is known of the mails of a batch, and what is to be asked, by their places.
#[derive(Debug)]
pub(crate) struct Plans {
    known: Vec<Authentication>,
    questions: Vec<(usize, Question)>,
}

impl Plans {
    /// Authors of signed mail that came by a relay or from inside: of these only the signature can tell anything.
    pub(crate) fn relayed(&self) -> BTreeSet<AddressKey> {
        let relayed = self.questions.iter().filter(|(_, question)| question.client.is_none());
        relayed.map(|(_, question)| question.from.clone()).collect()
    }

    /// Leaves the authors in [`Plans::relayed`] who are not among `wanted` unchecked.
    pub(crate) fn ask_only(&mut self, wanted: &BTreeSet<AddressKey>) {
        self.questions.retain(|(_, question)| question.client.is_some() || wanted.contains(&question.from));
    }
}

impl Authenticator {
    /// Prepares to ask name servers; asks nothing yet.
    ///
    /// # Errors
    /// When the system's own configuration of DNS cannot be read.
    pub(crate) fn new(options: AuthenticateOptions) -> anyhow::Result<Authenticator> {
        let fresh = resolver(&options, set_fresh)?;
        let resolver = MessageAuthenticator(resolver(&options, set)?);
        let patience = DnsBudget::new(Duration::from_millis(options.budget_ms), Instant::now().into_std());
        let (rest, patience) = (Arc::default(), Arc::new(Mutex::new(patience)));
        Ok(Authenticator { resolver, fresh, options: Arc::new(options), rest, patience })
    }

    /// Checks the senders of mails, in their order. Takes no longer than the budget, whatever DNS does.
    pub(crate) async fn check_all(&self, subjects: Vec<Subject>) -> Vec<Authentication> {
        self.answer(self.plan_all(subjects)).await
    }

    /// What is known of mails without asking, and what would have to be asked.
    pub(crate) fn plan_all(&self, subjects: Vec<Subject>) -> Plans {
        let mut plans = Plans { known: Vec::with_capacity(subjects.len()), questions: Vec::new() };
        for (at, subject) in subjects.into_iter().enumerate() {
            match self.plan(subject) {
                Plan::Known(authentication) => plans.known.push(authentication),
                Plan::Ask(question) => {
                    plans.questions.push((at, question));
                    plans.known.push(Authentication::unchecked());
                }
            }
        }
        plans
    }

    /// Asks what is planned. Takes no longer than the budget, whatever DNS does, except for finding out whether DNS is
    /// available.
    pub(crate) async fn answer(&self, plans: Plans) -> Vec<Authentication> {
        let Plans { mut known, questions } = plans;
        if questions.is_empty() || self.rest.is_resting() {
            return known;
        }
        let began = Instant::now();
        let bound = self.patience().at(began.into_std());
        let found = self.ask_all(questions, Bounds { apart: began + bound / 2, all: began + bound }).await;
        self.patience().spend(began.elapsed());
        for (at, authentication) in found {
            if let Some(slot) = known.get_mut(at) {
                *slot = authentication;
            }
        }
        if self.rest.is_suspicious() && !self.is_dns_there().await {
            tracing::warn!("Senders are not checked for a while: DNS does not answer in time, or not at all");
            self.rest.begin();
        }
        known
    }

    fn patience(&self) -> std::sync::MutexGuard<'_, DnsBudget> {
        self.patience.lock().expect("plain counting")
    }

    /// Whether name servers answer a question that does not depend on who sends us mail: the root servers.
    async fn is_dns_there(&self) -> bool {
        let time = SIGN_OF_LIFE.min(Duration::from_millis(self.options.budget_ms));
        match tokio::time::timeout(time, self.fresh.lookup(Name::root(), RecordType::NS)).await {
            Ok(Ok(_)) => true,
            Ok(Err(NetError::Dns(DnsError::NoRecordsFound(none)))) => {
                matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Decides what to ask. Nothing is asked that cannot change the answer.
    fn plan(&self, subject: Subject) -> Plan {
        let unchecked = Plan::Known(Authentication::unchecked());
        let envelope = &subject.envelope;
        // Keys of old mail are gone, and it causes no notice.
        let is_old = envelope.is_quiet();
        let Some(from) = subject.letter.from.first().and_then(|mailbox| mailbox.key()).filter(|_| !is_old)
        else {
            return unchecked;
        };
        if let Some(id) = self.options.authserv_id.as_deref().filter(|_| envelope.trusted) {
            let reported = at_top(&subject.raw, id);
            if !reported.is_empty() {
                let is_sure = is_unambiguous(&subject.letter, &from);
                let found = reported::authentication(&reported, from.domain());
                return Plan::Known(if is_sure { found } else { without_passes(found) });
            }
        }
        // Only with SMTP is the peer the sender of the mail: with a webhook it is a provider's web server, about which
        // SPF says nothing.
        let is_sender = envelope.door == Door::Smtp && !envelope.trusted;
        let client = envelope.client.parse().ok().filter(|ip| is_sender && is_public(*ip));
        if client.is_none() && !evidence::is_signed(&subject.raw) {
            return unchecked;
        }
        Plan::Ask(Question { subject, from, client })
    }

    /// Asks on threads that may block, as hashing a large mail takes long.
    async fn ask_all(
        &self,
        questions: Vec<(usize, Question)>,
        bounds: Bounds,
    ) -> Vec<(usize, Authentication)> {
        let handle = tokio::runtime::Handle::current();
        let each = questions.len().div_ceil(THREADS);
        let mut rest = questions;
        let mut threads = Vec::with_capacity(THREADS);
        while !rest.is_empty() {
            let later = rest.split_off(each.min(rest.len()));
            let (own, handle) = (self.clone(), handle.clone());
            threads.push(tokio::task::spawn_blocking(move || {
                let checks = rest.into_iter().map(|(at, question)| {
                    let own = &own;
                    async move { (at, own.ask(&question, bounds).await) }
                });
                handle.block_on(
                    futures_util::stream::iter(checks).buffer_unordered(AT_ONCE).collect::<Vec<_>>(),
                )
            }));
            rest = later;
        }
        let mut found = Vec::new();
        for thread in threads {
            // A thread that fails leaves its mails unchecked.
            found.extend(thread.await.unwrap_or_default());
        }
        found
    }

    /// Checks one mail; one that takes too long or makes a check panic stays unchecked.
    async fn ask(&self, question: &Question, bounds: Bounds) -> Authentication {
        let asking = evidence::authentication(&self.resolver, &self.options, question, bounds.apart);
        match tokio::time::timeout_at(bounds.all, AssertUnwindSafe(asking).catch_unwind()).await {
            // Servers that only answer with failures are as good as unavailable.
            Ok(Ok(authentication)) if !authentication.is_checked => {
                self.rest.missed();
                authentication
            }
            Ok(Ok(authentication)) => {
                self.rest.answered();
                authentication
            }
            Ok(Err(_)) => {
                tracing::error!("Checking the sender of a mail panicked: it counts as unchecked");
                Authentication::unchecked()
            }
            Err(_) => {
                self.rest.missed();
                Authentication::unchecked()
            }
        }
    }
}

impl Engine {
    /// What is known of one mail's sender, asked the way the sorter asks; unchecked when senders are not authenticated.
    pub(crate) async fn authentication(
        &self,
        raw: &[u8],
        envelope: &Envelope,
        letter: &Letter,
    ) -> Authentication {
        let Some(authenticator) = &self.inner.authenticator else { return Authentication::unchecked() };
        let envelope = Arc::new(envelope.clone());
        let subject = Subject { envelope, raw: Arc::new(raw.to_vec()), letter: Arc::new(letter.clone()) };
        authenticator.check_all(vec![subject]).await.pop().unwrap_or_default()
    }
}

/// Whether a letter has the one author that the checks and its readers agree on. Where it names several, a signature
/// may be about an author other than the one shown.
fn is_unambiguous(letter: &Letter, from: &AddressKey) -> bool {
    let one_domain =
        letter.from.iter().all(|mailbox| mailbox.key().is_some_and(|key| key.domain() == from.domain()));
    one_domain && !letter.defects.contains(&Defect::RepeatedFrom)
}

/// Discards what speaks for a mail whose author is unclear: it may be about an author other than the one shown. What
/// speaks against it stays, or a forger would only have to write From twice.
fn without_passes(found: Authentication) -> Authentication {
    let found = Authentication { arc: Check::None, ..found };
    match found.is_authenticated() {
        true => Authentication { spf_aligned: false, dkim_aligned: false, dmarc: Check::PermError, ..found },
        false => found,
    }
}

/// Whether SPF records can speak of an address: not of this machine, nor of a private network.
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => !(v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified()),
        IpAddr::V6(v6) => {
            !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified())
        }
    }
}

fn resolver(options: &AuthenticateOptions, set: fn(&mut ResolverOpts)) -> anyhow::Result<TokioResolver> {
    let mut builder = if options.dns_servers.is_empty() {
        TokioResolver::builder_tokio()
            .context("read the system's name servers; set dns.servers to name some")?
    } else {
        let servers = options.dns_servers.iter().map(name_server).collect();
        TokioResolver::builder_with_config(
            ResolverConfig::from_name_servers(servers),
            TokioRuntimeProvider::default(),
        )
    };
    set(builder.options_mut());
    builder.build().context("prepare to ask name servers")
}

fn set_fresh(options: &mut ResolverOpts) {
    options.cache_size = 0;
}

fn set(options: &mut ResolverOpts) {
    options.timeout = ANSWER;
    options.attempts = ATTEMPTS;
    options.cache_size = ANSWERS_KEPT;
    // TXT records with keys are long.
    options.edns0 = true;
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.to_vec())
}

#[cfg(test)]
mod tests;
