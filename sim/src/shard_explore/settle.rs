//! States from which the same will follow, made equal.

use tenure::sharding::{Rule, State};

use super::doors::{ANY, Ask, PlanRec, Rec, Reply, Shown, Version, Versions};
use super::world::{APART, Flight, Stage, Watch, World};
use crate::explore::fingerprint::digest;

impl Stage {
    /// Makes states equal from which the same will follow.
    pub(super) fn settle(&self, world: &mut World) {
        if !self.shadows.is_empty() {
            return;
        }
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
        // What is acknowledged counts for those that join, and for what plans have moved.
        let mut joins = self.planned(world);
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

    /// All versions that plans, known or on their way, may name.
    fn planned(&self, world: &mut World) -> Vec<Version> {
        let mut versions = Vec::new();
        if self.rules.plans.is_none() {
            return versions;
        }
        let mut know = |plan: &mut PlanRec| plan.versions(&mut |version| versions.push(*version));
        world.plan.iter_mut().for_each(&mut know);
        for player in &mut world.members {
            player.plans.iter_mut().for_each(&mut know);
            for (_, flight) in &mut player.flights {
                if let Flight::Answered(Reply::Planned(plan)) = flight {
                    know(plan);
                }
            }
        }
        versions.extend(world.members.iter().flat_map(|player| &player.seat.names));
        versions
    }

    /// Drops what comes to nothing.
    fn drop_doomed(&self, world: &mut World) {
        let store = &world.store;
        let may_vanish = world.deletions > 0 || self.rules.collect.is_some();
        let whose = |ask: &Ask| match ask {
            Ask::Create(rec) | Ask::Update(rec, _) => self.table.whose(*rec),
            Ask::Delete(whose, _) => *whose,
            Ask::List | Ask::ReadPlan => 0,
        };
        let doomed = |ask: &Ask| {
            let stored = store[usize::from(whose(ask))];
            match ask {
                Ask::List | Ask::ReadPlan | Ask::Update(_, ANY) => false,
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
