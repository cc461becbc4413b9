//! The checks themselves: what DNS and the mail's signatures say of its sender.

use std::net::IpAddr;

use desk::authentication::{Authentication, Check};
use desk::sender_list::ascii_domain;
use futures_util::future::join_all;
use mail::authentication_results;
use mail_auth::arc::ArcError;
use mail_auth::common::crypto::Algorithm;
use mail_auth::common::headers::Header;
use mail_auth::dkim::{DkimError, Signature};
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    ArcOutput, AuthenticatedMessage, DkimOutput, DkimResult, DmarcOutput, DmarcResult, Error,
    MessageAuthenticator, SpfOutput, SpfResult,
};
use tokio::time::{Instant, timeout_at};

use super::alignment::is_aligned;
use super::{AuthenticateOptions, OWN_NAME, Question, is_unambiguous, reported, without_passes};

/// Signatures of one mail that are looked at, those of From's own domain first.
const SIGNATURES: usize = 8;
/// Fields that a signature may name; real ones name twenty or thirty.
const SIGNED_FIELDS: usize = 200;
/// Hops of an ARC chain.
const SEALS: usize = 20;

/// Whether a raw mail carries a DKIM signature or an ARC seal.
pub(super) fn is_signed(raw: &[u8]) -> bool {
    let named = |line: &[u8], name: &[u8]| {
        line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let header = raw.split(|byte| *byte == b'\n').take_while(|line| !matches!(line, [] | [b'\r']));
    header.into_iter().any(|line| named(line, b"DKIM-Signature") || named(line, b"ARC-Seal"))
}

/// Checks a mail. Waits for DNS as long as it takes, since the caller sets the time limit; for what cannot vouch for
/// From only until `apart`, so that a forger's slow name servers do not keep the domain named in From from disowning
/// the mail.
pub(super) async fn authentication(
    resolver: &MessageAuthenticator,
    options: &AuthenticateOptions,
    question: &Question,
    apart: Instant,
) -> Authentication {
    let Some(mut message) = AuthenticatedMessage::parse(&question.subject.raw) else {
        return Authentication::unchecked();
    };
    let from = ascii_domain(question.from.domain()).into_owned();
    let is_sure =
        is_unambiguous(&question.subject.letter, &question.from) && is_same_author(&message, question);
    bound(&mut message, &from);
    // Alignment is judged by the author that people see.
    message.from = vec![format!("x@{from}")];
    let (own, others) = by_signature(&message, &from);
    let (sender, is_own) = Sender::of(question, &from);
    let vouching = async {
        let (spf, dkim) = tokio::join!(
            sender.spf(resolver, is_own),
            join_all(own.iter().map(|one| resolver.verify_dkim(one)))
        );
        let dkim = dkim.concat();
        // Nothing of other domains: DMARC would ask about them too.
        let dmarc = resolver.verify_dmarc(DmarcParameters::new(&message, &dkim, &sender.domain, &spf)).await;
        (spf, dkim, dmarc)
    };
    let beside = async {
        let signatures = others.iter().map(|one| timeout_at(apart, resolver.verify_dkim(one)));
        let spf = timeout_at(apart, sender.spf(resolver, !is_own));
        tokio::join!(spf, join_all(signatures), timeout_at(apart, seals(resolver, options, &message)))
    };
    let ((own_spf, mut dkim, dmarc), (other_spf, other_dkim, arc)) = tokio::join!(vouching, beside);
    dkim.extend(other_dkim.into_iter().filter_map(Result::ok).flatten());
    let spf = if is_own { own_spf } else { other_spf.unwrap_or_else(|_| sender.no_spf()) };
    let evidence =
        Evidence { from: &from, has_spf: question.client.is_some(), spf: &spf, dkim: &dkim, dmarc: &dmarc };
    let mut found = evidence.weigh();
    found.arc = match arc {
        Ok(arc) => arc.map_or(Check::None, |arc| chain(&arc, options, &from)),
        Err(_) => Check::TempError,
    };
    if !is_sure {
        found = without_passes(found);
    }
    // What could not be asked might have vouched for the mail: nothing is held against it.
    let is_open = found.spf == Check::TempError && found.spf_aligned
        || found.dkim == Check::TempError && found.dkim_aligned
        || found.dmarc == Check::TempError;
    if is_open && !found.is_authenticated() && found.arc != Check::Pass {
        Authentication::unchecked()
    } else {
        found
    }
}

/// Whether both parsers read the same author from one From field: a mail that is read in two ways proves nothing.
fn is_same_author(message: &AuthenticatedMessage<'_>, question: &Question) -> bool {
    let fields =
        message.headers.iter().filter(|(name, _)| name.trim_ascii().eq_ignore_ascii_case(b"From")).count();
    let first = message.from.first().and_then(|address| mail::address::AddressKey::parse(address).ok());
    fields == 1 && first.as_ref() == Some(&question.from)
}

/// Keeps the signatures that can prove something, a few of them: each costs a question and a calculation.
fn bound(message: &mut AuthenticatedMessage<'_>, from: &str) {
    // RFC 6376 §5.4: From must be signed. RFC 8301 §3.1: SHA-1 proves nothing.
    message.dkim_headers.retain(|field| {
        let signature = &field.header;
        let signs_from = signature.h.iter().any(|name| name.eq_ignore_ascii_case("from"));
        signs_from
            && signature.a != Algorithm::RsaSha1
            && signature.h.len() <= SIGNED_FIELDS
            && signature.atps.is_none()
    });
    message.dkim_headers.sort_by_key(|field| !is_aligned(&domain_of(&field.header), from));
    message.dkim_headers.truncate(SIGNATURES);
}

/// The mail once for each of its signatures, so that they are looked up concurrently: those of From's own domain, and
/// the rest. What is wrong with signatures that cannot be read goes with the rest.
fn by_signature<'a>(
    message: &AuthenticatedMessage<'a>,
    from: &str,
) -> (Vec<AuthenticatedMessage<'a>>, Vec<AuthenticatedMessage<'a>>) {
    let bare = AuthenticatedMessage { dkim_headers: Vec::new(), errors: Vec::new(), ..message.clone() };
    let with = |field: &Header<'a, Signature>| AuthenticatedMessage {
        dkim_headers: vec![field.clone()],
        ..bare.clone()
    };
    let (own, others): (Vec<_>, Vec<_>) =
        message.dkim_headers.iter().partition(|field| is_aligned(&domain_of(&field.header), from));
    let unread = AuthenticatedMessage { errors: message.errors.clone(), ..bare.clone() };
    (own.into_iter().map(with).collect(), others.into_iter().map(with).chain([unread]).collect())
}

fn domain_of(signature: &Signature) -> String {
    ascii_domain(&signature.d.to_lowercase()).into_owned()
}

/// Who SPF is asked about.
struct Sender {
    client: Option<IpAddr>,
    helo: String,
    /// The return path, its domain as A-labels; none for the null one.
    address: Option<String>,
    /// The domain of the return path, or of EHLO for a null one.
    domain: String,
}

impl Sender {
    /// Also whether it can vouch for From.
    fn of(question: &Question, from: &str) -> (Sender, bool) {
        let envelope = &question.subject.envelope;
        let helo = envelope.helo.to_lowercase();
        let split = envelope.mail_from.as_deref().and_then(|address| address.rsplit_once('@'));
        let address = split.map(|(local, domain)| (local, ascii_domain(&domain.to_lowercase()).into_owned()));
        let domain = address.as_ref().map_or_else(|| helo.clone(), |(_, domain)| domain.clone());
        let is_own = is_aligned(&domain, from);
        let address = address.map(|(local, domain)| format!("{local}@{domain}"));
        (Sender { client: question.client, helo, address, domain }, is_own)
    }

    /// RFC 7208 §2.4: of the return path, or of EHLO where there is none.
    /// Nothing unless it is `wanted`.
    async fn spf(&self, resolver: &MessageAuthenticator, wanted: bool) -> SpfOutput {
        let Some(client) = self.client.filter(|_| wanted) else { return self.no_spf() };
        let asked = match &self.address {
            Some(address) => SpfParameters::verify_mail_from(client, &self.helo, OWN_NAME, address),
            None => SpfParameters::verify_ehlo(client, &self.helo, OWN_NAME),
        };
        resolver.verify_spf(asked).await
    }

    fn no_spf(&self) -> SpfOutput {
        SpfOutput::new(self.domain.clone()).with_result(SpfResult::None)
    }
}

/// All that was found, before it is weighed.
struct Evidence<'a> {
    from: &'a str,
    has_spf: bool,
    spf: &'a SpfOutput,
    dkim: &'a [DkimOutput<'a>],
    dmarc: &'a DmarcOutput,
}

impl Evidence<'_> {
    fn weigh(&self) -> Authentication {
        let has_record = self.dmarc.dmarc_record().is_some();
        let spf = spf_check(self.spf.result());
        let spf_relaxed = self.has_spf && is_aligned(self.spf.domain(), self.from);
        // Where the domain has a DMARC record, that says how strict alignment is.
        let by_record = |relaxed: bool, check: Check, result: &DmarcResult| match check {
            Check::Pass if has_record => *result == DmarcResult::Pass,
            _ => relaxed,
        };
        let (dkim, dkim_relaxed) = self.best_signature();
        let dmarc = match dmarc_check(&self.dmarc.result()) {
            // Without SPF, half of the evidence is missing: a relay stands between.
            Check::Fail if !self.has_spf => Check::None,
            check => check,
        };
        Authentication {
            is_checked: true,
            spf,
            spf_aligned: by_record(spf_relaxed, spf, self.dmarc.spf_result()),
            dkim,
            dkim_aligned: by_record(dkim_relaxed, dkim, self.dmarc.dkim_result()),
            dmarc,
            ..Authentication::unchecked()
        }
    }

    /// The result of the most informative signature, and whether its domain is aligned.
    fn best_signature(&self) -> (Check, bool) {
        let results = self.dkim.iter().map(|output| {
            let aligned =
                output.signature().is_some_and(|signature| is_aligned(&domain_of(signature), self.from));
            (dkim_check(output.result()), aligned)
        });
        let worth = |check: Check, aligned: bool| match (check, aligned) {
            (Check::Pass, true) => 4,
            // It might have passed.
            (Check::TempError, true) => 3,
            (Check::Pass, false) => 2,
            (Check::None, _) => 0,
            _ => 1,
        };
        results
            .max_by_key(|(check, aligned)| (worth(*check, *aligned), *aligned))
            .unwrap_or((Check::None, false))
    }
}

/// Verifies the chain of seals if the last one is by a trusted domain.
async fn seals<'a>(
    resolver: &MessageAuthenticator,
    options: &AuthenticateOptions,
    message: &'a AuthenticatedMessage<'a>,
) -> Option<ArcOutput<'a>> {
    let last = message.as_headers.iter().max_by_key(|field| field.header.i)?;
    if message.as_headers.len() > SEALS || !options.trusted_sealers.contains(&last.header.d.to_lowercase()) {
        return None;
    }
    let is_small = message.ams_headers.iter().all(|field| field.header.h.len() <= SIGNED_FIELDS);
    if !is_small {
        return None;
    }
    Some(resolver.verify_arc(message).await)
}

/// What a chain of seals is worth: the result reported by the first hop for which, counted from the end, only trusted
/// ones vouch.
fn chain(arc: &ArcOutput<'_>, options: &AuthenticateOptions, from: &str) -> Check {
    match dkim_check(arc.result()) {
        Check::Pass => {}
        check => return check,
    }
    let believed = arc
        .sets()
        .iter()
        .rev()
        .take_while(|set| options.trusted_sealers.contains(&set.seal.header.d.to_lowercase()));
    let Some(first) = believed.last() else { return Check::Neutral };
    let said = authentication_results::parse(&String::from_utf8_lossy(first.results.value));
    if said.is_some_and(|said| reported::vouches(&said, from)) { Check::Pass } else { Check::Neutral }
}

fn spf_check(result: SpfResult) -> Check {
    match result {
        SpfResult::Pass => Check::Pass,
        SpfResult::Fail => Check::Fail,
        SpfResult::SoftFail => Check::SoftFail,
        SpfResult::Neutral => Check::Neutral,
        SpfResult::TempError => Check::TempError,
        SpfResult::PermError => Check::PermError,
        SpfResult::None => Check::None,
    }
}

fn dkim_check(result: &DkimResult) -> Check {
    match result {
        DkimResult::Pass => Check::Pass,
        // RFC 8601 §2.7.1: neutral is for what cannot be processed; a body that was changed can be.
        DkimResult::Neutral(
            Error::Dkim(DkimError::FailedBodyHashMatch) | Error::Arc(ArcError::FailedBodyHashMatch),
        )
        | DkimResult::Fail(_) => Check::Fail,
        DkimResult::Neutral(_) => Check::Neutral,
        DkimResult::PermError(_) => Check::PermError,
        DkimResult::TempError(_) => Check::TempError,
        DkimResult::None => Check::None,
    }
}

fn dmarc_check(result: &DmarcResult) -> Check {
    match result {
        DmarcResult::Pass => Check::Pass,
        DmarcResult::Fail(_) => Check::Fail,
        DmarcResult::TempError(_) => Check::TempError,
        DmarcResult::PermError(_) => Check::PermError,
        DmarcResult::None => Check::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_seen_in_the_header_alone() {
        for (raw, want) in [
            ("Subject: x\r\nDKIM-Signature: v=1\r\n\r\n", true),
            ("dkim-signature: v=1\n\n", true),
            ("ARC-Seal: i=1\r\n\r\n", true),
            ("Subject: x\r\n\r\nDKIM-Signature: v=1\r\n", false),
            ("Subject: x\n\nDKIM-Signature: v=1\n", false),
            ("X-DKIM-Signature: v=1\r\n\r\n", false),
            ("", false),
        ] {
            assert_eq!(is_signed(raw.as_bytes()), want, "{raw:?}");
        }
    }
}
