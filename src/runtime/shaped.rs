//! A session for each shape of inputs.

use super::model::{Model, ModelSpec, Named, ReadOutputs};
use crate::error::Result;
use crate::stop::Stop;

/// The most sessions of one model: a recogniser that reads strips of all planned widths, alone and in full runs, has
/// fewer. Each has memory of its own on its device.
const MOST_SESSIONS: usize = 24;

/// Makes one more session of the same model.
pub type Open = Box<dyn Fn(&Stop) -> Result<Box<dyn Model>> + Send>;

/// The shapes of a run's inputs.
type Shapes = Vec<Vec<usize>>;

/// A model for a runtime that remembers the last shape alone: each shape has a session that is given no other one.
/// Sessions are made when their shape is met.
pub struct Shaped {
    spec: ModelSpec,
    /// With the shapes of their inputs, none before the first run; the one that was used last is the last.
    sessions: Vec<(Option<Shapes>, Box<dyn Model>)>,
    open: Open,
}

impl Shaped {
    /// Takes a model's first session, for the shape that is met first, and what makes the others.
    pub fn new(first: Box<dyn Model>, open: Open) -> Self {
        Self { spec: first.spec().clone(), sessions: vec![(None, first)], open }
    }

    /// Takes what makes sessions of a model with this description; none is made before a run.
    pub fn unopened(spec: ModelSpec, open: Open) -> Self {
        Self { spec, sessions: Vec::new(), open }
    }

    /// Puts the session for the shapes to the end.
    fn choose(&mut self, shapes: &[Vec<usize>], stop: &Stop) -> Result<()> {
        let is_fitting = |own: &Option<Shapes>| own.as_deref().is_none_or(|own| own == shapes);
        let found = self.sessions.iter().position(|(own, _)| is_fitting(own));
        let session = match found {
            Some(at) => self.sessions.remove(at).1,
            None if self.sessions.len() < MOST_SESSIONS => (self.open)(stop)?,
            // It prepares itself anew, as it does for every shape that is not its last.
            None => self.sessions.remove(0).1,
        };
        self.sessions.push((Some(shapes.to_vec()), session));
        Ok(())
    }
}

impl Model for Shaped {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn sessions(&self) -> usize {
        self.sessions.len()
    }

    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let shapes = inputs.iter().filter_map(Named::tensor).map(|tensor| tensor.shape.to_vec());
        self.choose(&shapes.collect::<Vec<_>>(), stop)?;
        self.sessions.last_mut().map_or(Ok(()), |(_, session)| session.run_named(inputs, stop, read))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts the times that its input has another shape than before.
    struct Counting(ModelSpec, Vec<usize>, Arc<AtomicUsize>);

    impl Model for Counting {
        fn spec(&self) -> &ModelSpec {
            &self.0
        }

        fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, _: &mut ReadOutputs<'_>) -> Result<()> {
            let shape = inputs[0].tensor().unwrap().shape;
            if self.1 != shape {
                self.1 = shape.to_vec();
                self.2.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }
    }

    #[test]
    fn every_shape_is_prepared_once_and_sessions_are_bounded() {
        let prepared = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&prepared);
        let open = move || Box::new(Counting(ModelSpec::default(), Vec::new(), Arc::clone(&count))) as Box<dyn Model>;
        let mut model = Shaped::new(open(), Box::new(move |_| Ok(open())));
        let mut run = |width: usize| {
            let data = vec![0.0; width];
            model.run_named(&[Named::f32("x", &[1, width], &data)], &Stop::new(), &mut |_| Ok(())).unwrap();
            model.sessions()
        };
        for _ in 0..3 {
            assert_eq!([7, 3, 7, 5, 3].map(&mut run).last(), Some(&3));
        }
        assert_eq!(prepared.load(Ordering::Relaxed), 3);
        assert_eq!((1..200).map(&mut run).last(), Some(MOST_SESSIONS));
        let before = prepared.load(Ordering::Relaxed);
        run(199);
        assert_eq!(prepared.load(Ordering::Relaxed), before, "the last ones are kept");
    }
}
