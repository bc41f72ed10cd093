//! A way to a state, for people.

use core::fmt::Write as _;

use super::doors::{Ask, Rec};
use super::rules::Rules;
use super::step::Step;
use super::table::NAMES;
use super::world::{Flight, Stage, World};

/// A step a line, with what the store and the members have afterwards.
pub(super) fn story(rules: &Rules, steps: &[Step]) -> Vec<String> {
    let mut stage = Stage::new(rules);
    let mut world = stage.start();
    let mut lines = vec![state(&stage, &world)];
    for step in steps {
        let held = stage.step(&mut world, *step);
        let mut line = format!("{step}: {}", state(&stage, &world));
        if let Err(law) = held {
            let _ = write!(line, " | {law}");
        }
        lines.push(line);
    }
    lines
}

fn state(stage: &Stage, world: &World) -> String {
    let mut text = format!("v{}", world.version);
    if let Some(plan) = &world.plan {
        let _ = write!(text, " [plan");
        for (owner, since) in &plan.slots {
            let _ = write!(text, " {} since {since}", NAMES[usize::from(*owner)]);
        }
        let _ = write!(text, " @{}]", plan.version);
    }
    for rec in world.store.iter().flatten() {
        let _ = write!(text, " [{}]", told(stage, *rec));
    }
    for (player, name) in world.members.iter().zip(NAMES) {
        if player.gone {
            let _ = write!(text, "; {name} gone");
            continue;
        }
        let facts = stage.table.facts(&player.seat);
        let _ = write!(text, "; {name} owns {:b} works {:b}", facts.owned, player.work);
        if facts.lives {
            text.push_str(" lives");
        }
        for (id, flight) in &player.flights {
            let _ = match flight {
                Flight::Sent(Ask::Update(rec, over)) => {
                    write!(text, " {id}->{} over {over}", told(stage, *rec))
                }
                Flight::Sent(Ask::Create(rec)) => write!(text, " {id}->{}", told(stage, *rec)),
                Flight::Sent(_) => write!(text, " {id}->"),
                Flight::Answered(_) => write!(text, " {id}<-"),
            };
        }
    }
    text
}

fn told(stage: &Stage, rec: Rec) -> String {
    let shape = stage.table.shape(rec);
    let mut text = format!("{}.{} {}", shape.name(), shape.incarnation, shape.state);
    if let Some(acted_on) = rec.acted_on {
        let _ = write!(text, " acted {acted_on}");
    }
    if rec.version != 0 {
        let _ = write!(text, " @{}", rec.version);
    }
    text
}
