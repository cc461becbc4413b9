//! Subjects of automatic replies in many languages.

use super::*;

/// `re`, `fw` and the wording of a subject, as one line.
fn seen(subject: &str) -> String {
    let read = of(subject);
    let wording = read.wording.map(|wording| format!("{wording:?}")).unwrap_or_default();
    format!(
        "{}{}{wording}",
        if read.is_answer { "re " } else { "" },
        if read.is_forward { "fw " } else { "" }
    )
    .trim_end()
    .to_owned()
}

#[test]
fn prefixes_of_many_languages_are_taken_off() {
    for (subject, want) in [
        ("Re: hello", "re"),
        ("RE[2]: hello", "re"),
        ("AW: WG: Rechnung", "re fw"),
        ("SV: Re: hej", "re"),
        ("Antw: vraag", "re"),
        ("Odp: pytanie", "re"),
        ("Ответ: вопрос", "re"),
        ("回复：问题", "re"),
        ("Fwd: Undeliverable: hello", "fw Returned"),
        ("TR : question", "fw"),
        ("ENC: pergunta", "fw"),
        ("転送: 質問", "fw"),
        ("Question: why", ""),
    ] {
        assert_eq!(seen(subject), want, "{subject}");
    }
}

#[test]
fn subjects_of_mail_servers_are_known() {
    for subject in [
        "Undelivered Mail Returned to Sender",
        "Undeliverable: Re: the offer",
        "Returned mail: see transcript for details",
        "Delivery Status Notification (Failure)",
        "Mail delivery failed: returning message to sender",
        "failure notice",
        "*** Undeliverable mail ***",
        "Unzustellbar: Angebot",
        "Zustellung fehlgeschlagen",
        "Non remis : devis",
        "Échec de la remise : devis",
        "No se puede entregar: presupuesto",
        "Correo no entregado",
        "Non recapitabile: preventivo",
        "Mancato recapito",
        "Não entregue: orçamento",
        "Onbestelbaar: offerte",
        "Olevererbart: offert",
        "Kan ikke leveres: tilbud",
        "Toimittamatta jäänyt viesti",
        "Niedostarczona wiadomość: oferta",
        "Nedoručitelné: nabídka",
        "Kézbesíthetetlen: ajánlat",
        "Nelivrabil: ofertă",
        "Недоставлено: предложение",
        "Не удалось доставить: предложение",
        "Недоставлене повідомлення",
        "Αδύνατη παράδοση: προσφορά",
        "Teslim edilemedi: teklif",
        "לא ניתן למסירה: הצעה",
        "تعذر التسليم: عرض",
        "系统退信",
        "無法傳遞: 報價",
        "配信不能: 見積",
        "배달되지 않음: 견적",
        "Không thể gửi: báo giá",
        "ไม่สามารถส่งได้: ใบเสนอราคา",
        "Tidak terkirim: penawaran",
    ] {
        assert_eq!(of(subject).wording, Some(Wording::Returned), "{subject}");
    }
    for (subject, want) in [
        ("Delivery Status Notification (Delay)", Wording::Delayed),
        ("Delayed Mail (still being retried)", Wording::Delayed),
        ("Warning: could not send message for past 4 hours", Wording::Delayed),
        ("Remise différée : devis", Wording::Delayed),
        ("Delivery Status Notification (Success)", Wording::Delivered),
        ("Successful Mail Delivery Report", Wording::Delivered),
        ("Relayed: offer", Wording::Delivered),
        ("Zugestellt: Angebot", Wording::Delivered),
        ("Read: offer", Wording::Receipt),
        ("Gelesen: Angebot", Wording::Receipt),
        ("已读: 报价", Wording::Receipt),
    ] {
        assert_eq!(of(subject).wording, Some(want), "{subject}");
    }
}

#[test]
fn subjects_of_answering_machines_are_known() {
    for subject in [
        "Automatic reply: the offer",
        "AUTO-REPLY",
        "Out of Office AutoReply: the offer",
        "[Automatic reply] the offer",
        "Automatische Antwort: Angebot",
        "Abwesenheitsnotiz: Angebot",
        "Réponse automatique : devis",
        "Respuesta automática: presupuesto",
        "Risposta automatica: preventivo",
        "Resposta automática: orçamento",
        "Automatisch antwoord: offerte",
        "Autosvar: offert",
        "Automatisk svar: tilbud",
        "Automaattinen vastaus: tarjous",
        "Automatyczna odpowiedź: oferta",
        "Automatická odpověď: nabídka",
        "Automatická odpoveď: ponuka",
        "Automatikus válasz: ajánlat",
        "Răspuns automat: ofertă",
        "Автоответ: предложение",
        "Автоматична відповідь: пропозиція",
        "Автоматичен отговор: оферта",
        "Αυτόματη απάντηση: προσφορά",
        "Otomatik yanıt: teklif",
        "תשובה אוטומטית: הצעה",
        "رد تلقائي: عرض",
        "پاسخ خودکار: پیشنهاد",
        "自动回复: 报价",
        "自動回覆：報價",
        "自動応答: 見積",
        "자동 회신: 견적",
        "Trả lời tự động: báo giá",
        "ตอบกลับอัตโนมัติ: ใบเสนอราคา",
        "Balasan otomatis: penawaran",
        "Ada Lovelace is out of the office (returning Monday)",
        "Ada Lovelace est absent(e)",
        "Ada Lovelace está fuera de la oficina",
    ] {
        assert_eq!(of(subject).wording, Some(Wording::AutoReply), "{subject}");
    }
}

#[test]
fn people_who_write_about_machines_are_not_taken_for_them() {
    for subject in [
        "Automatic replies do not work",
        "Automatic reply rule is broken, please help",
        "How do I set my out of office?",
        "Question about undeliverable mail",
        "My colleague is out of the office and I need access",
        "Who is out of the office today?",
        "Mon fils Paul est absent",
        "Quién está fuera de la oficina hoy?",
        "Réponse automatiquement envoyée deux fois",
        "Problem: delivery failed",
    ] {
        assert!(
            !matches!(of(subject).wording, Some(Wording::AutoReply | Wording::Returned | Wording::Delayed)),
            "{subject}"
        );
    }
}
