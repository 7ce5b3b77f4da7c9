//! The languages that recognisers read, and the one that reads those of a user.

use std::cmp::Reverse;

use crate::error::{Error, ErrorKind, Result};
use crate::language::Languages;
use crate::models::catalog::{Entry, ModelSet, Size, entries, sets};
use crate::models::role::Role;

/// Languages of PaddleOCR's models by the codes of their publisher, where these are not those of ISO 639-1. Of
/// languages that ISO 639-1 has no code for, those of the `cyrillic`, `arabic` and `devanagari` models are left out.
const GROUPS: &[(&str, &[&str])] = &[
    ("ch", &["zh"]),
    ("ch_doc", &["zh"]),
    ("chinese_cht", &["zh"]),
    ("french", &["fr"]),
    ("german", &["de"]),
    ("japan", &["ja"]),
    // Kannada, not Georgian.
    ("ka", &["kn"]),
    ("korean", &["ko"]),
    ("rs_latin", &["sr"]),
    ("eslav", &["ru", "be", "uk"]),
    ("cyrillic", &["ru", "be", "uk", "sr", "bg", "mn", "kk", "ky", "tg", "mk", "tt"]),
    ("arabic", &["ar", "fa", "ug", "ur", "ps", "ku", "sd"]),
    ("devanagari", &["hi", "mr", "ne", "sa"]),
    (
        "latin",
        &[
            "af", "az", "bs", "ca", "cs", "cy", "da", "de", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu", "id",
            "is", "it", "ku", "la", "lb", "lt", "lv", "mi", "ms", "mt", "nl", "no", "oc", "pl", "pt", "qu", "rm", "ro",
            "sk", "sl", "sq", "sr", "sv", "sw", "tl", "tr", "uz", "vi",
        ],
    ),
];

/// Norwegian's two forms are read by whatever reads Norwegian.
const NORWEGIAN: [&str; 2] = ["nb", "nn"];

impl Entry {
    /// Returns the languages that it reads, by their codes of ISO 639-1, sorted; all recognisers read English too.
    /// Empty for another role, where the language hardly matters.
    pub fn reads(&self) -> Vec<&'static str> {
        if self.role != Role::Recognizer {
            return Vec::new();
        }
        let group = |code: &&'static str| match GROUPS.iter().find(|(name, _)| name == code) {
            Some((_, languages)) => languages.to_vec(),
            None => vec![*code],
        };
        let mut reads: Vec<_> = self.languages.iter().flat_map(group).chain(["en"]).collect();
        if reads.contains(&"no") {
            reads.extend(NORWEGIAN);
        }
        reads.sort_unstable();
        reads.dedup();
        reads
    }
}

/// Returns the recogniser for these languages: that of the set where it reads all of them, else that of the default
/// set, else, of the newest family that has such, the one that reads the fewest others. That of the set as well where
/// the catalog knows none for one of the languages: whether it has their letters is seen when it is loaded.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] where there is a recogniser for each of the languages, and none for all of them.
pub fn recognizer_for(set: &ModelSet, languages: &Languages) -> Result<Option<&'static Entry>> {
    let recognizer = |set: &ModelSet| set.entries().into_iter().find(|entry| entry.role == Role::Recognizer);
    let codes: Vec<_> = languages.codes().collect();
    let reads_all = |entry: &&Entry| {
        let reads = entry.reads();
        codes.iter().all(|code| reads.contains(code))
    };
    let own = recognizer(set);
    if let Some(usual) = own.into_iter().chain(sets().first().and_then(recognizer)).find(reads_all) {
        return Ok(Some(usual));
    }
    let is_small = |entry: &Entry| matches!(entry.size, Size::Small | Size::Mobile);
    let rank = |entry: &&Entry| (entry.family, Reverse(entry.reads().len()), is_small(entry));
    let best = entries().iter().filter(reads_all).max_by_key(rank);
    let is_read = |code: &&str| entries().iter().any(|entry| entry.reads().contains(code));
    match best {
        Some(entry) => Ok(Some(entry)),
        None if codes.iter().all(is_read) => Err(none_for_all(&codes)),
        None => Ok(own),
    }
}

fn none_for_all(codes: &[&str]) -> Error {
    let message = format!("no recogniser reads all of {}", codes.join(", "));
    let together = codes.iter().map(|code| format!("{code} goes with {}", companions(code).join(", ")));
    let together: Vec<_> = together.collect();
    Error::new(ErrorKind::InvalidArgument, message)
        .with_hint(format!("take an engine for each: {}", together.join("; ")))
}

/// Returns the languages that a recogniser of this language reads too, of the one that reads the most.
fn companions(code: &str) -> Vec<&'static str> {
    let all = entries().iter().map(Entry::reads).filter(|reads| reads.contains(&code));
    let mut most = all.max_by_key(Vec::len).unwrap_or_default();
    most.retain(|other| *other != code);
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::catalog::{find, set};

    fn choice(set_name: &str, codes: &[&str]) -> Result<&'static str> {
        let languages = Languages::of(codes).unwrap();
        recognizer_for(set(set_name).unwrap(), &languages).map(|entry| entry.unwrap().name)
    }

    #[test]
    fn every_code_of_a_publisher_is_a_language() {
        for entry in entries() {
            for code in entry.reads() {
                assert!(Languages::of(&[code]).is_ok(), "{}: {code}", entry.name);
            }
        }
        assert_eq!(find("ka_PP-OCRv4_rec_mobile.onnx").unwrap().reads(), ["en", "kn"]);
    }

    #[test]
    fn the_set_s_own_recogniser_is_taken_where_it_can_read() {
        for (set, codes, name) in [
            ("ppocrv6-small", &["en"][..], "PP-OCRv6_rec_small.onnx"),
            ("ppocrv6-small", &["zh", "ja", "deu"], "PP-OCRv6_rec_small.onnx"),
            ("ppocrv6-small", &["nb"], "PP-OCRv6_rec_small.onnx"),
            ("ppocrv6-medium", &["pl"], "PP-OCRv6_rec_medium.onnx"),
            ("ppocrv6-tiny", &["en"], "PP-OCRv6_tiny_rec.onnx"),
            ("ppocrv6-small", &["ru"], "eslav_PP-OCRv5_rec_mobile.onnx"),
            ("ppocrv6-small", &["ru", "en"], "eslav_PP-OCRv5_rec_mobile.onnx"),
            ("ppocrv6-small", &["bg", "ru"], "cyrillic_PP-OCRv5_rec_mobile.onnx"),
            ("ppocrv6-small", &["ko"], "korean_PP-OCRv5_rec_mobile.onnx"),
            ("ppocrv6-small", &["kn"], "ka_PP-OCRv4_rec_mobile.onnx"),
            ("ppocrv6-small", &["vi"], "latin_PP-OCRv5_rec_mobile.onnx"),
            ("ppocrv4-mobile", &["ja"], "PP-OCRv6_rec_small.onnx"),
        ] {
            assert_eq!(choice(set, codes).unwrap(), name, "{set} {codes:?}");
        }
    }

    #[test]
    fn a_language_that_the_catalog_does_not_know_is_left_to_the_letters_of_the_model() {
        for codes in [&["eo"][..], &["he", "ru"], &["ka"]] {
            assert_eq!(choice("ppocrv6-small", codes).unwrap(), "PP-OCRv6_rec_small.onnx", "{codes:?}");
        }
    }

    #[test]
    fn languages_that_no_recogniser_reads_together_are_named_with_those_that_go_together() {
        let error = choice("ppocrv6-small", &["ru", "th"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().starts_with("no recogniser reads all of ru, th"), "{error}");
        let hint = error.hint().unwrap();
        assert!(hint.contains("ru goes with be, bg, en") && hint.contains("th goes with en"), "{hint}");
    }
}
