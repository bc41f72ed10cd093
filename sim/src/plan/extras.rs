//! What else differs between random runs: the objects of the lock, watches, rollouts, options. All of
//! it comes from a stream of its own, so that clocks and faults are drawn as ever; what is added to the
//! plan stands at its end.

use crate::fault::{Fault, Planned, Reborn, Target};
use crate::rng::{Purpose, Stream};
use crate::scenario::{Change, Lock, Rollout, Scenario};
use crate::time::Span;

/// Adds to a scenario that has its clocks and faults.
pub(super) fn add(drawn: &mut Scenario, seed: u64) {
    let mut stream = Stream::new(seed, Purpose::Plan, 2);
    let heal_at = drawn.heal_at.unwrap_or(drawn.horizon).as_nanos();
    let settle = drawn.lease_duration.as_nanos().saturating_mul(2);
    if heal_at <= settle.saturating_mul(3) {
        return; // there is no room for any
    }
    if stream.chance(7, 8) {
        takeover(drawn, &mut stream, settle, heal_at);
    }
    if stream.chance(1, 4) {
        drawn.lock = match stream.below(4) {
            0 => Lock::ConfigMap,
            1 => Lock::Endpoints,
            2 => Lock::ConfigMapAndLease,
            _ => Lock::EndpointsAndLease,
        };
    }
    if stream.chance(1, 4) {
        watches(drawn, &mut stream, settle, heal_at);
    }
    if stream.chance(1, 4) {
        rollouts(drawn, &mut stream, settle, heal_at);
    }
    options(drawn, &mut stream);
}

/// The leader is away for long enough that another one must take the lock: in half of the plans
/// nothing else would make it change hands.
fn takeover(drawn: &mut Scenario, stream: &mut Stream, settle: u64, heal_at: u64) {
    let at = Span::from_nanos(stream.within(settle, heal_at.saturating_sub(settle)));
    let target = Target::Leader;
    let fault = if stream.chance(1, 2) {
        Fault::Crash { target, reborn: Reborn::New }
    } else {
        Fault::Stop { target }
    };
    drawn.faults.push(Planned::at(at, fault).lasting(Span::from_nanos(settle)));
}

fn watches(drawn: &mut Scenario, stream: &mut Stream, settle: u64, heal_at: u64) {
    for replica in &mut drawn.replicas {
        replica.watch = stream.chance(7, 8);
    }
    for _ in 0..stream.below(3) {
        let at = Span::from_nanos(stream.within(settle / 2, heal_at - 1));
        let lasts = Span::from_nanos(stream.log_uniform(100_000_000, heal_at));
        let target = if stream.chance(1, 2) { Target::Everyone } else { Target::Follower };
        drawn.faults.push(Planned::at(at, Fault::WatchStall { target }).lasting(lasts));
    }
}

/// A step of a migration, or two; a Lease stays one, and whether to release is turned over.
fn rollouts(drawn: &mut Scenario, stream: &mut Stream, settle: u64, heal_at: u64) {
    let lock = |lock| Change { lock: Some(lock), ..Change::default() };
    let changes = match drawn.lock {
        Lock::Lease => {
            let release_on_stop = Some(!drawn.release_on_stop);
            vec![Change { release_on_stop, ..Change::default() }]
        }
        Lock::ConfigMap => vec![lock(Lock::ConfigMapAndLease), lock(Lock::Lease)],
        Lock::Endpoints => vec![lock(Lock::EndpointsAndLease), lock(Lock::Lease)],
        Lock::ConfigMapAndLease | Lock::EndpointsAndLease => vec![lock(Lock::Lease)],
    };
    // Each takes less than a sixth of the time that there is, and the next comes as long after it. Who is
    // paused at its turn stops when it goes on, and who is down starts with what is new.
    let count = drawn.replicas.len().max(1) as u64;
    let room = (heal_at - settle) / 3;
    let mut at = settle + stream.below(room / 2);
    for set in changes.into_iter().take(1 + usize::from(stream.chance(1, 2))) {
        let gap = Span::from_nanos(stream.within(room / 20, room / 2) / count);
        let (at_first, replicas) = (Span::from_nanos(at), Vec::new());
        drawn.rollouts.push(Rollout { at: at_first, gap, replicas, set });
        at += room;
    }
}

fn options(drawn: &mut Scenario, stream: &mut Stream) {
    let (lease, deadline) = (drawn.lease_duration.as_nanos(), drawn.renew_deadline.as_nanos());
    let warns = stream.chance(1, 4).then(|| stream.within(1, deadline.saturating_sub(1).max(1)));
    let delay = stream.chance(1, 8).then(|| stream.within(1, lease));
    for replica in &mut drawn.replicas {
        replica.warn_before = warns.map(Span::from_nanos);
        replica.lock_delay = delay.map(Span::from_nanos);
    }
    if stream.chance(1, 8)
        && let Some(first) = drawn.replicas.first_mut()
    {
        first.preferred = true;
    }
}
