use super::*;
use crate::models::catalog::{self, find};
use crate::models::store::Store;

fn replaces(newer: &str, older: &str) -> bool {
    can_replace(find(newer).unwrap(), find(older).unwrap())
}

#[test]
fn a_newer_family_replaces_what_it_covers_at_no_smaller_size() {
    struct Case {
        newer: &'static str,
        older: &'static str,
        replaces: bool,
    }
    let cases = [
        Case { newer: "PP-OCRv6_rec_small.onnx", older: "ch_PP-OCRv5_rec_mobile.onnx", replaces: true },
        Case { newer: "PP-OCRv6_rec_small.onnx", older: "en_PP-OCRv4_rec_mobile.onnx", replaces: true },
        Case { newer: "PP-OCRv6_rec_medium.onnx", older: "ch_PP-OCRv5_rec_server.onnx", replaces: true },
        Case { newer: "ch_PP-OCRv5_det_mobile.onnx", older: "multi_PP-OCRv3_det_mobile.onnx", replaces: true },
        // Smaller.
        Case { newer: "PP-OCRv6_rec_tiny.onnx", older: "ch_PP-OCRv5_rec_mobile.onnx", replaces: false },
        Case { newer: "PP-OCRv6_rec_small.onnx", older: "ch_PP-OCRv5_rec_server.onnx", replaces: false },
        // Not newer.
        Case { newer: "PP-OCRv6_rec_medium.onnx", older: "PP-OCRv6_rec_small.onnx", replaces: false },
        Case { newer: "ch_PP-OCRv5_rec_mobile.onnx", older: "PP-OCRv6_rec_small.onnx", replaces: false },
        // Languages that the newer one does not name.
        Case { newer: "PP-OCRv6_rec_small.onnx", older: "korean_PP-OCRv5_rec_mobile.onnx", replaces: false },
        Case { newer: "PP-OCRv6_rec_tiny.onnx", older: "japan_PP-OCRv4_rec_mobile.onnx", replaces: false },
        Case { newer: "PP-OCRv6_det_small.onnx", older: "ch_PP-OCRv5_det_mobile.onnx", replaces: false },
        // Another role, and orienters.
        Case { newer: "PP-OCRv6_det_small.onnx", older: "ch_PP-OCRv4_rec_mobile.onnx", replaces: false },
        Case {
            newer: "ch_PP-LCNet_x0_25_textline_ori_cls_mobile.onnx",
            older: "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
            replaces: false,
        },
    ];
    for case in cases {
        assert_eq!(replaces(case.newer, case.older), case.replaces, "{} for {}", case.newer, case.older);
    }
}

#[test]
fn no_member_of_the_newest_sets_can_be_replaced() {
    for set in catalog::sets().iter().filter(|set| set.name.starts_with("ppocrv6")) {
        for entry in set.entries() {
            assert!(!catalog::entries().iter().any(|newer| can_replace(newer, entry)), "{}", entry.name);
        }
    }
}

#[test]
fn every_state_but_the_right_one_says_what_to_do() {
    let store = Store::open("models").unwrap();
    for state in State::ALL {
        let entry = AuditEntry::new("mine.onnx", "mine.onnx".into(), state);
        assert_eq!(action(&store.layout, &entry, &[]).is_none(), state == State::Current, "{state}");
    }
    let unreadable = AuditEntry::new("mine.onnx", "mine.onnx".into(), State::Unreadable);
    assert_eq!(action(&store.layout, &unreadable, &[]), Some("make it readable for this user".into()));
}

#[test]
fn a_list_of_characters_is_as_good_as_a_model_that_needs_it() {
    use State::{Corrupt, Current, Foreign, Old, Unverified};
    let cases: [(&[State], State); 8] = [
        (&[Current], Current),
        (&[Old], Old),
        (&[Unverified], Unverified),
        (&[Corrupt], Unverified),
        (&[Foreign], Unverified),
        (&[Old, Old], Old),
        (&[Corrupt, Old, Current], Current),
        (&[Old, Unverified], Unverified),
    ];
    for (models, state) in cases {
        assert_eq!(state_of_list(models), state, "{models:?}");
    }
}

#[test]
fn a_file_that_changed_says_so() {
    let content = Content { bytes: 1, sha256: "x".into(), structure: None, is_changing: true, key: None };
    let verdict = judge("PP-OCRv6_rec_small.onnx", &content, catalog::entries());
    assert_eq!(verdict.state, State::Corrupt);
    assert!(verdict.detail.ends_with("; it changed while it was read"), "{}", verdict.detail);
}
