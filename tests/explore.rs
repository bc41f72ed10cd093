//! Explores what the production electors can do together: every order of time-outs, requests,
//! answers, losses, late writes, stops, crashes, pauses and deletions, each state once.
//!
//! The world has whole-second ticks and two or three replicas (`explore/world.rs`); what must hold
//! is in `explore/laws.rs`. Equal states are merged, a strict elector's time is counted from now: a
//! world that is exhausted holds for all times.
//!
//! `cargo test --test explore` looks a little farther than the longest counterexample that there is
//! to find. `EXPLORE_STATES=3000000 cargo test --release --test explore -- --nocapture` explores up
//! to as many states for each line of the tables, a minute or two and some gigabytes each.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "an explorer that goes astray fails the test"
)]

use std::time::Duration;

use tenure::election::{Missing, Profile, Release};

use explore::laws;
use explore::rules::{Faults, Lock, Network, Rules};
use explore::search::{explore, tell};
use explore::world::World;

mod explore {
    pub(crate) mod laws;
    pub(crate) mod merge;
    pub(crate) mod rules;
    pub(crate) mod search;
    pub(crate) mod tell;
    pub(crate) mod world;
}

fn strict(lease: u64, deadline: u64, rates: &[u64]) -> Rules {
    Rules {
        profile: Profile::Strict,
        lease: Duration::from_secs(lease),
        deadline,
        // Due at each tick, and acted on at any later one: the longest periods are in here too.
        retry: Duration::from_nanos(1),
        request_timeout: None,
        rates: rates.to_vec(),
        missing: Missing::Wait,
        release: false,
        network: Network::Slow,
        late_writes: false,
        free: true,
        faults: Faults::default(),
        beliefs_count: true,
        watch: false,
        preferred: false,
        locks: Vec::new(),
    }
}

fn client_go(lease: u64, deadline: u64, retry: u64) -> Rules {
    Rules {
        profile: Profile::ClientGo(Release::V1_36),
        retry: Duration::from_secs(retry),
        ..strict(lease, deadline, &[1, 1])
    }
}

fn extended() -> bool {
    std::env::var_os("EXPLORE_STATES").is_some()
}

/// Explores until `states` are known, prints a line, and fails unless the verdict is as expected.
fn run(name: &str, rules: Rules, expected: Option<&str>, states: usize, show: bool) {
    let states = match std::env::var("EXPLORE_STATES") {
        Ok(number) => number.parse().unwrap(),
        Err(_) => states,
    };
    let start = World::new(rules);
    let found = explore(&start, states);
    let verdict = found.violation.as_ref().map(|(law, _)| law.as_str());
    let end = if found.exhausted { ", exhausted" } else { "" };
    println!(
        "{name}: {}; {} states, {} steps deep{end}",
        verdict.unwrap_or("safe"),
        found.states,
        found.depth,
    );
    let steps = found.violation.as_ref().map_or(&[][..], |(_, steps)| steps);
    let told = tell(&start, steps);
    if show {
        print!("{told}");
    }
    assert_eq!(verdict, expected, "{name}\n{told}");
}

/// The columns: what may go wrong besides delay and loss.
fn column(number: usize, rules: Rules) -> Rules {
    let faults = match number {
        0 => return rules,
        1 => Faults { stops: 1, pauses: 1, ..Faults::default() },
        2 => Faults { crashes: 1, ..Faults::default() },
        _ => Faults { deletions: 2, ..Faults::default() },
    };
    Rules { release: true, late_writes: number < 3, faults, ..rules }
}

const COLUMNS: [&str; 4] =
    ["delay, loss", "+ late writes, stop, release, pause", "+ late writes, crash", "+ 2 deletions"];

/// Safe if and only if L/D is at least the ratio of the rates.
fn cell((lease, deadline, rates): Row, number: usize, states: usize) {
    let (slow, fast) = (rates.iter().min().unwrap(), rates.iter().max().unwrap());
    let violated = lease * slow < deadline * fast;
    let name = format!("L {lease} D {deadline} rates {rates:?}, {}", COLUMNS[number]);
    let rules = column(number, strict(lease, deadline, rates));
    run(&name, rules, violated.then_some(laws::AUTHORITY), states, false);
}

type Row = (u64, u64, &'static [u64]);

/// The safe ones, each on the edge or beyond it, and next to it one that is just outside.
const ROWS: [Row; 8] = [
    (2, 2, &[1, 1]),
    (2, 3, &[1, 1]),
    (3, 2, &[1, 1]),
    (3, 3, &[1, 1]),
    (4, 2, &[1, 2]),
    (2, 2, &[1, 2]),
    (6, 4, &[2, 3]),
    (3, 4, &[2, 3]),
];

#[test]
fn strict_with_delay_and_loss() {
    for row in ROWS {
        // Rows with a longer deadline have the longer counterexamples, had they any.
        cell(row, 0, if row.1 > 2 { 60_000 } else { 15_000 });
    }
}

#[test]
fn strict_with_stop_and_pause() {
    let rows = if extended() { &ROWS[..] } else { &ROWS[..2] };
    for row in rows {
        cell(*row, 1, 50_000);
    }
}

#[test]
fn strict_with_crash() {
    let rows = if extended() { &ROWS[..] } else { &ROWS[..2] };
    for row in rows {
        cell(*row, 2, 40_000);
    }
}

#[test]
fn strict_with_deletions() {
    let rows = if extended() { &ROWS[..] } else { &ROWS[..2] };
    for row in rows {
        cell(*row, 3, 80_000);
    }
}

/// Three replicas, one of which may be idle.
#[test]
fn strict_with_three_replicas() {
    cell((2, 2, &[1, 2, 1]), 0, 100_000);
    if extended() {
        cell((2, 2, &[1, 1, 1]), 0, 0);
        cell((2, 3, &[1, 1, 1]), 0, 0);
        cell((4, 2, &[1, 2, 1]), 0, 0);
    }
}

/// A watch that shows what is and what was, to anybody at any time.
#[test]
fn strict_with_watch() {
    for (number, late_shows) in [(0, 0), (0, 2), (1, 1), (2, 1), (3, 1)] {
        for (lease, deadline, rates) in &ROWS[..2] {
            let violated = lease < deadline;
            if violated && number > 0 {
                continue;
            }
            let rules = column(number, strict(*lease, *deadline, rates));
            let faults = Faults { late_shows, ..rules.faults };
            let rules = Rules { watch: true, faults, ..rules };
            let name =
                format!("watch, {late_shows} late: L {lease} D {deadline}, {}", COLUMNS[number]);
            run(&name, rules, violated.then_some(laws::AUTHORITY), 60_000, false);
        }
    }
}

/// A watch of both objects, next to somebody who knows the second only and may be faster there.
#[test]
fn strict_with_watch_of_two_objects() {
    for (lease, deadline, rates) in &ROWS[..2] {
        let rules = Rules {
            watch: true,
            locks: vec![Lock::Both, Lock::Second],
            ..strict(*lease, *deadline, rates)
        };
        let violated = lease < deadline;
        let name = format!("watch of both, second: L {lease} D {deadline}");
        run(&name, rules, violated.then_some(laws::AUTHORITY), 150_000, false);
    }
}

/// Handing over, because somebody asks for it or because the other one should lead; to one that may
/// have died, with late writes and crashes.
#[test]
fn strict_with_hand_over() {
    for (preferred, hand_overs, crashes) in [(false, 2, 0), (true, 0, 0), (true, 1, 1)] {
        for (lease, deadline, rates) in &ROWS[..2] {
            let violated = lease < deadline;
            if violated && crashes > 0 {
                continue;
            }
            let faults = Faults { crashes, hand_overs, ..Faults::default() };
            let rules = strict(*lease, *deadline, rates);
            let rules = Rules { preferred, faults, release: true, late_writes: true, ..rules };
            let name = format!(
                "preferred {preferred}, {hand_overs} hand-overs, {crashes} crashes: \
                 L {lease} D {deadline}"
            );
            // Two that lead show by their tokens, too.
            let law = if preferred { laws::TOKEN } else { laws::AUTHORITY };
            run(&name, rules, violated.then_some(law), 60_000, false);
        }
    }
}

/// A lock of two objects, and next to it one of the first or the second only: whoever has an object
/// in common excludes each other, on the edge of the bound and not beyond it.
#[test]
fn strict_with_two_objects() {
    for (name, locks, states) in [
        ("both, both", [Lock::Both, Lock::Both], 130_000),
        ("first, both", [Lock::First, Lock::Both], 60_000),
        ("both, second", [Lock::Both, Lock::Second], 60_000),
    ] {
        for (lease, deadline, rates) in &ROWS[..2] {
            let violated = lease < deadline;
            for (number, what) in COLUMNS.iter().enumerate() {
                if violated && number > 0 {
                    continue;
                }
                let rules = Rules { locks: locks.to_vec(), ..strict(*lease, *deadline, rates) };
                let name = format!("{name}: L {lease} D {deadline}, {what}");
                let states = if number == 0 { states } else { 50_000 };
                let expected = violated.then_some(laws::AUTHORITY);
                run(&name, column(number, rules), expected, states, false);
            }
        }
    }
}

/// The same explorer and laws find what is wrong with client-go: the checks can fail.
#[test]
fn client_go_is_caught() {
    let none = Faults::default();
    let prompt = |rules: Rules, faults: Faults| Rules { network: Network::Prompt, faults, ..rules };
    let lossy = |rules: Rules| Rules { network: Network::Lossy, ..rules };
    let release = |rules: Rules| Rules { release: true, ..rules };
    let belief = Some(laws::BELIEF);
    let sound = client_go(3, 2, 1);

    run("client-go, no fault", prompt(sound.clone(), none), None, 10_000, false);
    let v2 = prompt(release(sound.clone()), Faults { stops: 1, ..none });
    run("client-go V2', release before stop", v2, belief, 50_000, true);
    let v4 = prompt(sound.clone(), Faults { deletions: 1, ..none });
    run("client-go V4, deleted lock", v4, belief, 50_000, true);
    let v5 = prompt(sound.clone(), Faults { pauses: 1, ..none });
    run("client-go V5, pause", v5, belief, 100_000, true);
    let v0 = lossy(client_go(4, 3, 2));
    run("client-go V0, deadline near lease", v0, belief, 500_000, true);
    let v2 = Rules { beliefs_count: false, ..lossy(release(sound.clone())) };
    run("client-go V2, release of another's record", v2, Some(laws::CLEARS), 2_000_000, true);
    run("client-go, loss", lossy(sound.clone()), None, 10_000, false);
    run("client-go V1, late answer", sound, belief, 1_000_000, true);
}
