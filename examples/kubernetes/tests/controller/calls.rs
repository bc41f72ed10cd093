//! Each call on Leases, and what its failures are to a machine.

use std::sync::Arc;
use std::time::Duration;

use tenure::election::{Failure, Op};
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::{Object, Record, Version};
use tenure::time::{Instant, Timestamp};
use tenure_kubernetes::api::{Api, Fault};
use tenure_kubernetes::clock;
use tenure_kubernetes::leases::Leases;
use tenure_kubernetes::metrics::Metrics;

use crate::server::fault::{Calls, Effect};
use crate::server::{Server, Support};
use crate::world::client;

async fn leases() -> (Server, Leases) {
    let server = Server::start(Support::Ignored).await;
    let api = Api::new(client(&server, "pod-0"), Arc::new(Metrics::new()));
    (server, Leases::new(api, "default"))
}

fn lease(seconds: i64) -> Lease {
    let now = Timestamp::from_unix(1_700_000_000, 1_999).unwrap(); // of which a Lease has one microsecond
    let record = Record {
        holder: "pod-0".into(),
        lease_duration_seconds: seconds,
        acquire_time: Some(now),
        renew_time: Some(now),
        ..Record::default()
    };
    let metadata =
        Metadata { namespace: "default".into(), name: "a".into(), ..Metadata::default() };
    Lease { metadata: metadata.into(), spec: LeaseSpec::from_record(&record) }
}

fn soon() -> Instant {
    clock::instant() + Duration::from_secs(20)
}

fn failure<T>(outcome: Result<T, Fault>) -> Failure {
    outcome.err().expect("it fails").failure()
}

const ALL: Calls = Calls { of: "", verb: "", resource: "" };

#[tokio::test]
async fn a_lease_from_its_creation_to_its_end() {
    let (server, leases) = leases().await;
    assert_eq!(failure(leases.get("a", soon()).await), Failure::NotFound);
    let (first, version) = leases.create(&lease(15), soon()).await.unwrap();
    assert_eq!(server.lease("a").unwrap()["spec"]["renewTime"], "2023-11-14T22:13:20.000001Z");
    assert_eq!(failure(leases.create(&lease(15), soon()).await), Failure::AlreadyExists);
    assert_eq!(leases.get("a", soon()).await.unwrap(), (first.clone(), version));

    let mut next = first.clone();
    next.spec.lease_duration_seconds = Some(16);
    let (second, later) = leases.update(&next, version, soon()).await.unwrap();
    assert!(version < later && server.lease("a").unwrap()["metadata"]["managedFields"].is_array());
    assert_eq!(failure(leases.update(&next, version, soon()).await), Failure::Conflict);
    assert_eq!(failure(leases.delete(&second, version, soon()).await), Failure::Conflict);
    leases.delete(&second, later, soon()).await.unwrap();
    assert_eq!(failure(leases.delete(&second, later, soon()).await), Failure::NotFound);

    // A PUT would make it anew, if it did not name the UID of the one that is gone.
    assert_eq!(failure(leases.update(&second, later, soon()).await), Failure::Conflict);
    assert_eq!(server.lease("a"), None);
    assert_eq!(failure(leases.update(&lease(15), later, soon()).await), Failure::Other);
    assert_eq!(server.lease("a"), None);

    // Of the same name, another one.
    let (third, now) = leases.create(&lease(15), soon()).await.unwrap();
    assert_eq!(failure(leases.update(&second, now, soon()).await), Failure::Conflict);
    assert_eq!(failure(leases.delete(&second, now, soon()).await), Failure::Conflict);
    assert_eq!(leases.list("tenure.dev/group=shards", soon()).await.unwrap(), (vec![], now));
    assert_ne!(third.metadata.uid, second.metadata.uid);
}

#[tokio::test]
async fn what_an_elector_asks() {
    let (_server, leases) = leases().await;
    assert_eq!(leases.elect("a", Op::Get, soon()).await, Err(Failure::NotFound));
    let created = leases.elect("a", Op::Create(Object::Lease(lease(15))), soon()).await.unwrap();
    let again = leases.elect("a", Op::Create(Object::Lease(lease(15))), soon()).await;
    assert_eq!(again, Err(Failure::AlreadyExists));
    assert_eq!(leases.elect("a", Op::Get, soon()).await.unwrap(), created);
    let stale = Op::Update(created.object.clone(), Version::ordered(0));
    assert_eq!(leases.elect("a", stale, soon()).await, Err(Failure::Conflict));
    let mut object = created.object;
    if let Object::Lease(lease) = &mut object {
        lease.spec.lease_transitions = Some(1);
    }
    let updated =
        leases.elect("a", Op::Update(object, created.version.clone()), soon()).await.unwrap();
    assert!(created.version.as_ordered() < updated.version.as_ordered());
}

/// None of these says what is in the store.
#[tokio::test]
async fn no_word_on_the_store() {
    let (server, leases) = leases().await;
    assert_eq!(failure(leases.create(&lease(0), soon()).await), Failure::Other); // 422
    let refusals = [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, ""),
        (408, "Timeout"),
        (409, ""),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (502, ""),
        (503, "ServiceUnavailable"),
        (504, "Timeout"),
    ];
    for (code, reason) in refusals {
        server.fault(ALL, Effect::Refuse(code, reason, None), 1);
        let before = server.called("get", "leases").len();
        let fault = leases.get("a", soon()).await.unwrap_err();
        assert_eq!(fault.failure(), Failure::Other, "{code} {reason}");
        // Only what the server has looked at and refused is known not to have been done.
        let refused = matches!(fault, Fault::Refused { .. });
        assert_eq!(refused, (400..500).contains(&code) && code != 408, "{code}");
        assert_eq!(server.called("get", "leases").len(), before + 1, "{code}: asked once");
    }
    server.fault(ALL, Effect::Proxy404, 1);
    assert_eq!(failure(leases.get("a", soon()).await), Failure::Other);
    server.fault(ALL, Effect::DoneThen504, 1);
    assert_eq!(failure(leases.create(&lease(15), soon()).await), Failure::Other);
    assert!(server.lease("a").is_some(), "it was done all the same");
}

#[tokio::test]
async fn an_overloaded_server_is_left_alone_as_long_as_it_says() {
    let (server, leases) = leases().await;
    leases.create(&lease(15), soon()).await.unwrap();
    server.fault(ALL, Effect::Refuse(429, "TooManyRequests", Some(1)), 1);
    leases.get("a", soon()).await.unwrap();
    let [first, second] = &server.called("get", "leases")[..] else { panic!("asked twice") };
    assert!(Duration::from_secs(1) <= second.at.saturating_since(first.at));

    // At once would be a flood.
    server.fault(ALL, Effect::Refuse(429, "TooManyRequests", Some(0)), 1);
    leases.get("a", soon()).await.unwrap();
    let [.., first, second] = &server.called("get", "leases")[..] else { panic!("asked twice") };
    assert!(Duration::from_millis(100) <= second.at.saturating_since(first.at));

    // Longer than the call lives: it is not sent again.
    server.fault(ALL, Effect::Refuse(429, "TooManyRequests", Some(3600)), 1);
    let deadline = clock::instant() + Duration::from_millis(300);
    assert_eq!(failure(leases.get("a", deadline).await), Failure::Other);
    assert!(deadline <= clock::instant());
    assert_eq!(server.called("get", "leases").len(), 5);
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let (server, leases) = leases().await;
    server.fault(ALL, Effect::AnsweredLate(Duration::from_secs(30)), 1);
    let begun = clock::instant();
    let outcome = leases.create(&lease(15), begun + Duration::from_millis(300)).await;
    assert!(matches!(outcome, Err(Fault::Unknown(_))));
    assert!(clock::instant().saturating_since(begun) < Duration::from_secs(20));
    assert!(server.lease("a").is_some(), "it was done all the same");
    // Past it nothing is sent.
    assert_eq!(failure(leases.get("a", begun).await), Failure::Other);
    assert!(server.called("get", "leases").is_empty());
}
