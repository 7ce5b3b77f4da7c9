//! The characters of a recogniser, by class number.

use crate::error::{Error, ErrorKind, Result};
use crate::language::Languages;

/// Class 0 is CTC's blank, then the characters of the list, then the space unless the model has no class for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Charset {
    text: String,
    /// The end of each class's character in `text`; class 0 is empty.
    ends: Vec<u32>,
}

impl Charset {
    /// Reads a list with one character a line, for a model of `classes` outputs where that is known.
    ///
    /// # Errors
    /// [`ErrorKind::ModelMismatch`] when the list's length fits neither `classes - 2` nor `classes - 1`.
    pub fn new(list: &str, classes: Option<usize>) -> Result<Self> {
        let list = list.strip_suffix('\n').unwrap_or(list);
        let mut charset = Self { text: String::with_capacity(list.len()), ends: vec![0] };
        for line in list.split('\n') {
            charset.push(line.strip_suffix('\r').unwrap_or(line));
        }
        if classes != Some(charset.len()) {
            charset.push(" ");
        }
        charset.check_classes(classes.unwrap_or(charset.len())).map(|()| charset)
    }

    fn push(&mut self, character: &str) {
        self.text.push_str(character);
        self.ends.push(self.text.len() as u32);
    }

    /// Returns the number of classes, blank included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns false: there is always the blank.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the character of a class; empty for the blank and for classes that are not there.
    pub fn character(&self, class: usize) -> &str {
        let Some(&end) = self.ends.get(class) else { return "" };
        let start = if class == 0 { 0 } else { self.ends[class - 1] };
        &self.text[start as usize..end as usize]
    }

    /// Returns the class of the space; `None` where there is none.
    pub fn space(&self) -> Option<usize> {
        (1..self.len()).rev().find(|&class| self.character(class) == " ")
    }

    /// Returns the blank and the classes whose characters `languages` are written with; `model` is named in errors.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a language of which there are hardly any letters.
    pub fn classes_of(&self, languages: &Languages, model: &str) -> Result<Vec<usize>> {
        languages.check_known((0..self.len()).map(|class| self.character(class)), model)?;
        // The blank's text is empty, which all of them write.
        Ok((0..self.len()).filter(|&class| languages.write(self.character(class))).collect())
    }

    /// Returns by how much the score of each class is raised or lowered for the languages; `None` where none is.
    pub fn leaning_to(&self, languages: &Languages) -> Option<Vec<f32>> {
        let leaning: Vec<f32> = (0..self.len()).map(|class| languages.leaning(self.character(class))).collect();
        leaning.iter().any(|&leaning| leaning != 0.0).then_some(leaning)
    }

    /// Refuses an output with another number of classes; the space's may be missing.
    ///
    /// # Errors
    /// [`ErrorKind::ModelMismatch`] with both numbers.
    pub fn check_classes(&self, classes: usize) -> Result<()> {
        // If the file leaves the number open, a space shows only now; its class is the last.
        if classes == self.len() || classes + 1 == self.len() {
            return Ok(());
        }
        let listed = self.len() - 2;
        let message = format!(
            "the model has {classes} classes, but its list of {listed} characters with the blank and the space makes {}",
            self.len()
        );
        Err(Error::new(ErrorKind::ModelMismatch, message)
            .with_hint("use the character list that the model was trained with"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_space_is_there_when_the_model_has_a_class_for_it() {
        struct Case {
            name: &'static str,
            list: &'static str,
            classes: Option<usize>,
            characters: &'static [&'static str],
        }
        let cases = [
            Case { name: "with space", list: "a\nb", classes: Some(4), characters: &["", "a", "b", " "] },
            Case { name: "without space", list: "a\nb", classes: Some(3), characters: &["", "a", "b"] },
            Case { name: "unknown", list: "a\nb", classes: None, characters: &["", "a", "b", " "] },
            Case { name: "windows lines, end", list: "a\r\nb\r\n", classes: Some(4), characters: &["", "a", "b", " "] },
            Case {
                name: "line separator is a character",
                list: "\u{2028}\né",
                classes: Some(4),
                characters: &["", "\u{2028}", "é", " "],
            },
        ];
        for case in cases {
            let charset = Charset::new(case.list, case.classes).expect(case.name);
            let found: Vec<_> = (0..charset.len()).map(|class| charset.character(class)).collect();
            assert_eq!(found, case.characters, "{}", case.name);
        }
    }

    #[test]
    fn a_list_of_another_length_is_refused() {
        let error = Charset::new("a\nb\nc", Some(99)).expect_err("four or five classes");
        assert_eq!(error.kind(), ErrorKind::ModelMismatch);
        assert!(error.to_string().contains("99") && error.to_string().contains('3'), "{error}");
    }

    proptest! {
        #[test]
        fn every_class_has_its_line(lines in prop::collection::vec("[^\r\n]{1,3}", 1..50)) {
            let charset = Charset::new(&lines.join("\n"), Some(lines.len() + 2)).expect("fits");
            for (i, line) in lines.iter().enumerate() {
                prop_assert_eq!(charset.character(i + 1), line);
            }
            prop_assert_eq!(charset.character(lines.len() + 2), "");
        }
    }
}
