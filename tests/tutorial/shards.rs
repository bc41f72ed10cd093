use greeter::Controller;
use std::collections::BTreeMap;
use tenure_sim::sharding::{Scenario, catalogue, tenure_world};

/// How often each object was reconciled; no two replicas may disagree about who owns one.
fn run(scenario: &Scenario, seed: u64) -> BTreeMap<String, u32> {
    let objects: Vec<String> = (0..20).map(|nth| format!("default/object-{nth}")).collect();
    let mut world = tenure_world(scenario, seed, &[]).expect("a sound scenario");
    let mut controllers: Vec<Controller> = Vec::new();
    controllers.resize_with(world.scenario().replicas.len(), Controller::default);
    let (mut last, mut times) = (BTreeMap::new(), BTreeMap::new());
    while world.step().is_some() {
        for (replica, controller) in (0..).zip(&mut controllers) {
            let Some(process) = world.system(replica) else {
                *controller = Controller::default(); // it crashed, and forgot all
                continue;
            };
            let Some(now) = world.clocks(replica) else { continue }; // it stands still
            let member = process.sharder();
            for object in controller.due(member, &objects, now.instant) {
                let slot = member.config().slots.of(member.key(object.as_bytes()));
                let token = member.token(slot, now.instant);
                assert!(last.get(&object) <= Some(&token), "{object}: an older owner is back");
                last.insert(object.clone(), token);
                *times.entry(object).or_insert(0) += 1;
            }
        }
    }
    times
}

#[test]
fn each_object_is_reconciled_by_its_owner_alone() {
    let rough = catalogue::find("sharding/swarm").expect("it is shipped");
    for seed in 0..6 {
        assert_eq!(run(&rough, seed).len(), 20, "each object, whatever goes wrong");
    }
}
