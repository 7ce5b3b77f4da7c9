//! Any file at all.

use proptest::prelude::*;

use super::*;

fn any_tags() -> impl Strategy<Value = Vec<(u16, u16, Vec<u32>)>> {
    let known = prop::sample::select(vec![
        (258u16, vec![1u32, 2, 4, 8, 12, 16, 24, 32, 64]),
        (259, vec![1, 2, 3, 4, 5, 6, 7, 8, 32773]),
        (262, vec![0, 1, 2, 3, 5, 6]),
        (266, vec![1, 2]),
        (274, vec![1, 5, 6]),
        (277, vec![1, 2, 3, 4, 5]),
        (278, vec![0, 1, 3, 1000]),
        (284, vec![1, 2]),
        (292, vec![0, 1, 4]),
        (317, vec![1, 2, 3]),
        (322, vec![1, 8, 16]),
        (323, vec![1, 8, 16]),
        (338, vec![0, 1, 2]),
        (339, vec![1, 2, 3]),
        (513, vec![8, 20]),
    ]);
    let tag = known.prop_flat_map(|(tag, values)| {
        (Just(tag), Just(SHORT), prop::sample::select(values).prop_map(|value| vec![value]))
    });
    let palette = Just((320u16, SHORT, (0..768).collect::<Vec<u32>>()));
    let size = (1u32..40, 1u32..40).prop_map(|(width, height)| tags((width, height), &[]));
    let all = (size, prop::collection::vec(tag, 0..10), prop::option::of(palette));
    all.prop_map(|(mut all, others, palette)| {
        all.extend(others);
        all.extend(palette);
        all.dedup_by_key(|(tag, ..)| *tag);
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn any_variety_ends_in_pixels_or_an_error(
        is_big_endian in any::<bool>(),
        tags in any_tags(),
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..6),
        is_deflated in any::<bool>(),
    ) {
        let chunks: Vec<_> = chunks.into_iter().map(|data| if is_deflated { deflated(&data) } else { data }).collect();
        let limits = DecodeLimits { max_pixels: 1 << 12, max_side: 1 << 10, max_bytes: 1 << 16 };
        match decode(&tiff(is_big_endian, &tags, &chunks), &limits) {
            Ok(picture) => prop_assert!(u64::from(picture.width()) * u64::from(picture.height()) <= limits.max_pixels),
            Err(error) => prop_assert!(error.hint().is_some(), "{}", error),
        }
    }
}
