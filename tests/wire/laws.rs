//! Laws that hold for all records, Leases and texts.

use proptest::prelude::*;
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::wire::{
    WireError, lease_from_api_json, lease_from_json, lease_to_api_json, lease_to_json,
    record_from_json, record_to_json, record_to_json_five_fields,
};
use tenure::lock::{Identity, Record};
use tenure::time::Timestamp;

fn identity() -> impl Strategy<Value = Identity> {
    prop_oneof![
        "[a-z0-9_-]{0,12}",
        any::<String>(),
        "[<>&\u{2028}\u{2029}\"\\\\\u{0}-\u{1f}\u{7f}]{0,8}"
    ]
    .prop_map(Identity::from)
}

fn times() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of((-62_167_219_200_i64..253_402_300_800, 0_u32..1_000_000_000))
        .prop_map(|parts| Timestamp::from_unix(parts?.0, parts?.1))
}

prop_compose! {
    pub(crate) fn records()(holder in identity(), preferred_holder in identity(), strategy in identity(),
                 lease_duration_seconds in any::<i64>(), leader_transitions in any::<i64>(),
                 acquire_time in times(), renew_time in times()) -> Record {
        let strategy = Some(strategy.as_str().into()).filter(|_| !strategy.is_empty());
        Record { holder, lease_duration_seconds, acquire_time, renew_time, leader_transitions, strategy, preferred_holder }
    }
}

pub(crate) fn entries() -> impl Strategy<Value = tenure::lock::lease::Entries> {
    prop::collection::btree_map(any::<String>(), any::<String>(), 0..4)
        .prop_map(|map| map.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
}

prop_compose! {
    pub(crate) fn leases()(record in records(), absent in any::<u8>(), name in any::<String>(), namespace in "[a-z]{0,4}",
                uid in "[a-z]{0,4}", labels in entries(), annotations in entries()) -> Lease {
        let mut spec = LeaseSpec::from_record(&record);
        if absent & 1 != 0 { spec.holder_identity = None; }
        if absent & 2 != 0 { spec.lease_duration_seconds = None; }
        if absent & 4 != 0 { spec.acquire_time = None; }
        if absent & 8 != 0 { spec.renew_time = None; }
        if absent & 16 != 0 { spec.lease_transitions = None; }
        if absent & 32 != 0 { spec.strategy = Some("".into()); }
        let metadata = Metadata { name: name.into(), namespace: namespace.into(), uid: uid.into(), labels, annotations, rest: None };
        Lease { metadata: metadata.into(), spec }
    }
}

/// JSON that is often well formed and often about the right fields.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "[0-9]{1,3}(\\.[0-9])?(e[0-9])?",
        "\"(\\\\u[0-9a-f]{4}|[a-zé]|\\\\n){0,4}\"",
        "\"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2]?[0-9]:[0-5][0-9]:[0-6][0-9]([.,][0-9]{1,9})?(Z|\\+[0-2][0-9]:[0-6][0-9])\"",
    ];
    let key = prop::sample::select(vec![
        "holderIdentity",
        "HolderIdentity",
        "leaſeDurationSeconds",
        "acquireTime",
        "renewTime",
        "RENEWTIME",
        "leaderTransitions",
        "strategy",
        "preferredHolder",
        "metadata",
        "spec",
        "labels",
        "x",
        "kind",
    ]);
    scalar.prop_recursive(3, 24, 6, move |inner| {
        let member =
            (key.clone(), inner.clone()).prop_map(|(key, value)| format!("\"{key}\": {value}"));
        prop_oneof![
            prop::collection::vec(member, 0..6)
                .prop_map(|members| format!("{{{}}}", members.join(","))),
            prop::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(" ,"))),
        ]
    })
}

proptest! {
    #[test]
    fn a_written_record_reads_as_it_was(record in records()) {
        let cut = |record: &Record| {
            let mut record = record.clone().truncate_to_seconds();
            record.acquire_time = record.acquire_time.filter(|time| *time != Timestamp::GO_ZERO);
            record.renew_time = record.renew_time.filter(|time| *time != Timestamp::GO_ZERO);
            record
        };
        let json = record_to_json(&record);
        prop_assert_eq!(record_from_json(json.as_bytes()), Ok(cut(&record)));
        // A second opinion: it is JSON, and means the same strings to another reader.
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(value["holderIdentity"].as_str(), Some(record.holder.as_str()));
        let five = Record { strategy: None, preferred_holder: Identity::default(), ..cut(&record) };
        prop_assert_eq!(record_from_json(record_to_json_five_fields(&record).as_bytes()), Ok(five));
    }

    #[test]
    fn a_written_lease_reads_as_it_was(lease in leases(), version in prop::option::of("[0-9]{1,5}")) {
        let mut cut = lease.clone();
        let micros = |time: Option<Timestamp>| {
            time.filter(|time| *time != Timestamp::GO_ZERO).map(Timestamp::truncate_to_micros)
        };
        cut.spec.acquire_time = micros(cut.spec.acquire_time);
        cut.spec.renew_time = micros(cut.spec.renew_time);
        let expected = (cut, version.as_deref().map(Into::into));
        let std = lease_to_json(&lease, version.as_deref());
        prop_assert_eq!(lease_from_json(std.as_bytes()).unwrap(), expected.clone());
        prop_assert!(lease_from_api_json(std.as_bytes()).is_err()); // does not say what it is
        let api = lease_to_api_json(&lease, version.as_deref());
        prop_assert_eq!(lease_from_api_json(api.as_bytes()).unwrap(), expected.clone());
        prop_assert_eq!(lease_from_json(api.as_bytes()).unwrap(), expected.clone());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), json in texts(), at in any::<prop::sample::Index>()) {
        let mut broken = json.clone().into_bytes();
        let at = at.index(broken.len());
        broken[at] ^= bytes.first().copied().unwrap_or(1);
        for text in [&bytes[..], json.as_bytes(), &broken, &broken[..at]] {
            let _ = record_from_json(text).map_err(|error| error.to_string());
            let _ = lease_from_json(text).map_err(|error| error.to_string());
            let _ = lease_from_api_json(text).map_err(|error| error.to_string());
        }
    }

    #[test]
    fn an_accepted_text_is_written_as_a_fixed_point(json in texts()) {
        if let Ok(record) = record_from_json(json.as_bytes()) {
            let written = record_to_json(&record);
            let read = record_from_json(written.as_bytes()).unwrap();
            prop_assert_eq!(&read, &record.truncate_to_seconds());
            prop_assert_eq!(record_to_json(&read), written);
        }
    }

    /// The grammar is that of RFC 8259, but for what Go adds and limits.
    #[test]
    fn another_parser_agrees_on_the_grammar(json in texts(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut broken = json.into_bytes();
        let at = at.index(broken.len());
        broken[at] = byte;
        let other = serde_json::from_slice::<serde_json::Value>(&broken).is_ok();
        let this = !matches!(record_from_json(&broken), Err(WireError::Syntax { .. }));
        prop_assert!(this || !other, "{:?}", String::from_utf8_lossy(&broken));
    }
}
