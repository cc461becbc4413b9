//! Message-IDs of mail in and out, and those only seen in References: which ticket each belongs to.

use std::collections::{BTreeMap, BTreeSet};

use desk::changes::RememberedId;
use desk::facts::{IdKind, KnownId, Met};
use desk::id::{MailId, OutgoingId, TicketId};

use crate::error::Result;
use crate::sql::Sql as _;
use crate::tx::Asked;
use crate::{AccountTx, Value, values};

/// The columns that a decision asks for.
const COLUMNS: &str = "message_id, kind, ticket_id, mail_id, fingerprint";

/// The hash by which a Message-ID is found.
#[must_use]
pub fn hash(message_id: &str) -> i64 {
    let hash = blake3::hash(message_id.as_bytes());
    let mut eight = [0; 8];
    for (to, from) in eight.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    i64::from_le_bytes(eight)
}

/// Remembers Message-IDs. The id of a mail that was only seen in References gives way to the mail itself.
///
/// # Errors
/// As the database says.
pub(crate) fn remember(tx: &mut AccountTx<'_, '_>, ids: &[RememberedId]) -> Result<()> {
    // One statement may touch a key only once: of an id met several times in a batch, the real mail counts.
    let mut by_hash = BTreeMap::new();
    for id in ids {
        by_hash.insert(hash(&id.message_id), id);
    }
    let rows: Vec<_> = by_hash
        .iter()
        .map(|(hash, id)| {
            let fingerprint = id.fingerprint.as_ref().map(<[u8; 16]>::as_slice);
            let (kind, mail_id) = columns(id.met);
            values![*hash, &id.message_id, kind, id.ticket_id, mail_id, fingerprint]
        })
        .collect();
    let sql = format!(
        "INSERT INTO message_ids (account_id, hash, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (account_id, hash) DO UPDATE
         SET kind = excluded.kind, ticket_id = excluded.ticket_id, mail_id = excluded.mail_id,
             fingerprint = excluded.fingerprint
         WHERE message_ids.message_id = excluded.message_id
             AND (message_ids.kind = 'seen' AND excluded.kind <> 'seen'
                  OR message_ids.kind = 'in' AND excluded.kind = 'in' AND message_ids.mail_id = excluded.mail_id)"
    );
    tx.insert_rows(&sql, &rows)
}

/// Asks for Message-IDs; [`known`] reads the answer.
pub(crate) fn ask(tx: &mut AccountTx<'_, '_>, ids: &BTreeSet<String>) -> Result<Asked> {
    let list: Vec<Value<'_>> = ids.iter().map(|id| Value::Int(hash(id))).collect();
    let sql = format!("SELECT {COLUMNS} FROM message_ids WHERE account_id = $1 AND hash IN ($2..)");
    tx.ask_in(&sql, &[], &list)
}

/// Those of the Message-IDs that are known.
pub(crate) fn known(
    tx: &mut AccountTx<'_, '_>,
    asked: Asked,
    ids: &BTreeSet<String>,
) -> Result<BTreeMap<String, KnownId>> {
    let mut known = BTreeMap::new();
    for mut row in tx.rows(asked)? {
        let message_id = row.text()?;
        let kind: IdKind = row.word()?;
        let ticket = row.maybe_int()?.map(TicketId);
        let met = met(kind, row.int()?);
        let fingerprint = row.maybe_bytes()?.and_then(|bytes| <[u8; 16]>::try_from(bytes.as_slice()).ok());
        // The hash is only the key; the text decides.
        if ids.contains(&message_id) {
            known.insert(message_id, KnownId { met, ticket, fingerprint });
        }
    }
    Ok(known)
}

/// What the columns `kind` and `mail_id` say of the message that an id was met on.
fn columns(met: Met) -> (&'static str, i64) {
    let mail_id = match met {
        Met::In(id) | Met::Seen(id) => id.0,
        Met::Out(id) => id.0,
    };
    (met.kind().as_str(), mail_id)
}

/// The message that these columns are about: `mail_id` is an id of the table that `kind` says.
fn met(kind: IdKind, mail_id: i64) -> Met {
    match kind {
        IdKind::In => Met::In(MailId(mail_id)),
        IdKind::Out => Met::Out(OutgoingId(mail_id)),
        IdKind::Seen => Met::Seen(MailId(mail_id)),
    }
}
