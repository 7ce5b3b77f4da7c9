//! The models this crate knows by name: what each one is, where it lies, and what its bytes hash to.
//!
//! The catalog is data compiled into the crate. It never touches a disk or a network, and a model that is not in it can
//! still be used: it only cannot be fetched or verified by name.

mod entry;
mod table;

pub use entry::{Entry, Family, KnownFile, Size, Wheel};

/// The set an engine uses when its caller chose none. A package index alone can deliver all of its files.
pub const DEFAULT_SET: &str = "ppocrv6-small";

/// Models that work together, one for each role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelSet {
    /// Name of the set.
    pub name: &'static str,
    /// Its files, in the order of roles.
    pub files: &'static [&'static str],
}

impl ModelSet {
    /// Returns the set's catalog entries, in the order of roles.
    pub fn entries(&self) -> Vec<&'static Entry> {
        self.files.iter().filter_map(|name| find(name)).collect()
    }
}

/// The orienter of the sets whose family brought none of its own, and of those that a package index alone can deliver.
const V2_ORIENTER: &str = "ch_ppocr_mobile_v2.0_cls_mobile.onnx";

const SETS: &[ModelSet] = &[
    ModelSet { name: DEFAULT_SET, files: &["PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx", V2_ORIENTER] },
    ModelSet { name: "ppocrv6-tiny", files: &["PP-OCRv6_tiny_det.onnx", "PP-OCRv6_tiny_rec.onnx", V2_ORIENTER] },
    ModelSet { name: "ppocrv6-medium", files: &["PP-OCRv6_det_medium.onnx", "PP-OCRv6_rec_medium.onnx", V2_ORIENTER] },
    ModelSet {
        name: "ppocrv5-mobile",
        files: &["ch_PP-OCRv5_det_mobile.onnx", "ch_PP-OCRv5_rec_mobile.onnx", V2_ORIENTER],
    },
    ModelSet {
        name: "ppocrv5-server",
        files: &[
            "ch_PP-OCRv5_det_server.onnx",
            "ch_PP-OCRv5_rec_server.onnx",
            "ch_PP-LCNet_x1_0_textline_ori_cls_server.onnx",
        ],
    },
    ModelSet {
        name: "ppocrv4-mobile",
        files: &["ch_PP-OCRv4_det_mobile.onnx", "ch_PP-OCRv4_rec_mobile.onnx", V2_ORIENTER],
    },
];

/// Returns all known models.
pub fn entries() -> &'static [Entry] {
    table::ENTRIES
}

/// Returns the known model with exactly this file name.
pub fn find(name: &str) -> Option<&'static Entry> {
    entries().iter().find(|entry| entry.name == name)
}

/// Returns the known model that has a file of this name: the model itself, or the list of characters that goes with it.
pub fn owner(name: &str) -> Option<&'static Entry> {
    entries().iter().find(|entry| entry.files().any(|file| file.name == name))
}

/// Returns all sets of models, the default first.
pub fn sets() -> &'static [ModelSet] {
    SETS
}

/// Returns the set of models with exactly this name.
pub fn set(name: &str) -> Option<&'static ModelSet> {
    sets().iter().find(|set| set.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::models::{LONGEST_LIST, Role};

    #[test]
    fn names_are_unique_even_where_case_is_ignored() {
        let names: HashSet<_> = entries().iter().map(|entry| entry.name.to_lowercase()).collect();
        assert_eq!(names.len(), entries().len());
        assert_eq!(entries().len(), 45);
    }

    #[test]
    fn rows_hold_what_their_columns_promise() {
        for entry in entries() {
            let lower_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
            assert!(entry.sha256.len() == 64 && entry.sha256.bytes().all(lower_hex), "{}", entry.name);
            assert!(entry.address.is_some() || entry.wheel.is_some(), "{} comes from nowhere", entry.name);
            assert!(entry.address.is_none_or(|address| address.starts_with("https://")), "{}", entry.name);
            assert!(entry.address.is_none_or(|address| address.rsplit('/').next() == Some(entry.name)));
            assert!(entry.name.ends_with(".onnx"), "{}", entry.name);
            assert!(!entry.languages.is_empty(), "{}", entry.name);
        }
    }

    #[test]
    fn hashes_and_addresses_are_unique() {
        let hashes: HashSet<_> = entries().iter().map(|entry| entry.sha256).collect();
        let with_address = entries().iter().filter_map(|entry| entry.address);
        let addresses: HashSet<_> = with_address.clone().collect();
        assert_eq!((hashes.len(), addresses.len()), (entries().len(), with_address.count()));
    }

    #[test]
    fn the_family_is_the_one_in_the_name() {
        for entry in entries().iter().filter(|entry| entry.name.contains("PP-OCRv")) {
            assert!(entry.name.contains(&entry.family.to_string()), "{} is not {}", entry.name, entry.family);
        }
        assert!(Family::V4 < Family::V6);
    }

    #[test]
    fn every_file_inside_a_wheel_has_a_size() {
        let count = |is_counted: fn(&&Entry) -> bool| entries().iter().filter(is_counted).count();
        assert_eq!((count(|entry| entry.wheel.is_some()), count(|entry| entry.bytes.is_some())), (10, 31));
        for entry in entries() {
            assert!(entry.bytes.is_some() || entry.wheel.is_none(), "{}", entry.name);
            let Some(wheel) = entry.wheel else { continue };
            assert!(wheel.member.ends_with(".onnx") && wheel.sha256.len() == 64, "{}", entry.name);
            assert_eq!(wheel.file, format!("{}-{}-py3-none-any.whl", wheel.package.replace('-', "_"), wheel.version));
        }
    }

    #[test]
    fn a_list_of_characters_is_where_an_engine_looks_for_it_and_in_the_model_s_wheel() {
        let mut count = 0;
        for entry in entries() {
            assert_eq!(entry.files().last(), Some(entry.file()), "{}", entry.name);
            assert_eq!(owner(entry.name), Some(entry));
            let Some(list) = entry.characters else { continue };
            count += 1;
            assert_eq!(Some(list.name), entry.name.strip_suffix("onnx").map(|stem| format!("{stem}txt")).as_deref());
            assert_eq!((entry.role, owner(list.name), find(list.name)), (Role::Recognizer, Some(entry), None));
            assert!(list.bytes.is_some_and(|bytes| bytes <= LONGEST_LIST) && list.sha256.len() == 64);
            let wheels = (list.wheel.unwrap(), entry.wheel.unwrap());
            assert_eq!(Wheel { member: wheels.1.member, ..wheels.0 }, wheels.1, "one wheel has both");
            assert!(wheels.0.member.ends_with(".txt"));
        }
        assert_eq!(count, 1);
    }

    #[test]
    fn every_member_of_a_set_is_known_and_has_its_role() {
        for set in sets() {
            let roles: Vec<_> = set.entries().iter().map(|entry| entry.role).collect();
            assert_eq!(roles, [Role::Detector, Role::Recognizer, Role::Orienter], "{}", set.name);
            let names: Vec<_> = set.entries().iter().map(|entry| entry.name).collect();
            assert_eq!(names, set.files, "{}", set.name);
        }
    }

    #[test]
    fn some_sets_can_be_taken_from_wheels() {
        assert_eq!(set(DEFAULT_SET).unwrap(), &sets()[0]);
        for name in [DEFAULT_SET, "ppocrv5-mobile", "ppocrv6-tiny"] {
            assert!(set(name).unwrap().entries().iter().all(|entry| entry.wheel.is_some()), "{name}");
        }
    }

    #[test]
    fn set_names_are_unique_and_no_file_names() {
        let names: HashSet<_> = sets().iter().map(|set| set.name).collect();
        assert_eq!(names.len(), sets().len());
        assert!(names.iter().all(|name| find(name).is_none()));
    }

    #[test]
    fn roles_and_sizes_print_as_words() {
        assert_eq!(Role::Recognizer.to_string(), "recognizer");
        assert_eq!(Size::Tiny.to_string(), "tiny");
    }

    proptest! {
        #[test]
        fn finding_needs_the_exact_name(name in "[A-Za-z0-9_.-]{0,40}", index in 0usize..45, cut in 1usize..8) {
            let entry = &entries()[index];
            prop_assert_eq!(find(entry.name), Some(entry));
            prop_assert_eq!(find(&entry.name[cut..]), None);
            prop_assert_eq!(find(&name).is_some(), entries().iter().any(|entry| entry.name == name));
        }
    }
}
