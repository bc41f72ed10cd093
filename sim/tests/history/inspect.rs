//! `tenure inspect`, as people and scripts meet it.

use serde_json::{Value, json};

use super::cli::answer;

const LEASE: &str = "\
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  creationTimestamp: \"2026-11-22T10:00:00Z\"
  name: controller
  namespace: default
  resourceVersion: \"200\"
spec:
  acquireTime: \"2026-11-22T10:49:12.955960Z\"
  holderIdentity: e2
  leaseDurationSeconds: 15
  leaseTransitions: 2
  renewTime: \"2026-11-22T10:49:36.500000Z\"
";

fn inspect(text: &str) -> String {
    let (status, text) = answer(&["inspect", "-", "--now", "2026-11-22T10:49:40Z"], text);
    assert_eq!(status, 0, "{text}");
    text
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

#[test]
fn a_lease_is_told() {
    let expected = "\
Lease default/controller
  held by        e2
  since          2026-11-22T10:49:12.955Z, 27 s ago
  renewed        2026-11-22T10:49:36.500Z, 3.5 s ago
  lasts          15 s after each renewal
  expires        2026-11-22T10:49:51.500Z, in 11 s
  changed hands  2 times
";
    assert_eq!(inspect(LEASE), expected);
    let json = json!({"kind": "Lease", "apiVersion": "coordination.k8s.io/v1",
        "metadata": {"name": "controller", "namespace": "default"},
        "spec": {"holderIdentity": "e2", "leaseDurationSeconds": 15, "leaseTransitions": 2,
            "acquireTime": "2026-11-22T10:49:12.955960Z", "renewTime": "2026-11-22T10:49:36.500000Z"}});
    assert_eq!(inspect(&json.to_string()), expected);
    let (_, later) = answer(&["inspect", "-", "--now", "2026-11-24T12:49:52Z"], LEASE);
    has(&later, &["expired        2026-11-22T10:49:51.500Z, 2 d 2 h ago"]);
    let (status, _) = answer(&["inspect", "-"], LEASE);
    assert_eq!(status, 0, "by the system's clock");
}

#[test]
fn a_free_lock_and_a_placeholder_are_told() {
    has(
        &inspect(&LEASE.replace("e2", "\"\"")),
        &["held by        nobody: it is free", "written last"],
    );
    has(&inspect(&LEASE.replace("e2", "tenure.dev/unclaimed")), &["nobody yet"]);
}

#[test]
fn coordinated_election_is_told() {
    let lease = LEASE.to_owned() + "  strategy: OldestEmulationVersion\n  preferredHolder: e3\n";
    has(&inspect(&lease), &["strategy       OldestEmulationVersion", "next holder    e3"]);
    let wish =
        LEASE.replace("  name: c", "  annotations: {tenure.dev/preferred-holder: e4}\n  name: c");
    has(&inspect(&wish), &["next holder    e4, by the annotation tenure.dev/preferred-holder"]);
}

#[test]
fn what_is_odd_is_told() {
    assert!(!inspect(LEASE).contains("odd"));
    for (from, to, odd) in [
        ("leaseDurationSeconds: 15", "leaseDurationSeconds: 0", "anybody takes the lock at once"),
        ("leaseDurationSeconds: 15", "leaseDurationSeconds: 7200", "it lasts 2 h"),
        (
            "leaseDurationSeconds: 15",
            "leaseDurationSeconds: 15.0",
            "client-go refuses it: spec.lease",
        ),
        ("leaseDurationSeconds: 15", "leaseDurationSeconds: soon", "it cannot be read"),
        ("  renewTime: \"2026-11-22T10:49:36.500000Z\"", "", "no renewTime"),
        ("10:49:36.500000Z", "10:49:50.000000Z", "10 s in the future"),
        ("10:49:36.500000Z", "10:49:01.000000Z", "acquireTime is 11 s after renewTime"),
        ("T10:00:00Z", "T10:49:30Z", "17 s before it was made"),
        ("leaseTransitions: 2", "leaseTransitions: -2", "it counts from 0"),
        ("spec:", "spec:\n  preferredHolder: e3", "no strategy"),
        ("e2", "\" e2\"", "white space or control characters"),
        ("e2", "leaderelection.k8s.io/unknown", "different holders"),
        (
            "  name: c",
            "  deletionTimestamp: \"2026-11-22T10:49:39Z\"\n  name: c",
            "is being deleted",
        ),
    ] {
        let text = inspect(&LEASE.replace(from, to));
        assert!(text.contains("  odd            ") && text.contains(odd), "{odd:?} in {text}");
    }
}

#[test]
fn lists_and_other_objects_are_told() {
    let record = r#"{"holderIdentity":"a","leaseDurationSeconds":"15","acquireTime":null,"renewTime":"2026-11-22T10:49:36Z","leaderTransitions":1}"#;
    let annotated = |kind: &str| {
        json!({"kind": kind, "apiVersion": "v1", "metadata": {"name": "n", "namespace": "s",
            "annotations": {"control-plane.alpha.kubernetes.io/leader": record}}})
    };
    let none = json!({"kind": "ConfigMap", "metadata": {"name": "other", "namespace": "s"}});
    let mut garbled = annotated("ConfigMap");
    garbled["metadata"]["annotations"]["control-plane.alpha.kubernetes.io/leader"] = "{".into();
    let pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "s"}});
    let items = [annotated("ConfigMap"), annotated("Endpoints"), none, garbled, pod];
    let text = inspect(&json!({"kind": "List", "items": items}).to_string());
    let parts = [
        "ConfigMap s/n\n  held by        a\n",
        "Endpoints s/n\n  held by        a\n",
        "changed hands  once",
        "client-go refuses it: leaseDurationSeconds is \"15\"",
        "nobody: it has no annotation",
        "no elector takes it over",
        "Pod s/p\n  odd            neither a Lease, a ConfigMap nor Endpoints: no lock",
    ];
    has(&text, &parts);
    // As the server sends a list: its items have no kind.
    let leases = json!({"kind": "LeaseList", "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]});
    has(&inspect(&leases.to_string()), &["Lease /a\n", "Lease /b\n"]);
    has(&inspect(&format!("{LEASE}---\n{LEASE}")), &["\n\nLease default/controller"]);
}

#[test]
fn a_member_of_a_group_is_told() {
    let lease = LEASE.replace("name: controller", "name: shards-a").replace("e2", "a_6ba7b810.2").replace(
        "metadata:",
        "metadata:\n  labels: {tenure.dev/group: shards}\n  annotations:\n    tenure.dev/state: Draining\n    \
         tenure.dev/incarnation: \"6ba7b810.2\"\n    tenure.dev/acted-on: \"4711\"\n    tenure.dev/weight: \"3\"\n    \
         tenure.dev/zone: b\n    tenure.dev/configuration: 1-000000000000001a",
    );
    let parts = [
        "group          shards",
        "member         a\n",
        "state          Draining",
        "incarnation    6ba7b810.2",
        "acted on       version 4711 of the group",
        "weight         3",
        "zone           b",
        "expires        2026-11-22T10:49:51.500Z, in 11 s",
    ];
    has(&inspect(&lease), &parts);
    let unreadable = lease.replace("Draining", "Asleep");
    has(
        &inspect(&unreadable),
        &["odd            its record cannot be read, and the group counts it as there"],
    );
}

#[test]
fn json_holds_the_same() {
    let (status, text) =
        answer(&["inspect", "--json", "-", "--now", "2026-11-22T10:49:40Z"], LEASE);
    assert_eq!((status, text.lines().count()), (0, 1));
    let json: Value = serde_json::from_str(&text).unwrap();
    let expected = json!({"now": "2026-11-22T10:49:40.000Z", "objects": [{
        "kind": "Lease", "namespace": "default", "name": "controller", "odd": [], "member": null,
        "expires": "2026-11-22T10:49:51.500000Z",
        "record": {"holder": "e2", "lease_duration_seconds": 15, "transitions": 2, "strategy": null,
            "preferred_holder": "", "acquire_time": "2026-11-22T10:49:12.955960Z",
            "renew_time": "2026-11-22T10:49:36.500000Z"},
    }]});
    assert_eq!(json, expected);
}

#[test]
fn what_holds_no_object_is_refused_in_one_line() {
    for (arguments, input, parts) in [
        (&["inspect", "no-such-file"][..], "", &["no-such-file: cannot be read"][..]),
        (&["inspect", "-"], "", &["-: no object is in it"]),
        (&["inspect", "-"], "{\"a\":", &["-: no JSON"]),
        (&["inspect", "-"], "a: [b", &["-: neither JSON nor YAML (line 1 column "]),
        (&["inspect", "-"], "hello", &["\"hello\" is no object"]),
        (&["inspect", "-"], "5", &["5 is no object"]),
        (&["inspect", "-", "--now", "noon"], LEASE, &["--now", "2026-01-31T12:00:00Z"]),
    ] {
        let (status, text) = answer(arguments, input);
        assert_eq!(status, 2, "{arguments:?}: {text}");
        has(&text, parts);
    }
}

#[test]
fn hostile_texts_are_told_or_refused() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n";
    let deep = "[".repeat(100_000);
    let yaml = "a: ".to_owned() + &"[".repeat(100_000);
    for text in [bomb, &deep, &yaml, "? ? ? ?", "!!binary x", "- - - -\n&a *a"] {
        let (status, text) = answer(&["inspect", "-"], text);
        assert!(status == 0 || status == 2, "{text}");
        assert!(text.len() < 1000, "{text}");
    }
    let huge = LEASE.replace("Transitions: 2", &format!("Transitions: {}", "9".repeat(30)));
    has(&inspect(&huge), &["it cannot be read"]);
    let control = LEASE.replace("e2", "\"e2\\e[2J\"");
    assert!(!inspect(&control).contains('\u{1b}'));
}

/// Clusters have as many Leases as nodes, and more; `kubectl` prints them as one list.
#[test]
fn thousands_of_leases_are_told() {
    let item = "- kind: Lease\n  metadata: {name: lock, namespace: d, uid: u, labels: {a: b, c: d}}\n  \
                spec: {holderIdentity: x, leaseDurationSeconds: 40, leaseTransitions: 1}\n";
    let list = ["kind: List\nitems:\n", &item.repeat(12_000)].concat();
    assert_eq!(inspect(&list).matches("held by").count(), 12_000);
    let stream = ["---\n", LEASE].concat().repeat(1_500);
    assert_eq!(inspect(&stream).matches("held by").count(), 1_500);
    // Aliases that make billions of values of a few lines are told from them.
    let lines = ('b'..='j').zip('a'..).map(|(it, before)| {
        format!("{it}: &{it} [{}]\n", vec![format!("*{before}"); 9].join(", "))
    });
    let laughs = ["a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned()].into_iter().chain(lines);
    let laughs: String = laughs.collect();
    let (status, told) = answer(&["inspect", "-"], &laughs);
    assert!(status == 2 && told.contains("mend it, or give fewer objects"), "{told}");
}
