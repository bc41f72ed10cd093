//! What must hold in each state, and of each write.

use tenure::election::Profile;
use tenure::lock::Record;

use super::rules::Lock;
use super::world::{Replica, World, Writer};

/// Of the name that the strict elector writes for nobody in particular.
const UNCLAIMED: &str = "tenure.dev/unclaimed";

pub(crate) const AUTHORITY: &str = "two have authority";
pub(crate) const BELIEF: &str = "two believe to lead";
pub(crate) const TOKEN: &str = "a token is not greater than the last";
pub(crate) const CLEARS: &str = "a release clears another's record";

/// At most one leads.
pub(crate) fn hold(world: &World) -> Result<(), String> {
    // Of those that have an object in common.
    let two = |leads: &dyn Fn(&Replica) -> bool| {
        let lock = |i: usize| world.rules.locks.get(i).copied().unwrap_or(Lock::First);
        let leaders: Vec<_> =
            (0..world.replicas.len()).filter(|i| leads(&world.replicas[*i])).map(lock).collect();
        (1..leaders.len()).any(|i| leaders[..i].iter().any(|lock| lock.shares(leaders[i])))
    };
    if two(&Replica::leads) {
        return Err(AUTHORITY.into());
    }
    // What a paused process believes is of the past; its authority is counted above.
    if world.rules.beliefs_count && two(&|replica| replica.believes && !replica.paused) {
        return Err(BELIEF.into());
    }
    if world.replicas.iter().any(|replica| replica.leads() && !replica.believes) {
        return Err("one has authority without having been told".into());
    }
    Ok(())
}

/// A write that takes effect says what was and who came after whom.
pub(crate) fn write(
    world: &World,
    writer: &Writer,
    before: Option<&Record>,
    after: &Record,
) -> Result<(), String> {
    let replica = &world.replicas[writer.replica];
    if replica.elector.config().profile != Profile::Strict {
        let clears = before.is_some_and(|before| before.holder != writer.identity);
        return if clears && after.holder.is_empty() { Err(CLEARS.into()) } else { Ok(()) };
    }
    let Some(before) = before else {
        return match after.holder.as_str() {
            UNCLAIMED if after.leader_transitions == 0 => Ok(()),
            _ => Err("a missing lock is created with a holder".into()),
        };
    };
    let same_life = *replica.elector.identity() == writer.identity;
    if after.holder.is_empty() {
        if before.holder != writer.identity {
            return Err(CLEARS.into());
        }
        if same_life && replica.working {
            return Err("a release before the work has stopped".into());
        }
        return same(before.leader_transitions, after.leader_transitions);
    }
    // A wish for the lock changes nothing of the record.
    if world.rules.preferred && before == after {
        return Ok(());
    }
    if after.holder != writer.identity {
        return Err("a write names another than its writer".into());
    }
    if before.holder == after.holder {
        same(before.acquire_time, after.acquire_time)?;
        same(before.leader_transitions, after.leader_transitions)
    } else {
        same(before.leader_transitions + 1, after.leader_transitions)
    }
}

fn same<T: Copy + PartialEq + std::fmt::Debug>(expected: T, got: T) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("expected {expected:?}, written {got:?}")) }
}
