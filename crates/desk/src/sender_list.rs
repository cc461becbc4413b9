//! Allow list and block list of senders (docs/behaviour/senders.md §1).
//!
//! A list is parsed once, when the account is loaded. Asking it takes one look-up for the address and one for
//! each label of its domain, whatever the length of the list.

use std::borrow::Cow;
use std::collections::BTreeMap;

use mail::address::{AddressError, AddressKey};

/// The most characters a list may have, spaces included.
pub const LIST_CHARACTERS: usize = 10_000;

/// How much of a bad entry is repeated to its author, in characters.
const ENTRY_SHOWN: usize = 100;

/// A parsed allow list or block list; the default one is empty and matches nobody.
///
/// Entries are separated by spaces or line ends: `user@host`, a bare `host` that covers its sub-domains, `*`
/// for everybody, and in a block list `suspend:` or `reject:` before an address or host. Hosts compare as
/// A-labels, so that both spellings of an international domain match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderList {
    addresses: BTreeMap<String, Marks>,
    hosts: BTreeMap<String, Marks>,
    everybody: bool,
}

/// The forms in which one address or host is listed, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Marks {
    plain: Option<String>,
    suspend: Option<String>,
    reject: Option<String>,
}

/// Why a text is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SenderListError {
    /// It is longer than [`LIST_CHARACTERS`].
    #[error(
        "the list has {characters} characters, more than {LIST_CHARACTERS}; name whole hosts instead of single addresses"
    )]
    TooLong {
        /// How many it has.
        characters: usize,
    },
    /// One entry cannot be read.
    #[error("{entry:?}: {why}")]
    Entry {
        /// The entry, at most 100 characters of it.
        entry: String,
        /// What is wrong with it.
        #[source]
        why: EntryError,
    },
}

/// Why an entry is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Something other than `suspend:` or `reject:` precedes a colon.
    #[error("only suspend: and reject: may stand before an address or host")]
    UnknownKeyword,
    /// A keyword in a list that cannot have any.
    #[error("suspend: and reject: belong into the block list")]
    KeywordInAllowList,
    /// Nothing follows the keyword, without a space between them.
    #[error("an address or host must follow the colon, without a blank")]
    NothingNamed,
    /// `*` together with anything else.
    #[error("* stands alone and means everybody; a host without * covers all its addresses and sub-domains")]
    Wildcard,
    /// `@host`, as some other lists have it.
    #[error("write the host without the @; it covers all its addresses and sub-domains")]
    BareAt,
    /// A comma or semicolon at the edge of the entry.
    #[error("entries are separated by spaces, not by commas or semicolons")]
    Separator,
    /// Not an address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Neither an address nor a host name.
    #[error("this is neither an address nor a host name")]
    Host,
}

/// What the two lists say of a sender; `entry` is the entry that decided, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// On the allow list, or of an organization's domain.
    Allowed {
        /// The entry, or the organization's domain.
        entry: String,
    },
    /// To be held as suspended.
    Suspend {
        /// The entry.
        entry: String,
    },
    /// To be discarded; the ledger keeps why.
    Reject {
        /// The entry.
        entry: String,
    },
    /// On neither list.
    Unlisted,
}

impl Listed {
    /// Whether the allow list names this very sender, by an address rather than a host, `*` or an
    /// organization's domain.
    #[must_use]
    pub fn is_allowed_by_address(&self) -> bool {
        matches!(self, Listed::Allowed { entry } if entry.contains('@'))
    }
}

/// Which of the two lists a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Allow,
    Block,
}

#[derive(Clone, Copy)]
enum Form {
    Plain,
    Suspend,
    Reject,
}

impl SenderList {
    /// Reads a block list, or the list of those who never become a CC.
    ///
    /// # Errors
    /// Names the first bad entry and what is wrong with it, or says that the list is longer than
    /// [`LIST_CHARACTERS`].
    pub fn parse(text: &str) -> Result<SenderList, SenderListError> {
        SenderList::read(text, Side::Block)
    }

    /// Reads an allow list, where the keywords have no place.
    ///
    /// # Errors
    /// As [`SenderList::parse`].
    pub fn parse_allow(text: &str) -> Result<SenderList, SenderListError> {
        SenderList::read(text, Side::Allow)
    }

    fn read(text: &str, side: Side) -> Result<SenderList, SenderListError> {
        let characters = text.chars().count();
        if characters > LIST_CHARACTERS {
            return Err(SenderListError::TooLong { characters });
        }
        let mut list = SenderList::default();
        for entry in text.split_whitespace() {
            let shown = || entry.chars().take(ENTRY_SHOWN).collect();
            list.add(entry, side).map_err(|why| SenderListError::Entry { entry: shown(), why })?;
        }
        Ok(list)
    }

    fn add(&mut self, entry: &str, side: Side) -> Result<(), EntryError> {
        if entry == "*" {
            self.everybody = true;
            return Ok(());
        }
        if entry.starts_with([',', ';']) || entry.ends_with([',', ';']) {
            return Err(EntryError::Separator);
        }
        let (form, named) = keyword(entry)?;
        if side == Side::Allow && !matches!(form, Form::Plain) {
            return Err(EntryError::KeywordInAllowList);
        }
        let marks = if named.contains('@') {
            self.addresses.entry(address_of(named)?).or_default()
        } else {
            self.hosts.entry(host_of(named)?).or_default()
        };
        let kept = match form {
            Form::Plain => &mut marks.plain,
            Form::Suspend => &mut marks.suspend,
            Form::Reject => &mut marks.reject,
        };
        kept.get_or_insert_with(|| entry.to_owned());
        Ok(())
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.hosts.is_empty() && !self.everybody
    }

    /// The most specific entry that names the address in whatever form, `*` last: whom a list of CCs that are
    /// not wanted covers.
    #[must_use]
    pub fn covering(&self, address: &AddressKey) -> Option<&str> {
        let named = self
            .marks(address)
            .find_map(|marks| marks.plain.as_ref().or(marks.suspend.as_ref()).or(marks.reject.as_ref()));
        named.map(String::as_str).or_else(|| self.everybody.then_some("*"))
    }

    /// What the list says about an address: itself, itself without its `+detail`, its host, then each parent
    /// domain.
    fn marks(&self, address: &AddressKey) -> impl Iterator<Item = &Marks> {
        let domain = ascii_domain(address.domain());
        let exact = match (&domain, self.addresses.is_empty()) {
            (_, true) => None,
            (Cow::Borrowed(_), false) => self.addresses.get(address.as_str()),
            (Cow::Owned(domain), false) => self.addresses.get(&format!("{}@{domain}", address.local())),
        };
        let base = address.detail().filter(|_| !self.addresses.is_empty());
        let base = base.and_then(|_| self.addresses.get(&format!("{}@{domain}", address.base().local())));
        let hosts: Vec<&Marks> = if self.hosts.is_empty() {
            vec![]
        } else {
            parents(&domain).filter_map(|host| self.hosts.get(host)).collect()
        };
        exact.into_iter().chain(base).chain(hosts)
    }
}

/// What the lists of an account say of a sender (the address in From).
///
/// `is_known`: the sender is a person of the desk already; `*` in the block list suspends only those who are
/// not. `organization_domain`: their domain, when an organization has it; it counts as allowed.
///
/// A keyword outranks the allow list, the allow list outranks plain entries and `*`, and where a suspending
/// and a rejecting entry both apply the message is suspended: of two wishes the one that people can still
/// look at.
#[must_use]
pub fn verdict(
    allow: &SenderList,
    block: &SenderList,
    sender: &AddressKey,
    is_known: bool,
    organization_domain: Option<&str>,
) -> Listed {
    let allowed = allow.covering(sender).or(organization_domain).map(str::to_owned);
    let mut plain = None;
    let mut suspend = None;
    let mut reject = None;
    for marks in block.marks(sender) {
        plain = plain.or(marks.plain.as_ref());
        suspend = suspend.or(marks.suspend.as_ref());
        reject = reject.or(marks.reject.as_ref());
    }
    let suspended = suspend.or_else(|| plain.filter(|_| allowed.is_none())).cloned();
    let is_stranger = block.everybody && !is_known && allowed.is_none();
    let suspended = suspended.or_else(|| is_stranger.then(|| "*".to_owned()));
    match (suspended, reject, allowed) {
        (Some(entry), ..) => Listed::Suspend { entry },
        (None, Some(entry), _) => Listed::Reject { entry: entry.clone() },
        (None, None, Some(entry)) => Listed::Allowed { entry },
        (None, None, None) => Listed::Unlisted,
    }
}

fn keyword(entry: &str) -> Result<(Form, &str), EntryError> {
    // The colon of an address literal, as in `[IPv6:…]`, comes after its bracket.
    let before_literal = entry.split('[').next().unwrap_or_default();
    let Some((keyword, _)) = before_literal.split_once(':') else { return Ok((Form::Plain, entry)) };
    let named = entry.get(keyword.len().saturating_add(1)..).unwrap_or_default();
    let form = match keyword.to_ascii_lowercase().as_str() {
        "suspend" => Form::Suspend,
        "reject" => Form::Reject,
        _ => return Err(EntryError::UnknownKeyword),
    };
    if named.is_empty() { Err(EntryError::NothingNamed) } else { Ok((form, named)) }
}

fn address_of(text: &str) -> Result<String, EntryError> {
    if text.starts_with('@') {
        return Err(EntryError::BareAt);
    }
    if text.starts_with("*@") {
        return Err(EntryError::Wildcard);
    }
    let key = AddressKey::parse(text)?;
    Ok(format!("{}@{}", key.local(), ascii_domain(key.domain())))
}

fn host_of(text: &str) -> Result<String, EntryError> {
    if text.contains('*') {
        return Err(EntryError::Wildcard);
    }
    // Whatever can be the domain of a sender can be an entry, so the address parser reads it.
    let key = AddressKey::parse(&format!("a@{text}")).map_err(|_| EntryError::Host)?;
    Ok(ascii_domain(key.domain()).into_owned())
}

/// A domain as A-labels (RFC 5891 §4); what cannot be written so stays as it is. Lower-case in, lower-case
/// out.
#[must_use]
pub fn ascii_domain(domain: &str) -> Cow<'_, str> {
    if domain.is_ascii() {
        return Cow::Borrowed(domain);
    }
    idna::domain_to_ascii(domain).map_or(Cow::Borrowed(domain), Cow::Owned)
}

/// The domain itself, then the part after each of its dots.
fn parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |host| host.split_once('.').map(|(_, parent)| parent))
}

#[cfg(test)]
mod tests;
