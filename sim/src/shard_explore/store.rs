//! What the store does, and what watches will show of it.

use tenure::election::Failure;

use super::doors::{ANY, Ask, PlanRec, Rec, Reply, Shown};
use super::laws::Law;
use super::world::{APART, Stage, Watch, World, index};

/// The most that a watch keeps to show.
const SHOWS: usize = 3;
/// And of plans: what is more is read.
const PLANS: usize = 2;

impl Stage {
    /// The store does what it is asked.
    pub(super) fn execute(&mut self, world: &mut World, ask: Ask) -> Result<Reply, Law> {
        let next = world.version + APART;
        Ok(match ask {
            Ask::List => {
                Reply::Listed(world.store.iter().flatten().copied().collect(), world.version)
            }
            Ask::ReadPlan => match &world.plan {
                Some(plan) => Reply::Planned(plan.clone()),
                None => Reply::Failed(Failure::NotFound),
            },
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
}

impl Stage {
    /// How many plans there are.
    pub(super) fn assignments(&self) -> u16 {
        let members = u16::try_from(self.rules.rates.len()).unwrap_or(1);
        members.pow(self.rules.slots)
    }

    /// Stores a plan that gives these members the slots in turn.
    pub(super) fn plan_for(&self, world: &mut World, members: &[u8]) {
        let count = self.rules.rates.len();
        let slots = (0..self.rules.slots as usize).rev();
        let owner = |slot: usize| usize::from(members[slot % members.len()]);
        let number = slots.fold(0, |number, slot| number * count + owner(slot));
        self.plan(world, u16::try_from(number).unwrap_or(0));
    }

    /// Stores the plan with this number: whose each slot is, in turn. What has another owner than before
    /// has moved; if nothing has, all is given anew, as it is to members of another configuration.
    ///
    /// That a plan is stored over the one it was made from leaves no other trace of who made it, when,
    /// and from which list: a late one finds another version, and comes to nothing.
    pub(super) fn plan(&self, world: &mut World, number: u16) {
        let members = self.rules.rates.len();
        let next = world.version + APART;
        let mut rest = usize::from(number);
        let owners: Vec<u8> = (0..self.rules.slots)
            .map(|_| {
                let owner = index(rest % members);
                rest /= members;
                owner
            })
            .collect();
        let before = world.plan.take().map_or_else(Vec::new, |plan| plan.slots);
        let same = before.iter().map(|(owner, _)| *owner).eq(owners.iter().copied());
        let slots = owners.iter().enumerate().map(|(slot, owner)| {
            let kept = before.get(slot).filter(|(before, _)| before == owner && !same);
            (*owner, kept.map_or(next, |(_, since)| *since))
        });
        let plan = PlanRec { version: next, slots: slots.collect() };
        world.version = next;
        let watching = world.members.iter_mut().take(self.rules.watch.into());
        for player in watching.filter(|player| !player.gone && player.plans.len() < PLANS) {
            player.plans.push(plan.clone());
        }
        world.plan = Some(plan);
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
