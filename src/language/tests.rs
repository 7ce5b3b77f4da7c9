use super::*;

fn languages(codes: &[&str]) -> Languages {
    Languages::of(codes).unwrap()
}

#[test]
fn languages_narrow_letters_by_script_and_leave_signs() {
    struct Case {
        codes: &'static [&'static str],
        write: &'static str,
        never: &'static str,
    }
    let cases = [
        Case {
            codes: &["en"],
            write: "aZéßşơ09 .,;:!?'\"-–—“”…·€§°±×÷→■☑µ①",
            never: "дλ中あアー、。「」・〇Ａ１：￥ｱ㎡㈱아ا।،",
        },
        Case { codes: &["ru", "en"], write: "жЁёyz№", never: "中アλ，" },
        Case { codes: &["ru"], write: "жЁё7", never: "yzλ" },
        Case { codes: &["zh"], write: "中〇々、。《》：，（１㎡㈱ㄅ·7aＡ", never: "あアー゛아ж" },
        Case { codes: &["zh-Hani"], write: "中〇々、。《》：，（１㎡㈱·7", never: "aＡあアー゛아" },
        Case { codes: &["zh-Hans", "eng"], write: "中aＡ、7", never: "あж" },
        Case { codes: &["ja"], write: "中あアー、。「」・ｱ１a", never: "ㄅ아ж" },
        Case { codes: &["ja-Jpan"], write: "中あアー、。「」・ｱ１", never: "aㄅ아" },
        Case { codes: &["ko"], write: "아中、。a", never: "あж" },
        Case { codes: &["ko-Kore"], write: "아中、。", never: "aあ" },
        Case { codes: &["srp-Cyrl"], write: "жђ", never: "aš" },
        Case { codes: &["zh", "en"], write: "中aＡ、7", never: "あж" },
        Case { codes: &["hi"], write: "क।॥7", never: "a،" },
        Case { codes: &["ar"], write: "ا،؟7", never: "a।" },
        Case { codes: &["el"], write: "αώ", never: "aж" },
    ];
    for case in cases {
        let languages = languages(case.codes);
        let wrong: String = case.write.chars().filter(|&c| !languages.writes(c)).collect();
        assert_eq!(wrong, "", "{:?} are written with these", case.codes);
        // Letters and wide forms are told by block first.
        let wrong: String = case.never.chars().filter(|&c| languages.writes(c)).collect();
        assert_eq!(wrong, "", "{:?} are not written with these", case.codes);
    }
    assert!(languages(&["en"]).write("") && languages(&["en"]).write("ffi") && !languages(&["en"]).write("aж"));
}

#[test]
fn an_unknown_code_is_refused_with_those_that_are_known() {
    for code in ["xx", "", "EN", "zh-hans", "zh-Arab", "en-", "-Latn"] {
        let error = Languages::of(&["en", code]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(&format!("{code:?}")), "{error}");
        assert!(error.hint().unwrap().contains("de, el, en, eo"), "{error}");
    }
    assert_eq!(Languages::of::<&str>(&[]).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn what_was_probably_meant_is_said() {
    for (code, meant) in
        [("EN", "en"), ("jp", "ja"), ("cn", "zh"), ("german", "de"), ("Russ", "ru"), ("zh_CN", "zh"), ("en-US", "en")]
    {
        let hint = Languages::of(&[code]).unwrap_err().hint().unwrap();
        assert!(hint.contains(&format!("did you mean {meant:?}")), "{code}: {hint}");
    }
    assert!(!Languages::of(&["xx"]).unwrap_err().hint().unwrap().contains("did you mean"));
}

#[test]
fn the_same_language_has_several_codes() {
    for (code, first) in [("deu", "de"), ("ger", ""), ("zho", "zh"), ("chi_sim", "zh"), ("kat", "ka"), ("kan", "kn")] {
        match Languages::of(&[code]) {
            Ok(languages) => assert_eq!(languages.codes().collect::<Vec<_>>(), [first], "{code}"),
            Err(_) => assert_eq!(first, "", "{code}"),
        }
    }
    for (code, first) in all_codes() {
        assert_eq!(languages(&[code]).codes().collect::<Vec<_>>(), [first], "{code}");
    }
    assert_eq!(languages(&["eng", "en"]), languages(&["en"]));
}

#[test]
fn languages_are_a_set() {
    assert_eq!(languages(&["en", "de", "en"]), languages(&["de", "en"]));
    assert_eq!(languages(&["en", "de"]).codes().collect::<Vec<_>>(), ["de", "en"]);
}

#[test]
fn codes_are_sorted_and_each_has_one_language() {
    assert!(LANGUAGES.len() >= 60 && LANGUAGES.windows(2).all(|pair| pair[0].code < pair[1].code));
    assert!(LANGUAGES.iter().all(|language| language.code.len() == 2 && !language.needs.is_empty()));
}

#[test]
fn a_language_that_a_model_does_not_know_is_refused() {
    let latin: Vec<String> = ('a'..='z').chain(['中', 'ж', '1', '.']).map(String::from).collect();
    let known = |codes: &[&str]| languages(codes).check_known(latin.iter().map(String::as_str), "m.onnx");
    known(&["en", "id", "sw"]).unwrap();
    for (code, name) in [("ru", "Russian"), ("zh", "Chinese"), ("ja", "Japanese"), ("hi", "Hindi")] {
        let error = known(&["en", code]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let text = error.to_string();
        assert!(text.contains("m.onnx") && text.contains(name) && error.hint().is_some(), "{text}");
    }
}

/// Latin letters as the default recogniser has them, and the Russian ones.
fn common_letters() -> Vec<String> {
    let latin = ('A'..='Z').chain('a'..='z').chain('À'..='\u{2af}');
    latin.chain('А'..='я').chain(['ё', 'Ё']).map(String::from).collect()
}

#[test]
fn a_language_whose_own_letters_are_missing_is_refused_by_their_names() {
    let letters = common_letters();
    let check = |code: &str| languages(&[code]).check_known(letters.iter().map(String::as_str), "m.onnx");
    for (code, named) in [
        ("vi", "ả ạ ằ ắ"),
        ("ig", "ị ọ ụ ṅ"),
        ("yo", "ẹ ọ ṣ"),
        ("uk", "ґ є і ї"),
        ("kk", "ә ғ қ ң"),
        ("mk", "ѓ ѕ ј љ"),
        ("tg", "ғ ӣ қ ӯ"),
    ] {
        let error = check(code).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(named) && error.hint().is_some(), "{error}");
    }
    let refused: Vec<_> = LANGUAGES
        .iter()
        .filter(|language| language.needs.contains(&Script::Latin) && check(language.code).is_err())
        .map(|language| language.code)
        .collect();
    assert_eq!(refused, ["ig", "vi", "yo"]);
    for code in ["ru", "bg", "sr"] {
        check(code).unwrap();
    }
}

#[test]
fn a_few_missing_letters_are_let_pass() {
    let without = |left_out: &str| -> Vec<String> {
        common_letters().into_iter().filter(|letter| !left_out.contains(letter.as_str())).collect()
    };
    let check =
        |code: &str, letters: &[String]| languages(&[code]).check_known(letters.iter().map(String::as_str), "m.onnx");
    check("fr", &without("ÿŸœ")).unwrap();
    check("ro", &without("șțȘȚ")).unwrap();
    let error = check("ro", &without("șțȘȚşţŞŢ")).unwrap_err().to_string();
    assert!(error.contains("ș ț Ș Ț"), "{error}");
    let error = check("de", &without("äöüÄÖÜß")).unwrap_err().to_string();
    assert!(error.contains("of 7 ") && error.contains("ä ö ü ß Ä Ö Ü"), "{error}");
}

#[test]
fn letters_of_a_language_are_its_own() {
    for language in LANGUAGES {
        let letters: Vec<char> = language.letters.chars().collect();
        let distinct: HashSet<char> = letters.iter().copied().collect();
        assert_eq!(letters.len(), distinct.len(), "{}: {}", language.code, language.letters);
        assert!(letters.iter().all(|letter| language.needs.contains(&letter.script())), "{}", language.code);
        assert!(letters.iter().all(|letter| !letter.is_ascii() && !('а'..='я').contains(letter)), "{}", language.code);
    }
}

#[test]
fn letters_of_the_languages_own_are_likelier_than_other_accented_ones() {
    struct Case {
        codes: &'static [&'static str],
        own: &'static str,
        foreign: &'static str,
        neither: &'static str,
    }
    let cases = [
        Case { codes: &["cs"], own: "ěřůÝŽ", foreign: "öàłőß", neither: "aZ7. ×ª中ж" },
        Case { codes: &["cs", "de"], own: "ěöß", foreign: "àłő", neither: "s" },
        Case { codes: &["en"], own: "", foreign: "éÖế", neither: "e" },
        // Print from before there was a comma below has a cedilla.
        Case { codes: &["ro"], own: "șşȚŢ", foreign: "ç", neither: "s" },
        Case { codes: &["tr"], own: "İı", foreign: "í", neither: "iI" },
        Case { codes: &["sr-Latn"], own: "đ", foreign: "ö", neither: "ђ" },
        // Latin words on pages of another script may be of any language.
        Case { codes: &["ru", "fr"], own: "", foreign: "", neither: "éöё" },
        Case { codes: &["zh"], own: "", foreign: "", neither: "éǎ中" },
        Case { codes: &["sr"], own: "", foreign: "", neither: "đöђ" },
    ];
    for case in cases {
        let languages = languages(case.codes);
        let leaning = |letter: char| languages.leaning(letter.encode_utf8(&mut [0; 4]));
        for (letters, expected) in [(case.own, 2.0), (case.foreign, -2.0), (case.neither, 0.0)] {
            let other: String = letters.chars().filter(|&letter| leaning(letter) != expected).collect();
            assert_eq!(other, "", "{:?}, {expected}", case.codes);
        }
        assert_eq!((languages.leaning(""), languages.leaning("éé")), (0.0, 0.0), "classes that are no letter");
    }
}

#[test]
fn the_letters_of_formulas_are_no_greek() {
    let formulas: Vec<String> = ('Α'..='Ω').chain('α'..='ω').map(String::from).collect();
    let error = languages(&["el"]).check_known(formulas.iter().map(String::as_str), "m.onnx").unwrap_err();
    assert!(error.to_string().contains("Greek"), "{error}");
}
