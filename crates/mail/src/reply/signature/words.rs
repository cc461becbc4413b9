//! The words around signatures, in lower case: how people close letters, what devices and companies append.

/// How letters close, ignoring punctuation.
#[rustfmt::skip]
pub(super) const CLOSINGS: &[&str] = &[
    "regards", "best regards", "kind regards", "kindest regards", "warm regards", "warmest regards", "with regards", "with kind regards", "with best regards", "many regards", "best wishes",
    "with best wishes", "all the best", "best", "sincerely", "sincerely yours", "yours sincerely", "yours truly", "yours faithfully", "respectfully", "yours", "rgds", "br", "cordially", "thanks and regards",
    "thanks & regards", "thanks and best regards", "take care",
    "mit freundlichen grüßen", "mit freundlichen grüssen", "mit freundlichen gruessen", "mit freundlichem gruß", "mit freundlichem gruss", "freundliche grüße", "freundliche grüsse", "freundlichen gruß", "viele grüße",
    "viele gruesse", "viele grüsse", "mit vielen grüßen", "liebe grüße", "liebe grüsse", "beste grüße", "beste grüsse", "mit besten grüßen", "mit besten grüssen", "schöne grüße", "herzliche grüße", "herzliche grüsse",
    "mit herzlichen grüßen", "besten gruß", "gruß", "gruss", "grüße", "grüsse", "mfg", "vg", "lg", "bg", "hochachtungsvoll",
    "cordialement", "bien cordialement", "très cordialement", "salutations", "salutations distinguées", "sincères salutations", "meilleures salutations", "bien à vous", "bien à toi", "amicalement", "respectueusement", "cdt", "cdlt",
    "saludos", "un saludo", "saludos cordiales", "un cordial saludo", "cordiales saludos", "atentamente", "muy atentamente", "cordialmente", "un abrazo", "atte",
    "atenciosamente", "cumprimentos", "melhores cumprimentos", "com os melhores cumprimentos", "cordiais cumprimentos", "abraço", "abraços", "um abraço", "att",
    "cordiali saluti", "distinti saluti", "saluti", "cari saluti", "un saluto", "un cordiale saluto", "tanti saluti",
    "met vriendelijke groet", "met vriendelijke groeten", "vriendelijke groet", "vriendelijke groeten", "hartelijke groet", "hartelijke groeten", "groet", "groeten", "mvg", "hoogachtend",
    "med vänliga hälsningar", "vänliga hälsningar", "med vänlig hälsning", "vänlig hälsning", "bästa hälsningar", "hälsningar", "hälsning", "mvh", "vänligen",
    "med venlig hilsen", "venlig hilsen", "med venlige hilsner", "bedste hilsner", "de bedste hilsner", "hilsen", "vh", "kh", "med vennlig hilsen", "vennlig hilsen", "beste hilsen", "hilsning",
    "ystävällisin terveisin", "terveisin", "parhain terveisin", "yt", "kveðja", "með kveðju",
    "pozdrawiam", "z poważaniem", "z wyrazami szacunku", "pozdrowienia", "serdecznie pozdrawiam", "s pozdravem", "s přátelským pozdravem", "s úctou", "zdravím", "s pozdravom", "s priateľským pozdravom",
    "lep pozdrav", "lp", "srdačan pozdrav", "srdačno", "pozdrav", "s poštovanjem", "с поштовањем", "поздрав", "üdvözlettel", "tisztelettel", "üdv", "cu stimă", "cu respect", "cu drag", "numai bine",
    "с уважением", "с наилучшими пожеланиями", "всего доброго", "всего наилучшего", "з повагою", "з найкращими побажаннями", "с уважение", "поздрави", "с поздрав",
    "με εκτίμηση", "με φιλικούς χαιρετισμούς", "χαιρετισμούς", "φιλικά", "saygılarımla", "saygılar", "saygılarımızla", "iyi çalışmalar", "selamlar", "sevgiler", "pagarbiai", "su pagarba", "ar cieņu", "lugupidamisega", "parimate soovidega", "tervitades",
    "salutacions", "cordialment", "atentament", "בברכה", "בכבוד רב", "مع أطيب التحيات", "مع خالص التحية", "مع التحية", "تحياتي", "أطيب التحيات", "با احترام", "با تشکر", "सादर", "भवदीय", "ขอแสดงความนับถือ", "ด้วยความเคารพ", "trân trọng", "thân mến", "kính thư",
    "hormat kami", "salam", "salam hangat", "hormat saya", "此致敬礼", "此致", "敬上", "顺祝商祺", "祝好", "順頌商祺", "敬具", "よろしくお願いいたします", "よろしくお願いします", "よろしくお願い致します", "草々", "드림", "올림", "배상",
];

/// Thanks and cheers: they end a message for certain only with the name of the sender below.
#[rustfmt::skip]
pub(super) const THANKS: &[&str] = &[
    "thanks", "thank you", "thanks a lot", "many thanks", "thank you very much", "thanks in advance", "thanks again", "thx", "cheers", "danke", "vielen dank", "besten dank", "danke im voraus", "vielen dank im voraus",
    "merci", "merci d'avance", "merci beaucoup", "gracias", "muchas gracias", "gracias de antemano", "obrigado", "obrigada", "muito obrigado", "grazie", "grazie mille", "bedankt", "dank u", "alvast bedankt", "dank je", "tack", "tack på förhand",
    "tak", "på forhånd tak", "takk", "kiitos", "kiitos etukäteen", "dziękuję", "z góry dziękuję", "děkuji", "děkuji předem", "ďakujem", "hvala", "köszönöm", "köszönettel", "mulțumesc", "спасибо", "заранее спасибо", "дякую", "благодаря",
    "ευχαριστώ", "teşekkürler", "תודה", "شكرا", "ممنون", "धन्यवाद", "ขอบคุณ", "cảm ơn", "terima kasih", "谢谢", "謝謝", "ありがとうございます", "감사합니다",
];

/// Beginnings of the line of a device or program.
#[rustfmt::skip]
pub(super) const DEVICE_STARTS: &[&str] = &[
    "sent from ", "sent via ", "sent with ", "sent using ", "sent by ", "sent through ", "get outlook for ", "from my iphone", "from my ipad", "from my android", "from mobile", "via mobile", "sent on the go", "composed on ", "typed on ",
    "gesendet von ", "gesendet mit ", "gesendet über ", "gesendet aus ", "von meinem iphone ge", "holen sie sich outlook", "outlook für ", "verschickt mit ", "verschickt von ", "abgesandt von ", "versendet mit ",
    "envoyé de ", "envoyé depuis ", "envoyé à partir ", "envoyé avec ", "envoyé par ", "envoyé via ", "envoyé d'", "envoyé d’", "obtenir outlook ", "obtenez outlook ", "télécharger outlook ",
    "enviado desde ", "enviado con ", "enviado por ", "enviado a través ", "enviado mediante ", "obtener outlook ", "enviado do ", "enviado de ", "enviado a partir ", "enviado via ", "enviado pelo ", "enviada do ", "obter o outlook ", "obter outlook ", "baixe o outlook ",
    "inviato da ", "inviato dal ", "inviato con ", "inviato tramite ", "inviata da ", "ottieni outlook ", "scarica outlook ",
    "verzonden vanaf ", "verzonden met ", "verzonden via ", "verzonden van ", "verstuurd vanaf ", "verstuurd met ", "verstuurd via ", "verstuurd van ", "outlook voor ", "download outlook ",
    "skickat från ", "skickat med ", "skickat via ", "hämta outlook ", "skaffa outlook ", "sendt fra ", "sendt med ", "sendt via ", "hent outlook ", "få outlook ", "skaff deg outlook ", "sent frå ", "lähetetty ", "hanki outlook ", "sent úr ",
    "wysłane z ", "wysłano z ", "wysłane za ", "wysłano za ", "wysłane przy ", "pobierz outlook ", "uzyskaj outlook ", "odesláno z ", "odesláno pomocí ", "posláno z ", "získat outlook ", "odoslané z ", "odoslané pomocou ", "poslané z ", "získajte outlook ",
    "poslano iz ", "poslano z ", "poslano s ", "послато са ", "elküldve ", "küldve ", "trimis de pe ", "trimis din ", "trimis cu ", "obțineți outlook ",
    "отправлено с ", "отправлено из ", "отправлено со ", "отправлено через ", "отправлено от ", "надіслано з ", "надіслано із ", "відправлено з ", "надіслано через ", "изпратено от ", "изпратено с ", "στάλθηκε από ", "εστάλη από ", "αποστολή από ",
    "išsiųsta iš ", "nosūtīts no ", "saadetud ", "enviat des ", "enviado dende ", "נשלח מ", "أرسلت من ", "أُرسلت من ", "تم الإرسال من ", "مرسل من ", "ارسال شده از ", "ส่งจาก", "đã gửi từ ", "được gửi từ ", "gửi từ ", "dikirim dari ", "terkirim dari ", "dihantar dari ",
    "发自我的", "发自", "發自我的", "發自", "從我的", "从我的", "来自我的", "獲取 outlook", "获取 outlook", "取得 outlook", "나의 ", "내 iphone", "내 ipad",
];

/// Its beginning and end, in languages that put the verb last.
#[rustfmt::skip]
pub(super) const DEVICE_ENDS: &[(&str, &str)] = &[
    ("von mein", "gesendet"), ("von ", " gesendet"), ("diese nachricht wurde ", "gesendet"), ("diese e-mail wurde ", "gesendet"), ("diese mail wurde ", "gesendet"), ("mit der ", "gesendet"),
    ("this message was sent from my ", ""), ("this email was sent from my ", ""), ("please excuse brevity", ""), ("please excuse any typos", ""), ("please excuse my brevity", ""),
    ("iphone", "gönderildi"), ("ipad", "gönderildi"), ("android", "gönderildi"), ("samsung", "gönderildi"), ("iphone", "送信"), ("ipad", "送信"), ("iphone", "보냄"), ("ipad", "보냄"), ("iphone", "küldve"), ("iphone", "elküldve"),
    ("從", "傳送"), ("从", "发送"), ("私の", "送信"), 
];

/// Words of apology for what a small keyboard does.
pub(super) const EXCUSES: &[&str] = &[
    "excuse",
    "typo",
    "brevity",
    "forgive",
    "pardon",
    "sorry",
    "apolog",
    "autocorrect",
    "tippfehler",
    "entschuldig",
    "excus",
    "faute",
    "disculp",
    "errores",
    "errori",
    "scus",
    "tikfout",
    "desculp",
    "erros",
];

/// Words of the texts that companies, lists and virus scanners append to every message.
#[rustfmt::skip]
pub(super) const DISCLAIMERS: &[&str] = &[
    "confidential", "intended recipient", "privileged", "disclaimer", "virus-free", "avast", "avg.com", "unsubscribe", "mailing list", "think before you print", "before printing", "environment before",
    "vertraulich", "viren geprüft", "virenfrei", "abmelden", "confidentiel", "désinscri", "sans virus", "confidencial", "libre de virus", "cancelar la suscripción", "riservat", "privo di virus", "vertrouwelijk", "virusvrij", "afmelden",
    "konfidentiel", "fortrolig", "konfidensiell", "luottamuksell", "poufn", "důvěrn", "dôvern", "bizalmas", "конфиденциальн", "конфіденційн", "поверителн", "εμπιστευτικ", "gizlilik", "סודי", "חסוי", "سرية", "保密", "機密", "機密情報", "기밀",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_lower_case() {
        let pairs = DEVICE_ENDS.iter().flat_map(|(start, end)| [start, end]);
        let words =
            [CLOSINGS, THANKS, DEVICE_STARTS, EXCUSES, DISCLAIMERS].into_iter().flatten().chain(pairs);
        let wrong: Vec<&&str> = words.filter(|word| word.to_lowercase() != ***word).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
