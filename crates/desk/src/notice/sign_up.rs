//! To somebody unknown: only registered people may write.

use super::{Content, Letter, Notice, Party};
use crate::account::Account;
use crate::id::BrandId;

/// Tells somebody unknown that only registered people may write. Repeats nothing of their message.
#[must_use]
pub fn sign_up(
    account: &Account,
    brand: BrandId,
    recipient: &str,
    to: Party,
    in_reply_to: Option<String>,
) -> Option<Content> {
    let sender = account.sender_for(recipient, brand)?;
    let name = account.brand(brand).map_or(account.name.as_str(), |brand| brand.name.as_str());
    let letter = Letter {
        subject: format!("[{name}] Please sign up to write to us"),
        text: format!(
            "Your mail arrived, but {name} takes mail from registered people only, so nobody has read it yet.\n\n\
             Please ask {name} to register this address, then send your mail again.\n"
        ),
    };
    Content::from_desk(account, brand, sender, to, Notice::SignUp { letter, in_reply_to })
}
