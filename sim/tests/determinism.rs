//! One seed and one plan are one run: whatever runs beside it, however it was built.
//!
//! Both profiles of a build: `golden.rs` has digests that `cargo test` and `cargo test --release` must
//! both find, and `.ci/nightly` compares sweeps of a debug and a release build.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::fmt::Debug;
use core::ops::Range;

use tenure_sim::subject::Subject;
use tenure_sim::sweep::{Tally, sweep};
use tenure_sim::{catalogue, sharding};

fn with_threads<S: Subject>(threads: usize, subject: &S, seeds: Range<u64>) -> Tally {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| sweep(subject, seeds, |_, _| {})).unwrap()
}

/// The first entry of any seed that differs is told, with what stands there.
fn same<S: Subject + Debug>(subject: &S, seeds: Range<u64>) {
    let (one, two) = [1, 2].map(|threads| with_threads(threads, subject, seeds.clone())).into();
    assert_eq!(one, two, "{}", subject.name());
    for seed in seeds {
        // Beside another run of the same, and of another seed.
        let (alone, (beside, _)) = (
            subject.lines(seed).unwrap(),
            rayon::join(|| subject.lines(seed).unwrap(), || subject.lines(seed + 1).unwrap()),
        );
        let differs = alone.iter().zip(&beside).position(|(one, other)| one != other);
        assert_eq!(
            differs.map(|at| (at, alone.get(at), beside.get(at))),
            None,
            "{} with seed {seed}",
            subject.name()
        );
        assert_eq!(alone.len(), beside.len());
    }
}

#[test]
fn threads_do_not_change_an_election() {
    let mut random = catalogue::find("random").unwrap();
    same(&random, 0..24);
    random.profile = "client-go-head".parse().unwrap();
    same(&random, 0..24);
    same(&catalogue::find("wild").unwrap(), 0..12);
}

#[test]
fn threads_do_not_change_a_group() {
    for name in ["swarm", "planned-swarm", "changing-swarm", "leased-swarm"] {
        same(&sharding::catalogue::find(&format!("sharding/{name}")).unwrap(), 0..4);
    }
}

/// What a run came of is not part of its digest; all that happened is.
#[test]
fn a_digest_covers_the_entries_of_a_group_but_not_their_causes() {
    use core::hash::Hash as _;
    use tenure_sim::digest::Digester;
    use tenure_sim::sharding::trace::{Entry, What};
    let digest = |entry: &Entry| {
        let mut digester = Digester::default();
        entry.hash(&mut digester);
        digester.digest()
    };
    let at = tenure_sim::time::SimTime::ZERO;
    let entry = Entry { seq: 3, at, cause: None, what: What::Healed };
    assert_eq!(digest(&entry), digest(&Entry { cause: Some(2), ..entry.clone() }));
    assert_ne!(digest(&entry), digest(&Entry { seq: 4, ..entry.clone() }));
    assert_ne!(digest(&entry), digest(&Entry { what: What::Horizon, ..entry.clone() }));
}
