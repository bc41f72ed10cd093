//! A state of a world, and what may come next.

use core::fmt;

use tenure::election::Failure;
use tenure::sharding::{Rule, State};

use super::doors::{ANY, Ask, Door, Happened, Rec, Reply, Shown, Version, Versions};
use super::laws::{self, Law};
use super::rules::{Rules, Slow};
use super::table::{NAMES, Seat, Table};
use crate::explore::fingerprint::digest;

/// The world's versions are so far apart.
pub(super) const APART: Version = 8;
/// The most writes that were given up and may still be applied.
const ORPHANS: usize = 2;
/// The most that a watch keeps to show.
const SHOWS: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) members: Vec<Player>,
    pub(super) store: Vec<Option<Rec>>,
    pub(super) version: Version,
    pub(super) orphans: Vec<Ask>,
    /// How many ticks ago what was stored that somebody has not seen, if that is of interest.
    pub(super) stored: Vec<(Version, u8)>,
    /// Of each slot, the greatest that was given.
    pub(super) tokens: Vec<Version>,
    crashes: u8,
    leaves: u8,
    changes: u8,
    deletions: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Player {
    pub(super) seat: Seat,
    pub(super) flights: Vec<(u8, Flight)>,
    /// Slots on which work may be under way, by what the driver was told.
    pub(super) work: u8,
    /// Slots on which work was stopped at the end of authority, and which are to be reported.
    pub(super) owed: u8,
    pub(super) joins: u8,
    pub(super) process: u8,
    /// It takes part no more.
    pub(super) gone: bool,
    pub(super) watch: Watch,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Flight {
    Sent(Ask),
    Answered(Reply),
}

/// What a watch has yet to show, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) enum Watch {
    #[default]
    None,
    /// There is an unanswered list from which it may begin.
    Listed(Vec<Shown>),
    Running(Vec<Shown>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Tick,
    Wake(u8),
    Poke(u8),
    Apply(u8, u8),
    Answer(u8, u8),
    /// And a watch begins where the list was.
    AnswerWatch(u8),
    Drained(u8, u8),
    Late(u8),
    Crash(u8),
    Leave(u8),
    Change(u8),
    Delete(u8),
    Show(u8),
    Progress(u8),
    Break(u8),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |i: &u8| NAMES[usize::from(*i)];
        let kind = |id: &u8| match id {
            0 => "own record".to_owned(),
            1 => "list".to_owned(),
            8..16 => format!("exclusion of {}", NAMES[usize::from(id - 8)]),
            _ => format!("deletion of {}", NAMES[usize::from(id - 16)]),
        };
        match self {
            Self::Tick => f.write_str("tick"),
            Self::Wake(i) => write!(f, "{} wakes", name(i)),
            Self::Poke(i) => write!(f, "{} renews and reads", name(i)),
            Self::Apply(i, id) => write!(f, "{}'s {} is executed", name(i), kind(id)),
            Self::Answer(i, id) => write!(f, "{}'s {} is answered", name(i), kind(id)),
            Self::AnswerWatch(i) => write!(f, "{}'s list is answered and a watch begins", name(i)),
            Self::Drained(i, slot) => write!(f, "{} has drained slot {slot}", name(i)),
            Self::Late(k) => write!(f, "a write that was given up is executed ({k})"),
            Self::Crash(i) => write!(f, "{} crashes and starts anew", name(i)),
            Self::Leave(i) => write!(f, "{} is to leave", name(i)),
            Self::Change(i) => write!(f, "{} is to change its weight", name(i)),
            Self::Delete(i) => write!(f, "{}'s record is deleted from outside", name(i)),
            Self::Show(i) => write!(f, "{}'s watch shows the next", name(i)),
            Self::Progress(i) => write!(f, "{}'s watch shows progress", name(i)),
            Self::Break(i) => write!(f, "{}'s watch breaks", name(i)),
        }
    }
}

impl Versions for World {
    fn versions(&mut self, f: &mut dyn FnMut(&mut Version)) {
        f(&mut self.version);
        self.tokens.iter_mut().for_each(&mut *f);
        self.stored.iter_mut().for_each(|(version, _)| f(version));
        self.store.iter_mut().flatten().for_each(|rec| rec.versions(f));
        self.orphans.iter_mut().for_each(|ask| ask.versions(f));
        for player in &mut self.members {
            player.seat.names.iter_mut().for_each(&mut *f);
            for (_, flight) in &mut player.flights {
                match flight {
                    Flight::Sent(ask) => ask.versions(f),
                    Flight::Answered(reply) => reply.versions(f),
                }
            }
            if let Watch::Listed(shows) | Watch::Running(shows) = &mut player.watch {
                shows.iter_mut().for_each(|shown| shown.versions(f));
            }
        }
    }
}

/// The rules of a world, and its members.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) rules: Rules,
    pub(super) table: Table,
}

impl Stage {
    pub(super) fn new(rules: &Rules) -> Self {
        Self { rules: rules.clone(), table: Table::new(rules) }
    }

    /// The state at the beginning.
    pub(super) fn start(&mut self) -> World {
        let rules = &self.rules;
        let count = rules.rates.len();
        let slots = rules.slots as usize;
        let mut world = World {
            members: vec![Player::default(); count],
            store: vec![None; count],
            version: APART,
            orphans: Vec::new(),
            stored: Vec::new(),
            tokens: vec![0; slots],
            crashes: rules.crashes,
            leaves: rules.leaves,
            changes: rules.changes,
            deletions: rules.deletions,
        };
        for i in 0..count {
            world.members[i].seat = self.table.begin(index(i), 0);
        }
        // As long as members may distrust what they do not see.
        for _ in 0..6 + self.rules.lease {
            for i in 0..self.rules.settled {
                self.calm(&mut world, i);
            }
            if self.rules.distrust && self.rules.settled > 0 {
                self.tick(&mut world).expect("calm");
            }
        }
        for i in 0..self.rules.settled {
            self.calm(&mut world, i);
        }
        for player in &mut world.members {
            player.joins = 0;
        }
        self.settle(&mut world);
        world
    }

    /// A member does all there is to do.
    fn calm(&mut self, world: &mut World, i: u8) {
        let mut calls = vec![Door::Poke];
        while let Some(door) = calls.pop() {
            self.call(world, i, door).expect("calm");
            self.handle_all(world, i, Slow::None).expect("calm");
            let player = &mut world.members[usize::from(i)];
            let open = self.table.facts(&player.seat).draining | player.owed;
            if open != 0 {
                let slot = index(open.trailing_zeros() as usize);
                player.work &= !(1 << slot);
                player.owed &= !(1 << slot);
                calls.push(Door::Drained(slot));
            }
        }
    }

    /// All steps that may come next.
    pub(super) fn steps(&self, world: &World, out: &mut Vec<Step>) {
        out.clear();
        out.push(Step::Tick);
        for (i, player) in (0u8..).zip(&world.members) {
            if player.gone {
                continue;
            }
            let facts = self.table.facts(&player.seat);
            for (id, flight) in &player.flights {
                match flight {
                    Flight::Sent(_) => out.push(Step::Apply(i, *id)),
                    Flight::Answered(_) => out.push(Step::Answer(i, *id)),
                }
            }
            if self.rules.watch > i {
                self.watch_steps(world, i, out);
            }
            if facts.finished {
                continue;
            }
            out.push(Step::Poke(i));
            if facts.due {
                out.push(Step::Wake(i));
            }
            let open = facts.draining | player.owed;
            let slots = (0..8).filter(|slot| open >> slot & 1 == 1);
            out.extend(slots.map(|slot| Step::Drained(i, slot)));
            if world.crashes > 0 {
                out.push(Step::Crash(i));
            }
            if world.leaves > 0 {
                out.push(Step::Leave(i));
            }
            if world.changes > 0 {
                out.push(Step::Change(i));
            }
        }
        out.extend((0..index(world.orphans.len())).map(Step::Late));
        if world.deletions > 0 {
            let stored = (0u8..).zip(&world.store).filter(|(_, rec)| rec.is_some());
            out.extend(stored.map(|(i, _)| Step::Delete(i)));
        }
    }

    fn watch_steps(&self, world: &World, i: u8, out: &mut Vec<Step>) {
        let player = &world.members[usize::from(i)];
        match &player.watch {
            Watch::None => {}
            Watch::Listed(_) => {
                if player.flights.iter().any(|(id, _)| *id == 1) {
                    out.push(Step::AnswerWatch(i));
                }
            }
            Watch::Running(shows) => {
                let first = if shows.is_empty() { Step::Progress(i) } else { Step::Show(i) };
                out.extend([first, Step::Break(i)]);
            }
        }
    }

    /// # Errors
    /// The law that does not hold afterwards.
    pub(super) fn step(&mut self, world: &mut World, step: Step) -> Result<(), Law> {
        match step {
            Step::Tick => self.tick(world)?,
            Step::Wake(i) => self.call(world, i, Door::Wake)?,
            Step::Poke(i) => self.call(world, i, Door::Poke)?,
            Step::Apply(i, id) => self.apply(world, i, id)?,
            Step::Answer(i, id) => self.answer(world, i, id, false)?,
            Step::AnswerWatch(i) => self.answer(world, i, 1, true)?,
            Step::Drained(i, slot) => {
                let player = &mut world.members[usize::from(i)];
                player.work &= !(1 << slot);
                player.owed &= !(1 << slot);
                self.call(world, i, Door::Drained(slot))?;
            }
            Step::Late(k) => {
                let ask = world.orphans.remove(usize::from(k));
                self.execute(world, ask)?;
            }
            Step::Crash(i) => {
                world.crashes -= 1;
                self.crash(world, i);
            }
            Step::Leave(i) => {
                world.leaves -= 1;
                self.call(world, i, Door::Leave)?;
            }
            Step::Change(i) => {
                world.changes -= 1;
                self.call(world, i, Door::Reconfigure)?;
            }
            Step::Delete(i) => {
                world.deletions -= 1;
                let version = world.store[usize::from(i)].map_or(0, |rec| rec.version);
                self.execute(world, Ask::Delete(i, version))?;
            }
            Step::Show(i) => {
                if let Watch::Running(shows) = &mut world.members[usize::from(i)].watch {
                    let shown = shows.remove(0);
                    if shown == Shown::Broken {
                        world.members[usize::from(i)].watch = Watch::None;
                    }
                    self.call(world, i, Door::Show(shown))?;
                }
            }
            Step::Progress(i) => {
                let version = world.version;
                self.call(world, i, Door::Show(Shown::Progress(version)))?;
            }
            Step::Break(i) => {
                world.members[usize::from(i)].watch = Watch::None;
                self.call(world, i, Door::Show(Shown::Broken))?;
            }
        }
        for i in 0..world.members.len() {
            self.handle_all(world, index(i), self.rules.slow[i])?;
        }
        self.settle(world);
        laws::hold(self, world)
    }

    /// Some of a member's requests take no time.
    fn handle_all(&mut self, world: &mut World, i: u8, slow: Slow) -> Result<(), Law> {
        // Without some rule a member asks in vain again and again.
        for _ in 0..16 {
            let mut flights = world.members[usize::from(i)].flights.iter();
            let Some((id, flight)) = flights.find(|(id, _)| !slow.is(*id)) else {
                return Ok(());
            };
            match (*id, flight) {
                (id, Flight::Sent(_)) => self.apply(world, i, id)?,
                // A watch begins when it can.
                (id, Flight::Answered(_)) => self.answer(world, i, id, self.rules.watch > i)?,
            }
        }
        Ok(())
    }

    fn tick(&mut self, world: &mut World) -> Result<(), Law> {
        for (_, ago) in &mut world.stored {
            *ago = self.rules.deadline.min(*ago + 1);
        }
        for i in 0..world.members.len() {
            let player = &mut world.members[i];
            if player.gone {
                continue;
            }
            self.table.call(&mut player.seat, Door::Tick);
            if self.table.facts(&player.seat).overdue && !self.rules.late_drivers {
                self.call(world, index(i), Door::Wake)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, world: &mut World, i: u8, id: u8) -> Result<(), Law> {
        let flights = &world.members[usize::from(i)].flights;
        let Some(at) = flights.iter().position(|(known, _)| *known == id) else { return Ok(()) };
        let Flight::Sent(ask) = flights[at].1 else { return Ok(()) };
        let reply = self.execute(world, ask)?;
        let player = &mut world.members[usize::from(i)];
        player.flights[at].1 = Flight::Answered(reply);
        if self.rules.watch > i && ask == Ask::List && player.watch == Watch::None {
            player.watch = Watch::Listed(Vec::new());
        }
        Ok(())
    }

    fn answer(&mut self, world: &mut World, i: u8, id: u8, watch: bool) -> Result<(), Law> {
        let player = &mut world.members[usize::from(i)];
        let Some(at) = player.flights.iter().position(|(known, _)| *known == id) else {
            return Ok(());
        };
        if !matches!(player.flights[at].1, Flight::Answered(_)) {
            return Ok(());
        }
        let (_, flight) = player.flights.remove(at);
        let Flight::Answered(reply) = flight else { return Ok(()) };
        let mut begins = None;
        if id == 1
            && let Watch::Listed(shows) = &mut player.watch
        {
            let shows = core::mem::take(shows);
            player.watch = Watch::None;
            if let Reply::Listed(_, version) = &reply
                && watch
            {
                begins = Some(*version);
                player.watch = Watch::Running(shows);
            }
        }
        self.call(world, i, Door::Answer(id, reply))?;
        if let Some(version) = begins {
            self.call(world, i, Door::Show(Shown::Started(version)))?;
        }
        Ok(())
    }

    /// The store does what it is asked.
    fn execute(&mut self, world: &mut World, ask: Ask) -> Result<Reply, Law> {
        let next = world.version + APART;
        Ok(match ask {
            Ask::List => {
                Reply::Listed(world.store.iter().flatten().copied().collect(), world.version)
            }
            Ask::Create(rec) | Ask::Update(rec, _) => {
                let stored = &mut world.store[usize::from(self.table.whose(rec))];
                match (ask, &stored) {
                    (Ask::Create(_), Some(_)) => return Ok(Reply::Failed(Failure::AlreadyExists)),
                    (Ask::Update(..), None) => return Ok(Reply::Failed(Failure::NotFound)),
                    (Ask::Update(_, over), Some(old)) if over != ANY && over != old.version => {
                        return Ok(Reply::Failed(Failure::Conflict));
                    }
                    _ => {}
                }
                let rec = Rec { version: next, ..rec };
                *stored = Some(rec);
                world.version = next;
                tell(world, &Shown::Stored(rec));
                Reply::Written(next)
            }
            Ask::Delete(whose, over) => {
                let stored = &mut world.store[usize::from(whose)];
                match stored {
                    None => return Ok(Reply::Failed(Failure::NotFound)),
                    Some(old) if old.version != over => {
                        return Ok(Reply::Failed(Failure::Conflict));
                    }
                    Some(_) => *stored = None,
                }
                world.version = next;
                tell(world, &Shown::Deleted(whose, next));
                Reply::Deleted
            }
        })
    }

    fn crash(&mut self, world: &mut World, i: u8) {
        let player = &mut world.members[usize::from(i)];
        let flights = core::mem::take(&mut player.flights);
        let (process, joins) = (player.process + 1, player.joins);
        let gone = joins >= self.rules.joins;
        *player = Player { process, joins, gone, ..Player::default() };
        if !gone {
            player.seat = self.table.begin(i, process);
        }
        self.orphan(world, flights);
    }

    fn orphan(&self, world: &mut World, flights: impl IntoIterator<Item = (u8, Flight)>) {
        if !self.rules.late_writes {
            return;
        }
        for (_, flight) in flights {
            if let Flight::Sent(ask) = flight
                && ask != Ask::List
                && world.orphans.len() < ORPHANS
            {
                world.orphans.push(ask);
            }
        }
    }

    /// Calls a member, and does what the contract asks of a driver.
    fn call(&mut self, world: &mut World, i: u8, door: Door) -> Result<(), Law> {
        let player = &mut world.members[usize::from(i)];
        let reaction = self.table.call(&mut player.seat, door);
        for happened in &reaction.happened {
            laws::happened(player, &mut world.tokens, happened)?;
        }
        let asked = &self.table.facts(&player.seat).asked;
        let fresh = |id: &u8| reaction.asks.iter().any(|(new, _)| new == id);
        let (kept, given_up): (Vec<_>, Vec<_>) = core::mem::take(&mut player.flights)
            .into_iter()
            .partition(|(id, _)| asked.contains(id) && !fresh(id));
        player.flights = kept;
        if given_up.iter().any(|(id, _)| *id == 1)
            && let Watch::Listed(_) = player.watch
        {
            player.watch = Watch::None;
        }
        for (id, ask) in reaction.asks {
            if let Ask::Create(rec) | Ask::Update(rec, _) = ask
                && id == 0
            {
                let state = self.table.shape(rec).state;
                laws::writes(player, state)?;
                if state == State::Joining && rec.acted_on.is_none() {
                    player.joins += 1;
                    if player.joins > self.rules.joins {
                        let (process, joins) = (player.process, self.rules.joins);
                        *player = Player { process, joins, gone: true, ..Player::default() };
                        break;
                    }
                }
            }
            player.flights.push((id, Flight::Sent(ask)));
        }
        player.flights.sort_unstable_by_key(|(id, _)| *id);
        self.orphan(world, given_up);
        Ok(())
    }

    /// Makes states equal from which the same will follow.
    fn settle(&self, world: &mut World) {
        self.drop_doomed(world);
        if self.rules.fresh && world.stored.last().is_none_or(|(last, _)| *last < world.version) {
            world.stored.push((world.version, 0));
        }
        let lives = world.members.iter().filter(|player| !player.gone);
        let seen = lives.map(|player| self.table.view(&player.seat)).min().unwrap_or(0);
        world.stored.retain(|(version, _)| *version > seen || *version == world.version);
        self.forget_versions(world);
        rename_versions(world);
    }

    /// Of a version that is only ever compared with some others counts only between which of them it is.
    fn forget_versions(&self, world: &mut World) {
        // What is acknowledged counts for those that join.
        let mut joins: Vec<Version> = Vec::new();
        let mut grants = vec![0];
        for player in world.members.iter().filter(|player| !player.gone) {
            joins.extend(self.table.joined(&player.seat));
            for (id, flight) in &player.flights {
                if let Flight::Answered(Reply::Written(version)) = flight
                    && *id == 0
                {
                    joins.push(*version);
                    grants.push(*version);
                }
            }
            if self.rules.without == Some(Rule::TokenAfterRead) {
                grants.extend(&player.seat.names);
            }
        }
        let stored = world.store.iter().flatten();
        joins.extend(
            stored
                .filter(|rec| self.table.shape(**rec).state == State::Joining)
                .map(|rec| rec.version),
        );
        let floor = |of: &[Version], version: Version| {
            of.iter().copied().filter(|known| *known <= version).max().unwrap_or(0)
        };
        for token in &mut world.tokens {
            *token = floor(&grants, *token);
        }
        let acknowledged = |rec: &mut Rec| {
            if let Some(acted_on) = &mut rec.acted_on {
                *acted_on = floor(&joins, *acted_on);
            }
        };
        world.store.iter_mut().flatten().for_each(acknowledged);
        let asked = |ask: &mut Ask| {
            if let Ask::Create(rec) | Ask::Update(rec, _) = ask {
                acknowledged(rec);
            }
        };
        world.orphans.iter_mut().for_each(asked);
        let forward = self.rules.without != Some(Rule::ViewsForward);
        for player in &mut world.members {
            let view = if player.gone { 0 } else { self.table.view(&player.seat) };
            for (_, flight) in &mut player.flights {
                match flight {
                    Flight::Sent(ask) => asked(ask),
                    Flight::Answered(Reply::Listed(members, version)) => {
                        if *version < view && forward {
                            *version = 0;
                            members.clear();
                        }
                        members.iter_mut().for_each(acknowledged);
                    }
                    Flight::Answered(_) => {}
                }
            }
            if let Watch::Listed(shows) | Watch::Running(shows) = &mut player.watch {
                for shown in shows {
                    if let Shown::Stored(rec) = shown {
                        acknowledged(rec);
                    }
                }
            }
        }
    }

    /// Drops what comes to nothing.
    fn drop_doomed(&self, world: &mut World) {
        let store = &world.store;
        let may_vanish = world.deletions > 0 || self.rules.collect.is_some();
        let whose = |ask: &Ask| match ask {
            Ask::Create(rec) | Ask::Update(rec, _) => self.table.whose(*rec),
            Ask::Delete(whose, _) => *whose,
            Ask::List => 0,
        };
        let doomed = |ask: &Ask| {
            let stored = store[usize::from(whose(ask))];
            match ask {
                Ask::List | Ask::Update(_, ANY) => false,
                Ask::Create(_) => stored.is_some() && !may_vanish,
                Ask::Update(_, over) | Ask::Delete(_, over) => {
                    stored.is_none_or(|stored| stored.version != *over)
                }
            }
        };
        world.orphans.retain(|ask| !doomed(ask));
        for player in &mut world.members {
            for (_, flight) in &mut player.flights {
                if let Flight::Sent(ask) = flight
                    && doomed(ask)
                    && let Ask::Update(rec, over) = ask
                {
                    *over = 0;
                    rec.acted_on = rec.acted_on.map(|_| 0);
                }
            }
        }
    }
}

/// Gives versions names by their order only.
fn rename_versions(world: &mut World) {
    let mut all = Vec::new();
    world.versions(&mut |version| all.push(*version));
    all.sort_unstable();
    all.dedup();
    let names: Vec<Version> = all.iter().copied().filter(|v| *v != 0 && *v != ANY).collect();
    world.versions(&mut |version| {
        if let Ok(at) = names.binary_search(version) {
            *version = (Version::try_from(at).expect("few versions") + 1) * APART;
        }
    });
}

impl World {
    pub(super) fn fingerprint(&self) -> u64 {
        let (a, b) = digest(self, [0, 1, 2]);
        (a ^ b.rotate_left(32)).max(1)
    }
}

/// What watches will show.
fn tell(world: &mut World, shown: &Shown) {
    for player in &mut world.members {
        if let Watch::Listed(shows) | Watch::Running(shows) = &mut player.watch {
            if shows.last() == Some(&Shown::Broken) {
                continue;
            }
            shows.push(shown.clone());
            if shows.len() > SHOWS {
                *shows = vec![Shown::Broken];
            }
        }
    }
}

fn index(i: usize) -> u8 {
    u8::try_from(i).unwrap_or(0)
}
