//! Other codes of languages, and what people say instead of them.

use super::table::{LANGUAGES, Language};

/// Codes of ISO 639-2 and 639-3, with those of ISO 639-1.
#[rustfmt::skip]
const STANDARD: &[(&str, &str)] = &[
    ("afr", "af"), ("amh", "am"), ("ara", "ar"), ("asm", "as"), ("aze", "az"), ("bel", "be"), ("bul", "bg"),
    ("ben", "bn"), ("bod", "bo"), ("bre", "br"), ("bos", "bs"), ("cat", "ca"), ("ces", "cs"), ("cym", "cy"),
    ("dan", "da"), ("deu", "de"), ("ell", "el"), ("eng", "en"), ("epo", "eo"), ("spa", "es"), ("est", "et"),
    ("eus", "eu"), ("fas", "fa"), ("fin", "fi"), ("fao", "fo"), ("fra", "fr"), ("fry", "fy"), ("gle", "ga"),
    ("gla", "gd"), ("glg", "gl"), ("guj", "gu"), ("hau", "ha"), ("heb", "he"), ("hin", "hi"), ("hrv", "hr"),
    ("hat", "ht"), ("hun", "hu"), ("hye", "hy"), ("ind", "id"), ("ibo", "ig"), ("isl", "is"), ("ita", "it"),
    ("jpn", "ja"), ("jav", "jv"), ("kat", "ka"), ("kaz", "kk"), ("khm", "km"), ("kan", "kn"), ("kor", "ko"),
    ("kur", "ku"), ("kir", "ky"), ("lat", "la"), ("ltz", "lb"), ("lao", "lo"), ("lit", "lt"), ("lav", "lv"),
    ("mlg", "mg"), ("mri", "mi"), ("mkd", "mk"), ("mal", "ml"), ("mon", "mn"), ("mar", "mr"), ("msa", "ms"),
    ("mlt", "mt"), ("mya", "my"), ("nob", "nb"), ("nep", "ne"), ("nld", "nl"), ("nno", "nn"), ("nor", "no"),
    ("oci", "oc"), ("ori", "or"), ("pan", "pa"), ("pol", "pl"), ("pus", "ps"), ("por", "pt"), ("que", "qu"),
    ("roh", "rm"), ("ron", "ro"), ("rus", "ru"), ("san", "sa"), ("snd", "sd"), ("sin", "si"), ("slk", "sk"),
    ("slv", "sl"), ("som", "so"), ("sqi", "sq"), ("srp", "sr"), ("sun", "su"), ("swe", "sv"), ("swa", "sw"),
    ("tam", "ta"), ("tel", "te"), ("tgk", "tg"), ("tha", "th"), ("tuk", "tk"), ("tgl", "tl"), ("tur", "tr"),
    ("tat", "tt"), ("uig", "ug"), ("ukr", "uk"), ("urd", "ur"), ("uzb", "uz"), ("vie", "vi"), ("xho", "xh"),
    ("yid", "yi"), ("yor", "yo"), ("zho", "zh"), ("zul", "zu"),
];

/// Names of Tesseract's own models, with the codes of ISO 639-1.
#[rustfmt::skip]
const TESSERACT: &[(&str, &str)] = &[
    ("chi_sim", "zh"), ("chi_tra", "zh"), ("chi_sim_vert", "zh"), ("chi_tra_vert", "zh"), ("jpn_vert", "ja"),
    ("kor_vert", "ko"), ("fil", "tl"), ("kmr", "ku"), ("deu_latf", "de"), ("deu_frak", "de"), ("frk", "de"),
    ("dan_frak", "da"), ("slk_frak", "sk"), ("srp_latn", "sr"), ("uzb_cyrl", "uz"), ("spa_old", "es"),
    ("ita_old", "it"), ("kat_old", "ka"), ("enm", "en"), ("frm", "fr"),
];

/// Codes of countries that are taken for those of their language.
const COUNTRIES: &[(&str, &str)] =
    &[("cn", "zh"), ("cz", "cs"), ("dk", "da"), ("gr", "el"), ("jp", "ja"), ("kr", "ko"), ("ua", "uk"), ("us", "en")];

/// Returns the language that has this code in ISO 639-1, 639-2 or 639-3, or that this model of Tesseract's reads.
pub(super) fn language(code: &str) -> Option<&'static Language> {
    let others = STANDARD.iter().chain(TESSERACT);
    let first = others.into_iter().find(|(other, _)| *other == code).map_or(code, |&(_, first)| first);
    LANGUAGES.iter().find(|language| language.code == first)
}

/// Returns all codes of languages, in no particular order, each with that of ISO 639-1.
pub fn all_codes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = LANGUAGES.iter().map(|language| (language.code, language.code));
    own.chain(STANDARD.iter().chain(TESSERACT).copied())
}

/// Returns the code that was probably meant by what is none: another spelling of it, a country's, or the beginning of a
/// language's English name.
pub(super) fn likely(text: &str) -> Option<&'static Language> {
    let lower = text.trim().to_lowercase();
    let country = COUNTRIES.iter().find(|(country, _)| *country == lower).map(|&(_, code)| code);
    let main = lower.split(['-', '_']).next().unwrap_or_default();
    let named = |language: &&Language| lower.len() > 2 && language.name.to_lowercase().starts_with(&lower);
    language(country.unwrap_or(main)).or_else(|| LANGUAGES.iter().find(named))
}
