//! The part of a page's time that the models take, on one thread: the rest is ferrocr's own.
//!
//!     FERROCR_ONNXRUNTIME=libonnxruntime.so.1 cargo bench --bench share -- PICTURES...
//!
//! Models are those of the default set in the model directory, run as the engine runs them: without denormal weights,
//! and the recogniser without its head, whose work here counts as the models'.
#![allow(clippy::expect_used, reason = "a benchmark ends at what it did not expect")]
#![allow(clippy::print_stdout, reason = "it is a program")]

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ferrocr::engine::{Sessions, Stages};
use ferrocr::models::Role;
use ferrocr::models::catalog::{self, Entry};
use ferrocr::models::onnx;
use ferrocr::models::session::{
    Keep, Model, ModelSpec, Named, OrtModel, Provider, ReadOutputs, SessionOptions, load_runtime,
};
use ferrocr::models::store::Store;
use ferrocr::options::{EngineOptions, RecognizeOptions};
use ferrocr::recognize::head::Head;
use ferrocr::{Engine, Result, Stop};

/// Each picture is read so many times after a first one, and the fastest counts.
const TIMES: usize = 3;

/// Nanoseconds in the runs of models, and in their heads.
#[derive(Default)]
struct Clock {
    runs: AtomicU64,
    heads: AtomicU64,
}

/// A model whose runs are timed. What the caller does with the output does not count.
struct Timed {
    model: Box<dyn Model>,
    clock: Arc<Clock>,
    /// Computed once more, to know what it takes: it is part of what the caller does.
    head: Option<Arc<Head>>,
}

impl Model for Timed {
    fn spec(&self) -> &ModelSpec {
        self.model.spec()
    }

    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let (started, mut outside) = (Instant::now(), Duration::ZERO);
        let outcome = self.model.run_named(inputs, stop, &mut |outputs| {
            let began = Instant::now();
            if let Some(head) = &self.head {
                black_box(head.best(outputs[0].tensor().expect("floats").data));
            }
            add(&self.clock.heads, began.elapsed());
            let outcome = read(outputs);
            outside = began.elapsed();
            outcome
        });
        add(&self.clock.runs, started.elapsed().saturating_sub(outside));
        outcome
    }
}

fn add(sum: &AtomicU64, time: Duration) {
    sum.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
}

fn taken(sum: &AtomicU64) -> f64 {
    sum.swap(0, Ordering::Relaxed) as f64 / 1e9
}

fn stages(store: &Store, clock: &Arc<Clock>) -> Result<Stages> {
    let options = SessionOptions { threads: 1, provider: Provider::Cpu, device: None, keep: Keep::All };
    let timed = |name: &str, bytes: &[u8], head: Option<Arc<Head>>| -> Result<Box<dyn Model>> {
        let model = Box::new(OrtModel::from_bytes(name, bytes, options, &Stop::new())?);
        Ok(Box::new(Timed { model, clock: Arc::clone(clock), head }))
    };
    let read = |name: &str| -> Result<Vec<u8>> {
        let mut bytes = fs::read(store.existing(name)?).expect("a model that can be read");
        onnx::flush_denormals(&mut bytes)?;
        Ok(bytes)
    };
    let set = &catalog::sets()[0];
    let sessions = |&Entry { role, name, .. }: &Entry| -> Result<(Role, Sessions)> {
        let bytes = read(name)?;
        let Some(cut) = role.facts().is_cut.then(|| onnx::cut_head(&bytes).expect("a head to cut off")) else {
            return Ok((role, vec![timed(name, &bytes, None)?].into()));
        };
        let head = Arc::new(Head::new(&cut.head, None));
        Ok((
            role,
            Sessions {
                models: vec![timed(name, &cut.model, Some(head))?],
                head: Some(cut.head),
                ..Sessions::default()
            },
        ))
    };
    Stages::with(set.entries().into_iter().map(sessions).collect::<Result<_>>()?, &EngineOptions::default())
}

fn main() {
    let pictures: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let Some(library) = env::var_os("FERROCR_ONNXRUNTIME").filter(|_| !pictures.is_empty()) else {
        println!("share: give pictures, and ONNX Runtime's library in FERROCR_ONNXRUNTIME");
        return;
    };
    load_runtime(Path::new(&library)).expect("ONNX Runtime");
    let store = Store::open(Store::default_dir().expect("a model directory")).expect("a model directory");
    let (clock, engine) =
        (Arc::new(Clock::default()), Engine::new(EngineOptions { threads: Some(1), ..EngineOptions::default() }));
    let own = Arc::clone(&clock);
    engine.load_with(move || stages(&store, &own)).expect("the default models");
    let (mut all, mut native, mut heads) = (0.0, 0.0, 0.0);
    for picture in &pictures {
        let once = || {
            let started = Instant::now();
            engine.recognize_file(Path::new(picture), &RecognizeOptions::default(), &Stop::new()).expect("a page");
            let (runs, head) = (taken(&clock.runs), taken(&clock.heads));
            // The head was computed twice.
            (started.elapsed().as_secs_f64() - head, runs, head)
        };
        once();
        let fastest = (0..TIMES).map(|_| once()).min_by(|a, b| a.0.total_cmp(&b.0)).expect("a time");
        all += fastest.0;
        native += fastest.1;
        heads += fastest.2;
    }
    let own = all - native - heads;
    let percent = |part: f64| 100.0 * part / all;
    println!(
        "{} pictures, {:.3} s each: ONNX Runtime {:.1} %, heads {:.1} %, ferrocr's own {:.1} %",
        pictures.len(),
        all / pictures.len() as f64,
        percent(native),
        percent(heads),
        percent(own)
    );
}
