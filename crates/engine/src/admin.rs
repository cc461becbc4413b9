//! The configuration of accounts: every change checked by the desk, written with a line in the event log.
//!
//! One file for each noun, with what may be refused there; whatever is refused changes nothing.

mod account;
mod address;
mod brand;
mod name;
mod setting;
mod token;
mod user;

use desk::account::Account;
use desk::clock::Millis;
use desk::logged_action::LoggedAction;
use rand::Rng as _;
use store::AccountTx;
use store::account_state::{self, State};

pub use account::{AccountError, AccountFlaw, AccountRequest, CreateAccountError, CreatedAccount};
pub use address::AddressError;
pub use brand::BrandError;
pub use name::NameError;
pub use setting::SettingError;
pub use token::TokenError;
pub use user::{AddedUser, UserError};

use crate::accounts;

/// An account under its lock, with its configuration as it is in the same transaction.
struct Locked {
    state: State,
    versioned: accounts::Versioned,
}

impl Locked {
    fn account(&self) -> &Account {
        self.versioned.account()
    }
}

fn locked(tx: &mut AccountTx<'_, '_>) -> store::Result<Locked> {
    let state = account_state::lock(tx)?;
    Ok(Locked { state, versioned: accounts::load(tx)? })
}

/// A line in the event log of what the operator did.
fn log(
    tx: &mut AccountTx<'_, '_>,
    event_id: i64,
    action: &LoggedAction,
    detail: &str,
    now: Millis,
) -> store::Result<()> {
    store::event_log::insert(tx, event_id, "operator", action, detail, now)
}

fn random_secret() -> String {
    let mut bytes = [0_u8; 24];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
