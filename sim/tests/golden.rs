//! One run, bit for bit: whoever changes what happens in it, or how it is digested, sees it here.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tenure_sim::plan::{self, Mix};
use tenure_sim::scenario::{Api, Scenario};
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

/// These change when behaviour changes: that of an elector, of the engine, of what is drawn, or the
/// set of entries. If it was meant to, say so in the commit and write here what the failed test
/// prints; if not, this is the first to know. It must be the same on every machine.
const GOLDEN: [(&str, &str); 3] = [
    ("strict", "c97b1e72e071a5cd1be0af4daf971d90"),
    ("client-go-v1.36", "64bad4511dc721a64445c2573a5e534d"),
    ("client-go-head", "dbcc8ab9b79b4a7b9b076ce04df7f781"),
];

#[test]
fn this_run_is_the_same_for_ever() {
    let digest = |profile: &str| {
        let mut world = World::new(&scenario(profile), 42).unwrap();
        let outcome = world.run(&mut ());
        let effects = world.fault_effects();
        assert!(effects.iter().all(|effect| effect.had_effect), "{profile}: {effects:?}");
        outcome.digest.to_string()
    };
    let now = GOLDEN.map(|(profile, _)| (profile, digest(profile)));
    assert_eq!(now, GOLDEN.map(|(profile, digest)| (profile, digest.to_owned())));
}

/// The same of what is drawn, as its text: plans that are kept only as seeds are others if it changes.
#[test]
fn this_plan_is_the_same_for_ever() {
    let drawn = plan::scenario(&Scenario::default(), Mix::Wild, 42);
    let text = serde_json::to_string(&drawn.faults).unwrap();
    // FNV-1a.
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    assert_eq!(format!("{hash:016x}"), "969bbe86104c7d8f", "{text}");
}
