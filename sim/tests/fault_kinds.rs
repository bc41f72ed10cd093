//! Each kind of fault does what it says, can wait for a trigger, and when one of two that overlap is
//! over the other goes on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tenure::election::Failure;
use tenure_sim::distribution::Distribution;
use tenure_sim::fault::{Fault, Planned};
use tenure_sim::scenario::{Api, Scenario};
use tenure_sim::time::{SimTime, Span};
use tenure_sim::trace::{Actor, Entry, Recorder, Reply, Verb, What};
use tenure_sim::world::World;

fn at(text: &str) -> SimTime {
    SimTime::ZERO + text.parse::<Span>().unwrap()
}

fn fault(text: &str) -> Fault {
    serde_json::from_str(text).unwrap()
}

/// A fault from one time to another.
fn planned(from: &str, to: &str, text: &str) -> Planned {
    let lasts = at(to).saturating_since(at(from));
    Planned::at(from.parse().unwrap(), fault(text)).lasting(lasts)
}

/// Messages take a millisecond; a single replica, unless a test says otherwise.
fn base() -> Scenario {
    let mut scenario = Scenario::default().with_replicas(1);
    scenario.network.request = Distribution::Constant(Span::from_millis(1));
    scenario.network.response = scenario.network.request;
    scenario.horizon = Span::from_secs(120);
    scenario.work.period = Span::ZERO;
    scenario
}

fn run(scenario: &Scenario) -> (Vec<Entry>, World) {
    let mut recorder = Recorder::default();
    let mut world = World::new(scenario, 1).unwrap();
    world.run(&mut recorder);
    (recorder.entries, world)
}

fn with(base: Scenario, faults: Vec<Planned>) -> Vec<Entry> {
    run(&Scenario { faults, ..base }).0
}

/// When these happened, from the one time up to the other.
fn when(entries: &[Entry], from: &str, to: &str, which: fn(&What) -> bool) -> Vec<SimTime> {
    let within = |entry: &&Entry| entry.at >= at(from) && entry.at < at(to) && which(&entry.what);
    entries.iter().filter(within).map(|entry| entry.at).collect()
}

const fn applied(what: &What) -> bool {
    matches!(what, What::Applied { .. })
}

const fn sent(what: &What) -> bool {
    matches!(what, What::Sent { .. })
}

const fn answered(what: &What) -> bool {
    matches!(what, What::Answered { late: false, .. })
}

const fn failed(what: &What) -> bool {
    matches!(what, What::Answered { late: false, reply: Reply::Failed(Failure::Other), .. })
}

const fn conflicted(what: &What) -> bool {
    matches!(what, What::Answered { late: false, reply: Reply::Failed(Failure::Conflict), .. })
}

const fn given_up(what: &What) -> bool {
    matches!(what, What::GivenUp { .. })
}

const fn shown(what: &What) -> bool {
    matches!(what, What::Watched { .. })
}

#[test]
fn what_is_held_up_goes_on_when_nothing_holds_it_any_more() {
    let hold = r#"{"hold": {"sites": [0], "direction": "outgoing"}}"#;
    let entries = with(base(), vec![planned("60s", "62s", hold), planned("61s", "64s", hold)]);
    let late = when(&entries, "60s", "64s", sent);
    assert!(!late.is_empty());
    assert_eq!(when(&entries, "60s", "64s", applied), []);
    assert_eq!(when(&entries, "64s", "64.002s", applied).len(), late.len(), "none is lost");
    assert_eq!(when(&entries, "60s", "120s", given_up), []);

    let answers = r#"{"hold": {"sites": [0], "direction": "incoming"}}"#;
    let entries = with(base(), vec![planned("60s", "64s", answers)]);
    assert!(!when(&entries, "60s", "64s", applied).is_empty());
    assert_eq!(when(&entries, "60.002s", "64s", answered), []);
    assert_eq!(when(&entries, "64s", "64.002s", answered).len(), 1);

    // What is blocked when it is let go gets lost.
    let cut = r#"{"partition": {"sites": [0]}}"#;
    let both = vec![planned("60s", "62s", hold), planned("61.9s", "70s", cut)];
    assert_eq!(when(&with(base(), both), "60.1s", "70s", applied), []);
}

#[test]
fn watches_show_what_was_held_up_in_its_order() {
    let mut scenario = base().with_replicas(2);
    scenario.replicas[1].watch = true;
    scenario.replicas[1].start = Span::from_secs(10);
    let hold = planned("60s", "70s", r#"{"hold": {"sites": [1], "direction": "incoming"}}"#);
    let entries = with(scenario, vec![hold]);
    assert_eq!(when(&entries, "60.01s", "70s", shown), []);
    assert!(when(&entries, "70s", "70.01s", shown).len() > 3);
    let versions = entries.iter().filter_map(|entry| match entry.what {
        What::Watched { version, .. } => version,
        _ => None,
    });
    assert!(versions.collect::<Vec<_>>().is_sorted());
}

#[test]
fn a_reset_fails_the_call_under_way_and_each_one_until_it_is_over() {
    let mut scenario = base();
    scenario.store.after = Distribution::Constant(Span::from_secs(1));
    let calm = with(scenario.clone(), Vec::new());
    let renewal = when(&calm, "60s", "70s", sent)[0];
    let begins = renewal.saturating_since(SimTime::ZERO) + Span::from_millis(500);
    let reset = Planned::at(begins, fault(r#"{"reset": {"sites": [0]}}"#));
    let entries = with(scenario, vec![reset.lasting(Span::from_secs(1))]);
    let told: Vec<_> = entries.iter().filter(|entry| failed(&entry.what)).collect();
    assert_eq!(told[0].at, SimTime::ZERO + begins, "at once");
    assert!(entries.iter().any(|entry| applied(&entry.what) && entry.at > renewal));

    for (direction, reaches) in [("outgoing", false), ("incoming", true)] {
        let reset = format!(r#"{{"reset": {{"sites": [0], "direction": "{direction}"}}}}"#);
        let two = vec![planned("60s", "63s", &reset), planned("61s", "66s", &reset)];
        let entries = with(base(), two);
        assert_eq!(!when(&entries, "60.1s", "66s", applied).is_empty(), reaches, "{direction}");
        let (asked, told) = (
            when(&entries, "60.1s", "65.99s", sent).len(),
            when(&entries, "60.1s", "66.1s", failed).len(),
        );
        assert!(told >= asked && asked > 1, "{direction}: {told} of {asked}");
        assert_eq!(when(&entries, "66.2s", "120s", failed), []);
    }
}

#[test]
fn a_reset_breaks_watches() {
    let mut scenario = base().with_replicas(2);
    scenario.replicas[1].watch = true;
    scenario.replicas[1].start = Span::from_secs(10);
    let reset = planned("60s", "60.1s", r#"{"reset": {"sites": [1]}}"#);
    let entries = with(scenario, vec![reset]);
    assert!(!when(&entries, "55s", "60s", shown).is_empty());
    assert_eq!(when(&entries, "60.01s", "64.9s", shown), [], "until it is noticed");
    assert!(!when(&entries, "65s", "65.01s", shown).is_empty());
}

#[test]
fn messages_that_are_overtaken_arrive_in_another_order() {
    let mut scenario = base();
    scenario.work.period = Span::from_millis(100);
    let order = |entries: Vec<Entry>| {
        let writes = entries.into_iter().filter_map(|entry| match entry.what {
            What::GuardedWrite { sent, .. } => Some(sent),
            _ => None,
        });
        writes.collect::<Vec<_>>().is_sorted()
    };
    assert!(order(with(scenario.clone(), Vec::new())));
    let reorder = r#"{"reorder": {"links": {"sites": [0], "from": ["resource"]}, "ppm": 300000, "by": {"constant": "1s"}}}"#;
    assert!(!order(with(scenario, vec![planned("60s", "80s", reorder)])));
}

/// Which API servers answer each replica while this is on.
fn reached(fault: &str, replicas: usize, apis: usize) -> Vec<Vec<usize>> {
    let mut scenario = base().with_replicas(replicas);
    scenario.network.apis = vec![Api::default(); apis];
    scenario.faults = vec![planned("0s", "60s", fault)];
    scenario.horizon = Span::from_secs(60);
    let mut reached = vec![Vec::new(); replicas];
    for api in 0..apis {
        for replica in &mut scenario.replicas {
            replica.api = u32::try_from(api).ok();
        }
        let (entries, _) = run(&scenario);
        for (index, reached) in (0..).zip(&mut reached) {
            let hears = |entry: &Entry| matches!(entry.what, What::Answered { replica, .. } if replica == index);
            if entries.iter().any(hears) {
                reached.push(api);
            }
        }
    }
    reached
}

#[test]
fn a_bridge_and_a_ring_of_majorities_leave_the_ways_that_they_say() {
    let bridge = r#"{"bridge": {}}"#;
    assert_eq!(reached(bridge, 4, 2), [[0], [0], [1], [1]]);
    assert_eq!(reached(bridge, 3, 3), [[0, 1], [0, 1], [1, 2]]);
    let ring = r#"{"majorities-ring": {}}"#;
    assert_eq!(reached(ring, 3, 3), [[0, 1], [1, 2], [0, 2]]);
    assert_eq!(reached(ring, 5, 5), [[0, 1, 2], [1, 2, 3], [2, 3, 4], [0, 3, 4], [0, 1, 4]]);
}

#[test]
fn a_slow_process_comes_to_each_thing_later() {
    let slow = |by: &str| format!(r#"{{"slow": {{"target": 0, "by": {{"constant": "{by}"}}}}}}"#);
    let plan = vec![planned("60s", "90s", &slow("100ms")), planned("70s", "80s", &slow("200ms"))];
    let entries = with(base(), plan);
    // From the effect of a call to the handling of its answer: 1 ms on the way, and the draw.
    let mut waits = Vec::new();
    for pair in entries.windows(2) {
        if let (What::Applied { .. }, What::Answered { .. }) = (&pair[0].what, &pair[1].what) {
            waits.push((pair[0].at, pair[1].at.saturating_since(pair[0].at).to_string()));
        }
    }
    for (applied, wait) in waits {
        let second = applied.as_nanos() / 1_000_000_000;
        match second {
            0..59 | 91.. => assert_eq!(wait, "1ms", "at {applied}"),
            61..69 | 81..89 => assert_eq!(wait, "101ms", "at {applied}"),
            71..79 => assert_eq!(wait, "301ms", "at {applied}"),
            _ => {}
        }
    }
}

/// By how many milliseconds the wall clock is off in what is written, by time.
fn offsets(entries: &[Entry]) -> Vec<(SimTime, i128)> {
    let epoch = i128::from(tenure_sim::clock::EPOCH_SECONDS) * 1_000_000_000;
    let written = entries.iter().filter_map(|entry| match &entry.what {
        What::Sent { record: Some(record), .. } => {
            let renewed = record.renew_time?.unix_nanos() - epoch;
            Some((entry.at, (renewed - i128::from(entry.at.as_nanos())) / 1_000_000))
        }
        _ => None,
    });
    written.collect()
}

#[test]
fn a_strobe_sets_the_wall_clock_there_and_back() {
    let strobe = r#"{"strobe": {"target": 0, "by": "1h", "every": "700ms"}}"#;
    let entries = with(base(), vec![planned("60s", "80s", strobe)]);
    let seen = offsets(&entries);
    assert!(seen.iter().all(|(_, off)| [0, 3_600_000].contains(off)), "{seen:?}");
    let during = seen.iter().filter(|(when, _)| (at("60s")..at("80s")).contains(when));
    let off: Vec<_> = during.map(|(_, off)| *off > 0).collect();
    assert!(off.contains(&true) && off.contains(&false));
    assert!(seen.iter().all(|(when, off)| *off == 0 || (at("60s")..at("80s")).contains(when)));
}

#[test]
fn smeared_clocks_gain_little_by_little() {
    let smear = r#"{"smear": {"target": 0, "by": "1s"}}"#;
    let entries = with(base(), vec![planned("60s", "80s", smear), planned("60s", "70s", smear)]);
    let offset = |text: &str| {
        let (when, off) = *offsets(&entries).iter().rfind(|(when, _)| *when < at(text)).unwrap();
        (when, off)
    };
    assert_eq!(offset("60s").1, 0);
    let (when, off) = offset("70s");
    let passed = i128::from((when.as_nanos() - 60_000_000_000) / 1_000_000);
    assert!((off - passed * 150 / 1_000).abs() <= 1, "{off} after {passed}");
    assert_eq!(offset("120s").1, 2_000, "what they have they keep");
    let rates = entries.iter().filter_map(|entry| match entry.what {
        What::Clock { rate_ppb, .. } => Some(rate_ppb),
        _ => None,
    });
    assert_eq!(
        rates.collect::<Vec<_>>(),
        [1_050_000_000, 1_100_000_000, 1_050_000_000, 1_000_000_000]
    );
}

/// Of each read by another than the leader: when, which version was there, and which was read.
fn reads(entries: &[Entry]) -> Vec<(SimTime, u64, u64)> {
    let read = entries.iter().filter_map(|entry| match &entry.what {
        What::Applied {
            verb: Verb::Get,
            by: Actor::Replica { .. },
            before: Some(before),
            reply: Reply::Is(read),
            ..
        } => Some((entry.at, before.version, read.version)),
        _ => None,
    });
    read.collect()
}

#[test]
fn a_cache_that_lags_behind_shows_what_was() {
    let scenario = base().with_replicas(2);
    let frozen = with(scenario.clone(), vec![planned("60s", "90s", r#"{"stale-reads": {}}"#)]);
    let behind = r#"{"stale-reads": {"api": 0, "behind": "10s"}}"#;
    let lagging = with(scenario.clone(), vec![planned("60s", "90s", behind)]);
    let elsewhere = r#"{"stale-reads": {"api": 1}}"#;
    let two = Scenario {
        network: tenure_sim::scenario::Network {
            apis: vec![Api::default(); 2],
            ..scenario.network.clone()
        },
        ..scenario
    };
    let by_one = with(two, vec![planned("60s", "90s", elsewhere)]);
    for (entries, all) in [(&frozen, true), (&lagging, true), (&by_one, false)] {
        for (when, is, read) in reads(entries) {
            let during = (at("63s")..at("90s")).contains(&when);
            assert!(read <= is);
            assert!(during || when > at("60s") && when < at("63s") || read == is, "{when}");
            if during && all {
                assert!(read < is, "{when}");
            }
        }
    }
    let of = |entries: &[Entry]| {
        let during = |(when, ..): &(SimTime, u64, u64)| (at("63s")..at("90s")).contains(when);
        reads(entries).into_iter().filter(during).map(|it| it.2).collect::<Vec<_>>()
    };
    assert!(of(&frozen).windows(2).all(|pair| pair[0] == pair[1]), "as it was at the beginning");
    assert!(of(&lagging).windows(2).any(|pair| pair[0] < pair[1]), "10 s ago goes on, too");
}

#[test]
fn a_store_that_fails_answers_with_its_status() {
    let errors = |code: u16, before: u32, after: u32| {
        format!(
            r#"{{"store-errors": {{"before_ppm": {before}, "after_ppm": {after}, "code": {code}}}}}"#
        )
    };
    let during = |code, before, after| {
        let entries = with(base(), vec![planned("60s", "66s", &errors(code, before, after))]);
        let count = |which| when(&entries, "60.1s", "66s", which).len();
        (count(applied) > 0, count(conflicted) > 0, count(failed) > 0, count(given_up) > 0)
    };
    let all = 1_000_000;
    assert_eq!(during(429, all, 0), (false, false, true, false));
    assert_eq!(during(500, all, 0), (false, false, true, false));
    assert_eq!(during(500, 0, all), (true, false, true, false));
    assert_eq!(during(504, all, 0), (false, false, false, true));
    assert_eq!(during(504, 0, all), (true, false, false, true));
    // The reads with which an elector answers a conflict go through.
    assert_eq!(during(409, all, 0), (true, true, false, false));
    assert_eq!(during(409, 0, all), (true, true, false, false));

    let two = vec![
        planned("60s", "63s", &errors(429, all, 0)),
        planned("61s", "66s", &errors(409, all, 0)),
    ];
    let entries = with(base(), two);
    assert!(!when(&entries, "60s", "63s", failed).is_empty());
    assert!(!when(&entries, "63s", "66s", conflicted).is_empty());
    assert_eq!(when(&entries, "63.1s", "66s", failed), []);
    assert_eq!(when(&entries, "66.1s", "120s", conflicted), []);
}

/// One of each kind that goes on until it ends, and whether two at once are no more than one.
const LASTING: [(&str, bool); 24] = [
    (r#"{"partition": {"sites": ["leader"]}}"#, true),
    (r#"{"hold": {"sites": ["leader"]}}"#, true),
    (r#"{"reset": {"sites": ["leader"]}}"#, true),
    (
        r#"{"reorder": {"links": {"sites": ["leader"]}, "ppm": 500000, "by": {"constant": "1s"}}}"#,
        false,
    ),
    (r#"{"delay": {"links": {"sites": ["leader"]}, "by": {"constant": "1s"}}}"#, false),
    (r#"{"loss": {"links": {"sites": ["leader"]}, "ppm": 500000}}"#, true),
    (r#"{"duplicate": {"links": {"sites": ["leader"]}, "ppm": 500000}}"#, true),
    (r#"{"bridge": {}}"#, true),
    (r#"{"majorities-ring": {}}"#, true),
    (r#"{"pause": {"target": "leader"}}"#, true),
    (r#"{"slow": {"target": "leader", "by": {"constant": "1s"}}}"#, false),
    (r#"{"crash": {"target": 0}}"#, true),
    (r#"{"stop": {"target": 0}}"#, true),
    (r#"{"watch-stall": {"target": "everyone"}}"#, true),
    (r#"{"drift": {"target": "leader", "rate_ppb": 900000000}}"#, true),
    (r#"{"wall-freeze": {"target": "leader"}}"#, true),
    (r#"{"strobe": {"target": "leader", "by": "1h", "every": "1s"}}"#, false),
    (r#"{"smear": {"target": "leader", "by": "1s"}}"#, false),
    (r#"{"suspend": {"target": "leader"}}"#, true),
    (r#"{"store-outage": {}}"#, true),
    (r#"{"store-slow": {"before": {"constant": "1s"}}}"#, false),
    (r#"{"store-errors": {"before_ppm": 500000, "after_ppm": 500000}}"#, true),
    (r#"{"store-errors": {"before_ppm": 500000, "after_ppm": 500000, "code": 409}}"#, true),
    (r#"{"stale-reads": {}}"#, true),
];

/// A group in which this fault can have an effect.
fn group(fault: &str) -> Scenario {
    let mut scenario = Scenario::default();
    scenario.network.apis = vec![Api::default(); 3];
    for (index, replica) in (0..).zip(&mut scenario.replicas) {
        replica.watch = fault.contains("watch"); // who watches need not read
        replica.api = Some((index + 2) % 3); // one that it does not reach in a bridge, or a ring
    }
    scenario.horizon = Span::from_secs(240);
    scenario
}

fn of_replicas(entries: Vec<Entry>) -> Vec<(SimTime, What)> {
    let of_replicas = entries.into_iter().filter(|entry| entry.what.replica().is_some());
    of_replicas.map(|entry| (entry.at, entry.what)).collect()
}

#[test]
fn when_one_of_two_is_over_the_other_goes_on() {
    for (text, _) in LASTING.iter().filter(|(_, same)| *same) {
        let seen = |faults| of_replicas(with(group(text), faults));
        let one = seen(vec![planned("60s", "100s", text)]);
        let two = seen(vec![planned("60s", "100s", text), planned("60s", "80s", text)]);
        assert!(one == two, "{text}: the second ended the first, or was more than it");
        assert!(one != seen(vec![planned("60s", "80s", text)]), "{text}: its length says nothing");
    }
}

#[test]
fn every_kind_can_wait_for_a_trigger_and_has_an_effect() {
    let momentary = [
        r#"{"resume": {"target": "everyone"}}"#,
        r#"{"restart": {"target": "actor"}}"#,
        r#"{"hand-over": {"target": "actor", "to": 1}}"#,
        r#"{"clock-jump": {"target": "actor", "by": "1h"}}"#,
        r#"{"edit": {"touch-label": {}}}"#,
        r#"{"delete": {}}"#,
    ];
    let lasting = LASTING.iter().map(|(text, _)| *text);
    for text in lasting.chain(momentary) {
        let on = serde_json::from_str(r#"{"event": "update-applied", "by": "leader", "nth": 5}"#);
        let mut triggered = Planned::on(on.unwrap(), fault(text)).delayed(Span::from_millis(40));
        if triggered.fault.can_last() {
            triggered = triggered.lasting(Span::from_secs(50));
        }
        let mut scenario = Scenario { faults: vec![triggered], ..group(text) };
        if text.contains("hand-over") {
            scenario.replicas[0].preferred = true; // so that it is another that hands over
            scenario.missing = tenure::election::Missing::NewGroup;
        }
        if text.contains("resume") {
            scenario.faults.push(planned("5s", "200s", r#"{"pause": {"target": 2}}"#));
        }
        let (entries, world) = run(&scenario);
        let effect = world.fault_effects()[0];
        assert!(effect.fired && effect.had_effect, "{text}: {effect:?}");
        let begun = entries.iter().position(|it| matches!(it.what, What::Fault { fault: 0, .. }));
        let begun = entries[begun.unwrap()].at;
        let pulled =
            |entry: &Entry| applied(&entry.what) && entry.at + Span::from_millis(40) == begun;
        assert!(entries.iter().any(pulled), "{text}: 40 ms after what it waits for");
    }
}
