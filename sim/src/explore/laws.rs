//! What must hold in each state, and of each write.

use super::electors::Electors;
use super::objects::ObjectId;
use super::rules::Sought;
use super::world::{Replica, Stage, World, Writer};

/// What must hold, named after what is wrong when it does not.
pub type Law = &'static str;

/// At one instant two replicas have authority.
pub const AUTHORITY: Law = "two have authority";
/// At one instant two running replicas are between `StartedLeading` and `StoppedLeading`.
pub const BELIEF: Law = "two believe to lead";
/// Who releases writes over a record that names another.
pub const CLEARS: Law = "a release clears another's record";
/// client-go: who has read another's record still believes to lead.
pub const KNOWS: Law = "a leader knows of another and goes on";
/// A term begins with a token that is not greater than that of the last.
pub const TOKEN: Law = "a token is not greater than the last";
pub(super) const UNTOLD: Law = "one has authority without having been told";
pub(super) const IDLE: Law = "an elector waits for nothing";
pub(super) const BEFORE_STOPPED: Law = "a term begins before the work of the last has stopped";
pub(super) const STOPPED_TWICE: Law = "stopped without having started";
const CREATED_HELD: Law = "a missing lock is created with a holder";
const RELEASED_WORKING: Law = "a release before the work has stopped";
const FOREIGN: Law = "a write names another than its writer";
const COPIED: Law = "a write changes what it is to keep, or counts wrongly";

/// All of them.
pub(super) const ALL: [Law; 13] = [
    AUTHORITY,
    BELIEF,
    CLEARS,
    KNOWS,
    UNTOLD,
    IDLE,
    BEFORE_STOPPED,
    TOKEN,
    STOPPED_TWICE,
    CREATED_HELD,
    RELEASED_WORKING,
    FOREIGN,
    COPIED,
];

/// Of the name that the strict elector writes for nobody in particular.
const UNCLAIMED: &str = "tenure.dev/unclaimed";

/// At most one leads.
pub(super) fn hold<E: Electors>(stage: &Stage<E>, world: &World<E::Seat>) -> Result<(), Law> {
    let count = |leads: &dyn Fn(&Replica<E::Seat>) -> bool| {
        world.replicas().iter().filter(|replica| leads(replica)).count()
    };
    let leads = |replica: &Replica<E::Seat>| stage.facts(replica).leads;
    if count(&leads) > 1 {
        return Err(AUTHORITY);
    }
    // What a paused process believes is of the past; its authority is counted above.
    let believes = |replica: &Replica<E::Seat>| replica.believes && !replica.paused;
    match stage.rules.sought {
        Sought::TwoLeaders if count(&believes) > 1 => return Err(BELIEF),
        Sought::Bystanders
            if count(&|replica| believes(replica) && !stage.facts(replica).releasing) > 1 =>
        {
            return Err(BELIEF);
        }
        Sought::KnowingLeader
            if count(&|replica| believes(replica) && stage.facts(replica).sees_another) > 0 =>
        {
            return Err(KNOWS);
        }
        _ => {}
    }
    if count(&|replica| leads(replica) && !replica.believes) > 0 {
        return Err(UNTOLD);
    }
    Ok(())
}

/// A write that takes effect says what was and who came after whom.
pub(super) fn write<E: Electors>(
    stage: &Stage<E>,
    world: &World<E::Seat>,
    writer: Writer,
    (place, after): (u8, ObjectId),
) -> Result<(), Law> {
    let objects = stage.electors.objects_ref();
    let before = world.store[usize::from(place)].map(|stored| objects.record(stored.object));
    let after = objects.record(after);
    let identity = stage.rules.holder(writer.replica, writer.life);
    if !stage.strict() {
        let clears = before.is_some_and(|before| before.holder.as_str() != identity);
        let sought = stage.rules.sought == Sought::ForeignRelease;
        return hold_if(!(sought && clears && after.holder.is_empty()), CLEARS);
    }
    let Some(before) = before else {
        let nobody = after.holder.as_str() == UNCLAIMED && after.leader_transitions == 0;
        let found = stage.rules.missing == tenure::election::Missing::NewGroup;
        return hold_if(nobody || found, CREATED_HELD);
    };
    let same_term = before.leader_transitions == after.leader_transitions;
    if after.holder.is_empty() {
        hold_if(before.holder.as_str() == identity, CLEARS)?;
        let replica = &world.replicas()[usize::from(writer.replica)];
        hold_if(replica.life != writer.life || !replica.working, RELEASED_WORKING)?;
        return hold_if(same_term, COPIED);
    }
    // A wish for the lock changes nothing of the record.
    if stage.rules.preferred == Some(writer.replica) && before == after {
        return Ok(());
    }
    hold_if(after.holder.as_str() == identity, FOREIGN)?;
    if before.holder == after.holder {
        hold_if(same_term && before.acquire_time == after.acquire_time, COPIED)
    } else {
        hold_if(before.leader_transitions + 1 == after.leader_transitions, COPIED)
    }
}

const fn hold_if(holds: bool, law: Law) -> Result<(), Law> {
    if holds { Ok(()) } else { Err(law) }
}
