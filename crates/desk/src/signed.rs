//! Signed ids: our messages carry them so that a bounce can be matched and nobody can forge one.

use crate::id::AccountId;

/// Bytes of the keyed hash that are kept: 80 bits.
const MAC_BYTES: usize = 10;
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The desk's signing keys, newest first; the first signs, all verify. 32 bytes each.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKeys(Vec<[u8; 32]>);

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKeys({})", self.0.len())
    }
}

/// What a signed id is for; a mark of one purpose is worth nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The `X-Guichet-Mail` header: an outgoing mail.
    Mail,
    /// The envelope sender: one recipient's row in the outbox.
    Bounce,
}

impl SigningKeys {
    /// Keys, newest first. None when there is no key at all: nothing could be signed.
    #[must_use]
    pub fn new(keys: Vec<[u8; 32]>) -> Option<SigningKeys> {
        (!keys.is_empty()).then_some(SigningKeys(keys))
    }

    /// Writes an id with its signature: `{id}-{mac}`, lower-case letters and digits, fit for a local part.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, account_id: AccountId, id: i64) -> String {
        let mac = self.0.first().map(|key| mac(key, purpose, account_id, id)).unwrap_or_default();
        format!("{id}-{mac}")
    }

    /// Reads what [`SigningKeys::sign`] wrote, in any case; none when the signature is not ours.
    #[must_use]
    pub fn verify(&self, purpose: Purpose, account_id: AccountId, signed: &str) -> Option<i64> {
        let (digits, given) = signed.trim().split_once('-')?;
        let id: i64 = digits.parse().ok().filter(|id| *id > 0)?;
        let given = given.to_ascii_lowercase();
        self.0.iter().any(|key| same(&mac(key, purpose, account_id, id), &given)).then_some(id)
    }
}

fn mac(key: &[u8; 32], purpose: Purpose, account_id: AccountId, id: i64) -> String {
    let label = match purpose {
        Purpose::Mail => "mail",
        Purpose::Bounce => "bounce",
    };
    let hash = blake3::keyed_hash(key, format!("{label} {account_id} {id}").as_bytes());
    let mut bits = 0_u128;
    for byte in hash.as_bytes().iter().take(MAC_BYTES) {
        bits = bits << 8 | u128::from(*byte);
    }
    (0..MAC_BYTES * 8 / 5)
        .filter_map(|at| DIGITS.get((bits >> (at * 5) & 31) as usize))
        .map(|digit| char::from(*digit))
        .collect()
}

/// Compares in a time that does not depend on where the texts differ.
fn same(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.bytes().zip(right.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_holds_for_its_purpose_account_and_id_alone() {
        let keys = SigningKeys::new(vec![[7; 32]]).unwrap();
        let mark = keys.sign(Purpose::Bounce, AccountId(3), 99);
        assert_eq!(keys.verify(Purpose::Bounce, AccountId(3), &mark), Some(99));
        assert_eq!(keys.verify(Purpose::Bounce, AccountId(3), &mark.to_uppercase()), Some(99));
        assert_eq!(keys.verify(Purpose::Mail, AccountId(3), &mark), None);
        assert_eq!(keys.verify(Purpose::Bounce, AccountId(4), &mark), None);
        assert_eq!(keys.verify(Purpose::Bounce, AccountId(3), &mark.replace("99-", "98-")), None);
        for junk in ["", "-", "99", "99-", "-5-x", "99-é"] {
            assert_eq!(keys.verify(Purpose::Bounce, AccountId(3), junk), None, "{junk}");
        }
    }

    #[test]
    fn an_older_key_still_verifies() {
        let old = SigningKeys::new(vec![[1; 32]]).unwrap();
        let both = SigningKeys::new(vec![[2; 32], [1; 32]]).unwrap();
        assert_eq!(
            both.verify(Purpose::Mail, AccountId(1), &old.sign(Purpose::Mail, AccountId(1), 5)),
            Some(5)
        );
        assert_eq!(old.verify(Purpose::Mail, AccountId(1), &both.sign(Purpose::Mail, AccountId(1), 5)), None);
    }
}
