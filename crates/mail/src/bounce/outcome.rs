//! Whether a notice reports a failure, a delay or a success.

use super::scan::Found;
use crate::wording::Wording;

/// What happened to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Outcome {
    /// The text says nothing about delivery.
    #[default]
    Nothing,
    Failed,
    Delayed,
    Delivered,
}

/// How much of a notice is examined, in octets.
const OPENING_OCTETS: usize = 4_000;

/// Determines the outcome; words of failure outweigh the subject, which some servers never change.
pub(super) fn of(notice: &str, subject: Option<Wording>, found: &[Found]) -> Outcome {
    let text = notice.get(..notice.floor_char_boundary(OPENING_OCTETS)).unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let has = |table: &[&str]| table.iter().any(|phrase| text.contains(phrase));
    let waits = has(DELAYED);
    if waits && (subject == Some(Wording::Delayed) || !has(GIVEN_UP)) {
        return Outcome::Delayed;
    }
    if subject == Some(Wording::Delivered) && !has(FAILED) {
        return Outcome::Delivered;
    }
    if subject == Some(Wording::Delayed) && !has(GIVEN_UP) {
        return Outcome::Delayed;
    }
    if has(FAILED)
        || has(GIVEN_UP)
        || subject == Some(Wording::Returned)
        || found.iter().any(|found| found.has_answer)
    {
        return Outcome::Failed;
    }
    Outcome::Nothing
}

#[rustfmt::skip]
const DELAYED: &[&str] = &[
    "has been delayed", "is delayed", "was delayed", "been delayed", "warning message only", "this is a warning only",
    "only a warning", "still being retried", "will be retried", "will retry", "will continue to try", "continue trying",
    "keep trying", "will keep trying", "will try again", "be retried", "delivery attempts will continue",
    "attempts to deliver the message will continue", "has not yet been delivered", "not yet been delivered",
    "could not be delivered yet", "could not be delivered for the last", "will remain in the queue", "temporary failure report",
    "temporary error", "is only a temporary", "no action is required", "you do not need to resend", "do not need to resend",
    "not been delivered yet", "will be attempted", "still trying", "delivery is delayed",
    "after more than 24 hours on the queue", "after more than", "next delivery attempt", "undelivered after",
    "noch nicht zugestellt", "verzögert", "wird weiter versucht", "weitere zustellversuche", "erneut versucht",
    "remise différée", "a été différé", "est retardé", "sera retenté", "nouvelles tentatives", "se ha retrasado",
    "está retrasad", "se volverá a intentar", "seguirá intentando", "in ritardo", "ulteriori tentativi", "verrà ritentat",
    "está atrasad", "novas tentativas", "foi adiad", "vertraagd", "opnieuw geprobeerd", "försenat", "fördröj", "forsinke",
    "viivästy", "opóźnion", "ponownie", "zpožděn", "oneskoren", "késik", "késlelte", "întârzia", "будут продолжены",
    "повторные попытки", "будет повторена", "задерж", "буде повторен", "забав", "gecik", "καθυστερ", "延迟", "延遲", "重试", "重試",
    "再送を試み", "遅延", "再試行", "지연", "재시도",
];

/// What servers say when they have given up.
#[rustfmt::skip]
const GIVEN_UP: &[&str] = &[
    "permanent error", "permanent fatal", "permanent failure", "failed permanently", "permanently failed", "given up",
    "giving up", "gave up", "has failed", "delivery failed", "returned to you", "returned undelivered", "being returned",
    "has been returned", "retry time", "retry timeout exceeded", "too long", "will not be retried", "not going to try again",
    "no further", "cannot be delivered", "endgültig", "définitiv", "permanente", "постоянн", "user unknown", "unknown user",
    "no such user", "message expired", "will be deleted from queue",
];

#[rustfmt::skip]
const FAILED: &[&str] = &[
    "deliver", "undeliver", "fail", "reject", "refus", "return", "unknown", "error", "bounce", "not found", "does not exist",
    "doesn't exist", "not valid", "invalid", "unable", "could not", "couldn't", "did not reach", "did not receive", "not a ",
    "quota", "exceed", "full", "disabled", "no such", "not accept", "blocked", "denied",
    "zugestellt", "zustell", "unbekannt", "fehler", "nicht", "n'a pas", "pas pu", "échec", "inconnu", "impossible", "no se p",
    "no pudo", "no existe", "error", "non è", "impossibile", "não", "niet", "inte ", "ikke", "ei voi", "nie ", "nelze", "nebyl",
    "nem ", "nu ", "не ", "недостав", "ошибка", "δεν", "edilemedi", "לא", "تعذر", "لم ", "无法", "無法", "失败", "失敗", "退信", "未能",
    "不存在", "できません", "エラー", "ません", "없", "못", "실패", "반송", "không", "ไม่", "tidak", "gagal",
];
