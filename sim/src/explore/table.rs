//! Electors by number: what each does when something happens to it is asked of the machine once and
//! looked up afterwards.
//!
//! An elector is a function of its state and of what comes in, and so few states are reached that a
//! world of millions holds but some thousands of electors. A strict one is restated first
//! ([`Elector::restate`]): its clock shows always the same, and its versions have names of its own,
//! 1, 3, 5, … in their order; what they are called in the world, the seat says. Between two of them,
//! and around, there is room for the version of an answer.

use std::collections::BTreeMap;

use tenure::election::{Elector, Profile, RequestId, Restatement};
use tenure::lock::{Record, Version};

use super::electors::{
    Ask, Call, Clock, Copied, Door, Electors, Facts, Happened, Reaction, drive, elector, facts,
    wants_answer,
};
use super::fingerprint::{Digest, digest};
use super::objects::{ObjectId, Objects, settle};
use super::rules::Rules;
use super::symmetry::Symmetry;
use crate::time::Span;

/// How many versions one elector knows at most.
const NAMES: usize = 4;

/// An elector's number, and what the world calls its versions; 0 where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seat {
    pub(super) number: u32,
    pub(super) names: [u16; NAMES],
}

/// What follows when something happens: the next elector, what its versions were called, and what
/// came out.
#[derive(Debug, Clone, Copy)]
struct Next {
    number: u32,
    names: [u16; NAMES],
    reaction: Reaction,
}

#[derive(Debug)]
struct Entry {
    elector: Elector,
    clock: Clock,
    replica: u8,
    facts: Facts,
    digests: Vec<Digest>,
    plain: [Option<u32>; 4],
    others: Vec<(Door, u32)>,
}

/// The electors of a world that is explored.
#[derive(Debug)]
pub(super) struct Table {
    rules: Rules,
    symmetry: Symmetry,
    objects: Objects,
    object_digests: Vec<Vec<Digest>>,
    entries: Vec<Entry>,
    numbers: BTreeMap<Digest, u32>,
    nexts: Vec<Next>,
    first: RequestId,
    strict: bool,
}

impl Table {
    pub(super) fn new(rules: &Rules) -> Self {
        Self {
            rules: rules.clone(),
            symmetry: Symmetry::of(rules),
            objects: Objects::new(rules.profile, true),
            object_digests: Vec::new(),
            entries: Vec::new(),
            numbers: BTreeMap::new(),
            nexts: Vec::new(),
            first: first(rules),
            strict: rules.profile == Profile::Strict,
        }
    }

    pub(super) const fn symmetry(&self) -> &Symmetry {
        &self.symmetry
    }

    /// How many electors there are, and how often one was called.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.nexts.len())
    }

    /// About how many bytes all that takes.
    pub(super) fn bytes(&self) -> usize {
        let orders = self.symmetry.orders().len();
        let entry = size_of::<Entry>() + size_of::<Digest>() * (orders + 3) + 128;
        self.entries.len() * entry
            + self.nexts.len() * size_of::<Next>()
            + self.objects.len() * 1024
    }

    /// An elector's digest under each order of the symmetry.
    pub(super) fn elector_digest(&self, number: u32, order: usize) -> Digest {
        self.entries[number as usize].digests[order]
    }

    pub(super) fn object_digest(&self, object: ObjectId, order: usize) -> Digest {
        self.object_digests[usize::from(object.0)][order]
    }

    /// Keeps the digests of objects up with them.
    pub(super) fn digest_objects(&mut self) {
        while self.object_digests.len() < self.objects.len() {
            let number = u16::try_from(self.object_digests.len()).unwrap_or(u16::MAX);
            let object = self.objects.get(ObjectId(number));
            let orders = self.symmetry.orders().iter();
            let digests = orders.map(|order| digest(object, order.names)).collect();
            self.object_digests.push(digests);
        }
    }

    fn number(&mut self, elector: Elector, clock: Clock, replica: u8, outstanding: bool) -> u32 {
        let state = (&elector, clock, outstanding);
        // Of replicas with one name it matters which one has the elector: its clock's rate.
        let own = if self.rules.one_name { u64::from(replica) } else { 0 };
        let key = digest(&(own, state), [0, 1, 2]);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let orders = self.symmetry.orders().iter();
        let digests = orders.map(|order| digest(&(own, state), order.names)).collect();
        let number = u32::try_from(self.entries.len()).expect("fewer electors than 2^32");
        let facts = facts(&elector, clock, outstanding);
        let (plain, others) = ([None; 4], Vec::new());
        self.entries.push(Entry { elector, clock, replica, facts, digests, plain, others });
        self.numbers.insert(key, number);
        number
    }

    /// Asks the machine.
    fn ask(&mut self, number: u32, door: Door) -> Next {
        let entry = &self.entries[number as usize];
        let (mut elector, mut clock, replica) = (entry.elector.clone(), entry.clock, entry.replica);
        let due = elector.poll_timeout().is_some_and(|due| due <= clock.instant());
        let (reaction, _) = if door == Door::Tick {
            let rate = u64::from(self.rules.rates[usize::from(replica)]);
            let by = Span::from_nanos(self.rules.tick.as_nanos() * rate);
            clock = clock.advanced(by);
            (Reaction::NONE, None)
        } else {
            let now = (clock.now(&self.rules), due);
            drive(&mut elector, &mut self.objects, door, now, Some(self.first))
        };
        let (outstanding, names) = if self.strict {
            let names = settle_elector(&mut elector, clock);
            clock = Clock::START;
            names
        } else {
            (wants_answer(&mut elector, clock), [0; NAMES])
        };
        Next { number: self.number(elector, clock, replica, outstanding), names, reaction }
    }

    fn next(&mut self, number: u32, door: Door) -> Next {
        let entry = &self.entries[number as usize];
        let known = match plain(door) {
            Some(plain) => entry.plain[plain],
            None => entry.others.iter().find(|(known, _)| *known == door).map(|(_, next)| *next),
        };
        if let Some(known) = known {
            return self.nexts[known as usize];
        }
        let next = self.ask(number, door);
        let at = u32::try_from(self.nexts.len()).expect("fewer calls than 2^32");
        self.nexts.push(next);
        let entry = &mut self.entries[number as usize];
        match plain(door) {
            Some(plain) => entry.plain[plain] = Some(at),
            None => entry.others.push((door, at)),
        }
        next
    }
}

/// Doors through which nothing else comes in.
const fn plain(door: Door) -> Option<usize> {
    match door {
        Door::Tick => Some(0),
        Door::Wake => Some(1),
        Door::Stop => Some(2),
        Door::WorkStopped => Some(3),
        Door::Answer(_) | Door::HandOver(..) | Door::Show(_) | Door::ShowDeleted => None,
    }
}

/// Restates a strict elector so that equal ones will do the same. True if a request is outstanding;
/// and what its versions were called, in their order.
fn settle_elector(elector: &mut Elector, clock: Clock) -> (bool, [u16; NAMES]) {
    let mut known = Vec::new();
    elector.restate(Restatement {
        now: clock.instant(),
        shown: Clock::START.instant(),
        rename: &mut |version| {
            known.push(ordered(version));
            version.clone()
        },
        rewrite: &mut settle,
    });
    known.sort_unstable();
    known.dedup();
    let shown = Clock::START.instant();
    let outstanding = elector.restate(Restatement {
        now: shown,
        shown,
        rename: &mut |version| {
            let at = known.binary_search(&ordered(version)).unwrap_or(0);
            Version::ordered(2 * at as u64 + 1)
        },
        rewrite: &mut |_: &mut Record| {},
    });
    let mut names = [0; NAMES];
    assert!(known.len() <= NAMES, "an elector knows {NAMES} versions at most");
    for (name, version) in names.iter_mut().zip(&known) {
        // One more, so that 0 is none.
        *name = u16::try_from(*version + 1).expect("names are small");
    }
    (outstanding, names)
}

fn ordered(version: &Version) -> u64 {
    version.as_ordered().expect("the versions of a world are numbers")
}

/// The id of an elector's outstanding request: each is restated to be its first.
fn first(rules: &Rules) -> RequestId {
    let mut elector = elector(rules, 0, 1, Clock::START);
    elector.poke(Clock::START.now(rules));
    elector.poll_request().expect("a new elector makes an attempt").id
}

impl Seat {
    /// Where a version of the world stands among the elector's own.
    fn place(&self, version: u16) -> u16 {
        let below = self.names.iter().filter(|name| **name != 0 && **name < version).count();
        let mine = self.names.contains(&version);
        u16::try_from(2 * below).unwrap_or(0) + u16::from(mine)
    }

    /// The version of the world that stands there; `answer` is the one that came in.
    fn version(&self, place: u16, answer: u16) -> u16 {
        if place % 2 == 1 { self.names[usize::from(place / 2)] } else { answer }
    }
}

impl Electors for Table {
    type Seat = Seat;

    fn objects(&mut self) -> &mut Objects {
        &mut self.objects
    }

    fn objects_ref(&self) -> &Objects {
        &self.objects
    }

    fn begin(&mut self, replica: u8, life: u8, clock: Clock) -> Seat {
        let elector = elector(&self.rules, replica, life, clock);
        Seat { number: self.number(elector, clock, replica, false), names: [0; NAMES] }
    }

    fn call(&mut self, seat: &mut Seat, door: Door) -> Reaction {
        if !self.strict {
            let next = self.next(seat.number, door);
            seat.number = next.number;
            return next.reaction;
        }
        let mut answer = 0;
        let door = match door {
            Door::Answer(Ok(Copied { object, version })) => {
                answer = version;
                Door::Answer(Ok(Copied { object, version: seat.place(version) }))
            }
            Door::Show(Copied { object, version }) => {
                answer = version;
                Door::Show(Copied { object, version: seat.place(version) })
            }
            door => door,
        };
        let Next { number, names, mut reaction } = self.next(seat.number, door);
        for happened in reaction.happened.iter_mut().flatten() {
            if let Happened::Started(token) = happened {
                *token = seat.version(*token, answer);
            }
        }
        if let Some(Call { ask: Ask::Update(copied), .. }) = &mut reaction.request {
            copied.version = seat.version(copied.version, answer);
        }
        let names =
            names.map(|place| place.checked_sub(1).map_or(0, |place| seat.version(place, answer)));
        *seat = Seat { number, names };
        reaction
    }

    fn facts(&self, seat: &Seat) -> Facts {
        self.entries[seat.number as usize].facts
    }

    fn clock(&self, seat: &Seat) -> Clock {
        self.entries[seat.number as usize].clock
    }
}
