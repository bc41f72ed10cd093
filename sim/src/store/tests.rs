use super::*;

fn lease(holder: &str) -> Object {
    let mut lease = Lease::default();
    Arc::make_mut(&mut lease.metadata).name = "lock".into();
    lease.spec.holder_identity = Some(holder.into());
    lease.spec.lease_duration_seconds = Some(15);
    Object::Lease(lease)
}

fn with(change: impl FnOnce(&mut Lease)) -> Object {
    let Object::Lease(mut lease) = lease("a") else { panic!() };
    change(&mut lease);
    Object::Lease(lease)
}

fn store() -> Store {
    Store::new(&scenario::Store::default())
}

#[test]
fn calls_have_the_semantics_of_the_api_server() {
    let mut store = store();
    let number = |stored: Result<&Stored, Failure>| {
        stored.map(|stored| stored.version.as_ordered().unwrap())
    };
    assert_eq!(number(store.get("lock")), Err(Failure::NotFound));
    assert_eq!(number(store.update(&lease("a"), 1)), Err(Failure::NotFound));
    assert_eq!(number(store.create(&lease("a"))), Ok(1));
    assert_eq!(number(store.create(&lease("b"))), Err(Failure::AlreadyExists));
    assert_eq!(number(store.update(&lease("b"), 7)), Err(Failure::Conflict));
    assert_eq!(number(store.update(&lease("b"), 1)), Ok(2));
    assert_eq!(number(store.update(&lease("c"), 1)), Err(Failure::Conflict));
    assert_eq!(number(store.update(&lease("b"), 2)), Ok(2), "a write that changes nothing");
    let old = store.get("lock").unwrap().object.clone();
    assert_eq!(store.delete(Kind::Lease, "lock", Some(1)), Err(Failure::Conflict));
    assert_eq!(store.delete(Kind::Lease, "lock", Some(2)), Ok(()));
    assert_eq!(store.delete(Kind::Lease, "lock", None), Err(Failure::NotFound));
    assert_eq!(number(store.update(&old, 2)), Err(Failure::Conflict), "gone, by its uid");
    assert_eq!(number(store.create(&lease("c"))), Ok(4), "deleting is a write too");
    assert_eq!(number(store.update(&old, 4)), Err(Failure::Conflict), "another uid");
}

#[test]
fn what_is_invalid_is_refused_unless_told_otherwise() {
    let invalid = [
        with(|lease| lease.spec.lease_duration_seconds = Some(0)),
        with(|lease| lease.spec.lease_transitions = Some(-1)),
        with(|lease| lease.spec.preferred_holder = Some("b".into())),
    ];
    let lenient = scenario::Store { validate: false, ..scenario::Store::default() };
    for object in &invalid {
        assert_eq!(store().create(object), Err(Failure::Other));
        assert!(Store::new(&lenient).create(object).is_ok());
        let mut store = store();
        store.create(&lease("a")).unwrap();
        assert_eq!(store.update(object, 1), Err(Failure::Other));
    }
    let nameless = with(|lease| Arc::make_mut(&mut lease.metadata).name = "".into());
    assert_eq!(Store::new(&lenient).create(&nameless), Err(Failure::Other));
}

#[test]
fn times_are_cut_to_microseconds() {
    let time = Timestamp::from_unix(5, 123_456_789);
    let object = with(|lease| lease.spec.renew_time = time);
    let mut store = store();
    let stored = store.create(&object).unwrap();
    assert_eq!(stored.object.record().unwrap().renew_time, Timestamp::from_unix(5, 123_456_000));
    // So a renewal within the same microsecond changes nothing.
    let again = with(|lease| lease.spec.renew_time = Timestamp::from_unix(5, 123_456_001));
    assert_eq!(store.update(&again, 1).unwrap().version, Version::ordered(1));
}

#[test]
fn a_list_is_of_a_label_in_order_with_the_version_of_the_store() {
    let mut store = store();
    for (name, group) in [("b", "x"), ("a", "x"), ("c", "y")] {
        let object = with(|lease| {
            let metadata = Arc::make_mut(&mut lease.metadata);
            metadata.name = name.into();
            metadata.labels = [("group".into(), group.into())].into();
        });
        store.create(&object).unwrap();
    }
    let (objects, version) = store.list(Some(&("group".into(), "x".into())));
    let names: Vec<_> = objects.iter().map(|stored| object_name(&stored.object)).collect();
    assert_eq!((names.as_slice(), version), (["a", "b"].as_slice(), 3));
    assert_eq!(store.list(None).0.len(), 3);
}

#[test]
fn people_can_edit() {
    let mut store = store();
    store.remember();
    assert!(!store.edit(Kind::Lease, "lock", &Edit::ClearHolder {}));
    store.create(&lease("a")).unwrap();
    let record = |store: &Store| store.snapshot("lock").unwrap().record.clone();
    let first = record(&store);
    assert!(store.edit(Kind::Lease, "lock", &Edit::TouchLabel {}));
    assert_eq!((store.version(), &record(&store)), (2, &first));
    let edit = Edit::SetHolder { holder: "nobody".into(), duration_seconds: Some(3600) };
    assert!(store.edit(Kind::Lease, "lock", &edit));
    assert_eq!(record(&store).holder.as_str(), "nobody");
    assert_eq!(record(&store).lease_duration_seconds, 3600);
    assert!(store.edit(Kind::Lease, "lock", &Edit::ClearHolder {}));
    assert!(record(&store).holder.is_empty());
    assert!(store.edit(Kind::Lease, "lock", &Edit::Restore { back: 2 }));
    assert_eq!(record(&store), first);
    assert!(!store.edit(Kind::Lease, "lock", &Edit::Restore { back: 9 }));
}

fn annotated(kind: Kind, name: &str, text: &str) -> Object {
    let mut object = Annotated::default();
    Arc::make_mut(&mut object.metadata).name = name.into();
    object.annotate(text);
    match kind {
        Kind::ConfigMap => Object::ConfigMap(object),
        _ => Object::Endpoints(object),
    }
}

#[test]
fn kinds_are_apart_and_versions_are_not() {
    let mut store = store();
    let text = r#"{"holderIdentity":"b", "leaseDurationSeconds":15}"#;
    let version = |stored: Result<&Stored, Failure>| stored.unwrap().version.as_ordered().unwrap();
    assert_eq!(version(store.create(&lease("a"))), 1);
    assert_eq!(version(store.create(&annotated(Kind::ConfigMap, "lock", text))), 2);
    assert_eq!(version(store.create(&annotated(Kind::Endpoints, "lock", text))), 3);
    let config_map = store.get_of(Kind::ConfigMap, "lock").unwrap().object.clone();
    let endpoints = store.get_of(Kind::Endpoints, "lock").unwrap().object.clone();
    let Object::ConfigMap(it) = &config_map else { panic!() };
    assert_eq!(it.annotation().unwrap().as_ref(), text, "byte for byte");
    assert_eq!(store.snapshot_of(Kind::ConfigMap, "lock").unwrap().record.holder.as_str(), "b");
    assert_eq!(store.snapshot("lock").unwrap().record.holder.as_str(), "a");
    // What was deleted is not found, or in conflict with its uid, as its kind has it.
    store.delete(Kind::ConfigMap, "lock", Some(2)).unwrap();
    store.delete(Kind::Endpoints, "lock", None).unwrap();
    assert_eq!(store.update(&config_map, 2), Err(Failure::NotFound));
    assert_eq!(store.update(&endpoints, 3), Err(Failure::Conflict));
    assert!(store.get("lock").is_ok(), "the Lease is another object");
}

#[test]
fn what_a_config_map_also_holds_and_odd_durations_are_no_business_of_the_store() {
    let mut store = store();
    let text = r#"{"holderIdentity":"b","leaseDurationSeconds":0,"leaderTransitions":-1}"#;
    let mut object = annotated(Kind::ConfigMap, "lock", text);
    Arc::make_mut(object.metadata_mut()).rest = Some(b"data".as_slice().into());
    store.create(&object).unwrap();
    assert!(store.edit(Kind::ConfigMap, "lock", &Edit::ClearHolder {}));
    let stored = store.get_of(Kind::ConfigMap, "lock").unwrap();
    assert_eq!(stored.object.metadata().rest.as_deref(), Some(b"data".as_slice()));
}

#[test]
fn an_annotation_can_be_garbled_and_a_lease_cannot() {
    let mut store = store();
    store.remember();
    store.create(&lease("a")).unwrap();
    assert!(!store.edit(Kind::Lease, "lock", &Edit::Garble {}));
    let text = r#"{"holderIdentity":"b"}"#;
    store.create(&annotated(Kind::Endpoints, "lock", text)).unwrap();
    assert!(store.edit(Kind::Endpoints, "lock", &Edit::Garble {}));
    assert!(store.snapshot_of(Kind::Endpoints, "lock").unwrap().unreadable);
    assert!(store.get_of(Kind::Endpoints, "lock").unwrap().object.record().is_err());
    assert!(store.edit(Kind::Endpoints, "lock", &Edit::Restore { back: 0 }));
    let snapshot = store.snapshot_of(Kind::Endpoints, "lock").unwrap();
    assert_eq!((snapshot.record.holder.as_str(), snapshot.unreadable), ("b", false));
}
