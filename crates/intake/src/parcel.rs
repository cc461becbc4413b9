//! A mail from a door without a dialogue: its recipients are found, then it is spooled for each account they belong to.

use std::collections::BTreeMap;
use std::sync::Arc;

use desk::envelope::Envelope;
use desk::id::{AccountId, MailId};
use mail::address::{AddressError, AddressKey};
use store::StoreError;
use store::spool::NewMail;

use crate::Intake;

/// Recipients by the account they belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// As written, each once, in order.
    pub by_account: BTreeMap<AccountId, Vec<String>>,
    /// Those nobody has; SMTP would refuse them with 550 5.1.1.
    pub unknown: Vec<String>,
}

/// A recipient that cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum RecipientError {
    /// It is no address.
    #[error("{written:?} is not an e-mail address")]
    Malformed {
        /// As it was given.
        written: String,
        /// What is wrong with it.
        #[source]
        error: AddressError,
    },
    /// The directory cannot be asked now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A mail about to be taken.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Its bytes.
    pub raw: Vec<u8>,
    /// What stands in for SMTP's envelope; the recipients are filled in for each account.
    pub envelope: Envelope,
    /// Whom it is for, not empty.
    pub recipients: BTreeMap<AccountId, Vec<String>>,
}

impl Intake {
    /// Looks recipients up, as SMTP does at RCPT.
    ///
    /// # Errors
    /// One that is no address, or the store's.
    pub async fn recipients(&self, written: &[String]) -> Result<Recipients, RecipientError> {
        let mut found = Recipients::default();
        for text in written.iter().map(|text| text.trim()) {
            let key = AddressKey::parse(text)
                .map_err(|error| RecipientError::Malformed { written: text.to_owned(), error })?;
            let list = match self.directory.account_of(&key).await? {
                Some(account_id) => found.by_account.entry(account_id).or_default(),
                None => &mut found.unknown,
            };
            if !list.iter().any(|known| known == text) {
                list.push(text.to_owned());
            }
        }
        Ok(found)
    }

    /// Makes a mail durable, a copy for each account, in one transaction; returns the first copy's id.
    ///
    /// # Errors
    /// The store's; nothing is kept then.
    pub async fn take(&self, parcel: Parcel) -> store::Result<MailId> {
        let Parcel { raw, envelope, recipients } = parcel;
        let raw = Arc::new(raw);
        let accepted_at = self.clock.now();
        let mut ids = self.store.ids(recipients.len()).await?;
        let mut mails = Vec::with_capacity(recipients.len());
        for (account_id, recipients) in recipients {
            let id = MailId(ids.next()?);
            let packed = self.store.pack_mail(account_id, id, &raw).await?;
            let envelope = written(&Envelope { recipients, ..envelope.clone() })?;
            mails.push(NewMail { account_id, id, accepted_at, envelope, packed });
        }
        let taken: Vec<(AccountId, MailId)> = mails.iter().map(|mail| (mail.account_id, mail.id)).collect();
        let first = taken.first().map(|(_, id)| *id).ok_or(StoreError::Changed("the recipients"))?;
        self.spooler.spool(mails).await?;
        metrics::counter!("guichet_mails_accepted_total").increment(taken.len() as u64);
        for (account_id, id) in &taken {
            tracing::info!(
                account.id = account_id.0,
                mail.id = id.0,
                size_bytes = raw.len(),
                "Accepted mail {id}"
            );
        }
        Ok(first)
    }
}

/// An envelope as it is stored.
pub(crate) fn written(envelope: &Envelope) -> store::Result<String> {
    serde_json::to_string(envelope).map_err(|error| StoreError::Statement(error.to_string()))
}
