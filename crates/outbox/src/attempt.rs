//! What an attempt came to: sent, deferred or bounced, with the answer and how far it reaches.
//!
//! Pure. This is the one place that decides what a reply means; `session` and `transport` only report where it was
//! heard.
//!
//! A 5xx is never tried again, with one exception: what a *relay* says about *us*. The operator chose the relay; if
//! it wants a password, refuses the sender or does not relay for this machine, no recipient is at fault, and
//! bouncing every answer of the desk for one wrong setting would lose them. Such mail is deferred with
//! [`Class::Operator`] and its answer stands in the outbox for the operator to read. A mail exchanger's 5xx is the
//! word of the recipient's own system at every step, and is final.

use crate::{reply::Reply, retry::Class};

/// What became of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptResult {
    /// The next server took responsibility (2xx after the mail's last byte).
    Sent,
    /// It did not go now; `retry` says when to try again.
    Deferred,
    /// It will never go; it must not be tried again.
    Bounced,
}

impl AttemptResult {
    /// Returns the result as one lower-case word, for the database and for metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Bounced => "bounced",
        }
    }
}

/// How far a failure reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Only this mail or this recipient.
    Recipient,
    /// One connection, lost or closed in the middle of its conversation. Other mail only waits when connection after
    /// connection ends like this.
    Connection,
    /// The whole destination: other mails to it (all mails, if there is a relay) should wait too.
    Host,
}

/// One attempt to deliver one mail to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What became of it.
    pub result: AttemptResult,
    /// The server's last answer on one line, or a plain sentence that says what happened; at most about 1,000
    /// characters, no control characters.
    pub answer: String,
    /// The SMTP reply code, 200 to 599; `None` if no reply decided.
    pub code: Option<u16>,
    /// The enhanced status code (RFC 3463) such as `5.1.1`; the server's own, or ours where we decided; `None` if
    /// there is none.
    pub enhanced: Option<String>,
    /// The host that was talked to last, without port; the recipient's domain if no host was found.
    pub host: String,
    /// How far a failure reaches; [`Scope::Recipient`] unless deferred.
    pub scope: Scope,
    /// Which ladder of waits applies; `None` unless deferred.
    pub class: Option<Class>,
}

impl Attempt {
    pub(crate) fn sent(host: &str, reply: &Reply) -> Self {
        Self::of(AttemptResult::Sent, host, reply.one_line()).with_reply(reply)
    }

    pub(crate) fn deferred(host: &str, class: Class, scope: Scope, answer: String) -> Self {
        let mut attempt = Self::of(AttemptResult::Deferred, host, answer);
        attempt.class = Some(class);
        attempt.scope = scope;
        attempt
    }

    pub(crate) fn bounced(host: &str, enhanced: &str, answer: String) -> Self {
        let mut attempt = Self::of(AttemptResult::Bounced, host, answer);
        attempt.enhanced = Some(enhanced.to_owned());
        attempt
    }

    fn of(result: AttemptResult, host: &str, answer: String) -> Self {
        let host = host.to_owned();
        Self { result, answer, code: None, enhanced: None, host, scope: Scope::Recipient, class: None }
    }

    fn with_reply(mut self, reply: &Reply) -> Self {
        self.code = Some(reply.code);
        self.enhanced = reply.enhanced();
        self
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The operator's own relay, which takes mail for everybody.
    Relay,
    /// A mail exchanger of the recipient's domain.
    Exchanger,
}

/// Where in the conversation something happened, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Connect,
    Tls,
    Greeting,
    Hello,
    StartTls,
    Auth,
    MailFrom,
    RcptTo,
    Data,
    Message,
}

impl Step {
    /// Says the step in the words of a sentence: "… closed the connection {words}".
    fn words(self) -> &'static str {
        match self {
            Self::Connect => "while connecting",
            Self::Tls => "while TLS was set up",
            Self::Greeting => "before its greeting",
            Self::Hello => "after EHLO",
            Self::StartTls => "after STARTTLS",
            Self::Auth => "after AUTH",
            Self::MailFrom => "after MAIL FROM",
            Self::RcptTo => "after RCPT TO",
            Self::Data => "after DATA",
            Self::Message => "after the mail was sent, before it confirmed it",
        }
    }

    /// Before the envelope every mail would meet the same failure. At MAIL and RCPT it may come from this sender, this
    /// recipient or the limits of this connection (RFC 5321 §3.8): a server that is down says so in its next greeting.
    /// From DATA on, one mail that kills the server's filter must not hold back everybody else's.
    fn reach(self) -> Scope {
        match self {
            step if step < Self::MailFrom => Scope::Host,
            Self::MailFrom | Self::RcptTo => Scope::Connection,
            _ => Scope::Recipient,
        }
    }
}

/// Why a conversation ended without the mail being accepted.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server answered with something other than the wanted reply.
    Reply(Reply),
    /// The server closed the connection.
    Closed,
    /// The server did not answer within the step's time.
    TimedOut,
    /// The operating system reported an error.
    Io(std::io::Error),
    /// The server broke the protocol; the words complete "it …" or name the fault.
    Protocol(&'static str),
    /// TLS could not be set up.
    Tls(String),
    /// The domain name system did not say where to go; a full sentence.
    Dns(String),
    /// We will not go on until the operator changes something: a full sentence.
    Unsafe(String),
    /// We will not send this mail to this server: enhanced code and a full sentence.
    Unfit(&'static str, String),
}

/// A conversation that failed: where and why.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) step: Step,
    pub(crate) trouble: Trouble,
}

impl Failure {
    /// Judges the failure: the attempt it makes at `host`.
    pub(crate) fn attempt(&self, host: &str, peer: Peer) -> Attempt {
        let (reach, words) = (self.step.reach(), self.step.words());
        let lost = |answer: String| Attempt::deferred(host, Class::Connection, reach, answer);
        match &self.trouble {
            Trouble::Reply(reply) => judge(host, peer, self.step, reply).with_reply(reply),
            Trouble::Closed => lost(format!("{host} closed the connection {words}")),
            Trouble::TimedOut => lost(format!("{host} did not answer in time {words}")),
            Trouble::Io(error) => lost(format!("the connection to {host} failed {words}: {error}")),
            Trouble::Protocol(fault) => lost(format!("{host} broke the protocol {words}: {fault}")),
            Trouble::Dns(sentence) => {
                Attempt::deferred(host, Class::Connection, Scope::Host, sentence.clone())
            }
            // Nobody but the operator can make an unverifiable relay verifiable.
            Trouble::Tls(error) => {
                let class = if peer == Peer::Relay { Class::Operator } else { Class::Connection };
                Attempt::deferred(host, class, reach, format!("TLS with {host} failed: {error}"))
            }
            Trouble::Unsafe(sentence) => {
                Attempt::deferred(host, Class::Operator, Scope::Host, sentence.clone())
            }
            Trouble::Unfit(enhanced, sentence) => Attempt::bounced(host, enhanced, sentence.clone()),
        }
    }

    /// Returns whether another host of the same domain may be tried: the envelope was not refused by this one.
    pub(crate) fn is_before_envelope(&self) -> bool {
        self.step < Step::MailFrom
    }
}

fn judge(host: &str, peer: Peer, step: Step, reply: &Reply) -> Attempt {
    let answer = reply.one_line();
    match reply.severity() {
        // RFC 5321 §3.8: 421 may come at any step and ends the connection.
        _ if reply.code == 421 => Attempt::deferred(host, Class::Closing, step.reach(), answer),
        4 => Attempt::deferred(host, temporary_class(step, reply), temporary_scope(step, reply), answer),
        5 => match operator_scope(step, reply).filter(|_| peer == Peer::Relay) {
            Some(scope) => Attempt::deferred(host, Class::Operator, scope, answer),
            None => Attempt::of(AttemptResult::Bounced, host, answer),
        },
        // A positive answer of the wrong kind, such as 250 to DATA: nobody knows where the conversation stands.
        _ => Attempt::deferred(host, Class::Connection, step.reach(), answer),
    }
}

fn temporary_class(step: Step, reply: &Reply) -> Class {
    if step < Step::MailFrom {
        return Class::Connection;
    }
    // RFC 6647 §2: 450 or 451; 4.7.1 is the usual enhanced code, but Postgrey says 4.2.0 with the word.
    let says_so = reply.lines.iter().any(|line| {
        let line = line.to_ascii_lowercase();
        line.contains("greylist") || line.contains("graylist")
    });
    let policy_delay = matches!(reply.code, 450 | 451) && reply.enhanced().as_deref() == Some("4.7.1");
    if says_so || policy_delay { Class::Greylisted } else { Class::Temporary }
}

fn temporary_scope(step: Step, reply: &Reply) -> Scope {
    // RFC 3463 §3.4: X.3.X is the state of the whole system (full, not accepting). Believed at MAIL only: later
    // it may be one recipient's store or one mail's size.
    let system = reply.enhanced().is_some_and(|code| code.starts_with("4.3."));
    match step {
        Step::MailFrom if system => Scope::Host,
        step if step < Step::MailFrom => Scope::Host,
        _ => Scope::Recipient,
    }
}

/// Returns how far a relay's 5xx reaches if it speaks of us and our settings, `None` if of the mail or recipient.
fn operator_scope(step: Step, reply: &Reply) -> Option<Scope> {
    // RFC 4954 §6 and RFC 3207 §4: authentication or encryption is wanted, or failed.
    if matches!(reply.code, 530 | 534 | 535 | 538) || step < Step::MailFrom {
        return Some(Scope::Host);
    }
    match step {
        // The mail is too large (RFC 1870 §6.1): the mail's own fault.
        Step::MailFrom if reply.code == 552 => None,
        // Any other refusal of MAIL FROM is about the sender, whom the operator may enter at the relay; mails from
        // other support addresses may pass.
        Step::MailFrom => Some(Scope::Recipient),
        // The relay does not know this machine. It still affects only one recipient: a relay may repeat what somebody
        // else's server said, and a stranger must not stop everybody's mail.
        Step::RcptTo if denies_relaying(reply) => Some(Scope::Recipient),
        _ => None,
    }
}

/// Whether a refused recipient means that the server does not relay for us at all. Told by the words, since the code
/// (550 or 554, 5.7.1) is that of any refusal by policy; the address, which it repeats, may hold any word.
fn denies_relaying(reply: &Reply) -> bool {
    const WORDS: [&str; 7] = [
        "relay access denied",
        "relay not permitted",
        "relaying not permitted",
        "relaying denied",
        "relaying not allowed",
        "unable to relay",
        "not permitted to relay",
    ];
    let text = without_address(&reply.one_line()).to_ascii_lowercase();
    let is_of_policy = reply.enhanced().is_none_or(|code| code.starts_with("5.7."));
    is_of_policy && WORDS.iter().any(|words| text.contains(words))
}

/// A reply without the text in angle brackets.
fn without_address(text: &str) -> String {
    let mut pieces = text.split('<');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |kept, piece| kept + piece.split_once('>').map_or(piece, |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(peer: Peer, step: Step, line: &str) -> Attempt {
        let reply = Reply::take(&mut format!("{line}\r\n").into_bytes()).unwrap().unwrap();
        Failure { step, trouble: Trouble::Reply(reply) }.attempt("mx.example", peer)
    }

    /// Says the judgement in a few words, so that a table shows all of it.
    fn verdict(peer: Peer, step: Step, line: &str) -> String {
        let attempt = attempt(peer, step, line);
        assert_eq!(attempt.answer, line);
        let class = attempt.class.map_or("-", Class::as_str);
        format!("{} {class} {:?}", attempt.result.as_str(), attempt.scope)
    }

    #[test]
    fn replies_are_judged_by_peer_and_step() {
        struct Case {
            peer: Peer,
            step: Step,
            line: &'static str,
            want: &'static str,
        }
        fn usual() -> Case {
            Case { peer: Exchanger, step: Step::RcptTo, line: "", want: "" }
        }

        use Peer::{Exchanger, Relay};
        for Case { peer, step, line, want } in [
            Case { step: Step::Greeting, line: "554 5.7.1 blocked", want: "bounced - Recipient", ..usual() },
            Case {
                peer: Relay,
                step: Step::Greeting,
                line: "554 5.7.1 blocked",
                want: "deferred operator Host",
            },
            Case { step: Step::Greeting, line: "450 busy", want: "deferred connection Host", ..usual() },
            Case {
                step: Step::Greeting,
                line: "421 4.3.2 shutting down",
                want: "deferred closing Host",
                ..usual()
            },
            Case {
                peer: Relay,
                step: Step::Auth,
                line: "535 5.7.8 bad password",
                want: "deferred operator Host",
            },
            Case {
                peer: Relay,
                step: Step::Auth,
                line: "454 4.7.0 try later",
                want: "deferred connection Host",
            },
            Case {
                peer: Relay,
                step: Step::MailFrom,
                line: "530 5.7.0 authentication required",
                want: "deferred operator Host",
            },
            Case {
                peer: Relay,
                step: Step::MailFrom,
                line: "553 5.7.1 sender not owned",
                want: "deferred operator Recipient",
            },
            Case {
                peer: Relay,
                step: Step::MailFrom,
                line: "552 5.3.4 too large",
                want: "bounced - Recipient",
            },
            Case { step: Step::MailFrom, line: "550 5.7.1 not you", want: "bounced - Recipient", ..usual() },
            Case { step: Step::MailFrom, line: "452 4.3.1 full", want: "deferred temporary Host", ..usual() },
            Case {
                step: Step::MailFrom,
                line: "451 4.1.8 sender domain",
                want: "deferred temporary Recipient",
                ..usual()
            },
            Case {
                peer: Relay,
                line: "554 5.7.1 <a@b.example>: Relay access denied",
                want: "deferred operator Recipient",
                ..usual()
            },
            Case {
                peer: Relay,
                line: "550 relay not permitted",
                want: "deferred operator Recipient",
                ..usual()
            },
            Case {
                peer: Relay,
                line: "550 5.7.54 SMTP; Unable to relay recipient",
                want: "deferred operator Recipient",
                ..usual()
            },
            Case {
                peer: Relay,
                line: "550 5.1.1 <a@b.example>: unknown in relay recipient table",
                want: "bounced - Recipient",
                ..usual()
            },
            Case {
                peer: Relay,
                line: "550 5.1.2 <a@relay.example>: Domain not found",
                want: "bounced - Recipient",
                ..usual()
            },
            Case {
                peer: Relay,
                line: "550 <relaying denied@b.example>: no such user",
                want: "bounced - Recipient",
                ..usual()
            },
            Case { line: "554 5.7.1 Relay access denied", want: "bounced - Recipient", ..usual() },
            Case { peer: Relay, line: "550 5.1.1 no such user", want: "bounced - Recipient", ..usual() },
            Case {
                peer: Relay,
                line: "530 5.7.0 authentication required",
                want: "deferred operator Host",
                ..usual()
            },
            Case { line: "450 4.2.0 Greylisted, see page", want: "deferred greylisted Recipient", ..usual() },
            Case { line: "451 4.7.1 come back later", want: "deferred greylisted Recipient", ..usual() },
            Case { line: "452 4.2.2 mailbox full", want: "deferred temporary Recipient", ..usual() },
            Case { line: "421 4.7.0 too many", want: "deferred closing Connection", ..usual() },
            Case {
                peer: Relay,
                step: Step::Hello,
                line: "421 4.3.2 shutting down",
                want: "deferred closing Host",
            },
            Case {
                peer: Relay,
                step: Step::MailFrom,
                line: "421 4.7.0 too many mails",
                want: "deferred closing Connection",
            },
            Case {
                peer: Relay,
                step: Step::RcptTo,
                line: "421 4.4.2 lookup timed out",
                want: "deferred closing Connection",
            },
            Case {
                peer: Relay,
                step: Step::Data,
                line: "451 4.3.0 filter failed",
                want: "deferred temporary Recipient",
            },
            Case {
                peer: Relay,
                step: Step::Message,
                line: "421 4.3.0 filter failed",
                want: "deferred closing Recipient",
            },
            Case {
                peer: Relay,
                step: Step::Message,
                line: "554 5.7.1 looks like spam",
                want: "bounced - Recipient",
            },
            Case { step: Step::Data, line: "250 what", want: "deferred connection Recipient", ..usual() },
        ] {
            assert_eq!(verdict(peer, step, line), want, "{peer:?} {step:?} {line}");
        }
    }

    #[test]
    fn codes_are_kept_with_the_answer() {
        let attempt = attempt(Peer::Exchanger, Step::RcptTo, "550 5.1.1 no such user");
        assert_eq!((attempt.code, attempt.enhanced.as_deref()), (Some(550), Some("5.1.1")));
        assert_eq!(attempt.host, "mx.example");
    }

    #[test]
    fn lost_connections_are_sentences_and_hold_the_host_back_only_before_the_envelope() {
        for (step, scope) in [
            (Step::Greeting, Scope::Host),
            (Step::MailFrom, Scope::Connection),
            (Step::RcptTo, Scope::Connection),
            (Step::Message, Scope::Recipient),
        ] {
            let attempt = Failure { step, trouble: Trouble::Closed }.attempt("mx.example", Peer::Exchanger);
            assert_eq!((attempt.result, attempt.scope), (AttemptResult::Deferred, scope));
            assert_eq!(attempt.answer, format!("mx.example closed the connection {}", step.words()));
        }
    }
}
