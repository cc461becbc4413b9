//! Subjects of automatic replies: lower-case, matched at the beginning.

/// Only machines write these in full, or followed by a colon and the original subject.
#[rustfmt::skip]
pub(super) const SURE: &[&str] = &[
    // English
    "automatic reply", "auto reply", "auto-reply", "autoreply", "automated reply", "automatic response", "auto response",
    "auto-response",
    "autoresponse", "automated response", "automatic answer", "autoresponder", "auto responder", "auto-responder",
    "automatically generated reply",
    "out of office autoreply", "out of office auto reply", "out of office auto-reply", "out of office reply",
    "out of office notification",
    "out of office message", "out of office response", "out of office notice", "out of office assistant", "out-of-office reply",
    "out-of-office message", "out-of-office notification", "out-of-office autoreply", "out of the office reply", "vacation reply",
    "vacation message", "vacation notice", "vacation response", "vacation autoreply", "vacation auto-reply", "vacation responder",
    "holiday autoreply", "away message", "away notice", "away from my mail", "this is an autoreply", "this is an auto-reply", "automatic acknowledgement",
    "automatic acknowledgment",
    "auto acknowledgement", "auto-acknowledgement", "automated acknowledgement", "automatic receipt confirmation",
    "automatic confirmation of receipt",
    // German
    "automatische antwort", "automatische rückantwort", "automatische antwortmail", "automatische abwesenheitsnotiz",
    "automatische nachricht",
    "automatische abwesenheitsmeldung", "automatische empfangsbestätigung", "automatische eingangsbestätigung",
    "automatische rückmeldung",
    "abwesenheitsnotiz", "abwesenheitsmeldung", "abwesenheitsbenachrichtigung", "abwesenheitsassistent",
    "abwesenheitsnachricht", "auto-antwort",
    "urlaubsbenachrichtigung", "urlaubsmeldung", "abwesenheitsagent",
    // French
    "réponse automatique", "reponse automatique", "réponse automatisée", "message automatique", "message d'absence",
    "message d'absence du bureau",
    "avis d'absence", "notification d'absence", "réponse d'absence", "réponse d'absence du bureau", "absence du bureau",
    "accusé de réception automatique", "accuse de reception automatique", "réponse automatique d'absence",
    // Spanish, Catalan, Galician, Basque
    "respuesta automática", "respuesta automatica", "contestación automática", "mensaje automático", "fuera de la oficina",
    "fuera de oficina",
    "acuse de recibo automático", "resposta automàtica", "erantzun automatikoa",
    // Italian
    "risposta automatica", "messaggio automatico", "risposta automatica fuori sede", "fuori sede", "fuori ufficio",
    "conferma automatica di ricezione",
    // Portuguese
    "resposta automática", "resposta automatica", "mensagem automática", "ausência temporária", "ausência do escritório",
    "fora do escritório",
    "ausencia temporaria",
    // Dutch
    "automatisch antwoord", "automatisch bericht", "automatische beantwoording", "automatische reactie", "afwezigheidsbericht",
    "afwezigheidsmelding", "automatische ontvangstbevestiging", "automatisch antwoord bij afwezigheid",
    // Swedish, Danish, Norwegian, Finnish, Icelandic
    "autosvar", "automatiskt svar", "automatsvar", "frånvaromeddelande", "automatisk svar", "automatisk svarmail",
    "fraværsmeddelelse",
    "fraværsmelding", "automaattinen vastaus", "automaattivastaus", "poissaoloilmoitus", "poissa toimistosta", "sjálfvirkt svar",
    // Polish, Czech, Slovak, Hungarian, Romanian
    "automatyczna odpowiedź", "automatyczna odpowiedz", "odpowiedź automatyczna", "autoodpowiedź", "autoodpowiedz",
    "autoresponder",
    "automatická odpověď", "automaticka odpoved", "automatická odpoveď", "odpověď v nepřítomnosti", "automatikus válasz",
    "automatikus valasz",
    "házon kívül", "irodán kívül", "răspuns automat", "raspuns automat", "în afara biroului",
    // Croatian, Serbian, Slovenian, Baltic languages
    "automatski odgovor", "samodejni odgovor", "samodejno sporočilo", "аутоматски одговор", "automatinis atsakymas",
    "automātiskā atbilde", "automātiska atbilde",
    "automaatvastus", "automaatne vastus",
    // Russian, Ukrainian, Bulgarian
    "автоответ", "автоматический ответ", "автоответчик", "автоматическое уведомление", "вне офиса", "нет на работе",
    "автоматична відповідь",
    "автовідповідь", "автоматичен отговор",
    // Greek, Turkish, Hebrew, Arabic, Persian
    "αυτόματη απάντηση", "εκτός γραφείου", "otomatik yanıt", "otomatik yanit", "otomatik cevap", "ofis dışında", "תשובה אוטומטית",
    "מענה אוטומטי", "הודעה אוטומטית", "رد تلقائي", "رد آلي", "الرد التلقائي", "پاسخ خودکار",
    // Chinese, Japanese, Korean
    "自动回复", "自动答复", "自動回覆", "自動回復", "自動答覆", "自動返信", "自動応答", "自動返信メール", "不在通知", "不在連絡", "不在返信", "자동 회신",
    "자동회신", "자동 응답", "자동응답", "부재중 자동응답", "부재중 알림",
    // Vietnamese, Thai, Indonesian and Malay, Hindi
    "trả lời tự động", "tự động trả lời", "thư trả lời tự động", "ตอบกลับอัตโนมัติ", "การตอบกลับอัตโนมัติ", "balasan otomatis",
    "jawaban otomatis",
    "balasan automatik", "jawapan automatik", "स्वचालित उत्तर",
];

/// People write these too: they count only if the text or the header agrees.
#[rustfmt::skip]
pub(super) const PERHAPS: &[&str] = &[
    "out of office", "out of the office", "out-of-office", "ooo", "vacation", "on vacation", "on holiday", "on leave",
    "annual leave",
    "maternity leave", "parental leave", "paternity leave", "i am out", "i'm out", "i am on", "i'm on", "i am away", "i'm away",
    "away", "currently out",
    "auto:", "automatic", "automated", "autoconfirm", "acknowledg", "confirmation", "thank you for", "thanks for",
    "we have received", "we've received",
    "we received", "your message has been received", "your email has been received", "your request", "your inquiry",
    "your enquiry",
    "message received", "email received", "request received", "received:", "ticket", "case", "support",
    "abwesenheit", "abwesend", "ich bin", "urlaub", "im urlaub", "nicht im büro", "nicht im hause", "außer haus", "ausser haus",
    "elternzeit",
    "eingangsbestätigung", "empfangsbestätigung", "vielen dank für", "danke für", "ihre anfrage", "ihre nachricht", "ihre e-mail",
    "absence", "absent", "absente", "je suis", "en congé", "congé", "congés", "vacances", "en vacances", "accusé de réception",
    "nous avons bien reçu",
    "votre message", "votre demande", "merci pour", "merci de",
    "ausente", "ausencia", "vacaciones", "de vacaciones", "estoy", "acuse de recibo", "gracias por", "hemos recibido",
    "su mensaje", "su solicitud",
    "assente", "assenza", "ferie", "in ferie", "sono in", "conferma di ricezione", "conferma ricezione", "grazie per",
    "abbiamo ricevuto",
    "ausência", "férias", "de férias", "estou", "confirmação", "obrigado", "recebemos",
    "afwezig", "niet aanwezig", "vakantie", "ik ben", "ontvangstbevestiging", "bedankt voor", "uw bericht", "wij hebben",
    "frånvarande", "semester", "på semester", "tack för", "jag är", "ferie", "på ferie", "tak for", "takk for", "bekræftelse",
    "bekreftelse", "poissa",
    "lomalla", "kiitos", "olen",
    "nieobecno", "urlop", "na urlopie", "potwierdzenie", "dziękujemy", "nepřítom", "dovolená", "potvrzení", "děkujeme",
    "neprítom", "dovolenka",
    "szabadság", "köszönjük", "visszaigazolás", "concediu", "confirmare", "vă mulțumim",
    "отсутств", "в отпуске", "отпуск", "меня нет", "ваше письмо", "ваше обращение", "ваш запрос", "спасибо", "благодарим",
    "відпустк", "дякуємо", "отпуска",
    "izinde", "teşekkür", "απουσ", "לא במשרד", "חופשה", "تم استلام", "شكرا", "休假", "外出", "不在", "出差", "感谢", "感謝", "您的", "お問い合わせ",
    "受付",
    "ご連絡", "부재", "휴가", "접수", "cảm ơn", "nghỉ phép", "ขอบคุณ", "ไม่อยู่", "terima kasih", "cuti",
];

/// `Ada Lovelace is out of the office (returning Monday)`, as Lotus Notes and phones write it: a name and
/// nothing else in front.
pub(super) fn names_person_away(subject: &str) -> bool {
    const AWAY: &[&str] = &[
        " is out of the office",
        " is out of office",
        " is currently out of the office",
        " is on vacation until",
        " est absent du bureau",
        " est absent(e)",
        " está fuera de la oficina",
        " está fora do escritório",
        " è fuori ufficio",
        " is niet op kantoor",
        " ist außer haus",
        " ist nicht im büro",
    ];
    [" is ", " est ", " ist ", " está ", " è "].iter().any(|verb| subject.contains(verb))
        && AWAY.iter().any(|phrase| {
            subject.find(phrase).is_some_and(|at| {
                let (name, rest) = subject.split_at_checked(at).unwrap_or_default();
                let rest = rest.get(phrase.len()..).unwrap_or_default().trim_start();
                (1..=4).contains(&name.split(' ').count())
                    && ![
                        "who",
                        "he",
                        "she",
                        "everybody",
                        "everyone",
                        "somebody",
                        "someone",
                        "colleague",
                        "agent",
                        "boss",
                    ]
                    .iter()
                    .any(|word| name.ends_with(word))
                    && (rest.is_empty()
                        || rest.starts_with(['.', '(', '!', '-', ','])
                        || rest.starts_with("until")
                        || rest.starts_with("returning")
                        || rest.starts_with("bis "))
            })
        })
}
