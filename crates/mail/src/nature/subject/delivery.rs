//! Subjects with which mail servers report the delivery of another message: lower-case, matched at the
//! beginning.

use crate::nature::phrase::begins_with;
use crate::wording::Wording;

/// What the subject says about delivery.
pub(super) fn wording(subject: &str) -> Option<Wording> {
    let is = |table: &[&str]| begins_with(subject, table);
    if is(DELAYED) {
        Some(Wording::Delayed)
    } else if is(DELIVERED) {
        Some(Wording::Delivered)
    } else if is(RETURNED) {
        Some(Wording::Returned)
    } else {
        None
    }
}

/// Whether it is the subject of a read receipt.
pub(super) fn is_receipt(subject: &str) -> bool {
    begins_with(subject, RECEIPT)
}

#[rustfmt::skip]
const DELAYED: &[&str] = &[
    "delayed mail", "delayed:", "delivery delayed", "delivery delay", "mail delivery delayed", "message delayed",
    "message delivery delayed",
    "message delivery has been delayed", "message status - delayed", "delivery status notification (delay",
    "delivery status notification(delay",
    "warning: could not send", "warning: message", "warning - delayed", "warning: mail delivery", "warning: unable to deliver",
    "mail delivery warning",
    "mail delay", "transient mail delivery", "temporary delivery", "delivery attempt delayed", "warning: delayed",
    "mail not yet delivered",
    "verzögert", "zustellung verzögert", "verzögerte zustellung", "nachricht verzögert", "e-mail-zustellung verzögert",
    "remise différée", "retardé", "retard de", "envoi retardé", "remise retardée", "retrasado", "entrega retrasada",
    "demora en la entrega",
    "recapito ritardato", "consegna ritardata", "ritardo", "entrega atrasada", "atraso na entrega", "vertraagd", "vertraging",
    "fördröjd",
    "forsinket", "viivästynyt", "opóźnion", "opóźnienie", "zpožděn", "oneskoren", "késleltetett", "întârziat", "задержка",
    "задержано",
    "доставка задерживается", "затримка", "забавяне", "gecikti", "gecikme", "καθυστέρηση", "延迟", "延遲", "配信の遅延", "配信遅延", "配送遅延",
    "지연",
];

#[rustfmt::skip]
const DELIVERED: &[&str] = &[
    "delivered:", "relayed:", "expanded:", "delivery status notification (success", "delivery status notification (relay",
    "delivery status notification (expan", "delivery status notification(success", "successful mail delivery",
    "successfully delivered",
    "delivery confirmation", "delivery receipt", "mail delivery report: success", "message delivered", "mail delivered",
    "return receipt",
    "delivery notification: delivery has been successful", "zugestellt:", "übermittelt:", "zustellbestätigung", "remis :",
    "remis:", "remis à",
    "relayé :", "relayé:", "entregado:", "retransmitido:", "consegnato:", "recapitato:", "inoltrato:", "entregue:",
    "retransmitida:", "bezorgd:",
    "doorgegeven:", "levererat:", "vidarebefordrat:", "leveret:", "levert:", "toimitettu:", "dostarczono:", "przekazano:",
    "doručeno:",
    "doručené:", "kézbesítve:", "livrat:", "доставлено:", "ретранслировано:", "доставлено", "teslim edildi:", "παραδόθηκε:",
    "已送达:", "已传递:", "已傳遞:",
    "配信済み:", "配信完了", "배달됨:",
];

/// Outlook and phones: `Read: subject`; the text has to agree.
#[rustfmt::skip]
const RECEIPT: &[&str] = &[
    "read:", "not read:", "read receipt", "return receipt", "disposition notification", "message disposition notification",
    "receipt:",
    "deleted:", "displayed:", "gelesen:", "nicht gelesen:", "ungelesen gelöscht:", "lesebestätigung",
    "empfangsbestätigung (angezeigt)", "lu :", "lu:", "non lu",
    "confirmation de lecture", "accusé de lecture", "leído:", "leido:", "no leído:", "confirmación de lectura", "letto:",
    "non letto:",
    "conferma di lettura", "ricevuta di ritorno", "lida:", "não lida:", "lido:", "recibo de leitura", "confirmação de leitura",
    "gelezen:",
    "niet gelezen:", "leesbevestiging", "ontvangstbevestiging (getoond)", "läst:", "oläst:", "läskvitto", "læst:", "kvittering",
    "lest:", "ulest:", "luettu:",
    "lukukuittaus", "przeczytano:", "potwierdzenie przeczytania", "přečteno:", "prečítané:", "olvasott:", "olvasva:", "citit:",
    "прочитано:",
    "прочтено:", "уведомление о прочтении", "отчет о прочтении", "okundu:", "διαβάστηκε:", "נקרא:", "تمت القراءة:", "已读:",
    "已讀:", "已读回执", "開封済み:", "開封確認", "읽음:",
];

#[rustfmt::skip]
const RETURNED: &[&str] = &[
    // English
    "undeliver", "undelivr", "unable to deliver", "unable to send", "unable to relay", "unable to process your message",
    "unsuccessful mail delivery", "non-deliver", "non deliver", "nondeliver", "not delivered", "not deliverable",
    "returned mail", "returned email", "returned e-mail", "returned message", "returned to sender", "returned due to",
    "return to sender", "mail returned", "message returned", "email returned",
    "failure notice", "failure delivery", "failure sending", "failure report", "failed mail", "failed message",
    "failed delivery", "failed to deliver", "failed email", "failure in sending", "failed transmission",
    "delivery failure", "delivery failed", "delivery fail", "delivery has failed", "delivery status", "delivery notification",
    "delivery report", "delivery error", "delivery problem", "delivery unsuccessful",
    "delivery to the following", "delivery incomplete", "delivery not",
    "mail delivery", "mail failure", "mail system error", "mail error", "mail could not", "mail undeliver",
    "mail not delivered", "mail transaction failed", "mail transfer", "mail status", "mail rejected", "mail refused",
    "mail bounced", "mailer error", "mailer-daemon",
    "mail message delivery", "mail notification", "mailbox full", "mailbox unavailable", "mailbox is full", "mailbox not found",
    "message to unknown", "smtp mail failed", "smtp delivery", "smtp error", "esmtp", "nameserver error",
    "email delivery", "e-mail delivery", "email could not", "email not delivered", "email undeliver", "email error",
    "email bounced", "e-mail returned",
    "message delivery", "message undeliver", "message could not", "message not delivered", "message not sent",
    "message rejected", "message refused", "message status", "message delivery failure", "message you sent",
    "could not deliver", "could not send", "couldn't deliver", "cannot deliver", "cannot send", "can't deliver",
    "can not deliver", "error during delivery", "error delivering", "error sending", "error in delivery", "error in sending",
    "bounced", "bounce message", "bounce notification", "bounce:", "rejected mail", "rejected message", "rejected:",
    "permanent delivery", "permanent failure", "permanent error", "permanent fatal", "fatal error",
    "unknown user", "user unknown", "unknown recipient", "unknown address", "invalid address", "invalid recipient",
    "recipient unknown", "recipient not found", "address unknown", "no such user", "no such recipient",
    "notification of undeliver", "notice of undeliver", "warning: undeliver", "warning: returned", "your message to",
    "your mail to", "your message was not", "your message could not", "your email could not", "your message has not",
    "your mail could not",
    "problem delivering", "problems delivering", "problem with delivery", "quota exceeded", "over quota", "nondelivery",
    "non-delivered", "ndn:", "ndr:", "ndn ", "dsn:", "loop alert", "mail loop",
    "message blocked", "mail blocked", "blocked by", "considered unsolicited", "service unavailable", "you are not a member",
    "virus found", "**message you sent blocked",
    // German
    "unzustellbar", "nicht zustellbar", "nicht zugestellt", "nachricht nicht zu", "nachricht unzustellbar", "mail nicht zu",
    "mail konnte nicht", "mail unzustellbar", "e-mail nicht zu", "e-mail konnte nicht", "ihre nachricht konnte nicht",
    "ihre e-mail konnte nicht", "nachricht konnte nicht", "email konnte nicht",
    "zustellung fehlgeschlagen", "zustellung der nachricht", "zustellungsfehler", "zustellfehler", "zustellproblem",
    "fehler bei der zustellung", "fehlgeschlagene zustellung", "fehlerhafte zustellung", "fehlermeldung des mail",
    "benachrichtigung zum übermittlungsstatus", "rückläufer", "übermittlung fehlgeschlagen", "unzustellbare", "zustellbericht",
    "übermittlungsbericht",
    // French
    "non remis", "non délivr", "non distribu", "non-remise", "échec de", "echec de", "échec d'", "échec lors", "courrier non",
    "courrier électronique non", "message non", "mail non", "impossible de remettre", "impossible d'envoyer",
    "impossible de délivrer", "remise impossible", "erreur de livraison", "erreur de remise",
    "notification d'échec", "notification d'état de remise", "notification d'état de la distribution", "avis de non-remise",
    "avis de non remise", "non livr", "rapport de non-remise", "retour à l'expéditeur", "retour du message",
    // Spanish, Catalan
    "no se puede entregar", "no se pudo entregar", "no se ha podido entregar", "no entregado", "correo no entregado",
    "mensaje no entregado", "correo devuelto", "mensaje devuelto", "error de entrega", "error en la entrega", "error al enviar",
    "fallo de entrega", "fallo en la entrega", "fallo en el envío", "entrega fallida", "notificación de estado de entrega",
    "notificación de error", "notificación del estado de la entrega", "notificación sobre el estado", "sin entregar",
    "devuelto", "informe de no entrega", "aviso de no entrega", "su mensaje no", "no lliurat",
    // Italian
    "non recapitabile", "non recapitato", "non consegnat", "mancato recapito", "mancata consegna", "impossibile recapitare",
    "impossibile consegnare", "consegna fallita", "errore di consegna", "errore nella consegna", "messaggio non",
    "posta non recapitat", "notifica di mancat", "notifica sullo stato", "rapporto di mancat", "avviso di mancat",
    "consegna non riuscita", "recapito non riuscito",
    // Portuguese
    "não entregue", "nao entregue", "não é possível entregar", "não foi possível entregar", "nao foi possivel entregar",
    "impossível entregar", "mensagem não", "falha na entrega", "falha de entrega", "falha no envio", "erro na entrega",
    "erro de entrega", "erro no envio", "notificação de status de entrega", "notificação de falha",
    "notificação de estado da entrega", "e-mail não entregue", "devolvida", "mensagem devolvida", "não pode ser entregue",
    "relatório de não entrega",
    // Dutch
    "onbestelbaar", "niet bezorgd", "niet afgeleverd", "niet bestelbaar", "kan niet worden bezorgd", "bericht kan niet",
    "bericht niet", "bezorging mislukt", "aflevering mislukt", "bezorgingsfout", "uw bericht kon niet", "afleverfout",
    "mislukte bezorging", "statusmelding",
    // Swedish, Danish, Norwegian, Finnish, Icelandic
    "olevererbart", "oleverer", "kunde inte levereras", "det gick inte att leverera", "ej levererat", "inte levererat",
    "meddelandet kunde inte", "leveransfel", "leveransen misslyckades", "kan ikke leveres", "kunne ikke leveres",
    "ikke leveret", "ikke levert", "leveringsfejl", "leveringsfeil", "meddelelsen kunne ikke", "meldingen kunne ikke",
    "uleveret", "ulevert", "returneret", "retur til",
    "ei voitu toimittaa", "ei voida toimittaa", "ei toimitettu", "toimitus epäonnistui", "toimittaminen epäonnistui",
    "toimitusvirhe", "toimittamat", "óafhendanlegt",
    // Polish, Czech, Slovak, Hungarian, Romanian
    "niedostarcz", "nie można dostarczyć", "nie mozna dostarczyc", "nie dostarczono", "nie udało się dostarczyć",
    "wiadomość niedostarczona", "zwrot wiadomości", "zwrot poczty", "błąd dostarczania", "błąd dostarczenia",
    "blad dostarczenia", "powiadomienie o niedostarczeniu", "raport o niedostarczeniu", "wiadomość nie została",
    "nedoručiteln", "nedoručen", "nedorucen", "nelze doručit", "zprávu nelze", "zpráva nebyla", "chyba při doručování",
    "chyba doručení", "nedoručiteľn", "správu sa nepodarilo", "nepodarilo sa doručiť", "kézbesíthetetlen", "kézbesítési hiba",
    "nem kézbesíthető", "sikertelen kézbesítés", "a levél nem", "az üzenet nem",
    "nelivra", "imposibil de livrat", "nu se poate livra", "nu a putut fi livrat", "eroare la livrare", "livrare eșuată",
    "mesaj nelivrat",
    // Croatian, Serbian, Slovenian, Baltic languages
    "neisporuč", "ne može se isporučiti", "isporuka nije uspjela", "nedostavljiv", "sporočila ni", "nedostavljen",
    "nepristatyt", "nepavyko pristatyti", "nepiegādā", "kättetoimetamat", "ei saa kohale",
    // Russian, Ukrainian, Bulgarian
    "недоставлен", "не доставлен", "не удалось доставить", "невозможно доставить", "доставка невозможна", "ошибка доставки",
    "ошибка при доставке", "сообщение не доставлено", "письмо не доставлено", "ваше сообщение не", "уведомление о недоставке",
    "отчет о недоставке", "отчёт о недоставке", "сбой доставки", "возврат письма", "недоставленное",
    "уведомление о состоянии доставки",
    "недоставлене", "не вдалося доставити", "не доставлено", "помилка доставки", "неможливо доставити", "недоставен",
    "не може да бъде доставен", "грешка при доставка", "недоставимо", "неуспешна доставка",
    // Greek, Turkish, Hebrew, Arabic, Persian
    "αδύνατη η παράδοση", "αδύνατη παράδοση", "δεν είναι δυνατή η παράδοση", "μη παραδοτέο", "αποτυχία παράδοσης",
    "δεν παραδόθηκε", "η παράδοση απέτυχε", "teslim edilemedi", "teslim edilemiyor", "teslim edilemeyen", "teslimat başarısız",
    "iletilemedi", "gönderilemedi", "iletiniz", "teslim hatası",
    "לא ניתן למסור", "לא ניתן למסירה", "לא נמסר", "ההודעה לא", "מסירה נכשלה", "כשל במסירה", "تعذر التسليم", "تعذر تسليم",
    "غير قابل للتسليم", "لم يتم التسليم", "لم يتم تسليم", "فشل التسليم", "فشل تسليم", "فشل في التسليم", "غیر قابل تحویل",
    "تحویل داده نشد", "عدم تحویل", "قابل تحویل نیست",
    // Chinese, Japanese, Korean
    "无法投递", "無法投遞", "未送达", "未送達", "无法送达", "無法送達", "无法传递", "無法傳遞", "退信", "系统退信", "系統退信", "退回", "投递失败", "投遞失敗", "发送失败", "發送失敗",
    "传递失败", "傳遞失敗", "邮件投递失败", "邮件退回", "邮件被退回", "邮件无法", "未傳遞", "未传递", "寄件失敗", "郵件無法", "信件無法", "退件",
    "配信不能", "配信できません", "配信エラー", "配信失敗", "配信不可", "配信に失敗", "配信状況通知", "配達不能", "送信できません", "送信エラー", "送信失敗", "送信不能", "エラーメール",
    "エラー通知", "宛先不明", "メール送信エラー", "メール配送エラー", "未配信", "不達", "返送", "メールが配信", "メールを配信", "メッセージを配信", "メールが届",
    "배달되지 않음", "배달할 수 없", "배달 실패", "배달 불가", "반송", "발송 실패", "전송 실패", "전송실패", "발송실패", "메일 전송", "수신 실패",
    // Vietnamese, Thai, Indonesian and Malay, Hindi
    "không thể gửi", "không gửi được", "không thể chuyển", "gửi thư thất bại", "thư không gửi được", "gửi không thành công",
    "thư bị trả lại", "ไม่สามารถส่ง", "ไม่สามารถจัดส่ง", "ส่งไม่สำเร็จ", "การส่งล้มเหลว", "ส่งไม่ได้", "tidak terkirim",
    "tidak dapat dikirim", "gagal terkirim", "gagal dikirim", "pengiriman gagal", "tidak dapat dihantar", "gagal dihantar",
    "penghantaran gagal", "वितरित नहीं",
];
