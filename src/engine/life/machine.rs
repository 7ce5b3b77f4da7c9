//! The decisions of an engine's life, without locks, time or anything to drop: who may do what, and who has to.
//!
//! One rule keeps it small: whoever takes the last obstacle out of the way does the work, be it a call that leaves, a
//! load that ends, or the one who asks when nothing is in the way. So nobody has to be waiting for it to be done, and
//! who gives up waiting has nothing to tell.

/// The phase of the engine's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Phase {
    #[default]
    Open,
    /// A release was asked for.
    Closing,
    /// The release is over.
    Closed,
}

/// The state of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Content {
    #[default]
    Empty,
    /// One actor makes it.
    Loading,
    Loaded,
    /// One actor drops it; there may be nothing to drop.
    Dropping(Purpose),
}

/// The reason for dropping the content. Whoever gets one has to drop it, and then to call [`Machine::end_drop`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "nobody else will drop it"]
pub(super) enum Purpose {
    /// The engine stays open.
    Unload,
    /// The engine ends.
    Release,
}

/// The answer to a call that wants to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enter {
    /// Use the content, then call [`Machine::leave`].
    In,
    /// Make the content, then call [`Machine::end_load`].
    Load,
    /// Ask again when something has changed.
    Wait,
    /// There is nothing to use, and nobody knows how to make it.
    Empty,
    /// The engine ends, or has ended.
    Closed,
}

/// The answer to a load that wants to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// Make the content, then call [`Machine::end_load`].
    Begin,
    /// It is there.
    Present,
    /// Ask again when something has changed.
    Wait,
    /// The engine ends, or has ended.
    Closed,
}

/// The state of an engine's life.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Machine {
    phase: Phase,
    content: Content,
    calls: usize,
    /// An unload was asked for and is not over. New calls wait for it.
    unloading: bool,
}

impl Machine {
    /// Answers a call that wants to use the content; `can_load` when it could make it.
    pub(super) fn enter(&mut self, can_load: bool) -> Enter {
        if self.phase != Phase::Open {
            return Enter::Closed;
        }
        match self.content {
            _ if self.unloading => Enter::Wait,
            Content::Loading | Content::Dropping(_) => Enter::Wait,
            Content::Loaded => {
                self.calls += 1;
                Enter::In
            }
            Content::Empty if can_load => {
                self.content = Content::Loading;
                Enter::Load
            }
            Content::Empty => Enter::Empty,
        }
    }

    /// Notes that a call has ended its use.
    pub(super) fn leave(&mut self) -> Option<Purpose> {
        self.calls = self.calls.saturating_sub(1);
        self.settle()
    }

    /// Answers a load: somebody wants the content to be there.
    pub(super) fn begin_load(&mut self) -> Load {
        if self.phase != Phase::Open {
            return Load::Closed;
        }
        match self.content {
            _ if self.unloading => Load::Wait,
            Content::Loading | Content::Dropping(_) => Load::Wait,
            Content::Loaded => Load::Present,
            Content::Empty => {
                self.content = Content::Loading;
                Load::Begin
            }
        }
    }

    /// Notes that a load has ended. With `enter`, a successful one is a call from here on, in the same step: nobody can
    /// unload in between. Says whether it is one; it is not when the engine ends.
    pub(super) fn end_load(&mut self, succeeded: bool, enter: bool) -> (bool, Option<Purpose>) {
        self.content = if succeeded { Content::Loaded } else { Content::Empty };
        let entered = succeeded && enter && self.phase == Phase::Open;
        self.calls += usize::from(entered);
        (entered, self.settle())
    }

    /// Notes that somebody wants the engine to end. May be asked again at any time.
    pub(super) fn begin_free(&mut self) -> Option<Purpose> {
        if self.phase == Phase::Open {
            self.phase = Phase::Closing;
        }
        self.settle()
    }

    /// Notes that somebody wants the content to go and the engine to stay; not to be asked once it ends. Joins an
    /// unload that is not over.
    pub(super) fn begin_unload(&mut self) -> Option<Purpose> {
        self.unloading = true;
        self.settle()
    }

    /// Notes that the content is gone. There may be more to do: a release that was asked for during an unload.
    pub(super) fn end_drop(&mut self) -> Option<Purpose> {
        if self.content == Content::Dropping(Purpose::Release) {
            self.phase = Phase::Closed;
        }
        self.content = Content::Empty;
        self.unloading = false;
        self.settle()
    }

    /// Begins what was asked for as soon as nothing is in the way.
    fn settle(&mut self) -> Option<Purpose> {
        let purpose = match self.phase {
            Phase::Closing => Purpose::Release,
            Phase::Open if self.unloading => Purpose::Unload,
            _ => return None,
        };
        let is_busy = self.calls > 0 || matches!(self.content, Content::Loading | Content::Dropping(_));
        (!is_busy).then(|| {
            self.content = Content::Dropping(purpose);
            purpose
        })
    }

    /// Returns true if no end was asked for.
    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Returns true if the end is over.
    pub(super) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Returns true if there is content that nobody is about to drop.
    pub(super) fn is_loaded(&self) -> bool {
        self.content == Content::Loaded
    }

    /// Returns true if there is content that nobody uses or wants gone.
    pub(super) fn is_idle(&self) -> bool {
        self.is_open() && self.is_loaded() && self.calls == 0 && !self.unloading
    }

    /// Returns true if the content is gone or going.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.content, Content::Empty | Content::Dropping(_))
    }

    /// Calls in flight; one that loads counts.
    pub(super) fn calls(&self) -> usize {
        self.calls + usize::from(self.content == Content::Loading)
    }
}

#[cfg(test)]
mod tests;
