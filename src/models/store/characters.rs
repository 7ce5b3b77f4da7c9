//! Lists of characters: the file `x.txt` beside the models `x.onnx`, `x.ort` and `x.bin`.
//!
//! An engine reads the list of a model together with the model. So whoever uses, keeps, removes or archives a model has
//! its list too, and these rules stand in one place.

use std::collections::BTreeMap;
use std::path::Path;

use super::names::is_model_name;

/// In lower case, whatever the case of the model's suffix: that is the file that an engine opens.
const SUFFIX: &str = "txt";

/// Returns the name of the list of characters of the model called `model`; none for what is no model by its name.
pub(super) fn list_of(model: &str) -> Option<String> {
    let list = Path::new(model).with_extension(SUFFIX).into_os_string().into_string().ok();
    list.filter(|_| is_model_name(model))
}

/// The lists of characters that some models may have, whether these are there or not.
#[derive(Debug, Default)]
pub(super) struct Lists {
    models: BTreeMap<String, Vec<String>>,
}

impl Lists {
    /// Returns the lists of these models.
    pub(super) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut models: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in names {
            if let Some(list) = list_of(name) {
                models.entry(list).or_default().push(name.to_owned());
            }
        }
        Self { models }
    }

    /// Returns the models whose list is called `list`, in the order in which they came.
    pub(super) fn models_of(&self, list: &str) -> &[String] {
        self.models.get(list).map_or(&[], Vec::as_slice)
    }

    /// Returns each list with its models, sorted by the list's name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.models.iter().map(|(list, models)| (list.as_str(), models.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_and_its_list_find_each_other() {
        struct Case {
            model: &'static str,
            list: Option<&'static str>,
        }
        let cases = [
            Case { model: "a.onnx", list: Some("a.txt") },
            Case { model: "a.ort", list: Some("a.txt") },
            Case { model: "A.BIN", list: Some("A.txt") },
            Case { model: "b.v1.Onnx", list: Some("b.v1.txt") },
            Case { model: "c.txt.onnx", list: Some("c.txt.txt") },
            Case { model: "notes.md", list: None },
            Case { model: "a.txt", list: None },
            Case { model: ".onnx", list: None },
            Case { model: "../a.onnx", list: None },
        ];
        let lists = Lists::of(cases.iter().map(|case| case.model));
        for case in &cases {
            assert_eq!(list_of(case.model).as_deref(), case.list, "{}", case.model);
            let listed = lists.iter().filter(|(_, models)| models.iter().any(|model| model == case.model));
            assert_eq!(listed.map(|(list, _)| list).collect::<Vec<_>>(), Vec::from_iter(case.list), "{}", case.model);
        }
        assert_eq!(lists.models_of("a.txt"), ["a.onnx", "a.ort"]);
        assert!(lists.models_of("a.TXT").is_empty() && lists.models_of("a.onnx").is_empty());
    }
}
