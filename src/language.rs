//! Languages, as far as they say which characters can occur.

mod codes;
mod table;

use std::collections::HashSet;

use unicode_script::{Script, UnicodeScript};

use crate::error::{Error, ErrorKind, Remedy, Result};
pub use codes::all_codes;
pub use table::Language;
use table::{LANGUAGES, MARKS};

/// Fewer letters of a script than this are strays: the smallest alphabets have more than 20.
const FEWEST_LETTERS: usize = 20;

/// The Greek letters of formulas are no Greek, which has 69 letters with its accents: PP-OCRv6 knows 62 without.
const FEWEST_GREEK_LETTERS: usize = 64;

/// A language is refused of which a model lacks more than this part of the letters of its own: words would lose them
/// silently. Of Latin languages the default recogniser lacks 66 % of Vietnamese, 23 % of Yoruba (but letters of every
/// second word), all of Igbo, and nothing of the others.
const MOST_MISSING: f32 = 0.15;

/// The leaning to letters of the languages' own. Tried on drawn pages of seven languages; see docs/decisions.md.
const OWN_LETTER: f32 = 2.0;

/// The leaning to other letters with accents, which names have: where the recogniser is sure of them they stay. Tried
/// likewise.
const FOREIGN_LETTER: f32 = -2.0;

/// So many missing letters are named.
const NAMED: usize = 12;

/// The languages that pictures are in. They say which characters can occur, by script:
///
/// - Letters of the scripts that the languages are written in. A language in Latin letters has all of them, whatever
///   its own alphabet is, so that names keep their accents. Chinese, Japanese and Korean pages have Latin words among
///   their own, and so have their languages. Latin letters are not part of other languages in another script: say
///   `["ru", "en"]` for Russian pages with Latin words.
/// - Of letters with accents, those that a language has of its own are likelier than others where all languages are
///   written in Latin ones.
/// - After a code may follow a script, by its code of ISO 15924: then the language has that one alone. `"zh-Hani"` has
///   no Latin letters, and `"sr-Cyrl"` only Cyrillic ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages {
    languages: Vec<Written>,
}

/// A language and the scripts that it is written in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    language: &'static Language,
    scripts: Vec<Script>,
}

impl Languages {
    /// Makes languages of codes: of ISO 639-1, 639-2 or 639-3, or as Tesseract calls its models.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a code that is not known, and for none at all.
    pub fn of<T: AsRef<str>>(codes: &[T]) -> Result<Self> {
        if codes.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "`languages` names no language")
                .with_hint("leave it out for all characters that the model knows"));
        }
        let mut languages = codes.iter().map(|code| find(code.as_ref())).collect::<Result<Vec<_>>>()?;
        languages.sort_by_key(|written| (written.language.code, written.scripts.len()));
        languages.dedup();
        Ok(Self { languages })
    }

    /// Returns the codes of ISO 639-1, sorted.
    pub fn codes(&self) -> impl Iterator<Item = &'static str> {
        self.languages.iter().map(|written| written.language.code)
    }

    /// Returns true if a text of these languages may have these characters.
    pub fn write(&self, text: &str) -> bool {
        text.chars().all(|character| self.writes(character))
    }

    fn writes(&self, character: char) -> bool {
        let is_mark = MARKS.iter().any(|marks| marks.contains(&character));
        if is_mark && ![Script::Han, Script::Hangul].into_iter().any(|script| self.has(script)) {
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

    /// Returns by how much the score of a character is raised or lowered, as the logarithm of a factor of its
    /// probability: letters beyond `a` to `z` that one of the languages has of its own are likelier than a recogniser of
    /// many languages takes them to be, and other ones less likely. 0 unless all the languages are written in Latin
    /// letters above all: what others have of them may be of any language.
    pub fn leaning(&self, text: &str) -> f32 {
        let mut characters = text.chars();
        let (Some(letter), None) = (characters.next(), characters.next()) else { return 0.0 };
        let is_accented = letter.is_alphabetic() && matches!(letter, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}');
        let are_latin = self.languages.iter().all(|written| written.scripts.first() == Some(&Script::Latin));
        if !is_accented || !are_latin {
            0.0
        } else if self.languages.iter().any(|written| has_letter(written.language, letter)) {
            OWN_LETTER
        } else {
            FOREIGN_LETTER
        }
    }

    fn has(&self, script: Script) -> bool {
        self.languages.iter().any(|written| written.scripts.contains(&script))
    }

    /// Refuses a language of which a model lacks the script or many letters; `characters` are those that the model has.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the language, the model and the letters.
    pub fn check_known<'a>(&self, characters: impl Iterator<Item = &'a str>, model: &str) -> Result<()> {
        let known: HashSet<char> = characters.flat_map(str::chars).collect();
        for Written { language, scripts } in &self.languages {
            let needs: Vec<_> = language.needs.iter().copied().filter(|script| scripts.contains(script)).collect();
            let lacks: Vec<_> = needs.iter().filter_map(|&script| lack(language, script, &known)).collect();
            if lacks.len() == needs.len() {
                let Language { name, code, .. } = language;
                let message = format!("{model} cannot read {name} ({code:?}): it knows too few {}", lacks.join(" or "));
                return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint([
                    "choose a recogniser of that language, which ".into(),
                    Remedy::Catalog,
                    ", or leave the language out".into(),
                ]));
            }
        }
        Ok(())
    }
}

/// Returns the letters of which a model knows too few to read a language in one of its scripts; `None` where it can.
fn lack(language: &Language, script: Script, known: &HashSet<char>) -> Option<String> {
    let name = script.full_name();
    let letters = known.iter().filter(|letter| letter.script() == script).count();
    if letters < fewest(script) {
        return Some(format!("{name} letters"));
    }
    let own: Vec<char> = language.letters.chars().filter(|letter| letter.script() == script).collect();
    let cases = || own.iter().copied().chain(own.iter().filter_map(|&letter| capital(letter)));
    let missing: Vec<String> = cases().filter(|&letter| !is_known(letter, known)).map(String::from).collect();
    let all = cases().count();
    if missing.len() as f32 <= MOST_MISSING * all as f32 {
        return None;
    }
    let more = missing.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let named = missing[..missing.len().min(NAMED)].join(" ");
    Some(format!("{name} letters: of {all} beyond the basic ones, {named}{more} are missing"))
}

/// Returns the capital of a small letter, where it is another letter.
fn capital(letter: char) -> Option<char> {
    let mut capitals = letter.to_uppercase();
    // Of `ß` there are two, and `ı` has the capital of `i`.
    capitals.next().filter(|capital| capitals.len() == 0 && !capital.is_ascii() && *capital != letter)
}

/// Returns true if a model knows a letter, or the one that it was written with before there was a comma below.
fn is_known(letter: char, known: &HashSet<char>) -> bool {
    known.contains(&letter) || known.contains(&older(letter))
}

/// Returns the letter that was written before there was a comma below; any other letter as it is.
fn older(letter: char) -> char {
    match letter {
        'ș' => 'ş',
        'ț' => 'ţ',
        'Ș' => 'Ş',
        'Ț' => 'Ţ',
        _ => letter,
    }
}

/// Returns true if words of a language have a letter besides the basic ones, small or capital.
fn has_letter(language: &Language, letter: char) -> bool {
    let own = |own: char| letter == own || letter == older(own);
    language.letters.chars().any(|small| own(small) || capital(small).is_some_and(own))
}

fn find(code: &str) -> Result<Written> {
    let whole = codes::language(code).map(|language| Written { language, scripts: language.scripts().collect() });
    whole.or_else(|| in_one_script(code)).ok_or_else(|| {
        let likely =
            codes::likely(code).map(|language| format!("did you mean {:?}, {}? ", language.code, language.name));
        let known: Vec<_> = LANGUAGES.iter().map(|language| language.code).collect();
        let hint = format!(
            "{}languages are codes of ISO 639-1, or 639-3 such as \"deu\"; known are {}",
            likely.unwrap_or_default(),
            known.join(", ")
        );
        Error::new(ErrorKind::InvalidArgument, format!("there is no language {code:?}")).with_hint(hint)
    })
}

/// Returns the language of a code with a script after it.
fn in_one_script(code: &str) -> Option<Written> {
    let (code, script) = code.split_once('-')?;
    let language = codes::language(code)?;
    let named: &[Script] = match script {
        "Hans" | "Hant" => &[Script::Han],
        "Jpan" => &[Script::Hiragana, Script::Katakana, Script::Han],
        "Kore" => &[Script::Hangul, Script::Han],
        _ => &[Script::from_short_name(script)?],
    };
    let scripts: Vec<_> = language.scripts().filter(|script| named.contains(script)).collect();
    language.needs.iter().any(|need| scripts.contains(need)).then_some(Written { language, scripts })
}

fn fewest(script: Script) -> usize {
    if script == Script::Greek { FEWEST_GREEK_LETTERS } else { FEWEST_LETTERS }
}

/// Returns true if a character that belongs to several scripts stands for itself in any text: one that has a place
/// among Latin-1's signs, modifiers, general punctuation and symbols, or pictures. Unicode lists for some of these the
/// scripts in which they were seen.
fn is_general(character: char) -> bool {
    matches!(character, '\0'..='\u{2ff}' | '\u{2000}'..='\u{2bff}' | '\u{1f000}'..)
}

#[cfg(test)]
mod tests;
