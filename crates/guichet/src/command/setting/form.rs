//! What each setting may be, in words and with an example: shown in the list and when a value is refused.

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// Its name.
    pub(super) key: &'static str,
    /// What is allowed.
    pub(super) allowed: &'static str,
    /// A value that could be given.
    pub(super) example: &'static str,
}

/// The form of a setting; every setting has one.
pub(super) fn of(key: &str) -> Option<Form> {
    FORMS.iter().find(|form| form.key == key).copied()
}

const TRUTH: &str = "true or false";
const SENDERS: &str = "addresses and hosts, separated by spaces, at most 10000 characters";

const fn form(key: &'static str, allowed: &'static str, example: &'static str) -> Form {
    Form { key, allowed, example }
}

/// In alphabetical order, as settings are listed.
const FORMS: &[Form] = &[
    form("acknowledge", TRUTH, "false"),
    form("addresses_max", "a whole number from 0 to 4294967295", "3000"),
    form("agent_forwarding", TRUTH, "false"),
    form("agent_mail", "authenticated or any", "any"),
    form("allowlist", SENDERS, "partner.example ann@customer.example"),
    form("anyone_can_submit", TRUTH, "false"),
    form("assign_tickets_upon_solve", TRUTH, "false"),
    form(
        "attachment_types",
        "any, recommended, or extensions and media types, separated by spaces",
        "pdf png image/*",
    ),
    form(
        "blocklist",
        "addresses, hosts and *, separated by spaces, each address or host also after suspend: or reject:, at most 10000 characters",
        "spam.example reject:noise@customer.example",
    ),
    form("cc_comments_public", TRUTH, "true"),
    form("ccs_blocklist", SENDERS, "lists.example"),
    form("comments_public_by_default", TRUTH, "false"),
    form(
        "delimiter",
        "one line of 20 to 65 characters; empty for the built-in one",
        "--- please write your answer above this line ---",
    ),
    form("email_attachments", TRUTH, "false"),
    form("email_ccs", TRUTH, "false"),
    form("email_channel", TRUTH, "false"),
    form("end_users_add_ccs", TRUTH, "false"),
    form("follow_up_keeps_assignee", TRUTH, "true"),
    form("languages", "language tags, separated by spaces, the default first", "en fr pt-BR"),
    form("personalized_replies", TRUTH, "true"),
    form("reply_delimiter", TRUTH, "true"),
    form("sender_authentication", "minimal, native or native_and_forwarded", "native"),
    form(
        "sender_per_hour",
        "a whole number from 0 to 4294967295; 0 takes limits.sender_per_hour of the installation",
        "50",
    ),
    form("sign_up_required", TRUTH, "true"),
    form("suspended_notification", "never, hourly, daily or weekly", "daily"),
    form("suspended_notification_address", "an e-mail address; empty for nobody", "bob@example.com"),
    form("ticket_per_address", TRUTH, "true"),
    form("wildcard", TRUTH, "true"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_form_and_no_other() {
        let all = super::super::as_map(&desk::setting::Settings::default()).unwrap();
        assert_eq!(FORMS.iter().map(|form| form.key).collect::<Vec<_>>(), all.keys().collect::<Vec<_>>());
    }
}
