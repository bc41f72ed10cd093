//! One run, bit for bit: whoever changes what happens in it, or how it is digested, sees it here.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tenure_sim::plan::{self, Mix};
use tenure_sim::scenario::{Api, Scenario};
use tenure_sim::time::{SimTime, Span};
use tenure_sim::world::World;

/// The default scenario with a bit of everything that is drawn by chance, and a fixed plan.
fn scenario(profile: &str) -> Scenario {
    let plan = include_str!("golden.json");
    let mut scenario = Scenario { profile: profile.parse().unwrap(), ..Scenario::default() };
    scenario.faults = serde_json::from_str(plan).unwrap();
    scenario.heal_at = Some("8m".parse().unwrap());
    scenario.release_on_stop = true;
    scenario.replicas.last_mut().unwrap().rate_ppb = Some(900_000_000);
    scenario.network.apis = vec![Api::default(); 2];
    scenario.network.fail_over = true;
    scenario.network.loss_ppm = 5_000;
    scenario.network.duplicate_ppm = 5_000;
    scenario.store.error_ppm = 5_000;
    scenario
}

/// Of all entries but the last. These change when behaviour changes: that of an elector, of the
/// engine, of what is drawn, or the set of entries. If it was meant to, say so in the commit and write
/// here what the failed test prints; if not, this is the first to know. It must be the same on every
/// machine.
const GOLDEN: [(&str, &str); 3] = [
    ("strict", "a0ecdfe8fc376b420c71ea73fa45795c"),
    ("client-go-v1.36", "37bf0060bab842171f175d8b490d98af"),
    ("client-go-head", "73c4933f3dc8e28543dca977c7922ae4"),
];

/// The same with the machines' states at the end: they change also when an elector keeps other things
/// in mind, though it does the same.
const WITH_STATES: [(&str, &str); 3] = [
    ("strict", "1488d1aa380b6519b35c6e81e3b6c4f0"),
    ("client-go-v1.36", "f9bea072ca6504ee827343ff9f7dbc61"),
    ("client-go-head", "adb1e3c9506a8977b74cfe74e58f4d15"),
];

#[test]
fn this_run_is_the_same_for_ever() {
    let digests = |profile: &str| {
        let mut world = World::new(&scenario(profile), 42).unwrap();
        let mut before = world.digest();
        while world.now() < SimTime::ZERO + Span::from_secs(600) {
            before = world.digest();
            world.step().unwrap();
        }
        let effects = world.fault_effects();
        assert!(effects.iter().all(|effect| effect.had_effect), "{profile}: {effects:?}");
        (before.to_string(), world.digest().to_string())
    };
    let now = GOLDEN.map(|(profile, _)| (profile, digests(profile)));
    let owned = |(profile, digest): (&'static str, &str)| (profile, digest.to_owned());
    let entries = now.clone().map(|(profile, (entries, _))| (profile, entries));
    assert_eq!(entries, GOLDEN.map(owned));
    let all = now.map(|(profile, (_, all))| (profile, all));
    assert_eq!(all, WITH_STATES.map(owned));
}

/// The same of what is drawn, as its text: plans that are kept only as seeds are others if it changes.
#[test]
fn this_plan_is_the_same_for_ever() {
    let drawn = plan::scenario(&Scenario::default(), Mix::Wild, 42);
    let text = serde_json::to_string(&drawn.faults).unwrap();
    assert_eq!(format!("{:016x}", fnv_1a(&text)), "969bbe86104c7d8f", "{text}");
    let text = serde_json::to_string(&(drawn.lock, drawn.faults, drawn.rollouts)).unwrap();
    assert_eq!(format!("{:016x}", fnv_1a(&text)), "cf08f9affbc518d5", "{text}");
}

fn fnv_1a(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}
