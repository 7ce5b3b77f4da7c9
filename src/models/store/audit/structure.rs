//! The structure of a file whose bytes no catalog knows.

use crate::models::Role;
use crate::models::spec;
use crate::onnx::{self, Format, Summary, ValueInfo};
use crate::runtime::{Element, ModelSpec, Port};

/// The most letters that are kept of a text from a file: enough for a program's name, or for one sentence.
const LONGEST: usize = 160;

/// The structure of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Structure {
    /// An ONNX model.
    Onnx {
        /// The one role that its inputs and outputs fit.
        role: Option<Role>,
        /// The version that it gives itself.
        version: Option<String>,
    },
    /// ONNX Runtime's own format, whose content is not looked into.
    Ort,
    /// No model, because of this.
    Neither(String),
}

impl Structure {
    /// Looks at the bytes of a whole file.
    pub(super) fn of(bytes: &[u8]) -> Self {
        match model(bytes) {
            Ok(summary) if summary.format == Format::Ort => Self::Ort,
            Ok(summary) => Self::Onnx { role: role(&summary), version: version(&summary) },
            Err(why) => Self::neither(&why),
        }
    }

    /// Returns the structure of what is no model, because of this.
    pub(super) fn neither(why: &str) -> Self {
        Self::Neither(one_line(why))
    }
}

/// Reads a model's description from its bytes, or says why they are none.
///
/// Short random bytes are often a valid message, now and then one with a graph. So a model has to say its version and
/// to have outputs with names, without which no runtime takes it.
pub(super) fn model(bytes: &[u8]) -> Result<Summary, String> {
    let summary = onnx::summary(bytes).map_err(|error| error.to_string())?;
    if summary.format == Format::Ort {
        return Ok(summary);
    }
    if summary.ir_version <= 0 {
        return Err("no ONNX model: it does not say the version of its format".to_owned());
    }
    if summary.outputs.is_empty() || summary.outputs.iter().any(|output| output.name.is_empty()) {
        return Err("no ONNX model: its graph has no outputs with names".to_owned());
    }
    Ok(summary)
}

/// Returns the only role that takes the model's inputs and outputs.
fn role(summary: &Summary) -> Option<Role> {
    let spec = ModelSpec {
        inputs: summary.inputs.iter().map(port).collect(),
        outputs: summary.outputs.iter().map(port).collect(),
        ..ModelSpec::default()
    };
    let mut fitting = Role::ALL.into_iter();
    let first = fitting.find(|&role| spec::check(&spec, role).is_ok())?;
    fitting.all(|role| spec::check(&spec, role).is_err()).then_some(first)
}

fn port(value: &ValueInfo) -> Port {
    let side = |size: &Option<i64>| size.and_then(|size| usize::try_from(size).ok());
    Port {
        name: value.name.clone(),
        shape: value.dims.iter().flatten().map(side).collect(),
        // The type of the elements is not read; models of all roles have floats.
        element: Element::F32,
    }
}

/// Returns the version in words, for example `opset 17, maker 1.2`.
fn version(summary: &Summary) -> Option<String> {
    let opset = summary.opsets.get("").or_else(|| summary.opsets.get("ai.onnx"));
    let producer = format!("{} {}", summary.producer.trim(), summary.producer_version.trim());
    let parts = [opset.map(|opset| format!("opset {opset}")), Some(producer.trim().to_owned())];
    let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| one_line(&parts.join(", ")))
}

/// Returns a text from a file, fit for a line of a report and of the memory.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|letter| if crate::text::is_unsafe(letter) { ' ' } else { letter }).collect();
    plain.trim().chars().take(LONGEST).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::onnx::testing::{Writer, picture_model};

    #[test]
    fn the_role_is_told_by_what_a_model_takes_and_gives() {
        type Sides<'a> = &'a [Option<u64>];
        struct Case {
            input: Sides<'static>,
            output: Sides<'static>,
            role: Option<Role>,
        }
        let picture: Sides = &[None, Some(3), None, None];
        let cases = [
            Case { input: picture, output: &[None, Some(1), None, None], role: Some(Role::Detector) },
            Case { input: picture, output: &[None, None, Some(97)], role: Some(Role::Recognizer) },
            Case { input: picture, output: &[None, Some(2)], role: Some(Role::Orienter) },
            Case { input: picture, output: &[None, Some(1000)], role: None },
            Case { input: &[None, Some(1)], output: &[None, Some(2)], role: None },
        ];
        for case in cases {
            let found = Structure::of(&picture_model(case.input, case.output).finish());
            let version = Some("opset 17, maker 1.2".to_owned());
            assert_eq!(found, Structure::Onnx { role: case.role, version }, "{:?}", case.output);
        }
    }

    #[test]
    fn what_no_runtime_would_take_is_no_model() {
        let output = |name: &[u8]| Writer::new().message(12, Writer::new().bytes(1, name));
        let cases = [
            (Vec::new(), "no graph"),
            (Writer::new().varint(1, 8).message(7, Writer::new()).finish(), "no outputs"),
            (Writer::new().varint(1, 8).message(7, output(b"")).finish(), "no outputs"),
            (Writer::new().message(7, output(b"y")).finish(), "version of its format"),
            (b"<!DOCTYPE html>".to_vec(), "at byte"),
        ];
        for (bytes, says) in cases {
            assert!(model(&bytes).unwrap_err().contains(says), "{bytes:?}");
        }
        assert_eq!(Structure::of(b"\x18\0\0\0ORTM"), Structure::Ort);
    }

    #[test]
    fn what_a_file_says_of_itself_stays_one_short_line() {
        let summary = Writer::new()
            .varint(1, 8)
            .bytes(2, format!(" a\nb\tc{}", "x".repeat(500)).as_bytes())
            .message(7, Writer::new().message(12, Writer::new().bytes(1, b"y")));
        let Structure::Onnx { version: Some(version), .. } = Structure::of(&summary.finish()) else { panic!() };
        assert!(version.starts_with("a b cxx") && version.len() == LONGEST, "{version}");
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_line(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Structure::Neither(why) = Structure::of(&bytes) {
                prop_assert!(!why.is_empty() && !why.chars().any(crate::text::is_unsafe));
            }
        }
    }
}
