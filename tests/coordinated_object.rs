//! `LeaseCandidate`: what an API server refuses (`ValidateLeaseCandidate`), and the order of versions
//! (`github.com/blang/semver/v4`).

use tenure::lock::candidate::{
    CandidateError, LeaseCandidate, LeaseCandidateSpec, OLDEST_EMULATION_VERSION, SemVer,
    SemVerError,
};
use tenure::lock::lease::Metadata;

fn candidate(name: &str) -> LeaseCandidate {
    let metadata = Metadata { name: name.into(), ..Metadata::default() };
    let spec = LeaseCandidateSpec {
        lease_name: "controller".into(),
        binary_version: "1.36.2".into(),
        emulation_version: "1.35.0".into(),
        strategy: OLDEST_EMULATION_VERSION.into(),
        ..LeaseCandidateSpec::default()
    };
    LeaseCandidate { metadata: metadata.into(), created: None, spec }
}

fn with(change: impl FnOnce(&mut LeaseCandidateSpec)) -> Result<(), CandidateError> {
    let mut candidate = candidate("a");
    change(&mut candidate.spec);
    candidate.validate()
}

#[test]
fn names_are_keys_of_config_maps() {
    let longest = "x".repeat(253);
    for name in ["a", "A_b-c.9", "a..b", ".a", "-", &longest] {
        assert_eq!(candidate(name).validate(), Ok(()), "{name}");
    }
    let long = "x".repeat(254);
    for name in ["", ".", "..", "..a", "a/b", "ä", "a b", &long] {
        let error = candidate(name).validate().unwrap_err();
        assert_eq!(error, CandidateError::Name { found: name.into() });
    }
}

#[test]
fn what_is_required_must_be_there() {
    let missing = |field| Err(CandidateError::Missing { field });
    assert_eq!(with(|spec| spec.lease_name = "".into()), missing("spec.leaseName"));
    assert_eq!(with(|spec| spec.binary_version = "".into()), missing("spec.binaryVersion"));
    assert_eq!(with(|spec| spec.strategy = "".into()), missing("spec.strategy"));
    for nothing in ["", "0.0.0"] {
        let result = with(|spec| spec.emulation_version = nothing.into());
        assert_eq!(result, Err(CandidateError::EmulationMissing), "{nothing:?}");
    }
    let other = with(|spec| {
        spec.strategy = "example.com/fastest".into();
        spec.emulation_version = "".into();
    });
    assert_eq!(other, Ok(()), "only Kubernetes' own strategy compares it");
}

#[test]
fn versions_are_semantic_and_none_emulates_the_future() {
    for (text, error) in [("1.36", SemVerError::Parts), ("v1.36.2", SemVerError::Number)] {
        let binary = with(|spec| spec.binary_version = text.into());
        let field = "spec.binaryVersion";
        assert_eq!(binary, Err(CandidateError::Version { field, found: text.into(), error }));
        let emulation = with(|spec| spec.emulation_version = text.into());
        let field = "spec.emulationVersion";
        assert_eq!(emulation, Err(CandidateError::Version { field, found: text.into(), error }));
    }
    assert_eq!(with(|spec| spec.emulation_version = "1.36.2".into()), Ok(()));
    assert_eq!(with(|spec| spec.emulation_version = "1.36.2-rc.1".into()), Ok(()));
    let later = with(|spec| spec.emulation_version = "1.36.3".into());
    assert!(matches!(later, Err(CandidateError::EmulatesFuture { .. })));
}

#[test]
fn strategies_are_kubernetes_own_or_have_a_domain() {
    for good in ["OldestEmulationVersion", "foo.com/bar", "a/B_c.d-e", "a-1.b/x"] {
        assert_eq!(with(|spec| spec.strategy = good.into()), Ok(()), "{good}");
    }
    let long = format!("a/{}", "x".repeat(64));
    let bad =
        ["NewestEmulationVersion", "foo.com/", "/bar", "a/b/c", "A/b", "a-/b", "a/-b", "a/b."];
    for bad in bad.into_iter().chain([long.as_str()]) {
        let error = with(|spec| spec.strategy = bad.into()).unwrap_err();
        assert_eq!(error, CandidateError::Strategy { found: bad.into() });
    }
}

#[test]
fn the_lease_does_not_change() {
    let old = candidate("a");
    let mut new = old.clone();
    assert_eq!(new.validate_update(&old), Ok(()));
    new.spec.lease_name = "scheduler".into();
    assert_eq!(
        new.validate_update(&old).unwrap_err().to_string(),
        "spec.leaseName is scheduler: it was controller and must not change",
    );
}

#[test]
fn versions_are_in_the_order_of_semver_org() {
    // semver.org, section 11, with numbers of two digits among them.
    let order = [
        "0.0.0",
        "0.9.0",
        "0.10.0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.1.0",
        "10.0.0",
        "18446744073709551615.0.0",
    ];
    let versions: Vec<_> = order.iter().map(|text| SemVer::parse(text).unwrap()).collect();
    for (place, one) in versions.iter().enumerate() {
        for (other_place, other) in versions.iter().enumerate() {
            assert_eq!(one.cmp(other), place.cmp(&other_place), "{one:?} {other:?}");
        }
    }
    assert_eq!(SemVer::parse("1.0.0+a").unwrap(), SemVer::parse("1.0.0+b-c.d").unwrap());
}

#[test]
fn strict_and_tolerant_readers_differ_as_in_go() {
    let wrong = [
        ("", SemVerError::Parts),
        ("1.2", SemVerError::Parts),
        ("1.2.x", SemVerError::Number),
        ("1..3", SemVerError::Number),
        ("1.2.3.4", SemVerError::Number),
        ("1.2.18446744073709551616", SemVerError::Number),
        ("1.02.3", SemVerError::LeadingZero),
        ("1.2.3-01", SemVerError::LeadingZero),
        ("1.2.3-", SemVerError::Identifier),
        ("1.2.3-a..b", SemVerError::Identifier),
        ("1.2.3-ü", SemVerError::Identifier),
        ("1.2.3+", SemVerError::Identifier),
    ];
    for (text, error) in wrong {
        assert_eq!(SemVer::parse(text), Err(error), "{text}");
    }
    let same = [
        (" v1.2 ", "1.2.0"),
        ("1", "1.0.0"),
        ("01.002.0003", "1.2.3"),
        ("0.0.0", "0.0.0"),
        ("000.1.00-a", "0.1.0-a"),
        ("1.2.3-beta.1+x", "1.2.3-beta.1"),
        ("1.2.-rc", "1.2.0-rc"),
        ("0.0.00+x", "0.0.0"),
    ];
    for (text, strict) in same {
        assert_eq!(SemVer::parse_tolerant(text).unwrap(), SemVer::parse(strict).unwrap(), "{text}");
    }
    assert_eq!(SemVer::parse_tolerant("1.2-beta"), Err(SemVerError::Parts));
    for text in ["", "v", "xyz", "1.x", "1.2.-", "1.2.x-rc", "vv1.2.3", "1.2.3-01"] {
        assert!(SemVer::parse_tolerant(text).is_err(), "{text}");
    }
}
