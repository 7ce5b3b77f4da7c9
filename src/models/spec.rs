//! The inputs and outputs of a model of each role, checked before its first run.

use super::role::{Facts, Role, Side};
use crate::error::{Error, ErrorKind, Remedy, Result};
use crate::runtime::{Element, ModelSpec, Port, Tensor};

/// The longest list of characters: all of Unicode, a character a line, has 5.3 MB.
pub(crate) const LONGEST_LIST: u64 = 8 << 20;

/// Refuses a model that does not fit `role`, also one that fixes sides beyond all reason.
///
/// # Errors
/// [`ErrorKind::ModelMismatch`] with what was expected and what the file has.
pub fn check(spec: &ModelSpec, role: Role) -> Result<()> {
    let Facts { inputs, outputs, .. } = role.facts();
    let fits =
        spec.inputs.len() == inputs.len() && ports_fit(&spec.inputs, inputs) && ports_fit(&spec.outputs, outputs);
    if fits {
        return Ok(());
    }
    let message = format!(
        "{} is no {role}: expected {} and {}, found inputs {} and outputs {}",
        spec.name,
        expected_text("one float input", inputs),
        expected_text("a float output", outputs),
        ports_text(&spec.inputs),
        ports_text(&spec.outputs)
    );
    let hint = [format!("name a PP-OCR {role} in ONNX form; ").into(), Remedy::Catalog, " some".into()];
    Err(Error::new(ErrorKind::ModelMismatch, message).with_hint(hint))
}

/// Returns true if there is a port of each expected shape, in their order.
fn ports_fit(ports: &[Port], expected: &[&[Side]]) -> bool {
    ports.len() >= expected.len() && ports.iter().zip(expected).all(|(port, sides)| port_fits(port, sides))
}

fn port_fits(port: &Port, expected: &[Side]) -> bool {
    let sides = port.shape.iter().zip(expected);
    port.element == Element::F32
        && port.shape.len() == expected.len()
        && sides.into_iter().all(|(found, side)| side.takes(*found))
}

/// Says what is expected: `one` of a shape, and one more of each other shape.
fn expected_text(one: &str, shapes: &[&[Side]]) -> String {
    let texts: Vec<_> =
        shapes.iter().map(|shape| format!("{one} of shape {}", shape_text(shape, Side::text))).collect();
    texts.join(", ")
}

fn shape_text<T: Copy>(shape: &[T], text: impl Fn(T) -> String) -> String {
    let sides: Vec<_> = shape.iter().map(|&side| text(side)).collect();
    format!("[{}]", sides.join(", "))
}

fn ports_text(ports: &[Port]) -> String {
    let found = |side: Option<usize>| side.map_or("?".to_owned(), |side| side.to_string());
    let texts: Vec<_> = ports.iter().map(|port| format!("{} {}", port.name, shape_text(&port.shape, found))).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

/// Returns a side of the model's input that its file fixes, counted from the outermost; `otherwise` where it does not.
pub fn input_side(spec: &ModelSpec, axis: usize, otherwise: usize) -> usize {
    spec.inputs.first().and_then(|port| *port.shape.get(axis)?).unwrap_or(otherwise)
}

/// Returns the data of a `[1, 1, rows, columns]` output.
///
/// # Errors
/// [`ErrorKind::ModelMismatch`] for any other shape.
pub fn plane(output: Tensor<'_>, columns: usize, rows: usize) -> Result<&[f32]> {
    if output.shape == [1, 1, rows, columns] && output.data.len() == rows * columns {
        return Ok(output.data);
    }
    let message = format!("a detector's output has shape {:?}, expected [1, 1, {rows}, {columns}]", output.shape);
    Err(Error::new(ErrorKind::ModelMismatch, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(input: &[Option<usize>], output: &[Option<usize>]) -> ModelSpec {
        let port = |name: &str, shape: &[Option<usize>]| Port {
            name: name.into(),
            shape: shape.to_vec(),
            element: Element::F32,
        };
        ModelSpec {
            name: "m.onnx".into(),
            inputs: vec![port("x", input)],
            outputs: vec![port("y", output)],
            characters: None,
            ..ModelSpec::default()
        }
    }

    #[test]
    fn each_role_takes_its_own_shapes() {
        let picture = [None, Some(3), None, None];
        let detector = spec(&picture, &[None, Some(1), None, None]);
        let recognizer = spec(&[None, Some(3), Some(48), None], &[None, None, Some(97)]);
        let orienter = spec(&picture, &[None, Some(2)]);
        let page_orienter = spec(&[None, Some(3), Some(224), Some(224)], &[None, Some(4)]);
        let fitting = [&detector, &recognizer, &orienter, &page_orienter];
        for (role, fitting) in Role::ALL.into_iter().zip(fitting) {
            for candidate in [&detector, &recognizer, &orienter, &page_orienter] {
                let same = std::ptr::eq(candidate, fitting);
                assert_eq!(check(candidate, role).is_ok(), same, "{role} with {candidate:?}");
            }
        }
    }

    #[test]
    fn sides_that_follow_the_picture_must_be_open() {
        let (one, three) = (Some(1), Some(3));
        let cases = [
            (Role::Detector, spec(&[one, three, None, None], &[one, one, None, None]), true),
            (Role::Detector, spec(&[one, three, Some(640), Some(640)], &[one, one, Some(640), Some(640)]), false),
            (Role::Recognizer, spec(&[one, three, Some(32), None], &[one, None, Some(99)]), true),
            (Role::Recognizer, spec(&[one, three, Some(48), Some(320)], &[one, Some(40), Some(99)]), false),
            (Role::Orienter, spec(&[None, three, Some(80), Some(160)], &[None, Some(2)]), true),
            (Role::Orienter, spec(&[Some(6), three, None, None], &[Some(6), Some(2)]), false),
            (Role::Recognizer, spec(&[one, three, Some(256), None], &[one, None, Some(1 << 18)]), true),
            (Role::Recognizer, spec(&[one, three, Some(257), None], &[one, None, Some(99)]), false),
            (Role::Recognizer, spec(&[one, three, Some(100_000), None], &[one, None, Some(99)]), false),
            (Role::Recognizer, spec(&[one, three, Some(0), None], &[one, None, Some(99)]), false),
            (Role::Recognizer, spec(&[one, three, Some(48), None], &[one, None, Some(300_000)]), false),
            (Role::Recognizer, spec(&[one, three, Some(48), None], &[one, None, Some(0)]), false),
            (Role::Orienter, spec(&[None, three, Some(1024), Some(1024)], &[None, Some(2)]), true),
            (Role::Orienter, spec(&[None, three, Some(60_000), Some(60_000)], &[None, Some(2)]), false),
            (Role::Orienter, spec(&[None, three, Some(48), Some(0)], &[None, Some(2)]), false),
        ];
        for (role, spec, fits) in cases {
            assert_eq!(check(&spec, role).is_ok(), fits, "{role} {spec:?}");
        }
    }

    #[test]
    fn a_side_beyond_its_bound_is_named_with_it() {
        let tall = spec(&[None, Some(3), Some(100_000), None], &[None, None, Some(97)]);
        let error = check(&tall, Role::Recognizer).expect_err("too tall");
        assert_eq!(error.kind(), ErrorKind::ModelMismatch);
        let text = error.to_string();
        assert!(text.contains("[N, 3, 1 to 256, open]") && text.contains("x [?, 3, 100000, ?]"), "{text}");
    }

    #[test]
    fn the_message_says_expected_and_found() {
        let grey = spec(&[None, Some(1), None, None], &[None, Some(1), None, None]);
        let text = check(&grey, Role::Detector).expect_err("one channel").to_string();
        for part in
            ["m.onnx", "detector", "[N, 3, open, open]", "x [?, 1, ?, ?]", "y [?, 1, ?, ?]", "ferrocr.catalog()"]
        {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        let mut ints = spec(&[None, Some(3), None, None], &[None, Some(1), None, None]);
        ints.inputs[0].element = Element::Other;
        assert!(check(&ints, Role::Detector).is_err());
        assert!(check(&ModelSpec::default(), Role::Detector).is_err());
    }
}
