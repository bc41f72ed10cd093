//! What comes of a world when nothing more goes wrong.

use super::doors::PlanRec;
use super::facts::Plain;
use super::laws::{self, Law};
use super::rules::Rules;
use super::shadow::Shadow;
use super::step::Step;
use super::world::{Flight, Player, Stage, Watch, World};
use crate::explore::fingerprint::digest;

/// Walks at random, so many steps, then lets nothing more go wrong: after how many ticks all members
/// that have not left were active, and all slots owned by one each.
///
/// # Errors
/// The law that did not hold, or that it took more than `most` ticks.
///
/// ```
/// use tenure_sim::shard_explore::rest;
/// let rules = "slow=11 joins=20 late-writes".parse().unwrap();
/// assert!(rest(&rules, 1, 50, 4).is_ok());
/// ```
pub fn rest(rules: &Rules, seed: u64, steps: u32, most: u8) -> Result<u8, Law> {
    let mut stage = Stage::new(rules);
    let mut world = stage.start();
    let mut all = Vec::new();
    for n in 0..steps {
        stage.steps(&world, &mut all);
        let (draw, _) = digest(&(seed, n), [0, 1, 2]);
        let at = draw % all.len() as u64;
        stage.step(&mut world, all[usize::try_from(at).unwrap_or(0)])?;
    }
    world.orphans.clear();
    for ticks in 0..=most {
        let lives: Vec<u8> = (0u8..)
            .zip(&world.members)
            .filter(|(_, player)| !player.gone && !stage.table.facts(&player.seat).finished)
            .map(|(i, _)| i)
            .collect();
        let planned = |plan: &PlanRec| plan.slots.iter().all(|(owner, _)| lives.contains(owner));
        if rules.plans.is_some() && !lives.is_empty() && !world.plan.as_ref().is_some_and(planned) {
            stage.plan_for(&mut world, &lives);
        }
        // All that takes no time: a join, its acknowledgement, the read of that, a token.
        for _ in 0..6 {
            for i in 0..world.members.len() {
                let i = u8::try_from(i).unwrap_or(0);
                show_all(&mut stage, &mut world, i)?;
                if !world.members[usize::from(i)].gone {
                    stage.calm(&mut world, i);
                }
                laws::hold(&stage, &world)?;
            }
        }
        if rests(&stage, &world) {
            return Ok(ticks);
        }
        stage.tick(&mut world)?;
        laws::hold(&stage, &world)?;
    }
    Err(laws::RESTLESS)
}

/// Walks at random, so many steps, and asks at each call of a member whether an untouched one does the
/// same; how many calls that were. Beside that goes the world as it is explored, where versions have
/// other names and what comes to nothing is dropped: it must look the same. (But for that, writes that
/// were given up are left alone in walks with an even seed, and the other is left out in those with an
/// odd one.)
///
/// # Errors
/// The law that did not hold; or that they differ.
///
/// ```
/// use tenure_sim::shard_explore::lockstep;
/// let rules = "slow=11 joins=20 late-writes".parse().unwrap();
/// assert!(lockstep(&rules, 1, 100).unwrap() > 50);
/// ```
pub fn lockstep(rules: &Rules, seed: u64, steps: u32) -> Result<usize, Law> {
    let mut stage = Stage::with_shadows(rules);
    let mut world = stage.start();
    let mut merged = seed.is_multiple_of(2).then(|| Stage::new(rules));
    let mut other = merged.as_mut().map_or_else(|| world.clone(), Stage::start);
    let mut all = Vec::new();
    for n in 0..steps {
        match &merged {
            Some(merged) => merged.steps(&other, &mut all),
            None => stage.steps(&world, &mut all),
        }
        all.retain(|step| merged.is_none() || !matches!(step, Step::Late(_)));
        let (draw, _) = digest(&(seed, n), [0, 1, 2]);
        let at = draw % all.len() as u64;
        let step = all[usize::try_from(at).unwrap_or(0)];
        stage.step(&mut world, step)?;
        if let Some(merged) = &mut merged {
            merged.step(&mut other, step)?;
            if looks(&stage, &world) != looks(merged, &other) {
                return Err(laws::RESTATED);
            }
        }
    }
    Ok(stage.shadows.iter().map(Shadow::calls).sum())
}

type Look = (Plain, u8, Vec<(u8, bool)>);

/// Of each member what it says of itself, its work, and what it waits for.
fn looks(stage: &Stage, world: &World) -> Vec<Look> {
    let sent = |(id, flight): &(u8, Flight)| (*id, matches!(flight, Flight::Sent(_)));
    let look = |player: &Player| {
        let plain =
            if player.gone { Plain::default() } else { stage.table.facts(&player.seat).plain };
        (plain, player.work, player.flights.iter().map(sent).collect())
    };
    world.members.iter().map(look).collect()
}

fn show_all(stage: &mut Stage, world: &mut World, i: u8) -> Result<(), Law> {
    while let Watch::Running(shows) = &world.members[usize::from(i)].watch
        && !shows.is_empty()
    {
        stage.step(world, Step::Show(i))?;
    }
    Ok(())
}

/// All act, and all slots are owned. (That none has two owners is a law.)
fn rests(stage: &Stage, world: &World) -> bool {
    let lives = || world.members.iter().filter(|player| !player.gone);
    let mut facts = lives().map(|player| stage.table.facts(&player.seat));
    let acts = facts.clone().all(|facts| facts.finished || facts.acts);
    let owned = facts.clone().fold(0, |all, facts| all | facts.owned);
    let left = facts.all(|facts| facts.finished);
    acts && (left || owned.count_ones() == stage.rules.slots)
}
