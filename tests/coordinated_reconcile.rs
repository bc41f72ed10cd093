//! The coordinator's step, against Kubernetes' own table (`TestReconcileElectionStep` in
//! `pkg/controlplane/controller/leaderelection/leaderelection_controller_test.go`) and the cases that
//! it lacks. The clock starts at 1,700,000,000 s; times in the tables are seconds before or after it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use tenure::election::coordinated::{
    Action, ElectionError, Parameters, Step, Stored, garbage, reconcile,
};
use tenure::lock::candidate::{LeaseCandidate, LeaseCandidateSpec, OLDEST_EMULATION_VERSION};
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::{Identity, LockRef, Version};
use tenure::time::Timestamp;

const OLDEST: &str = OLDEST_EMULATION_VERSION;
const E: i64 = 5; // electionDuration

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_700_000_000 + seconds, 0).unwrap()
}

/// A candidate of one version for `component-A`.
fn candidate(name: &str, version: &str, renew: i64, ping: Option<i64>) -> Stored {
    let metadata =
        Metadata { namespace: "default".into(), name: name.into(), ..Metadata::default() };
    let spec = LeaseCandidateSpec {
        lease_name: "component-A".into(),
        ping_time: ping.map(at),
        renew_time: Some(at(renew)),
        binary_version: version.into(),
        emulation_version: version.into(),
        strategy: OLDEST.into(),
    };
    let candidate = LeaseCandidate { metadata: metadata.into(), created: Some(at(-1000)), spec };
    Stored { candidate, version: Version::ordered(3) }
}

fn with(mut stored: Stored, change: impl FnOnce(&mut LeaseCandidate)) -> Stored {
    change(&mut stored.candidate);
    stored
}

fn lease(holder: &str, renew: i64) -> Lease {
    let metadata =
        Metadata { namespace: "default".into(), name: "component-A".into(), ..Metadata::default() };
    let spec = LeaseSpec {
        holder_identity: Some(holder.into()),
        lease_duration_seconds: Some(10),
        renew_time: Some(at(renew)),
        ..LeaseSpec::default()
    };
    Lease { metadata: metadata.into(), spec }
}

fn step(now: i64, lease: Option<&Lease>, candidates: &[Stored]) -> Step {
    let version = Version::ordered(9);
    let lease = lease.map(|lease| (lease, &version));
    let lock = LockRef::lease("default", "component-A");
    reconcile(&Parameters::default(), &lock, at(now), lease, candidates)
}

const fn does(action: Action) -> Step {
    Step { action, requeue: Some(Duration::from_secs(5)) }
}

const fn fails(error: ElectionError) -> Step {
    Step { action: Action::Fail(error), requeue: None }
}

/// The Lease that a step leaves: what it writes, or what was there.
fn left(step: &Step, before: Option<&Lease>) -> Option<Lease> {
    match &step.action {
        Action::Create(lease) | Action::Update(lease, _) => Some(lease.clone()),
        _ => before.cloned(),
    }
}

/// Who holds, who should, by which strategy.
type Says<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// A row of `TestReconcileElectionStep`, in its words.
struct Row<'a> {
    name: &'a str,
    candidates: Vec<Stored>,
    existing: Option<Lease>,
    /// The Lease afterwards.
    expect: Option<Says<'a>>,
    requeue: bool,
    error: bool,
    pinged: bool,
}

const fn row(name: &str, candidates: Vec<Stored>, existing: Option<Lease>) -> Row<'_> {
    let (requeue, error, pinged) = (true, false, false);
    Row { name, candidates, existing, expect: None, requeue, error, pinged }
}

fn fresh() -> Stored {
    candidate("component-identity-1", "1.19.0", 0, None)
}

fn without_lease() -> Vec<Row<'static>> {
    vec![
        Row { requeue: false, ..row("no candidates, no lease, noop", vec![], None) },
        Row {
            expect: Some(("component-identity-1", None, Some(OLDEST))),
            ..row("candidates exist, no existing lease should create lease", vec![fresh()], None)
        },
        Row {
            expect: Some(("component-identity-2", None, Some(OLDEST))),
            ..row(
                "candidates exist, should only elect leader from acked candidates",
                vec![
                    candidate("component-identity-1", "1.19.0", -4 * E, Some(-2 * E)),
                    candidate("component-identity-2", "1.20.0", 0, Some(0)),
                ],
                None,
            )
        },
        Row {
            requeue: false,
            error: true,
            ..row(
                "candidates exist, no acked candidates should return error",
                vec![candidate("component-identity-1", "1.19.0", -120, Some(-60))],
                None,
            )
        },
        Row {
            pinged: true,
            ..row(
                "candidates exist, should ping on election",
                vec![candidate("component-identity-1", "1.19.0", -2 * E, None)],
                None,
            )
        },
        row(
            "candidate exist, pinged candidate should have until electionDuration until election \
             decision is made",
            vec![candidate("component-identity-1", "1.19.0", -60, Some(0))],
            None,
        ),
    ]
}

fn with_lease() -> Vec<Row<'static>> {
    let third = with(fresh(), |candidate| candidate.spec.strategy = "foo.com/bar".into());
    let unmanaged = Lease { metadata: lease("", 0).metadata, ..Lease::default() };
    vec![
        Row {
            requeue: false,
            expect: Some(("", None, None)),
            ..row("no candidates, lease exists. noop, not managed by CLE", vec![], Some(unmanaged))
        },
        Row {
            expect: Some(("component-identity-1", Some("component-identity-2"), Some(OLDEST))),
            ..row(
                "candidates exist, lease exists, unoptimal should set preferredHolder",
                vec![fresh(), candidate("component-identity-2", "1.18.0", 0, None)],
                Some(lease("component-identity-1", 0)),
            )
        },
        Row {
            expect: Some(("component-identity-1", None, Some(OLDEST))),
            ..row(
                "candidates exist, lease exists, lease expired",
                vec![fresh()],
                Some(lease("component-identity-expired", -60)),
            )
        },
        Row {
            expect: Some(("component-identity-expired", None, Some("foo.com/bar"))),
            ..row(
                "candidates exist, lease exists, lease expired, 3rdparty strategy",
                vec![third],
                Some(lease("component-identity-expired", -60)),
            )
        },
    ]
}

#[test]
fn test_reconcile_election_step() {
    for row in without_lease().into_iter().chain(with_lease()) {
        let name = row.name;
        let step = step(0, row.existing.as_ref(), &row.candidates);
        assert_eq!(step.requeue.is_some(), row.requeue, "{name}: requeue");
        assert_eq!(matches!(step.action, Action::Fail(_)), row.error, "{name}: error");
        let lease = left(&step, row.existing.as_ref());
        let says = lease.as_ref().map(|lease| {
            let holder = lease.spec.holder_identity.as_ref();
            let preferred = lease.spec.preferred_holder.as_ref();
            (
                holder.map_or("", Identity::as_str),
                preferred.map(Identity::as_str),
                lease.spec.strategy.as_deref(),
            )
        });
        assert_eq!(says, row.expect, "{name}: lease");
        let mut pinged = row.candidates.clone();
        for stored in &mut pinged {
            stored.candidate.spec.ping_time = Some(at(0));
        }
        let expected = row.pinged.then_some(Action::Ping(pinged));
        let ping = Some(step.action).filter(|action| matches!(action, Action::Ping(_)));
        assert_eq!(ping, expected, "{name}: pings");
    }
}

#[test]
fn a_new_lease_says_what_kubernetes_writes() {
    let Action::Create(made) = step(0, None, &[candidate("a", "1.19.0", 0, None)]).action else {
        panic!("no lease")
    };
    let spec = LeaseSpec {
        holder_identity: Some("a".into()),
        lease_duration_seconds: Some(5),
        renew_time: Some(at(0)),
        strategy: Some(OLDEST.into()),
        acquire_time: None,
        lease_transitions: None,
        preferred_holder: None,
    };
    assert_eq!(made.spec, spec);
    assert_eq!((&*made.metadata.namespace, &*made.metadata.name), ("default", "component-A"));
}

#[test]
fn a_takeover_clears_acquire_time_and_preferred_holder_and_counts_no_transition() {
    let mut before = lease("gone", -11);
    before.spec.acquire_time = Some(at(-500));
    before.spec.preferred_holder = Some("somebody".into());
    before.spec.lease_transitions = Some(7);
    let Action::Update(after, version) =
        step(0, Some(&before), &[candidate("a", "1.19.0", 0, None)]).action
    else {
        panic!("no update")
    };
    let spec = LeaseSpec {
        holder_identity: Some("a".into()),
        lease_duration_seconds: Some(5),
        renew_time: Some(at(0)),
        acquire_time: None,
        preferred_holder: None,
        strategy: Some(OLDEST.into()),
        lease_transitions: Some(7),
    };
    assert_eq!((after.spec, version), (spec, Version::ordered(9)));
}

#[test]
fn a_live_holder_keeps_everything_but_learns_who_is_better() {
    let mut before = lease("a", -10); // to the second: not expired
    before.spec.strategy = Some(OLDEST.into());
    let candidates = [candidate("a", "1.19.0", 0, None), candidate("b", "1.18.0", 0, None)];
    let mut after = before.clone();
    after.spec.preferred_holder = Some("b".into());
    let written = does(Action::Update(after.clone(), Version::ordered(9)));
    assert_eq!(step(0, Some(&before), &candidates), written);
    assert_eq!(step(0, Some(&after), &candidates), does(Action::Nothing), "said already");
}

#[test]
fn expiry_is_strict_and_what_is_absent_has_expired() {
    let candidates = [candidate("a", "1.19.0", 0, None), candidate("b", "1.18.0", 0, None)];
    let holder = |before: &Lease| {
        let lease = left(&step(0, Some(before), &candidates), None).unwrap();
        lease.spec.holder_identity.unwrap().to_string()
    };
    assert_eq!(holder(&lease("a", -10)), "a");
    assert_eq!(holder(&lease("a", -11)), "b");
    let mut eternal = lease("a", 0);
    eternal.spec.renew_time = None;
    assert_eq!(holder(&eternal), "b");
    // Its own holder's, elected again, is left to expire further: the holder may renew it.
    let mut own = lease("b", -11);
    own.spec.strategy = Some(OLDEST.into());
    assert_eq!(step(0, Some(&own), &candidates), does(Action::Nothing));
    let mut endless = lease("a", 0);
    endless.spec.lease_duration_seconds = None;
    assert_eq!(holder(&endless), "b");
    assert_eq!(holder(&lease("", 0)), "b", "nobody holds it");
}

#[test]
fn no_election_is_needed_while_the_best_leads() {
    let mut held = lease("a", 0);
    let candidates = [candidate("a", "1.18.0", -800, None), candidate("b", "1.19.0", -900, None)];
    assert_eq!(step(0, Some(&held), &candidates), does(Action::Nothing), "nobody is pinged");
    // Only its own holder's expiry, and only a better candidate, are reasons …
    held.spec.holder_identity = Some("b".into());
    assert!(
        matches!(step(0, Some(&held), &candidates).action, Action::Ping(pings) if pings.len() == 2)
    );
    held.spec.holder_identity = Some("a".into());
    // … or that nothing was heard of a candidate for 15 minutes.
    let quiet = [candidate("a", "1.18.0", 0, None), candidate("b", "1.19.0", -901, None)];
    let Action::Ping(pings) = step(0, Some(&held), &quiet).action else { panic!("no ping") };
    assert_eq!(*pings[0].candidate.metadata.name, *"b");
    assert_eq!(pings.len(), 1, "a was heard of just now");
}

#[test]
fn other_candidates_do_not_count() {
    let other = with(candidate("a", "1.0.0", 0, None), |candidate| {
        candidate.spec.lease_name = "component-B".into();
    });
    let never =
        with(candidate("a", "1.0.0", 0, None), |candidate| candidate.spec.renew_time = None);
    let gone = candidate("a", "1.0.0", -1801, None);
    for one in [other, never, gone] {
        let nothing = Step { action: Action::Nothing, requeue: None };
        assert_eq!(step(0, None, &[one]), nothing);
    }
    let barely = candidate("a", "1.0.0", -1800, None);
    assert!(matches!(step(0, None, &[barely]).action, Action::Ping(_)));
}

#[test]
fn an_unacked_ping_older_than_the_election_is_passed_over() {
    let silent = candidate("a", "1.0.0", -20, Some(-6));
    let fresh = candidate("b", "1.9.0", 0, None);
    let elected = |candidates: &[Stored]| {
        let lease = left(&step(0, None, candidates), None)?;
        Some(lease.spec.holder_identity.unwrap().to_string())
    };
    assert_eq!(elected(&[silent.clone(), fresh.clone()]), Some("b".to_owned()));
    assert_eq!(step(0, None, &[silent]), fails(ElectionError::NoCandidate), "not pinged again");
    // At 5 s to the nanosecond its time is over as well; a moment before, it is waited for.
    let exact = candidate("a", "1.0.0", -20, Some(-5));
    assert_eq!(elected(&[exact, fresh.clone()]), Some("b".to_owned()));
    let young = candidate("a", "1.0.0", -20, Some(-4));
    assert_eq!(step(0, None, &[young, fresh]), does(Action::Nothing));
    // At 5 s exactly an answer has ceased to count and the next ping is not due.
    let between = candidate("a", "1.0.0", -5, Some(-5));
    assert_eq!(step(0, None, &[between]), fails(ElectionError::NoCandidate));
    // One that had answered its old ping is pinged anew.
    let answered = candidate("a", "1.0.0", -6, Some(-6));
    assert!(matches!(step(0, None, &[answered]).action, Action::Ping(_)));
}

#[test]
fn the_lowest_emulation_then_binary_version_then_age_wins_and_of_equals_the_first() {
    let versions = |name: &str, emulation: &str, binary: &str, created: i64| {
        with(candidate(name, binary, 0, None), |candidate| {
            candidate.spec.emulation_version = emulation.into();
            candidate.created = Some(at(created));
        })
    };
    let elected = |candidates: &[Stored]| {
        left(&step(0, None, candidates), None).unwrap().spec.holder_identity.unwrap().to_string()
    };
    // TestPickBestLeaderOldestEmulationVersion, "different emulation versions" and so on.
    let old = versions("a", "1.9.0", "1.20.0", -5);
    let new = versions("b", "1.10.0", "1.10.0", -9);
    assert_eq!(elected(&[new.clone(), old.clone()]), "a", "by number, not by letter");
    let older = versions("c", "1.9.0", "1.19.0", -1);
    assert_eq!(elected(&[old.clone(), older.clone()]), "c");
    let first = versions("d", "1.9.0", "1.19.0", -2);
    assert_eq!(elected(&[older.clone(), first.clone()]), "d");
    let twin = versions("e", "1.9.0", "1.19.0", -2);
    assert_eq!(elected(&[first.clone(), twin.clone()]), "d", "equal times");
    assert_eq!(elected(&[twin, first]), "e", "equal times");
}

#[test]
fn versions_that_cannot_be_read_are_passed_over() {
    let bad = |name, change: fn(&mut LeaseCandidateSpec)| {
        with(candidate(name, "1.0.0", 0, None), |candidate| change(&mut candidate.spec))
    };
    let no_emulation = bad("a", |spec| spec.emulation_version = "xyz".into());
    let no_binary = bad("b", |spec| spec.binary_version = "".into());
    let good = candidate("c", "v1.9", 0, None); // a tolerant reader's
    let all = [no_emulation, no_binary, good];
    let lease = left(&step(0, None, &all), None).unwrap();
    assert_eq!(lease.spec.holder_identity, Some("c".into()));
    assert_eq!(step(0, None, &all[..2]), fails(ElectionError::NoVersion));
    let held = self::lease("somebody", 0);
    assert_eq!(step(0, Some(&held), &all[..2]), does(Action::Nothing), "nobody is better");
}

#[test]
fn the_highest_binary_version_has_its_strategy() {
    let third = |name, version| {
        with(candidate(name, version, 0, None), |candidate| {
            candidate.spec.strategy = "foo.com/bar".into();
        })
    };
    let mixed = [candidate("a", "1.19.0", 0, None), third("b", "1.20.0")];
    let lease = left(&step(0, None, &mixed), None).unwrap();
    assert_eq!(
        (lease.spec.strategy.as_deref(), lease.spec.holder_identity),
        (Some("foo.com/bar"), None)
    );
    // Under somebody else's strategy a live lease is left alone, and so is one without a holder but
    // for the strategy.
    let held = self::lease("c", 0);
    assert_eq!(step(0, Some(&held), &mixed), does(Action::Nothing));
    let mut free = self::lease("", 0);
    let mut named = free.clone();
    named.spec.strategy = Some("foo.com/bar".into());
    let named = does(Action::Update(named, Version::ordered(9)));
    assert_eq!(step(0, Some(&free), &mixed), named);
    free.spec.strategy = Some("foo.com/bar".into());
    assert_eq!(step(0, Some(&free), &mixed), does(Action::Nothing));

    let split = [candidate("a", "1.20.0", 0, None), third("b", "1.20.0")];
    let differ = ElectionError::StrategiesDiffer { first: "a".into(), second: "b".into() };
    assert_eq!(step(0, None, &split), fails(differ.clone()));
    // Before an election it is looked at again without being asked.
    assert_eq!(step(0, Some(&held), &split), does(Action::Fail(differ)));
    let higher = [third("c", "1.21.0"), split[0].clone(), split[1].clone()];
    assert!(matches!(step(0, None, &higher).action, Action::Create(_)), "only the highest counts");
}

#[test]
fn skew_makes_a_live_lease_look_expired() {
    // The holder renewed just now, by its own clock. The coordinator's is 11 s ahead, and so is that
    // of the candidate b, which is no better than a: it is elected all the same.
    let holder = candidate("a", "1.19.0", 0, None);
    let other = candidate("b", "1.20.0", 11, None);
    let held = lease("a", 0);
    let right = step(0, Some(&held), &[holder.clone(), other.clone()]);
    assert_eq!(right.action, Action::Nothing);
    let Action::Ping(pings) = step(11, Some(&held), &[holder.clone(), other.clone()]).action else {
        panic!("no ping")
    };
    assert_eq!((pings.len(), &*pings[0].candidate.metadata.name), (1, "a"));
    // a answers at once: at 1 s by its clock, when the coordinator's shows 12 s. That is no answer.
    let answered = with(pings[0].clone(), |candidate| candidate.spec.renew_time = Some(at(1)));
    let both = [answered, with(other, |candidate| candidate.spec.renew_time = Some(at(17)))];
    let Action::Update(taken, _) = step(17, Some(&held), &both).action else { panic!("no update") };
    assert_eq!(taken.spec.holder_identity, Some("b".into()));
    // Alone with its clock, the coordinator can elect nobody.
    assert_eq!(step(17, Some(&held), &both[..1]), fails(ElectionError::NoCandidate));
}

#[test]
fn other_parameters_are_heeded() {
    let lock = LockRef::lease("default", "component-A");
    let parameters = Parameters {
        requeue: Duration::from_secs(1),
        election_duration: Duration::from_secs(2),
        lease_duration_seconds: 3,
        valid: Duration::from_secs(40),
        refresh_after: Duration::from_secs(20),
    };
    let step = |lease: Option<&Lease>, candidates: &[Stored]| {
        let version = Version::ordered(9);
        let lease = lease.map(|lease| (lease, &version));
        reconcile(&parameters, &lock, at(0), lease, candidates)
    };
    let gone = [candidate("a", "1.0.0", -41, None)];
    assert_eq!(step(None, &gone).requeue, None);
    assert_eq!(garbage(&parameters, at(0), &gone).count(), 1);
    let quiet = [candidate("a", "1.0.0", -21, None)];
    let held = lease("a", 0);
    let pings = step(Some(&held), &quiet);
    assert!(matches!(pings.action, Action::Ping(_)));
    assert_eq!(pings.requeue, Some(Duration::from_secs(1)));
    assert!(matches!(step(None, &[candidate("a", "1.0.0", -2, None)]).action, Action::Ping(_)));
    let Action::Create(lease) = step(None, &[candidate("a", "1.0.0", -1, None)]).action else {
        panic!("no lease")
    };
    assert_eq!(lease.spec.lease_duration_seconds, Some(3));
}

#[test]
fn garbage_is_what_has_not_renewed_for_half_an_hour() {
    let never =
        with(candidate("a", "1.0.0", 0, None), |candidate| candidate.spec.renew_time = None);
    let all = [never, candidate("b", "1.0.0", -1800, None), candidate("c", "1.0.0", -1801, None)];
    let parameters = Parameters::default();
    let removed = garbage(&parameters, at(0), &all);
    let names: Vec<_> = removed.map(|stored| stored.candidate.metadata.name.to_string()).collect();
    assert_eq!(names, ["a", "c"]);
}
