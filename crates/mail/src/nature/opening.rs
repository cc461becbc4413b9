//! What the first lines of a message say, where header and subject leave its nature open.
//!
//! Wording is the weakest sign: people quote, forward and write about such messages. So it counts only in the
//! first lines, never in quoted ones, and most of it only together with another sign.

use super::evidence::Evidence;
use super::phrase::begins_with;
use super::sign::Sign;
use super::subject::{self, Subject};
use crate::wording::Wording;

/// How much of the text is examined, in octets.
const OPENING_OCTETS: usize = 1_500;

/// Within how much of it a phrase counts on its own.
const FIRST_OCTETS: usize = 300;

/// The beginning of a text, lower-cased, on one line with single spaces, up to the first quoted line.
pub(super) fn of(text: &str, octets: usize) -> String {
    let text = text.get(..text.floor_char_boundary(octets)).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    for line in text.lines().map(str::trim) {
        // Quotes, and inline forwards.
        if line.starts_with('>') || (!out.is_empty() && is_passed_on(line)) {
            break;
        }
        for word in line.split_whitespace() {
            if word.is_ascii() {
                out.extend(word.bytes().map(|octet| char::from(octet.to_ascii_lowercase())));
                out.push(' ');
                continue;
            }
            out.extend(
                word.chars().flat_map(char::to_lowercase).map(|c| if c == '\u{2019}' { '\'' } else { c }),
            );
            out.push(' ');
        }
    }
    out
}

/// The line that programs put above an original that they quote or forward, or above a returned message.
fn is_passed_on(line: &str) -> bool {
    line.starts_with("-----") && line.trim_end().ends_with('-') && line.len() > 10
}

/// Whether the text begins the way mail servers begin when they return a message.
pub(super) fn says_returned(text: &str, subject: &Subject) -> bool {
    if subject.is_answer || subject.is_forward {
        return false;
    }
    let opening = of(text, OPENING_OCTETS);
    RETURNED.iter().any(|phrase| opening.contains(phrase))
}

/// As [`says_returned`], in the very first words and without a greeting: people who write about such messages
/// begin differently.
pub(super) fn begins_returned(text: &str) -> bool {
    let opening = of(text, FIRST_OCTETS);
    !begins_as_people(text) && RETURNED.iter().any(|phrase| opening.contains(phrase))
}

/// Whether the first word is one with which people greet or speak about themselves.
pub(super) fn begins_as_people(text: &str) -> bool {
    let opening = of(text, FIRST_OCTETS);
    let first = opening
        .trim_start_matches(|c: char| !c.is_alphanumeric())
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .next()
        .unwrap_or_default();
    PEOPLE.contains(&first)
}

/// Whether the text is that of a read receipt.
pub(super) fn says_receipt(text: &str) -> bool {
    let opening = of(text, OPENING_OCTETS);
    RECEIPT.iter().any(|phrase| opening.contains(phrase))
}

/// Whether the wording shows an automatic reply, or a message whose replies nobody reads.
pub(super) fn automatic(evidence: &Evidence<'_>) -> Option<Sign> {
    let Evidence { seen, subject, .. } = evidence;
    if subject.is_forward {
        return None;
    }
    let is_perhaps = subject.wording == Some(Wording::Away);
    if is_perhaps && seen.is_null_path {
        return Some(Sign::Text(Wording::AutoReply));
    }
    let first = of(evidence.text(), if is_perhaps { OPENING_OCTETS } else { FIRST_OCTETS });
    let has = |table: &[&str]| table.iter().any(|phrase| first.contains(phrase));
    if is_perhaps && (has(AWAY) || has(MACHINE) || has(MACHINE_ANSWER)) && !first.contains('?') {
        return Some(Sign::Text(Wording::AutoReply));
    }
    // A hint of a program in the header, together with the words of an answering machine.
    if seen.hints() && (has(AWAY) || has(MACHINE_ANSWER)) {
        return Some(Sign::Text(Wording::AutoReply));
    }
    if subject.is_answer && !seen.hints() {
        // People reply above such texts.
        return begins_with(&first, MACHINE_ANSWER).then_some(Sign::Text(Wording::AutoReply));
    }
    // After marks such as stars and brackets.
    let first = first.trim_start_matches(|c: char| !c.is_alphanumeric());
    if begins_with(first, MACHINE_ANSWER) {
        return Some(Sign::Text(Wording::AutoReply));
    }
    begins_with(first, MACHINE).then_some(Sign::Text(Wording::Unattended))
}

/// Whether a message whose subject merely names an automatic reply really is one, by its text or by a hint in
/// the header.
pub(super) fn agrees(evidence: &Evidence<'_>) -> bool {
    let header = &evidence.reading.header;
    if evidence.seen.hints()
        || !header.in_reply_to.is_empty()
        || !header.references.is_empty()
        || evidence.text().is_empty()
    {
        return true;
    }
    let first = of(evidence.text(), OPENING_OCTETS);
    let has = |table: &[&str]| table.iter().any(|phrase| first.contains(phrase));
    !first.contains('?')
        && (subject::begins_as_answer(&first) || has(AWAY) || has(MACHINE_ANSWER) || has(MACHINE))
}

/// Mail servers returning a message.
#[rustfmt::skip]
const RETURNED: &[&str] = &[
    "could not be delivered", "couldn't be delivered", "cannot be delivered", "can't be delivered", "was not delivered",
    "wasn't delivered", "not been delivered", "undeliverable",
    "did not reach the following", "following recipient(s)", "following recipients", "following address", "following user",
    "failed recipients", "delivery failed", "delivery to the following",
    "delivery has failed", "unable to deliver", "unable to process", "could not deliver", "couldn't deliver",
    "error delivering", "error occurred while", "failed to deliver", "delivery error", "non-delivery", "nondelivery",
    "non delivery",
    "not deliverable", "returned to sender", "mail delivery software", "mail delivery system", "permanent error",
    "permanent fatal error", "fatal error", "transcript of session", "rejected by", "was rejected", "been rejected",
    "has been delayed", "is delayed", "still being retried", "will be retried", "warning message only", "user unknown",
    "unknown user", "no such user", "mailbox full", "mailbox is full", "over quota", "does not exist", "not a valid user",
    "not valid user", "no longer available", "not listed in", "was refused", "unknown address", "addresses had",
    "did not receive this message", "not accepted", "was blocked", "been blocked", "undelivered", "not a member of",
    "members-only", "duplicated message-id", "invalid user", "invalid address", "invalid recipient",
    "konnte nicht zugestellt", "nicht zugestellt werden", "unzustellbar", "nicht zustellbar", "nicht ausgeliefert",
    "nicht übermittelt", "zustellung an", "fehlgeschlagen", "folgenden empfänger", "folgende empfänger", "unbekannt",
    "n'a pas pu être", "n'a pas été remis", "n'ont pas pu être", "n'est pas parvenu", "pas pu être remis",
    "pas pu être délivré", "non remis", "échec de la remise", "destinataires suivants", "destinataire suivant",
    "impossible de remettre", "impossible de délivrer",
    "no se pudo entregar", "no se ha podido entregar", "no pudo ser entregad", "no ha podido ser", "no se puede entregar",
    "no ha sido entregad", "siguientes destinatarios", "error en la entrega",
    "non è stato recapitat", "non è stato possibile", "impossibile recapitare", "impossibile consegnare",
    "non è stato consegnat", "seguenti destinatari", "mancato recapito", "mancata consegna",
    "não pôde ser entregue", "não foi possível entregar", "não foi entregue", "não pode ser entregue",
    "seguintes destinatários", "falha na entrega", "não foi possivel",
    "kon niet worden", "kan niet worden bezorgd", "niet worden afgeleverd", "volgende geadresseerden", "volgende ontvangers",
    "niet bezorgd", "kunde inte levereras", "följande mottagare", "kunne ikke leveres", "følgende modtagere",
    "følgende mottakere", "ei voitu toimittaa", "vastaanottaj",
    "nie została dostarczona", "nie można dostarczyć", "nie mogła zostać", "nie mógł zostać", "następujących adres",
    "niedostarcz", "nelze doručit", "nebyla doručena", "nemohla být doručena", "nebolo možné doručiť", "nem kézbesíthető",
    "nem sikerült kézbesíteni", "nem lehetett kézbesíteni", "nu a putut fi livrat", "nu poate fi livrat",
    "не удалось доставить", "не было доставлено", "не может быть доставлено", "не доставлено", "невозможно доставить",
    "недоставлен", "не вдалося доставити", "не може бути доставлен", "не може да бъде доставен", "teslim edilemedi",
    "iletilemedi", "ulaştırılamadı", "δεν παραδόθηκε", "δεν ήταν δυνατή", "לא נמסרה", "לא ניתן למסור", "تعذر تسليم",
    "لم يتم تسليم", "تحویل داده نشد",
    "无法投递", "無法投遞", "无法送达", "無法送達", "无法传递", "無法傳遞", "未能送达", "退信", "退回", "投递失败", "发送失败", "配信できません", "配信でき", "送信できません", "送信でき",
    "届けることができません", "お届けできません", "見つかりません", "配送できません", "배달되지", "배달하지 못", "전송하지 못", "전달되지", "발송하지 못", "반송", "không thể gửi",
    "không gửi được", "ไม่สามารถส่ง", "tidak dapat dikirim", "gagal terkirim", "tidak terkirim",
];

/// How people begin.
#[rustfmt::skip]
const PEOPLE: &[&str] = &[
    "hi", "hello", "hey", "dear", "good", "greetings", "i", "i'm", "i've", "we", "my", "our", "please", "can", "why", "when",
    "what", "how", "since", "help", "all", "team", "any", "it", "there", "some", "see", "below", "got", "today", "yesterday",
    "just", "fyi", "thanks", "thank",
    "hallo", "guten", "sehr", "liebe", "lieber", "moin", "servus", "grüezi", "ich", "wir", "mein", "meine", "bitte", "warum",
    "bonjour", "bonsoir", "salut", "je", "nous", "mon", "merci", "hola", "buenos", "buenas", "estimado", "estimados", "yo",
    "mi", "ciao", "buongiorno", "salve", "gentile", "spett", "olá", "ola", "bom", "boa", "prezado", "prezados", "caro", "hoi",
    "beste", "geachte", "dag", "ik", "mijn", "hej", "hei", "hejsan", "kära", "kære", "jag", "jeg", "moi", "terve", "cześć",
    "witam", "dzień", "szanowni", "dobrý", "ahoj", "vážení", "szia", "tisztelt", "kedves", "bună", "stimate", "привет",
    "здравствуйте", "добрый", "уважаемые", "я", "мы", "добрий", "вітаю", "здравейте", "γεια", "καλημέρα", "merhaba", "sayın",
    "שלום", "مرحبا", "السلام", "سلام", "您好", "你好", "お世話になっております", "こんにちは", "안녕하세요", "xin", "chào", "สวัสดี", "halo", "selamat",
];

/// A message was opened.
#[rustfmt::skip]
const RECEIPT: &[&str] = &[
    "was read on", "was read at", "has been read", "was displayed", "has been displayed", "was opened", "return receipt",
    "read receipt", "was deleted without being read",
    "wurde gelesen", "wurde am", "angezeigt", "gelesen am", "a été lu", "a été affiché", "accusé de réception", "fue leído",
    "ha sido leído", "se leyó", "è stato letto", "letto in data", "è stato visualizzato", "foi lida", "foi lido", "is gelezen", "werd gelezen",
    "lästes", "blev læst", "ble lest", "luettiin", "została przeczytana", "zostala przeczytana", "byla přečtena",
    "bola prečítaná", "elolvas", "a fost citit", "было прочитано", "прочитано", "прочтено", "okundu", "διαβάστηκε", "נקראה",
    "تمت قراءة", "已阅读", "已閱讀", "已于", "開封", "읽었",
];

/// The sender is away, or thanks the way machines do; people write this too.
#[rustfmt::skip]
const AWAY: &[&str] = &[
    "out of the office", "out of office", "out-of-office", "away from the office", "away from my", "on vacation", "on holiday",
    "on annual leave", "on leave", "on maternity", "on parental leave", "limited access to", "no access to my",
    "will return on", "returning on", "will be back", "back in the office", "when i return", "upon my return", "on my return",
    "as soon as i return", "endeavour to reply", "as soon as possible", "get back to you", "within 24 hours", "within 48 hours",
    "we have received your", "we've received your", "has been received", "your ticket", "your request has been", "your case",
    "nicht im büro", "nicht im hause", "außer haus", "ausser haus", "im urlaub", "abwesend", "nicht erreichbar",
    "wieder erreichbar", "zurück im büro", "wieder im büro", "nicht weitergeleitet", "elternzeit", "haben ihre",
    "schnellstmöglich", "so schnell wie möglich", "ist bei uns eingegangen",
    "absent du bureau", "absente du bureau", "je suis absent", "je suis actuellement absent", "en congé", "en vacances",
    "de retour le", "à mon retour", "mon absence", "dans les meilleurs délais", "bien reçu votre", "dès mon retour",
    "fuera de la oficina", "de vacaciones", "estaré ausente", "ausente", "a mi regreso", "mi regreso", "a la mayor brevedad",
    "hemos recibido su", "lo antes posible", "fuori ufficio", "in ferie", "sarò assente", "assente", "al mio rientro",
    "rientrerò", "abbiamo ricevuto", "il prima possibile",
    "fora do escritório", "de férias", "estarei ausente", "ausente", "meu retorno", "meu regresso", "recebemos",
    "o mais breve possível", "niet aanwezig", "afwezig", "met vakantie", "op vakantie", "weer bereikbaar",
    "zo spoedig mogelijk", "wij hebben uw",
    "inte på kontoret", "på semester", "åter på", "tillbaka den", "tjänstledig", "ikke på kontoret", "på ferie", "tilbage den",
    "tilbake", "en loma", "lomalla", "poissa", "palaan",
    "na urlopie", "poza biurem", "nieobecn", "wracam", "mimo kancelář", "na dovolené", "nepřítom", "na dovolenke",
    "mimo kancelárie", "szabadságon", "nem vagyok", "concediu", "voi reveni",
    "в отпуске", "отсутствую", "меня нет", "вернусь", "буду на месте", "у відпустці", "відсутн", "в отпуск", "получили ваше",
    "ваше обращение", "izindeyim", "ofis dışında", "döneceğim", "εκτός γραφείου", "άδεια", "επιστρέψω", "לא במשרד", "בחופשה",
    "אחזור", "خارج المكتب", "إجازة", "سأعود", "مرخصی",
    "不在办公室", "休假", "出差", "外出", "度假", "已收到您", "已收到您的", "尽快", "儘快", "不在", "休暇", "出張", "お休み", "戻り次第", "受け付け", "受付いたし", "부재", "휴가",
    "출장", "복귀", "접수되었", "nghỉ phép", "vắng mặt", "ลาพัก", "ไม่อยู่", "cuti", "tidak berada di kantor",
];

/// Machines declaring their replies; at the very beginning these count on their own.
#[rustfmt::skip]
const MACHINE_ANSWER: &[&str] = &[
    "this is an automatic reply", "this is an automated reply", "this is an auto reply", "this is an auto-reply",
    "this is an autoreply", "this is an automatic response", "this is an automated response", "this is an auto response",
    "this is an auto-response", "this is an autoresponse", "this is an automatically generated reply",
    "this is an automatically generated response", "this is an automated acknowledgement",
    "this is an automatic acknowledgement", "this is an automatic out of office", "this is an out of office",
    "this is an automatic confirmation", "this is an automated confirmation", "this is an automatically generated confirmation",
    "automatic reply:", "autoreply:", "auto-reply:",
    "dies ist eine automatische antwort", "dies ist eine automatisch generierte antwort",
    "dies ist eine automatische abwesenheit", "dies ist eine automatische empfangs", "dies ist eine automatische eingangs",
    "das ist eine automatische antwort", "ceci est une réponse automatique", "ceci est un accusé de réception automatique",
    "ceci est un message d'absence", "esta es una respuesta automática", "este es una respuesta automática",
    "questa è una risposta automatica", "esta é uma resposta automática", "dit is een automatisch antwoord",
    "dit is een automatische reactie", "dit is een automatisch gegenereerd antwoord", "detta är ett automatiskt svar",
    "detta är ett autosvar", "dette er et automatisk svar", "dette er et autosvar", "tämä on automaattinen vastaus",
    "to jest automatyczna odpowiedź", "jest to automatyczna odpowiedź", "toto je automatická odpověď",
    "toto je automatická odpoveď", "ez egy automatikus válasz", "acesta este un răspuns automat", "это автоматический ответ",
    "данный ответ сформирован автоматически", "це автоматична відповідь", "това е автоматичен отговор", "bu otomatik bir yanıt",
    "bu bir otomatik yanıt", "αυτή είναι μια αυτόματη απάντηση", "זוהי תשובה אוטומטית", "זהו מענה אוטומטי", "هذا رد تلقائي",
    "هذا رد آلي", "این یک پاسخ خودکار", "这是一封自动回复", "这是自动回复", "這是自動回覆", "本邮件为自动回复", "このメールは自動返信", "このメールは自動応答", "これは自動返信",
    "이 메일은 자동 회신", "이 메일은 자동응답", "đây là thư trả lời tự động", "นี่คือการตอบกลับอัตโนมัติ", "ini adalah balasan otomatis",
];

/// Machines declaring their messages; at the very beginning these count on their own.
#[rustfmt::skip]
const MACHINE: &[&str] = &[
    "this is an automatic message", "this is an automated message", "this is an automatic e-mail",
    "this is an automated e-mail", "this is an automatic email", "this is an automated email",
    "this is an automatically generated", "this is an auto-generated", "this is an auto generated", "this is an autogenerated",
    "this is a system generated", "this is a system-generated", "this message was automatically generated",
    "this message was generated automatically", "this message has been automatically generated",
    "this email was automatically generated", "this email was generated automatically",
    "this e-mail was automatically generated", "this e-mail was generated automatically",
    "this mail was automatically generated", "this mail was generated automatically", "this message is automatically generated",
    "this email has been automatically generated", "this is an automated notification", "this is an automatic notification",
    "automatically generated message", "automated message", "please do not reply to this", "do not reply to this",
    "*** do not reply", "please don't reply to this",
    "dies ist eine automatische nachricht", "dies ist eine automatisch generierte", "dies ist eine automatisch erzeugte",
    "dies ist eine automatisch erstellte", "dies ist eine automatische e-mail", "diese e-mail wurde automatisch",
    "diese nachricht wurde automatisch", "diese mail wurde automatisch", "bitte antworten sie nicht auf diese",
    "bitte nicht auf diese", "ceci est un message automatique", "ceci est un e-mail automatique",
    "ceci est un email automatique", "ceci est un courriel automatique", "ce message a été généré automatiquement",
    "cet e-mail a été généré automatiquement", "ce message est généré automatiquement", "merci de ne pas répondre",
    "veuillez ne pas répondre", "este es un mensaje automático", "este es un correo automático",
    "este mensaje ha sido generado automáticamente", "este mensaje se ha generado", "este correo ha sido generado",
    "por favor, no responda", "por favor no responda", "no responda a este", "questo è un messaggio automatico",
    "questa è una mail automatica", "questo messaggio è stato generato", "messaggio generato automaticamente",
    "si prega di non rispondere", "non rispondere a", "esta é uma mensagem automática", "este é um e-mail automático",
    "esta mensagem foi gerada", "mensagem automática", "por favor, não responda", "não responda a est", "favor não responder",
    "dit is een automatisch gegenereerd", "dit is een automatisch bericht", "dit bericht is automatisch",
    "deze e-mail is automatisch", "gelieve niet te antwoorden", "niet beantwoorden", "detta är ett automatiskt",
    "detta meddelande har skapats automatiskt", "svara inte på", "dette er en automatisk", "denne e-mail er automatisk",
    "denne e-posten er", "tämä on automaattinen", "tämä viesti on luotu automaattisesti", "to jest wiadomość automatyczna",
    "ta wiadomość została wygenerowana", "wiadomość wygenerowana automatycznie", "prosimy nie odpowiadać",
    "prosimy o nieodpowiadanie", "toto je automatická zpráva", "tato zpráva byla vygenerována", "tento e-mail byl vygenerován",
    "neodpovídejte na", "toto je automatická správa", "táto správa bola", "neodpovedajte", "ez egy automatikus",
    "ez az üzenet automatikusan", "kérjük, ne válaszoljon", "acesta este un mesaj automat", "acest mesaj a fost generat",
    "vă rugăm să nu răspundeți", "это автоматическое", "данное письмо сформировано автоматически",
    "данное сообщение сформировано", "письмо сформировано автоматически", "это письмо отправлено автоматически",
    "это письмо было отправлено автоматически", "пожалуйста, не отвечайте", "не отвечайте на это", "це автоматичне",
    "цей лист створено автоматично", "будь ласка, не відповідайте", "това е автоматично", "моля, не отговаряйте",
    "bu otomatik bir", "bu e-posta otomatik", "bu mesaj otomatik", "lütfen bu e-postay", "lütfen bu mesaj",
    "αυτό είναι ένα αυτόματο", "αυτό το μήνυμα δημιουργήθηκε", "παρακαλώ μην απαντήσετε", "זוהי הודעה אוטומטית",
    "הודעה זו נשלחה באופן אוטומטי", "נא לא להשיב", "هذه رسالة تلقائية", "هذه رسالة آلية", "يرجى عدم الرد", "این یک پیام خودکار",
    "لطفا به این", "这是一封自动", "本邮件由系统自动", "此邮件由系统自动", "此邮件为系统自动", "本邮件为系统自动", "请勿回复", "請勿回覆", "此為系統自動", "本郵件由系統自動", "這是系統自動",
    "このメールは自動", "このメールはシステム", "本メールは自動", "本メールはシステム", "本メールは送信専用", "このメールは送信専用", "이 메일은 발신전용", "본 메일은 발신전용", "이 메일은 자동",
    "본 메일은 자동", "đây là email tự động", "đây là thư tự động", "vui lòng không trả lời", "xin đừng trả lời",
    "นี่คืออีเมลอัตโนมัติ", "อีเมลนี้ถูกส่งโดยอัตโนมัติ", "กรุณาอย่าตอบกลับ", "ini adalah email otomatis",
    "ini adalah pesan otomatis", "email ini dikirim secara otomatis", "mohon tidak membalas", "jangan membalas",
];
