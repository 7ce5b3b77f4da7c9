//! Pages and reports of releases as tuples: `ferrocr.results` makes its dataclasses of them.

use std::time::Instant;

use pyo3::Py;

use super::rules::Rules;
use crate::engine::ReleaseReport;
use crate::geometry::Quad;
use crate::page::{Line, Page, Word};
use crate::python::stats::{RawTimings, raw_timings};

type RawPoint = (f32, f32);
// A tuple, because an array would become a list, which has no hash.
pub(in crate::python) type RawQuad = (RawPoint, RawPoint, RawPoint, RawPoint);
type RawChar = (String, f32, RawQuad);
// Its text, score and outline, its characters, and whether it is doubtful.
type RawWord = (String, f32, RawQuad, Vec<RawChar>, bool);
pub(super) type RawLine = (String, f32, RawQuad, Vec<RawWord>);
// Its first line, the line after its last, its outline.
type RawBlock = (usize, usize, RawQuad);
// A text that could not be read: the reason, and its outline.
type RawUnread = (String, RawQuad);
pub(super) type RawPage = (u32, u32, Vec<RawLine>, Vec<RawBlock>, Vec<RawUnread>, RawTimings);
// Options of one call: the least score of lines, whether their words come with characters, and the rules for them.
pub(super) type RawCallOptions = (f32, bool, Option<Py<Rules>>);
pub(super) type RawRelease = (bool, usize, usize, Option<usize>, usize, Option<u64>, Option<u64>, f64);

/// A report of what is not over, after a wait since `started`.
pub(super) fn raw_pending(calls: usize, started: Instant) -> RawRelease {
    (false, calls, 0, None, 0, None, None, started.elapsed().as_secs_f64())
}

pub(super) fn raw_page(page: Page) -> RawPage {
    let blocks = page.blocks.iter().map(|block| (block.lines.start, block.lines.end, raw_quad(&block.quad))).collect();
    let unread = page.unread.into_iter().map(|unread| (unread.reason, raw_quad(&unread.quad))).collect();
    let timings = raw_timings(&page.timings);
    (page.width, page.height, page.lines.into_iter().map(raw_line).collect(), blocks, unread, timings)
}

pub(super) fn raw_line(line: Line) -> RawLine {
    (line.text, line.score, raw_quad(&line.quad), line.words.into_iter().map(raw_word).collect())
}

fn raw_word(word: Word) -> RawWord {
    let characters = word.characters.into_iter().map(|one| (one.text, one.score, raw_quad(&one.quad))).collect();
    (word.text, word.score, raw_quad(&word.quad), characters, word.doubtful)
}

pub(in crate::python) fn raw_quad(quad: &Quad) -> RawQuad {
    let [a, b, c, d] = quad.0.map(|point| (point.x, point.y));
    (a, b, c, d)
}

pub(super) fn raw_release(report: ReleaseReport) -> RawRelease {
    let ReleaseReport { sessions, threads, files, resident_before, resident_after, waited } = report;
    (true, 0, sessions, threads, files, resident_before, resident_after, waited.as_secs_f64())
}
