//! What each language is written in.

use std::ops::RangeInclusive;

use unicode_script::Script;
use unicode_script::Script::{
    Arabic, Armenian, Bengali, Bopomofo, Cyrillic, Devanagari, Ethiopic, Georgian, Greek, Gujarati, Gurmukhi, Han,
    Hangul, Hebrew, Hiragana, Kannada, Katakana, Khmer, Lao, Latin, Malayalam, Myanmar, Oriya, Sinhala, Tamil, Telugu,
    Thai, Tibetan,
};

/// A language.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// Its code in ISO 639-1.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Whoever reads it knows letters of one of these scripts.
    pub(super) needs: &'static [Script],
    /// Scripts that occur as well.
    also: &'static [Script],
}

impl Language {
    pub(super) fn has(&self, script: Script) -> bool {
        self.needs.contains(&script) || self.also.contains(&script)
    }

    /// Whether it is written with [`MARKS`].
    pub(super) fn has_marks(&self) -> bool {
        self.has(Han) || self.has(Hangul)
    }
}

/// Blocks with punctuation, marks and forms of Chinese, Japanese and Korean. Of these, Unicode tells the marks that
/// belong to one of their scripts only.
pub(super) const MARKS: &[RangeInclusive<char>] = &[
    // From radicals over punctuation and the marks of the kana to squared units.
    '\u{2e80}'..='\u{33ff}',
    // Vertical forms, then vertical and small ones.
    '\u{fe10}'..='\u{fe1f}',
    '\u{fe30}'..='\u{fe6f}',
    // Wide and narrow forms.
    '\u{ff00}'..='\u{ffef}',
];

const fn one(code: &'static str, name: &'static str, needs: &'static [Script]) -> Language {
    Language { code, name, needs, also: &[] }
}

/// Sorted by code.
pub(super) const LANGUAGES: &[Language] = &[
    one("af", "Afrikaans", &[Latin]),
    one("am", "Amharic", &[Ethiopic]),
    one("ar", "Arabic", &[Arabic]),
    one("as", "Assamese", &[Bengali]),
    one("az", "Azerbaijani", &[Latin]),
    one("be", "Belarusian", &[Cyrillic]),
    one("bg", "Bulgarian", &[Cyrillic]),
    one("bn", "Bengali", &[Bengali]),
    one("bo", "Tibetan", &[Tibetan]),
    one("br", "Breton", &[Latin]),
    one("bs", "Bosnian", &[Latin]),
    one("ca", "Catalan", &[Latin]),
    one("cs", "Czech", &[Latin]),
    one("cy", "Welsh", &[Latin]),
    one("da", "Danish", &[Latin]),
    one("de", "German", &[Latin]),
    one("el", "Greek", &[Greek]),
    one("en", "English", &[Latin]),
    one("eo", "Esperanto", &[Latin]),
    one("es", "Spanish", &[Latin]),
    one("et", "Estonian", &[Latin]),
    one("eu", "Basque", &[Latin]),
    one("fa", "Persian", &[Arabic]),
    one("fi", "Finnish", &[Latin]),
    one("fo", "Faroese", &[Latin]),
    one("fr", "French", &[Latin]),
    one("fy", "Western Frisian", &[Latin]),
    one("ga", "Irish", &[Latin]),
    one("gd", "Scottish Gaelic", &[Latin]),
    one("gl", "Galician", &[Latin]),
    one("gu", "Gujarati", &[Gujarati]),
    one("ha", "Hausa", &[Latin]),
    one("he", "Hebrew", &[Hebrew]),
    one("hi", "Hindi", &[Devanagari]),
    one("hr", "Croatian", &[Latin]),
    one("ht", "Haitian Creole", &[Latin]),
    one("hu", "Hungarian", &[Latin]),
    one("hy", "Armenian", &[Armenian]),
    one("id", "Indonesian", &[Latin]),
    one("ig", "Igbo", &[Latin]),
    one("is", "Icelandic", &[Latin]),
    one("it", "Italian", &[Latin]),
    Language { code: "ja", name: "Japanese", needs: &[Hiragana], also: &[Katakana, Han] },
    one("jv", "Javanese", &[Latin]),
    one("ka", "Georgian", &[Georgian]),
    one("kk", "Kazakh", &[Cyrillic]),
    one("km", "Khmer", &[Khmer]),
    one("kn", "Kannada", &[Kannada]),
    Language { code: "ko", name: "Korean", needs: &[Hangul], also: &[Han] },
    one("ku", "Kurdish", &[Latin, Arabic]),
    one("ky", "Kyrgyz", &[Cyrillic]),
    one("la", "Latin", &[Latin]),
    one("lb", "Luxembourgish", &[Latin]),
    one("lo", "Lao", &[Lao]),
    one("lt", "Lithuanian", &[Latin]),
    one("lv", "Latvian", &[Latin]),
    one("mg", "Malagasy", &[Latin]),
    one("mi", "Maori", &[Latin]),
    one("mk", "Macedonian", &[Cyrillic]),
    one("ml", "Malayalam", &[Malayalam]),
    one("mn", "Mongolian", &[Cyrillic]),
    one("mr", "Marathi", &[Devanagari]),
    one("ms", "Malay", &[Latin]),
    one("mt", "Maltese", &[Latin]),
    one("my", "Burmese", &[Myanmar]),
    one("nb", "Norwegian Bokmal", &[Latin]),
    one("ne", "Nepali", &[Devanagari]),
    one("nl", "Dutch", &[Latin]),
    one("nn", "Norwegian Nynorsk", &[Latin]),
    one("no", "Norwegian", &[Latin]),
    one("oc", "Occitan", &[Latin]),
    one("or", "Odia", &[Oriya]),
    one("pa", "Punjabi", &[Gurmukhi]),
    one("pl", "Polish", &[Latin]),
    one("ps", "Pashto", &[Arabic]),
    one("pt", "Portuguese", &[Latin]),
    one("qu", "Quechua", &[Latin]),
    one("rm", "Romansh", &[Latin]),
    one("ro", "Romanian", &[Latin]),
    one("ru", "Russian", &[Cyrillic]),
    one("sa", "Sanskrit", &[Devanagari]),
    one("sd", "Sindhi", &[Arabic]),
    one("si", "Sinhala", &[Sinhala]),
    one("sk", "Slovak", &[Latin]),
    one("sl", "Slovenian", &[Latin]),
    one("so", "Somali", &[Latin]),
    one("sq", "Albanian", &[Latin]),
    one("sr", "Serbian", &[Cyrillic, Latin]),
    one("su", "Sundanese", &[Latin]),
    one("sv", "Swedish", &[Latin]),
    one("sw", "Swahili", &[Latin]),
    one("ta", "Tamil", &[Tamil]),
    one("te", "Telugu", &[Telugu]),
    one("tg", "Tajik", &[Cyrillic]),
    one("th", "Thai", &[Thai]),
    one("tk", "Turkmen", &[Latin]),
    one("tl", "Tagalog", &[Latin]),
    one("tr", "Turkish", &[Latin]),
    one("tt", "Tatar", &[Cyrillic]),
    one("ug", "Uyghur", &[Arabic]),
    one("uk", "Ukrainian", &[Cyrillic]),
    one("ur", "Urdu", &[Arabic]),
    one("uz", "Uzbek", &[Latin, Cyrillic]),
    one("vi", "Vietnamese", &[Latin]),
    one("xh", "Xhosa", &[Latin]),
    one("yi", "Yiddish", &[Hebrew]),
    one("yo", "Yoruba", &[Latin]),
    Language { code: "zh", name: "Chinese", needs: &[Han], also: &[Bopomofo] },
    one("zu", "Zulu", &[Latin]),
];
