//! Sender authentication: what SPF, DKIM, DMARC and ARC say of the domain in From (docs/behaviour/intake.md
//! §5).
//!
//! The checks themselves need DNS and are done by the shell; this is their outcome as a value.

use serde::{Deserialize, Serialize};

use crate::str_enum::str_enum;

str_enum! {
    /// The outcome of one check, in the words of RFC 8601 §2.7.
    pub enum Check {
        /// It holds.
        Pass = "pass",
        /// It does not hold.
        Fail = "fail",
        /// It probably does not hold (SPF `~all`).
        SoftFail = "softfail",
        /// The domain says nothing either way.
        Neutral = "neutral",
        /// The domain publishes nothing, or the message carries nothing.
        None = "none",
        /// DNS did not answer in time: as good as not looked at.
        TempError = "temperror",
        /// What is published or carried cannot be read.
        PermError = "permerror",
    }
}

/// What is known of who really sent a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentication {
    /// Whether anybody looked and could tell. False when checks are off, DNS was away, or the message came by
    /// a trusted relay that says nothing: all checks read `none` then, and nothing follows from them.
    pub is_checked: bool,
    /// SPF (RFC 7208) of the return path, or of EHLO for a null one.
    pub spf: Check,
    /// Whether the domain SPF looked at is aligned with From (RFC 7489 §3.1.2).
    pub spf_aligned: bool,
    /// The best DKIM signature (RFC 6376): an aligned one that passes takes precedence over all others.
    pub dkim: Check,
    /// Whether the domain of that signature is aligned with From.
    pub dkim_aligned: bool,
    /// DMARC (RFC 7489) of the domain in From.
    pub dmarc: Check,
    /// ARC (RFC 8617): `pass` when the chain holds and its first hop saw From's domain pass.
    pub arc: Check,
    /// Whether the sender logged in to send it.
    pub is_submission: bool,
}

impl Authentication {
    /// Nobody looked.
    #[must_use]
    pub const fn unchecked() -> Authentication {
        Authentication {
            is_checked: false,
            spf: Check::None,
            spf_aligned: false,
            dkim: Check::None,
            dkim_aligned: false,
            dmarc: Check::None,
            arc: Check::None,
            is_submission: false,
        }
    }

    /// A message whose sender logged in.
    #[must_use]
    pub fn submission() -> Authentication {
        Authentication { is_checked: true, is_submission: true, ..Authentication::unchecked() }
    }

    /// Whether From's domain itself vouches for the message, or its sender logged in.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        let spf = self.spf == Check::Pass && self.spf_aligned;
        let dkim = self.dkim == Check::Pass && self.dkim_aligned;
        self.is_submission || self.is_checked && (self.dmarc == Check::Pass || spf || dkim)
    }

    /// Whether From's domain disowns the message: DMARC fails, or SPF says a clear no and no aligned
    /// signature says yes. What is only missing, soft or neutral is no failure.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.is_checked
            && !self.is_authenticated()
            && (self.dmarc == Check::Fail || self.spf == Check::Fail && self.spf_aligned)
    }

    /// Authenticated, failed, or unknown: what senders are counted under, so that a forger cannot silence a
    /// victim.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (self.is_authenticated(), self.has_failed()) {
            (true, _) => Standing::Authenticated,
            (false, true) => Standing::Failed,
            (false, false) => Standing::Unknown,
        }
    }

    /// The outcome in a clause, as in `SPF pass, DKIM none, DMARC none`.
    #[must_use]
    pub fn clause(&self) -> String {
        if self.is_submission {
            return "the sender logged in".to_owned();
        }
        if !self.is_checked {
            return "nobody checked its sender".to_owned();
        }
        let aligned = |check: Check, aligned: bool| {
            if check == Check::Pass && !aligned { " of another domain" } else { "" }
        };
        let spf = aligned(self.spf, self.spf_aligned);
        let dkim = aligned(self.dkim, self.dkim_aligned);
        let arc = if self.arc == Check::None { String::new() } else { format!(", ARC {}", self.arc) };
        format!("SPF {}{spf}, DKIM {}{dkim}, DMARC {}{arc}", self.spf, self.dkim, self.dmarc)
    }
}

impl Default for Authentication {
    fn default() -> Authentication {
        Authentication::unchecked()
    }
}

str_enum! {
    /// How a sender stands after all checks.
    pub enum Standing {
        /// From's domain vouches for it.
        Authenticated = "authenticated",
        /// From's domain disowns it.
        Failed = "failed",
        /// Neither, or nobody looked.
        Unknown = "unknown",
    }
}

/// Whose mail must not fail authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMode {
    /// Only mail from agents, which is checked in every mode.
    #[default]
    Minimal,
    /// Also mail that came straight to a native address.
    Native,
    /// Also mail that was forwarded; an ARC chain that holds clears it.
    NativeAndForwarded,
}

/// What proves that an agent wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentMail {
    /// From's domain must vouch for it.
    #[default]
    Authenticated,
    /// The address in From is enough, unless authentication fails.
    Any,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(spf: (Check, bool), dkim: (Check, bool), dmarc: Check) -> Authentication {
        Authentication {
            is_checked: true,
            spf: spf.0,
            spf_aligned: spf.1,
            dkim: dkim.0,
            dkim_aligned: dkim.1,
            dmarc,
            ..Authentication::unchecked()
        }
    }

    #[test]
    fn only_an_aligned_pass_vouches_and_only_a_clear_no_disowns() {
        use Check::{Fail, Neutral, None, Pass, PermError, SoftFail, TempError};
        for (name, authentication, want) in [
            ("unchecked", Authentication::unchecked(), Standing::Unknown),
            ("logged in", Authentication::submission(), Standing::Authenticated),
            ("DMARC", checked((None, false), (None, false), Pass), Standing::Authenticated),
            ("aligned SPF", checked((Pass, true), (None, false), None), Standing::Authenticated),
            ("SPF of another domain", checked((Pass, false), (None, false), None), Standing::Unknown),
            ("aligned DKIM", checked((Fail, true), (Pass, true), None), Standing::Authenticated),
            ("DKIM of another domain", checked((None, false), (Pass, false), None), Standing::Unknown),
            (
                "SPF of another domain, DMARC says no",
                checked((Pass, false), (Pass, false), Fail),
                Standing::Failed,
            ),
            ("SPF says no", checked((Fail, true), (None, false), None), Standing::Failed),
            ("SPF of another domain says no", checked((Fail, false), (None, false), None), Standing::Unknown),
            ("SPF doubts", checked((SoftFail, true), (None, false), None), Standing::Unknown),
            ("SPF is neutral", checked((Neutral, true), (Fail, true), None), Standing::Unknown),
            ("DNS is away", checked((TempError, true), (TempError, true), TempError), Standing::Unknown),
            ("a broken record", checked((PermError, true), (None, false), PermError), Standing::Unknown),
        ] {
            assert_eq!(authentication.standing(), want, "{name}: {}", authentication.clause());
        }
    }
}
