//! Lines of fixed words: marks above an original or forwarded message, requests to reply above a line, device
//! lines.

use super::page::{Class, is_dash, trim};
use crate::quoting::mark::{self, Kind};
use crate::quoting::words::{Stems, says_original};
use std::sync::LazyLock;

/// The longest line that is examined, in octets.
const LINE_OCTETS: usize = 160;

/// Words for "reply", and for "above" or "over", as stems: a decorated line with one of each asks people to
/// reply above it.
#[rustfmt::skip]
const ANSWER: &[&str] = &[
    "reply", "repl", "respon", "answer", "antwort", "répon", "repon", "rispo", "contest", "antwoord", "svar", "vasta", "odpow", "odpov", "válasz", "răsp", "rasp", "ответ", "відпов", "отговор",
    "απάντ", "απαντ", "yanıt", "cevap", "השב", "תשוב", "الرد", "ردك", "رد ", "پاسخ", "ตอบ", "trả lời", "balas", "tanggap", "回复", "回覆", "答复", "返信", "답장", "회신", "vastus", "atsak", "atbild",
];
#[rustfmt::skip]
const ABOVE: &[&str] = &[
    "above", "over this", "oberhalb", "über dies", "ueber dies", "dessus", "encima", "arriba", "superior", "por sobre", "sopra", "acima", "boven", "ovanför", "ovenfor", "over denne", "yläpuol",
    "powyżej", "nad t", "nad č", "nad ř", "fölé", "felett", "deasupra", "выше", "над", "вище", "πάνω", "üst", "מעל", "فوق", "أعلى", "بالای", "เหนือ", "phía trên", "bên trên", "di atas", "以上", "上方", "之上", "より上", "の上", "위에", "위로", "kohale", "virš", "virs",
];

/// Whole lines that programs put above earlier messages.
#[rustfmt::skip]
const EARLIER: &[&str] = &[
    "previous replies", "previous messages", "previous message", "previous conversation", "conversation history", "earlier messages", "original email", "original e-mail", "original appointment",
    "quoted message", "replied message", "frühere antworten", "bisheriger verlauf", "nachrichtenverlauf", "réponses précédentes", "messages précédents", "respuestas anteriores", "mensajes anteriores",
    "risposte precedenti", "messaggi precedenti", "respostas anteriores", "mensagens anteriores", "vorige antwoorden", "eerdere berichten", "tidigare svar", "tidligere svar", "poprzednie odpowiedzi",
    "předchozí odpovědi", "предыдущие ответы", "предыдущие сообщения", "попередні відповіді", "önceki yanıtlar", "以前的回复", "以前の返信", "이전 답글",
];

/// The class of a line of fixed words; `None` for all others.
pub(super) fn of(body: &str) -> Option<Class> {
    let first = body.chars().next()?;
    if body.len() > LINE_OCTETS {
        return None;
    }
    let opening = body.chars().take_while(|c| is_dash(*c)).count();
    let closing = body.chars().rev().take_while(|c| is_dash(*c)).count();
    let is_bracketed = first == '[' && body.ends_with(']');
    if opening == 0 && !is_bracketed && !body.ends_with([':', '：']) {
        // A client that strips the decoration leaves the words.
        return is_plain_request(body).then_some(Class::ReplyAbove);
    }
    // A single dash is a list item.
    let is_decorated = is_bracketed || opening >= 3 || opening == 2 && closing >= 2;
    let said = trim(body.trim_matches(|c| is_dash(c) || matches!(c, ' ' | '[' | ']' | ':' | '：' | '|')))
        .to_lowercase();
    if said.is_empty() {
        return None;
    }
    if is_decorated && asks_above(&said) || is_plain_request(&said) {
        return Some(Class::ReplyAbove);
    }
    let is_earlier = EARLIER.contains(&said.as_str());
    let between = opening >= 2 && closing >= 2;
    match mark::read(body).map(|mark| mark.kind) {
        Some(Kind::Opener | Kind::Forwarded) => Some(Class::Forward),
        _ if is_earlier => Some(Class::Original),
        Some(Kind::Other) if between && says_original(&said) && said.split_whitespace().count() <= 5 => {
            Some(Class::Original)
        }
        _ => None,
    }
}

fn is_plain_request(body: &str) -> bool {
    let asks = |body: &str| {
        let said = body.to_lowercase();
        said.starts_with("please type your reply above")
            || said.starts_with("please reply above this")
            || said.starts_with("reply above this line")
    };
    body.len() < 80 && body.get(..1).is_some_and(|first| matches!(first, "P" | "p" | "R" | "r")) && asks(body)
}

fn asks_above(said: &str) -> bool {
    static WORDS: LazyLock<[Stems; 2]> = LazyLock::new(|| [Stems::new(ANSWER), Stems::new(ABOVE)]);
    WORDS.iter().all(|stems| stems.is_in(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_fixed_words() {
        for (line, want) in [
            ("-----Original Message-----", Some(Class::Original)),
            ("-------- Alkuperäinen viesti --------", Some(Class::Original)),
            ("------------------ 原始邮件 ------------------", Some(Class::Original)),
            ("*Previous Replies*", Some(Class::Original)),
            ("---------- Forwarded message ---------", Some(Class::Forward)),
            ("Anfang der weitergeleiteten Nachricht:", Some(Class::Forward)),
            ("## Bitte antworten Sie oberhalb dieser Zeile ##", Some(Class::ReplyAbove)),
            ("=== Responda por encima de esta línea ===", Some(Class::ReplyAbove)),
            ("--- Reply above this line. Do not", Some(Class::ReplyAbove)),
            ("Please type your reply above this line", Some(Class::ReplyAbove)),
            ("- please reply to the point above", None),
            ("-- first point, see above", None),
            ("The original message was lost.", None),
            ("-- original --", Some(Class::Original)),
            ("Answers:", None),
            ("", None),
        ] {
            assert_eq!(of(line), want, "{line}");
        }
    }
}
