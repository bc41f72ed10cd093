//! Objects of all kinds: what is modelled of them is read and written, all else is carried along.

use proptest::prelude::*;
use tenure::lock::annotated::Annotated;
use tenure::lock::lease::{LeaseSpec, Metadata};
use tenure::lock::wire::{
    ANNOTATION, WireError, lease_from_api_json, lease_from_json, lease_to_api_json, lease_to_json,
    object_from_api_json, object_to_api_json, record_to_json,
};
use tenure::lock::{Kind, Object, Record};

use crate::laws::{entries, leases, records, texts};

const KINDS: [Kind; 3] = [Kind::Lease, Kind::ConfigMap, Kind::Endpoints];

/// All that `metav1.ObjectMeta` has, in the order of its fields.
const METADATA: &str = r#""metadata":{"name":"n","generateName":"g","namespace":"ns","selfLink":"/s","uid":"u","resourceVersion":"9","generation":2,"creationTimestamp":"2024-01-01T00:00:00Z","deletionTimestamp":"2024-01-01T00:00:00Z","deletionGracePeriodSeconds":30,"labels":{"a":"b"},"annotations":{"d":"e"},"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"x","controller":true}],"finalizers":["f"],"managedFields":[{"manager":"m","time":"2024-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:a":{}}}]}"#;

/// What stands before and behind the metadata.
fn around(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Lease => (
            r#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","#,
            r#","spec":{"holderIdentity":"a","leaseDurationSeconds":15,"leaseTransitions":0}}"#,
        ),
        Kind::ConfigMap => (
            r#"{"kind":"ConfigMap","apiVersion":"v1","#,
            r#","immutable":false,"data":{"\u003ca\u003e":"b\n"},"binaryData":{"c":"aGk="}}"#,
        ),
        Kind::Endpoints => (
            r#"{"kind":"Endpoints","apiVersion":"v1","#,
            r#","subsets":[{"addresses":[{"ip":"10.0.0.1","targetRef":{"kind":"Pod","name":"p"}}],"ports":[{"name":"http","port":80,"protocol":"TCP"}]}]}"#,
        ),
    }
}

fn read(kind: Kind, text: &str) -> (Object, Option<String>) {
    let (object, version) = object_from_api_json(kind, text.as_bytes()).unwrap();
    (object, version.map(|version| version.to_string()))
}

/// `json.Marshal` of the object that `json.Unmarshal` made of the same text.
#[test]
fn what_go_wrote_is_written_again() {
    for kind in KINDS {
        let (before, behind) = around(kind);
        for metadata in
            [METADATA, r#""metadata":{}"#, r#""metadata":{"name":"n","finalizers":["f"]}"#]
        {
            let text = format!("{before}{metadata}{behind}\n");
            let (object, version) = read(kind, &text);
            assert_eq!(object.kind(), kind);
            assert_eq!(object_to_api_json(&object, version.as_deref()), text);
        }
        let blank = format!(
            "{before}\"metadata\":{{}}{}}}\n",
            if kind == Kind::Lease { ",\"spec\":{}" } else { "" }
        );
        let (object, _) = read(kind, &blank);
        assert_eq!(object.metadata().rest, None);
        assert_eq!(object_to_api_json(&object, None), blank);
    }
}

#[test]
fn other_orders_become_gos_and_values_stay_as_they_are() {
    let text = "{ \"x\" : [ 1 , 1.50 ] , \"data\":{\"k\" : \"\\u0076\"},\"metadata\":{\"\\u0079\":{ },\"finalizers\":[\n\"f\"],\"labels\":{\"a\":\"b\"},
        \"generateName\":\"g\",\"name\":\"n\",\"finalizers\":null},\"immutable\":true,\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"\\ud800\":0}";
    let (object, _) = read(Kind::ConfigMap, text);
    let expected = "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\",\"generateName\":\"g\",\"labels\":{\"a\":\"b\"},\"finalizers\":[\n\"f\"],\"finalizers\":null,\"\\u0079\":{ }},\"immutable\":true,\"data\":{\"k\" : \"\\u0076\"},\"x\":[ 1 , 1.50 ],\"\\ud800\":0}\n";
    assert_eq!(object_to_api_json(&object, None), expected);
    assert_eq!(read(Kind::ConfigMap, expected).0, object);
}

/// The annotation's text is itself JSON by Go, so that escapes are escaped once more.
#[test]
fn an_annotation_is_escaped_twice() {
    let record = Record { holder: "<a>&\"\\\u{2028}".into(), ..Record::default() };
    let (mut object, _) =
        read(Kind::ConfigMap, r#"{"kind":"ConfigMap","apiVersion":"v1","data":{"a":"b"}}"#);
    let Object::ConfigMap(config_map) = &mut object else { unreachable!() };
    config_map.annotate(record_to_json(&record));
    let text = object_to_api_json(&object, Some("7"));
    assert_eq!(
        text,
        concat!(
            r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"7","annotations":{"control-plane.alpha.kubernetes.io/leader":"#,
            r#""{\"holderIdentity\":\"\\u003ca\\u003e\\u0026\\\"\\\\\\u2028\",\"leaseDurationSeconds\":0,\"acquireTime\":null,\"renewTime\":null,\"leaderTransitions\":0,\"strategy\":\"\",\"preferredHolder\":\"\"}""#,
            "}},\"data\":{\"a\":\"b\"}}\n",
        )
    );
    assert_eq!(read(Kind::ConfigMap, &text).0.record(), Ok(record));
    // Another writer's annotation may hold these letters as they are.
    let Object::ConfigMap(config_map) = &mut object else { unreachable!() };
    config_map.annotate("<&>");
    assert!(object_to_api_json(&object, None).contains(r#"leader":"\u003c\u0026\u003e""#));
}

#[test]
fn a_lease_comes_back_with_its_owners_by_both_codecs() {
    let text = r#"{"metadata":{"name":"a","ownerReferences":[{"uid":"x"}],"y":1},"spec":{"x":1},"status":{"z":2}}"#;
    let kept = text.replace(r#""x":1"#, ""); // of the spec every holder writes all
    let (mut lease, _) = lease_from_json(text.as_bytes()).unwrap();
    assert_eq!(lease_to_json(&lease, None), kept);
    let api = lease_to_api_json(&lease, None);
    assert_eq!(
        api,
        kept.replacen('{', r#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","#, 1) + "\n"
    );
    assert_eq!(lease_from_api_json(api.as_bytes()), Ok((lease.clone(), None)));
    lease.spec = LeaseSpec::from_record(&Record::default());
    assert!(lease_to_json(&lease, None).contains(r#""ownerReferences":[{"uid":"x"}]"#));
}

/// A name that is a field's but for its case is that field by `encoding/json`, and nothing by the
/// API's codec.
#[test]
fn case_does_not_turn_members_into_fields() {
    let std = r#"{"metadata":{"FINALIZERS":["a"],"finalizers":["b"],"NAME":"n"},"spec":{}}"#;
    let (lease, _) = lease_from_json(std.as_bytes()).unwrap();
    let written = lease_to_json(&lease, None);
    assert_eq!(
        written,
        r#"{"metadata":{"name":"n","finalizers":["a"],"finalizers":["b"]},"spec":{}}"#
    );
    let api = std.replacen(
        '{',
        r#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","SPEC":{"strategy":"x"},"#,
        1,
    );
    let (lease, _) = lease_from_api_json(api.as_bytes()).unwrap();
    let written = lease_to_json(&lease, None);
    assert_eq!(written, r#"{"metadata":{"finalizers":["b"]},"spec":{}}"#);
}

/// `rest` is the driver's to fill: nothing in it displaces what is modelled or breaks the text.
#[test]
fn a_foreign_rest_does_no_harm() {
    let write = |rest: &[u8]| {
        let metadata =
            Metadata { name: "n".into(), rest: Some(rest.into()), ..Metadata::default() };
        object_to_api_json(&Object::ConfigMap(Annotated { metadata: metadata.into() }), None)
    };
    let plain = "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n\"}}\n";
    for rest in [
        &b""[..], b"\x08\x01protobuf", b"{", b"[1]", b"null", b"7", b"{}", b"{} {}", b"{\"metadata\":7}", b"\xff",
        br#"{"kind":"Secret","apiVersion":"v2","Kind":"x","metadata":{"name":"m","uid":"1","Labels":{},"resourceVersion":"3","annotations":{"a":"b"}}}"#,
    ] {
        assert_eq!(write(rest), plain, "{}", String::from_utf8_lossy(rest));
    }
    assert_eq!(
        write(b"{\"data\":{\"a\":\"\xff\"}}"),
        plain.replace("}}\n", "},\"data\":{\"a\":\"\u{fffd}\"}}\n")
    );
    assert_eq!(write(br#"{"x":1,"spec":2}"#), plain.replace("}}\n", "},\"x\":1,\"spec\":2}\n"));
}

#[test]
fn each_kind_is_asked_for_by_name() {
    for kind in KINDS {
        let (before, behind) = around(kind);
        let text = format!("{before}{METADATA}{behind}");
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            let error = object_from_api_json(other, text.as_bytes()).unwrap_err();
            assert!(matches!(error, WireError::Object { field: "kind", .. }), "{error}");
        }
        let wrong = text.replacen("/v1", "/v2", 1).replacen("\"v1", "\"v2", 1);
        let error = object_from_api_json(kind, wrong.as_bytes()).unwrap_err();
        assert!(matches!(error, WireError::Object { field: "apiVersion", .. }), "{error}");
    }
}

/// Members that are not modelled, which may have any name. JSON that the other reader takes, too.
fn strange() -> impl Strategy<Value = String> {
    let json = |text: &String| serde_json::from_str::<serde_json::Value>(text).is_ok();
    let value = texts().prop_filter("no JSON", json);
    let member = ("[a-z<é]{0,6}x", value).prop_map(|(key, value)| format!("\"{key}\":{value}"));
    prop::collection::vec(member, 0..4).prop_map(|members| members.join(","))
}

prop_compose! {
    /// Objects as a reader gives them, which alone have a `rest`.
    fn objects()(kind in prop::sample::select(&KINDS[..]), name in any::<String>(), labels in entries(), mut annotations in entries(),
                 annotation in prop::option::of(prop_oneof![any::<String>(), records().prop_map(|record| record_to_json(&record))]),
                 lease in leases(), inner in strange(), outer in strange(), known in any::<bool>()) -> (Object, String, String) {
        let comma = |text: &str| if text.is_empty() { String::new() } else { format!(",{text}") };
        let (before, behind) = around(kind);
        let (before, behind) = if known { (before, behind) } else { (before.trim_end_matches(','), "}") };
        let metadata = if known { METADATA.strip_suffix('}').unwrap().to_owned() } else { r#","metadata":{"name":"n""#.into() };
        let text = format!("{before}{metadata}{}}}{}{}}}", comma(&inner), behind.strip_suffix('}').unwrap(), comma(&outer));
        let (mut object, _) = read(kind, &text);
        if let Some(annotation) = annotation {
            annotations.insert(ANNOTATION.into(), annotation.into());
        }
        let rest = object.metadata().rest.clone();
        *object.metadata_mut() = Metadata { name: name.into(), labels, annotations, rest, ..Metadata::default() }.into();
        if let Object::Lease(object) = &mut object {
            object.spec = lease.spec;
            object.spec.acquire_time = None; // what becomes of times is another law's business
            object.spec.renew_time = None;
        }
        (object, inner, outer)
    }
}

proptest! {
    #[test]
    fn a_written_object_reads_as_it_was((object, inner, outer) in objects(), version in prop::option::of("[0-9]{1,5}")) {
        let text = object_to_api_json(&object, version.as_deref());
        let (again, found) = object_from_api_json(object.kind(), text.as_bytes()).unwrap();
        prop_assert_eq!(object_to_api_json(&again, found.as_deref()), text.clone());
        prop_assert_eq!(found.as_deref(), version.as_deref());
        prop_assert_eq!(&again, &object);
        // Unknown members, byte for byte, next to each other as they were.
        prop_assert!(text.contains(&inner) && text.contains(&outer), "{}", text);
        // The annotation's text, too, by another reader.
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        if let Object::ConfigMap(object) | Object::Endpoints(object) = &object {
            prop_assert_eq!(value["metadata"]["annotations"][ANNOTATION].as_str(), object.annotation().map(|text| &**text));
        }
    }

    #[test]
    fn no_bytes_panic_as_an_object(json in texts(), at in any::<prop::sample::Index>(), byte in any::<u8>(), rest in prop::collection::vec(any::<u8>(), 0..60)) {
        for kind in KINDS {
            let (before, behind) = around(kind);
            let mut text = format!("{before}{METADATA}{behind}").into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            let (start, end) = text.split_at(at);
            for text in [&text[..], start, &[start, json.as_bytes(), end].concat()] {
                if let Ok((mut object, version)) = object_from_api_json(kind, text) {
                    let written = object_to_api_json(&object, version.as_deref());
                    let again = object_from_api_json(kind, written.as_bytes()).unwrap();
                    prop_assert_eq!(object_to_api_json(&again.0, again.1.as_deref()), written);
                    std::sync::Arc::make_mut(object.metadata_mut()).rest = Some(rest.as_slice().into());
                    let written = object_to_api_json(&object, None);
                    prop_assert!(object_from_api_json(kind, written.as_bytes()).is_ok());
                }
            }
        }
    }
}
