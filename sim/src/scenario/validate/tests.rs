use super::*;

const CASES: &[(&str, &str)] = &[
    (
        r#"{"name": "a\nb"}"#,
        "name is \"a\\nb\": write it without ends of lines and other control characters",
    ),
    (
        r#"{"replicas": [{"identity": "\u001b[2J"}]}"#,
        "replicas[0].identity is \"\\u{1b}[2J\": write it without ends of lines and other control characters",
    ),
    (r#"{"replicas": []}"#, "replicas is empty: list 1 to 10000 replicas"),
    (
        r#"{"work": {"period": "1ns"}}"#,
        "work.period is 1ns: write at most once in 100us, or never with 0s",
    ),
    (r#"{"heal_at": "11m"}"#, "heal_at is 11m: heal at or before the horizon, 10m"),
    (
        r#"{"faults": [{"fault": {"delete": {}}}]}"#,
        "faults[0].at is absent: say when by `at`, or upon what by `on`",
    ),
    (
        r#"{"faults": [{"at": "1s", "for": "1s", "fault": {"delete": {}}}]}"#,
        "faults[0].for is 1s: leave it out: a delete does not last",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"pause": {"target": 3}}}]}"#,
        "faults[0].fault.target is 3: name a replica from 0 to 2",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"partition": {"sites": ["zone:b"]}}}]}"#,
        "faults[0].fault.sites is zone:b: no site is in a zone: give some `zone`",
    ),
    (
        r#"{"faults": [{"at": "1s", "after": "1s", "fault": {"delete": {}}}]}"#,
        "faults[0].after is 1s: leave it out: it goes with `on`; say all of it by `at`",
    ),
    (
        r#"{"unchecked": true, "replicas": [{"retry_period": "0s"}]}"#,
        "replicas[0].retry_period is 0s: give it some time, as \"2s\"",
    ),
    (
        r#"{"replicas": [{"clock_offset": "200000d"}]}"#,
        "replicas[0].clock_offset is 200000d: use at most 50000d",
    ),
    (
        r#"{"horizon": "500d", "replicas": [{"rate_ppb": 200000000000}]}"#,
        "horizon is 500d: let no clock run for longer than 50000d, at its own rate",
    ),
    (
        r#"{"network": {"loss_ppm": 1000001}}"#,
        "network.loss_ppm is 1000001: at most 1000000 of a million can",
    ),
    (
        r#"{"rollouts": [{"at": "1m", "set": {}}]}"#,
        "rollouts[0].set is empty: say what changes, as {\"lock\": \"config-map+lease\"}",
    ),
    (
        r#"{"rollouts": [{"at": "1m", "replicas": [0, 3], "set": {"lock": "lease"}}]}"#,
        "rollouts[0].replicas is 3: name a replica from 0 to 2",
    ),
    (
        r#"{"rollouts": [{"at": "1m", "replicas": [1, 1], "set": {"lock": "lease"}}]}"#,
        "rollouts[0].replicas is 1: name each replica once",
    ),
    (
        r#"{"rollouts": [{"at": "1m", "gap": "30s", "set": {"lock": "config-map+lease"}},
                             {"at": "90s", "set": {"lock": "lease"}}]}"#,
        "rollouts[1].at is 90s: let it begin when the one before has come to its last replica, at \
             2m or later",
    ),
    (
        r#"{"rollouts": [{"at": "9m", "gap": "31s", "set": {"watch": true}}]}"#,
        "rollouts[0].at is 9m: it comes to its last replica at 602s: let that be before the \
             horizon, 10m",
    ),
    (
        r#"{"unchecked": true, "rollouts": [{"at": "1m", "set": {"retry_period": "0s"}}]}"#,
        "rollouts[0].set.retry_period is 0s: give it some time, as \"2s\"",
    ),
    (r#"{"network": {"rewatch": "0s"}}"#, "network.rewatch is 0s: give it some time, as \"5s\""),
    (
        r#"{"faults": [{"at": "1s", "object": "lease", "fault": {"heal": {}}}]}"#,
        "faults[0].object is lease: leave it out: only edit and delete are about an object",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"hand-over": {"target": "leader", "to": 3}}}]}"#,
        "faults[0].fault.to is 3: name a replica from 0 to 2",
    ),
    (
        r#"{"replicas": [{"zone": "east"}, {"zone": "west"}],
            "faults": [{"at": "1s", "fault": {"hold": {"sites": ["zone:eats"]}}}]}"#,
        "faults[0].fault.sites is zone:eats: did you mean zone:east?",
    ),
    (
        r#"{"replicas": [{"zone": "east"}, {"zone": "west"}],
            "faults": [{"at": "1s", "fault": {"reset": {"sites": ["zone:nowhere"]}}}]}"#,
        "faults[0].fault.sites is zone:nowhere: name a zone that some site is in: east, west",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"partition": {"sites": ["api-1"]}}}]}"#,
        "faults[0].fault.sites is api-1: there is only 0",
    ),
    (
        r#"{"network": {"apis": [{}, {}]}, "faults": [{"at": "1s", "fault": {"stale-reads": {"api": 2}}}]}"#,
        "faults[0].fault.api is 2: name an API server from 0 to 1",
    ),
    (
        r#"{"network": {"request": {"uniform": {"min": "5s", "max": "1s"}}}}"#,
        "network.request is {\"uniform\":{\"min\":\"5s\",\"max\":\"1s\"}}: let min be at most max",
    ),
    (r#"{"replicas": [{"count": 4000000000}]}"#, "replicas is too long: list 1 to 10000 replicas"),
    (
        r#"{"replicas": [{"start": "10m"}]}"#,
        "replicas[0].start is 10m: let it start before the run ends, 10m",
    ),
    (
        r#"{"horizon": "10d", "grid": {"faults": 2, "from": "0s", "to": "10d", "step": "1ms", "lasts": ["1s"]}}"#,
        "grid.step is 1ms: there are 16416000000 faults: let there be at most 1000000000",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"partition": {"sites": [0], "from": [1, "leader"]}}}]}"#,
        "faults[0].fault.from is 1, leader: no messages go between these and `sites`: a replica talks to API \
             servers and the resource only: leave `from` out, or name api or resource there",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"bridge": {}}}]}"#,
        "faults[0].fault is bridge: let network.apis have at least 2: there are only 1",
    ),
    (
        r#"{"network": {"apis": [{}, {}]}, "faults": [{"at": "1s", "fault": {"majorities-ring": {}}}]}"#,
        "faults[0].fault is majorities-ring: let network.apis have at least 3: there are only 2",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"smear": {"target": 0, "by": "1s"}}}]}"#,
        "faults[0].for is absent: say over how long the clocks are slewed, as \"1h\"",
    ),
    (
        r#"{"faults": [{"at": "1s", "for": "1s", "fault": {"smear": {"target": 0, "by": "-1s"}}}]}"#,
        "faults[0].fault.by is -1s: let clocks gain or lose at most half of `for`, 1s; `drift` is \
             for more",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"strobe": {"target": 0, "by": "1s", "every": "1us"}}}]}"#,
        "faults[0].fault.every is 1us: let it stay for at least 1ms each time",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"store-errors": {"after_ppm": 9, "code": 429}}}]}"#,
        "faults[0].fault.after_ppm is 9: leave it out: a call that is refused as one too many (429) \
             never took effect; 409, 500 and 504 can come after it did",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"edit": {"garble": {}}}}]}"#,
        "faults[0].fault.edit is garble: a Lease has no text that could be garbled: use \
             `set-holder`, or give the scenario another `lock`, as \"config-map\"",
    ),
    (
        r#"{"faults": [{"at": "1s", "object": "endpoints", "fault": {"delete": {}}}]}"#,
        "faults[0].object is endpoints: no lock is ever carried by one: use lease",
    ),
    (
        r#"{"faults": [{"at": "1s", "fault": {"delete": {}}},
            {"at": "1000ms", "fault": {"edit": {"clear-holder": {}}}}]}"#,
        "faults[1].at is 1s: faults[0] meddles with the lease at that very time: leave one of them \
             out, or let one be a while after the other",
    ),
    (
        r#"{"faults": [{"at": "10m", "fault": {"bridge": {}}}]}"#,
        "faults[0].at is 10m: let faults begin before the run ends, 10m",
    ),
    (
        r#"{"faults": [{"on": {"event": "conflict", "since": "11m"}, "fault": {"bridge": {}}}]}"#,
        "faults[0].on.since is 11m: wait from before the run ends, 10m",
    ),
    (
        r#"{"faults": [{"on": {"event": "conflict"}, "after": "11m", "fault": {"bridge": {}}}]}"#,
        "faults[0].after is 11m: let it begin before the run ends, 10m",
    ),
];

#[test]
fn nonsense_is_refused_by_field_value_and_remedy() {
    for (text, error) in CASES {
        let scenario: Scenario = serde_json::from_str(text).unwrap();
        assert_eq!(scenario.validate().unwrap_err().to_string(), *error);
    }
}
