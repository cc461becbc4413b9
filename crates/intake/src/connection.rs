//! One connection: carries bytes between a socket and the dialogue, and does what its steps say.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use desk::envelope::{Door, Envelope};
use desk::id::{AccountId, MailId};
use smtp::{MailAnswer, Protocol, Recipient, RecipientAnswer, Session, Step, Transaction};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::memory::Share;
use crate::parcel::Parcel;
use crate::shared::Shared;

/// Bytes read at once.
const READ_BYTES: usize = 32 * 1024;
/// Time for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// Time for a client to take our replies.
const WRITE: Duration = Duration::from_secs(60);

/// The peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// None on a unix socket.
    pub(crate) ip: Option<IpAddr>,
    /// Whether its hop headers are believed.
    pub(crate) trusted: bool,
}

/// The socket, in clear or not.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
    /// Gone after a failed handshake.
    Gone,
}

trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

impl Stream {
    fn socket(&mut self) -> Option<&mut dyn Socket> {
        match self {
            Stream::Tcp(stream) => Some(stream),
            Stream::Tls(stream) => Some(stream.as_mut()),
            Stream::Unix(stream) => Some(stream),
            Stream::Gone => None,
        }
    }
}

/// Why a connection ends.
enum End {
    /// As the dialogue decided.
    Said,
    /// The peer went away or cannot be written to.
    Lost,
}

/// A running connection.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    session: Session,
    stream: Stream,
    peer: Peer,
    /// Accounts of the recipients looked up so far in this transaction.
    accounts: BTreeMap<String, AccountId>,
    /// Memory for what was read and not yet processed.
    share: Share,
    /// When the mail in hand began.
    mail_since: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(shared: Arc<Shared>, session: Session, stream: Stream, peer: Peer) -> Connection {
        let share = shared.intake.memory.share();
        Connection { shared, session, stream, peer, accounts: BTreeMap::new(), share, mail_since: None }
    }

    /// Runs the dialogue to its end.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut buffer = vec![0; READ_BYTES];
        let mut stopping = false;
        loop {
            match self.session.step() {
                Step::NeedInput => {
                    let end = self.exchange(&mut buffer, &stop, &mut stopping).await;
                    if matches!(end, Err(End::Lost)) {
                        return;
                    }
                }
                Step::CheckRecipient(recipient) => {
                    let answer = self.check(&recipient).await;
                    self.session.recipient(answer);
                }
                Step::Mail(transaction) => {
                    let answers = self.take(transaction).await;
                    self.session.accepted_each(&answers);
                }
                Step::StartTls => {
                    if matches!(self.start_tls().await, Err(End::Lost)) {
                        return;
                    }
                }
                Step::Close => {
                    let _ = self.flush().await;
                    if let Some(socket) = self.stream.socket() {
                        // TLS writes its goodbye, which a client that reads nothing never takes.
                        let _ = tokio::time::timeout(WRITE, socket.shutdown()).await;
                    }
                    return;
                }
            }
        }
    }

    /// Writes what waits and reads what comes.
    async fn exchange(
        &mut self,
        buffer: &mut [u8],
        stop: &CancellationToken,
        stopping: &mut bool,
    ) -> Result<(), End> {
        self.flush().await?;
        let in_hand = self.session.has_mail_in_hand();
        let until = self.patience(in_hand);
        let Some(socket) = self.stream.socket() else { return Err(End::Lost) };
        tokio::select! {
            biased;
            // A mail that is coming in is finished first; a client that stalls is cut off when the time for stopping is
            // over.
            () = stop.cancelled(), if !*stopping && !in_hand => {
                *stopping = true;
                self.session.shutdown();
                Err(End::Said)
            }
            read = tokio::time::timeout_at(until, socket.read(buffer)) => match read {
                Ok(Ok(0) | Err(_)) => Err(End::Lost),
                Ok(Ok(count)) => {
                    self.session.push(buffer.get(..count).unwrap_or_default());
                    self.keep_within_room();
                    Ok(())
                }
                Err(_) => {
                    self.session.timed_out();
                    Err(End::Said)
                }
            }
        }
    }

    /// How long to wait for more: a client may be slow, but each of its mails must come to an end.
    fn patience(&mut self, in_hand: bool) -> Instant {
        let now = Instant::now();
        let idle = now + Duration::from_millis(self.shared.options.idle_ms);
        self.mail_since = self.mail_since.or(Some(now)).filter(|_| in_hand);
        match self.mail_since {
            Some(since) => idle.min(since + Duration::from_millis(self.shared.options.mail_ms)),
            None => idle,
        }
    }

    /// Gives up the mail that is coming in when all mails together take too much memory.
    fn keep_within_room(&mut self) {
        if !self.share.hold(self.session.buffered_bytes()) {
            tracing::warn!("A mail is refused for now: too many large mails are coming in at once");
            self.session.out_of_room();
            self.share.hold(self.session.buffered_bytes());
        }
    }

    async fn flush(&mut self) -> Result<(), End> {
        let output = self.session.take_output();
        if output.is_empty() {
            return Ok(());
        }
        let Some(socket) = self.stream.socket() else { return Err(End::Lost) };
        let write = async {
            socket.write_all(&output).await?;
            socket.flush().await
        };
        match tokio::time::timeout(WRITE, write).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Lost),
        }
    }

    async fn start_tls(&mut self) -> Result<(), End> {
        self.flush().await?;
        let (Some(acceptor), Stream::Tcp(stream)) =
            (self.shared.acceptor.clone(), std::mem::replace(&mut self.stream, Stream::Gone))
        else {
            return Err(End::Lost);
        };
        match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                self.stream = Stream::Tls(Box::new(stream));
                self.session.tls_started();
                Ok(())
            }
            Ok(Err(error)) => {
                tracing::info!(%error, "A TLS handshake failed");
                Err(End::Lost)
            }
            Err(_) => Err(End::Lost),
        }
    }

    async fn check(&mut self, recipient: &Recipient) -> RecipientAnswer {
        let found = match recipient {
            Recipient::Address { address, .. } => self.shared.intake.directory.account_of(address).await,
            Recipient::Postmaster => self.shared.intake.directory.postmaster().await,
        };
        match found {
            Ok(Some(account)) => {
                // A client that resets again and again must not make this grow.
                if self.accounts.len() > self.shared.options.limits.recipients {
                    self.accounts.clear();
                }
                self.accounts.insert(recipient.as_written().to_owned(), account);
                RecipientAnswer::Accepted
            }
            Ok(None) => RecipientAnswer::Unknown,
            Err(error) => {
                tracing::warn!(%error, "A recipient could not be looked up");
                RecipientAnswer::Temporary
            }
        }
    }

    /// Makes a mail durable.
    async fn take(&mut self, transaction: Transaction) -> Vec<MailAnswer> {
        let answer = match self.spool(transaction).await {
            Ok(id) => MailAnswer::Accepted { id: id.to_string() },
            Err(error) => {
                tracing::warn!(%error, "A mail was not taken: the client is asked to try again");
                MailAnswer::Temporary
            }
        };
        self.accounts.clear();
        self.mail_since = None;
        self.share.hold(self.session.buffered_bytes());
        vec![answer]
    }

    async fn spool(&mut self, mut transaction: Transaction) -> store::Result<MailId> {
        let raw = std::mem::take(&mut transaction.raw);
        let mut by_account: BTreeMap<AccountId, Vec<String>> = BTreeMap::new();
        for recipient in &transaction.recipients {
            let account = self.account_again(recipient).await?;
            let recipients = by_account.entry(account).or_default();
            let written = recipient.as_written().to_owned();
            if !recipients.contains(&written) {
                recipients.push(written);
            }
        }
        let envelope = self.envelope(&transaction);
        self.shared.intake.take(Parcel { raw, envelope, recipients: by_account }).await
    }

    async fn account_again(&self, recipient: &Recipient) -> store::Result<AccountId> {
        if let Some(account) = self.accounts.get(recipient.as_written()) {
            return Ok(*account);
        }
        let found = match recipient {
            Recipient::Address { address, .. } => self.shared.intake.directory.account_of(address).await?,
            Recipient::Postmaster => self.shared.intake.directory.postmaster().await?,
        };
        found.ok_or(store::StoreError::Changed("a recipient"))
    }

    /// The envelope without its recipients.
    fn envelope(&self, transaction: &Transaction) -> Envelope {
        let door = match transaction.protocol {
            Protocol::Smtp => Door::Smtp,
            Protocol::Lmtp => Door::Lmtp,
        };
        Envelope {
            door,
            client: self.peer.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            helo: transaction.helo.clone(),
            mail_from: transaction.mail_from.as_ref().map(|_| transaction.mail_from_as_written.clone()),
            recipients: Vec::new(),
            trusted: self.peer.trusted,
            tls: transaction.tls,
        }
    }
}
