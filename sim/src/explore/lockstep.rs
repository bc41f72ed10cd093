//! Whether looking electors up is the same as having them: random walks through the world of
//! [`Table`], where electors are restated and known by number and versions have names, and at each
//! step the same in the world of [`Live`], where they are as in production.

use tenure::election::Profile;
use tenure::lock::Record;

use super::electors::{Ask, Call, Copied, Electors};
use super::live::Live;
use super::objects::settle;
use super::rules::Rules;
use super::step::Step;
use super::table::Table;
use super::world::{Flight, Stage, World};

/// What the two worlds must agree on.
#[derive(Debug, PartialEq)]
struct View {
    store: Vec<Option<Record>>,
    orphans: Vec<(u8, Record)>,
    replicas: Vec<(Vec<bool>, String, Option<Record>)>,
}

fn settled<E: Electors>(stage: &Stage<E>, copied: Copied) -> Record {
    let mut record = stage.electors.objects_ref().record(copied.object).clone();
    if stage.strict() {
        settle(&mut record);
    }
    record
}

fn view<E: Electors>(stage: &Stage<E>, world: &World<E::Seat>) -> View {
    let current = |call: Call| world.store[usize::from(call.place)].map(|stored| stored.version);
    let versions = world.store.map(|stored| stored.map(|stored| stored.version));
    let ask = |call: Call| match call.ask {
        Ask::Get => (format!("get {}", call.place), None),
        Ask::Create(object) => {
            (format!("create {}", call.place), Some(settled(stage, Copied { object, version: 0 })))
        }
        Ask::Update(over) if Some(over.version) == current(call) => {
            (format!("update {}", call.place), Some(settled(stage, over)))
        }
        Ask::Update(_) => ("update in vain".to_owned(), None),
    };
    let replica = |replica: &super::world::Replica<E::Seat>| {
        let mut facts = stage.facts(replica);
        // The random waits of candidates are not the same; they may be woken at any time.
        facts.due &= facts.outstanding || replica.believes;
        let facts = [
            facts.due,
            facts.waits,
            facts.leads,
            facts.overdue,
            facts.finished,
            facts.outstanding,
            facts.sees_another,
            replica.believes,
            replica.working,
            replica.paused,
            replica.stopped,
            facts.releasing,
        ];
        let (flight, record) = match replica.flight {
            Flight::None => (String::new(), None),
            Flight::Sent(sent) => ask(sent),
            Flight::Answered(executed, Err(failure)) => (format!("{executed:?} {failure:?}"), None),
            Flight::Answered(executed, Ok(copied)) => {
                let is_current = versions.map(|current| Some(copied.version) == current);
                (format!("{executed:?} {is_current:?}"), Some(settled(stage, copied)))
            }
        };
        (facts.to_vec(), flight, record)
    };
    let orphans = world.orphans.iter().flatten();
    View {
        store: {
            let stored = world.store.iter().chain(&world.old);
            stored.map(|stored| stored.map(|stored| settled(stage, stored))).collect()
        },
        orphans: orphans
            .map(|orphan| (orphan.writer.replica, ask(orphan.call).1.unwrap_or_default()))
            .collect(),
        replicas: world.replicas().iter().map(replica).collect(),
    }
}

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One walk; how many steps it had.
fn walk(rules: &Rules, seed: u64, longest: usize) -> usize {
    let mut table = Stage::new(rules, Table::new(rules));
    let mut live = Stage::new(rules, Live::new(rules));
    let (mut known, mut real) = (table.start(), live.start());
    let (mut possible, mut really) = (Vec::new(), Vec::new());
    let mut walked: Vec<Step> = Vec::new();
    let mut state = seed;
    while walked.len() < longest {
        table.steps(&known, &mut possible);
        live.steps(&real, &mut really);
        assert_eq!(possible, really, "{rules} {walked:?}");
        let Some(last) = possible.len().checked_sub(1) else { return walked.len() };
        // Ticks are one step of many, and so are the faults.
        let at = match random(&mut state) {
            draw if draw % 8 == 0 => 0,
            draw => usize::try_from((draw >> 8) % (last as u64 + 1)).unwrap(),
        };
        let mut step = possible[at];
        // Nor are the random waits, after which what is shown is an opportunity to read.
        if let Step::Show(i) | Step::ShowSecond(i) | Step::ShowOld(i) | Step::ShowOldSecond(i) =
            step
        {
            let at = usize::from(i);
            if table.facts(&known.replicas()[at]).due != live.facts(&real.replicas()[at]).due {
                step = Step::Wake(i);
                assert!(possible.contains(&step), "{rules} {walked:?}");
            }
        }
        walked.push(step);
        let result = table.step(&mut known, step);
        assert_eq!(live.step(&mut real, step), result, "{rules} {walked:?}");
        if result.is_err() {
            return walked.len();
        }
        if rules.profile == Profile::Strict {
            known.rename_versions();
        }
        assert_eq!(view(&table, &known), view(&live, &real), "{rules} {walked:?}");
    }
    walked.len()
}

const STRICT: [&str; 19] = [
    "lease=2s deadline=2s",
    "lease=3s deadline=2s rates=2:3 late-writes=yes release=yes faults=stop:1,pause:2,crash:3",
    "lease=4s deadline=2s rates=1:2 faults=delete:9",
    "lease=9s deadline=3s network=lossy faults=crash:9,delete:2,pause:9",
    "lease=7s deadline=4s retry=1s timeout=2s late-writes=yes faults=delete:3",
    "lease=3s deadline=2s retry=1s timeout=1s network=slow-requests release=yes faults=stop:2",
    "lease=5s deadline=5s rates=1:1:1 late-writes=yes release=yes faults=stop:2,crash:2,delete:2",
    "lease=2s deadline=3s rates=1:2:1 faulty=b faults=pause:1",
    "lease=6s deadline=4s start=missing missing=new-group faults=crash:4",
    "lease=2s deadline=2s watch=yes faults=late-show:9,delete:2",
    "lease=3s deadline=2s retry=1s watch=yes late-writes=yes release=yes faults=stop:1,crash:2,pause:1,late-show:4",
    "lease=2s deadline=2s locks=both:both late-writes=yes release=yes faults=stop:1,crash:3,delete:3",
    "lease=3s deadline=2s rates=1:1:1 locks=both:both:second faults=crash:3,pause:2",
    "lease=4s deadline=2s rates=1:2 locks=first:both timeout=1s faults=delete:5,crash:2",
    "lease=2s deadline=2s locks=both:second watch=yes faults=late-show:9,crash:1,delete:2",
    "lease=2s deadline=2s locks=both:both watch=yes start=missing missing=new-group faults=late-show:2",
    "lease=2s deadline=2s late-writes=yes faults=hand-over:9,crash:2",
    "lease=3s deadline=3s preferred=b watch=yes late-writes=yes release=yes faults=hand-over:4,crash:2,late-show:3",
    "lease=2s deadline=2s preferred=a locks=both:both network=lossy faults=hand-over:3,crash:2,delete:2",
];
const CLIENT_GO: [&str; 5] = [
    "profile=client-go-v1.36 lease=3s retry=1s network=prompt faults=crash:2,pause:1",
    "profile=client-go-v1.36 lease=4s deadline=3s retry=2s network=lossy release=yes faults=stop:1",
    "profile=client-go-head lease=3s retry=1s timeout=1s late-writes=yes release=yes faults=stop:2",
    "profile=client-go-v1.20 lease=3s retry=1s network=slow-reads faults=crash:9 wall=frozen",
    "profile=client-go-v1.36 lease=8s retry=1s rates=1:1:1 faults=delete:1",
];

/// How many walks through each world: `EXPLORE_WALKS`, or 60.
fn walks() -> u64 {
    std::env::var("EXPLORE_WALKS").map_or(60, |text| text.parse().unwrap())
}

fn all(rules: &[&str], longest: usize) -> usize {
    let mut steps = 0;
    for text in rules {
        let rules = text.parse().unwrap();
        steps += (0..walks()).map(|seed| walk(&rules, seed, longest)).sum::<usize>();
    }
    steps
}

#[test]
fn restated_electors_do_what_the_originals_do() {
    assert!(all(&STRICT, 400) > 100_000, "the walks are long enough to mean something");
}

#[test]
fn electors_of_client_go_by_number_do_what_the_originals_do() {
    assert!(all(&CLIENT_GO, 200) > 1_000, "the walks are long enough to mean something");
}
