//! The settings of an account, and what they may be set to.

mod stored;

use mail::address::AddressKey;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::attachment_rule::{AttachmentRule, AttachmentRuleError};
use crate::authentication::{AgentMail, AuthenticationMode};
use crate::clock::{DAY, HOUR};
use crate::comment::DELIMITER;
use crate::sender_list::{SenderList, SenderListError};

/// Settings of an account; the defaults are what a new account has. Stored as [`Settings::to_stored`] says; its own JSON, which
/// names every setting and no other, is for people and programs.
///
/// docs/behaviour/intake.md §10 explains each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Accept mail to any local part of a native host.
    pub wildcard: bool,
    /// Acknowledge a new ticket to its requester.
    pub acknowledge: bool,
    /// Show the agent's name in the From of answers.
    pub personalized_replies: bool,
    /// Most support addresses the account may have.
    pub addresses_max: u32,
    /// Someone who solves a ticket without an assignee becomes its assignee.
    pub assign_tickets_upon_solve: bool,
    /// Take mail at all; off suspends all of it (cause 15).
    pub email_channel: bool,
    /// Anybody may write; if off, senders who are neither known nor on the allow list are suspended (cause
    /// 1).
    pub anyone_can_submit: bool,
    /// Unknown senders are held (cause 12) and told to sign up, unverified ones are held (cause 2).
    pub sign_up_required: bool,
    /// Senders who may always write: whitespace-separated addresses and hosts, at most 10,000 characters.
    pub allowlist: String,
    /// Senders who may not: as the allow list, with `*`, `suspend:` and `reject:`.
    pub blocklist: String,
    /// Whose mail must not fail SPF, DKIM and DMARC (cause 26): `minimal`, `native`, `native_and_forwarded`.
    pub sender_authentication: AuthenticationMode,
    /// What proves that an agent wrote a message: `authenticated` or `any`.
    pub agent_mail: AgentMail,
    /// Mails of one sender in an hour before they are held; 0 takes the installation's
    /// `limits.sender_per_hour`.
    pub sender_per_hour: u32,
    /// Agents' comments by mail are public unless they say otherwise.
    pub comments_public_by_default: bool,
    /// Agents' forwarded mail becomes a ticket of the person who wrote the original.
    pub agent_forwarding: bool,
    /// Addresses in To and Cc become CCs of the ticket.
    pub email_ccs: bool,
    /// End users may add CCs by mail.
    pub end_users_add_ccs: bool,
    /// A CC's answer that left out the requester is public all the same; not recommended.
    pub cc_comments_public: bool,
    /// Addresses and hosts that never become CCs or followers, whitespace-separated.
    pub ccs_blocklist: String,
    /// Drop everything at and under our delimiter line from a comment.
    pub reply_delimiter: bool,
    /// The delimiter line, 20 to 65 characters; empty or `{{txt.email.delimiter}}` for the built-in one.
    pub delimiter: String,
    /// End users may attach files by mail.
    pub email_attachments: bool,
    /// Which kinds of files are taken: `any`, `recommended`, or whitespace-separated extensions.
    pub attachment_types: String,
    /// A message to several support addresses opens a ticket for each.
    pub ticket_per_address: bool,
    /// Languages the account speaks, whitespace-separated, its default first.
    pub languages: String,
    /// A follow-up keeps the assignee of the closed ticket.
    pub follow_up_keeps_assignee: bool,
    /// How often to tell of suspended tickets: `never`, `hourly`, `daily`, `weekly`.
    pub suspended_notification: SuspendedNotification,
    /// Who is told of suspended tickets; empty for nobody.
    pub suspended_notification_address: String,
    /// What the account stores and this version does not understand.
    #[serde(skip)]
    pub foreign: Map<String, Value>,
}

/// What stands for the built-in delimiter in the settings of other help desks.
const BUILT_IN_DELIMITER: &str = "{{txt.email.delimiter}}";

/// How often somebody is told of suspended tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspendedNotification {
    /// Not at all.
    #[default]
    Never,
    /// Every hour in which something new was held.
    Hourly,
    /// Every day in which something new was held.
    Daily,
    /// Every week in which something new was held.
    Weekly,
}

impl SuspendedNotification {
    /// The interval in milliseconds; none for never.
    #[must_use]
    pub fn every_ms(self) -> Option<i64> {
        match self {
            SuspendedNotification::Never => None,
            SuspendedNotification::Hourly => Some(HOUR),
            SuspendedNotification::Daily => Some(DAY),
            SuspendedNotification::Weekly => Some(7 * DAY),
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            wildcard: false,
            acknowledge: true,
            personalized_replies: false,
            addresses_max: 3_000,
            assign_tickets_upon_solve: true,
            email_channel: true,
            anyone_can_submit: true,
            sign_up_required: false,
            allowlist: String::new(),
            blocklist: String::new(),
            sender_authentication: AuthenticationMode::Minimal,
            agent_mail: AgentMail::Authenticated,
            sender_per_hour: 0,
            comments_public_by_default: true,
            agent_forwarding: true,
            email_ccs: true,
            end_users_add_ccs: true,
            cc_comments_public: false,
            ccs_blocklist: String::new(),
            reply_delimiter: false,
            delimiter: String::new(),
            email_attachments: true,
            attachment_types: "recommended".into(),
            ticket_per_address: false,
            languages: "en".into(),
            follow_up_keeps_assignee: false,
            suspended_notification: SuspendedNotification::Never,
            suspended_notification_address: String::new(),
            foreign: Map::new(),
        }
    }
}

/// A setting that cannot be what it was set to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingRefusal {
    /// A list of senders that cannot be read.
    #[error("{key}: {why}")]
    List {
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        #[source]
        why: SenderListError,
    },
    /// A list of kinds of files that cannot be read.
    #[error("attachment_types: {0}")]
    Attachments(#[from] AttachmentRuleError),
    /// A delimiter on more than one line.
    #[error("delimiter must stand on one line")]
    DelimiterLines,
    /// A delimiter of the wrong length.
    #[error("delimiter must have 20 to 65 characters and has {0}; leave it empty for the built-in one")]
    Delimiter(usize),
    /// No language, or one that is no tag.
    #[error("languages must name at least one language tag, such as en or pt-BR; {0:?} is none")]
    Language(String),
    /// A notice without an address to send it to.
    #[error("{0:?} is no e-mail address; set suspended_notification_address to one, or to nothing")]
    Address(String),
}

impl Settings {
    /// Checks what is text in the settings.
    ///
    /// # Errors
    /// The first setting that cannot be used, and why.
    pub fn check(&self) -> Result<(), SettingRefusal> {
        let list = |key, why| SettingRefusal::List { key, why };
        SenderList::parse_allow(&self.allowlist).map_err(|why| list("allowlist", why))?;
        SenderList::parse(&self.blocklist).map_err(|why| list("blocklist", why))?;
        SenderList::parse(&self.ccs_blocklist).map_err(|why| list("ccs_blocklist", why))?;
        AttachmentRule::parse(&self.attachment_types)?;
        if self.delimiter.contains(['\r', '\n']) {
            return Err(SettingRefusal::DelimiterLines);
        }
        let delimiter = self.delimiter.trim().chars().count();
        if delimiter != 0 && !(20..=65).contains(&delimiter) {
            return Err(SettingRefusal::Delimiter(delimiter));
        }
        let is_tag = |tag: &&str| {
            (2..=35).contains(&tag.len())
                && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if self.languages().next().is_none() || !self.languages().all(|tag| is_tag(&tag)) {
            return Err(SettingRefusal::Language(self.languages.clone()));
        }
        let address = self.suspended_notification_address.trim();
        if !address.is_empty() && AddressKey::parse(address).is_err() {
            return Err(SettingRefusal::Address(address.to_owned()));
        }
        Ok(())
    }

    /// The delimiter line, where the account wants one: people write above it; everything from it on is
    /// dropped.
    #[must_use]
    pub fn delimiter_line(&self) -> Option<&str> {
        let own = self.delimiter.trim();
        let line = if own.is_empty() || own == BUILT_IN_DELIMITER { DELIMITER } else { own };
        self.reply_delimiter.then_some(line)
    }

    /// The account's languages, its default first.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.split_whitespace()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_one_line_of_20_to_65_characters() {
        for (name, delimiter, is_good) in [
            ("none", String::new(), true),
            ("19", "é".repeat(19), false),
            ("20", "é".repeat(20), true),
            ("65", "é".repeat(65), true),
            ("66", "é".repeat(66), false),
            ("the placeholder", BUILT_IN_DELIMITER.to_owned(), true),
            ("two lines", format!("{0}\n{0}", "=".repeat(20)), false),
        ] {
            let settings = Settings { delimiter, ..Settings::default() };
            assert_eq!(settings.check().is_ok(), is_good, "{name}: {:?}", settings.check());
        }
    }

    #[test]
    fn the_delimiter_line_is_the_accounts_or_the_built_in_one() {
        let own = "== Please answer above ==";
        for (reply_delimiter, delimiter, want) in [
            (true, "", Some(DELIMITER)),
            (true, BUILT_IN_DELIMITER, Some(DELIMITER)),
            (true, own, Some(own)),
            (false, own, None),
        ] {
            let settings = Settings { reply_delimiter, delimiter: delimiter.into(), ..Settings::default() };
            assert_eq!(settings.delimiter_line(), want, "{delimiter:?}");
        }
    }
}
