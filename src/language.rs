//! Languages, as far as they say which characters can occur.

mod table;

use unicode_script::{Script, UnicodeScript};

use crate::error::{Error, ErrorKind, Result};
pub use table::Language;
use table::{LANGUAGES, MARKS};

/// Fewer letters of a script than this are strays: the smallest alphabets have more than 20.
const FEWEST_LETTERS: usize = 20;

/// The Greek letters of formulas are no Greek, which has 69 letters with its accents: PP-OCRv6 knows 62 without.
const FEWEST_GREEK_LETTERS: usize = 64;

/// The languages that pictures are in. They say which characters can occur, by script:
///
/// - Letters of the scripts that the languages are written in. A language in Latin letters has all of them, whatever its
///   own alphabet is, so that names keep their accents. Latin letters are not part of a language in another script: say
///   `["ru", "en"]` for Russian pages with Latin words.
/// - Digits, punctuation, symbols and the space, in any case.
/// - The punctuation, the marks and the wide and narrow forms of Chinese, Japanese and Korean only with these, and the
///   marks that belong to certain scripts only with these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages {
    languages: Vec<&'static Language>,
}

impl Languages {
    /// From codes of ISO 639-1.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a code that is not known, and for none at all.
    pub fn of<T: AsRef<str>>(codes: &[T]) -> Result<Self> {
        if codes.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "`languages` names no language")
                .with_hint("leave it out for all characters that the model knows"));
        }
        let language = |code: &T| find(code.as_ref());
        let mut languages = codes.iter().map(language).collect::<Result<Vec<_>>>()?;
        languages.sort_by_key(|language| language.code);
        languages.dedup();
        Ok(Self { languages })
    }

    /// The codes, sorted.
    pub fn codes(&self) -> impl Iterator<Item = &'static str> {
        self.languages.iter().map(|language| language.code)
    }

    /// Whether a text of these languages may have these characters.
    pub fn write(&self, text: &str) -> bool {
        text.chars().all(|character| self.writes(character))
    }

    fn writes(&self, character: char) -> bool {
        let is_mark = MARKS.iter().any(|marks| marks.contains(&character));
        if is_mark && !self.languages.iter().any(|language| language.has_marks()) {
            return false;
        }
        let script = character.script();
        if !matches!(script, Script::Common | Script::Inherited) {
            return self.has(script);
        }
        let scripts = character.script_extension();
        is_general(character)
            || scripts.is_common()
            || scripts.is_inherited()
            || scripts.iter().any(|script| self.has(script))
    }

    fn has(&self, script: Script) -> bool {
        self.languages.iter().any(|language| language.has(script))
    }

    /// Refuses a language of which a model knows hardly a letter; `characters` are those that the model has.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the language and the model.
    pub fn check_known<'a>(&self, characters: impl Iterator<Item = &'a str> + Clone, model: &str) -> Result<()> {
        for language in &self.languages {
            let letters = |script| characters.clone().filter(|text| text.chars().any(|c| c.script() == script)).count();
            let is_known = language.needs.iter().any(|&script| letters(script) >= fewest(script));
            if !is_known {
                let scripts: Vec<_> = language.needs.iter().map(|script| script.full_name()).collect();
                let message = format!(
                    "{model} cannot read {} ({:?}): it knows too few {} letters",
                    language.name,
                    language.code,
                    scripts.join(" or ")
                );
                return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint_for(|reader| {
                    let list = reader.choose("`ferrocr.catalog()` has", "`ferrocr models list --available` shows");
                    format!("choose a recogniser of that language, which {list}, or leave the language out")
                }));
            }
        }
        Ok(())
    }
}

fn find(code: &str) -> Result<&'static Language> {
    LANGUAGES.iter().find(|language| language.code == code).ok_or_else(|| {
        let known: Vec<_> = LANGUAGES.iter().map(|language| language.code).collect();
        Error::new(ErrorKind::InvalidArgument, format!("there is no language {code:?}"))
            .with_hint(format!("languages are codes of ISO 639-1; known are {}", known.join(", ")))
    })
}

fn fewest(script: Script) -> usize {
    if script == Script::Greek { FEWEST_GREEK_LETTERS } else { FEWEST_LETTERS }
}

/// Whether a character that belongs to several scripts stands for itself in any text: what has a place among Latin-1's
/// signs, modifiers, general punctuation and symbols, or pictures. Unicode lists for some of these the scripts in which
/// they were seen.
fn is_general(character: char) -> bool {
    matches!(character, '\0'..='\u{2ff}' | '\u{2000}'..='\u{2bff}' | '\u{1f000}'..)
}

#[cfg(test)]
mod tests;
