//! What would become of a mail, and why: the same parser, facts and verdict as intake, nothing written.

use desk::envelope::Envelope;
use desk::facts::{Inbound, Questions};
use desk::id::MailId;
use desk::verdict::{Decision, decide};
use mail::address::AddressKey;
use mail::letter::Letter;
use store::{Result, StoreError};

use crate::Engine;

/// An explained mail.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The account's subdomain.
    pub account: String,
    /// What the parser saw.
    pub letter: Letter,
    /// What the desk decided.
    pub decision: Decision,
}

impl Engine {
    /// Decides a mail without writing anything. None when no recipient is known here: SMTP would refuse it.
    ///
    /// # Errors
    /// As the store says.
    pub async fn explain(&self, raw: &[u8], envelope: Envelope) -> Result<Option<Explained>> {
        let letter = Letter::parse(raw);
        let (engine, accepted_at) = (self.clone(), self.now());
        let shared = letter.clone();
        let found = self
            .store()
            .read(move |tx| {
                let recipients = envelope.recipients.iter().filter_map(|text| AddressKey::parse(text).ok());
                let mut account_id = None;
                for key in recipients {
                    account_id = store::directory::account_of(tx, &key)?;
                    if account_id.is_some() {
                        break;
                    }
                }
                let Some(account_id) = account_id else { return Ok(None) };
                let (_, account) = store::account::load(tx, account_id)?.ok_or(StoreError::Changed("the account"))?;
                let mut questions = Questions::default();
                questions.add(&account, engine.keys(), &envelope, &shared);
                let facts = store::facts::load(tx, account_id, &questions)?;
                let inbound = Inbound { id: MailId(0), accepted_at, envelope: &envelope, letter: &shared };
                Ok(Some((account.subdomain.clone(), decide(&account, engine.keys(), &facts, &inbound))))
            })
            .await?;
        Ok(found.map(|(account, decision)| Explained { account, letter, decision }))
    }
}
