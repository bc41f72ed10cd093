//! What a replica's process does beside taking part in the election: a [`Program`], by default
//! [`GuardedWork`]. A program is a machine of the same shape as the elector: `handle_*` says what
//! happened, `poll_*` says what is to be done.

use tenure::election::Failure;
use tenure::time::{Instant, Now};

use crate::guarded::Write;
use crate::scenario::{Gate, Work};
use crate::store;
use crate::time::Span;

/// What a program may ask of its elector. Without election everything is false and absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// `StartedLeading` came last, not `StoppedLeading`.
    pub believes: bool,
    /// `Elector::is_leading` at this instant.
    pub is_leading: bool,
    /// `Elector::fencing_token` as a number.
    pub token: Option<u64>,
}

/// What a program wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send a call to the store; its answer comes as [`Program::handle_answer`] with this id. The
    /// program itself decides how long it waits.
    Call {
        /// The program's own numbering.
        id: u64,
        /// What to ask.
        call: store::Call,
    },
    /// Send a write to the guarded resource.
    Write(Write),
    /// The work that `StoppedLeading` told to stop has stopped: the elector is told.
    WorkEnded,
    /// Put a [`What::Note`](crate::trace::What::Note) into the trace.
    Note {
        /// What kind; the program's own numbering.
        kind: u32,
        /// A number.
        a: u64,
        /// Another.
        b: u64,
    },
}

/// What a replica's process does beside the election. One value is one life: what it holds is lost
/// in a crash.
///
/// After each `handle_*` the driver polls actions until there are none, and then the time-out.
///
/// ```
/// use tenure::election::Failure;
/// use tenure::lock::Object;
/// use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
/// use tenure::time::{Instant, Now};
/// use tenure_sim::program::{Action, Program, Standing};
/// use tenure_sim::scenario::Scenario;
/// use tenure_sim::store::{Answer, Call};
/// use tenure_sim::world::World;
///
/// /// Whoever comes to lead reads what is called `settings`.
/// #[derive(Default)]
/// struct Reader {
///     wants: Option<Action>,
///     has_read: bool,
/// }
///
/// impl Program for Reader {
///     fn handle_start(&mut self, _: Now, _: Standing) {}
///     fn handle_started_leading(&mut self, _: Now, standing: Standing) {
///         assert!(standing.believes && standing.token.is_some());
///         let call = Call::Get { name: "settings".into() };
///         self.wants = Some(Action::Call { id: 1, call });
///     }
///     fn handle_stopped_leading(&mut self, _: Now, _: Standing) {
///         self.wants = Some(Action::WorkEnded);
///     }
///     fn handle_timeout(&mut self, _: Now, _: Standing) {}
///     fn handle_answer(&mut self, _: Now, _: Standing, _: u64, answer: &Result<Answer, Failure>) {
///         self.has_read |= matches!(answer, Ok(Answer::Stored(_)));
///     }
///     fn poll_action(&mut self) -> Option<Action> {
///         self.wants.take()
///     }
///     fn poll_timeout(&self) -> Option<Instant> {
///         None
///     }
/// }
///
/// let mut world = World::with_programs(&Scenario::default(), 1, |_, _, _| Reader::default())?;
/// let metadata = Metadata { name: "settings".into(), ..Metadata::default() };
/// let settings = Lease { metadata: metadata.into(), spec: LeaseSpec::default() };
/// world.store_mut().create(&Object::Lease(settings)).unwrap();
/// world.run(&mut ());
/// let has_read = |replica: &u32| world.program(*replica).is_some_and(|program| program.has_read);
/// assert_eq!((0..3).filter(has_read).count(), 1, "one led all the time");
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
pub trait Program {
    /// The process began. With an election most programs wait for `handle_started_leading`.
    fn handle_start(&mut self, now: Now, standing: Standing);

    /// The elector said `StartedLeading`.
    fn handle_started_leading(&mut self, now: Now, standing: Standing);

    /// The elector said `StoppedLeading` after it had led. Sooner or later there must be an
    /// [`Action::WorkEnded`].
    fn handle_stopped_leading(&mut self, now: Now, standing: Standing);

    /// The time of [`poll_timeout`](Self::poll_timeout) has come; it may be late.
    fn handle_timeout(&mut self, now: Now, standing: Standing);

    /// An answer to [`Action::Call`].
    fn handle_answer(
        &mut self,
        now: Now,
        standing: Standing,
        id: u64,
        answer: &Result<store::Answer, Failure>,
    ) {
        let _ = (now, standing, id, answer);
    }

    /// The answer of the guarded resource to [`Action::Write`]: whether it took the write.
    fn handle_written(&mut self, now: Now, standing: Standing, write: &Write, accepted: bool) {
        let _ = (now, standing, write, accepted);
    }

    /// What to do next.
    fn poll_action(&mut self) -> Option<Action>;

    /// When to call [`handle_timeout`](Self::handle_timeout), on this process's own clock.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Whether it wants [`handle_written`](Self::handle_written); without it the resource's answers
    /// are not simulated.
    fn wants_written(&self) -> bool {
        false
    }
}

/// The default: while it believes, it writes to the guarded resource once a period, with its token,
/// asking first whatever its [`Gate`] says; told to stop it takes its time.
///
/// ```
/// use tenure_sim::check::acting::Acting;
/// use tenure_sim::program::GuardedWork;
/// use tenure_sim::scenario::{Gate, Scenario};
/// use tenure_sim::world::World;
///
/// // Work that takes an hour to end goes on beside the next leader, unless it asks before each write.
/// let scenario = tenure_sim::catalogue::find("work-never-stops").unwrap();
/// let acts = |gate: Gate| {
///     let work = scenario.work.clone();
///     let mut world = World::with_programs(&scenario, 1, move |_, _, _| GuardedWork::new(&work, gate))?;
///     Ok::<_, tenure_sim::scenario::ScenarioError>(world.run(&mut Acting::new(&scenario)).violations)
/// };
/// assert_eq!(acts(Gate::Authority)?, []);
/// let found = acts(Gate::Belief)?;
/// assert!(found.iter().any(|it| it.is_of("acting/acted-without-authority")), "{found:?}");
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GuardedWork {
    period: Span,
    stop_takes: Span,
    gate: Gate,
    fenced: bool,
    working: bool,
    /// The token of the term.
    token: Option<u64>,
    next_write: Option<Instant>,
    ends: Option<Instant>,
    out: Option<Out>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Out {
    Write(Option<u64>),
    Ended,
}

impl GuardedWork {
    /// Work as the scenario has it, for a replica whose gate, if the scenario says nothing, is
    /// `gate`.
    #[must_use]
    pub fn new(work: &Work, gate: Gate) -> Self {
        Self {
            period: work.period,
            stop_takes: work.stop_takes,
            gate: work.gate.unwrap_or(gate),
            fenced: work.fenced,
            working: false,
            token: None,
            next_write: None,
            ends: None,
            out: None,
        }
    }

    fn write(&mut self, now: Now, standing: Standing) {
        if self.working {
            if self.gate == Gate::Belief || standing.is_leading {
                self.out = Some(Out::Write(self.token.filter(|_| self.fenced)));
            }
            if !self.period.is_zero() {
                self.next_write = Some(now.instant + self.period.as_duration());
            }
        }
    }

    fn end(&mut self) {
        self.working = false;
        self.next_write = None;
        self.ends = None;
        self.out = Some(Out::Ended);
    }
}

impl Program for GuardedWork {
    fn handle_start(&mut self, _: Now, _: Standing) {}

    fn handle_started_leading(&mut self, now: Now, standing: Standing) {
        self.working = true;
        self.token = standing.token;
        self.ends = None;
        if !self.period.is_zero() {
            self.write(now, standing);
        }
    }

    fn handle_stopped_leading(&mut self, now: Now, _: Standing) {
        if self.stop_takes.is_zero() || !self.working {
            self.end();
        } else {
            self.ends = Some(now.instant + self.stop_takes.as_duration());
        }
    }

    fn handle_timeout(&mut self, now: Now, standing: Standing) {
        if self.ends.is_some_and(|ends| ends <= now.instant) {
            self.end();
        } else if self.next_write.is_some_and(|next| next <= now.instant) {
            self.write(now, standing);
        }
    }

    fn poll_action(&mut self) -> Option<Action> {
        Some(match self.out.take()? {
            Out::Write(token) => Action::Write(Write { key: 0, token, value: 0 }),
            Out::Ended => Action::WorkEnded,
        })
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match (self.next_write, self.ends) {
            (Some(next), Some(ends)) => Some(next.min(ends)),
            (next, ends) => next.or(ends),
        }
    }
}
