//! To the address an account chose: what was held lately.

use super::{Content, Letter, Notice, Party};
use crate::account::Account;

/// The digest of suspended tickets, from the default brand's own address; none when the account has none.
#[must_use]
pub fn digest(account: &Account, to: &str, letter: Letter) -> Option<Content> {
    let brand = account.default_brand()?.id;
    let system = account.addresses().find(|address| address.brand_id == brand && address.is_system);
    let sender = system.or_else(|| account.default_address(brand))?;
    let to = Party { name: String::new(), address: to.to_owned() };
    Content::from_desk(account, brand, sender, to, Notice::Digest { letter })
}
