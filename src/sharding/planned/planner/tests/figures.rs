//! Moves against the least possible, and balance against the ideal: `cargo test -p tenure --lib figures --
//! --nocapture` prints the table that the bounds below are read from.

extern crate std;

use std::println;

use super::*;

/// What a join or a leave moves, over what it must; in the mean of a history, and at worst.
#[derive(Default)]
struct Tally {
    changes: u32,
    moves: u32,
    needed: u32,
    worst_per_mille: u32,
    most_per_mille: u32,
    ranges: usize,
}

/// Joins and leaves by turns at random, around `count` members.
fn history(policy: &Policy, slots: u32, count: u32, changes: u32) -> Tally {
    let mut fleet = Fleet::equal(policy.clone(), slots, count);
    fleet.plan();
    let mut tally = Tally::default();
    for change in 0..changes {
        let random = mix(u64::from(change));
        let many = u32::try_from(fleet.members.len()).unwrap();
        let join = if many * 2 < count { true } else { many < count * 2 && random & 1 == 0 };
        let needed = if join {
            fleet.join(format!("n-{change}").as_str());
            slots / (many + 1)
        } else {
            let at = usize::try_from(random >> 1).unwrap() % fleet.members.len();
            let name = fleet.members.keys().nth(at).unwrap().clone();
            let has = fleet.current().slots_of(&name).len();
            fleet.leave(&name);
            u32::try_from(has).unwrap()
        };
        let outcome = fleet.plan();
        assert_eq!(outcome.unmet, [], "{policy:?}");
        tally.changes += 1;
        tally.moves += moved(&outcome);
        tally.needed += needed;
        tally.worst_per_mille = tally.worst_per_mille.max(moved(&outcome) * 1000 / needed.max(1));
        let counts = fleet.counts();
        let many = u32::try_from(counts.len()).unwrap();
        let most = counts.iter().max().unwrap() * many * 1000 / slots;
        tally.most_per_mille = tally.most_per_mille.max(most);
        tally.ranges = tally.ranges.max(fleet.ranges().into_iter().max().unwrap());
    }
    tally
}

#[test]
fn moves_and_balance() {
    println!("policy                   slots  members  moves/least  worst  busiest/mean  ranges");
    for (slots, count, changes) in [(64, 3, 100), (1024, 3, 100), (1024, 30, 100), (4096, 100, 60)]
    {
        let three = NonZeroU8::new(3).unwrap();
        let policies = [("spread", None, 0), ("spread, slack 250", None, 250)].into_iter();
        let one = NonZeroU8::MIN;
        for (name, ranges, slack) in policies.chain([
            ("3 ranges", Some(three), 0),
            ("3 ranges, slack 100", Some(three), 100),
            ("3 ranges, slack 250", Some(three), 250),
            ("1 range, slack 250", Some(one), 250),
        ]) {
            let layout = ranges.map_or(Layout::Spread, |ranges| Layout::Contiguous { ranges });
            let policy = Policy { layout, slack_per_mille: slack, ..Policy::default() };
            let tally = history(&policy, slots, count, changes);
            let mean = tally.moves * 1000 / tally.needed;
            let worst = tally.worst_per_mille;
            // Never more than twice the least where there is slack, and a quarter more in the mean.
            let (mean_bound, worst_bound) = match (ranges, slack) {
                (None, _) => (1000, 1000),
                (Some(ranges), 250) if ranges == three => (1250, 2000),
                _ => (u32::MAX, u32::MAX),
            };
            assert!(mean <= mean_bound && worst <= worst_bound, "{name}: {mean} {worst}");
            println!(
                "{name:24} {slots:5} {count:8} {:8}.{:03} {:3}.{:02} {:10}.{:03} {:7}",
                mean / 1000,
                mean % 1000,
                worst / 1000,
                worst % 1000 / 10,
                tally.most_per_mille / 1000,
                tally.most_per_mille % 1000,
                tally.ranges
            );
        }
    }
}

/// The largest size, joined and left: it ends, and is as it should be.
#[test]
fn the_largest_size() {
    for policy in [Policy::default(), contiguous(250)] {
        let mut fleet = Fleet::equal(policy, Slots::MAX, 300);
        let timed = |fleet: &mut Fleet, what: &str| {
            let moved = moved(&fleet.plan());
            println!("{what}: {moved} moves");
            moved
        };
        assert_eq!(timed(&mut fleet, "first"), Slots::MAX);
        fleet.join("n-0");
        assert!(timed(&mut fleet, "join") <= Slots::MAX / 301 + 1);
        fleet.leave("m-17");
        assert!(timed(&mut fleet, "leave") <= 2 * (Slots::MAX / 301 + 1));
    }
}
