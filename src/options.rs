//! Options with their defaults, and the reason for every number.

use std::sync::Arc;
use std::time::Duration;

use crate::language::Languages;
use crate::rules::Rules;

/// Limits on a picture, which hold before any of it is decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeLimits {
    /// Largest number of pixels. 150 million is an A0 page at 300 dpi (139 million); as RGB it takes 450 MB.
    pub max_pixels: u64,
    /// Longest side in pixels. 65,535 is what JPEG can hold at most.
    pub max_side: u32,
    /// Longest encoded file in bytes. An uncompressed 150-million-pixel RGB file has 450 MB.
    pub max_bytes: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { max_pixels: 150_000_000, max_side: 65_535, max_bytes: 512 << 20 }
    }
}

/// Options of finding regions with text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectOptions {
    /// The shorter side of what the detector sees is at least this long: small pictures are enlarged.
    /// 736 is the value PP-OCR models are published with.
    pub min_side: u32,
    /// Pictures are enlarged until their longer side is this long, whatever `min_side` asks for. On 40 labelled pages,
    /// 17 of them small, 1280 and 960 have a token F1 of .9816 and .9814, 736 and no enlarging .9813.
    pub enlarged_side: u32,
    /// The longer side of what the detector sees is at most this long, except for `least_width`; no run of it is shown
    /// more. Lines are cut out of the picture itself, so this bounds how small text may be to be found, not how well it
    /// is read. On 100 labelled pages 960, 1280 and 2000 have a token F1 of .961, .961 and .960; see docs/decisions.md.
    pub max_side: u32,
    /// Of elongated pictures, such as a screenshot of a whole chat, the shorter side is still this long for the
    /// detector, whatever `max_side` says: it is shown them in tiles. No picture of the labelled pages is that
    /// elongated; of five drawn ones docs/decisions.md has figures.
    pub least_width: u32,
    /// Most pixels that the detector sees of an elongated picture, in all tiles: as many as of ten square pages, or of
    /// a screenshot that is 40,000 pixels long.
    pub max_area: u64,
    /// The least height, in pixels, of characters without ascenders in what the detector sees: pages with larger ones
    /// are shown to it smaller. Infinite for never. Forms at the resolution that is common for them have 8 to 10; below
    /// that they begin to lose.
    pub character_height: f32,
    /// Pages are not shown smaller than this for the sake of `character_height`, in pixels of the longer side.
    pub least_side: u32,
    /// Probability from which a pixel belongs to text (DB post-processing).
    pub threshold: f32,
    /// Mean probability in a region's box from which the region is kept.
    pub box_threshold: f32,
    /// Mean probability in a region's box from which it is read at least, and kept where that is read surely: a lone
    /// `1` in a receipt's column is often below `box_threshold`. docs/decisions.md has what was tried.
    pub doubtful_threshold: f32,
    /// The growth of a region: its distance is area x ratio / perimeter. DB shrinks labels in training by that rule.
    pub unclip_ratio: f32,
    /// Largest number of regions on a page. Beyond it those that begin furthest down are left out, so that noise cannot
    /// make a page endless. A dense A3 newspaper page has about 1,500 lines.
    pub max_regions: usize,
}

impl Default for DetectOptions {
    fn default() -> Self {
        Self {
            min_side: 736,
            enlarged_side: 960,
            max_side: 1280,
            least_width: 384,
            max_area: 16_000_000,
            character_height: 8.0,
            least_side: 736,
            threshold: 0.3,
            box_threshold: 0.5,
            doubtful_threshold: 0.35,
            unclip_ratio: 1.6,
            max_regions: 4000,
        }
    }
}

/// Options of reading regions.
#[derive(Debug, Clone, PartialEq)]
pub struct RecognizeOptions {
    /// Lines with a lower mean character probability are dropped; those that the detector is less sure of need more.
    pub min_score: f32,
    /// Widest strip in pixels at the recogniser's height; wider lines are squeezed into it. At 48 pixels of height
    /// 4,800 is a line of about 250 characters, for which a reader takes about 60 MB; used whole, a recogniser of
    /// 18,710 classes takes twice as much, 45 MB of it for its output alone.
    pub max_strip_width: u32,
    /// Strips have this part of their natural width, more than 0 and at most 1: the recogniser's time goes with it.
    /// The cost of 0.9 and less in accuracy stands in docs/decisions.md.
    pub squeeze: f32,
    /// True if words come with their characters.
    pub characters: bool,
    /// The rules that the text of each line follows.
    pub rules: Option<Arc<Rules>>,
    /// The longest time that the call may take from its start, the wait for other calls included; `None` sets no bound,
    /// since only the caller knows what a page is worth. Reading and decoding the file, and making sessions after an
    /// unload, run to their end first.
    pub timeout: Option<Duration>,
}

impl Default for RecognizeOptions {
    fn default() -> Self {
        Self { min_score: 0.5, max_strip_width: 4800, squeeze: 1.0, characters: false, rules: None, timeout: None }
    }
}

/// Options of telling which lines are upside down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrientOptions {
    /// Probability from which a line that contradicts the page's vote is read both ways up. RapidOCR turns lines from
    /// the same probability on.
    pub sure: f32,
    /// The least distance from one half of the mean of a page's lines at which unsure lines follow it. On 100 labelled
    /// pages, where five or more lines have one direction, upright ones have means of 0.00 to 0.36 and turned ones of
    /// 0.86 to 1.00; a single one lies between, at 0.60.
    pub close_vote: f32,
    /// The number of lines of each direction that are asked about first, the widest; `usize::MAX` asks about all. With
    /// 8 of the about 48 lines that receipts and forms have, and the rest of them asked only as below, a third of the
    /// questions is left.
    pub sample: usize,
    /// The least distance from one half of the mean of the sample at which the other lines follow it unasked. The
    /// orienter is wrong about single lines on every second form and every third receipt: one wrong answer of eight
    /// leaves the vote clear, two need the whole page.
    pub clear_vote: f32,
    /// Lines that follow unasked and get a lower score than this are asked about after all, and read the other way too
    /// where the orienter is sure. Of 590 lines of forms, receipts and scenes 19 % score lower as they stand, and
    /// 98 % upside down.
    pub poor: f32,
    /// The probability from which a page's turn, as a classifier of pages sees it, stands without a vote of the lines.
    pub sure_page: f32,
}

impl Default for OrientOptions {
    fn default() -> Self {
        Self { sure: 0.9, close_vote: 0.2, sample: 8, clear_vote: 0.25, poor: 0.95, sure_page: 0.85 }
    }
}

/// Settings that go together, by what matters most. They are where [`EngineOptions::preset`] begins: whatever is set
/// afterwards wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// As accurate as the models are.
    #[default]
    Default,
    /// Less work with the same models, and on no kind of the labelled pages an F1 lower by more than .02.
    Fast,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Default, Self::Fast];

    /// Returns the name that options and messages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Fast => "fast",
        }
    }
}

/// Options that hold for an engine's whole life.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EngineOptions {
    /// Threads that one call may use; `None` takes what the process may run on.
    pub threads: Option<usize>,
    /// The device that models run on, counted from 0 on, where the provider has several; `None` takes the first one.
    pub device: Option<u32>,
    /// Bounds for pictures.
    pub decode: DecodeLimits,
    /// Detection.
    pub detect: DetectOptions,
    /// Line turns.
    pub orient: OrientOptions,
    /// Recognition, for calls that bring no options of their own.
    pub recognize: RecognizeOptions,
    /// The languages that pictures are in; only their characters come out. `None` takes all that the model knows.
    pub languages: Option<Languages>,
    /// Takes less memory, and more time for pages with many lines: one reader instead of one a thread, no memory kept
    /// between runs, and what a call freed is given back to the system at its end. With the default models and two
    /// threads the process held 117 MB between calls instead of 415.
    pub low_memory: bool,
    /// Unloads the models after that long without a call; the next call loads them again. `None` starts no thread and
    /// keeps them.
    pub idle_unload: Option<Duration>,
}

impl EngineOptions {
    /// Returns the options of a preset, and defaults for the rest.
    pub fn preset(preset: Preset) -> Self {
        let mut options = Self::default();
        if preset == Preset::Fast {
            // docs/decisions.md has what was tried, and what each costs and saves.
            options.detect.character_height = 7.5;
            options.detect.least_side = 640;
            options.recognize.squeeze = 0.8;
        }
        options
    }

    /// Returns the number of threads a call may use, at least one.
    pub fn thread_count(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_preset_is_the_default_and_the_fast_one_does_less() {
        assert_eq!(EngineOptions::preset(Preset::Default), EngineOptions::default());
        let (fast, plain) = (EngineOptions::preset(Preset::Fast), EngineOptions::default());
        assert!(fast.detect.character_height < plain.detect.character_height);
        assert!(fast.detect.least_side < plain.detect.least_side);
        assert!(fast.recognize.squeeze < plain.recognize.squeeze);
        assert_eq!(Preset::ALL.map(Preset::name), ["default", "fast"]);
    }
}
