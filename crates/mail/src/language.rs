//! The language of a message: detected from its text, or as requested by the sender's program
//! (`Accept-Language`, RFC 3282).
//!
//! Only a confident answer counts: a wrong language is worse for the reader than the help desk's default.
//! What to do with the answer is up to the caller.

use crate::text::cut_octets;
use whatlang::{Detector, Lang};

/// How many octets of a text are examined; more would not change the answer.
pub const SAMPLE_OCTETS: usize = 1_000;

/// How many letters a text needs if a letter is a sound; fewer prove nothing.
const LEAST_LETTERS: usize = 30;

/// The same if a character is a word or a syllable.
const LEAST_IDEOGRAPHS: usize = 6;

/// How many languages of an Accept-Language field are considered.
const MAX_RANGES: usize = 100;

/// The longest language tag (RFC 5646 §4.4.1).
const TAG_OCTETS: usize = 35;

/// The languages distinguished, with their BCP 47 tags. Fewer candidates make the answers more reliable.
#[rustfmt::skip]
const LANGUAGES: &[(Lang, &str)] = &[
    (Lang::Eng, "en"), (Lang::Deu, "de"), (Lang::Fra, "fr"), (Lang::Spa, "es"), (Lang::Por, "pt"), (Lang::Ita, "it"), (Lang::Nld, "nl"),
    (Lang::Swe, "sv"), (Lang::Dan, "da"), (Lang::Nob, "nb"), (Lang::Fin, "fi"), (Lang::Pol, "pl"), (Lang::Ces, "cs"), (Lang::Slk, "sk"),
    (Lang::Slv, "sl"), (Lang::Hrv, "hr"), (Lang::Srp, "sr"), (Lang::Hun, "hu"), (Lang::Ron, "ro"), (Lang::Bul, "bg"), (Lang::Rus, "ru"),
    (Lang::Ukr, "uk"), (Lang::Bel, "be"), (Lang::Mkd, "mk"), (Lang::Ell, "el"), (Lang::Tur, "tr"), (Lang::Est, "et"), (Lang::Lav, "lv"),
    (Lang::Lit, "lt"), (Lang::Cat, "ca"), (Lang::Heb, "he"), (Lang::Ara, "ar"), (Lang::Pes, "fa"), (Lang::Urd, "ur"), (Lang::Hin, "hi"),
    (Lang::Ben, "bn"), (Lang::Tam, "ta"), (Lang::Tha, "th"), (Lang::Vie, "vi"), (Lang::Ind, "id"), (Lang::Cmn, "zh"), (Lang::Jpn, "ja"),
    (Lang::Kor, "ko"), (Lang::Kat, "ka"), (Lang::Hye, "hy"),
];

/// Letters that few languages have. One in a hundred is more than foreign names bring into a text, and
/// distinguishes neighbours that share their trigrams.
const TELLING: &[(&str, &[Lang])] = &[
    ("ў", &[Lang::Bel]),
    ("їєґ", &[Lang::Ukr]),
    ("ыэё", &[Lang::Rus, Lang::Bel]),
    ("ьыэё", &[Lang::Rus, Lang::Bel, Lang::Ukr]),
    ("ђћ", &[Lang::Srp]),
    ("ѓќѕ", &[Lang::Mkd]),
    ("ٹڈے", &[Lang::Urd]),
    ("پچژگیک", &[Lang::Pes, Lang::Urd]),
    ("ةيكأإ", &[Lang::Ara]),
    ("ơưạảấầệ", &[Lang::Vie]),
    ("őű", &[Lang::Hun]),
    ("ğı", &[Lang::Tur]),
    ("țșţ", &[Lang::Ron]),
    ("ěřů", &[Lang::Ces]),
    ("ľŕĺ", &[Lang::Slk]),
    ("łżź", &[Lang::Pol]),
    ("ėų", &[Lang::Lit]),
    ("ģķļņ", &[Lang::Lav]),
    ("øæ", &[Lang::Dan, Lang::Nob]),
    ("ß", &[Lang::Deu]),
    ("ñ¿¡", &[Lang::Spa]),
];

/// Letters so common in some languages that no longer text lacks them: they distinguish Cyrillic neighbours.
const COMMON: &[(&str, &[Lang])] = &[("іІ", &[Lang::Ukr, Lang::Bel]), ("јљњЈ", &[Lang::Srp, Lang::Mkd])];

/// How many letters make a text long enough for that.
const ENOUGH_LETTERS: usize = 60;

/// The language of a text as a BCP 47 tag such as `fr`; `None` unless it is clear.
///
/// Quoted lines and web and mail addresses are skipped; at most [`SAMPLE_OCTETS`] of the rest are examined.
/// Pass only what the sender wrote: a signature or disclaimer in another language is text like any other.
#[must_use]
pub fn detect(text: &str) -> Option<&'static str> {
    let sample = sample(text);
    let letters = sample.chars().filter(|c| c.is_alphabetic()).count();
    let ideographs = sample.chars().filter(|c| is_ideograph(*c)).count();
    if letters < LEAST_LETTERS && ideographs < LEAST_IDEOGRAPHS {
        return None;
    }
    let detector = Detector::with_allowlist(candidates(&sample, letters));
    let found = detector.detect(&sample).filter(whatlang::Info::is_reliable)?;
    LANGUAGES.iter().find(|(language, _)| *language == found.lang()).map(|(_, tag)| *tag)
}

/// The languages a text may be in: those whose telling letters it is full of, minus those whose common
/// letters it lacks.
fn candidates(sample: &str, letters: usize) -> Vec<Lang> {
    let least = (letters / 100).max(2);
    let is_full_of =
        |telling: &str| sample.chars().filter(|c| telling.contains(*c)).take(least).count() == least;
    let all: Vec<Lang> = LANGUAGES.iter().map(|(language, _)| *language).collect();
    let mut candidates = TELLING
        .iter()
        .find(|(telling, _)| is_full_of(telling))
        .map_or(all, |(_, languages)| languages.to_vec());
    for (common, languages) in COMMON {
        if letters >= ENOUGH_LETTERS && !sample.chars().any(|c| common.contains(c)) {
            candidates.retain(|language| !languages.contains(language));
        }
    }
    candidates
}

/// The words of a text that somebody actually wrote, up to the limit.
fn sample(text: &str) -> String {
    let mut sample = String::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('>')) {
        // A line without spaces may be as long as the message.
        let near = cut_octets(line, SAMPLE_OCTETS);
        for word in near.split_whitespace().filter(|word| !word.contains('@') && !word.contains("://")) {
            sample.push_str(word);
            sample.push(' ');
        }
        if sample.len() >= SAMPLE_OCTETS {
            break;
        }
    }
    let length = cut_octets(&sample, SAMPLE_OCTETS).len();
    sample.truncate(length);
    sample
}

/// Han, kana, and Hangul syllables.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{323af}')
}

/// The languages that an Accept-Language field asks for, as BCP 47 tags in their usual case, such as `de`,
/// `pt-BR` and `zh-Hant-TW`.
///
/// The highest `q` comes first, and equals in the order written (RFC 3282 §3, RFC 9110 §12.5.4); `*`, invalid
/// tags and unwanted languages (`q=0`) are skipped.
#[must_use]
pub fn from_accept_language(value: &str) -> Vec<String> {
    let mut wanted: Vec<(u32, String)> = Vec::new();
    for range in value.split(',').take(MAX_RANGES) {
        let mut pieces = range.split(';');
        let Some(tag) = pieces.next().and_then(|tag| tag_of(without_comment(tag))) else { continue };
        let weight = pieces.find_map(weight_of).unwrap_or(1_000);
        if weight > 0 && wanted.iter().all(|(_, known)| *known != tag) {
            wanted.push((weight, tag));
        }
    }
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wanted.into_iter().map(|(_, tag)| tag).collect()
}

/// RFC 3282 §3 allows a comment in parentheses after a tag.
fn without_comment(text: &str) -> &str {
    text.split('(').next().unwrap_or_default().trim()
}

/// `q=0.8` in thousandths; `None` for other parameters, 0 for invalid weights.
fn weight_of(parameter: &str) -> Option<u32> {
    let (name, value) = without_comment(parameter).split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let is_number = !whole.is_empty() && whole.len() <= 3 && fraction.len() <= 9;
    let thousandths = format!("{:0<3}", cut_octets(fraction, 3));
    let (Ok(whole), Ok(thousandths), true) = (whole.parse::<u32>(), thousandths.parse::<u32>(), is_number)
    else {
        return Some(0);
    };
    Some(whole.saturating_mul(1_000).saturating_add(thousandths).min(1_000))
}

/// A tag in the case of RFC 5646 §2.1.1: language lower-case, script capitalised, region upper-case.
fn tag_of(text: &str) -> Option<String> {
    let is_subtag =
        |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|c| c.is_ascii_alphanumeric());
    let language = text.split(['-', '_']).next()?;
    let is_language = (2..=3).contains(&language.len()) && language.bytes().all(|c| c.is_ascii_alphabetic());
    if !is_language || text.len() > TAG_OCTETS || !text.split(['-', '_']).all(is_subtag) {
        return None;
    }
    let mut tag = language.to_ascii_lowercase();
    for subtag in text.split(['-', '_']).skip(1) {
        tag.push('-');
        match subtag.len() {
            2 => tag.push_str(&subtag.to_ascii_uppercase()),
            4 if subtag.bytes().all(|c| c.is_ascii_alphabetic()) => {
                tag.push_str(&subtag.get(..1).unwrap_or_default().to_ascii_uppercase());
                tag.push_str(&subtag.get(1..).unwrap_or_default().to_ascii_lowercase());
            }
            _ => tag.push_str(&subtag.to_ascii_lowercase()),
        }
    }
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn languages_are_told_apart() {
        for (want, text) in [
            (
                "en",
                "Hello, the lamp that I bought in your shop last week does not work any more. Could you please send me another one?",
            ),
            (
                "de",
                "Guten Tag, die Lampe, die ich letzte Woche bei Ihnen gekauft habe, funktioniert nicht mehr. Können Sie mir bitte eine neue schicken?",
            ),
            (
                "fr",
                "Bonjour, la lampe que j'ai achetée chez vous la semaine dernière ne fonctionne plus. Pourriez-vous m'en envoyer une autre ?",
            ),
            (
                "es",
                "Buenos días, la lámpara que compré la semana pasada en su tienda ya no funciona. ¿Podrían enviarme otra, por favor?",
            ),
            (
                "pt",
                "Bom dia, o candeeiro que comprei na vossa loja na semana passada já não funciona. Podem enviar-me outro, por favor?",
            ),
            (
                "it",
                "Buongiorno, la lampada che ho comprato la settimana scorsa nel vostro negozio non funziona più. Potreste mandarmene un'altra?",
            ),
            (
                "nl",
                "Goedendag, de lamp die ik vorige week in uw winkel heb gekocht, werkt niet meer. Kunt u mij alstublieft een andere sturen?",
            ),
            (
                "sv",
                "Hej, lampan som jag köpte i er butik förra veckan fungerar inte längre. Kan ni vara snälla och skicka en ny till mig?",
            ),
            (
                "fi",
                "Hyvää päivää, viime viikolla kaupastanne ostamani lamppu ei enää toimi. Voisitteko ystävällisesti lähettää minulle uuden?",
            ),
            (
                "pl",
                "Dzień dobry, lampa, którą kupiłem w zeszłym tygodniu w Państwa sklepie, przestała działać. Czy mogliby Państwo przysłać mi inną?",
            ),
            (
                "cs",
                "Dobrý den, lampa, kterou jsem minulý týden koupil ve vašem obchodě, už nefunguje. Mohli byste mi prosím poslat jinou?",
            ),
            (
                "hu",
                "Jó napot kívánok, a múlt héten az üzletükben vásárolt lámpa már nem működik. Kérem, küldjenek nekem egy másikat.",
            ),
            (
                "ro",
                "Bună ziua, lampa pe care am cumpărat-o săptămâna trecută din magazinul dumneavoastră nu mai funcționează. Îmi puteți trimite alta?",
            ),
            (
                "ru",
                "Здравствуйте, лампа, которую я купил в вашем магазине на прошлой неделе, больше не работает. Когда вы сможете прислать мне другую?",
            ),
            (
                "uk",
                "Добрий день, лампа, яку я купив у вашому магазині минулого тижня, більше не працює. Надішліть мені, будь ласка, іншу.",
            ),
            (
                "bg",
                "Добър ден, лампата, която купих от вашия магазин миналата седмица, вече не работи. Бихте ли ми изпратили друга?",
            ),
            (
                "el",
                "Καλημέρα σας, η λάμπα που αγόρασα την περασμένη εβδομάδα από το κατάστημά σας δεν λειτουργεί πια.",
            ),
            (
                "tr",
                "Merhaba, geçen hafta mağazanızdan aldığım lamba artık çalışmıyor. Lütfen bana yeni bir tane gönderebilir misiniz?",
            ),
            ("he", "שלום, המנורה שקניתי בחנות שלכם בשבוע שעבר כבר לא עובדת. האם תוכלו בבקשה לשלוח לי אחרת?"),
            (
                "ar",
                "مرحبا، المصباح الذي اشتريته من متجركم الأسبوع الماضي لم يعد يعمل. هل يمكنكم إرسال مصباح آخر لي من فضلكم؟",
            ),
            (
                "fa",
                "سلام، چراغی که هفته گذشته از فروشگاه شما خریدم دیگر کار نمی‌کند. لطفاً یک چراغ دیگر برای من بفرستید.",
            ),
            ("hi", "नमस्ते, पिछले सप्ताह आपकी दुकान से खरीदा हुआ लैंप अब काम नहीं कर रहा है। कृपया मुझे दूसरा भेज दीजिए।"),
            ("th", "สวัสดีครับ โคมไฟที่ผมซื้อจากร้านของคุณเมื่อสัปดาห์ที่แล้วใช้งานไม่ได้แล้ว"),
            (
                "vi",
                "Xin chào, chiếc đèn tôi mua ở cửa hàng của bạn tuần trước không còn hoạt động nữa. Bạn có thể gửi cho tôi cái khác không?",
            ),
            (
                "id",
                "Selamat siang, lampu yang saya beli di toko Anda minggu lalu sudah tidak berfungsi lagi. Bisakah Anda mengirimkan yang lain kepada saya?",
            ),
            ("zh", "您好，我上周在贵店购买的灯已经不亮了，请再寄一个给我。"),
            ("ja", "こんにちは。先週そちらのお店で買ったランプがつかなくなりました。"),
            ("ko", "안녕하세요, 지난주에 구입한 램프가 더 이상 작동하지 않습니다."),
        ] {
            assert_eq!(detect(text), Some(want), "{text}");
        }
    }

    #[test]
    fn what_is_not_clear_has_no_language() {
        for text in [
            "",
            "OK",
            "Danke!",
            "12345 67890 --- +49 30 1234567",
            "https://example.org/this/is/a/long/path/of/english/words/in/an/address",
            "Lamp X-200, SKU 4711-B, LED, 230 V",
        ] {
            assert_eq!(detect(text), None, "{text}");
        }
    }

    #[test]
    fn quotes_do_not_count() {
        let quote = "> The lamp that I bought in your shop last week does not work any more.\n".repeat(10);
        let text =
            format!("Guten Tag, vielen Dank für die schnelle Antwort, das hat mir sehr geholfen.\n\n{quote}");
        assert_eq!(detect(&text), Some("de"));
    }

    #[test]
    fn only_the_beginning_is_looked_at() {
        let german =
            "Guten Tag, die Lampe funktioniert leider nicht mehr, bitte schicken Sie eine neue. ".repeat(30);
        assert!(german.len() > SAMPLE_OCTETS);
        assert_eq!(
            detect(&format!("{german}{}", "The rest is written in English. ".repeat(10_000))),
            Some("de")
        );
        assert_eq!(sample(&"ab ".repeat(SAMPLE_OCTETS)).len(), SAMPLE_OCTETS);
    }

    #[test]
    fn accept_language_is_read() {
        for (value, want) in [
            ("de", vec!["de"]),
            ("de-DE", vec!["de-DE"]),
            ("en-us, de;q=0.7", vec!["en-US", "de"]),
            ("en;q=0.5, fr-CA;q=0.8, de;q=0.8", vec!["fr-CA", "de", "en"]),
            ("de;q=0, en;q=0.001", vec!["en"]),
            ("*, pt_br;q=0.3", vec!["pt-BR"]),
            ("zh-hant-tw", vec!["zh-Hant-TW"]),
            ("sl-rozaj", vec!["sl-rozaj"]),
            ("de (Deutsch), en (English), de", vec!["de", "en"]),
            ("de ; q = 0.2 , EN ; q = 1.000", vec!["en", "de"]),
            ("en;q=x, de;q=0.1", vec!["de"]),
            ("", vec![]),
            ("*", vec![]),
            ("de;q=0", vec![]),
            ("english, 12, a", vec![]),
            ("de-toolongsubtag", vec![]),
        ] {
            assert_eq!(from_accept_language(value), want, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_looked_at(text in "(a|the|> |\n|é|日本|ก|ש|:|//|@| |[a-z]{1,9}){0,80}", value in "([a-zA-Z]{1,9}|-|_|;|,|q=|0\\.5|\\*|\\(| |é){0,20}") {
            if let Some(tag) = detect(&text) {
                prop_assert!(LANGUAGES.iter().any(|(_, known)| *known == tag));
            }
            for tag in from_accept_language(&value) {
                prop_assert_eq!(tag_of(&tag), Some(tag));
            }
        }
    }
}
