//! The model directory: listing, auditing and admitting, beside what the hash alone costs.
#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::expect_used, reason = "a benchmark ends at what it did not expect")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferrocr::models::store::{AuditOptions, Expected, Store};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// As many files as no real directory has.
const FILES: usize = 10_000;

/// Models of about the size of the default recognizer: one gigabyte of them.
const MODELS: usize = 50;
const MODEL_BYTES: usize = 20_000_000;

/// A folder beside the build, on the disk that the project lies on: the system's own may be in memory.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// The smallest ONNX model that an audit takes for one, with a weight of pseudo-random bytes.
fn model(seed: u32) -> Vec<u8> {
    let field = |number: u32, bytes: &[u8]| {
        let mut field = varint(u64::from(number) << 3 | 2);
        field.extend(varint(bytes.len() as u64));
        field.extend_from_slice(bytes);
        field
    };
    let mut state = seed | 1;
    let weight: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(MODEL_BYTES)
    .collect();
    let initializer = field(5, &[field(8, b"w"), field(9, &weight)].concat());
    let graph = [initializer, field(12, &field(1, b"y"))].concat();
    [vec![1 << 3, 8], field(7, &graph)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Measures the processors and the disk: nothing but SHA-256 of all files, on all cores.
fn hash_all(paths: &[PathBuf]) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    black_box(hash(path));
                }
            });
        }
    });
}

fn hash(path: &Path) -> String {
    let (mut file, mut hash) = (File::open(path).expect("a file"), Sha256::new());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer).expect("readable") {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn list(criterion: &mut Criterion) {
    let dir = folder();
    for index in 0..FILES {
        fs::write(dir.path().join(format!("model-{index}.onnx")), "").expect("a file");
    }
    let store = Store::open(dir.path()).expect("a store");
    criterion.bench_function("list 10,000 files", |b| b.iter(|| black_box(store.list().expect("a list")).len()));
}

fn audit(criterion: &mut Criterion) {
    let dir = folder();
    let store = Store::open(dir.path().join("models")).expect("a store");
    fs::create_dir(store.dir()).expect("a folder");
    let paths: Vec<_> = (0..MODELS)
        .map(|index| {
            let path = store.dir().join(format!("model-{index}.{}", if index % 2 == 0 { "onnx" } else { "bin" }));
            fs::write(&path, model(index as u32)).expect("a file");
            path
        })
        .collect();
    let mut group = criterion.benchmark_group("one gigabyte of models");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.throughput(Throughput::Bytes((MODELS * MODEL_BYTES) as u64));
    group.bench_function("SHA-256 alone, all cores", |b| b.iter(|| hash_all(&paths)));
    let first = AuditOptions::default();
    group.bench_function("first audit", |b| b.iter(|| store.audit(&first).expect("an audit")));
    // Only files that have been left alone for two seconds are remembered.
    thread::sleep(Duration::from_secs(3));
    let again = AuditOptions { memory: Some(dir.path().join("memory")), ..first };
    store.audit(&again).expect("an audit");
    group.bench_function("second audit", |b| b.iter(|| store.audit(&again).expect("an audit")));
    group.finish();
}

fn admit(criterion: &mut Criterion) {
    let dir = folder();
    let from = dir.path().join("download");
    fs::write(&from, model(7)).expect("a file");
    let sha256 = hash(&from);
    let store = Store::open(dir.path().join("models")).expect("a store");
    let mut group = criterion.benchmark_group("a model of 20 MB");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("admit", |b| {
        b.iter(|| {
            let expected = Expected { bytes: None, sha256: &sha256 };
            let path = store.admit("model.onnx", &expected, &from).expect("admitted");
            fs::remove_file(path).expect("removed");
        });
    });
    group.finish();
}

criterion_group!(benches, list, audit, admit);
criterion_main!(benches);
