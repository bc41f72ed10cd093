//! The electors of a world, as its rules see them: what may be done with one, and what comes of it.

use tenure::election::{
    Cause, Config, Elector, Event, Failure, Op, Profile, RequestId, Response, Restatement, Stored,
    Token, Watched,
};
use tenure::lock::{LockRef, Record, Version};
use tenure::time::{Instant, Now, Timestamp};

use super::objects::{ObjectId, Objects, PLACES, UNSETTLED};
use super::rules::{Lock, Rules, name};
use crate::time::Span;

/// An object and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Copied {
    pub(super) object: ObjectId,
    pub(super) version: u16,
}

/// An [`Op`] of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Ask {
    Get,
    Create(ObjectId),
    /// Over that version.
    Update(Copied),
}

/// A request: what is asked of which of the two objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) place: u8,
    pub(super) ask: Ask,
}

/// What happens to one elector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Door {
    /// Time goes by, and nothing else.
    Tick,
    /// It does what is due, or makes an attempt before it is.
    Wake,
    Stop,
    WorkStopped,
    Answer(Result<Copied, Failure>),
    /// It is to hand over to that life of that replica.
    HandOver(u8, u8),
    /// A watch shows it an object.
    Show(Copied),
    /// Or that one was deleted.
    ShowDeleted,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reaction {
    /// In order, `None` after the last.
    pub(super) happened: [Option<Happened>; 4],
    pub(super) request: Option<Call>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// With that token, or 0.
    Started(u16),
    Stopped(Cause),
}

impl Reaction {
    pub(super) const NONE: Self = Self { happened: [None; 4], request: None };
}

/// What is true of an elector now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(super) struct Facts {
    /// It has a timer, and the timer is due.
    pub(super) due: bool,
    /// It has a timer.
    pub(super) waits: bool,
    /// It has authority; of client-go this says nothing.
    pub(super) leads: bool,
    /// Its authority has ended and it has not been told.
    pub(super) overdue: bool,
    pub(super) finished: bool,
    pub(super) outstanding: bool,
    /// It has seen that another holds the lock (client-go).
    pub(super) sees_another: bool,
    /// It is about to release the lock, and will stop leading after that (client-go).
    pub(super) releasing: bool,
}

/// Where the electors of a world are.
pub(super) trait Electors {
    /// One of them, as a world keeps it.
    type Seat: Clone + Default;

    fn objects(&mut self) -> &mut Objects;
    fn objects_ref(&self) -> &Objects;
    /// A new process.
    fn begin(&mut self, replica: u8, life: u8, clock: Clock) -> Self::Seat;
    fn call(&mut self, seat: &mut Self::Seat, door: Door) -> Reaction;
    fn facts(&self, seat: &Self::Seat) -> Facts;
    /// What its clock shows.
    fn clock(&self, seat: &Self::Seat) -> Clock;
}

/// What a replica's monotonic clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Clock(pub(super) u64);

impl Clock {
    /// Far from the ends of time.
    pub(super) const START: Self = Self(1_000_000_000_000_000);

    pub(super) fn instant(self) -> Instant {
        Instant::from_nanos(self.0)
    }

    pub(super) fn advanced(self, by: Span) -> Self {
        Self(self.0 + by.as_nanos())
    }

    /// With the wall clock: a strict elector's shows always the same, since nothing is to depend on
    /// it; client-go's runs with the other.
    pub(super) fn now(self, rules: &Rules) -> Now {
        let timestamp = match rules.profile {
            Profile::Strict => Timestamp::from_unix(UNSETTLED, 0).unwrap_or(Timestamp::GO_ZERO),
            Profile::ClientGo(_) if rules.frozen => {
                Timestamp::from_unix_nanos(Self::START.0.into())
            }
            Profile::ClientGo(_) => Timestamp::from_unix_nanos(self.0.into()),
        };
        Now { instant: self.instant(), timestamp }
    }
}

/// A production elector, configured as the rules say.
pub(super) fn elector(rules: &Rules, replica: u8, life: u8, clock: Clock) -> Elector {
    let name = name(if rules.one_name { 0 } else { replica });
    let place = |place: usize| LockRef::lease("", PLACES[place]);
    let (lock, secondary) = match rules.lock(replica) {
        Lock::First => (place(0), None),
        Lock::Both => (place(0), Some(place(1))),
        Lock::Second => (place(1), None),
    };
    let config = Config {
        secondary,
        preferred: rules.preferred == Some(replica),
        lease_duration: rules.lease.as_duration(),
        renew_deadline: rules.deadline.as_duration(),
        retry_period: rules.retry.as_duration(),
        request_timeout: rules.timeout.map(Span::as_duration),
        release_on_stop: rules.release,
        missing: rules.missing,
        profile: rules.profile,
        ..Config::new(lock, name, life.to_string())
    };
    Elector::unchecked(config, 0, clock.instant())
}

pub(super) fn facts(elector: &Elector, clock: Clock, outstanding: bool) -> Facts {
    let now = clock.instant();
    let strict = elector.config().profile == Profile::Strict;
    let until = elector.leading_until();
    let timer = elector.poll_timeout();
    let seen = elector.client_go_state().map(|state| &state.observed_record.holder);
    Facts {
        due: timer.is_some_and(|due| due <= now),
        waits: timer.is_some(),
        leads: strict && elector.is_leading(now),
        overdue: strict && until.is_some_and(|until| until <= now),
        finished: elector.is_finished(),
        outstanding,
        releasing: elector.is_releasing_client_go(),
        sees_another: seen.is_some_and(|seen| seen != elector.identity() && !seen.is_empty()),
    }
}

/// Goes through a door of an elector, then does what the contract asks of a driver.
pub(super) fn drive(
    elector: &mut Elector,
    objects: &mut Objects,
    door: Door,
    (now, due): (Now, bool),
    id: Option<RequestId>,
) -> (Reaction, Option<RequestId>) {
    match door {
        Door::Tick => {}
        Door::Wake if due => elector.handle_timeout(now),
        Door::Wake => elector.poke(now),
        Door::Stop => elector.stop(now),
        Door::WorkStopped => elector.work_stopped(now),
        Door::Answer(result) => {
            let result = result.map(|copied| stored(objects, copied));
            if let Some(id) = id {
                elector.handle_response(now, Response { id, result });
            }
        }
        Door::HandOver(replica, life) => {
            elector.hand_over(now, format!("{}_{life}", name(replica)).as_str().into());
        }
        Door::Show(copied) => {
            elector.handle_watch(now, Watched::Stored(stored(objects, copied)));
        }
        Door::ShowDeleted => elector.handle_watch(now, Watched::Deleted),
    }
    let mut reaction = Reaction::NONE;
    let mut places = reaction.happened.iter_mut();
    while let Some(event) = elector.poll_event() {
        let happened = match event {
            Event::StartedLeading { token } => {
                Happened::Started(number(token.map_or(0, Token::as_u64)))
            }
            Event::StoppedLeading { cause } => Happened::Stopped(cause),
            Event::NewLeader { .. } | Event::ForeignWrite { .. } | Event::Endangered { .. } => {
                continue;
            }
        };
        *places.next().expect("no call makes more than four such events") = Some(happened);
    }
    let request = elector.poll_request();
    let id = request.as_ref().map(|request| request.id);
    reaction.request = request.map(|request| {
        let place = u8::from(*request.lock.name != *PLACES[0]);
        let ask = match request.op {
            Op::Get => Ask::Get,
            Op::Create(object) => Ask::Create(objects.number(object)),
            Op::Update(object, version) => {
                let version = number(version.as_ordered().unwrap_or(0));
                Ask::Update(Copied { object: objects.number(object), version })
            }
        };
        Call { place, ask }
    });
    (reaction, id)
}

fn stored(objects: &Objects, copied: Copied) -> Stored {
    Stored {
        object: objects.get(copied.object).clone(),
        version: Version::ordered(copied.version.into()),
    }
}

/// Whether a request is outstanding; restates the elector, see [`Elector::restate`].
pub(super) fn wants_answer(elector: &mut Elector, clock: Clock) -> bool {
    let now = clock.instant();
    elector.restate(Restatement {
        now,
        shown: now,
        rename: &mut Version::clone,
        rewrite: &mut |_: &mut Record| {},
    })
}

fn number(version: u64) -> u16 {
    u16::try_from(version).expect("a world has fewer versions than 65536")
}
