//! One model for several callers: inputs of one shape that wait at the same time go through it in one run.
//!
//! A device takes little longer for sixteen strips than for one. Callers know nothing of it: each has a [`Model`] that
//! it gives one input at a time, of whatever page, and waits. Whoever finds the device idle takes what waits there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::model::{Model, ModelSpec, Named, ReadOutputs, Tensor};
use super::shapes::{Group, next_group};
use crate::buffer;
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventCount;
use crate::stop::Stop;

/// Lends one model to so many callers at the same time. Each has a model that takes one input a run, whose sides differ
/// from those of another only where it has to; the first of them counts the sessions.
pub fn lent_to(callers: usize, model: Box<dyn Model>) -> Vec<Box<dyn Model>> {
    let spec = model.spec().clone();
    let device = Device::with(model);
    let caller = |at| Caller { spec: spec.clone(), device: Arc::clone(&device), counts: at == 0 };
    (0..callers).map(|at| Box::new(caller(at)) as Box<dyn Model>).collect()
}

struct Device {
    state: Mutex<State>,
    /// Advances when the device is idle again, and when a caller is told to end.
    changed: Arc<EventCount>,
}

struct State {
    /// None while it runs.
    model: Option<Box<dyn Model>>,
    /// The first come first.
    waiting: Vec<Job>,
    next: u64,
}

/// An input or output that outlives its run.
struct Owned {
    name: String,
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Owned {
    fn lent(&self) -> Named<'_> {
        Named::f32(&self.name, &self.shape, &self.data)
    }
}

type Answer = Arc<Mutex<Option<Result<Vec<Owned>>>>>;

/// One caller's inputs.
struct Job {
    id: u64,
    inputs: Vec<Owned>,
    answer: Answer,
}

impl Job {
    fn shapes(&self) -> Vec<&[usize]> {
        self.inputs.iter().map(|input| input.shape.as_slice()).collect()
    }

    fn answer(&self, answer: Result<Vec<Owned>>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }
}

impl Device {
    fn with(model: Box<dyn Model>) -> Arc<Self> {
        let state = Mutex::new(State { model: Some(model), waiting: Vec::new(), next: 0 });
        Arc::new(Self { state, changed: Arc::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave the vector half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the idle model and what it is to run next.
    fn begin(&self) -> Option<Run<'_>> {
        let mut state = self.lock();
        state.model.as_ref()?;
        let shapes: Vec<_> = state.waiting.iter().map(Job::shapes).collect();
        let numbers = |shapes: &Vec<&[usize]>| {
            // Only what has a side for several inputs can be put together.
            let is_one = |shape: &&[usize]| shape.first() == Some(&1);
            let sum = shapes.iter().map(|shape| shape.iter().product::<usize>()).sum();
            if shapes.iter().all(is_one) { sum } else { usize::MAX }
        };
        let Group { taken, rows } = next_group(&shapes, numbers)?;
        let jobs = taken.into_iter().rev().map(|at| state.waiting.remove(at)).collect();
        Some(Run { device: self, model: state.model.take(), jobs, rows })
    }
}

/// A run of the model, which is given back on drop, also by a panic.
struct Run<'a> {
    device: &'a Device,
    model: Option<Box<dyn Model>>,
    jobs: Vec<Job>,
    rows: usize,
}

impl Run<'_> {
    /// Answers all jobs. That of `caller` ends when its `stop` fires, if it is alone: several are not all its own.
    fn finish(mut self, caller: u64, stop: &Stop) {
        let Self { model: Some(model), jobs, rows, .. } = &mut self else { return };
        let never = Stop::new();
        let stop = if matches!(jobs.as_slice(), [job] if job.id == caller) { stop } else { &never };
        match (run(model.as_mut(), jobs, *rows, stop), jobs.as_slice()) {
            (Ok(answers), jobs) => jobs.iter().zip(answers).for_each(|(job, answer)| job.answer(Ok(answer))),
            (Err(error), [job]) => job.answer(Err(error)),
            // One of them may be at fault, and costs the others nothing.
            (Err(_), jobs) => jobs.iter().for_each(|job| {
                let answers = run(model.as_mut(), std::slice::from_ref(job), 1, stop);
                job.answer(answers.map(|mut answers| answers.pop().unwrap_or_default()));
            }),
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        for job in &self.jobs {
            let mut answer = job.answer.lock().unwrap_or_else(PoisonError::into_inner);
            answer.get_or_insert_with(|| {
                Err(Error::new(ErrorKind::Internal, "another caller's run of the model failed"))
            });
        }
        self.device.lock().model = self.model.take();
        self.device.changed.advance();
    }
}

/// Runs the model on the inputs of the jobs, filled up to so many rows, and returns the outputs of each.
fn run(model: &mut dyn Model, jobs: &[Job], rows: usize, stop: &Stop) -> Result<Vec<Vec<Owned>>> {
    let mut inputs = Vec::new();
    for (at, first) in jobs.first().map_or(&[][..], |job| &job.inputs).iter().enumerate() {
        let mut data = buffer::empty(rows * first.data.len(), "a model's input")?;
        jobs.iter().for_each(|job| data.extend_from_slice(&job.inputs[at].data));
        data.resize(rows * first.data.len(), 0.0);
        let mut shape = first.shape.clone();
        shape.iter_mut().take(usize::from(rows > 1)).for_each(|first| *first = rows);
        inputs.push(Owned { name: first.name.clone(), shape, data });
    }
    let mut answers: Vec<_> = jobs.iter().map(|_| Vec::new()).collect();
    model.run_named(&inputs.iter().map(Owned::lent).collect::<Vec<_>>(), stop, &mut |outputs| {
        for (name, output) in outputs.iter().filter_map(|output| Some((output.name, output.tensor()?))) {
            if rows > 1 && output.shape.first() != Some(&rows) {
                let message = format!("a model gave an output of shape {:?} for {rows} inputs", output.shape);
                return Err(Error::new(ErrorKind::ModelMismatch, message));
            }
            for (at, answer) in answers.iter_mut().enumerate() {
                let length = output.data.len() / rows;
                let data = buffer::copied(&output.data[at * length..(at + 1) * length], "a model's output")?;
                let mut shape = output.shape.to_vec();
                shape.iter_mut().take(usize::from(rows > 1)).for_each(|first| *first = 1);
                answer.push(Owned { name: name.to_owned(), shape, data });
            }
        }
        Ok(())
    })?;
    Ok(answers)
}

/// A caller's own view of the model.
struct Caller {
    spec: ModelSpec,
    device: Arc<Device>,
    counts: bool,
}

impl Model for Caller {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn sessions(&self) -> usize {
        if self.counts { self.device.lock().model.as_ref().map_or(0, |model| model.sessions()) } else { 0 }
    }

    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let changes = Arc::clone(&self.device.changed);
        let _watch = stop.watch(move || changes.advance())?;
        let waiting = Waiting::begin(&self.device, inputs)?;
        loop {
            let seen = self.device.changed.current();
            let answer = waiting.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(answer) = answer {
                return read(&answer?.iter().map(Owned::lent).collect::<Vec<_>>());
            }
            stop.check()?;
            match self.device.begin() {
                Some(run) => run.finish(waiting.id, stop),
                None => self.device.changed.wait(seen, None),
            }
        }
    }
}

/// A caller that waits, from here to the drop.
struct Waiting<'a> {
    device: &'a Device,
    id: u64,
    answer: Answer,
}

impl<'a> Waiting<'a> {
    fn begin(device: &'a Device, inputs: &[Named<'_>]) -> Result<Self> {
        let owned = |(name, tensor): (&str, Tensor<'_>)| {
            let data = buffer::copied(tensor.data, "a model's input")?;
            Ok(Owned { name: name.to_owned(), shape: tensor.shape.to_vec(), data })
        };
        let inputs = inputs.iter().filter_map(|input| Some((input.name, input.tensor()?)));
        let inputs = inputs.map(owned).collect::<Result<_>>()?;
        let (mut state, answer) = (device.lock(), Answer::default());
        let id = state.next;
        state.next += 1;
        state.waiting.push(Job { id, inputs, answer: Arc::clone(&answer) });
        drop(state);
        Ok(Self { device, id, answer })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.device.lock().waiting.retain(|job| job.id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;
    use crate::stop::Reason;

    /// Doubles numbers, refuses negative ones, panics at what is none, and waits for a signal before each run.
    struct Doubling {
        spec: ModelSpec,
        runs: Arc<AtomicUsize>,
        begin: Mutex<mpsc::Receiver<()>>,
    }

    impl Model for Doubling {
        fn spec(&self) -> &ModelSpec {
            &self.spec
        }

        fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
            self.runs.fetch_add(1, Ordering::SeqCst);
            let _ = self.begin.lock().unwrap().recv();
            stop.check()?;
            let input = inputs[0].tensor().unwrap();
            assert!(!input.data[0].is_nan(), "no number");
            if input.data.iter().any(|value| *value < 0.0) {
                return Err(Error::new(ErrorKind::Inference, "negative"));
            }
            let double: Vec<_> = input.data.iter().map(|value| 2.0 * value).collect();
            read(&[Named::f32("y", input.shape, &double)])
        }
    }

    struct Setup {
        device: Arc<Device>,
        runs: Arc<AtomicUsize>,
        /// Lets a run go on; all of them once it is dropped.
        begin: mpsc::Sender<()>,
    }

    impl Setup {
        fn new() -> Self {
            let (begin, receiver) = mpsc::channel();
            let runs = Arc::<AtomicUsize>::default();
            let (spec, begins) = (ModelSpec::default(), Mutex::new(receiver));
            let model = Doubling { spec, runs: Arc::clone(&runs), begin: begins };
            Self { device: Device::with(Box::new(model)), runs, begin }
        }

        /// Doubles the values, as one of the device's callers.
        fn doubled(&self, values: &[f32], stop: &Stop) -> Result<Vec<f32>> {
            let spec = ModelSpec::default();
            let mut caller = Caller { spec, device: Arc::clone(&self.device), counts: false };
            let mut doubled = Vec::new();
            caller.run(Tensor { shape: &[1, values.len()], data: values }, stop, &mut |output| {
                assert_eq!(output.shape, [1, values.len()]);
                doubled = output.data.to_vec();
                Ok(())
            })?;
            Ok(doubled)
        }

        /// Waits until a run is under way and so many inputs wait for the next one.
        fn settle(&self, runs: usize, waiting: usize) {
            while self.runs.load(Ordering::SeqCst) < runs || self.device.lock().waiting.len() < waiting {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn what_waits_meanwhile_goes_in_one_run_and_each_gets_its_own() {
        let setup = &Setup::new();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| setup.doubled(&[0.5], &Stop::new()));
            setup.settle(1, 0);
            let call = |values: Vec<f32>| scope.spawn(move || (setup.doubled(&values, &Stop::new()), values));
            let others: Vec<_> = (1..=16).map(|at| call(vec![at as f32; 2])).collect();
            let longer = call(vec![3.0; 5]);
            setup.settle(1, 17);
            (0..3).for_each(|_| setup.begin.send(()).unwrap());
            assert_eq!(first.join().unwrap().unwrap(), [1.0]);
            for other in others.into_iter().chain([longer]) {
                let (doubled, values) = other.join().unwrap();
                assert_eq!(doubled.unwrap(), values.iter().map(|value| 2.0 * value).collect::<Vec<_>>());
            }
        });
        assert_eq!(setup.runs.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn an_input_that_fails_costs_the_others_nothing() {
        let setup = &Setup::new();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| setup.doubled(&[0.5], &Stop::new()));
            setup.settle(1, 0);
            let call = |value: f32| scope.spawn(move || setup.doubled(&[value], &Stop::new()));
            let (bad, good) = (call(-1.0), (0..6).map(|at| call(at as f32)).collect::<Vec<_>>());
            setup.settle(1, 7);
            // One for the first, one for all, and one for each of them.
            (0..9).for_each(|_| setup.begin.send(()).unwrap());
            first.join().unwrap().unwrap();
            assert_eq!(bad.join().unwrap().unwrap_err().kind(), ErrorKind::Inference);
            good.into_iter().for_each(|good| drop(good.join().unwrap().unwrap()));
        });
        assert_eq!(setup.runs.load(Ordering::SeqCst), 9);
    }

    #[test]
    fn a_caller_that_is_stopped_leaves_the_others_alone() {
        let (setup, stop) = (&Setup::new(), &Stop::new());
        std::thread::scope(|scope| {
            let first = scope.spawn(|| setup.doubled(&[0.5], &Stop::new()));
            setup.settle(1, 0);
            let stopped = scope.spawn(|| setup.doubled(&[1.0], stop));
            let other = scope.spawn(|| setup.doubled(&[2.0], &Stop::new()));
            setup.settle(1, 2);
            stop.fire(Reason::Cancelled);
            assert_eq!(stopped.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
            assert_eq!(setup.device.lock().waiting.len(), 1);
            (0..2).for_each(|_| setup.begin.send(()).unwrap());
            assert_eq!((first.join().unwrap().unwrap(), other.join().unwrap().unwrap()), (vec![1.0], vec![4.0]));
        });
        assert_eq!(setup.runs.load(Ordering::SeqCst), 2);
        assert_eq!(setup.doubled(&[2.0], stop).unwrap_err().kind(), ErrorKind::Cancelled);
    }

    #[test]
    fn a_panic_gives_the_model_back() {
        let setup = &Setup::new();
        std::thread::scope(|scope| {
            let panics = scope.spawn(|| setup.doubled(&[f32::NAN], &Stop::new()));
            setup.settle(1, 0);
            let other = scope.spawn(|| setup.doubled(&[2.0], &Stop::new()));
            setup.settle(1, 1);
            (0..2).for_each(|_| setup.begin.send(()).unwrap());
            assert!(panics.join().is_err());
            assert_eq!(other.join().unwrap().unwrap(), [4.0]);
        });
    }
}
