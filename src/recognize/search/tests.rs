use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::rules::{Bound, Rules};

const SIGNS: [&str; 4] = ["", "a", "b", "c"];

fn bound(pattern: &str) -> Arc<Bound> {
    let characters: Vec<_> = SIGNS.into_iter().enumerate().collect();
    Rules::new(None, Some(pattern), None).unwrap().unwrap().bind(1, &characters, "m.onnx").unwrap()
}

/// Searches where nothing is seen that could be two characters.
fn found(automaton: &Automaton, rows: &[f32], width: usize) -> Option<Vec<usize>> {
    let path = most_likely(automaton, rows, width, |_| false).unwrap()?;
    let begun: Vec<_> = path.iter().filter(|pass| pass.begins).map(|pass| pass.place - 1).collect();
    let path: Vec<_> = path.iter().map(|pass| pass.place).collect();
    assert_eq!(begun, collapsed(&path));
    Some(path)
}

/// Returns the text of a path as the pattern's automaton sees it.
fn collapsed(path: &[usize]) -> Vec<usize> {
    let runs = path.chunk_by(|one, next| one == next).map(|run| run[0]);
    runs.filter(|&place| place != 0).map(|place| place - 1).collect()
}

/// Goes through all paths.
fn plain(automaton: &Automaton, rows: &[f32], width: usize) -> Option<f32> {
    let steps = rows.len() / width;
    let paths = (0..width.pow(steps as u32))
        .map(|number| (0..steps).map(|step| number / width.pow(step as u32) % width).collect::<Vec<_>>());
    let whole = paths.filter(|path| automaton.takes(collapsed(path).into_iter()));
    whole.map(|path| score(rows, width, &path)).max_by(f32::total_cmp)
}

fn score(rows: &[f32], width: usize, path: &[usize]) -> f32 {
    path.iter().enumerate().map(|(step, &place)| rows[step * width + place].ln()).sum()
}

proptest! {
    #[test]
    fn no_path_is_likelier_than_the_one_found(
        pattern in prop::sample::select(vec!["abc", "a+b?", "[ab]{2}", "(ab|ba)*", "aa", "a?b?c?", ".{3}", "c|aaaaa"]),
        rows in prop::collection::vec(0.01f32..1.0, 6 * 4),
    ) {
        let bound = bound(pattern);
        let automaton = bound.automaton.as_ref().unwrap();
        let width = bound.classes.len() + 1;
        // Of classes that the pattern has no use for there is no column.
        let rows: Vec<f32> = rows.chunks_exact(4).flat_map(|row| row[..width].to_vec()).collect();
        let found = found(automaton, &rows, width);
        let best = plain(automaton, &rows, width);
        prop_assert_eq!(found.is_some(), best.is_some());
        if let (Some(found), Some(best)) = (found, best) {
            prop_assert!(automaton.takes(collapsed(&found).into_iter()), "{:?}", found);
            prop_assert!((score(&rows, width, &found) - best).abs() < 1e-4, "{found:?} {best}");
        }
    }
}

#[test]
fn a_text_that_is_longer_than_the_strip_is_none() {
    let bound = bound("a{4}");
    let automaton = bound.automaton.as_ref().unwrap();
    // Equal characters need a blank between them.
    assert_eq!(found(automaton, &[0.5; 2 * 6], 2), None);
    assert_eq!(found(automaton, &[0.5; 2 * 7], 2), Some(vec![1, 0, 1, 0, 1, 0, 1]));
    assert_eq!(found(automaton, &[], 2), None);
}

#[test]
fn different_characters_side_by_side_may_become_equal_ones() {
    let bound = bound("aa");
    let automaton = bound.automaton.as_ref().unwrap();
    let rows = [0.1, 0.9, 0.1, 0.9];
    assert!(most_likely(automaton, &rows, 2, |_| false).unwrap().is_none());
    let path = most_likely(automaton, &rows, 2, |step| step == 1).unwrap().unwrap();
    assert_eq!(path, [Pass { place: 1, begins: true }; 2]);
}

#[test]
fn what_has_no_probability_is_no_trouble() {
    let bound = bound("ab");
    let automaton = bound.automaton.as_ref().unwrap();
    for value in [0.0, f32::NAN] {
        let path = found(automaton, &[value; 3 * 5], 3).unwrap();
        assert_eq!(collapsed(&path), [0, 1]);
    }
}

#[test]
fn many_places_are_bounded_and_an_end_is_reached() {
    let characters: Vec<String> = ('\u{4e00}'..'\u{5200}').map(String::from).collect();
    let characters: Vec<_> = (1..).zip(characters.iter().map(String::as_str)).collect();
    let words: Vec<_> =
        characters.windows(5).map(|five| five.iter().map(|(_, text)| *text).collect::<String>()).collect();
    let rules = Rules::new(None, None, Some(&words)).unwrap().unwrap();
    let bound = rules.bind(1, &characters, "m.onnx").unwrap();
    let width = bound.classes.len() + 1;
    // Nothing is seen at all: some word of five has to come all the same.
    let mut rows = vec![1e-6; 20 * width];
    rows.iter_mut().step_by(width).for_each(|blank| *blank = 0.99);
    let path = found(bound.automaton.as_ref().unwrap(), &rows, width).expect("a word");
    assert!(bound.automaton.as_ref().unwrap().takes(collapsed(&path).into_iter()));
    assert_eq!(collapsed(&path).len(), 5);
}
