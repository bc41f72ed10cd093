//! The fields of the Go types, each with the kind of value that it takes. A field of a wrong type is
//! refused, though it is not kept.

use tenure::lock::Kind;
use tenure::lock::wire::{
    lease_from_api_json, lease_from_json, object_from_api_json, record_from_json,
};

/// `resourcelock.LeaderElectionRecord`
const RECORD: &str = "holderIdentity string, leaseDurationSeconds int64, acquireTime time, \
    renewTime time, leaderTransitions int64, strategy string, preferredHolder string, \
    leaseTransitions any";

/// `metav1.TypeMeta`
const TYPE_META: &str = "kind string, apiVersion string";

/// `coordination/v1.Lease` and what is in it; the fields stand in the place of `@`.
const LEASE: [(&str, &str); 5] = [
    ("{@}", "metadata struct, spec struct, status any"),
    (
        r#"{"spec":{@}}"#,
        "holderIdentity string, leaseDurationSeconds int32, acquireTime micros, renewTime micros, \
         leaseTransitions int32, strategy string, preferredHolder string, leaderTransitions any",
    ),
    (
        r#"{"metadata":{@}}"#,
        "name string, generateName string, namespace string, selfLink string, uid string, \
         resourceVersion string, generation int64, creationTimestamp time, deletionTimestamp time, \
         deletionGracePeriodSeconds int64, labels map, annotations map, ownerReferences structs, \
         finalizers strings, managedFields structs, clusterName any",
    ),
    (
        r#"{"metadata":{"ownerReferences":[{},{@}]}}"#,
        "apiVersion string, kind string, name string, uid string, controller bool, \
         blockOwnerDeletion bool, namespace any",
    ),
    (
        r#"{"metadata":{"managedFields":[{@}]}}"#,
        "manager string, operation string, apiVersion string, time time, fieldsType string, \
         fieldsV1 any, subresource string, name any",
    ),
];

/// `core/v1.ConfigMap`, `core/v1.Endpoints` and what is in them.
const ANNOTATED: [(Kind, &str, &str); 6] = [
    (
        Kind::ConfigMap,
        "{@}",
        "metadata struct, immutable bool, data map, binaryData bytesmap, spec any, subsets any",
    ),
    (Kind::Endpoints, "{@}", "metadata struct, subsets structs, data any"),
    (
        Kind::Endpoints,
        r#"{"subsets":[{@}]}"#,
        "addresses structs, notReadyAddresses structs, ports structs, x any",
    ),
    (
        Kind::Endpoints,
        r#"{"subsets":[{"notReadyAddresses":[{@}]}]}"#,
        "ip string, hostname string, nodeName string, targetRef struct, port any",
    ),
    (
        Kind::Endpoints,
        r#"{"subsets":[{"addresses":[{"targetRef":{@}}]}]}"#,
        "kind string, namespace string, name string, uid string, apiVersion string, \
         resourceVersion string, fieldPath string, Kind any",
    ),
    (
        Kind::Endpoints,
        r#"{"subsets":[null,{"ports":[{@}]}]}"#,
        "name string, port int32, protocol string, appProtocol string",
    ),
];

/// Values, and the types besides `any` that take them.
const VALUES: [(&str, &str); 19] = [
    (r#""a""#, "string"),
    (r#""2024-01-01T00:00:00Z""#, "string time"),
    (r#""2024-01-01T00:00:00.000000Z""#, "string time micros"),
    ("-2147483648", "int32 int64"),
    ("2147483648", "int64"),
    ("9223372036854775808", ""),
    ("1.0", ""),
    ("true", "bool"),
    (r#"["a",null]"#, "strings"),
    (r#"[{"x":1},null]"#, "structs"),
    (r#"{"x":"a","y":null}"#, "struct map"),
    (r#"{"x":1}"#, "struct"),
    ("{}", "struct map bytesmap"),
    (r#"{"x":"","y":null}"#, "struct map bytesmap"),
    (r#"{"x":"aGk=","y":"/+8=","z":"a\nA=\r="}"#, "struct map bytesmap"),
    (r#"{"x":"aGk"}"#, "struct map"),
    (r#"{"x":"a=Gk"}"#, "struct map"),
    (r#"{"x":"a==="}"#, "struct map"),
    (r#"{"x":[0,255,null]}"#, "struct bytesmap"),
];

/// Reads a text with each of `fields` holding each of the values, and null, which all types take.
fn takes_its_type(fields: &str, around: &str, read: impl Fn(&str) -> bool) {
    for (name, kind) in fields.split(", ").filter_map(|field| field.split_once(' ')) {
        let text = |value: &str| around.replace('@', &format!("\"{name}\":{value}"));
        assert!(read(&text("null")), "{name}");
        for (value, kinds) in VALUES {
            let expected = kind == "any" || kinds.split(' ').any(|other| other == kind);
            assert_eq!(read(&text(value)), expected, "{}: {kind}", text(value));
        }
    }
}

#[test]
fn each_field_of_a_record_takes_its_own_type_only() {
    takes_its_type(RECORD, "{@}", |text| record_from_json(text.as_bytes()).is_ok());
}

#[test]
fn each_field_of_a_lease_takes_its_own_type_only() {
    let std = |text: &str| lease_from_json(text.as_bytes()).is_ok();
    let api = |text: &str| {
        let about = r#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","#;
        lease_from_api_json(text.replacen('{', about, 1).as_bytes()).is_ok()
    };
    takes_its_type(TYPE_META, "{@}", std);
    for (around, fields) in LEASE {
        takes_its_type(fields, around, std);
        takes_its_type(fields, around, api);
    }
}

#[test]
fn each_field_of_other_objects_takes_its_own_type_only() {
    for (kind, around, fields) in ANNOTATED {
        takes_its_type(fields, around, |text| {
            let about = format!(r#"{{"kind":"{kind}","apiVersion":"v1","#);
            object_from_api_json(kind, text.replacen('{', &about, 1).as_bytes()).is_ok()
        });
    }
    for bad in ["[256]", "[-1]", "[1.0]", r#"["a"]"#, "7", "true", r#""-_==""#] {
        let text =
            format!(r#"{{"kind":"ConfigMap","apiVersion":"v1","binaryData":{{"a":{bad}}}}}"#);
        let error = object_from_api_json(Kind::ConfigMap, text.as_bytes()).unwrap_err();
        let expected = r#"binaryData["a"] is @: it should be base64 with its padding, or null"#;
        assert_eq!(error.to_string(), expected.replace('@', bad));
    }
}
