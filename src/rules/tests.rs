use proptest::prelude::*;

use super::*;

/// Letters, digits, signs, the space, and two classes of several characters each. The blank is class 0.
fn texts() -> Vec<String> {
    let signs = ('a'..='z').chain('A'..='Z').chain('0'..='9').chain("-.,€ äПри".chars());
    signs.map(String::from).chain(["ff".to_owned(), "क्ष".to_owned()]).collect()
}

fn characters(texts: &[String]) -> Vec<(usize, &str)> {
    std::iter::once((0, "")).chain((1..).zip(texts.iter().map(String::as_str))).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn bound(allow: Option<&str>, pattern: Option<&str>, words: Option<&[String]>) -> Result<Arc<Bound>> {
    let texts = texts();
    Rules::new(allow, pattern, words)?.expect("something is given").bind(1, &characters(&texts), "m.onnx")
}

/// Returns true if the text may come out, with any split of it into classes.
fn takes(bound: &Bound, text: &str) -> bool {
    let texts = texts();
    let place = |class: usize| bound.classes.binary_search(&class).ok();
    let one_by_one: Option<Vec<_>> =
        text.chars().map(|sign| place(1 + texts.iter().position(|own| own.chars().eq([sign]))?)).collect();
    one_by_one.is_some_and(|places| match &bound.automaton {
        Some(automaton) => automaton.takes(places.into_iter()),
        None => true,
    })
}

#[test]
fn patterns_are_met_as_a_whole() {
    struct Case {
        pattern: &'static str,
        met: &'static [&'static str],
        not_met: &'static [&'static str],
    }
    let cases = [
        Case {
            pattern: r"[A-Z]{2}-\d{4}",
            met: &["AB-1234"],
            not_met: &["AB-123", "AB-12345", "xAB-1234", "aB-1234", ""],
        },
        Case { pattern: r"^\d+$", met: &["1", "12"], not_met: &["", "1a", " 1"] },
        Case { pattern: r"\d*", met: &["", "1"], not_met: &["a"] },
        Case { pattern: r"a|bc|", met: &["a", "bc", ""], not_met: &["b", "abc"] },
        Case { pattern: r"(ab?){2,3}", met: &["aa", "abab", "aaba"], not_met: &["a", "aaaa", "ba"] },
        Case { pattern: r"(?i)total", met: &["Total", "TOTAL"], not_met: &["Tota"] },
        Case { pattern: r"(a*)*b", met: &["b", "aab"], not_met: &["a", "bb"] },
        Case { pattern: r"[^\d]+", met: &["a-€"], not_met: &["a1"] },
        Case { pattern: r"\p{Lu}\w*", met: &["При", "Ab"], not_met: &["при", "ab"] },
        Case { pattern: r"(red|green)( (red|green))*", met: &["red", "green red"], not_met: &["red ", "redgreen"] },
        Case { pattern: r"a^b|c", met: &["c"], not_met: &["ab"] },
        Case { pattern: r".{3}", met: &["a 1"], not_met: &["ab"] },
    ];
    for Case { pattern, met, not_met } in cases {
        let bound = bound(None, Some(pattern), None).expect(pattern);
        met.iter().for_each(|text| assert!(takes(&bound, text), "{pattern} {text:?}"));
        not_met.iter().for_each(|text| assert!(!takes(&bound, text), "{pattern} {text:?}"));
    }
}

#[test]
fn words_are_met_with_one_space_between_them() {
    let bound = bound(None, None, Some(&words(&["Total", "New  York ", "Tot", "Total", "0"]))).unwrap();
    for text in ["Total", "Tot", "New York", "Total 0 Tot", "New York New York"] {
        assert!(takes(&bound, text), "{text:?}");
    }
    for text in ["", "total", "New", "New  York", "Total ", "TotalTot", " 0", "York"] {
        assert!(!takes(&bound, text), "{text:?}");
    }
}

#[test]
fn classes_of_several_characters_are_one_step() {
    let texts = texts();
    let (long, indic) = (texts.len() - 1, texts.len());
    for rules in [Rules::new(None, Some("aff?क्ष"), None), Rules::new(None, None, Some(&words(&["affक्ष", "afक्ष"])))]
    {
        let bound = rules.unwrap().unwrap().bind(1, &characters(&texts), "m.onnx").unwrap();
        let place = |class| bound.classes.binary_search(&class).unwrap();
        let letter = |sign: &str| place(1 + texts.iter().position(|own| own == sign).unwrap());
        let automaton = bound.automaton.as_ref().unwrap();
        let whole = |places: &[usize]| automaton.takes(places.iter().copied());
        assert!(whole(&[letter("a"), place(long), place(indic)]));
        assert!(whole(&[letter("a"), letter("f"), letter("f"), place(indic)]));
        assert!(whole(&[letter("a"), letter("f"), place(indic)]));
        assert!(!whole(&[letter("a"), place(long), letter("f"), place(indic)]));
        assert_eq!(automaton.to_go(ROOT), 3);
    }
}

#[test]
fn only_what_is_allowed_is_left() {
    let digits = bound(Some("0123456789"), None, None).unwrap();
    assert_eq!(digits.classes.len(), 10);
    assert!(takes(&digits, "42") && !takes(&digits, "4a"));
    let both = bound(Some("ABC0123456789-"), Some(r"\w{2}-\d{2}"), None).unwrap();
    assert!(takes(&both, "AB-12") && !takes(&both, "AD-12"));
    assert_eq!(both.classes.len(), 14);
}

#[test]
fn what_the_recogniser_cannot_write_is_named() {
    struct Case {
        allow: Option<&'static str>,
        pattern: Option<&'static str>,
        words: Option<&'static [&'static str]>,
        named: &'static [&'static str],
    }
    let all = Case { allow: None, pattern: None, words: None, named: &[] };
    let cases = [
        Case { allow: Some("12☃♞"), named: &["`allow`", "'☃' (U+2603)", "'♞'", "m.onnx"], ..all },
        Case { pattern: Some(r"(☃a|a)\d"), named: &["`pattern`", "'☃'"], ..all },
        Case { pattern: Some(r"[☀-☂]a"), named: &["`pattern`", "'☀'", "'☂'"], ..all },
        Case { pattern: Some(r"\p{Han}+"), named: &["`pattern`", "more"], ..all },
        Case { words: Some(&["a", "b☃"]), named: &["`words`", "'☃'"], ..all },
        Case { allow: Some("0123456789"), pattern: Some(r"\d-\d"), named: &["'-'", "`allow`"], ..all },
        Case { allow: Some("ab"), words: Some(&["a b"]), named: &["' '", "`allow`"], ..all },
        Case { pattern: Some(r"a^b"), named: &["nothing", "`pattern`"], ..all },
    ];
    for case in cases {
        let list = case.words.map(words);
        let error = bound(case.allow, case.pattern, list.as_deref()).expect_err("something is missing");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        case.named.iter().for_each(|named| assert!(error.to_string().contains(named), "{named} {error}"));
    }
    // Of a set one is enough.
    assert!(bound(None, Some(r"[☃a]"), None).is_ok() && bound(None, Some(r"\w+"), None).is_ok());
}

#[test]
fn what_is_no_rule_is_refused() {
    let (long, deep) = ("a".repeat(5000), format!("{}a{}", "(".repeat(400), ")".repeat(400)));
    let patterns = [
        ("[a", "unclosed character class"),
        ("(a", "unclosed group"),
        (r"\bab\b", "look"),
        (r"(?m)^a$", "look"),
        (r"a(?=b)", "look-around"),
        (r"(a)\1", "backreference"),
        (r"((a{1000}){1000}){1000}", "too large"),
        (r"(a?){4000000000}", "too large"),
        (r"(a|b)*a(a|b){20}", "too large"),
        (r"(\w{1,300} ){300}", "too large"),
        (long.as_str(), "5000 bytes"),
        (deep.as_str(), "nest"),
    ];
    for (pattern, why) in patterns {
        let error = bound(None, Some(pattern), None).expect_err(pattern);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let text = format!("{error} {:?}", error.hint());
        assert!(text.contains(why) && error.to_string().lines().count() <= 2, "{pattern}: {text}");
    }
    for (given, why) in [(&["a", " "][..], "without any character"), (&[][..], "names no word")] {
        assert!(bound(None, None, Some(&words(given))).unwrap_err().to_string().contains(why));
    }
    let many = vec!["a".repeat(1000); 2001];
    assert!(bound(None, None, Some(&many)).unwrap_err().to_string().contains("2000000 characters"));
    assert!(bound(Some(""), None, None).unwrap_err().to_string().contains("`allow`"));
    assert!(bound(None, Some("a"), Some(&words(&["a"]))).unwrap_err().to_string().contains("both"));
    assert!(Rules::new(None, None, None).unwrap().is_none());
}

#[test]
fn large_lists_and_patterns_are_taken() {
    let many: Vec<_> = (0..100_000).map(|number| format!("{number:06}")).collect();
    let list = bound(None, None, Some(&many)).unwrap();
    assert!(takes(&list, "012345 099999") && !takes(&list, "100000"));
    let long = bound(None, Some(r"[\w ]{1,1000}"), None).unwrap();
    assert!(takes(&long, &"a b".repeat(300)));
}

#[test]
fn rules_are_made_once_for_a_recogniser() {
    let (texts, rules) = (texts(), Rules::new(Some("ab"), None, None).unwrap().unwrap());
    let bind = |number, texts| rules.bind(number, &characters(texts), "m.onnx").unwrap();
    let first = bind(1, &texts);
    assert!(Arc::ptr_eq(&first, &bind(1, &texts)));
    let other = words(&["x", "b", "a"]);
    assert_eq!(bind(2, &other).classes, [2, 3]);
    assert_eq!(bind(1, &texts).classes, first.classes);
}

proptest! {
    /// Against a matcher that goes through all ways.
    #[test]
    fn an_automaton_takes_what_its_pattern_matches(
        pattern in "([abc]|[a-b]|[ab][?*]|\\(a[|]bc\\)|\\(ab?\\)\\{1,2\\}|c\\+|\\.){1,5}",
        texts in prop::collection::vec("[abc]{0,6}", 10),
    ) {
        fn ends(hir: &regex_syntax::hir::Hir, text: &[char], at: usize) -> BTreeSet<usize> {
            use regex_syntax::hir::{Class, HirKind};
            let step = |fits: bool| if fits { BTreeSet::from([at + 1]) } else { BTreeSet::new() };
            match hir.kind() {
                HirKind::Empty => BTreeSet::from([at]),
                HirKind::Literal(literal) => {
                    let own: Vec<char> = String::from_utf8_lossy(&literal.0).chars().collect();
                    if text[at..].starts_with(&own) { BTreeSet::from([at + own.len()]) } else { BTreeSet::new() }
                }
                HirKind::Class(Class::Unicode(class)) => {
                    let is_in = |sign: &char| class.ranges().iter().any(|r| (r.start()..=r.end()).contains(sign));
                    step(text.get(at).is_some_and(is_in))
                }
                HirKind::Class(Class::Bytes(class)) => {
                    let is_in = |sign: &char| {
                        class.ranges().iter().any(|r| (r.start()..=r.end()).contains(&(*sign as u8)))
                    };
                    step(text.get(at).is_some_and(is_in))
                }
                HirKind::Capture(capture) => ends(&capture.sub, text, at),
                HirKind::Concat(parts) => parts.iter().fold(BTreeSet::from([at]), |from, part| {
                    from.into_iter().flat_map(|at| ends(part, text, at)).collect()
                }),
                HirKind::Alternation(parts) => parts.iter().flat_map(|part| ends(part, text, at)).collect(),
                HirKind::Repetition(repetition) => {
                    let (mut now, mut all) = (BTreeSet::from([at]), BTreeSet::new());
                    for count in 0..=repetition.max.unwrap_or(10) {
                        if count >= repetition.min {
                            all.extend(now.iter().copied());
                        }
                        now = now.into_iter().flat_map(|at| ends(&repetition.sub, text, at)).collect();
                    }
                    all
                }
                HirKind::Look(_) => BTreeSet::new(),
            }
        }
        let hir = regex_syntax::parse(&pattern).unwrap();
        let bound = bound(None, Some(&pattern), None).unwrap();
        for text in texts {
            let signs: Vec<char> = text.chars().collect();
            prop_assert_eq!(takes(&bound, &text), ends(&hir, &signs, 0).contains(&signs.len()), "{} {}", pattern, text);
        }
    }

    /// Whatever is typed: a rule or an error, soon.
    #[test]
    fn any_pattern_is_a_rule_or_an_error(pattern in "[a-c(){}|*+?0-9,^$\\[\\]\\\\wdpL.-]{0,30}") {
        if let Err(error) = bound(None, Some(&pattern), None) {
            prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        }
    }
}
