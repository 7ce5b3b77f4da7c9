use std::io::{Cursor, Write};

use flate2::Compression as Level;
use flate2::write::ZlibEncoder;
use weezl::BitOrder;
use weezl::encode::Encoder;

use crate::error::{Error, Result};
use crate::image::Picture;
use crate::image::decode::decode;
use crate::options::DecodeLimits;

mod any;

const SHORT: u16 = 3;
const LONG: u16 = 4;

/// A file in the older form with one directory: `tags` with the bytes of `chunks`, whose places and lengths it adds.
fn tiff(is_big_endian: bool, tags: &[(u16, u16, Vec<u32>)], chunks: &[Vec<u8>]) -> Vec<u8> {
    let put = |file: &mut Vec<u8>, value: u32, bytes: usize| {
        let (big, little) = (value.to_be_bytes(), value.to_le_bytes());
        file.extend(if is_big_endian { &big[4 - bytes..] } else { &little[..bytes] });
    };
    let mut data = Vec::new();
    let (mut places, mut lengths) = (Vec::new(), Vec::new());
    for chunk in chunks {
        places.push(8 + data.len() as u32);
        lengths.push(chunk.len() as u32);
        data.extend(chunk);
    }
    let is_tiled = tags.iter().any(|(tag, ..)| *tag == 322);
    let mut tags = tags.to_vec();
    tags.push((if is_tiled { 324 } else { 273 }, LONG, places));
    tags.push((if is_tiled { 325 } else { 279 }, LONG, lengths));
    tags.sort_by_key(|(tag, ..)| *tag);
    let mut entries = Vec::new();
    put(&mut entries, tags.len() as u32, 2);
    for (tag, kind, values) in &tags {
        let size = if *kind == SHORT { 2 } else { 4 };
        let mut bytes = Vec::new();
        values.iter().for_each(|value| put(&mut bytes, *value, size));
        put(&mut entries, (*tag).into(), 2);
        put(&mut entries, (*kind).into(), 2);
        put(&mut entries, values.len() as u32, 4);
        if bytes.len() > 4 {
            put(&mut entries, 8 + data.len() as u32, 4);
            data.extend(bytes);
        } else {
            bytes.resize(4, 0);
            entries.extend(bytes);
        }
    }
    put(&mut entries, 0, 4);
    let mut file = if is_big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
    put(&mut file, 8 + data.len() as u32, 4);
    [file, data, entries].concat()
}

/// Tags of a picture, each of one value or of several numbers of 16 bits.
fn tags(size: (u32, u32), others: &[(u16, &[u32])]) -> Vec<(u16, u16, Vec<u32>)> {
    let mut all = vec![(256, LONG, vec![size.0]), (257, LONG, vec![size.1])];
    all.extend(others.iter().map(|(tag, values)| (*tag, SHORT, values.to_vec())));
    all
}

fn read(file: &[u8]) -> Result<Picture> {
    decode(file, &DecodeLimits::default())
}

fn refused(file: &[u8]) -> Error {
    let error = read(file).expect_err("refused");
    assert!(error.hint().is_some(), "{error}");
    error
}

/// The first value of each pixel.
fn reds(picture: &Picture) -> Vec<u8> {
    picture.pixels().chunks_exact(3).map(|pixel| pixel[0]).collect()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("no file is written")
}

fn lzw(bytes: &[u8]) -> Vec<u8> {
    Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(bytes).expect("codes")
}

/// Tags with numbers of 16 bits.
type Tags = &'static [(u16, &'static [u32])];

struct Case {
    name: &'static str,
    size: (u32, u32),
    tags: Tags,
    data: Vec<u8>,
    rgb: Vec<[u8; 3]>,
}

fn grey(values: &[u8]) -> Vec<[u8; 3]> {
    values.iter().map(|value| [*value; 3]).collect()
}

fn depths() -> Vec<Case> {
    vec![
        Case {
            name: "1 bit",
            size: (3, 2),
            tags: &[(262, &[1])],
            data: vec![0xa0, 0x40],
            rgb: grey(&[255, 0, 255, 0, 255, 0]),
        },
        Case { name: "1 bit, white is 0", size: (2, 1), tags: &[(262, &[0])], data: vec![0x80], rgb: grey(&[0, 255]) },
        Case {
            name: "2 bits",
            size: (4, 1),
            tags: &[(258, &[2]), (262, &[1])],
            data: vec![0x1b],
            rgb: grey(&[0, 85, 170, 255]),
        },
        Case {
            name: "4 bits, odd width",
            size: (3, 1),
            tags: &[(258, &[4]), (262, &[1])],
            data: vec![0x0f, 0x80],
            rgb: grey(&[0, 255, 136]),
        },
        Case {
            name: "8 bits",
            size: (2, 1),
            tags: &[(258, &[8]), (262, &[1])],
            data: vec![7, 200],
            rgb: grey(&[7, 200]),
        },
        Case {
            name: "12 bits",
            size: (2, 1),
            tags: &[(258, &[12]), (262, &[1])],
            data: vec![0xff, 0xf1, 0x23],
            rgb: grey(&[255, 0x12]),
        },
        Case {
            name: "no colour is told",
            size: (2, 1),
            tags: &[(258, &[8])],
            data: vec![7, 200],
            rgb: grey(&[248, 55]),
        },
    ]
}

fn colours() -> Vec<Case> {
    const FOUR: &[u32] = &[0, 0xffff, 0x8000, 0x1234, 0, 0, 0x8000, 0x5678, 0xffff, 0, 0x8000, 0x9abc];
    vec![
        Case {
            name: "RGB",
            size: (2, 1),
            tags: &[(258, &[8, 8, 8]), (262, &[2]), (277, &[3])],
            data: vec![1, 2, 3, 4, 5, 6],
            rgb: vec![[1, 2, 3], [4, 5, 6]],
        },
        Case {
            name: "palette",
            size: (4, 1),
            tags: &[(258, &[2]), (262, &[3]), (320, FOUR)],
            data: vec![0x1b],
            rgb: vec![[0, 0, 255], [255, 0, 0], [128; 3], [0x12, 0x56, 0x9a]],
        },
        Case {
            name: "palette of 8 bits",
            size: (2, 1),
            tags: &[(258, &[1]), (262, &[3]), (320, &[200, 1, 2, 3, 4, 255])],
            data: vec![0x40],
            rgb: vec![[200, 2, 4], [1, 3, 255]],
        },
        Case {
            name: "CMYK",
            size: (2, 1),
            tags: &[(258, &[8; 4]), (262, &[5]), (277, &[4])],
            data: vec![255, 0, 0, 0, 0, 0, 0, 255],
            rgb: vec![[0, 255, 255], [0; 3]],
        },
        Case {
            name: "YCbCr",
            size: (2, 1),
            tags: &[(258, &[8; 3]), (262, &[6]), (277, &[3]), (530, &[1, 1])],
            data: vec![100, 128, 128, 76, 85, 255],
            rgb: vec![[100; 3], [254, 0, 0]],
        },
        Case {
            name: "YCbCr in blocks",
            size: (2, 2),
            tags: &[(258, &[8; 3]), (262, &[6]), (277, &[3])],
            data: vec![10, 20, 30, 40, 128, 128],
            rgb: grey(&[10, 20, 30, 40]),
        },
        Case {
            name: "grey and alpha",
            size: (2, 1),
            tags: &[(258, &[8, 8]), (262, &[1]), (277, &[2]), (338, &[2])],
            data: vec![0, 255, 0, 0],
            rgb: grey(&[0, 255]),
        },
        Case {
            name: "alpha that is in the colour",
            size: (2, 1),
            tags: &[(258, &[8, 8]), (262, &[1]), (277, &[2]), (338, &[1])],
            data: vec![0, 255, 50, 128],
            rgb: grey(&[0, 177]),
        },
        Case {
            name: "a sample of nothing",
            size: (1, 1),
            tags: &[(258, &[8, 8]), (262, &[1]), (277, &[2]), (338, &[0])],
            data: vec![9, 0],
            rgb: grey(&[9]),
        },
        Case {
            name: "an undeclared sample that is 0",
            size: (1, 1),
            tags: &[(258, &[8; 4]), (262, &[2]), (277, &[4])],
            data: vec![1, 2, 3, 0],
            rgb: vec![[1, 2, 3]],
        },
    ]
}

#[test]
fn every_depth_and_colour_is_read_in_both_orders_of_bytes() {
    for case in depths().into_iter().chain(colours()) {
        for is_big_endian in [false, true] {
            let file = tiff(is_big_endian, &tags(case.size, case.tags), std::slice::from_ref(&case.data));
            let picture = read(&file).unwrap_or_else(|error| panic!("{}: {error}", case.name));
            assert_eq!((picture.width(), picture.height()), case.size, "{}", case.name);
            assert_eq!(picture.pixels(), case.rgb.concat(), "{}", case.name);
        }
    }
    for (is_big_endian, data) in [(false, [0x34, 0x12, 0xff, 0xff]), (true, [0x12, 0x34, 0xff, 0xff])] {
        let file = tiff(is_big_endian, &tags((2, 1), &[(258, &[16]), (262, &[1])]), &[data.to_vec()]);
        assert_eq!(reds(&read(&file).expect("16 bits")), [0x12, 255]);
    }
}

#[test]
fn samples_without_a_known_range_are_as_bright_as_they_may_be_meant() {
    let floats = |values: [f32; 3]| values.map(f32::to_le_bytes).concat();
    for (data, expected) in [([0.0, 0.5, 1.0], [0, 128, 255]), ([0.0, 31.0, 255.0], [0, 31, 255])] {
        let file = tiff(false, &tags((3, 1), &[(258, &[32]), (262, &[1]), (339, &[3])]), &[floats(data)]);
        assert_eq!(reds(&read(&file).expect("decimal numbers")), expected);
    }
    let whole = [31i32, 255].map(i32::to_be_bytes).concat();
    let file = tiff(true, &tags((2, 1), &[(258, &[32]), (262, &[1]), (339, &[2])]), &[whole]);
    assert_eq!(reds(&read(&file).expect("whole numbers")), [31, 255]);
}

#[test]
fn strips_tiles_and_planes_come_to_their_places() {
    let strips = tiff(false, &tags((2, 3), &[(258, &[8]), (262, &[1]), (278, &[2])]), &[vec![1, 2, 3, 4], vec![5, 6]]);
    assert_eq!(reds(&read(&strips).expect("strips")), [1, 2, 3, 4, 5, 6]);
    let tiles: Vec<_> = [1, 2, 3, 4].map(|value| vec![value; 4]).into();
    let tiled = tiff(true, &tags((3, 3), &[(258, &[8]), (262, &[1]), (322, &[2]), (323, &[2])]), &tiles);
    assert_eq!(reds(&read(&tiled).expect("tiles")), [1, 1, 2, 1, 1, 2, 3, 3, 4]);
    let as_strips: Vec<_> = tags((3, 3), &[(258, &[8]), (262, &[1]), (322, &[2]), (323, &[2])]);
    let mut renamed = tiff(false, &as_strips, &tiles);
    for (old, new) in [(324u16, 273u16), (325, 279)] {
        let at = renamed
            .windows(4)
            .rposition(|bytes| bytes == [old.to_le_bytes(), LONG.to_le_bytes()].concat())
            .expect("a tag");
        renamed[at..at + 2].copy_from_slice(&new.to_le_bytes());
    }
    assert_eq!(read(&renamed).expect("tiles that are called strips"), read(&tiled).expect("tiles"));
    let planes = [vec![1, 2], vec![3, 4], vec![5, 6]];
    let planar = tiff(false, &tags((2, 1), &[(258, &[8; 3]), (262, &[2]), (277, &[3]), (284, &[2])]), &planes);
    assert_eq!(read(&planar).expect("planes").pixels(), [1, 3, 5, 2, 4, 6]);
}

#[test]
fn compressed_data_is_expanded_whatever_the_order_of_its_bits() {
    let pixels: Vec<u8> = (0..64).collect();
    let runs: Vec<u8> = [&[63][..], &pixels].concat();
    for (name, code, data) in [
        ("none", 1, pixels.clone()),
        ("LZW", 5, lzw(&pixels)),
        ("LZW of old", 5, Encoder::new(BitOrder::Lsb, 8).encode(&pixels).expect("codes")),
        ("deflate", 8, deflated(&pixels)),
        ("deflate of old", 32946, deflated(&pixels)),
        ("runs", 32773, runs),
    ] {
        for fill_order in [1, 2] {
            let data = data.iter().map(|byte| if fill_order == 2 { byte.reverse_bits() } else { *byte }).collect();
            let tags = tags((8, 8), &[(258, &[8]), (259, &[code]), (262, &[1]), (266, &[fill_order])]);
            assert_eq!(reds(&read(&tiff(false, &tags, &[data])).expect(name)), pixels, "{name}, {fill_order}");
        }
    }
}

#[test]
fn differences_are_undone_in_each_row() {
    let eight = tags((3, 2), &[(258, &[8]), (259, &[8]), (262, &[1]), (317, &[2])]);
    assert_eq!(
        reds(&read(&tiff(false, &eight, &[deflated(&[1, 1, 255, 9, 1, 1])])).expect("8 bits")),
        [1, 2, 1, 9, 10, 11]
    );
    let sixteen = tags((2, 1), &[(258, &[16]), (259, &[8]), (262, &[1]), (317, &[2])]);
    assert_eq!(reds(&read(&tiff(true, &sixteen, &[deflated(&[1, 255, 1, 1])])).expect("16 bits")), [1, 3]);
    // 1.0 and 0.5: the highest bytes of both, then the next ones, each less the one before.
    let float = tags((2, 1), &[(258, &[32]), (259, &[8]), (262, &[1]), (317, &[3]), (339, &[3])]);
    let apart = [0x3fu8, 0x3f, 0x80, 0x00, 0, 0, 0, 0];
    let differences: Vec<u8> =
        std::iter::once(apart[0]).chain(apart.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]))).collect();
    assert_eq!(reds(&read(&tiff(false, &float, &[deflated(&differences)])).expect("decimal numbers")), [255, 128]);
}

#[test]
fn faxes_are_read_in_either_order_of_their_bits() {
    // Rows of 8 pixels, 4 white and 4 black: 1011 011, as modified Huffman with a byte for each row.
    let row = 0b1011_0110u8;
    for (code, data) in [(2, vec![row, row]), (3, vec![0x00, 0x1b, 0x60, 0x01, 0xb6, 0x00, 0x10, 0x01])] {
        for fill_order in [1, 2] {
            let data = data.iter().map(|byte| if fill_order == 2 { byte.reverse_bits() } else { *byte }).collect();
            let tags = tags((8, 2), &[(259, &[code]), (262, &[0]), (266, &[fill_order])]);
            let picture = read(&tiff(true, &tags, &[data])).expect("a fax");
            assert_eq!(reds(&picture), [255, 255, 255, 255, 0, 0, 0, 0].repeat(2), "{code}, {fill_order}");
        }
    }
}

#[test]
fn a_picture_is_turned_as_it_says() {
    let turned = |orientation| {
        let tags = tags((2, 1), &[(258, &[8]), (262, &[1]), (274, &[orientation])]);
        read(&tiff(false, &tags, &[vec![1, 2]])).expect("a picture")
    };
    for (orientation, height, expected) in
        [(1, 1, [1, 2]), (2, 1, [2, 1]), (3, 1, [2, 1]), (6, 2, [1, 2]), (8, 2, [2, 1])]
    {
        let picture = turned(orientation);
        assert_eq!((picture.height(), reds(&picture)), (height, expected.to_vec()), "{orientation}");
    }
}

#[test]
fn what_is_not_read_is_called_by_its_name() {
    let cases: [(Tags, &str); 10] = [
        (&[(259, &[50000])], "compressed with Zstandard"),
        (&[(259, &[34712])], "compressed with JPEG 2000"),
        (&[(259, &[34925])], "compressed with LZMA"),
        (&[(259, &[4711])], "method that has no name, 4711"),
        (&[(259, &[6])], "JPEG of the older form"),
        (&[(258, &[8; 3]), (262, &[8]), (277, &[3])], "CIE L*a*b*"),
        (&[(258, &[8]), (262, &[32803])], "camera's sensor"),
        (&[(258, &[5, 6, 5]), (262, &[2]), (277, &[3])], "different depths, 5, 6, 5 bits"),
        (&[(258, &[40]), (262, &[1])], "whole numbers of 40 bits"),
        (&[(258, &[64]), (262, &[1]), (339, &[6])], "complex numbers"),
    ];
    for (others, expected) in cases {
        let error = refused(&tiff(false, &tags((1, 1), others), &[vec![0; 64]]));
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn what_ends_too_early_says_where() {
    let (pixels, base) = (vec![7u8; 800], [(258u16, &[8u32][..]), (262, &[1])]);
    for (name, code, data) in [
        ("none", 1u32, pixels[..400].to_vec()),
        ("runs", 32773, [129, 7].repeat(3)),
        ("LZW", 5, lzw(&pixels[..420])),
        ("deflate", 8, deflated(&pixels[..410])),
    ] {
        let mut others = base.to_vec();
        let code = [code];
        others.push((259, &code));
        let mut file = tiff(false, &tags((8, 100), &others), &[data]);
        if name == "none" {
            // The rest of the strip is behind the end of the file, and not the directory.
            file = tiff(false, &tags((8, 100), &others), &[vec![7; 800]]);
            let directory = file.split_off(808);
            file.truncate(408);
            file[4..8].copy_from_slice(&408u32.to_le_bytes());
            file.extend(&directory);
            let at = file.windows(4).rposition(|bytes| bytes == [17, 1, 4, 0]).expect("the tag of the places") + 8;
            let beyond = file.len() as u32 - 400;
            file[at..at + 4].copy_from_slice(&beyond.to_le_bytes());
        }
        let text = refused(&file).to_string();
        assert!(text.contains("is damaged: it is cut off after") && text.contains("of its 100 rows"), "{name}: {text}");
    }
}

#[test]
fn sizes_that_the_data_cannot_have_are_refused_without_room_for_them() {
    let limits = DecodeLimits { max_pixels: 1 << 12, ..DecodeLimits::default() };
    for (size, others) in [
        ((65_000, 65_000), &[(258u16, &[8u32][..]), (262, &[1])][..]),
        ((1, 1), &[(258, &[8]), (262, &[1]), (322, &[65_535]), (323, &[65_535])]),
        ((64, 64), &[(258, &[64; 4]), (262, &[2]), (277, &[4000]), (339, &[3])]),
        ((4, 4), &[(258, &[8]), (262, &[1]), (278, &[0])]),
    ] {
        let file = tiff(true, &tags(size, others), &[vec![0; 16]]);
        assert!(decode(&file, &limits).is_err(), "{size:?}");
    }
}

#[test]
fn strips_that_all_are_the_same_data_end() {
    // Each of them reads 100,000 bytes of runs that hold nothing.
    let rows = 4000;
    let mut file =
        tiff(false, &tags((1, rows), &[(258, &[8]), (259, &[32773]), (262, &[1]), (278, &[1])]), &[vec![128; 100_000]]);
    let table: Vec<u8> = (0..rows).flat_map(|_| 8u32.to_le_bytes()).collect();
    for (tag, fill) in [(273u16, table), (279, (0..rows).flat_map(|_| 100_000u32.to_le_bytes()).collect())] {
        let at = file
            .windows(4)
            .rposition(|bytes| bytes == [tag.to_le_bytes(), LONG.to_le_bytes()].concat())
            .expect("a tag");
        let place = file.len() as u32;
        file[at + 4..at + 8].copy_from_slice(&rows.to_le_bytes());
        file[at + 8..at + 12].copy_from_slice(&place.to_le_bytes());
        file.extend(fill);
    }
    assert!(read(&file).is_err());
}

#[test]
fn jpeg_strips_have_the_colours_that_the_file_says() {
    let image = image::RgbImage::from_pixel(16, 16, image::Rgb([200, 30, 60]));
    let mut jpeg = Cursor::new(Vec::new());
    image.write_to(&mut jpeg, image::ImageFormat::Jpeg).expect("a JPEG");
    let jpeg = jpeg.into_inner();
    let file = |colour| {
        tiff(
            false,
            &tags((16, 16), &[(258, &[8; 3]), (259, &[7]), (262, &[colour]), (277, &[3])]),
            std::slice::from_ref(&jpeg),
        )
    };
    let picture = read(&file(6)).expect("YCbCr");
    assert!(
        picture
            .pixels()
            .chunks_exact(3)
            .all(|rgb| rgb[0].abs_diff(200) < 4 && rgb[1].abs_diff(30) < 4 && rgb[2].abs_diff(60) < 4)
    );
    let raw = read(&file(2)).expect("samples as they are");
    assert!(raw.pixels()[0].abs_diff(84) < 4, "the lightness of the colour, {}", raw.pixels()[0]);
    let cut = tiff(
        false,
        &tags((16, 16), &[(258, &[8; 3]), (259, &[7]), (262, &[6]), (277, &[3])]),
        &[jpeg[..jpeg.len() - 8].to_vec()],
    );
    assert!(refused(&cut).to_string().contains("cut off"));
}
