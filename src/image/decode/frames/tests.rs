use proptest::prelude::*;

use super::super::decode;
use super::*;

const FORMS: [Form; 4] = [
    Form { is_big_endian: false, is_long: false },
    Form { is_big_endian: true, is_long: false },
    Form { is_big_endian: false, is_long: true },
    Form { is_big_endian: true, is_long: true },
];

/// A grey frame of one colour.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    size: (u16, u16),
    grey: u8,
    /// The kind that the file says it is.
    kind: u16,
}

/// Pages of different sizes and colours.
fn pages(count: u16) -> Vec<Drawn> {
    (0..count).map(|page| Drawn { size: (3 + page, 2), grey: 10 * page as u8, kind: 2 }).collect()
}

fn put(form: Form, file: &mut Vec<u8>, value: u64, bytes: usize) {
    let (big, little) = (value.to_be_bytes(), value.to_le_bytes());
    file.extend(if form.is_big_endian { &big[8 - bytes..] } else { &little[..bytes] });
}

/// The beginning of a file whose first directory is at `offset`.
fn header(form: Form, offset: u64) -> Vec<u8> {
    let mut file = if form.is_big_endian { b"MM".to_vec() } else { b"II".to_vec() };
    if form.is_long {
        [(43, 2), (8, 2), (0, 2), (offset, 8)]
            .into_iter()
            .for_each(|(value, bytes)| put(form, &mut file, value, bytes));
    } else {
        [(42, 2), (offset, 4)].into_iter().for_each(|(value, bytes)| put(form, &mut file, value, bytes));
    }
    file
}

/// A TIFF file with these frames; the last one leads to `end`.
fn tiff(form: Form, frames: &[Drawn], end: u64) -> Vec<u8> {
    let (head, entry, word) = if form.is_long { (8, 20, 8) } else { (2, 12, 4) };
    let mut file = header(form, if form.is_long { 16 } else { 8 });
    for (index, frame) in frames.iter().enumerate() {
        let (width, height) = (u64::from(frame.size.0), u64::from(frame.size.1));
        let pixels = file.len() as u64 + head as u64 + 9 * entry + word as u64;
        let kind = u64::from(frame.kind);
        let tags =
            [(254, kind), (256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, pixels), (278, height)];
        put(form, &mut file, 9, head);
        for (tag, value) in tags.into_iter().chain([(279, width * height)]) {
            put(form, &mut file, tag, 2);
            put(form, &mut file, 4, 2);
            put(form, &mut file, 1, word);
            put(form, &mut file, value, 4);
            file.extend(std::iter::repeat_n(0, word - 4));
        }
        let next = if index + 1 == frames.len() { end } else { pixels + width * height };
        put(form, &mut file, next, word);
        file.extend(std::iter::repeat_n(frame.grey, (width * height) as usize));
    }
    file
}

/// The first value and the width of each page, None for one that cannot be decoded.
fn seen(frames: &Frames) -> Vec<Option<(u8, u32)>> {
    let limits = DecodeLimits::default();
    let page = |index| frames.decode(index, &limits).ok().map(|picture| (picture.pixels()[0], picture.width()));
    (0..frames.count()).map(page).collect()
}

#[test]
fn every_page_comes_by_its_number_in_all_forms_of_the_file() {
    for form in FORMS {
        let file = tiff(form, &pages(5), 0);
        let frames = Frames::of_bytes(file.clone()).expect("a TIFF file");
        let expected: Vec<_> = (0..5).map(|page| Some((10 * page as u8, 3 + page))).collect();
        assert_eq!(seen(&frames), expected, "{form:?}");
        let first = decode(&file, &DecodeLimits::default()).expect("the first page");
        assert_eq!(frames.decode(0, &DecodeLimits::default()).expect("the same"), first);
        assert_eq!(frames.decode(5, &DecodeLimits::default()).expect_err("none").kind(), ErrorKind::InvalidArgument);
    }
}

/// A directory of a page of 2x2 pixels that says `ratios` across and down, in `unit`.
fn with_resolution(form: Form, ratios: [(u32, u32); 2], unit: u64) -> Vec<u8> {
    let (head, entry, word) = if form.is_long { (8, 20, 8) } else { (2, 12, 4) };
    let mut file = header(form, if form.is_long { 16 } else { 8 });
    let behind = file.len() as u64 + head as u64 + 4 * entry + word as u64;
    put(form, &mut file, 4, head);
    for (tag, kind, value) in [(256, 4, 2), (282, 5, 0), (283, 5, 1), (296, 3, unit)] {
        put(form, &mut file, tag, 2);
        put(form, &mut file, kind, 2);
        put(form, &mut file, 1, word);
        let start = file.len();
        match (kind, form.is_long) {
            (5, true) => ratios.get(value as usize).into_iter().for_each(|&(above, below)| {
                put(form, &mut file, above.into(), 4);
                put(form, &mut file, below.into(), 4);
            }),
            (5, false) => put(form, &mut file, behind + 8 * value, 4),
            (3, _) => put(form, &mut file, value, 2),
            _ => put(form, &mut file, value, 4),
        }
        file.resize(start + word, 0);
    }
    put(form, &mut file, 0, word);
    for (above, below) in ratios {
        put(form, &mut file, above.into(), 4);
        put(form, &mut file, below.into(), 4);
    }
    file
}

#[test]
fn a_page_says_how_many_pixels_it_has_to_the_inch() {
    struct Case {
        name: &'static str,
        ratios: [(u32, u32); 2],
        unit: u64,
        dpi: Option<f64>,
    }
    let cases = [
        Case { name: "inches", ratios: [(300, 1), (3000, 10)], unit: 2, dpi: Some(300.0) },
        Case { name: "centimetres", ratios: [(100, 1); 2], unit: 3, dpi: Some(254.0) },
        Case { name: "a ratio alone", ratios: [(300, 1); 2], unit: 1, dpi: None },
        Case { name: "an unknown unit counts as usual", ratios: [(300, 1); 2], unit: 77, dpi: Some(300.0) },
        Case { name: "a fax", ratios: [(204, 1), (98, 1)], unit: 2, dpi: None },
        Case { name: "nothing true", ratios: [(1, 1); 2], unit: 2, dpi: None },
        Case { name: "a division by nothing", ratios: [(300, 0); 2], unit: 2, dpi: None },
    ];
    for case in cases {
        for form in FORMS {
            let file = with_resolution(form, case.ratios, case.unit);
            let frames = Frames::of_bytes(file.clone()).expect("a TIFF file");
            assert_eq!((frames.dpi(0), frames.dpi(1)), (case.dpi, None), "{} {form:?}", case.name);
            if !form.is_long {
                let cut = Frames::of_bytes(file[..file.len() - 9].to_vec()).expect("a TIFF file");
                assert_eq!(cut.dpi(0), None, "{} {form:?}", case.name);
            }
        }
    }
    let silent = Frames::of_bytes(tiff(FORMS[0], &pages(2), 0)).expect("a TIFF file");
    assert_eq!(silent.dpi(1), None);
}

#[test]
fn copies_and_masks_are_no_pages_unless_there_is_nothing_else() {
    struct Case {
        name: &'static str,
        kinds: &'static [u16],
        pages: &'static [u8],
    }
    let cases = [
        Case { name: "a preview in front", kinds: &[1, 0, 0], pages: &[1, 2] },
        Case { name: "smaller and smaller copies", kinds: &[0, 1, 1], pages: &[0] },
        Case { name: "masks", kinds: &[2, 4, 2, 6], pages: &[0, 2] },
        Case { name: "nothing but copies", kinds: &[1, 1], pages: &[0, 1] },
    ];
    for case in cases {
        let drawn = |(index, &kind): (usize, &u16)| Drawn { size: (4, 4), grey: index as u8, kind };
        let drawn: Vec<_> = case.kinds.iter().enumerate().map(drawn).collect();
        let frames = Frames::of_bytes(tiff(FORMS[0], &drawn, 0)).expect(case.name);
        let found: Vec<_> = seen(&frames).into_iter().flatten().map(|(grey, _)| grey).collect();
        assert_eq!(found, case.pages, "{}", case.name);
    }
}

#[test]
fn a_broken_chain_is_one_more_page_that_says_so() {
    for form in FORMS {
        let whole = tiff(form, &pages(3), 0);
        let first = if form.is_long { 16 } else { 8 };
        for (file, why) in [
            (tiff(form, &pages(3), first), "leads back"),
            (tiff(form, &pages(3), 1 << 30), "leads out of the file"),
            // Cut within the third directory.
            (whole[..whole.len() - 20].to_vec(), "leads out of the file"),
        ] {
            let frames = Frames::of_bytes(file).expect("its beginning is whole");
            let pages = frames.count() - 1;
            assert!(seen(&frames)[..pages].iter().all(Option::is_some), "{form:?}, {why}");
            let error = frames.decode(pages, &DecodeLimits::default()).expect_err("no page");
            assert!(error.to_string().contains(why) && error.hint().is_some(), "{error}");
        }
    }
}

#[test]
fn what_has_no_page_is_refused() {
    for bytes in
        [&b""[..], b"II", b"II*\0", b"II*\0\0\0\0\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\0", b"PNG!"]
    {
        let error = Frames::of_bytes(bytes).err().expect("refused");
        assert_eq!(error.kind(), ErrorKind::Image, "{error}");
    }
}

#[test]
fn limits_hold_for_every_page() {
    let frames = Frames::of_bytes(tiff(FORMS[0], &pages(4), 0)).expect("a TIFF file");
    let limits = DecodeLimits { max_pixels: 8, ..DecodeLimits::default() };
    let outcome: Vec<_> = (0..4).map(|index| frames.decode(index, &limits).is_ok()).collect();
    assert_eq!(outcome, [true, true, false, false]);
    let error = frames.decode(3, &limits).expect_err("too large");
    assert!(error.to_string().contains("max_pixels=8"), "{error}");
}

#[test]
fn a_closed_file_is_closed_for_everybody() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("pages.tiff");
    std::fs::write(&path, tiff(FORMS[1], &pages(2), 0)).expect("a file");
    let frames = Frames::of_file(&path).expect("a TIFF file");
    assert_eq!(seen(&frames).into_iter().flatten().count(), 2);
    frames.close();
    frames.close();
    let error = frames.decode(1, &DecodeLimits::default()).expect_err("closed");
    assert_eq!((error.kind(), frames.count()), (ErrorKind::ResourcesFreed, 2));
}

proptest! {
    #[test]
    fn any_damage_ends_in_pages_within_the_limits_or_in_errors(
        form in prop::sample::select(&FORMS[..]),
        count in 1u16..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = tiff(form, &pages(count), 0);
        for (place, value) in damage {
            let place = place.index(file.len());
            file[place] = value;
        }
        file.truncate(cut.index(file.len()) + 1);
        let limits = DecodeLimits { max_pixels: 1 << 12, max_side: 1 << 10, max_bytes: 1 << 12 };
        if let Ok(frames) = Frames::of_bytes(file) {
            for index in 0..frames.count() {
                if let Ok(picture) = frames.decode(index, &limits) {
                    prop_assert!(u64::from(picture.width()) * u64::from(picture.height()) <= limits.max_pixels);
                }
            }
        }
    }
}
