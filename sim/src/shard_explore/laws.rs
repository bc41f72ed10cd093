//! What must hold.

use tenure::sharding::State;

use super::doors::{Happened, Version};
use super::world::{Player, Stage, World};

/// What must hold, named after what is wrong when it does not.
pub type Law = &'static str;

/// At one instant two members may start work on one slot.
pub const AUTHORITY: Law = "two own a slot";
/// One may start work on a slot while another's is under way.
pub const WORK: Law = "one owns a slot on which another works";
/// Two work on one slot.
const OVERLAP: Law = "two work on a slot";
/// Two act under different configurations.
pub const GENERATION: Law = "two act under different configurations";
/// One acts without having seen what was stored the renew deadline ago.
pub const STALE: Law = "one acts by what is older than its deadline";
pub(super) const UNTOLD: Law = "one owns a slot without having been told";
pub(super) const EARLY: Law = "a slot is acquired before the work on it has ended";
/// A token is not greater than the last.
pub const TOKEN: Law = "a token is not greater than the last of its slot";
pub(super) const JOINS_WORKING: Law = "a join before the work has ended";
pub(super) const LEFT_WORKING: Law = "left before the work has ended";
pub(super) const RESTLESS: Law = "not all act in time when nothing more goes wrong";
/// The explorer itself is wrong.
pub(super) const RESTATED: Law = "a restated member does something else than an untouched one";
pub(super) const UNKNOWN: Law = "what was not owned is revoked";

/// Of each state.
pub(super) fn hold(stage: &Stage, world: &World) -> Result<(), Law> {
    let facts = |player: &Player| stage.table.facts(&player.seat).clone();
    let generation = |i: usize| stage.rules.newer.is_some_and(|from| i >= usize::from(from));
    for (i, player) in world.members.iter().enumerate().filter(|(_, player)| !player.gone) {
        let mine = facts(player);
        if mine.owned & !player.work != 0 {
            return Err(UNTOLD);
        }
        let view = stage.table.view(&player.seat);
        let unseen =
            |(version, ago): &(Version, u8)| *version > view && *ago >= stage.rules.deadline;
        if mine.owned != 0 && world.stored.iter().any(unseen) {
            return Err(STALE);
        }
        let busy = if mine.lives { player.work } else { 0 };
        for (j, other) in world.members.iter().enumerate().skip(i + 1) {
            if other.gone {
                continue;
            }
            let theirs = facts(other);
            let others = if theirs.lives { other.work } else { 0 };
            if mine.owned & theirs.owned != 0 {
                return Err(AUTHORITY);
            }
            if mine.owned & others != 0 || busy & theirs.owned != 0 {
                return Err(WORK);
            }
            if busy & others != 0 {
                return Err(OVERLAP);
            }
            if mine.owned != 0 && theirs.owned != 0 && generation(i) != generation(j) {
                return Err(GENERATION);
            }
        }
    }
    Ok(())
}

/// Of what a member tells.
pub(super) fn happened(
    player: &mut Player,
    tokens: &mut [Version],
    happened: &Happened,
) -> Result<(), Law> {
    match happened {
        Happened::Acquired(slots) => {
            for (slot, token) in slots {
                let bit = 1 << slot;
                if (player.work | player.owed) & bit != 0 {
                    return Err(EARLY);
                }
                player.work |= bit;
                let last = &mut tokens[usize::from(*slot)];
                if *token <= *last {
                    return Err(TOKEN);
                }
                *last = *token;
            }
        }
        Happened::Revoking(slots) => {
            if slots & !player.work != 0 {
                return Err(UNKNOWN);
            }
        }
        Happened::Lapsed => {
            player.owed |= player.work;
            player.work = 0;
        }
        Happened::Joined => {
            if player.work | player.owed != 0 {
                return Err(JOINS_WORKING);
            }
        }
        Happened::Left => {
            if player.work | player.owed != 0 {
                return Err(LEFT_WORKING);
            }
        }
    }
    Ok(())
}

/// Of a write of the own record.
pub(super) fn writes(player: &Player, state: State) -> Result<(), Law> {
    let working = player.work | player.owed != 0;
    match state {
        State::Joining if working => Err(JOINS_WORKING),
        State::Left if working => Err(LEFT_WORKING),
        _ => Ok(()),
    }
}
