//! What a model of each role takes and gives, checked before its first run.

use super::Role;
use super::session::{ModelSpec, Port, Tensor};
use crate::error::{Error, ErrorKind, Result};

/// An input for a run.
pub fn input<'a>(shape: &'a [usize], data: &'a [f32]) -> Tensor<'a> {
    Tensor { shape, data }
}

/// Refuses a model that does not fit `role`.
///
/// # Errors
/// [`ErrorKind::ModelMismatch`] with what was expected and what the file has.
pub fn check(spec: &ModelSpec, role: Role) -> Result<()> {
    let (input, output): (&[Option<usize>], &[Option<usize>]) = match role {
        Role::Detector => (&[None, Some(3), None, None], &[None, Some(1), None, None]),
        Role::Recognizer => (&[None, Some(3), None, None], &[None, None, None]),
        Role::Orienter => (&[None, Some(3), None, None], &[None, Some(2)]),
    };
    let fits = spec.inputs.len() == 1
        && !spec.outputs.is_empty()
        && port_fits(&spec.inputs[0], input)
        && port_fits(&spec.outputs[0], output);
    if fits {
        return Ok(());
    }
    let message = format!(
        "{} is no {role}: expected one float input of shape {} and a float output of shape {}, found inputs {} and \
         outputs {}",
        spec.name,
        shape_text(input),
        shape_text(output),
        ports_text(&spec.inputs),
        ports_text(&spec.outputs)
    );
    Err(Error::new(ErrorKind::ModelMismatch, message)
        .with_hint(format!("name a PP-OCR {role} in ONNX form; `ferrocr models list --available` shows some")))
}

fn port_fits(port: &Port, expected: &[Option<usize>]) -> bool {
    let side_fits = |(found, expected): (&Option<usize>, &Option<usize>)| match (found, expected) {
        (Some(found), Some(expected)) => found == expected,
        _ => true,
    };
    port.is_f32 && port.shape.len() == expected.len() && port.shape.iter().zip(expected).all(side_fits)
}

fn shape_text(shape: &[Option<usize>]) -> String {
    let sides: Vec<_> = shape.iter().map(|side| side.map_or("?".to_owned(), |side| side.to_string())).collect();
    format!("[{}]", sides.join(", "))
}

fn ports_text(ports: &[Port]) -> String {
    let texts: Vec<_> = ports.iter().map(|port| format!("{} {}", port.name, shape_text(&port.shape))).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

/// A side of the model's input that its file fixes, counted from the outermost; `otherwise` where it does not.
pub fn input_side(spec: &ModelSpec, axis: usize, otherwise: usize) -> usize {
    spec.inputs.first().and_then(|port| *port.shape.get(axis)?).unwrap_or(otherwise)
}

/// The data of a `[1, 1, rows, columns]` output.
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
        let port =
            |name: &str, shape: &[Option<usize>]| Port { name: name.into(), shape: shape.to_vec(), is_f32: true };
        ModelSpec {
            name: "m.onnx".into(),
            inputs: vec![port("x", input)],
            outputs: vec![port("y", output)],
            characters: None,
        }
    }

    #[test]
    fn each_role_takes_its_own_shapes() {
        let picture = [None, Some(3), None, None];
        let detector = spec(&picture, &[None, Some(1), None, None]);
        let recognizer = spec(&[None, Some(3), Some(48), None], &[None, None, Some(97)]);
        let orienter = spec(&picture, &[None, Some(2)]);
        for (role, fitting) in
            [(Role::Detector, &detector), (Role::Recognizer, &recognizer), (Role::Orienter, &orienter)]
        {
            for candidate in [&detector, &recognizer, &orienter] {
                let same = std::ptr::eq(candidate, fitting);
                assert_eq!(check(candidate, role).is_ok(), same, "{role} with {candidate:?}");
            }
        }
    }

    #[test]
    fn the_message_says_expected_and_found() {
        let grey = spec(&[None, Some(1), None, None], &[None, Some(1), None, None]);
        let text = check(&grey, Role::Detector).expect_err("one channel").to_string();
        for part in ["m.onnx", "detector", "[?, 3, ?, ?]", "x [?, 1, ?, ?]", "y [?, 1, ?, ?]", "ferrocr models list"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        let mut ints = spec(&[None, Some(3), None, None], &[None, Some(1), None, None]);
        ints.inputs[0].is_f32 = false;
        assert!(check(&ints, Role::Detector).is_err());
        assert!(check(&ModelSpec::default(), Role::Detector).is_err());
    }
}
