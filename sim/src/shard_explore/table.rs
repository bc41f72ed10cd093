//! Members by number: what each does when something happens to it is asked of the machine once and
//! looked up afterwards.
//!
//! A member is restated first ([`Sharder::restate`]): its clock shows always the same, and the versions
//! it knows have names of its own, in their order; what they are called in the world, the seat says.
//! Between two of them there is room for those that come in.

use core::num::NonZeroU32;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use tenure::placement::Member;
use tenure::sharding::planned::Policy;
use tenure::sharding::{
    Answer, Config, ConfigError, Event, KeyHash, MemberRecord, Mode, Op, Plan, RequestId, Response,
    Restatement, Rules as Held, Sharder, Slot, SlotSet, Slots, State, StoredMember, StoredPlan,
    Watched,
};
use tenure::time::{Instant, Now, Timestamp};

use super::doors::{
    ANY, Ask, Door, Happened, PlanRec, Reaction, Rec, Reply, Shown, Version, Versions,
};
use super::facts::{Facts, facts, mask};
use super::rules::Rules;
use crate::explore::fingerprint::{Digest, digest};

/// Between two versions of a member's own names.
const GAP: Version = 32;
const START: u64 = 1_000_000_000_000;
const TICK: u64 = 1_000_000_000;
const NEVER: u64 = 1_000_000 * TICK;

/// A member's number, and what the world calls its versions, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Seat {
    pub(super) number: u32,
    pub(super) names: Vec<Version>,
}

#[derive(Debug)]
struct Entry {
    sharder: Sharder,
    member: u8,
    facts: Facts,
    ids: Vec<(u64, RequestId)>,
    nexts: BTreeMap<Digest, u32>,
}

#[derive(Debug)]
struct Next {
    number: u32,
    names: Vec<Version>,
    reaction: Reaction,
}

/// All members of a world that there were.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) rules: Rules,
    names: Vec<Arc<str>>,
    entries: Vec<Entry>,
    numbers: BTreeMap<Digest, u32>,
    nexts: Vec<Next>,
    shapes: Vec<MemberRecord>,
    shape_numbers: BTreeMap<Digest, u16>,
}

/// Names for members such that each owns something if there are enough slots.
pub(super) const NAMES: [&str; 3] = ["a", "b", "c"];

impl Table {
    pub(super) fn new(rules: &Rules) -> Self {
        Self {
            rules: rules.clone(),
            names: NAMES.iter().map(|name| (*name).into()).collect(),
            entries: Vec::new(),
            numbers: BTreeMap::new(),
            nexts: Vec::new(),
            shapes: Vec::new(),
            shape_numbers: BTreeMap::new(),
        }
    }

    /// How many members there are, and how often one was called.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.nexts.len())
    }

    pub(super) fn facts(&self, seat: &Seat) -> &Facts {
        &self.entries[seat.number as usize].facts
    }

    /// Lists of an older version than this say nothing to it.
    pub(super) fn view(&self, seat: &Seat) -> Version {
        outside(seat, self.facts(seat).view)
    }

    /// The version that others have to acknowledge.
    pub(super) fn joined(&self, seat: &Seat) -> Option<Version> {
        self.facts(seat).joined.map(|joined| outside(seat, joined))
    }

    pub(super) fn shape(&self, rec: Rec) -> &MemberRecord {
        &self.shapes[usize::from(rec.shape)]
    }

    /// Whose record it is.
    pub(super) fn whose(&self, rec: Rec) -> u8 {
        self.named(self.shape(rec).name())
    }

    fn named(&self, name: &str) -> u8 {
        named(&self.names, name)
    }

    /// A new process.
    pub(super) fn begin(&mut self, member: u8, process: u8) -> Seat {
        let sharder = self.process(member, process, 0);
        let (number, _) = self.settle(sharder, member, at(0).instant);
        Seat { number, names: Vec::new() }
    }

    /// It begins after so many ticks.
    pub(super) fn process(&self, member: u8, process: u8, ticks: u64) -> Sharder {
        Sharder::unchecked(self.config(member, process, false), 0, at(ticks).instant)
    }

    fn config(&self, member: u8, process: u8, heavy: bool) -> Config {
        let rules = &self.rules;
        let name = &self.names[usize::from(member)];
        let ticks = |ticks: u8| Duration::from_nanos(TICK * u64::from(ticks));
        let weight = NonZeroU32::new(if heavy { 9 } else { 1 }).unwrap_or(NonZeroU32::MIN);
        let one = Member::new(name.clone()).with_weight(weight);
        let mut config = Config::new("n", "g", one, format!("{name}{process}"));
        config.lease_duration = ticks(rules.lease);
        config.renew_deadline = ticks(rules.deadline);
        config.retry_period = Duration::from_nanos(1);
        config.request_timeout = ticks(rules.timeout);
        config.drain_deadline = Duration::from_nanos(NEVER);
        config.collect_after = rules.collect.map_or(Duration::from_nanos(NEVER), ticks);
        config.distrust_deletion = rules.distrust;
        config.slots = Slots::new(rules.slots).expect("a power of two");
        if rules.newer.is_some_and(|from| member >= from) {
            config.generation = 2;
            config.hash = KeyHash::Xxh3;
        }
        if rules.plans.is_some() {
            config.mode = Mode::Planned(Policy::default());
        }
        if let Some(rule) = rules.without {
            config.rules = Held::default().without(rule);
        }
        config
    }

    /// The member's number, and its versions by their former names.
    fn settle(&mut self, mut sharder: Sharder, member: u8, now: Instant) -> (u32, Vec<Version>) {
        let mut known = Vec::new();
        let names = &self.names;
        let number = |name: &str| u64::from(named(names, name));
        let (shown, never) = (at(0).instant, Instant::from_nanos(START + NEVER));
        sharder.restate(Restatement {
            now,
            shown,
            never,
            watched: self.rules.watch > member,
            rename: &mut |version| {
                known.push(version);
                version
            },
            number: &number,
        });
        known.sort_unstable();
        known.dedup();
        let restated = sharder.restate(Restatement {
            now: shown,
            shown,
            never,
            watched: self.rules.watch > member,
            rename: &mut |version| {
                (known.binary_search(&version).unwrap_or(0) as u64 + 1) * u64::from(GAP)
            },
            number: &number,
        });
        let known = known.into_iter().map(version).collect();
        let key = digest(&(member, &sharder), [0, 1, 2]);
        if let Some(number) = self.numbers.get(&key) {
            return (*number, known);
        }
        let number = u32::try_from(self.entries.len()).expect("fewer members than 2^32");
        let facts = facts(&sharder, &restated);
        let ids = restated.outstanding;
        self.entries.push(Entry { sharder, member, facts, ids, nexts: BTreeMap::new() });
        self.numbers.insert(key, number);
        (number, known)
    }

    /// Something happens to a member.
    pub(super) fn call(&mut self, seat: &mut Seat, mut door: Door) -> Reaction {
        let mut map: Vec<(Version, Version)> =
            (1..).zip(&seat.names).map(|(place, name)| (*name, place * GAP)).collect();
        door.versions(&mut |version| {
            if *version != 0 && !map.iter().any(|(name, _)| name == version) {
                map.push((*version, 0));
            }
        });
        map.sort_unstable();
        let mut last = 0;
        for (_, own) in &mut map {
            if *own == 0 {
                *own = last + 1;
            }
            last = *own;
        }
        door.versions(&mut |version| {
            if let Some((_, own)) = map.iter().find(|(name, _)| name == version) {
                *version = *own;
            }
        });
        let key = digest(&door, [0, 1, 2]);
        let known = self.entries[seat.number as usize].nexts.get(&key).copied();
        let at = known.unwrap_or_else(|| {
            let next = self.ask(seat.number, &door);
            let at = u32::try_from(self.nexts.len()).expect("fewer calls than 2^32");
            self.nexts.push(next);
            self.entries[seat.number as usize].nexts.insert(key, at);
            at
        });
        let next = &self.nexts[at as usize];
        let mut reaction = next.reaction.clone();
        let back = |version: &mut Version| *version = decode(&map, *version);
        reaction.versions(&mut { back });
        seat.number = next.number;
        seat.names.clear();
        seat.names.extend(next.names.iter().map(|name| decode(&map, *name)));
        reaction
    }

    fn ask(&mut self, number: u32, door: &Door) -> Next {
        let entry = &self.entries[number as usize];
        let (mut sharder, member) = (entry.sharder.clone(), entry.member);
        let ids = entry.ids.iter().map(|(number, id)| (u8::try_from(*number).unwrap_or(0), *id));
        let ids = ids.collect::<Vec<_>>();
        let now = match door {
            Door::Tick => at(self.rules.rates[usize::from(member)].into()),
            _ => at(0),
        };
        self.drive(&mut sharder, member, &ids, now, door);
        let (reaction, _) = self.react(&mut sharder, now.instant);
        let (number, names) = self.settle(sharder, member, now.instant);
        Next { number, names, reaction }
    }

    /// Does to a member what happens, at `now`; its requests on their way have these ids.
    pub(super) fn drive(
        &self,
        sharder: &mut Sharder,
        member: u8,
        ids: &[(u8, RequestId)],
        now: Now,
        door: &Door,
    ) {
        match door {
            Door::Tick => {}
            Door::Wake => sharder.handle_timeout(now),
            Door::Poke => sharder.poke_members(now),
            Door::PokePlan => sharder.poke_plan(now),
            Door::Leave => sharder.leave(now),
            Door::Reconfigure => {
                let mut config = sharder.config().clone();
                let heavy = config.member.weight().get() == 1;
                config.member = self.config(member, 0, heavy).member;
                let asked = sharder.reconfigure(now, config);
                assert!(matches!(asked, Ok(()) | Err(ConfigError::Leaving)), "{asked:?}");
            }
            Door::Drained(slot) => {
                let mut slots = SlotSet::none(sharder.config().slots);
                slots.extend(
                    sharder.config().slots.iter().filter(|at| at.index() == u32::from(*slot)),
                );
                sharder.drained(now, &slots);
            }
            Door::Answer(id, reply) => {
                let id = ids.iter().find(|(number, _)| number == id);
                let id = id.map(|(_, id)| *id).expect("an outstanding request");
                let result = self.reply(reply);
                sharder.handle_response(now, Response { id, result });
            }
            Door::Show(shown) => sharder.handle_watch(now, self.shown(shown)),
            Door::ShowPlan(plan) => {
                sharder.handle_watch(now, Watched::Planned(self.stored_plan(plan)));
            }
        }
    }

    fn reply(&self, reply: &Reply) -> Result<Answer, tenure::election::Failure> {
        Ok(match reply {
            Reply::Listed(members, version) => Answer::Listed {
                members: members.iter().map(|rec| self.stored(*rec)).collect(),
                version: (*version).into(),
            },
            Reply::Written(version) => Answer::Written { version: (*version).into() },
            Reply::Planned(plan) => Answer::Planned(self.stored_plan(plan)),
            Reply::Deleted => Answer::Deleted,
            Reply::Failed(failure) => return Err(*failure),
        })
    }

    fn shown(&self, shown: &Shown) -> Watched {
        match shown {
            Shown::Started(after) => Watched::Started { after: (*after).into() },
            Shown::Stored(rec) => Watched::Stored(self.stored(*rec)),
            Shown::Deleted(whose, version) => Watched::Deleted {
                name: self.names[usize::from(*whose)].clone(),
                version: (*version).into(),
            },
            Shown::Progress(version) => Watched::Progress { version: (*version).into() },
            Shown::Broken => Watched::Broken,
        }
    }

    /// For the configuration of whoever has the first slot.
    fn stored_plan(&self, plan: &PlanRec) -> StoredPlan {
        let first = plan.slots.first().map_or(0, |(owner, _)| *owner);
        let config = self.config(first, 0, false);
        let runs = plan.slots.iter().map(|(owner, since)| {
            let since = if *since == plan.version { 0 } else { u64::from(*since) };
            (1, Some(self.names[usize::from(*owner)].clone()), since)
        });
        let made = Plan::new(config.generation(), config.slots, runs).expect("an owner for each");
        StoredPlan { plan: made.into(), version: plan.version.into() }
    }

    fn stored(&self, rec: Rec) -> StoredMember {
        let mut record = self.shape(rec).clone();
        record.acted_on = rec.acted_on.map(u64::from);
        StoredMember { record: record.into(), version: rec.version.into() }
    }

    fn rec(&mut self, record: &MemberRecord) -> Rec {
        let acted_on = record.acted_on.map(version);
        let shape = MemberRecord { acted_on: None, joined: None, renewed: None, ..record.clone() };
        let key = digest(&shape, [0, 1, 2]);
        let next = u16::try_from(self.shapes.len()).expect("few shapes");
        let number = *self.shape_numbers.entry(key).or_insert(next);
        if number == next {
            self.shapes.push(shape);
        }
        Rec { shape: number, acted_on, version: 0 }
    }

    /// What a member says, and by which ids it asks.
    pub(super) fn react(
        &mut self,
        sharder: &mut Sharder,
        now: Instant,
    ) -> (Reaction, Vec<(u8, RequestId)>) {
        let (mut reaction, mut ids) = (Reaction::default(), Vec::new());
        while let Some(event) = sharder.poll_event() {
            let token =
                |slot: Slot| sharder.token(slot, now).map_or(0, |token| version(token.as_u64()));
            reaction.happened.push(match event {
                Event::Joined => Happened::Joined,
                Event::Acquired(slots) => Happened::Acquired(
                    slots.iter().map(|slot| (number(slot), token(slot))).collect(),
                ),
                Event::Revoking { slots, .. } => Happened::Revoking(mask(&slots)),
                Event::Lapsed { .. } => Happened::Lapsed,
                Event::Left => Happened::Left,
                Event::Released(_)
                | Event::Excluded { .. }
                | Event::DrainOverdue(_)
                | Event::Planned { .. } => continue,
            });
        }
        while let Some(request) = sharder.poll_request() {
            let asked = match request.op {
                Op::List => (1, Ask::List),
                Op::Create(record) => (0, Ask::Create(self.rec(&record))),
                Op::Update(record, over) => {
                    let excludes = record.state == State::Excluded;
                    let id = if excludes { 8 + self.named(record.name()) } else { 0 };
                    (id, Ask::Update(self.rec(&record), version(over)))
                }
                Op::Delete(name, over) => {
                    let whose = self.named(&name);
                    (16 + whose, Ask::Delete(whose, version(over)))
                }
                Op::ReadPlan => (2, Ask::ReadPlan),
                // Who leads is not part of the world.
                Op::Elect(..) => continue,
                Op::CreatePlan(_) | Op::UpdatePlan(..) => unreachable!("it does not lead"),
            };
            ids.push((asked.0, request.id));
            reaction.asks.push(asked);
        }
        (reaction, ids)
    }
}

fn named(names: &[Arc<str>], name: &str) -> u8 {
    let at = names.iter().position(|known| **known == *name).expect("a member of this world");
    u8::try_from(at).unwrap_or(0)
}

/// After so many ticks.
pub(super) fn at(ticks: u64) -> Now {
    Now {
        instant: Instant::from_nanos(START + TICK * ticks),
        timestamp: Timestamp::from_unix_nanos(0),
    }
}

pub(super) fn version(version: u64) -> Version {
    if version == u64::MAX { ANY } else { Version::try_from(version).expect("versions are small") }
}

/// What the world calls a version of a member. One that neither knew, since a rule was left out, is as
/// much greater than the one before.
fn decode(map: &[(Version, Version)], own: Version) -> Version {
    if own == 0 || own == ANY {
        return own;
    }
    let below = map.iter().rev().find(|(_, at)| *at <= own);
    below.map_or(own, |(name, at)| name + (own - at))
}

/// What the world calls a version that a member knows.
fn outside(seat: &Seat, own: Version) -> Version {
    usize::from(own / GAP).checked_sub(1).map_or(0, |place| seat.names[place])
}

fn number(slot: Slot) -> u8 {
    u8::try_from(slot.index()).expect("few slots")
}
