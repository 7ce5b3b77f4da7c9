//! The scripts of each language.

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
    /// The letters that its words are written with besides `a` to `z`, or in Cyrillic `а` to `я`, small where there are
    /// small ones. Letters of foreign words and accents that print leaves out are not in it.
    pub(super) letters: &'static str,
}

impl Language {
    /// Returns all scripts that it is written in.
    pub(super) fn scripts(&self) -> impl Iterator<Item = Script> {
        self.needs.iter().chain(self.also).copied()
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
    Language { code, name, needs, also: &[], letters: "" }
}

impl Language {
    /// Adds letters of its own.
    const fn with(self, letters: &'static str) -> Self {
        Self { letters, ..self }
    }
}

/// Sorted by code.
pub(super) const LANGUAGES: &[Language] = &[
    one("af", "Afrikaans", &[Latin]).with("êëéè"),
    one("am", "Amharic", &[Ethiopic]),
    one("ar", "Arabic", &[Arabic]),
    one("as", "Assamese", &[Bengali]),
    one("az", "Azerbaijani", &[Latin]).with("çəğıöşüİ"),
    one("be", "Belarusian", &[Cyrillic]).with("ёіў"),
    one("bg", "Bulgarian", &[Cyrillic]),
    one("bn", "Bengali", &[Bengali]),
    one("bo", "Tibetan", &[Tibetan]),
    one("br", "Breton", &[Latin]).with("âêîôûùüñ"),
    one("bs", "Bosnian", &[Latin]).with("čćđšž"),
    one("ca", "Catalan", &[Latin]).with("àçéèíïóòúü"),
    one("cs", "Czech", &[Latin]).with("áčďéěíňóřšťúůýž"),
    one("cy", "Welsh", &[Latin]).with("âêîôûŵŷáëï"),
    one("da", "Danish", &[Latin]).with("æøåé"),
    one("de", "German", &[Latin]).with("äöüß"),
    one("el", "Greek", &[Greek]),
    one("en", "English", &[Latin]),
    one("eo", "Esperanto", &[Latin]).with("ĉĝĥĵŝŭ"),
    one("es", "Spanish", &[Latin]).with("áéíñóúü"),
    one("et", "Estonian", &[Latin]).with("äõöü"),
    one("eu", "Basque", &[Latin]).with("ñçü"),
    one("fa", "Persian", &[Arabic]),
    one("fi", "Finnish", &[Latin]).with("äö"),
    one("fo", "Faroese", &[Latin]).with("áðíóúýæø"),
    one("fr", "French", &[Latin]).with("àâæçéèêëîïôœùûüÿ"),
    one("fy", "Western Frisian", &[Latin]).with("âêôûúäëïöü"),
    one("ga", "Irish", &[Latin]).with("áéíóú"),
    one("gd", "Scottish Gaelic", &[Latin]).with("àèìòù"),
    one("gl", "Galician", &[Latin]).with("áéíñóúü"),
    one("gu", "Gujarati", &[Gujarati]),
    one("ha", "Hausa", &[Latin]).with("ɓɗƙƴ"),
    one("he", "Hebrew", &[Hebrew]),
    one("hi", "Hindi", &[Devanagari]),
    one("hr", "Croatian", &[Latin]).with("čćđšž"),
    one("ht", "Haitian Creole", &[Latin]).with("èòà"),
    one("hu", "Hungarian", &[Latin]).with("áéíóöőúüű"),
    one("hy", "Armenian", &[Armenian]),
    one("id", "Indonesian", &[Latin]),
    one("ig", "Igbo", &[Latin]).with("ịọụṅ"),
    one("is", "Icelandic", &[Latin]).with("áðéíóúýþæö"),
    one("it", "Italian", &[Latin]).with("àèéìíîòóùú"),
    Language { code: "ja", name: "Japanese", needs: &[Hiragana], also: &[Katakana, Han, Latin], letters: "" },
    one("jv", "Javanese", &[Latin]),
    one("ka", "Georgian", &[Georgian]),
    one("kk", "Kazakh", &[Cyrillic]).with("ёәғқңөұүһі"),
    one("km", "Khmer", &[Khmer]),
    one("kn", "Kannada", &[Kannada]),
    Language { code: "ko", name: "Korean", needs: &[Hangul], also: &[Han, Latin], letters: "" },
    one("ku", "Kurdish", &[Latin, Arabic]).with("çêîşû"),
    one("ky", "Kyrgyz", &[Cyrillic]).with("ёңөү"),
    one("la", "Latin", &[Latin]),
    one("lb", "Luxembourgish", &[Latin]).with("äéë"),
    one("lo", "Lao", &[Lao]),
    one("lt", "Lithuanian", &[Latin]).with("ąčęėįšųūž"),
    one("lv", "Latvian", &[Latin]).with("āčēģīķļņšūž"),
    one("mg", "Malagasy", &[Latin]),
    one("mi", "Maori", &[Latin]).with("āēīōū"),
    one("mk", "Macedonian", &[Cyrillic]).with("ѓѕјљњќџ"),
    one("ml", "Malayalam", &[Malayalam]),
    one("mn", "Mongolian", &[Cyrillic]).with("ёөү"),
    one("mr", "Marathi", &[Devanagari]),
    one("ms", "Malay", &[Latin]),
    one("mt", "Maltese", &[Latin]).with("ċġħżàèìòù"),
    one("my", "Burmese", &[Myanmar]),
    one("nb", "Norwegian Bokmal", &[Latin]).with("æøåé"),
    one("ne", "Nepali", &[Devanagari]),
    one("nl", "Dutch", &[Latin]).with("éëï"),
    one("nn", "Norwegian Nynorsk", &[Latin]).with("æøåéò"),
    one("no", "Norwegian", &[Latin]).with("æøåé"),
    one("oc", "Occitan", &[Latin]).with("àáçèéíïòóúü"),
    one("or", "Odia", &[Oriya]),
    one("pa", "Punjabi", &[Gurmukhi]),
    one("pl", "Polish", &[Latin]).with("ąćęłńóśźż"),
    one("ps", "Pashto", &[Arabic]),
    one("pt", "Portuguese", &[Latin]).with("áâãàçéêíóôõúü"),
    one("qu", "Quechua", &[Latin]).with("ñ"),
    one("rm", "Romansh", &[Latin]).with("àèéìòù"),
    one("ro", "Romanian", &[Latin]).with("ăâîșț"),
    one("ru", "Russian", &[Cyrillic]),
    one("sa", "Sanskrit", &[Devanagari]),
    one("sd", "Sindhi", &[Arabic]),
    one("si", "Sinhala", &[Sinhala]),
    one("sk", "Slovak", &[Latin]).with("áäčďéíĺľňóôŕšťúýž"),
    one("sl", "Slovenian", &[Latin]).with("čšž"),
    one("so", "Somali", &[Latin]),
    one("sq", "Albanian", &[Latin]).with("çë"),
    one("sr", "Serbian", &[Cyrillic, Latin]).with("čćđšžђјљњћџ"),
    one("su", "Sundanese", &[Latin]),
    one("sv", "Swedish", &[Latin]).with("åäö"),
    one("sw", "Swahili", &[Latin]),
    one("ta", "Tamil", &[Tamil]),
    one("te", "Telugu", &[Telugu]),
    one("tg", "Tajik", &[Cyrillic]).with("ёғӣқӯҳҷ"),
    one("th", "Thai", &[Thai]),
    one("tk", "Turkmen", &[Latin]).with("äçňöşüýž"),
    one("tl", "Tagalog", &[Latin]),
    one("tr", "Turkish", &[Latin]).with("çğıöşüİ"),
    one("tt", "Tatar", &[Cyrillic]).with("ёәөүҗңһ"),
    one("ug", "Uyghur", &[Arabic]),
    one("uk", "Ukrainian", &[Cyrillic]).with("ґєії"),
    one("ur", "Urdu", &[Arabic]),
    one("uz", "Uzbek", &[Latin, Cyrillic]).with("ёўқғҳ"),
    one("vi", "Vietnamese", &[Latin]).with("ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"),
    one("xh", "Xhosa", &[Latin]),
    one("yi", "Yiddish", &[Hebrew]),
    one("yo", "Yoruba", &[Latin]).with("ẹọṣàáèéìíòóùú"),
    Language { code: "zh", name: "Chinese", needs: &[Han], also: &[Bopomofo, Latin], letters: "" },
    one("zu", "Zulu", &[Latin]),
];
