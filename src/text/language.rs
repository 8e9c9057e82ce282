//! The language of an article: what it declares, weighed against what its text looks like.
//!
//! In: an article. Out: a code and a confidence in [0, 1]. A text that is too short to tell is never called foreign:
//! it is what it declares, or `und`. Reads a bounded part of the text, whatever its length.

use crate::article::{Article, Field};

/// Least confidence at which detection stands alone: whatlang's own bound for "reliable".
const CONFIDENCE_MIN: f64 = 0.9;

/// Fewest letters of a Latin alphabet from which detection can contradict a declaration: of 3,600 shorter English
/// sentences of news whatlang calls a handful foreign with full confidence, of headlines with names many more.
const LETTERS_MIN: usize = 60;

/// Detection reads this many pieces of this many bytes, spread over the text: a foreign quotation at the start must
/// not decide, and the cost must not grow with the text.
const N_PIECES: usize = 4;
const PIECE_BYTES: usize = 768;

/// Share of words that are English function words from which a text is English: news has 0.2 to 0.4, other languages
/// under 0.05.
const ENGLISH_SHARE_MIN: f64 = 0.12;

/// So many words without English function words are not English, even if it is unclear what they are (Dutch or
/// Afrikaans); the confidence keeps tables of figures and names out.
const FOREIGN_WORDS_MIN: usize = 20;
const FOREIGN_CONFIDENCE_MIN: f64 = 0.3;

/// The language of an article.
#[derive(Debug, Clone, PartialEq)]
pub struct Language {
    /// ISO 639-1 where there is one, else 639-3; `und` when nothing can be said.
    pub code: String,
    pub confidence: f64,
}

impl Language {
    /// Whether the stages, which are made for English, may run; they do in doubt.
    pub fn is_supported(&self) -> bool {
        self.code == "en" || self.code == "und"
    }

    fn new(code: &str, confidence: f64) -> Self {
        Self { code: code.to_owned(), confidence: confidence.clamp(0.0, 1.0) }
    }
}

/// Tells the language of an article's text, or of its headline when there is no text.
pub fn detect(article: &Article) -> Language {
    let declared = article.declared_language.as_deref().and_then(declared_code);
    let text = article.field(Field::Text);
    let text = if text.trim().is_empty() { article.field(Field::Headline) } else { text };
    judge(&sample(text), declared.as_deref())
}

fn judge(text: &str, declared: Option<&str>) -> Language {
    if is_english(text) {
        return Language::new("en", 1.0);
    }
    let Some(detected) = whatlang::detect(text) else {
        return Language::new(declared.unwrap_or("und"), 0.0);
    };
    let code = iso_639_1(detected.lang());
    if declared == Some(code) {
        return Language::new(code, detected.confidence().max(CONFIDENCE_MIN));
    }
    if detected.script() != whatlang::Script::Latin {
        // Not English, however short; which of a script's languages it is, a declaration may know better.
        let is_of_script = |declared: &&str| {
            detected.script().langs().iter().any(|&lang| iso_639_1(lang) == *declared)
        };
        let code = declared.filter(is_of_script).unwrap_or(code);
        return Language::new(code, detected.confidence());
    }
    let n_letters = text.chars().filter(|c| c.is_alphabetic()).count();
    if detected.confidence() >= CONFIDENCE_MIN && n_letters >= LETTERS_MIN {
        return Language::new(code, detected.confidence());
    }
    let is_prose = text.split_whitespace().count() >= FOREIGN_WORDS_MIN
        && detected.confidence() >= FOREIGN_CONFIDENCE_MIN;
    match declared {
        Some("en") | None if is_prose => Language::new(code, detected.confidence()),
        Some(declared) => Language::new(declared, 0.5),
        None => Language::new("und", 0.0),
    }
}

/// Pieces of `text`, cut on character boundaries.
fn sample(text: &str) -> String {
    if text.len() <= N_PIECES * PIECE_BYTES {
        return text.to_owned();
    }
    let stride = text.len() / N_PIECES;
    let pieces = (0..N_PIECES).filter_map(|piece| {
        let start = text.floor_char_boundary(piece * stride);
        text.get(start..text.floor_char_boundary(start + PIECE_BYTES))
    });
    pieces.collect::<Vec<_>>().join("\n")
}

/// Whether enough words are function words that English does not share with its neighbours ("in", "was" and "is" are
/// German or Dutch too). Tells short texts better than letter statistics.
fn is_english(text: &str) -> bool {
    const FUNCTION_WORDS: &[&str] = &[
        "about", "after", "and", "are", "been", "but", "by", "from", "had", "has", "have", "his",
        "into", "it", "its", "more", "not", "of", "said", "she", "that", "the", "their", "they",
        "this", "to", "were", "when", "which", "who", "will", "with", "would",
    ];
    /// Fewer prove nothing: "The Who", "Le Corbusier and Sons".
    const N_FOUND_MIN: usize = 2;
    let words = || text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_function_word =
        |word: &&str| FUNCTION_WORDS.binary_search(&word.to_ascii_lowercase().as_str()).is_ok();
    let n_found = words().filter(is_function_word).count();
    #[expect(clippy::cast_precision_loss, reason = "a sample has a few thousand words")]
    let share = n_found as f64 / words().count().max(1) as f64;
    n_found >= N_FOUND_MIN && share >= ENGLISH_SHARE_MIN
}

/// The primary subtag of a BCP 47 tag, as ISO 639-1 where there is one: `en-GB`, `EN_us` and `eng` are `en`.
fn declared_code(tag: &str) -> Option<String> {
    let primary = tag.trim().split(['-', '_']).next()?.to_ascii_lowercase();
    if !(2..=3).contains(&primary.len()) || !primary.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let language = whatlang::Lang::from_code(primary.as_str());
    match primary.as_str() {
        "und" | "mul" | "zxx" => None,
        "zho" | "chi" => Some("zh".to_owned()),
        "fas" | "per" => Some("fa".to_owned()),
        _ => Some(language.map_or(primary, |language| iso_639_1(language).to_owned())),
    }
}

/// ISO 639-3 and 639-1, sorted: all languages that whatlang knows have two letters.
const CODES: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("ita", "it"),
    ("jav", "jv"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "yi"),
    ("zul", "zu"),
];

fn iso_639_1(language: whatlang::Lang) -> &'static str {
    let code = language.code();
    CODES.binary_search_by_key(&code, |&(long, _)| long).map_or(code, |at| CODES[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, declared: Option<&str>, expected: &str) -> Language {
        let declared = declared.and_then(declared_code);
        let language = judge(&sample(text), declared.as_deref());
        assert_eq!(language.code, expected, "{text:?} ({})", language.confidence);
        assert!((0.0..=1.0).contains(&language.confidence));
        language
    }

    #[test]
    fn sentences_are_told_apart() {
        let cases = [
            (
                "en",
                "The council voted on Tuesday to close the bridge, which has stood since 1932, and to build a new one by the end of the decade.",
            ),
            (
                "de",
                "Der Stadtrat beschloss am Dienstag, die Brücke zu schließen, die seit 1932 über den Fluss führt, und bis zum Ende des Jahrzehnts eine neue zu bauen.",
            ),
            (
                "fr",
                "Le conseil municipal a décidé mardi de fermer le pont, qui traverse le fleuve depuis 1932, et d’en construire un nouveau avant la fin de la décennie.",
            ),
            (
                "es",
                "El ayuntamiento decidió el martes cerrar el puente, que cruza el río desde 1932, y construir uno nuevo antes de que termine la década.",
            ),
            (
                "it",
                "Il consiglio comunale ha deciso martedì di chiudere il ponte, che attraversa il fiume dal 1932, e di costruirne uno nuovo entro la fine del decennio.",
            ),
            (
                "pt",
                "A câmara municipal decidiu na terça-feira fechar a ponte, que atravessa o rio desde 1932, e construir uma nova até ao fim da década.",
            ),
            (
                "nl",
                "De gemeenteraad heeft dinsdag besloten de brug, die er sinds 1932 ligt, te sluiten en vóór het einde van het decennium een nieuwe te laten bouwen, zei de burgemeester.",
            ),
            (
                "pl",
                "Rada miasta postanowiła we wtorek zamknąć most, który od 1932 roku łączy brzegi rzeki, i zbudować nowy przed końcem dekady.",
            ),
            (
                "ru",
                "Городской совет решил во вторник закрыть мост, который стоит с 1932 года, и построить новый до конца десятилетия.",
            ),
            (
                "uk",
                "Міська рада вирішила у вівторок закрити міст, який стоїть з 1932 року, і збудувати новий до кінця десятиліття.",
            ),
            ("ar", "قرر مجلس المدينة يوم الثلاثاء إغلاق الجسر القديم وبناء جسر جديد قبل نهاية العقد"),
            ("he", "מועצת העיר החליטה ביום שלישי לסגור את הגשר הישן ולבנות גשר חדש עד סוף העשור"),
            ("zh", "市议会星期二决定关闭这座旧桥，并在十年内建造一座新桥。"),
            ("ja", "市議会は火曜日、古い橋を閉鎖し、新しい橋を建設することを決めました。"),
            ("ko", "시의회는 화요일에 오래된 다리를 폐쇄하고 새 다리를 건설하기로 결정했다."),
            ("el", "Το δημοτικό συμβούλιο αποφάσισε την Τρίτη να κλείσει τη γέφυρα."),
            ("hi", "नगर परिषद ने मंगलवार को पुराने पुल को बंद करने का फैसला किया।"),
            ("th", "สภาเมืองตัดสินใจเมื่อวันอังคารที่จะปิดสะพานเก่า"),
        ];
        for (code, text) in cases {
            let language = check(text, None, code);
            assert_eq!(language.is_supported(), code == "en", "{code}");
            check(text, Some(code), code);
            // A wrong declaration does not stand against a whole sentence.
            check(text, Some(if code == "en" { "de" } else { "en-US" }), code);
        }
    }

    #[test]
    fn short_texts_are_what_they_declare() {
        for headline in ["Trump: No deal", "Fed holds rates", "Obama 51, Romney 48", "A", "12", ""]
        {
            assert!(check(headline, Some("en-GB"), "en").is_supported());
            assert!(check(headline, None, "und").is_supported());
            check(headline, Some("deu"), "de");
        }
        check("Срочно", Some("ru"), "ru");
        assert!(!judge("Срочно", Some("en")).is_supported());
    }

    #[test]
    fn the_majority_decides_mixed_texts() {
        let english =
            "The minister said that she would not resign and that the vote had been fair. ";
        let hebrew = "מועצת העיר החליטה ביום שלישי לסגור את הגשר הישן. ";
        check(&format!("{hebrew}{}", english.repeat(40)), None, "en");
        check(&format!("{english}{}", hebrew.repeat(40)), None, "he");
        check(&format!("\u{202b}{hebrew}\u{202c} 👍 {hebrew}"), Some("en"), "he");
    }

    #[test]
    fn a_bounded_part_of_the_text_is_read() {
        let text = "שלום ".repeat(200_000);
        assert!(sample(&text).len() <= N_PIECES * (PIECE_BYTES + 1));
    }

    #[test]
    fn declarations_are_read_as_tags() {
        let cases = [
            ("en-GB", Some("en")),
            ("EN_us", Some("en")),
            ("eng", Some("en")),
            ("zh-Hans-CN", Some("zh")),
            ("haw", Some("haw")),
            ("und", None),
            ("English", None),
            ("", None),
        ];
        for (tag, expected) in cases {
            assert_eq!(declared_code(tag).as_deref(), expected, "{tag}");
        }
    }

    #[test]
    fn every_language_has_its_own_two_letters() {
        let mut codes: Vec<&str> =
            whatlang::Lang::all().iter().map(|&lang| iso_639_1(lang)).collect();
        assert!(codes.iter().all(|code| code.len() == 2));
        codes.sort_unstable();
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
