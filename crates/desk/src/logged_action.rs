//! What the event log of an account tells: who changed what of its configuration.

use crate::str_enum::open_str_enum;

open_str_enum! {
    /// A change of an account's configuration.
    pub enum LoggedAction {
        /// The account was created.
        AccountCreated = "account.created",
        /// A brand was created.
        BrandCreated = "brand.created",
        /// Settings were changed.
        SettingsChanged = "settings.changed",
        /// A support address was added.
        AddressAdded = "address.added",
        /// A support address was removed.
        AddressRemoved = "address.removed",
        /// A user was added.
        UserAdded = "user.added",
    }
}
