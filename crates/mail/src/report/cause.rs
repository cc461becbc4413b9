//! Why a message was not delivered, in the words of servers; and whether that counts against the address
//! permanently.

/// What kept a message from its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Cause {
    /// No known words.
    #[default]
    Unknown,
    /// There is no such mailbox.
    NoMailbox,
    /// There is no such domain, or it accepts no mail.
    NoDomain,
    /// The mailbox is closed or has moved.
    Closed,
    /// The mailbox is full.
    Full,
    /// The message is too large.
    TooLarge,
    /// The message or its sender is not wanted: spam, virus, policy, authentication, relaying.
    Refused,
    /// The server is unreachable or in trouble, or time ran out.
    Trouble,
}

/// How much text is searched for words, in octets.
const SEARCHED_OCTETS: usize = 4_000;

impl Cause {
    /// The cause named by a server's words.
    pub(crate) fn of(text: &str) -> Self {
        of(text)
    }
}

/// The first match counts; clearer causes come first.
fn of(text: &str) -> Cause {
    let text = text.get(..text.floor_char_boundary(SEARCHED_OCTETS)).unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let has = |table: &[&str]| table.iter().any(|phrase| text.contains(phrase));
    let rows = [
        (FULL, Cause::Full),
        (TOO_LARGE, Cause::TooLarge),
        (CLOSED, Cause::Closed),
        (NO_DOMAIN, Cause::NoDomain),
        (REFUSED, Cause::Refused),
        (NO_MAILBOX, Cause::NoMailbox),
        (TROUBLE, Cause::Trouble),
    ];
    rows.iter().find(|(table, _)| has(table)).map_or(Cause::Unknown, |(_, cause)| *cause)
}

/// Whether a failure means that the address itself is useless (docs/behaviour/nature.md §4): messages refused
/// for their size, content or sender, or by a full mailbox, may well be accepted tomorrow.
pub(crate) fn is_hard(status: &str, code: Option<u16>, cause: Cause) -> bool {
    let is_for_good = match (status.as_bytes().first(), code) {
        (Some(b'5'), _) => true,
        (Some(_), _) => false,
        (None, Some(code)) => code >= 500,
        (None, None) => matches!(cause, Cause::NoMailbox | Cause::NoDomain | Cause::Closed),
    };
    // RFC 3463 §3: the second number says what the failure is about.
    let by_status = match status.split('.').skip(1).collect::<Vec<_>>().as_slice() {
        // Bad sender address, mailbox full, message too large for this mailbox.
        ["1", "7" | "8"] | ["2", "2" | "3" | "4"] => Some(false),
        // Message syntax, network, protocol, content and policy.
        ["3" | "5" | "6" | "7", ..] => Some(false),
        // No such host, null MX.
        ["4", "4"] | ["1", _] => Some(true),
        ["4", _] => Some(false),
        _ => None,
    };
    let by_cause = match cause {
        Cause::NoMailbox | Cause::NoDomain | Cause::Closed => Some(true),
        Cause::Unknown => None,
        Cause::Full | Cause::TooLarge | Cause::Refused | Cause::Trouble => Some(false),
    };
    // Many servers answer 5.7.1 or 5.0.0 for unknown users: clear words outweigh the status, except for 5.1.1
    // and similar.
    match (by_status, by_cause) {
        (Some(true), Some(false)) if status.starts_with("5.1") => {
            is_for_good && !matches!(cause, Cause::Refused)
        }
        (_, Some(clear)) => is_for_good && clear,
        (Some(clear), None) => is_for_good && clear,
        (None, None) => {
            is_for_good
                && matches!(code, None | Some(550 | 551 | 553))
                && (code.is_some() || !status.is_empty())
        }
    }
}

#[rustfmt::skip]
const FULL: &[&str] = &[
    "mailbox full", "mailbox is full", "mailbox was full", "quota", "over limit", "exceeded storage", "storage exceeded",
    "exceeded the local limit", "mailbox exceeds", "mailbox size", "mailbox has exceeded", "mailbox limit", "inbox is full",
    "disk space", "diskspace", "insufficient disk", "too many messages", "too full", "out of storage", "no space left",
    "not enough space", "not enough storage", "is full",
    "postfach voll", "postfach ist voll", "speicherplatz", "überfüllt", "boîte pleine", "boîte aux lettres est pleine",
    "boite pleine", "buzón lleno", "buzón está lleno", "casella piena", "caixa cheia", "caixa postal cheia", "vol is",
    "postvak vol", "przepełnion", "pełna", "schránka je plná", "megtelt", "переполнен", "превышен", "kotası", "kutusu dolu",
    "aux lettres pleine", "est pleine", "saturée", "är full", "er fuld", "er full", "on täynnä", "plină", "πλήρες", "ممتلئ",
    "מלאה", "đã đầy", "已满", "已滿", "容量", "空间不足", "空間不足", "いっぱい", "満杯", "가득", "초과",
];
#[rustfmt::skip]
const TOO_LARGE: &[&str] = &[
    "message size exceeds", "size exceeds", "exceeds size", "size limit", "maximum message size",
    "maximum incoming message size", "too large", "too big", "message too long", "exceeds maximum", "exceeded the maximum",
    "larger than the", "message length", "line limit", "zu groß", "trop volumineux", "trop gros", "demasiado grande",
    "troppo grande", "muito grande", "te groot", "zbyt duża", "слишком большой", "过大", "過大", "大きすぎ",
];
#[rustfmt::skip]
const CLOSED: &[&str] = &[
    "disabled", "discontinued", "deactivated", "de-activated", "suspended", "inactive", "not active", "no longer",
    "expired account", "account expired", "has moved", "moved to", "not been used", " locked", "is locked",
    "not been collected", "not collected", "closed", "cancelled", "deaktiviert", "gesperrt", "désactivé", "desactivad",
    "disattivat", "desativad", "geblokkeerd", "nieaktywne", "заблокирован", "отключен", "停用", "停止", "已禁用", "휴면", "정지",
];
#[rustfmt::skip]
const NO_DOMAIN: &[&str] = &[
    "host unknown", "unknown host", "host not found", "domain not found", "no such domain", "no such host", "unknown domain",
    "domain does not exist", "domain doesn't exist", "bad destination host", "name service error", "nameserver", "name server",
    "dns error", "dns lookup", "no mx", "mx lookup", "mail exchanger", "null mx", "domain name", "does not accept mail",
    "unrouteable", "unroutable", "unresolvable", "could not be resolved", "couldn't find any host", "cannot resolve",
    "can't resolve", "no route to host", "domain unknown", "host or domain", "names no", "domäne", "domaine inconnu", "dominio",
    "domínio", "домен", "域名", "ドメイン",
];
#[rustfmt::skip]
const REFUSED: &[&str] = &[
    "spam", "junk", "blacklist", "black list", "blocklist", "block list", "blocked", "denylist", " rbl", "dnsbl", "reputation",
    "bulk mail", "unsolicited", "virus", "malware", "infected", "attachment", "content rejected", "message content",
    "content filter", "contains", "policy", "not authorized", "not authorised", "unauthorized", "not allowed", "not permitted",
    "prohibited", "relay", "authentication", "spf", "dkim", "dmarc", "reverse dns", "rdns", "ptr record", "access denied",
    "sender address", "sender denied", "sender rejected", "sender verif", "not accepting mail from", "not a member",
    "members-only", "rejected by the recipient", "confirmation", "greylist", "greylisted", "rate limit", "too many", "filter",
    "banned", "abgelehnt", "verweigert", "refusé", "rechazad", "rifiutat", "rejeitad", "geweigerd", "odrzucon", "отклонен",
    "拒绝", "拒絕", "拒否", "거부",
];
#[rustfmt::skip]
const NO_MAILBOX: &[&str] = &[
    "user unknown", "unknown user", "no such user", "unknown recipient", "recipient unknown", "unknown address",
    "address unknown", "unknown local", "unknown account", "unknown mailbox", "no such mailbox", "no such recipient",
    "no such address", "no such account", "no mailbox", "not found", "not recognized", "not known", "not listed",
    "not our customer", "does not exist", "doesn't exist", "doesn't have", "does not have", "not exist", "no account",
    "not a valid", "invalid", "unavailable", "mailbox not", "recipient not", "user not", "address not", "bad destination",
    "bad address", "illegal", "address rejected", "recipient rejected", "not a known", "isn't a valid",
    "not valid", "no matches", "not in directory", "not match", "wasn't found", "couldn't be found", "no user",
    "unbekannt", "existiert nicht", "nicht gefunden", "inconnu", "n'existe pas", "introuvable", "desconocid", "no existe",
    "no encontrad", "sconosciut", "non esiste", "inesistente", "desconhecid", "não existe", "inexistente", "onbekend",
    "bestaat niet", "okänd", "finns inte", "ukendt", "ukjent", "findes ikke", "finnes ikke", "tuntematon", "nieznany",
    "nie istnieje", "neznám", "neexistuje", "ismeretlen", "nem létez", "necunoscut", "nu există", "неизвест", "не существует",
    "не найден", "невідом", "не існує", "άγνωστ", "δεν υπάρχει", "bilinmeyen", "bulunamadı", "לא קיים", "לא נמצא", "غير موجود",
    "غير معروف", "不存在", "找不到", "未知", "存在しません", "見つかりません", "不明", "없는", "존재하지", "không tồn tại", "ไม่พบ", "ไม่มี",
    "tidak ditemukan", "tidak dikenal",
    "no se encontr", "no se ha encontrado", "no se pudo encontrar", "impossibile trovare l'indirizzo", "non trovat",
    "non è stato trovat", "não foi encontrad", "não encontrad", "niet gevonden", "niet worden gevonden", "nie można odnaleźć",
    "nie znaleziono", "hittades inte", "inte hittas", "ikke fundet", "ikke findes", "ikke funnet", "finner ikke", "ei löyd",
    "ei löytyn", "nebyla nalezena", "nebyl nalezen", "nenalezen", "nenašl", "nem található", "nu a fost găsit",
    "не удалось найти", "не знайден", "не вдалося знайти", "δεν βρέθηκε", "לא ניתן למצוא", "تعذر العثور", "لم يتم العثور",
    "không tìm thấy", "찾을 수 없",
];
#[rustfmt::skip]
const TROUBLE: &[&str] = &[
    "timed out", "timeout", "time out", "connection refused", "connection", "connect", "temporar", "try again", "deferred",
    "unreachable", "not responding", "expired", "too long", "system error", "internal error", "configuration", "loop",
    "too many hops", "service unavailable", "unavailable", "busy", "retry", "attempts", "within", "last", "network",
    "zeitüberschreitung", "vorübergehend", "verbindung", "délai", "conexión", "connessione", "conexão", "verbinding",
    "połączeni", "соединени", "超时", "逾時", "连接", "タイムアウト", "接続", "시간 초과", "연결",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardness_follows_cause_before_status() {
        struct Case {
            status: &'static str,
            code: Option<u16>,
            cause: Cause,
            want: bool,
        }
        fn usual() -> Case {
            Case { status: "", code: None, cause: Cause::Unknown, want: false }
        }

        for Case { status, code, cause, want } in [
            Case { status: "5.1.1", code: Some(550), want: true, ..usual() },
            Case { status: "5.1.1", code: Some(550), cause: Cause::NoMailbox, want: true },
            Case { status: "5.2.2", code: Some(552), cause: Cause::Full, ..usual() },
            Case { status: "5.7.1", code: Some(554), ..usual() },
            Case { status: "5.7.1", code: Some(550), cause: Cause::NoMailbox, want: true },
            Case { status: "5.4.4", want: true, ..usual() },
            Case { status: "5.4.7", ..usual() },
            Case { status: "4.1.1", code: Some(450), cause: Cause::NoMailbox, ..usual() },
            Case { status: "", code: Some(550), want: true, ..usual() },
            Case { status: "", code: Some(554), ..usual() },
            Case { status: "", cause: Cause::NoMailbox, want: true, ..usual() },
            Case { status: "", ..usual() },
        ] {
            assert_eq!(is_hard(status, code, cause), want, "{status} {code:?} {cause:?}");
        }
    }
}
