//! What may come next.

use core::fmt;

use super::table::NAMES;
use super::world::{Flight, Stage, Watch, World, index};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Tick,
    Wake(u8),
    Poke(u8),
    /// Reads the plan.
    PokePlan(u8),
    /// The plan with this number is stored.
    Plan(u16),
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
    ShowPlan(u8),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |i: &u8| NAMES[usize::from(*i)];
        let kind = |id: &u8| match id {
            0 => "own record".to_owned(),
            1 => "list".to_owned(),
            2 => "read of the plan".to_owned(),
            8..16 => format!("exclusion of {}", NAMES[usize::from(id - 8)]),
            _ => format!("deletion of {}", NAMES[usize::from(id - 16)]),
        };
        match self {
            Self::Tick => f.write_str("tick"),
            Self::Wake(i) => write!(f, "{} wakes", name(i)),
            Self::Poke(i) => write!(f, "{} renews and reads", name(i)),
            Self::PokePlan(i) => write!(f, "{} reads the plan", name(i)),
            Self::Plan(_) => f.write_str("a plan is stored"),
            Self::ShowPlan(i) => write!(f, "{}'s watch shows a plan", name(i)),
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

impl Stage {
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
                watch_steps(world, i, out);
            }
            if facts.finished {
                continue;
            }
            out.push(Step::Poke(i));
            if self.rules.plans.is_some() && !player.flights.iter().any(|(id, _)| *id == 2) {
                out.push(Step::PokePlan(i));
            }
            if !player.plans.is_empty() {
                out.push(Step::ShowPlan(i));
            }
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
        if world.plans > 0 {
            out.extend((0..self.assignments()).map(Step::Plan));
        }
        out.extend((0..index(world.orphans.len())).map(Step::Late));
        if world.deletions > 0 {
            let stored = (0u8..).zip(&world.store).filter(|(_, rec)| rec.is_some());
            out.extend(stored.map(|(i, _)| Step::Delete(i)));
        }
    }
}

fn watch_steps(world: &World, i: u8, out: &mut Vec<Step>) {
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
