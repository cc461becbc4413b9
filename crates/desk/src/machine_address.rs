//! Addresses that no person writes from: no-reply senders and the mail system itself
//! (docs/behaviour/senders.md §3).
//!
//! Recognised only by the local part, whole words at a time, so that `casino-reply@` is nobody's no-reply
//! address.

use crate::str_enum::str_enum;

str_enum! {
    /// What kind of machine a local part names.
    pub enum Machine {
        /// Answers to it are not read: `noreply@`, `do-not-reply@`.
        NoReply = "no_reply",
        /// The mail system: `mailer-daemon@`, `postmaster@`.
        System = "system",
    }
}

/// The longest no-reply name in octets, separators taken out; Cyrillic letters have two.
const NAME_OCTETS: usize = 28;

/// The shortest.
const NAME_OCTETS_MIN: usize = 6;

/// No-reply names in the languages that machines sign with, without separators and accents. Words may come
/// before and after them, as in `shop-noreply@` and `noreply-orders@`.
#[rustfmt::skip]
const NO_REPLY: &[&[&str]] = &[
    // English.
    &["noreply", "noreplies", "nonreply", "neverreply", "donotreply", "dontreply", "doesnotreply", "cannotreply", "donotanswer",
      "donotrespond", "dontrespond", "noanswer", "noresponse", "unmonitored", "notmonitored"],
    // German, Dutch.
    &["keineantwort", "keinereply", "keineantworten", "nichtantworten", "nichtbeantworten", "nichtbeantwortbar", "antwortenichtmoeglich",
      "geenantwoord", "geenreactie", "geenreply", "nietantwoorden", "nietbeantwoorden", "nietreageren"],
    // French, Italian, Romanian.
    &["nepasrepondre", "nerepondezpas", "nerepondrepas", "nonrepondre", "pasdereponse", "sansreponse", "nonrispondere",
      "nonrispondete", "nonrispondi", "norisposta", "norispondere", "senzarisposta", "nuraspunde", "nuraspundeti", "fararaspuns"],
    // Spanish, Catalan, Portuguese.
    &["noresponder", "noresponda", "norespondas", "noresponde", "norespuesta", "sinrespuesta", "nocontestar", "noconteste",
      "norespondre", "noresponeu", "senseresposta", "naoresponda", "naoresponde", "naoresponder", "naorespondas", "semresposta"],
    // Swedish, Danish, Norwegian, Finnish.
    &["svarainte", "svaraej", "ejsvar", "ingetsvar", "kanejbesvaras", "svarikke", "ikkesvar", "ikkesvare", "ingensvar", "intetsvar",
      "kanikkebesvares", "alavastaa", "eivastata", "eivastausta", "eivastauksia"],
    // Polish, Czech, Slovak, Slovenian, Croatian, Serbian.
    &["nieodpowiadac", "nieodpowiadaj", "nieodpisuj", "bezodpowiedzi", "neodpovidat", "neodpovidejte", "neodpovedat",
      "neodpovedajte", "bezodpovedi", "neodgovarjaj", "neodgovarjajte", "neodgovaraj", "neodgovarajte", "neodgovarati"],
    // Hungarian, Estonian, Latvian, Lithuanian.
    &["nevalaszolj", "nevalaszoljon", "nevalaszoljatok", "aravasta", "argevastake", "neatbildet", "neatsakyti", "neatsakykite"],
    // Russian, Ukrainian, Bulgarian, Greek; in Latin letters and in their own.
    &["neotvechai", "neotvechaite", "neotvechat", "neotvechay", "neotvechayte", "nevidpovidaty", "nevidpovidajte", "neotgovaryai",
      "neotgovaryaite", "minapantate", "minapantisete", "miapantate"],
    &["неотвечать", "неотвечайте", "невідповідати", "невідповідайте", "неотговаряйте"],
    // Turkish, Indonesian, Malay, Vietnamese.
    &["cevaplamayin", "cevaplamayiniz", "cevapvermeyin", "cevapvermeyiniz", "yanitlamayin", "yanitlamayiniz", "yanitvermeyin",
      "janganbalas", "jangandibalas", "tidakdibalas", "tanpabalasan", "khongtraloi", "khongphanhoi"],
    // Chinese, Japanese, Korean.
    &["请勿回复", "請勿回覆", "返信不可", "返信不要", "회신불가", "발신전용"],
];

/// The mail system's own names, without separators: apart from digits, they are the whole local part.
#[rustfmt::skip]
const SYSTEM: &[&str] = &[
    "bounce", "bounces", "doublebounce", "maildaemon", "maildeliverysubsystem", "maildeliverysystem", "mailerdaemon", "mdaemon",
    "postmaster",
];

impl Machine {
    /// The machine a local part names (RFC 5321 §4.5.1, RFC 2142 §5, and long custom); any case, with or
    /// without `+detail`.
    ///
    /// Users of a system that send mail for people, such as `root@` and `www-data@`, are not machines here.
    #[must_use]
    pub fn of_local(local: &str) -> Option<Machine> {
        let own = local.split('+').next().unwrap_or_default();
        let letters: String = own.to_lowercase().chars().filter_map(plain_letter).collect();
        let words: Vec<&str> = letters.split_whitespace().collect();
        if SYSTEM.contains(&words.concat().as_str()) {
            return Some(Machine::System);
        }
        let is_no_reply = (0..words.len()).any(|first| begins_no_reply(words.iter().skip(first)));
        is_no_reply.then_some(Machine::NoReply)
    }
}

/// Whether the words, joined one after the other, give a no-reply name.
fn begins_no_reply<'a>(words: impl Iterator<Item = &'a &'a str>) -> bool {
    let mut joined = String::with_capacity(NAME_OCTETS);
    for word in words {
        if joined.len().saturating_add(word.len()) > NAME_OCTETS {
            return false;
        }
        joined.push_str(word);
        if joined.len() >= NAME_OCTETS_MIN && NO_REPLY.iter().any(|names| names.contains(&joined.as_str())) {
            return true;
        }
    }
    false
}

/// A letter without its accent, a space for what separates words (digits too), nothing for a combining
/// accent.
fn plain_letter(c: char) -> Option<char> {
    Some(match c {
        '\u{300}'..='\u{36F}' => return None,
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ī' | 'ı' => 'i',
        'ñ' | 'ń' => 'n',
        'ò'..='ö' | 'ø' | 'ő' => 'o',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ţ' | 'ț' => 't',
        'ù'..='ü' | 'ű' | 'ū' => 'u',
        'ý' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        c if !c.is_alphabetic() => ' ',
        c => c,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn local_parts_of_machines_and_people() {
        let no_reply = Some(Machine::NoReply);
        let system = Some(Machine::System);
        for (local, want) in [
            ("noreply", no_reply),
            ("No-Reply", no_reply),
            ("no_reply", no_reply),
            ("no.reply", no_reply),
            ("noreply2", no_reply),
            ("noreply+token", no_reply),
            ("noreply-orders", no_reply),
            ("shop.noreply", no_reply),
            ("orders-no-reply-eu", no_reply),
            ("do-not-reply", no_reply),
            ("please_do_not_reply_to_this", no_reply),
            ("dont-reply", no_reply),
            ("ne-pas-repondre", no_reply),
            ("ne-pas-répondre", no_reply),
            ("ne_pas_re\u{301}pondre", no_reply),
            ("bitte-nicht-antworten", no_reply),
            ("keine-antwort", no_reply),
            ("no-responder", no_reply),
            ("non-rispondere", no_reply),
            ("não-responda", no_reply),
            ("niet-beantwoorden", no_reply),
            ("svara-inte", no_reply),
            ("svar-ikke", no_reply),
            ("ei-vastausta", no_reply),
            ("nie-odpowiadać", no_reply),
            ("neodpovídejte", no_reply),
            ("ne-valaszoljon", no_reply),
            ("nu-răspundeți", no_reply),
            ("ne-otvechaite", no_reply),
            ("не-отвечайте", no_reply),
            ("yanıtlamayınız", no_reply),
            ("khong-tra-loi", no_reply),
            ("返信不可", no_reply),
            ("MAILER-DAEMON", system),
            ("mailer_daemon", system),
            ("postmaster", system),
            ("postmaster2", system),
            ("bounce-12345", system),
            ("bounces+12=ada", system),
            ("Mail-Delivery-System", system),
            ("ada.byron", None),
            ("support", None),
            ("reply", None),
            ("casino-reply", None),
            ("marino.reply", None),
            ("ada+noreply", None),
            ("postmasters", None),
            ("bounce.house", None),
            ("svara", None),
            ("root", None),
            ("www-data", None),
            ("", None),
            ("\"no reply\"", no_reply),
        ] {
            assert_eq!(Machine::of_local(local), want, "{local}");
        }
    }

    #[test]
    fn every_name_of_the_tables_is_found() {
        for name in NO_REPLY.iter().copied().flatten() {
            assert!(
                (NAME_OCTETS_MIN..=NAME_OCTETS).contains(&name.len()),
                "{name} has {} octets",
                name.len()
            );
            assert_eq!(Machine::of_local(&format!("shop-{name}.7")), Some(Machine::NoReply), "{name}");
        }
        for name in SYSTEM {
            assert_eq!(Machine::of_local(&name.to_uppercase()), Some(Machine::System), "{name}");
        }
    }

    proptest! {
        #[test]
        fn separators_case_and_digits_do_not_matter(first in "[-._0-9]{0,3}", between in "[-._0-9]{1,3}", last in "[-._0-9]{0,3}") {
            let local = format!("{first}Do{between}NOT{between}reply{last}");
            prop_assert_eq!(Machine::of_local(&local), Some(Machine::NoReply));
        }

        #[test]
        fn a_word_around_it_hides_it(word in "[b-df-hj-np-tv-z]{1,5}") {
            prop_assert_eq!(Machine::of_local(&format!("{word}noreply")), None);
            prop_assert_eq!(Machine::of_local(&format!("noreply{word}")), None);
        }
    }
}
