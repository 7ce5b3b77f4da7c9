//! Every order in which a handful of actors can take their steps, over the pure machine.

use std::collections::HashSet;

use super::*;

/// An actor's next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// Enter; with `stuck`, to use the content until a release cancels it.
    Enter {
        stuck: bool,
    },
    /// Make the content, then go on as a call or, without `enter`, be done.
    Load {
        enter: bool,
        stuck: bool,
    },
    /// Use the content, then leave.
    Use {
        stuck: bool,
    },
    /// Ask for the content without a call.
    BeginLoad,
    BeginUnload,
    /// Unload when there is nothing to do, and end when the content is gone.
    Idle,
    AwaitUnload {
        number: u8,
    },
    /// Ask for the release, again if the wait was given up `again` times less than allowed.
    BeginFree {
        cancel: bool,
        patience: Patience,
    },
    AwaitFree {
        patience: Patience,
    },
    /// Drop what the machine said, then go on with `after`.
    Drop {
        purpose: Purpose,
        after: After,
    },
    Done(Outcome),
}

/// The next thing that an actor does after a drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum After {
    AwaitUnload { number: u8 },
    AwaitFree { patience: Patience },
    Done(Outcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Patience {
    /// Waits to the end.
    Endless,
    /// Gives up at some moment, and asks once more.
    Twice,
    /// Gives up at some moment, for good.
    Once,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Outcome {
    Finished,
    Refused,
    NothingLoaded,
    /// The release's report, by its number.
    Released(u8),
    /// The unload's report, or that a release took what was to be unloaded.
    Unloaded(bool),
    GaveUp,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    machine: Machine,
    actors: Vec<Step>,
    /// The content is there, by what the actors did, not by what the machine says.
    content: bool,
    cancelled: bool,
    can_load: bool,
    releases: u8,
    /// Unloads that began and that ended.
    unloads: (u8, u8),
}

impl World {
    fn new(actors: &[Step]) -> Self {
        Self {
            machine: Machine::default(),
            actors: actors.to_vec(),
            content: false,
            cancelled: false,
            can_load: false,
            releases: 0,
            unloads: (0, 0),
        }
    }

    /// The worlds after one step of actor `i`; none while it waits or is done.
    fn after(&self, i: usize) -> Vec<Self> {
        match self.actors[i] {
            Step::Enter { stuck } => self.enter(i, stuck),
            Step::Load { enter, stuck } => {
                vec![self.end_load(i, true, enter, stuck), self.end_load(i, false, enter, stuck)]
            }
            Step::Use { stuck } if stuck && !self.cancelled => Vec::new(),
            Step::Use { .. } => vec![self.with(|world| {
                let duty = world.machine.leave();
                world.go_on(i, duty, After::Done(Outcome::Finished));
            })],
            Step::BeginLoad => self.begin_load(i),
            Step::BeginUnload => vec![self.begin_unload(i)],
            Step::Idle => self.idle(i),
            Step::AwaitUnload { number } => self.await_unload(i, number),
            Step::BeginFree { cancel, patience } => vec![self.with(|world| {
                world.cancelled |= cancel;
                let duty = world.machine.begin_free();
                world.go_on(i, duty, After::AwaitFree { patience });
            })],
            Step::AwaitFree { patience } => self.await_free(i, patience),
            Step::Drop { purpose, after } => vec![self.end_drop(i, purpose, after)],
            Step::Done(_) => Vec::new(),
        }
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut world = self.clone();
        change(&mut world);
        world
    }

    /// Lets actor `i` drop what the machine says, or else go on.
    fn go_on(&mut self, i: usize, duty: Option<Purpose>, after: After) {
        self.actors[i] = match (duty, after) {
            (Some(purpose), after) => Step::Drop { purpose, after },
            (None, After::AwaitUnload { number }) => Step::AwaitUnload { number },
            (None, After::AwaitFree { patience }) => Step::AwaitFree { patience },
            (None, After::Done(outcome)) => Step::Done(outcome),
        };
    }

    fn enter(&self, i: usize, stuck: bool) -> Vec<Self> {
        let mut world = self.clone();
        world.actors[i] = match world.machine.enter(world.can_load) {
            Enter::In => Step::Use { stuck },
            Enter::Load => Step::Load { enter: true, stuck },
            Enter::Wait => return Vec::new(),
            Enter::Empty => Step::Done(Outcome::NothingLoaded),
            Enter::Closed => Step::Done(Outcome::Refused),
        };
        vec![world]
    }

    fn begin_load(&self, i: usize) -> Vec<Self> {
        let mut world = self.clone();
        world.actors[i] = match world.machine.begin_load() {
            Load::Begin => Step::Load { enter: false, stuck: false },
            Load::Present => Step::Done(Outcome::Finished),
            Load::Wait => return Vec::new(),
            Load::Closed => Step::Done(Outcome::Refused),
        };
        vec![world]
    }

    fn end_load(&self, i: usize, succeeded: bool, enter: bool, stuck: bool) -> Self {
        self.with(|world| {
            assert!(!world.content, "nothing is loaded over what is there");
            world.content = succeeded;
            world.can_load |= succeeded;
            let (entered, duty) = world.machine.end_load(succeeded, enter);
            if entered {
                assert_eq!(duty, None, "what is used is not dropped");
                world.actors[i] = Step::Use { stuck };
            } else {
                let refused = enter || !succeeded;
                world.go_on(i, duty, After::Done(if refused { Outcome::Refused } else { Outcome::Finished }));
            }
        })
    }

    fn begin_unload(&self, i: usize) -> Self {
        self.with(|world| {
            if !world.machine.is_open() {
                world.actors[i] = Step::Done(Outcome::Refused);
                return;
            }
            world.unloads.0 += u8::from(!world.machine.unloading);
            let number = world.unloads.0;
            let duty = world.machine.begin_unload();
            world.go_on(i, duty, After::AwaitUnload { number });
        })
    }

    fn idle(&self, i: usize) -> Vec<Self> {
        if self.machine.is_gone() {
            return vec![self.with(|world| world.actors[i] = Step::Done(Outcome::Finished))];
        }
        if !self.machine.is_idle() {
            return Vec::new();
        }
        vec![self.with(|world| {
            world.unloads.0 += 1;
            let duty = world.machine.begin_unload();
            assert!(duty.is_some(), "the idle thread never waits for others");
            world.go_on(i, duty, After::Done(Outcome::Finished));
        })]
    }

    fn await_unload(&self, i: usize, number: u8) -> Vec<Self> {
        let over = self.unloads.1 >= number;
        if !over && !self.machine.is_closed() {
            return Vec::new();
        }
        vec![self.with(|world| world.actors[i] = Step::Done(Outcome::Unloaded(over)))]
    }

    fn await_free(&self, i: usize, patience: Patience) -> Vec<Self> {
        if self.machine.is_closed() {
            return vec![self.with(|world| world.actors[i] = Step::Done(Outcome::Released(world.releases)))];
        }
        let next = match patience {
            Patience::Endless => return Vec::new(),
            Patience::Twice => Step::BeginFree { cancel: false, patience: Patience::Endless },
            Patience::Once => Step::Done(Outcome::GaveUp),
        };
        vec![self.with(|world| world.actors[i] = next)]
    }

    fn end_drop(&self, i: usize, purpose: Purpose, after: After) -> Self {
        self.with(|world| {
            world.content = false;
            match purpose {
                Purpose::Release => world.releases += 1,
                Purpose::Unload => world.unloads.1 = world.unloads.0,
            }
            let duty = world.machine.end_drop();
            world.go_on(i, duty, after);
        })
    }

    fn count(&self, is: impl Fn(&Step) -> bool) -> usize {
        self.actors.iter().filter(|step| is(step)).count()
    }

    /// Checks what holds in every state.
    fn check(&self) {
        let using = self.count(|step| matches!(step, Step::Use { .. }));
        let loading = self.count(|step| matches!(step, Step::Load { .. }));
        let dropping = self.count(|step| matches!(step, Step::Drop { .. }));
        assert!(loading + dropping <= 1, "one at a time makes or drops the content: {self:?}");
        assert!(using == 0 || (self.content && dropping == 0), "nothing is used that is being dropped: {self:?}");
        assert_eq!(self.machine.calls(), using + loading, "{self:?}");
        assert!(self.releases <= 1, "one release: {self:?}");
        assert_eq!(self.machine.is_closed(), self.releases == 1, "{self:?}");
        let ending = !self.machine.is_open() && !self.machine.is_closed();
        assert!(!ending || using + loading + dropping > 0, "somebody is about to release: {self:?}");
        assert!(!self.machine.is_closed() || !self.content && using + loading + dropping == 0, "it is over: {self:?}");
    }

    /// Checks what holds when nobody has a step left.
    fn check_end(&self, freed: bool) {
        for actor in &self.actors {
            assert!(
                matches!(actor, Step::Done(_) | Step::Use { stuck: true }) || *actor == Step::Idle,
                "{actor:?} hangs: {self:?}"
            );
        }
        if !freed {
            return;
        }
        for actor in &self.actors {
            match actor {
                Step::Done(Outcome::Released(number)) => assert_eq!(*number, 1, "all get the same report"),
                Step::Done(_) => {}
                _ => panic!("{actor:?} is left over: {self:?}"),
            }
        }
        assert!(self.machine.is_closed() && self.releases == 1 && !self.content, "{self:?}");
    }
}

/// Visits every state that `actors` can reach, and says how many there are.
fn explore(actors: &[Step]) -> usize {
    let freed = actors.iter().any(|step| matches!(step, Step::BeginFree { .. }));
    let (mut seen, mut open) = (HashSet::new(), vec![World::new(actors)]);
    while let Some(world) = open.pop() {
        if !seen.insert(world.clone()) {
            continue;
        }
        world.check();
        let next: Vec<_> = (0..actors.len()).flat_map(|i| world.after(i)).collect();
        if next.is_empty() {
            world.check_end(freed);
        }
        open.extend(next);
    }
    seen.len()
}

const CALL: Step = Step::Enter { stuck: false };
const STUCK: Step = Step::Enter { stuck: true };
const FREE: Step = Step::BeginFree { cancel: false, patience: Patience::Endless };
const CANCEL: Step = Step::BeginFree { cancel: true, patience: Patience::Endless };
const FREE_TWICE: Step = Step::BeginFree { cancel: false, patience: Patience::Twice };
const FREE_BRIEFLY: Step = Step::BeginFree { cancel: false, patience: Patience::Once };

#[test]
fn no_order_of_steps_breaks_a_promise() {
    struct Case {
        name: &'static str,
        actors: &'static [Step],
        at_least: usize,
    }
    let cases = [
        Case {
            name: "calls, a load, an unload, a free that gives up and comes again, and one that cancels",
            actors: &[Step::BeginLoad, CALL, CALL, STUCK, Step::BeginUnload, FREE_TWICE, CANCEL],
            at_least: 20_000,
        },
        Case {
            name: "two unloads and an idle thread against calls and two frees",
            actors: &[Step::BeginLoad, CALL, CALL, Step::BeginUnload, Step::BeginUnload, Step::Idle, FREE, FREE],
            at_least: 70_000,
        },
        Case {
            name: "nobody waits for the release",
            actors: &[Step::BeginLoad, CALL, CALL, CALL, Step::BeginUnload, FREE_BRIEFLY, FREE_BRIEFLY],
            at_least: 25_000,
        },
        Case {
            name: "unloads and calls without an end",
            actors: &[Step::BeginLoad, Step::BeginLoad, CALL, CALL, CALL, Step::BeginUnload, Step::BeginUnload],
            at_least: 30_000,
        },
    ];
    for case in cases {
        let states = explore(case.actors);
        assert!(states >= case.at_least, "{}: only {states} states", case.name);
    }
}

#[test]
fn a_cancelling_free_ends_what_waits_for_it() {
    assert!(explore(&[Step::BeginLoad, STUCK, STUCK, Step::BeginUnload, FREE_BRIEFLY, CANCEL]) > 1000);
}

#[test]
fn an_engine_that_loaded_nothing_ends_at_once() {
    let mut machine = Machine::default();
    assert_eq!(machine.enter(false), Enter::Empty);
    assert_eq!(machine.begin_free(), Some(Purpose::Release));
    assert_eq!((machine.begin_free(), machine.enter(true), machine.begin_load()), (None, Enter::Closed, Load::Closed));
    assert_eq!(machine.end_drop(), None);
    assert!(machine.is_closed());
}

#[test]
fn a_release_that_was_asked_for_during_an_unload_follows_it() {
    let mut machine = Machine::default();
    assert_eq!(machine.begin_load(), Load::Begin);
    assert_eq!(machine.end_load(true, false), (false, None));
    assert_eq!(machine.begin_unload(), Some(Purpose::Unload));
    assert_eq!(machine.begin_free(), None);
    assert_eq!(machine.end_drop(), Some(Purpose::Release));
    assert_eq!(machine.end_drop(), None);
    assert!(machine.is_closed());
}
