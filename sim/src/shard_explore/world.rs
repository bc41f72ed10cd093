//! A state of a world, and what a step makes of it.

use tenure::sharding::State;

use super::doors::{Ask, Door, PlanRec, Rec, Reply, Shown, Version, Versions};
use super::laws::{self, Law};
use super::rules::{Rules, Slow};
use super::shadow::Shadow;
use super::step::Step;
use super::table::{Seat, Table};

/// The world's versions are so far apart.
pub(super) const APART: Version = 8;
/// The most writes that were given up and may still be applied.
const ORPHANS: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) members: Vec<Player>,
    pub(super) store: Vec<Option<Rec>>,
    pub(super) version: Version,
    pub(super) plan: Option<PlanRec>,
    pub(super) orphans: Vec<Ask>,
    /// How many ticks ago what was stored that somebody has not seen, if that is of interest.
    pub(super) stored: Vec<(Version, u8)>,
    /// Of each slot, the greatest that was given.
    pub(super) tokens: Vec<Version>,
    pub(super) crashes: u8,
    pub(super) leaves: u8,
    pub(super) changes: u8,
    pub(super) deletions: u8,
    pub(super) plans: u8,
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
    /// What a watch has yet to show of plans, oldest first.
    pub(super) plans: Vec<PlanRec>,
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

impl Versions for World {
    fn versions(&mut self, f: &mut dyn FnMut(&mut Version)) {
        f(&mut self.version);
        self.tokens.iter_mut().for_each(&mut *f);
        self.stored.iter_mut().for_each(|(version, _)| f(version));
        self.store.iter_mut().flatten().for_each(|rec| rec.versions(f));
        self.orphans.iter_mut().for_each(|ask| ask.versions(f));
        self.plan.iter_mut().for_each(|plan| plan.versions(f));
        for player in &mut self.members {
            player.seat.names.iter_mut().for_each(&mut *f);
            player.plans.iter_mut().for_each(|plan| plan.versions(f));
            for (_, flight) in &mut player.flights {
                match flight {
                    Flight::Sent(ask) => ask.versions(f),
                    Flight::Answered(reply) => reply.versions(f),
                }
            }
            if let Watch::Listed(shows) | Watch::Running(shows) = &mut player.watch {
                for shown in shows {
                    shown.versions(f);
                }
            }
        }
    }
}

/// The rules of a world, and its members.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) rules: Rules,
    pub(super) table: Table,
    /// Untouched members beside those of the world, if that is of interest.
    pub(super) shadows: Vec<Shadow>,
}

impl Stage {
    pub(super) fn new(rules: &Rules) -> Self {
        Self { rules: rules.clone(), table: Table::new(rules), shadows: Vec::new() }
    }

    /// With untouched members beside those of the world, whose versions are then those of the store.
    pub(super) fn with_shadows(rules: &Rules) -> Self {
        let mut stage = Self::new(rules);
        let members = 0..index(rules.rates.len());
        stage.shadows = members.map(|i| Shadow::new(&stage.table, i, 0, 0)).collect();
        stage
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
            plan: None,
            orphans: Vec::new(),
            stored: Vec::new(),
            tokens: vec![0; slots],
            crashes: rules.crashes,
            leaves: rules.leaves,
            changes: rules.changes,
            deletions: rules.deletions,
            plans: rules.plans.unwrap_or(0),
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
        if self.rules.plans.is_some() && self.rules.settled > 0 {
            let settled: Vec<u8> = (0..self.rules.settled).collect();
            self.plan_for(&mut world, &settled);
        }
        for i in (0..self.rules.settled).cycle().take(2 * usize::from(self.rules.settled)) {
            self.calm(&mut world, i);
        }
        for player in &mut world.members {
            player.joins = 0;
        }
        self.settle(&mut world);
        world
    }

    /// A member does all there is to do.
    pub(super) fn calm(&mut self, world: &mut World, i: u8) {
        let mut calls = vec![Door::Poke];
        if self.rules.plans.is_some() {
            calls.push(Door::PokePlan);
        }
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

    /// # Errors
    /// The law that does not hold afterwards.
    pub(super) fn step(&mut self, world: &mut World, step: Step) -> Result<(), Law> {
        match step {
            Step::Tick => self.tick(world)?,
            Step::Wake(i) => self.call(world, i, Door::Wake)?,
            Step::Poke(i) => self.call(world, i, Door::Poke)?,
            Step::PokePlan(i) => self.call(world, i, Door::PokePlan)?,
            Step::Plan(number) => {
                world.plans -= 1;
                self.plan(world, number);
            }
            Step::ShowPlan(i) => {
                let plan = world.members[usize::from(i)].plans.remove(0);
                self.call(world, i, Door::ShowPlan(plan))?;
            }
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

    pub(super) fn tick(&mut self, world: &mut World) -> Result<(), Law> {
        for (_, ago) in &mut world.stored {
            *ago = self.rules.deadline.min(*ago + 1);
        }
        for i in 0..world.members.len() {
            let player = &mut world.members[i];
            if player.gone {
                continue;
            }
            let reaction = self.table.call(&mut player.seat, Door::Tick);
            if let Some(shadow) = self.shadows.get_mut(i) {
                shadow.call(&mut self.table, &Door::Tick, &reaction, &player.seat)?;
            }
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

    fn crash(&mut self, world: &mut World, i: u8) {
        let player = &mut world.members[usize::from(i)];
        let flights = core::mem::take(&mut player.flights);
        let (process, joins) = (player.process + 1, player.joins);
        let gone = joins >= self.rules.joins;
        *player = Player { joins, process, gone, ..Player::default() };
        if !gone {
            player.seat = self.table.begin(i, process);
            if let Some(shadow) = self.shadows.get_mut(usize::from(i)) {
                *shadow = Shadow::new(&self.table, i, process, shadow.ticks());
            }
        }
        self.orphan(world, flights);
    }

    fn orphan(&self, world: &mut World, flights: impl IntoIterator<Item = (u8, Flight)>) {
        if !self.rules.late_writes {
            return;
        }
        for (_, flight) in flights {
            if let Flight::Sent(ask) = flight
                && !matches!(ask, Ask::List | Ask::ReadPlan)
                && world.orphans.len() < ORPHANS
            {
                world.orphans.push(ask);
            }
        }
    }

    /// Calls a member, and does what the contract asks of a driver.
    fn call(&mut self, world: &mut World, i: u8, door: Door) -> Result<(), Law> {
        let player = &mut world.members[usize::from(i)];
        let reaction = if let Some(shadow) = self.shadows.get_mut(usize::from(i)) {
            let reaction = self.table.call(&mut player.seat, door.clone());
            shadow.call(&mut self.table, &door, &reaction, &player.seat)?;
            reaction
        } else {
            self.table.call(&mut player.seat, door)
        };
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
                        *player = Player { joins, process, gone: true, ..Player::default() };
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
}

pub(super) fn index(i: usize) -> u8 {
    u8::try_from(i).unwrap_or(0)
}
