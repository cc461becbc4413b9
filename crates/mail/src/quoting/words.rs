//! What mail programs print around a forwarded message, by language: header labels, separator words, subject
//! prefixes.
//!
//! Everything is lower-case, without colons. A label means the same field in every language that has it, so
//! that the language of a block need not be known; only headers printed on one line are read language by
//! language.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A header field as printed by a forwarding program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    From,
    To,
    Cc,
    Date,
    Subject,
    /// Known, but irrelevant: Reply-To, importance, attachments.
    Other,
}

/// The labels of one language: those of From, To, Cc, Date and Subject, in the order of [`FIELDS`].
pub(crate) type Labels = [&'static [&'static str]; 5];

/// The fields in the order of [`Labels`].
const FIELDS: [Field; 5] = [Field::From, Field::To, Field::Cc, Field::Date, Field::Subject];

/// Every label of a language, with its field.
pub(crate) fn all(labels: &'static Labels) -> impl Iterator<Item = (&'static str, Field)> {
    FIELDS.into_iter().zip(labels).flat_map(|(field, labels)| labels.iter().map(move |label| (*label, field)))
}

/// The field that a lower-case label stands for.
pub(crate) fn field_of(label: &str) -> Option<Field> {
    static INDEX: LazyLock<HashMap<&'static str, Field>> = LazyLock::new(|| {
        let mut index = HashMap::new();
        for (label, field) in LANGUAGES.iter().flat_map(all) {
            index.entry(label).or_insert(field);
        }
        for label in OTHER {
            index.entry(label).or_insert(Field::Other);
        }
        index
    });
    INDEX.get(label).copied()
}

/// Whether folded words open a forwarded message; see [`OPENERS`].
pub(crate) fn is_opener(said: &str) -> bool {
    static INDEX: LazyLock<HashSet<&'static str>> = LazyLock::new(|| OPENERS.iter().copied().collect());
    INDEX.contains(said)
}

/// Whether a folded word is a verb above a quoted message; see [`WROTE`].
pub(crate) fn is_verb(word: &str) -> bool {
    static INDEX: LazyLock<HashSet<&'static str>> = LazyLock::new(|| WROTE.iter().copied().collect());
    INDEX.contains(word)
}

/// Stems grouped by first octet, so that a text is searched for all of them at once.
pub(crate) struct Stems(Vec<Vec<&'static str>>);

impl Stems {
    pub(crate) fn new(stems: &[&'static str]) -> Self {
        let of = |octet: u8| {
            stems.iter().copied().filter(|stem| stem.as_bytes().first() == Some(&octet)).collect()
        };
        Self((0..=u8::MAX).map(of).collect())
    }

    /// Whether one of them occurs anywhere in a text.
    pub(crate) fn is_in(&self, said: &str) -> bool {
        let octets = said.as_bytes();
        octets.iter().enumerate().any(|(at, octet)| {
            let stems = self.0.get(usize::from(*octet)).into_iter().flatten();
            let rest = octets.get(at..).unwrap_or_default();
            stems.into_iter().any(|stem| rest.starts_with(stem.as_bytes()))
        })
    }
}

/// Whether folded words contain one for "forwarded"; see [`FORWARDED`].
pub(crate) fn says_forwarded(said: &str) -> bool {
    static STEMS: LazyLock<Stems> = LazyLock::new(|| Stems::new(FORWARDED));
    STEMS.is_in(said)
}

/// Whether folded words contain one for "original"; see [`ORIGINAL`].
pub(crate) fn says_original(said: &str) -> bool {
    static STEMS: LazyLock<Stems> = LazyLock::new(|| Stems::new(ORIGINAL));
    STEMS.is_in(said)
}

/// The maximum number of words in a label.
pub(crate) const LABEL_WORDS: usize = 3;

/// The longest label in octets.
pub(crate) const LABEL_OCTETS: usize = 64;

/// By language, more frequent ones first: From; To; Cc; Date; Subject.
#[rustfmt::skip]
pub(crate) const LANGUAGES: &[Labels] = &[
    // English
    [&["from"], &["to"], &["cc", "c.c."], &["date", "sent", "sent at", "sent on", "date sent", "date/time"], &["subject", "subj"]],
    // German
    [&["von", "absender"], &["an", "empfänger"], &["cc", "kopie", "kopie an", "kopie (cc)"], &["datum", "gesendet", "gesendet am", "verschickt", "gesendet um"], &["betreff", "betr."]],
    // French
    [&["de", "expéditeur", "expéditrice"], &["à", "a", "pour", "destinataire", "destinataires"], &["cc", "copie", "copie à"], &["date", "envoyé", "envoyé le", "envoyée", "envoyée le", "date d'envoi", "date d’envoi"], &["objet", "sujet"]],
    // Spanish
    [&["de", "desde", "remitente"], &["para", "a", "destinatario"], &["cc", "copia", "con copia", "copia a"], &["fecha", "enviado", "enviado el", "enviada", "enviada el", "fecha de envío"], &["asunto", "tema"]],
    // Portuguese
    [&["de", "remetente"], &["para", "destinatário", "a"], &["cc", "c/c", "cópia", "com cópia"], &["data", "enviado", "enviado em", "enviada", "enviada em", "enviado a", "data de envio"], &["assunto"]],
    // Italian
    [&["da", "mittente"], &["a", "per", "destinatario"], &["cc", "copia", "p.c."], &["data", "inviato", "inviato il", "inviata", "data invio", "data di invio"], &["oggetto"]],
    // Dutch, Afrikaans
    [&["van", "afzender"], &["aan", "naar", "ontvanger"], &["cc", "kopie", "kopie aan"], &["datum", "verzonden", "verzonden op", "verstuurd", "gestuur"], &["onderwerp"]],
    // Swedish
    [&["från", "avsändare"], &["till", "mottagare"], &["cc", "kopia", "kopia till"], &["datum", "skickat", "skickades", "skickad"], &["ämne", "rubrik"]],
    // Danish
    [&["fra", "afsender"], &["til", "modtager"], &["cc", "kopi", "kopi til"], &["dato", "sendt", "sendt den"], &["emne"]],
    // Norwegian
    [&["fra", "avsender", "frå"], &["til", "mottaker"], &["cc", "kopi", "kopi til"], &["dato", "sendt"], &["emne"]],
    // Finnish
    [&["lähettäjä", "keneltä"], &["vastaanottaja", "vastaanottajat", "kenelle", "saaja"], &["kopio", "kopiot", "cc"], &["päivämäärä", "päiväys", "pvm", "lähetetty"], &["aihe", "otsikko"]],
    // Icelandic
    [&["frá"], &["til"], &["afrit"], &["dagsetning", "dags", "dags.", "sent"], &["efni"]],
    // Polish
    [&["od", "nadawca"], &["do", "adresat", "odbiorca"], &["dw", "do wiadomości", "kopia", "kopia do", "cc"], &["data", "wysłano", "wysłane", "data wysłania", "wysłany"], &["temat"]],
    // Czech
    [&["od", "odesílatel"], &["komu", "pro", "příjemce"], &["kopie", "cc"], &["datum", "odesláno", "datum odeslání", "posláno"], &["předmět"]],
    // Slovak
    [&["od", "odosielateľ"], &["komu", "pre", "príjemca"], &["kópia", "cc"], &["dátum", "odoslané", "dátum odoslania", "poslané"], &["predmet"]],
    // Slovene
    [&["od", "pošiljatelj"], &["za", "prejemnik", "komu"], &["kp", "kopija", "cc"], &["datum", "poslano"], &["zadeva"]],
    // Croatian, Bosnian, Serbian
    [&["od", "šalje", "pošiljatelj", "pošiljalac"], &["za", "prima", "primatelj", "primalac", "kome"], &["kopija", "kopija za", "cc"], &["datum", "poslano", "poslato", "datum slanja"], &["predmet", "naslov", "tema"]],
    // Hungarian
    [&["feladó", "küldő", "kitől"], &["címzett", "címzettek", "kinek"], &["másolatot kap", "másolat", "másolatot kapnak"], &["dátum", "küldve", "elküldve", "küldés dátuma", "küldés ideje"], &["tárgy"]],
    // Romanian
    [&["de la", "de", "expeditor", "expeditorul"], &["către", "catre", "pentru", "destinatar", "destinatarul", "destinatari", "destinatarii", "la"], &["cc", "copie"], &["data", "dată", "trimis", "trimis la", "data trimiterii"], &["subiect", "subiectul"]],
    // Russian
    [&["от", "от кого", "отправитель"], &["кому", "получатель", "получатели"], &["копия", "копии"], &["дата", "отправлено", "дата отправки", "послано", "отправлен"], &["тема"]],
    // Ukrainian
    [&["від", "від кого", "відправник"], &["кому", "одержувач", "отримувач"], &["копія"], &["дата", "надіслано", "відправлено", "дата надсилання"], &["тема"]],
    // Belarusian
    [&["ад", "ад каго"], &["каму"], &["копія"], &["дата", "адпраўлена"], &["тэма"]],
    // Bulgarian
    [&["от", "подател", "изпратено от"], &["до", "получател"], &["копие", "як", "копие до"], &["дата", "изпратено", "изпратен", "изпратено на"], &["относно", "тема"]],
    // Serbian, Macedonian
    [&["од", "шаље", "испраќач"], &["за", "коме", "до"], &["копија"], &["датум", "послато", "испратено"], &["тема", "наслов", "предмет"]],
    // Greek
    [&["από", "αποστολέας"], &["προς", "παραλήπτης", "σε"], &["κοιν.", "κοιν", "κοινοποίηση", "cc"], &["ημερομηνία", "στάλθηκε", "εστάλη", "ημ/νία", "απεστάλη"], &["θέμα"]],
    // Turkish, Azerbaijani
    [&["kimden", "gönderen", "kimdən", "göndərən"], &["kime", "alıcı", "kimə"], &["bilgi", "cc"], &["tarih", "gönderildi", "gönderim tarihi", "gönderme tarihi", "gönderilme tarihi", "tarix"], &["konu", "mövzu"]],
    // Lithuanian
    [&["nuo", "siuntėjas"], &["kam", "gavėjas"], &["kopija", "cc"], &["data", "išsiųsta", "išsiuntimo data"], &["tema"]],
    // Latvian
    [&["no", "sūtītājs"], &["kam", "adresāts", "saņēmējs"], &["kopija", "cc"], &["datums", "nosūtīts", "nosūtīšanas datums"], &["temats", "tēma"]],
    // Estonian
    [&["saatja", "kellelt"], &["saaja", "kellele", "adressaat"], &["koopia", "cc"], &["kuupäev", "saadetud", "saatmisaeg"], &["teema"]],
    // Catalan, Galician, Basque
    [&["de", "nork", "nondik"], &["per a", "a", "para", "nori", "nora"], &["a/c", "còpia", "cc"], &["data", "enviat", "enviat el", "bidalia"], &["assumpte", "tema", "gaia", "asunto"]],
    // Welsh, Irish
    [&["oddi wrth", "ó"], &["at", "chuig"], &["cc"], &["dyddiad", "anfonwyd", "dáta"], &["pwnc", "ábhar"]],
    // Hebrew
    [&["מאת", "מ", "שולח"], &["אל", "ל", "נמען", "נמענים"], &["עותק", "העתק"], &["תאריך", "נשלח", "בתאריך", "נשלח ב"], &["נושא"]],
    // Arabic
    [&["من", "المرسل"], &["إلى", "الى", "المستلم"], &["نسخة", "نسخة إلى", "نسخة كربونية"], &["التاريخ", "تاريخ", "تم الإرسال", "تاريخ الإرسال", "أرسلت", "مرسل", "أُرسلت"], &["الموضوع", "موضوع"]],
    // Persian
    [&["از", "فرستنده"], &["به", "گیرنده"], &["رونوشت", "کپی"], &["تاریخ", "ارسال شده", "فرستاده شده", "ارسالشده", "زمان ارسال"], &["موضوع", "عنوان"]],
    // Hindi
    [&["से", "प्रेषक", "द्वारा"], &["प्रति", "सेवा में", "को"], &["सीसी", "प्रतिलिपि"], &["दिनांक", "तारीख", "भेजा गया", "भेजा"], &["विषय"]],
    // Thai
    [&["จาก", "ผู้ส่ง"], &["ถึง", "ผู้รับ"], &["สำเนา", "สำเนาถึง"], &["วันที่", "ส่ง", "ส่งเมื่อ", "วันที่ส่ง"], &["เรื่อง", "หัวเรื่อง", "หัวข้อ"]],
    // Vietnamese
    [&["từ", "người gửi"], &["đến", "tới", "người nhận", "gửi đến"], &["cc", "đồng gửi"], &["ngày", "đã gửi", "ngày gửi", "vào", "thời gian", "gửi", "date"], &["chủ đề", "tiêu đề"]],
    // Indonesian, Malay
    [&["dari", "daripada", "pengirim"], &["kepada", "ke", "untuk", "penerima"], &["tembusan", "cc", "sk"], &["tanggal", "tarikh", "dikirim", "terkirim", "dihantar"], &["perihal", "subjek", "subyek", "hal", "judul"]],
    // Filipino
    [&["mula kay", "mula sa"], &["para kay", "kay"], &["cc"], &["petsa", "ipinadala"], &["paksa"]],
    // Chinese, simplified
    [&["发件人", "发信人", "寄件人", "来自", "发送人", "发件者"], &["收件人", "收信人", "至"], &["抄送", "抄送人"], &["日期", "时间", "发送时间", "发送日期", "发件时间", "发件日期", "已发送"], &["主题", "标题"]],
    // Chinese, traditional
    [&["寄件者", "寄件人", "發件人", "發信人", "寄信人"], &["收件者", "收件人", "收信人"], &["副本", "抄送", "副本抄送"], &["日期", "寄件日期", "傳送時間", "傳送日期", "已傳送", "寄件時間", "發送時間", "時間"], &["主旨", "主題", "標題"]],
    // Japanese
    [&["差出人", "送信者", "送信元", "発信者", "発信元"], &["宛先", "受信者", "送信先", "受取人"], &["cc", "写し", "ｃｃ"], &["日時", "日付", "送信日時", "送信日", "送信時刻"], &["件名", "題名"]],
    // Korean
    [&["보낸 사람", "보낸사람", "보낸이", "보내는 사람", "보내는사람", "발신자", "발신인", "발신", "보낸 이"], &["받는 사람", "받는사람", "받는이", "받을 사람", "수신자", "수신인", "수신", "받는 이"], &["참조", "참조인"], &["날짜", "보낸 날짜", "보낸날짜", "보낸 시간", "보낸시간", "일시", "보낸 일시", "일자"], &["제목"]],
];

/// Labels of fields that are skipped.
#[rustfmt::skip]
const OTHER: &[&str] = &[
    "reply-to", "reply to", "bcc", "importance", "priority", "attachments", "attachment", "organization", "organisation", "sender", "sent by",
    "resent-from", "resent-to", "resent-date", "message-id", "x-mailer", "user-agent", "signed by", "mailed-by", "received", "return-path",
    "sensitivity", "categories", "mime-version", "content-type", "list-id", "in-reply-to", "references",
    "antwort an", "antwort-an", "antworten an", "wichtigkeit", "priorität", "anlagen", "anlage", "anhänge", "blindkopie", "bcc an",
    "répondre à", "répondre a", "pièces jointes", "pièce jointe", "cci", "responder a", "responder para", "cco", "importancia", "importância",
    "datos adjuntos", "adjuntos", "anexos", "anexo", "rispondi a", "ccn", "allegati", "priorità", "importanza", "antwoord aan", "beantwoorden aan",
    "bijlagen", "urgentie", "prioriteit", "svar till", "svara till", "bilagor", "prioritet", "svar til", "vedhæftede filer", "vedlegg", "vigtighed",
    "vastausosoite", "vastaa", "liitteet", "tärkeys", "odpowiedz do", "załączniki", "udw", "ważność", "odpovědět", "odpověď na", "přílohy", "důležitost",
    "odpovedať", "prílohy", "dôležitosť", "odgovori na", "privici", "prilozi", "priloge", "válaszcím", "válasz", "mellékletek", "fontosság",
    "răspuns către", "răspundeți la", "atașări", "обратный адрес", "ответить", "ответ", "вложения", "важность", "відповісти", "вкладення", "відповідь",
    "отговор до", "прикачени файлове", "απάντηση σε", "συνημμένα", "yanıtla", "yanıt adresi", "ekler", "önem", "השב ל", "השב אל", "קבצים מצורפים",
    "الرد على", "المرفقات", "پاسخ به", "ตอบกลับ", "สิ่งที่แนบมา", "trả lời", "tệp đính kèm", "balas ke", "lampiran", "回复", "回复至", "回覆至", "附件", "重要性",
    "返信先", "添付ファイル", "重要度", "회신 주소", "회신", "첨부", "첨부파일", "密送", "密件副本", "숨은 참조",
];

/// Stems of the words for "forwarded".
#[rustfmt::skip]
const FORWARDED: &[&str] = &[
    "forward", "weitergeleit", "weiterleit", "doorgestuur", "doorgezonden", "transf", "transmis", "réexpédi", "réachemin", "reenvia", "reencaminh",
    "encaminh", "inoltr", "vidarebefordra", "videresend", "vidaresend", "vidaresent", "välitet", "edelleen", "áframsen", "przekazan", "przekazyw",
    "przesłan", "přeposl", "přepos", "předan", "preposl", "preposi", "proslijeđ", "prosleđ", "prosled", "posredovan", "továbbít", "redirecționat",
    "redirectionat", "пересыл", "пересла", "переадрес", "перенаправ", "препрат", "препраќ", "проследи", "προωθ", "ilet", "yönlend", "yönləndir",
    "persiųst", "persiunč", "pārsūt", "edasi", "reenviat", "birbidal", "הועבר", "מועבר", "שהועבר", "معاد توجي", "إعادة توجيه", "المعاد توجي", "محول",
    "هدایت", "بازارسال", "फ़ॉरवर्ड", "अग्रेषित", "ส่งต่อ", "chuyển tiếp", "diteruskan", "teruskan", "dimajukan", "转发", "轉寄", "轉發", "轉送", "転送", "전달",
];

/// Stems of the words for "original", as programs print it above a quoted message, forwarded or replied to.
#[rustfmt::skip]
const ORIGINAL: &[&str] = &[
    "origin", "ursprüng", "ursprung", "oorspronk", "oprindelig", "opprinnelig", "alkuperäi", "upprunaleg", "oryginaln", "původní", "pôvodn", "izvirn", "izvorn", "eredeti",
    "исходн", "оригинал", "початков", "вихідн", "первонач", "αρχικ", "πρωτότυπ", "özgün", "orijinal", "pradin", "sākotnēj", "algne", "algkiri",
    "מקורי", "الأصلي", "اصلی", "मूल", "ต้นฉบับ", "gốc", "asli", "asal", "原始", "原文", "原邮件", "原郵件", "元のメ", "オリジナル", "원본", "원래",
];

/// Words that make a line of dashes the end of a forwarded message, as stems.
#[rustfmt::skip]
pub(crate) const END: &[&str] = &[
    "end", "ends", "ende", "einde", "fin", "fine", "fim", "final", "slut", "slutt", "loppu", "koniec", "konec", "kraj", "vége", "sfârșit", "конец", "завершение",
    "кінець", "завершення", "край", "крај", "τέλος", "sonu", "pabaiga", "beigas", "lõpp", "סוף", "نهاية", "پایان", "สิ้นสุด", "kết", "akhir", "结束", "結束", "終わり", "ここまで", "끝",
];

/// Lines, bare or between dashes, that open a forwarded message whatever follows.
#[rustfmt::skip]
pub(crate) const OPENERS: &[&str] = &[
    "begin forwarded message", "forwarded message", "this is a forwarded message", "forwarded message follows", "forwarded email", "forwarded mail", "start of forwarded message",
    "anfang der weitergeleiteten nachricht", "weitergeleitete nachricht", "anfang der weitergeleiteten e-mail", "weitergeleitete e-mail",
    "début du message réexpédié", "début du message transféré", "message transféré", "message transmis", "message réexpédié", "courriel transféré",
    "inicio del mensaje reenviado", "mensaje reenviado", "comienzo del mensaje reenviado", "início da mensagem reencaminhada", "início da mensagem encaminhada",
    "mensagem encaminhada", "mensagem reencaminhada", "inizio messaggio inoltrato", "messaggio inoltrato", "inizio del messaggio inoltrato",
    "begin doorgestuurd bericht", "doorgestuurd bericht", "begin van doorgestuurd bericht", "doorgestuurde e-mail",
    "vidarebefordrat brev", "vidarebefordrat meddelande", "vidarebefordrat mejl", "påbörja vidarebefordrat mejl", "början på vidarebefordrat brev", "början på vidarebefordrat meddelande",
    "videresendt besked", "videresendt meddelelse", "start på videresendt besked", "begyndelse på videresendt besked", "videresendt e-mail",
    "videresendt melding", "starten på videresendt melding", "begynnelse på videresendt melding", "start på videresendt melding",
    "välitetty viesti", "välitetty viesti alkaa", "edelleenlähetetty viesti", "edelleenlähetetty viesti alkaa", "aloita edelleenlähetetty viesti",
    "początek przekazanej wiadomości", "początek przekazywanej wiadomości", "przekazana wiadomość", "wiadomość przekazana", "treść przekazanej wiadomości", "przesłana wiadomość", "rozpoczęcie przekazanej wiadomości", "wiadomość napisana przez",
    "začátek přeposílané zprávy", "přeposlaná zpráva", "přesměrovaná zpráva", "začiatok preposlanej správy", "preposlaná správa", "preposielaná správa",
    "započinje proslijeđena poruka", "proslijeđena poruka", "početak proslijeđene poruke", "prosleđena poruka", "posredovano sporočilo", "začetek posredovanega sporočila",
    "továbbított levél kezdete", "továbbított üzenet", "továbbított levél", "a továbbított üzenet kezdete", "továbbított üzenet kezdete",
    "mesaj redirecționat", "mesaj transmis mai departe", "începe mesajul redirecționat", "începutul mesajului redirecționat", "mesaj trimis mai departe",
    "начало переадресованного сообщения", "начало пересылаемого сообщения", "пересылаемое сообщение", "пересланное сообщение", "перенаправленное сообщение", "переадресованное сообщение",
    "початок листа, що пересилається", "початок переадресованого повідомлення", "переслане повідомлення", "пересланий лист", "переслане сповіщення", "перенаправлене повідомлення",
    "препратено съобщение", "начало на препратено съобщение", "прослеђена порука", "проследена порака",
    "προωθημένο μήνυμα", "έναρξη προωθημένου μηνύματος", "αρχή προωθημένου μηνύματος",
    "iletilen ileti", "iletilen mesaj", "iletilmiş mesaj", "iletilen ileti başlangıcı", "yönlendirilen ileti", "yönlendirilmiş ileti",
    "persiųstas laiškas", "persiunčiamas laiškas", "pārsūtīta ziņa", "pārsūtītā ziņa", "edastatud kiri", "edasisaadetud kiri", "edastatud sõnum",
    "inici del missatge reenviat", "missatge reenviat", "mensaxe reenviada", "birbidalitako mezua",
    "הודעה שהועברה", "תחילת ההודעה שהועברה", "הודעה מועברת", "رسالة معاد توجيهها", "بداية الرسالة المعاد توجيهها", "رسالة محولة", "بدء الرسالة المحولة", "پیام هدایت شده", "پیام بازارسال شده",
    "फ़ॉरवर्ड किया गया संदेश", "अग्रेषित संदेश", "ข้อความที่ส่งต่อ", "เริ่มต้นข้อความที่ส่งต่อ", "thư đã chuyển tiếp", "bắt đầu thư được chuyển tiếp", "thư được chuyển tiếp", "tin nhắn đã chuyển tiếp",
    "pesan yang diteruskan", "mulai pesan yang diteruskan", "pesan terusan", "mesej yang dimajukan",
    "转发邮件信息", "转发的邮件", "转发邮件", "下面是被转发的邮件", "开始转发的邮件", "以下是转发邮件", "被转发邮件", "轉寄郵件", "轉寄的郵件", "轉寄訊息", "以下是轉寄的郵件", "開始轉寄郵件", "轉寄郵件訊息", "轉發郵件",
    "転送されたメッセージ", "転送メッセージ", "転送されたメール", "転送メール", "전달된 메시지", "전달된 메일", "전달된 메시지의 시작", "전달 메시지",
];

/// Beginnings of a longer line between dashes: `Forwarded by Alice on …`, `Forwarded message from Bob`.
pub(crate) const OPENERS_WITH_NAME: &[&str] = &[
    "forwarded message from",
    "forwarded by",
    "forwarded from",
    "weitergeleitet von",
    "weitergeleitete nachricht von",
    "transféré par",
    "réacheminé par",
    "message transféré de",
    "reenviado por",
    "mensaje reenviado de",
    "encaminhado por",
    "mensagem encaminhada de",
    "inoltrato da",
    "messaggio inoltrato da",
    "doorgestuurd door",
    "doorgestuurd bericht van",
    "vidarebefordrat av",
    "videresendt af",
    "videresendt av",
    "välittänyt",
    "przekazane przez",
    "předal",
    "přeposlal",
    "továbbította",
    "переслано",
    "転送者",
];

/// Words for "wrote" in the line above a quoted message; whole words, except in scripts without spaces.
#[rustfmt::skip]
const WROTE: &[&str] = &[
    "wrote", "writes", "schrieb", "schreef", "geschreven", "écrit", "écrivait", "escribió", "escribio", "escreveu", "escrigué", "escriure", "scritto", "scrisse", "skrev", "kirjoitti", "skrifaði", "napisał",
    "napisała", "napisał(a)", "pisze", "napsal", "napsala", "napsal(a)", "napísal", "napísala", "napísal(a)", "napisao", "napisala", "napisao/la", "je napisao/la", "írta", "ezt írta", "scris", "написал",
    "написала", "написал(а)", "пишет", "писал", "написав", "написала(в)", "пише", "написа", "έγραψε", "yazdı", "yazmış", "rašė", "parašė", "rakstīja", "kirjutas", "idatzi",
    "כתב", "כתבה", "כתב/ה", "كتب", "كتبت", "نوشت", "نوشته", "लिखा", "เขียนว่า", "viết", "menulis", "wrote:", "sent", "said",
];

/// The same, where a verb may occur without spaces around it.
pub(crate) const WROTE_ANYWHERE: &[&str] = &[
    "写道",
    "寫道",
    "写到",
    "来信",
    "來信",
    "のメッセージ",
    "書きました",
    "書いた",
    "작성",
    "썼습니다",
    "쓴 글",
    "님이",
    "เขียน",
];

/// Words between the date and the name in that line that belong to neither.
#[rustfmt::skip]
pub(crate) const FILLERS: &[&str] = &[
    "at", "am", "pm", "a.m.", "p.m.", "uhr", "um", "h", "hrs", "heeft", "ha", "používateľ", "používateľka", "užívateľ", "uživatel", "uživatelka", "użytkownik", "użytkowniczka", "korisnik", "je",
    "г.", "р.", "г", "r.", "by", "från", "from", "of", "utc", "gmt", "cet", "cest", "eet", "eest", "est", "edt", "pst", "pdt", "cst", "cdt", "mst", "mdt", "bst", "ist", "jst", "klo", "kl.", "kl", "o", "u", "в", "om", "à",
    "les", "tarihinde", "пользователь", "користувач", "потребител", "ο", "η", "χρήστης", "用户", "に", "、", "a", "vào", "lúc", "pukul",
];

/// Words that open that line before the date.
#[rustfmt::skip]
pub(crate) const BEFORE_DATE: &[&str] = &[
    "on", "am", "le", "el", "op", "il", "em", "dne", "dňa", "dana", "d.", "den", "w", "dniu", "ve", "v", "на", "в", "la", "în", "pe", "στις", "am:", "vào", "pada", "dia", "em:", "od", "ב-", "بتاريخ", "في", "于", "在", "день",
];

/// Subject prefixes of a forward.
#[rustfmt::skip]
pub(crate) const FORWARD_PREFIXES: &[&str] = &[
    "fw", "fwd", "fwd.", "fw.", "wg", "wtr", "wtrlt", "tr", "trans", "transf", "rv", "enc", "i", "inoltra", "inoltro", "dst", "doorst", "vb", "vl", "pd", "przek", "předání", "přep", "prep", "preposlané", "továbbítás", "tovább", "továbbított",
    "ilt", "yön", "πρθ", "προώθ", "пер", "пересл", "пересылка", "препратено", "הועבר", "העבר", "העברה", "إعادة توجيه", "تحويل", "ارسال مجدد", "转发", "转", "轉寄", "轉發", "轉", "転送", "전달", "chuyển tiếp", "terusan", "trs", "teruskan",
    "ส่งต่อ", "reenv", "reenviado", "reenc", "encaminhada", "prsl", "persiųsta", "pārs", "edasi", "forward", "forwarded", "proslj", "prosl", "redir", "vidarebefordrat", "vidares", "ldg",
];

/// Subject prefixes of a reply.
#[rustfmt::skip]
pub(crate) const REPLY_PREFIXES: &[&str] = &[
    "re", "aw", "antw", "antwort", "rép", "rép.", "rep", "ref", "r", "rif", "res", "resp", "sv", "odp", "odpověď", "odg", "vá", "ynt", "yanıt", "απ", "σχετ", "отв", "ответ", "відп", "отг", "нa", "на", "תגובה", "השב", "رد", "پاسخ", "回复", "回覆", "答复", "答覆",
    "返信", "回", "답장", "회신", "trả lời", "bls", "balas", "ats", "atb", "vast", "svar", "bal", "răsp", "ตอบกลับ", "ad",
];
