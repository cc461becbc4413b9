//! Where an address occurs in a notice, and whether failed recipients are usually named there.

use super::address::Hit;
use super::notice::Notice;
use crate::report::answer;

/// The places, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// After the name of an RFC 3464 field.
    Field,
    /// At the beginning of a line: a list, or `<address>: reason`.
    Listed,
    /// After words for a recipient and a colon.
    Labelled,
    /// In a server's answer or in the command before it.
    Answer,
    /// Right after `deliver … to` in a sentence that reports a failure.
    Told,
    /// Elsewhere in such a sentence.
    Sentence,
    /// Anywhere else.
    Elsewhere,
    /// After words that introduce the alias the failed recipient was expanded from.
    Origin,
}

/// How much of a line before an address is examined, in octets.
const BEFORE_OCTETS: usize = 500;

/// A line of a notice, and what all addresses on it have in common.
pub(super) struct Line<'a> {
    text: &'a str,
    /// The last non-empty line above it, lower-cased.
    above: String,
    /// The place of an address about which nothing else is known.
    otherwise: Place,
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str, above: &str) -> Self {
        let above = above.to_lowercase();
        let otherwise = by_sentence(text, &above);
        Self { text, above, otherwise }
    }
}

/// The place of an address; `None` if it belongs to somebody else (the sender, a contact) or is a message-id.
pub(super) fn of(line: &Line<'_>, hit: &Hit<'_>, context: &Notice<'_>) -> Option<Place> {
    let before =
        hit.before.trim_end_matches(['<', '(', '[', '"', '\'', '`', ' ', '\t', '«', '„', '“', '‘', '*', '{']);
    let before = strip_end_ignoring_case(before, "mailto:").trim_end_matches(['<', '[', '(', ' ']);
    let place = rank(line, before, hit)?;
    let is = |list: &[crate::address::Mailbox]| {
        list.iter().any(|mailbox| mailbox.address.eq_ignore_ascii_case(hit.address))
    };
    let local = hit.address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let is_own = is(context.to) || is(context.from);
    let is_office =
        ["postmaster", "mailer-daemon", "abuse", "hostmaster", "helpdesk", "support", "admin", "webmaster"]
            .contains(&local.as_str());
    let is_weak = place >= Place::Sentence;
    (!(is_own && place > Place::Listed || is_office && is_weak)).then_some(place)
}

fn rank(line: &Line<'_>, before: &str, hit: &Hit<'_>) -> Option<Place> {
    let near = before
        .get(before.ceil_char_boundary(before.len().saturating_sub(BEFORE_OCTETS))..)
        .unwrap_or_default();
    let is_whole = near.len() == before.len();
    let head = near.trim_start_matches(is_bullet);
    let head = head.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['.', ')', ' ']);
    let after = hit.after.trim_start_matches(['>', ')', ']', '"', '\'', '`', '»', '”', '’', '*']);
    if is_whole && head.trim_matches(is_bullet).is_empty() {
        // `(expanded from`, with the address on the next line.
        if line.above.rfind('(') > line.above.rfind(')') && leads_to_origin(&line.above) {
            return Some(Place::Origin);
        }
        // `A message sent by`, with the address on the next line.
        if SENDERS.iter().any(|word| line.above.trim_end_matches([':', ' ']).ends_with(word))
            && !near.contains("...")
        {
            return None;
        }
        return Some(if sets_off(after) { Place::Listed } else { line.otherwise });
    }
    let lower = near.to_lowercase();
    if leads_to_origin(&lower) {
        return Some(Place::Origin);
    }
    // `250 <address>, sender ok`
    if matches!(line.text.trim_start().as_bytes(), [b'2' | b'3', b'0'..=b'5', b'0'..=b'9', b' ' | b'-', ..]) {
        return None;
    }
    if let Some(label) = lower.strip_suffix([':', '：', '=', ';']) {
        return labelled(label, line);
    }
    // X.400 writes addresses as attributes: `dda:SMTP=user@host;`.
    if lower.ends_with("smtp") || lower.contains(";o=") || lower.contains("dda:") {
        return Some(Place::Listed);
    }
    let nearest = lower.get(lower.ceil_char_boundary(lower.len().saturating_sub(40))..).unwrap_or_default();
    if nearest.contains("mail from") || NOT_RECIPIENTS.iter().any(|word| nearest.ends_with(word)) {
        return None;
    }
    if lower.contains("rcpt to") || is_whole && lower.trim_start().starts_with(">>>") || has_code(&lower) {
        return Some(Place::Answer);
    }
    if hit.before.ends_with('<') && is_whole && is_name(head) && sets_off(after) && hit.after.starts_with('>')
    {
        return Some(Place::Listed);
    }
    let is_told = line.otherwise == Place::Sentence && lower.ends_with(" to") && lower.contains("deliver");
    Some(if is_told { Place::Told } else { line.otherwise })
}

fn leads_to_origin(before: &str) -> bool {
    let words = before.trim_end_matches([':', ' ', '<']);
    ORIGINS.iter().any(|word| words.ends_with(word))
}

/// After a colon: the label says whose address it is.
fn labelled(label: &str, line: &Line<'_>) -> Option<Place> {
    let label = label
        .rsplit(['(', ',', ';', '.', ':'])
        .next()
        .unwrap_or_default()
        .trim_matches(|c: char| !c.is_alphanumeric());
    let begin = line.text.trim_start().get(.."final-recipient".len());
    if label.ends_with("final-recipient")
        || label.ends_with("original-recipient")
        || begin.is_some_and(|begin| begin.eq_ignore_ascii_case("final-recipient"))
    {
        return Some(Place::Field);
    }
    if label.ends_with("rcpt to") || label.contains("recip") && label.contains("addr") && has_code(label) {
        return Some(Place::Answer);
    }
    if label.ends_with("rfc822") || label.ends_with("x400") {
        return Some(Place::Labelled);
    }
    if label.ends_with("mail from") || NOT_LABELS.iter().any(|word| label.contains(word)) {
        return None;
    }
    if has_code(label) || label.ends_with("said") {
        return Some(Place::Answer);
    }
    if LABELS.iter().any(|word| label.contains(word)) {
        return Some(Place::Labelled);
    }
    if ["to", "an", "à", "para", "a", "aan", "till", "til", "do", "кому", "komu", "宛先", "收件人"]
        .contains(&label)
        || label.ends_with(" to")
    {
        return Some(Place::Elsewhere);
    }
    Some(line.otherwise)
}

fn by_sentence(line: &str, above: &str) -> Place {
    let lower = line.to_lowercase();
    let fails = |text: &str| FAILS.iter().any(|word| text.contains(word));
    if fails(&lower) || (above.len() < 200 && fails(above)) { Place::Sentence } else { Place::Elsewhere }
}

/// Whether a line introduces a list of recipients.
pub(super) fn is_heading(line: &str) -> bool {
    let lower = line.to_lowercase();
    (lower.trim_end().ends_with([':', '-', '.']) || lower.contains("following"))
        && LABELS.iter().any(|word| lower.contains(word))
}

/// The end of the line, or what separates an address from its reason.
fn sets_off(after: &str) -> bool {
    let rest = after.trim_start();
    rest.is_empty()
        || rest.starts_with([':', ';', ',', '(', '[', '-', '–', '—', '=', '|', '<', '：', '#'])
        || rest.starts_with("...")
        || rest.starts_with("on ")
        || after.starts_with(['\t'])
        || after.starts_with("   ")
}

fn is_bullet(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t'
            | '*'
            | '-'
            | '•'
            | '·'
            | '–'
            | '—'
            | '#'
            | '>'
            | '|'
            | '+'
            | '.'
            | '<'
            | '"'
            | '\''
            | '('
            | '['
            | '~'
            | '='
            | '\u{a0}'
            | '／'
            | '※'
    )
}

/// A display name: a few words, none of which introduces an address within a sentence.
fn is_name(head: &str) -> bool {
    let head = head.trim();
    let last = head.rsplit(' ').next().unwrap_or_default().to_lowercase();
    head.split_whitespace().count() <= 4
        && !head.contains(['、', '。', ',', '：', '，'])
        && !["to", "for", "by", "from", "an", "von", "à", "de", "a", "of", "address", "user", "recipient"]
            .contains(&last.as_str())
}

/// Whether the preceding words contain a reply code or status code of a failure.
fn has_code(lower: &str) -> bool {
    answer::smtp_code(lower).is_some() || answer::status_code(lower).is_some()
}

fn strip_end_ignoring_case<'a>(text: &'a str, end: &str) -> &'a str {
    let Some(at) = text.len().checked_sub(end.len()) else { return text };
    match text.split_at_checked(at) {
        Some((head, tail)) if tail.eq_ignore_ascii_case(end) => head,
        _ => text,
    }
}

/// Words that introduce an alias.
const ORIGINS: &[&str] = &[
    "expanded from",
    "generated from",
    "generated by",
    "originally addressed to",
    "forwarded from",
    "alias",
];

/// If the previous line ends with one of these, the sender's address follows.
const SENDERS: &[&str] = &[
    "sent by",
    "message from",
    "mail from",
    "written by",
    "sender",
    "originator",
    "return path",
    "generated from",
    "absender",
    "expéditeur",
    "remitente",
];

/// Words that introduce an address other than a failed one.
#[rustfmt::skip]
const NOT_RECIPIENTS: &[&str] = &[
    " from", "from:", " by", "contact", "contacting", "write to", "mail to postmaster", "reply to", "e-mail to the", "sender",
    "sent by", "please send mail to", "please email", "please e-mail", "please mail", "questions to", "complaints to",
    "report to", "forward to", "help:", " von", "absender", "kontakt", "expéditeur", "contacter", "remitente", "mittente",
    "remetente", "afzender", "отправителя", " от", "发件人", "寄件人", "差出人", "your address", "message-id", "id",
];

/// Labels of fields that do not hold a failed address.
#[rustfmt::skip]
const NOT_LABELS: &[&str] = &[
    "from", "sender", "reply", "return", "message-id", "message id", "messageid", "references", "in-reply", "subject",
    "contact", "postmaster", "mail from", "support", "absender", "expéditeur", "remitente", "mittente", "remetente", "afzender",
    "nadawca", "odesílatel", "odosielateľ", "отправитель", "от кого", "发件人", "寄件人", "差出人", "보낸", "help", "http", "x-",
    "received", "mts-id", "expanded", "abuse", "dkim", "signature", "authentication", "url", "list-", "errors-to",
    "envelope-from",
];

/// Words for a recipient, or for what happened to one.
#[rustfmt::skip]
const LABELS: &[&str] = &[
    "recipient", "undeliver", "unknown", "failed", "failure", "address", "mailbox", "rcpt", "delivery", "deliver", "user",
    "account", "not found", "bounced", "rejected", "attempts", "invalid", "exceeds", "over quota", "names", "sent to",
    "intended for",
    "empfänger", "adress", "benutzer", "zustell", "destinat", "dirección", "indirizz", "endereço", "utilisateur", "usuario",
    "utente", "geadresseerde", "ontvanger", "gebruiker", "mottag", "modtag", "vastaanott", "osoit", "odbiorc", "adresat",
    "příjemc", "adresát", "príjemc", "címzett", "получател", "адрес", "пользовател", "одержувач", "отримувач", "αποδέκτ",
    "παραλήπτ", "alıcı", "adres", "נמען", "נמענ", "المستلم", "المستلمين", "گیرنده", "收件人", "收信人", "地址", "用户", "宛先", "受信者",
    "あて先", "アドレス", "받는", "수신", "người nhận", "địa chỉ", "ผู้รับ", "ที่อยู่", "penerima", "alamat",
];

/// Words of failure in a sentence.
#[rustfmt::skip]
const FAILS: &[&str] = &[
    "deliver", "fail", "reject", "refus", "return", "unknown", "error", "bounce", "not found", "does not exist",
    "doesn't exist", "not a valid", "invalid", "unable", "could not", "couldn't", "cannot", "can't", "did not", "wasn't",
    "quota", "exceed", "full", "disabled", "no such", "not accept", "blocked", "denied", "no longer", "not collected",
    "not valid", "didn't", "not reach", "not exactly match",
    "zugestellt", "zustell", "unbekannt", "fehler", "nicht", "n'a p", "échec", "inconnu", "impossible", "no se p", "no pudo",
    "no existe", "non è", "impossibile", "não", "niet", "inte ", "ikke", "ei ", "nie ", "nelze", "nebyl", "nem ", "nu ", "не ",
    "недостав", "ошибка", "δεν", "edilemedi", "לא", "تعذر", "لم ", "无法", "無法", "失败", "失敗", "不存在", "できません", "エラー", "ません", "없",
    "못", "실패", "반송", "không", "ไม่", "tidak", "gagal",
];
