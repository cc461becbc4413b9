//! Messages from many programs in many languages, and what is in them.

use super::scan::INLINE_TRIES;
use super::*;
use crate::Letter;
use crate::quoting::words;
use proptest::prelude::*;

/// What a text must yield: the author as `Name|address`, the subject, the message above, the body.
fn check(name: &str, text: &str, outer: &str, want: (&str, &str, &str, &str)) {
    let Some(found) = original(text, outer) else { panic!("{name}: not found") };
    let from = found.from.map(|from| format!("{}|{}", from.name, from.address)).unwrap_or_default();
    assert_eq!(
        (from.as_str(), found.subject.as_str(), found.message.as_str(), found.body.as_str()),
        want,
        "{name}"
    );
}

const ALICE: &str = "Alice Ask|alice@example.org";

#[test]
fn programs_are_read() {
    for (name, text) in [
        (
            "Gmail",
            "See below.\n\n---------- Forwarded message ---------\nFrom: Alice Ask <alice@example.org>\nDate: Wed, Oct 27, 2021 at 9:31 AM\nSubject: Broken lamp\nTo: <desk@example.com>\nCc: Carol <carol@example.net>\n\n\nIt does not light.\n",
        ),
        (
            "Gmail, German",
            "See below.\n\n---------- Forwarded message ---------\nVon: Alice Ask <alice@example.org>\nDate: Mi., 27. Okt. 2021 um 09:31 Uhr\nSubject: Broken lamp\nTo: <desk@example.com>\n\nIt does not light.\n",
        ),
        (
            "Gmail, Vietnamese",
            "See below.\n\n---------- Forwarded message ---------\nTừ: Alice Ask <alice@example.org>\nDate: Th 4, 27 thg 10, 2021 vào lúc 09:31\nSubject: Broken lamp\nTo: <desk@example.com>\n\nIt does not light.\n",
        ),
        (
            "Apple Mail",
            "See below.\n\n> Begin forwarded message:\n> \n> From: Alice Ask <alice@example.org>\n> Subject: Broken lamp\n> Date: 25 October 2021 at 11:17:21 CEST\n> To: desk@example.com\n> \n> It does not light.\n> \n",
        ),
        (
            "Apple Mail, unquoted header",
            "See below.\n\nDébut du message réexpédié :\n\n> De: Alice Ask <alice@example.org>\n> Objet: Broken lamp\n> Date: 25 octobre 2021 à 11:17:21\n> À: desk@example.com\n>\n> It does not light.\n",
        ),
        (
            "Outlook",
            "See below.\n\nFrom: Alice Ask [mailto:alice@example.org]\nSent: 25 October 2021 11:17\nTo: desk@example.com\nSubject: Broken lamp\n\n\nIt does not light.\n",
        ),
        (
            "Outlook on the web",
            "See below.\n________________________________\nVon: Alice Ask <alice@example.org>\nGesendet: Mittwoch, 27. Oktober 2021 15:14\nAn: desk@example.com <desk@example.com>\nBetreff: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook for Mac",
            "See below.\n\nFra: Alice Ask <alice@example.org>\nDato: torsdag den 28. oktober 2021 kl. 12.46\nTil: desk@example.com <desk@example.com>\nEmne: Broken lamp\nIt does not light.\n",
        ),
        (
            "Outlook, bold",
            "See below.\n\n*De :* Alice Ask <alice@example.org>\n*Envoyé :* mercredi 27 octobre 2021 15:14\n*À :* desk@example.com\n*Objet :* Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook, two stars",
            "See below.\n\n**From:** Alice Ask <alice@example.org>\n**Sent:** Wednesday, October 27, 2021 15:14\n**To:** desk@example.com\n**Subject:** Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook, old",
            "See below.\n\n-----Ursprüngliche Nachricht-----\nVon: Alice Ask [mailto:alice@example.org]\nGesendet: Mittwoch, 27. Oktober 2021 15:14\nAn: desk@example.com\nBetreff: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Thunderbird",
            "See below.\n\n-------- Doorgestuurd bericht --------\nOnderwerp: \tBroken lamp\nDatum: \tWed, 3 Nov 2021 15:51:30 +0100\nVan: \tAlice Ask <alice@example.org>\nAan: \tdesk@example.com\n\n\n\nIt does not light.\n",
        ),
        (
            "Thunderbird, values below",
            "See below.\n\n-------- Forwarded Message --------\nSubject:\nBroken lamp\nDate:\nWed, 3 Nov 2021 15:51:30 +0100\nFrom:\nAlice Ask <alice@example.org>\nTo:\ndesk@example.com\n\nIt does not light.\n",
        ),
        (
            "Yahoo",
            "See below.\n  ----- Message transféré ----- De : Alice Ask <alice@example.org>À : \"desk@example.com\" <desk@example.com>Cc : Carol <carol@example.net>Envoyé : mardi 2 novembre 2021, 09:26:50 UTC+1Objet : Broken lamp\n It does not light.\n",
        ),
        (
            "Yahoo, lines",
            "See below.\n\n   ----- Forwarded Message -----\n  From: Alice Ask <alice@example.org>\n To: desk@example.com\n Sent: Tuesday, November 2, 2021, 09:26:50 AM GMT+1\n Subject: Broken lamp\n \nIt does not light.\n",
        ),
        (
            "Proton",
            "See below.\n\n------- Forwarded Message -------\nFrom: Alice Ask <alice@example.org>\nDate: On Saturday, June 4th, 2022 at 10:01\nSubject: Broken lamp\nTo: desk@example.com <desk@example.com>\n\n\n> It does not light.\n",
        ),
        (
            "Proton, old hyphens",
            "See below.\n\n‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nFrom: Alice Ask <alice@example.org>\nDate: On Saturday, June 4th, 2022 at 10:01\nSubject: Broken lamp\nTo: desk@example.com\n\n> It does not light.\n",
        ),
        (
            "Zoho",
            "See below.\n\n\n============ Forwarded message ============\nFrom: Alice Ask <alice@example.org>\nTo: <desk@example.com>\nDate: Wed, 27 Oct 2021 15:14:00 +0530\nSubject: Broken lamp\n============ Forwarded message ============\n\nIt does not light.\n",
        ),
        (
            "GMX",
            "See below.\n \nGesendet: Mittwoch, 27. Oktober 2021 um 15:14 Uhr\nVon: \"Alice Ask\" <alice@example.org>\nAn: desk@example.com\nBetreff: Broken lamp\nIt does not light.\n",
        ),
        (
            "IONOS",
            "See below.\n> ---------- Original Message ----------\n> From: Alice Ask <alice@example.org>\n> To: desk@example.com\n> Date: 10/27/2021 3:14 PM CEST\n> Subject: Broken lamp\n>  \n>  \n> It does not light.\n",
        ),
        (
            "Notes",
            "See below.\n----- Forwarded by Bob Help/ACME on 10/28/2021 12:46 PM -----\n\nFrom:\tAlice Ask <alice@example.org>\nTo:\tdesk@example.com\nDate:\t10/27/2021 03:14 PM\nSubject:\tBroken lamp\n\n\nIt does not light.\n",
        ),
        (
            "Horde",
            "See below.\n\n\n----- Weitergeleitete Nachricht von alice@example.org -----\n   Datum: Wed, 27 Oct 2021 15:14:00 +0200\n     Von: Alice Ask <alice@example.org>\n Betreff: Broken lamp\n      An: desk@example.com\n\nIt does not light.\n\n----- Ende der weitergeleiteten Nachricht -----\n",
        ),
        (
            "mutt",
            "See below.\n\n----- Forwarded message from Alice Ask <alice@example.org> -----\n\nDate: Wed, 27 Oct 2021 15:14:00 +0200\nFrom: Alice Ask <alice@example.org>\nTo: desk@example.com\nSubject: Broken lamp\nUser-Agent: Mutt/2.0\n\nIt does not light.\n\n----- End forwarded message -----\n\n-- \nBob\n",
        ),
        (
            "KMail",
            "See below.\n\n----------  Forwarded Message  ----------\n\nSubject: Broken lamp\nDate: Mittwoch, 27. Oktober 2021\nFrom: Alice Ask <alice@example.org>\nTo: desk@example.com\n\nIt does not light.\n",
        ),
        (
            "The Bat!",
            "See below.\n\nThis is a forwarded message\nFrom: Alice Ask <alice@example.org>\nTo: desk@example.com\nDate: Wednesday, October 27, 2021, 3:14:00 PM\nSubject: Broken lamp\n\n===8<==============Original message text===============\nIt does not light.\n===8<===========End of original message text===========\n",
        ),
        (
            "Becky!",
            "See below.\n\n----------------------- Original Message -----------------------\n From:    Alice Ask <alice@example.org>\n To:      desk@example.com\n Date:    Wed, 27 Oct 2021 15:14:00 +0900\n Subject: Broken lamp\n----\n\nIt does not light.\n",
        ),
        (
            "Yandex",
            "See below.\n\n-------- Пересылаемое сообщение --------\n27.10.2021, 15:14, \"Alice Ask\" <alice@example.org>:\n\nIt does not light.\n\n-------- Конец пересылаемого сообщения --------\n",
        ),
        (
            "mail.ru",
            "See below.\n\n-------- Пересылаемое сообщение --------\nОт кого: Alice Ask <alice@example.org>\nКому: desk@example.com\nДата: Среда, 27 октября 2021, 15:14 +03:00\nТема: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "QQ",
            "See below.\n\n------------------ 原始邮件 ------------------\n发件人: \"Alice Ask\" <alice@example.org>;\n发送时间: 2021年10月27日(星期三) 下午3:14\n收件人: \"desk\" <desk@example.com>;\n主题: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "163",
            "See below.\n\n-------- 转发邮件信息 --------\n发件人：Alice Ask <alice@example.org>\n发送日期：2021-10-27 15:14:00\n收件人：desk@example.com\n主题：Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook, Chinese, traditional",
            "See below.\n\n寄件者: Alice Ask <alice@example.org>\n寄件日期: 2021年10月27日 下午 03:14\n收件者: desk@example.com\n主旨: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook, Japanese",
            "See below.\n\n差出人: Alice Ask <alice@example.org>\n送信日時: 2021年10月27日 15:14\n宛先: desk@example.com\n件名: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook, Korean",
            "See below.\n\n보낸 사람: Alice Ask <alice@example.org>\n보낸 날짜: 2021년 10월 27일 수요일 오후 3:14\n받는 사람: desk@example.com\n제목: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook, Hebrew",
            "See below.\n\n\u{200f}מאת: Alice Ask <alice@example.org>\n\u{200f}נשלח: יום רביעי 27 אוקטובר 2021 15:14\n\u{200f}אל: desk@example.com\n\u{200f}נושא: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook, Arabic",
            "See below.\n\nمن: Alice Ask <alice@example.org>\nتم الإرسال: 27 أكتوبر 2021 15:14\nإلى: desk@example.com\nالموضوع: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook, Greek",
            "See below.\n\nΑπό: Alice Ask <alice@example.org>\nΣτάλθηκε: Τετάρτη, 27 Οκτωβρίου 2021 3:14 μμ\nΠρος: desk@example.com\nΘέμα: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook, Turkish",
            "See below.\n\nKimden: Alice Ask <alice@example.org>\nGönderildi: 27 Ekim 2021 Çarşamba 15:14\nKime: desk@example.com\nKonu: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "Outlook, Thai",
            "See below.\n\nจาก: Alice Ask <alice@example.org>\nส่ง: 27 ต.ค. 2021 15:14\nถึง: desk@example.com\nเรื่อง: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "a language in no table",
            "See below.\n\n---------- Forwarded message ----------\nQuelk: Alice Ask <alice@example.org>\nDate: 2021-10-27 15:14\nSubject: Broken lamp\nTo: desk@example.com\n\nIt does not light.\n",
        ),
        (
            "blank lines in the header",
            "See below.\n\n-----Original Message-----\nFrom: Alice Ask <alice@example.org>\n\nDate: Sat, 22 Mar 2008 12:16:06\nTo:<desk@example.com>\n\n\nSubject: Broken lamp\n\n\nIt does not light.\n",
        ),
        (
            "wrapped address",
            "See below.\n\n---------- Forwarded message ----------\nFrom: Alice Ask\n<alice@example.org>\nTo: Desk <desk@example.com>, Carol\n <carol@example.net>, Dave <\ndave@example.net>\nSubject: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "lines run together",
            "See below.\n\nFrom: Alice Ask <alice@example.org> Sent: Wednesday, October 27, 2021 15:14 To: desk@example.com Subject: Broken lamp\n\nIt does not light.\n",
        ),
        (
            "quoted as a whole",
            "See below.\n\n> From: Alice Ask <alice@example.org>\n> Date: 27 Oct 2021\n> To: desk@example.com\n> Subject: Broken lamp\n>\n> It does not light.\n",
        ),
        (
            "KMail, a rule below",
            "See below.\n\n----------  Forwarded Message  ----------\n\nSubject: Broken lamp\nDate: Mittwoch, 27. Oktober 2021, 09:31:12 CET\nFrom: Alice Ask <alice@example.org>\nTo: desk@example.com\n\nIt does not light.\n-----------------------------------------\n",
        ),
        (
            "Orange",
            "See below.\n\n> Message du 27/10/21 09:31\n> De : \"Alice Ask\" <alice@example.org>\n> A : desk@example.com\n> Copie à : \n> Objet : Broken lamp\n> \n> It does not light.\n",
        ),
        (
            "links left over",
            "See below.\n\n---------- Forwarded message ----------\nFrom: Alice Ask<mailto:alice@example.org> <alice@example.org<mailto:alice@example.org>> on behalf of list@example.org<mailto:list@example.org>\nDate: 27 Oct 2021\nSubject: Broken lamp\n\nIt does not light.\n",
        ),
    ] {
        let subject = if name == "Yandex" { "" } else { "Broken lamp" };
        check(name, text, "", (ALICE, subject, "See below.", "It does not light."));
        check(name, text, "Fwd: Broken lamp", (ALICE, "Broken lamp", "See below.", "It does not light."));
    }
}

#[test]
fn introducing_lines_count_where_the_subject_says_forwarded() {
    for (name, intro, want) in [
        ("English", "On 28/10/2021 12:46, \"Alice Ask\" <alice@example.org> wrote:", ALICE),
        ("Gmail", "On Wed, Oct 27, 2021 at 9:31 AM Alice Ask <alice@example.org>\nwrote:", ALICE),
        ("German", "Am Mi., 27. Okt. 2021 um 09:31 Uhr schrieb Alice Ask <alice@example.org>:", ALICE),
        ("French", "Le 28/10/2021 12:46, « Alice Ask » <alice@example.org> a écrit :", ALICE),
        ("Spanish", "El 28/10/2021 12:46, \"Alice Ask\" <alice@example.org> escribió:", ALICE),
        (
            "Italian",
            "Il giorno mer 27 ott 2021 alle ore 09:31 Alice Ask <alice@example.org> ha scritto:",
            ALICE,
        ),
        ("Dutch", "Op 28/10/2021 12:46 heeft Alice Ask <alice@example.org> geschreven:", ALICE),
        ("Danish", "D. 28/10/2021 12.46 skrev \"Alice Ask\" <alice@example.org>:", ALICE),
        ("Finnish", "Alice Ask <alice@example.org> kirjoitti 28/10/2021 12.46:", ALICE),
        ("Polish", "Dnia 28.10.2021, 12:46, „Alice Ask” <alice@example.org> napisał(a):", ALICE),
        ("Slovak", "28/10/2021 12:46 používateľ Alice Ask (<alice@example.org>) napísal:", ALICE),
        ("Hungarian", "2021. 10. 28. 12:46 keltezéssel, \"Alice Ask\" <alice@example.org> írta:", ALICE),
        ("Russian", "28.10.2021, 12:46, пользователь \"Alice Ask\" <alice@example.org> написал:", ALICE),
        ("Turkish", "\"Alice Ask\" <alice@example.org>, 28/10/2021 12:46 tarihinde şunu yazdı:", ALICE),
        ("Japanese", "2021年10月27日(水) 9:31 Alice Ask <alice@example.org>:", ALICE),
        ("a name alone", "On 03/11/2021 15:51, Alice Ask wrote:", "Alice Ask|"),
        ("a name alone, behind the verb", "Am 03.11.2021 um 15:51 schrieb Alice Ask:", "Alice Ask|"),
    ] {
        for (shape, body) in [
            ("quoted", "> It does not light.\n>\n> Alice\n"),
            ("indented", "    It does not light.\n\n    Alice\n"),
        ] {
            let text = format!("See below.\n\n{intro}\n\n{body}");
            check(
                &format!("{name}, {shape}"),
                &text,
                "FW: Broken lamp",
                (want, "Broken lamp", "See below.", "It does not light.\n\nAlice"),
            );
            for answer in ["Re: Broken lamp", "Broken lamp", "AW: WG: Broken lamp", ""] {
                assert_eq!(original(&text, answer), None, "{name}, {answer:?}");
            }
        }
    }
}

#[test]
fn originals_of_groupwise_count_where_the_subject_says_forwarded() {
    let text = "See below.\n\n>>> Alice Ask <alice@example.org> 28/10/2021 12:46 >>>\nIt does not light.\n";
    check("GroupWise", text, "Fwd: Broken lamp", (ALICE, "Broken lamp", "See below.", "It does not light."));
    assert_eq!(original(text, "Re: Broken lamp"), None);
    assert_eq!(original(text, "Broken lamp"), None);
}

#[test]
fn the_date_above_the_header_of_french_providers_is_read() {
    let text = "> Message du 27/10/21 09:31\n> De : Alice <alice@example.org>\n> A : desk@example.com\n> Objet : Lamp\n> \n> Hi\n";
    let found = original(text, "TR: Lamp").unwrap();
    assert_eq!(
        (found.date_line.as_str(), found.date),
        ("27/10/21 09:31", crate::date::parse("27 Oct 2021 09:31:00 +0000"))
    );
}

#[test]
fn answers_and_plain_mails_are_not_forwarded() {
    for (name, text, outer) in [
        ("empty", "", "Fwd: nothing"),
        ("nothing forwarded", "Please look at this.\n\nBob", "Fwd: Broken lamp"),
        (
            "answer with a header",
            "Thanks.\n\nFrom: Alice <alice@example.org>\nSent: Wednesday, October 27, 2021 15:14\nTo: desk@example.com\nSubject: Broken lamp\n\nHello",
            "RE: Broken lamp",
        ),
        (
            "answer with a mark",
            "Danke.\n\n-----Ursprüngliche Nachricht-----\nVon: Alice <alice@example.org>\nGesendet: 27.10.2021\nAn: desk@example.com\nBetreff: Broken lamp\n\nHello",
            "AW: Broken lamp",
        ),
        (
            "answer to a forward",
            "Thanks.\n\nOn Wed, Oct 27, 2021 at 9:31 AM Bob <bob@example.org> wrote:\n\n> See below.\n>\n> ---------- Forwarded message ---------\n> From: Alice <alice@example.org>\n> Subject: Broken lamp\n>\n> Hello",
            "Re: Fwd: Broken lamp",
        ),
        (
            "the same, subject unknown",
            "Thanks.\n\nOn Wed, Oct 27, 2021 at 9:31 AM Bob <bob@example.org> wrote:\n\n> ---------- Forwarded message ---------\n> From: Alice <alice@example.org>\n> Subject: Broken lamp\n>\n> Hello",
            "",
        ),
        (
            "the same, line of an unknown language",
            "Xx.\n\nXx 27.10.2021 Bob:\n\n> ---------- Forwarded message ---------\n> From: Alice <alice@example.org>\n> Subject: Broken lamp\n>\n> Hello",
            "Re: Fwd: Broken lamp",
        ),
        (
            "contact form",
            "From: Alice <alice@example.org>\nSubject: Broken lamp\n\nMessage:\nHello",
            "New message from the web site",
        ),
        ("appointment", "Hello,\n\nDate: tomorrow\nTo: the big room\nSubject: lamps\n\nBob", "Meeting"),
        ("a sentence about forwards", "I forwarded this message:\nit is about lamps.", "Lamps"),
        ("a headline between dashes", "--- Please forward this message ---\n\nHello", "Lamps"),
        ("a headline between stars", "** News **\n\nTo: all of you\nHello", "Lamps"),
        ("signature", "Hello\n\n-- \nBob Help\nPhone: 12345\nFax: 67890", "Lamps"),
    ] {
        assert_eq!(original(text, outer), None, "{name}");
    }
}

#[test]
fn every_label_of_every_language_is_read() {
    for language in words::LANGUAGES {
        for (label, field) in words::all(language) {
            let mut labels = language.each_ref().map(|labels| labels.first().copied().unwrap_or_default());
            labels[field as usize] = label;
            let [from, to, cc, date, subject] = labels;
            let text = format!(
                "Hi\n\n{from}: Alice Ask <alice@example.org>\n{date} : 27 Oct 2021\n{to}: desk@example.com\n{cc}：carol@example.net\n*{subject}:* Broken lamp\n\nHello"
            );
            let found = original(&text, "").unwrap_or_else(|| panic!("{label:?}: not found in {text}"));
            let addresses =
                |people: &[Mailbox]| people.iter().map(|person| person.address.clone()).collect::<Vec<_>>();
            assert_eq!(found.from.map(|from| from.address).as_deref(), Some("alice@example.org"), "{label}");
            assert_eq!(
                (addresses(&found.to), addresses(&found.cc)),
                (vec!["desk@example.com".to_owned()], vec!["carol@example.net".to_owned()]),
                "{label}"
            );
            assert_eq!(
                (found.date_line.as_str(), found.subject.as_str(), found.body.as_str()),
                ("27 Oct 2021", "Broken lamp", "Hello"),
                "{label}"
            );
        }
    }
}

#[test]
fn every_opener_is_enough() {
    for opener in words::OPENERS {
        for text in [
            format!("Hi\n\n{opener}:\nHello"),
            format!("Hi\n\n---------- {} ----------\n\nHello", opener.to_ascii_uppercase()),
            format!("Hi\n> *{opener}:*\n>\n> Hello"),
        ] {
            let found = original(&text, "Lamps").unwrap_or_else(|| panic!("not found: {text}"));
            assert_eq!(
                (found.message.as_str(), found.body.as_str(), found.from),
                ("Hi", "Hello", None),
                "{text}"
            );
        }
    }
}

#[test]
fn recipients_are_read_as_printed() {
    let text = "-----Original Message-----\nFrom: Ask, Alice\nSent: 23 July 2022 07:53\nTo: Help, Bob <bob@example.com>; Jane Roe; 'carol@example.net' <carol@example.net>; \"Poe, Dan\" [mailto: dan@example.net];\nCc: Bob Help, Jane Roe, Eve Poe <eve@example.net>, f@example.net (Fay), grace@example.net\nSubject: Lamps\n\nHello";
    let found = original(text, "FW: Lamps").unwrap();
    let people = |people: &[Mailbox]| {
        people.iter().map(|person| format!("{}|{}", person.name, person.address)).collect::<Vec<_>>()
    };
    assert_eq!(people(found.from.as_slice()), ["Ask, Alice|"]);
    assert_eq!(
        people(&found.to),
        ["Help, Bob|bob@example.com", "Jane Roe|", "|carol@example.net", "Poe, Dan|dan@example.net"]
    );
    assert_eq!(
        people(&found.cc),
        ["Bob Help|", "Jane Roe|", "Eve Poe|eve@example.net", "Fay|f@example.net", "|grace@example.net"]
    );
    assert_eq!(found.from_line, "Ask, Alice");
    assert_eq!(found.date, crate::date::parse("23 Jul 2022 07:53:00 +0000"));
}

#[test]
fn encoded_words_are_decoded() {
    let text = "---- Forwarded message ----\nFrom: =?utf-8?q?Al=C3=AFce?= <alice@example.org>\nSubject: =?utf-8?b?TMOkbXA=?=\n\nHello";
    check("encoded", text, "", ("Alïce|alice@example.org", "Lämp", "", "Hello"));
}

#[test]
fn wrapped_subjects_are_told_from_the_body() {
    struct Case {
        name: &'static str,
        header: &'static str,
        outer: &'static str,
        want: &'static str,
    }
    fn usual() -> Case {
        Case { name: "", header: "", outer: "", want: "" }
    }

    for Case { name, header, outer, want } in [
        Case {
            name: "outer subject has more",
            header: "Subject: Lamps that are\nbroken\n",
            outer: "Fwd: Lamps that are broken",
            want: "Lamps that are broken",
        },
        Case {
            name: "outer subject has no more",
            header: "Subject: Lamps\nHello\n",
            outer: "Fwd: Lamps",
            want: "Lamps",
        },
        Case {
            name: "a label follows",
            header: "Subject: Lamps that are\nbroken\nTo: desk@example.com\n\nHello",
            want: "Lamps that are broken",
            ..usual()
        },
        Case {
            name: "a long line",
            header: "Subject: Lamps that were bought last year in the shop at the corner of\nthe street\n\nHello",
            want: "Lamps that were bought last year in the shop at the corner of the street",
            ..usual()
        },
        Case { name: "a short line", header: "Subject: Lamps\nHello\n", want: "Lamps", ..usual() },
    ] {
        let text = format!("---- Forwarded message ----\nFrom: Alice <alice@example.org>\n{header}");
        assert_eq!(original(&text, outer).unwrap().subject, want, "{name}");
    }
}

#[test]
fn the_outermost_original_counts() {
    let inner =
        "---------- Forwarded message ---------\nFrom: Carol <carol@example.net>\nSubject: Lamps\n\nInner";
    let text = format!(
        "Top\n\n---------- Forwarded message ---------\nFrom: Alice Ask <alice@example.org>\nSubject: Fwd: Lamps\n\nMiddle\n\n{inner}"
    );
    check("nested", &text, "Fwd: Lamps", (ALICE, "Fwd: Lamps", "Top", &format!("Middle\n\n{inner}")));
    let text = format!(
        "> Begin forwarded message:\n>\n> From: Alice Ask <alice@example.org>\n> Subject: Fwd: Lamps\n>\n> {}",
        inner.replace('\n', "\n> ")
    );
    check("nested, nothing between", &text, "Fwd: Lamps", (ALICE, "Fwd: Lamps", "", inner));
}

#[test]
fn what_the_forwarder_wrote_below_is_kept() {
    struct Case<'a> {
        name: &'a str,
        text: String,
        message: &'a str,
        below: &'a str,
    }
    fn usual<'a>() -> Case<'a> {
        Case { name: "", text: String::new(), message: "", below: "" }
    }

    let block = "---------- Forwarded message ----------\nFrom: Alice Ask <alice@example.org>\nSubject: Lamps\n\nIt is dark.\n";
    let quoted = block.replace("\n", "\n> ");
    let quoted = format!("See below.\n\n> {quoted}");
    for Case { name, text, message, below } in [
        Case {
            name: "below a quote",
            text: format!("{quoted}\n\nPlease answer her.\nBob\n"),
            message: "See below.",
            below: "Please answer her.\nBob",
        },
        Case {
            name: "below the end",
            text: format!("{block}----- End forwarded message -----\n\nPlease answer her."),
            below: "Please answer her.",
            ..usual()
        },
        Case {
            name: "below two",
            text: format!("{block}----- End forwarded message -----\n\n{block}"),
            below: block.trim_end(),
            ..usual()
        },
        Case {
            name: "nothing below",
            text: format!("{block}----- End forwarded message -----\n\n"),
            ..usual()
        },
    ] {
        check(name, &text, "Fwd: Lamps", (ALICE, "Lamps", message, "It is dark."));
        assert_eq!(original(&text, "Fwd: Lamps").unwrap().below, below, "{name}");
    }
    // Without a quote and a closing mark there is no telling: it stays with the original.
    let open = format!("{block}\nPlease answer her.\n");
    check("no end", &open, "Fwd: Lamps", (ALICE, "Lamps", "", "It is dark.\n\nPlease answer her."));
    assert_eq!(original(&open, "Fwd: Lamps").unwrap().below, "");
}

#[test]
fn a_long_rule_at_the_end_or_above_a_signature_ends_the_original() {
    let head = "----------  Forwarded Message  ----------\n\nSubject: Lamp\nFrom: Alice <alice@example.org>\nTo: desk@example.com\n\nIt does not light.\n";
    for (rest, body, below) in [
        ("--------------------\n", "It does not light.", ""),
        ("--------------------\n\n-- \nBob\n", "It does not light.", "-- \nBob"),
        ("--------------------\nmore\n", "It does not light.\n--------------------\nmore", ""),
        ("-------------------\n", "It does not light.\n-------------------", ""),
    ] {
        let found = original(&format!("{head}{rest}"), "Fwd: Lamp").unwrap();
        assert_eq!((found.body.as_str(), found.below.as_str()), (body, below), "{rest}");
    }
}

#[test]
fn the_search_ends_at_its_limit() {
    let block = "---------- Forwarded message ----------\nFrom: Alice Ask <alice@example.org>\n\nHi";
    for (octets, is_found) in [(SEARCHED_OCTETS - 1, true), (SEARCHED_OCTETS, false)] {
        let above = "x".repeat(octets - 1);
        assert_eq!(original(&format!("{above}\n{block}"), "").is_some(), is_found, "{octets}");
    }
}

#[test]
fn headers_on_one_line_are_tried_so_often() {
    let header = "From: Alice <alice@example.org> To: desk@example.com Subject: Lamps";
    for (tries, is_found) in [(INLINE_TRIES - 1, true), (INLINE_TRIES, false)] {
        let text = format!("{}{header}\n\nHi", "From: a:b:c\n\n".repeat(tries));
        assert_eq!(
            original(&text, "Fwd: Lamps").is_some_and(|found| !found.to.is_empty()),
            is_found,
            "{tries}"
        );
    }
}

#[test]
fn the_block_begins_at_its_separator() {
    for (text, want) in [
        ("é\n\n___________\nFrom: A <a@example.org>\nTo: b@example.org\nSubject: C\n\nD", "___"),
        ("é\n> Forwarded message:\n> From: A <a@example.org>\n", "> F"),
    ] {
        let found = original(text, "").unwrap();
        assert_eq!((found.message.as_str(), found.at), ("é", text.find(want).unwrap()));
    }
}

#[test]
fn attached_mails_are_originals() {
    let mail = |parts: &str| {
        format!(
            "From: Bob <bob@example.com>\nSubject: Fwd: Lamps\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSee attached.\n{parts}--b--\n"
        )
    };
    let part = "--b\nContent-Type: message/rfc822\n\nFrom: Alice Ask <alice@example.org>\nTo: desk@example.com, c@example.net\nDate: Wed, 27 Oct 2021 15:14:00 +0200\nSubject: Lamps\n\nHello\n";
    let one = mail(part);
    let letter = Letter::parse(one.as_bytes());
    let found = letter.forwarded.clone().unwrap();
    assert_eq!(
        (found.message.as_str(), found.subject.as_str(), found.body.as_str()),
        ("See attached.", "Lamps", "Hello")
    );
    assert_eq!(
        (found.from_line.as_str(), found.to_line.as_str()),
        ("Alice Ask <alice@example.org>", "desk@example.com, c@example.net")
    );
    assert_eq!((found.at, found.date), (letter.text.len(), crate::date::parse("27 Oct 2021 13:14:00 +0000")));
    let two = mail(&part.repeat(2));
    assert_eq!(Letter::parse(two.as_bytes()).forwarded, None);
    let none = mail("");
    assert_eq!(Letter::parse(none.as_bytes()).forwarded, None);
    // What the forwarder had in front of them takes precedence.
    let both = mail(part).replace(
        "See attached.",
        "See below.\n\n---------- Forwarded message ---------\nFrom: Carol <carol@example.net>\n\nHi",
    );
    let found = Letter::parse(both.as_bytes()).forwarded.unwrap();
    assert_eq!((found.from_line.as_str(), found.body.as_str()), ("Carol <carol@example.net>", "Hi"));
    let nameless = mail(part).replace("See attached.", "---------- Forwarded message ---------\n\nHi");
    assert_eq!(Letter::parse(nameless.as_bytes()).forwarded.unwrap().body, "Hello");
    // Reports show the message they report on in the same way.
    let report = one
        .replace("From: Bob <bob@example.com>", "From: mailer-daemon@example.com")
        .replace("Fwd: Lamps", "Undeliverable: Lamps");
    assert_eq!(Letter::parse(report.as_bytes()).forwarded, None);
}

#[test]
fn hostile_texts_are_read() {
    let header = "From: a <a@example.org>\nSubject: s\n";
    for text in [
        ">".repeat(200_000),
        "> ".repeat(100_000) + "From: a",
        header.repeat(10_000),
        "Cc: a,\n".repeat(20_000),
        format!("---- Forwarded message ----\n{header}To: {}\n", "a@example.org, ".repeat(50_000)),
        format!("---- Forwarded message ----\n{header}To: {}\n", "a@example.org,\n".repeat(50_000)),
        format!("---- Forwarded message ----\n{header}To: {}\n", "<".repeat(100_000)),
        "-- Forwarded -- x\n".repeat(10_000),
        "On 1.1.2020 12:00 <a@example.org\n".repeat(10_000),
        ":".repeat(100_000),
        "-----".repeat(50_000),
        format!("From:{}\n", "ABC:DEF:".repeat(30)).repeat(10_000),
    ] {
        if let Some(found) = original(&text, "Fwd: s") {
            assert!(found.to.len() <= MAX_ADDRESSES && found.at <= text.len());
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read(
        text in "(From: |To:|Subject: |Von|Date: |>|> |\n|\n\n|-----|Forwarded message|Original|wrote:|On |1\\.2\\.2020 12:00|<|>|\\[mailto:|a@example\\.org|,|;|\"|\\*|:|：|é|転送|\u{feff}|[a-z ]){0,40}",
        outer in "(Re: |Fwd: |WG: |\\[x\\]|:|s| ){0,4}",
    ) {
        if let Some(found) = original(&text, &outer) {
            prop_assert!(text.is_char_boundary(found.at));
            prop_assert!(found.message.len() <= text.len());
            prop_assert!(found.body.len() <= text.len());
            prop_assert!(!found.from_line.contains('\n') && !found.subject.contains('\n'));
        }
    }

    #[test]
    fn what_stands_above_and_below_is_kept(above in "[a-z]{1,8}( [a-z]{1,8}){0,4}", below in "[a-z]{1,8}(\n[a-z]{1,8}){0,4}", depth in 0_usize..4) {
        let block = format!("---------- Forwarded message ----------\nFrom: Alice Ask <alice@example.org>\nDate: 27 Oct 2021\nSubject: Lamps\nTo: desk@example.com\n\n{below}");
        let marks = "> ".repeat(depth);
        let text = format!("{above}\n\n{marks}{}", block.replace('\n', &format!("\n{marks}")));
        check("kept", &text, "Fwd: Lamps", (ALICE, "Lamps", &above, &below));
    }
}
