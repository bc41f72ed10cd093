//! Recordings that end, or in which a process dies, at any time: calls then have no end.

use serde_json::{Value, json};

/// The recording as it would be had it stopped at `end_ns`, at which no event starts or ends. If
/// `crashing`, one elector dies at that very time.
pub(crate) fn cut(trace: &mut Value, end_ns: i64, crashing: Option<usize>) {
    trace["duration_ns"] = json!(end_ns);
    let victim = crashing.and_then(|index| {
        let elector = &mut trace["electors"][index];
        let stops = elector["stops"].as_array_mut().unwrap();
        stops.push(json!({"at_ns": end_ns, "kind": "crash"}));
        elector["id"].as_str().map(str::to_owned)
    });
    let events = trace["events"].as_array_mut().unwrap();
    events.retain(|event| event["t_ns"].as_i64() < Some(end_ns));
    for event in events.iter_mut() {
        let dies = event["elector"].as_str() == victim.as_deref();
        cut_call(event, end_ns, if dies { "crashed" } else { "unfinished" });
    }
    let known = events.len() as u64;
    if let Some(life) = victim.as_deref().and_then(|victim| running(events, victim)) {
        let (seq, elector) = (events.len(), victim.as_deref());
        events.push(json!({"seq": seq, "t_ns": end_ns, "elector": elector,
            "incarnation": life, "kind": "crash"}));
    }
    let attempts = trace["attempts"].as_array_mut().unwrap();
    attempts.retain(|attempt| attempt["t_ns"].as_i64() < Some(end_ns));
    for attempt in attempts {
        attempt["calls"].as_array_mut().unwrap().retain(|call| call.as_u64() < Some(known));
        if attempt["end_ns"].as_i64() > Some(end_ns) {
            attempt["end_ns"] = Value::Null;
            attempt["returned"] = json!(false);
            attempt["state_after"] = Value::Null;
            attempt["complete"] = json!(false);
        }
    }
    trace["final_object"] = stored(trace);
}

/// The incarnation that runs at the end.
fn running(events: &[Value], elector: &str) -> Option<u64> {
    let last = events.iter().rfind(|event| {
        let own = event["elector"].as_str() == Some(elector);
        let bounds = ["start", "run_returned", "crash"];
        own && bounds.iter().any(|bound| event["kind"] == *bound)
    })?;
    (last["kind"] == "start").then(|| last["incarnation"].as_u64()).flatten()
}

fn cut_call(event: &mut Value, end_ns: i64, result: &str) {
    let event = event.as_object_mut().unwrap();
    let after = |value: Option<&Value>| value.and_then(Value::as_i64) > Some(end_ns);
    if after(event.get("applied_ns")) {
        for key in ["applied_ns", "server_seq", "server_result"] {
            event.remove(key);
        }
    }
    if after(event.get("end_ns")) {
        for key in ["end_ns", "response", "error"] {
            event.remove(key);
        }
        event.insert("result".to_owned(), json!(result));
    }
}

/// What the store holds after all that it executed.
fn stored(trace: &Value) -> Value {
    let mut object = trace["initial_object"].clone();
    if object.is_object() {
        object["rv"] = json!("1");
        object["uid"] = json!("uid-1");
        object["name"] = json!("lock");
    }
    let (mut version, mut uids) = if object.is_object() { (1, 1) } else { (0, 0) };
    let mut executed: Vec<&Value> = trace["events"].as_array().unwrap().iter().collect();
    executed.retain(|event| event["server_seq"].is_u64());
    executed.sort_by_key(|event| event["server_seq"].as_u64());
    for event in executed {
        match event["kind"].as_str().unwrap() {
            "admin_delete" => object = Value::Null,
            "create" | "update" if event["server_result"] == "ok" => {
                version += 1;
                uids += u64::from(event["kind"] == "create");
                let uid = format!("uid-{uids}");
                object = event["request"].clone();
                object["rv"] = json!(version.to_string());
                object["uid"] = json!(uid);
                for time in ["acquire_time_ns", "renew_time_ns"] {
                    let nanos = object[time].as_i64();
                    object[time] = json!(nanos.map(|nanos| nanos - nanos.rem_euclid(1000)));
                }
            }
            "create" | "update" | "get" => {}
            _ => {
                object = event["response"].clone();
                version = object["rv"].as_str().unwrap().parse().unwrap();
            }
        }
    }
    object
}
