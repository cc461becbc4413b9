//! Finds where the notice ends and the returned message begins.

use crate::field::OWN_MARK;
use crate::message_id::{MessageId, parse_ids};
use crate::text::one_line;

/// A line with such words that is longer than this is running text.
const LINE_OCTETS: usize = 160;

/// Splits a text into the notice and the returned message; without a clear boundary all of it is notice.
pub(super) fn split(text: &str) -> (&str, &str) {
    let mut at = 0_usize;
    let mut has_said = false;
    for line in text.split_inclusive('\n') {
        let is_start = starts_returned(line.trim());
        if is_start && has_said {
            return text.split_at_checked(at).unwrap_or((text, ""));
        }
        // Some servers put the returned message first; a notice says something before it.
        has_said |= !line.trim().is_empty() && !is_start;
        at = at.saturating_add(line.len());
    }
    (text, "")
}

/// Whether a line announces or begins the returned mail.
fn starts_returned(line: &str) -> bool {
    if line.len() > LINE_OCTETS || line.is_empty() {
        return false;
    }
    let words = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    let first = words.chars().next().unwrap_or_default();
    // The header of the returned message itself; notices have no Received fields elsewhere.
    if matches!(first, 'R' | 'r') && !line.starts_with('<') {
        let lower = lower_start(words, 16);
        if lower.starts_with("received: ")
            || lower.starts_with("return-path: ")
            || lower.starts_with("received-from-mta:")
        {
            return !lower.starts_with("received-from");
        }
    }
    let lower = words.to_lowercase();
    let is_ruled = line.starts_with(['-', '=', '*', '_', '#', '~', '+']);
    ANNOUNCED.iter().any(|phrase| lower.strip_prefix(phrase).is_some_and(announces))
        || ANYWHERE.iter().any(|phrase| lower.contains(phrase))
        || (is_ruled && RULED.iter().any(|phrase| lower.starts_with(phrase)))
}

/// `The original message was received at …` and `Original message id: …` describe the message rather than
/// begin it.
fn announces(rest: &str) -> bool {
    let rest = rest.trim_start();
    ![
        "was ",
        "id",
        "-id",
        "identifier",
        "could ",
        "has ",
        "to ",
        "subject",
        "sent",
        "size",
        "from ",
        "was:",
        "info",
        "信息",
        "資訊",
        "の情報",
    ]
    .iter()
    .any(|word| rest.starts_with(word))
}

fn lower_start(text: &str, octets: usize) -> String {
    text.get(..text.floor_char_boundary(octets)).unwrap_or_default().to_ascii_lowercase()
}

/// Beginnings of a line after which the returned message follows.
#[rustfmt::skip]
const ANNOUNCED: &[&str] = &[
    "original message", "the original message", "original mail", "original email", "original e-mail", "returned message",
    "returned mail", "the returned message", "returned content", "message header", "message text", "message body",
    "message contents", "message follows", "original header", "original text", "original content",
    "header of the original", "headers of the original", "the header of the original", "the headers of the original",
    "header of the message", "unsent message", "undelivered message", "undelivered mail", "undeliverable message",
    "rejected message", "rejected mail", "failed message", "bounced message", "old message", "your original message",
    "your message follows", "your message text", "your message reads", "your mail follows", "text of your message",
    "text of the message", "text of message", "full text of", "forwarded message", "start of returned", "start of original",
    "start of message", "begin returned", "begin of message", "begin message", "beginning of", "beginning of original",
    "first lines of", "first part of", "the first", "the message begins", "here is a copy", "here is your", "here is the",
    "here are the", "a copy of the", "a copy of your", "copy of the", "copy of your", "copy of message", "this is a copy",
    "below is a copy", "below is the", "below this line", "included is a copy", "included below is", "enclosed is",
    "attached is", "message headers follow", "headers follow", "quoted message", "the message text follows",
    "the message headers", "the message that", "following is a copy", "following is the", "the following is a copy",
    "the following is the", "partial message", "the unsent message", "the text of the message", "transcript of message",
    "content of the message", "contents of the message", "mail header", "mail headers", "the mail header", "email header",
    "non-deliverable", "message non-deliverable", "returned message follows",
    "ursprüngliche nachricht", "ursprüngliche mail", "ursprüngliche e-mail", "originalnachricht", "original-nachricht",
    "originaltext", "kopie der nachricht", "kopie ihrer nachricht", "dies ist eine kopie", "es folgt eine kopie",
    "es folgt der", "nachfolgend die", "kopfzeilen", "die nachricht lautete", "header der originalnachricht", "im folgenden",
    "message d'origine", "message original", "message initial", "copie du message", "copie de votre message",
    "ceci est une copie", "ci-dessous", "en-têtes du message", "entête du message", "début du message",
    "mensaje original", "copia del mensaje", "copia de su mensaje", "esta es una copia", "a continuación",
    "cabeceras del mensaje", "messaggio originale", "copia del messaggio", "questa è una copia", "intestazione", "intestazioni",
    "mensagem original", "cópia da mensagem", "esta é uma cópia", "cabeçalho", "cabeçalhos", "oorspronkelijk bericht",
    "oorspronkelijke bericht", "kopie van het bericht", "dit is een kopie", "ursprungligt meddelande", "ursprungsmeddelande",
    "originalmeddelande", "oprindelig meddelelse", "opprinnelig melding", "alkuperäinen viesti",
    "oryginalna wiadomość", "treść wiadomości", "kopia wiadomości", "wiadomość oryginalna", "původní zpráva", "pôvodná správa",
    "kopie zprávy", "eredeti üzenet", "az eredeti", "mesaj original", "mesajul original", "исходное сообщение",
    "оригинальное сообщение", "копия сообщения", "копия письма", "исходное письмо", "оригинал письма", "ниже приведена копия",
    "вихідне повідомлення", "оригінальне повідомлення", "копія", "оригинално съобщение", "orijinal ileti", "özgün ileti",
    "orijinal mesaj", "αρχικό μήνυμα", "הודעה מקורית", "ההודעה המקורית", "الرسالة الأصلية", "پیام اصلی",
    "原邮件", "原始邮件", "原始郵件", "原信", "原郵件", "原文", "以下是原", "以下是您", "以下為原", "下面是原", "邮件原文", "元のメッセージ", "元のメール", "オリジナルメッセージ",
    "送信されたメール", "お客様が送信", "以下は", "以下に", "原メッセージ", "원본 메일", "원본 메시지", "원래 메시지", "원문", "thư gốc", "ข้อความต้นฉบับ", "pesan asli",
    "mesej asal",
];

/// If a line contains one of these anywhere, the returned message follows.
const ANYWHERE: &[&str] = &[
    "original message follows",
    "message headers follow",
    "is a copy of the message",
    "copy of the original message",
    "original message is following",
    "original message as received",
    "copy of the first part of the message",
    "header of the original message is",
    "原邮件副本",
    "原信件的一份拷贝",
    "原始信件",
];

/// Count only after a rule of dashes or similar.
const RULED: &[&str] = &[
    "returned",
    "original",
    "message",
    "unsent",
    "body of",
    "the body of",
    "header",
    "begin",
    "start",
    "copy",
    "mail message",
    "undelivered",
    "nachricht",
    "message original",
];

/// The Message-ID and our mark among header fields quoted in a text, with or without quote marks and
/// indentation.
pub(super) fn ids(text: &str) -> (Option<MessageId>, Option<String>) {
    let mut message_id = None;
    let mut mark = None;
    let mut is_open = false;
    for line in text.lines() {
        let line = line.trim_start_matches([' ', '\t', '>', '|', '*']);
        if is_open && message_id.is_none() {
            // Folded: the id is on the next line.
            message_id = parse_ids(line, 1).pop();
        }
        is_open = false;
        let Some((name, value)) = line.split_once(':') else { continue };
        if message_id.is_none() && name.eq_ignore_ascii_case("message-id") {
            message_id = parse_ids(value, 1).pop();
            is_open = message_id.is_none();
        } else if mark.is_none() && name.eq_ignore_ascii_case(OWN_MARK) {
            mark = Some(one_line(value.trim(), 998)).filter(|mark| !mark.is_empty());
        }
        if message_id.is_some() && mark.is_some() {
            break;
        }
    }
    (message_id, mark)
}
