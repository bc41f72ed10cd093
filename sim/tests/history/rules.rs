//! Each rule is found where it is broken, and nowhere else.

use serde_json::{Value, json};
use tenure_sim::history::{Format, Moment};

use super::stories::{
    anew, audit, deleted, found_in, judged, lease, lines, only, read, time, written,
};

const NOTHING: [&str; 0] = [];

#[test]
fn a_takeover_waits_for_the_recorded_duration() {
    let story = |at| audit(&[(0.0, "x", "x", 0), (5.0, "x", "x", 0), (at, "y", "y", 1)]);
    assert_eq!(judged(&story(20.0)), NOTHING);
    // Received 0.001 s before it was answered: it can have waited so much longer, and 10 ms are let pass.
    assert_eq!(judged(&story(19.99)), NOTHING);
    assert_eq!(judged(&story(19.98)), ["3: early-takeover"]);
}

#[test]
fn a_lock_that_was_released_is_free() {
    let story = [(0.0, "x", "x", 0), (1.0, "x", "", 0), (1.1, "y", "y", 1)];
    assert_eq!(judged(&audit(&story)), NOTHING);
}

/// The fault of client-go 1.34 and later: a release that reads the new holder's record clears that.
#[test]
fn nobody_releases_the_lock_of_another() {
    let story = |at| [(0.0, "x", "x", 0), (20.0, "y", "y", 1), (at, "x", "", 1)];
    assert_eq!(judged(&audit(&story(21.0))), ["3: released-by-another"]);
    assert_eq!(judged(&audit(&story(36.0))), ["3: cleared-by-another"]);
    let own = [(0.0, "x", "x", 0), (20.0, "y", "y", 1), (21.0, "y", "", 1), (22.0, "x", "x", 2)];
    assert_eq!(judged(&audit(&own)), NOTHING);
}

#[test]
fn transitions_rise_by_one_with_each_change_of_hands() {
    let taken = |transitions| audit(&[(0.0, "x", "x", 4), (20.0, "y", "y", transitions)]);
    assert_eq!(judged(&taken(5)), NOTHING);
    assert_eq!(judged(&taken(4)), ["2: transitions-kept"]);
    assert_eq!(judged(&taken(3)), ["2: transitions-fell"]);
    assert_eq!(judged(&taken(6)), ["2: transitions-jumped"]);
    let renewed = |transitions| audit(&[(0.0, "x", "x", 4), (2.0, "x", "x", transitions)]);
    assert_eq!(judged(&renewed(4)), NOTHING);
    assert_eq!(judged(&renewed(5)), ["2: transitions-jumped"]);
    assert_eq!(judged(&renewed(0)), ["2: transitions-fell"]);
    let from_free = |transitions| audit(&[(0.0, "x", "", 4), (2.0, "x", "x", transitions)]);
    assert_eq!(judged(&from_free(5)), NOTHING);
    assert_eq!(judged(&from_free(4)), ["2: transitions-kept"]);
}

/// Kubernetes' coordinator does not count (KEP-4355).
#[test]
fn nobody_counts_where_election_is_coordinated() {
    let mut story = audit(&[(0.0, "x", "x", 0), (20.0, "y", "y", 0)]);
    for event in &mut story {
        event["responseObject"]["spec"]["strategy"] = "OldestEmulationVersion".into();
    }
    assert_eq!(judged(&story), NOTHING);
    story[1]["responseObject"]["spec"]["leaseTransitions"] = (-1).into();
    assert_eq!(judged(&story), ["2: transitions-fell"]);
}

#[test]
fn a_deletion_does_not_free_the_lock() {
    let story = |at, holder| {
        let mut story = audit(&[(0.0, "x", "x", 3)]);
        story.push(deleted(5.0, "admin"));
        story.push(written(at, holder, "create", None, &anew(lease(9, holder, at, 0))));
        story
    };
    assert_eq!(judged(&story(6.0, "y")), ["2: deleted", "3: taken-after-deletion"]);
    assert_eq!(judged(&story(6.0, "x")), ["2: deleted"]);
    assert_eq!(judged(&story(16.0, "y")), ["2: deleted"]);
    assert_eq!(judged(&story(6.0, "tenure.dev/unclaimed")), ["2: deleted"]);
}

/// Nor does it if it is made anew in nobody's name before it is taken.
#[test]
fn a_record_of_nobody_frees_no_lock_that_was_deleted() {
    let story = |nobody: &str, at, holder| {
        let mut story = audit(&[(0.0, "x", "x", 3)]);
        story.push(deleted(5.0, "admin"));
        story.push(written(5.5, "admin", "create", None, &anew(lease(9, nobody, 5.5, 0))));
        story[2]["responseObject"]["spec"]["leaseDurationSeconds"] = 1.into();
        let taken = anew(lease(10, holder, at, 1));
        story.push(written(at, holder, "update", Some(9), &taken));
        story
    };
    for nobody in ["", "tenure.dev/unclaimed"] {
        let found = judged(&story(nobody, 7.0, "y"));
        assert_eq!(found, ["2: deleted", "4: taken-after-deletion"], "{nobody}");
        assert_eq!(judged(&story(nobody, 16.0, "y")), ["2: deleted"]);
        assert_eq!(judged(&story(nobody, 7.0, "x")), ["2: deleted"]);
    }
    let mut twice = story("", 7.0, "y");
    twice.pop();
    twice.push(deleted(6.0, "admin"));
    let again = anew(lease(11, "y", 7.0, 0));
    twice.push(written(7.0, "y", "create", None, &again));
    assert_eq!(judged(&twice), ["2: deleted", "4: deleted", "5: taken-after-deletion"]);
}

#[test]
fn another_object_of_the_name_was_deleted_unseen() {
    let mut story = audit(&[(0.0, "x", "x", 3)]);
    story.push(written(6.0, "y", "create", None, &anew(lease(9, "y", 6.0, 0))));
    // What else the log does not show nobody knows: not judged.
    assert_eq!(judged(&story), ["2: deleted"]);
    let watch = [lease(1, "x", 0.0, 3), anew(lease(9, "y", 6.0, 0))];
    let received = |(value, at): (&Value, f64)| json!({"type": "MODIFIED", "received": time(at), "object": value});
    let watch: Vec<_> = watch.iter().zip([0.0, 6.0]).map(received).collect();
    assert_eq!(judged(&watch), ["2: deleted", "2: taken-after-deletion"]);
}

#[test]
fn clocks_of_holders_that_jump_are_told() {
    let story = |renewed| {
        let mut story = audit(&[(10.0, "x", "x", 0), (12.0, "x", "x", 0), (14.0, "x", "x", 0)]);
        story[1]["responseObject"]["spec"]["renewTime"] = time(renewed).into();
        story
    };
    assert_eq!(judged(&story(12.0)), NOTHING);
    assert_eq!(judged(&story(12.9)), NOTHING);
    assert_eq!(judged(&story(9.5)), ["2: clock-jump", "3: clock-jump"]);
    assert_eq!(judged(&story(60.0)), ["2: clock-jump", "3: clock-jump"]);
    // Without a clock of the recording's own: backwards.
    let watch = [lease(1, "x", 10.0, 0), lease(2, "x", 60.0, 0), lease(3, "x", 14.0, 0)];
    assert_eq!(judged(&watch), ["3: clock-jump"]);
}

#[test]
fn who_renews_late_is_told() {
    assert_eq!(judged(&audit(&[(0.0, "x", "x", 0), (15.0, "x", "x", 0)])), NOTHING);
    let late = audit(&[(0.0, "x", "x", 0), (15.1, "x", "x", 0)]);
    assert_eq!(judged(&late), ["2: late-renewal"]);
}

#[test]
fn two_programs_with_one_name_are_told() {
    let story = audit(&[(0.0, "x", "x", 0), (2.0, "x on another host", "x", 0)]);
    assert_eq!(judged(&story), ["2: another-writer"]);
}

#[test]
fn without_a_clock_a_takeover_is_told_and_no_violation() {
    let story = |at| [lease(1, "x", 0.0, 0), lease(2, "y", at, 1)];
    assert_eq!(judged(&story(14.9)), ["2: early-by-records"]);
    assert_eq!(judged(&story(15.0)), NOTHING);
    let (histories, _) = read(lines(&story(15.0)).as_bytes());
    assert_eq!(only(&histories, Format::Watch).counts.untimed, 1);
}

#[test]
fn a_step_over_a_hole_is_not_judged() {
    let mut story = audit(&[(0.0, "x", "x", 0), (1.0, "x", "", 0), (1.1, "y", "y", 1)]);
    story.remove(1);
    assert_eq!(judged(&story), ["2: missing"]);
    // A watch that begins anew shows how things stand.
    let shown =
        |event, at, value: Value| json!({"type": event, "received": time(at), "object": value});
    let watch = |event| {
        [shown("ADDED", 0.0, lease(1, "x", 0.0, 0)), shown(event, 5.0, lease(7, "y", 5.0, 1))]
    };
    assert_eq!(judged(&watch("ADDED")), ["2: missing"]);
    assert_eq!(judged(&watch("MODIFIED")), ["2: early-takeover"]);
    // So does a write without its body.
    let mut story = audit(&[(0.0, "x", "x", 0), (1.0, "x", "", 0), (1.1, "y", "y", 1)]);
    story[1].as_object_mut().unwrap().remove("responseObject");
    story[2]["objectRef"].as_object_mut().unwrap().remove("resourceVersion");
    assert_eq!(judged(&story), NOTHING);
}

#[test]
fn versions_that_come_again_or_late_change_nothing() {
    let story = audit(&[(0.0, "x", "x", 0), (2.0, "x", "x", 0), (4.0, "x", "x", 0)]);
    let [first, second, third] = [&story[0], &story[1], &story[2]].map(Clone::clone);
    let again = [first.clone(), second.clone(), second.clone(), third.clone()];
    let (histories, _) = read(lines(&again).as_bytes());
    let counts = only(&histories, Format::Audit).counts;
    assert_eq!((counts.versions, counts.renewals, counts.repeated), (3, 2, 1));
    assert_eq!(judged(&[first, third, second]), ["2: missing", "3: out-of-order"]);
}

#[test]
fn an_annotation_that_is_no_record_is_told() {
    let config_map = |version: u64, text: &str| {
        json!({"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b", "resourceVersion": version.to_string(),
            "annotations": {"control-plane.alpha.kubernetes.io/leader": text}}})
    };
    let record = |holder, transitions| {
        json!({"holderIdentity": holder, "leaseDurationSeconds": 15, "leaderTransitions": transitions}).to_string()
    };
    let story =
        [config_map(1, &record("x", 0)), config_map(2, "{"), config_map(3, &record("x", 0))];
    assert_eq!(judged(&story), ["2: unreadable"]);
    let kept = [config_map(1, &record("x", 0)), config_map(2, &record("y", 0))];
    assert_eq!(judged(&kept), ["2: transitions-kept"]);
    // Without the annotation it is no lock.
    let other = json!({"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "b"}});
    assert_eq!(read(lines(&[other]).as_bytes()).0.locks().count(), 0);
}

#[test]
fn a_lock_in_a_config_map_is_judged_in_an_audit_log() {
    let mut story = audit(&[(0.0, "x", "x", 0), (5.0, "y", "y", 1)]);
    for event in &mut story {
        let spec = event["responseObject"]["spec"].take();
        let record = json!({"holderIdentity": spec["holderIdentity"], "leaseDurationSeconds": 15,
            "leaderTransitions": spec["leaseTransitions"]});
        event["objectRef"]["resource"] = "configmaps".into();
        event["objectRef"]["apiGroup"] = "".into();
        event["responseObject"]["kind"] = "ConfigMap".into();
        event["responseObject"]["metadata"]["annotations"] =
            json!({"control-plane.alpha.kubernetes.io/leader": record.to_string()});
    }
    let mut deletion = deleted(6.0, "admin");
    deletion["objectRef"] = story[0]["objectRef"].clone();
    story.push(deletion.clone());
    assert_eq!(judged(&story), ["2: early-takeover", "3: deleted"]);
    assert_eq!(read(lines(&[deletion]).as_bytes()).0.locks().count(), 0, "perhaps no lock");
}

#[test]
fn reads_refusals_and_other_stages_are_no_versions() {
    let mut story = audit(&[(0.0, "x", "x", 0), (2.0, "x", "x", 0)]);
    let with = |field: &str, value: Value, base: &Value| {
        let mut event = base.clone();
        event[field] = value;
        event
    };
    let conflict = json!({"code": 409});
    let write = story[1].clone();
    story.push(with("responseStatus", conflict, &write));
    story.push(with("responseStatus", json!({"code": 500}), &write));
    story.push(with("stage", "RequestReceived".into(), &write));
    story.push(with("stage", "Panic".into(), &write));
    story.push(with("verb", "get".into(), &write));
    let (histories, _) = read(lines(&story).as_bytes());
    let counts = only(&histories, Format::Audit).counts;
    let counts = (counts.versions, counts.conflicts, counts.failures, counts.repeated);
    assert_eq!(counts, (2, 1, 1, 0));
}

/// At the level Request the request says what was stored, but for its version.
#[test]
fn requests_are_taken_where_there_are_no_responses() {
    let mut story = audit(&[(0.0, "x", "x", 0), (5.0, "y", "y", 1)]);
    for event in &mut story {
        event["requestObject"] = event["responseObject"].take();
        event.as_object_mut().unwrap().remove("responseObject");
        event["level"] = "Request".into();
    }
    assert_eq!(judged(&story), ["2: early-takeover"]);
    // A patch is not what was stored.
    story[1]["verb"] = "patch".into();
    let (histories, _) = read(lines(&story).as_bytes());
    let counts = only(&histories, Format::Audit).counts;
    assert_eq!((counts.versions, counts.untold), (1, 1));
}

#[test]
fn members_of_events_come_in_any_order_and_in_lists() {
    let story = audit(&[(0.0, "x", "x", 0), (5.0, "y", "y", 1)]);
    // A body with a verb of its own before that of the request.
    let disguised = |event: &Value| {
        format!("{{\"annotations\":{{\"verb\":\"get\"}},{}\n", &event.to_string()[1..])
    };
    let text = [disguised(&story[0]), disguised(&story[1])].concat();
    assert_eq!(found_in(&text), ["2: early-takeover"]);
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": story});
    assert_eq!(judged(&[list]), ["1: early-takeover"]);
}

/// What `kubectl` prints, in both of its ways, and several values in a line.
#[test]
fn pretty_printed_objects_and_events_are_read() {
    let objects = [lease(1, "x", 0.0, 0), lease(2, "x", 2.0, 0), lease(3, "y", 3.0, 1)];
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap() + "\n";
    let text: String = objects.iter().map(pretty).collect();
    let third = 1 + 2 * pretty(&objects[0]).lines().count();
    assert_eq!(found_in(&text), [format!("{third}: early-by-records")]);
    let events = objects.iter().map(|object| json!({"type": "MODIFIED", "object": object}));
    let text: String = events.map(|event| pretty(&event)).collect();
    assert_eq!(found_in(&text).len(), 1);
    let text: String = objects.iter().map(Value::to_string).collect();
    assert_eq!(found_in(&text), ["1: early-by-records"]);
    let list = json!({"kind": "List", "apiVersion": "v1", "items": objects});
    assert_eq!(judged(&[list]), ["1: missing", "1: missing"]);
}

#[test]
fn who_held_the_lock_when() {
    let mut story = audit(&[
        (0.0, "x", "x", 0),
        (2.0, "x", "x", 0),
        (20.0, "y", "y", 1),
        (23.0, "y", "y", 1),
        (24.0, "y", "", 1),
        (25.0, "x", "x", 2),
    ]);
    story.push(deleted(26.0, "admin"));
    let (histories, _) = read(lines(&story).as_bytes());
    let terms = &only(&histories, Format::Audit).terms;
    let told: Vec<_> = terms
        .kept()
        .map(|term| {
            let (until, end) = term.end.unwrap();
            let second = |moment: Option<Moment>| moment.unwrap().to_string()[17..19].to_owned();
            format!("{} {} to {} {}", term.holder, second(term.from), second(until), end.as_str())
        })
        .collect();
    let expected = ["x 00 to 20 taken over", "y 20 to 24 released", "x 25 to 26 deleted"];
    assert_eq!(told, expected);
    let (gap, vacancy) = (terms.longest_gap.clone(), terms.longest_vacancy.clone());
    let (gap, vacancy) = (gap.unwrap(), vacancy.unwrap());
    assert_eq!((gap.length, gap.holder.as_str()), (3_000_000_000, "y"));
    assert_eq!((vacancy.length, vacancy.holder.as_str()), (3_000_000_000, "x"));
}
