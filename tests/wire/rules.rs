//! Go's rules, one by one, each with the function it comes from.

use tenure::lock::Record;
use tenure::lock::lease::{Lease, LeaseSpec};
use tenure::lock::wire::{
    WireError, lease_from_api_json, lease_from_json, lease_to_json, record_from_json,
    record_to_json,
};
use tenure::time::Timestamp;

fn holder(text: &str) -> Result<String, WireError> {
    record_from_json(text.as_bytes()).map(|record| record.holder.as_str().to_owned())
}

/// `encoding/json`: `foldName`, exact names first.
#[test]
fn keys_fold_as_in_go() {
    let sign = r#"{"holderIdentity":"a","leaseDurationſeconds":5}"#;
    assert_eq!(record_from_json(sign.as_bytes()).unwrap().lease_duration_seconds, 5);
    assert_eq!(holder(r#"{"holderidentity":"a","HOLDERIDENTITY":null}"#), Ok("a".into()));
    assert_eq!(holder(r#"{"\u0068older\u0049dentity":"a"}"#), Ok("a".into()));
    for other in [
        "holder_identity",
        "holder-identity",
        "holderİdentity",
        "holderıdentity",
        " holderIdentity",
    ] {
        assert_eq!(holder(&format!(r#"{{"{other}":"a"}}"#)), Ok(String::new()), "{other}");
    }
    // The Kelvin sign, in a field of the Lease; the API's codec folds for kind and version only.
    let lease = "{\"\u{212a}ind\":\"Lease\",\"APIVERSION\":\"coordination.k8s.io/v1\",\"SPEC\":{\"strategy\":\"a\"}}";
    assert_eq!(lease_from_json(lease.as_bytes()).unwrap().0.spec.strategy.as_deref(), Some("a"));
    assert_eq!(lease_from_api_json(lease.as_bytes()), Ok((Lease::default(), None)));
}

/// `jsonwire.AppendUnquote`
#[test]
fn strings_are_read_as_in_go() {
    let cases: [(&[u8], &str); 9] = [
        (br"\ud83d\ude00", "\u{1f600}"),
        (br"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
        (br"\ude00\ud83d", "\u{fffd}\u{fffd}"),
        (br"\uD83D\n", "\u{fffd}\n"),
        (br#"\u0000\b\f\r\t\"\\"#, "\0\u{8}\u{c}\r\t\"\\"),
        (b"\xf0\x9f\x98", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"\xc0\xaf\xed\xa0\x80\xff", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        (b"\xe2\\u0041", "\u{fffd}A"),
        (b"\x7f\xe2\x80\xa8", "\u{7f}\u{2028}"),
    ];
    for (input, expected) in cases {
        let json = [br#"{"holderIdentity":""#, input, br#""}"#].concat();
        assert_eq!(record_from_json(&json).unwrap().holder.as_str(), expected);
    }
}

#[test]
fn grammar_is_that_of_go() {
    let good = [
        "null",
        " \r\n\t{} \n",
        r#"{"":[[],{},[{}]]}"#,
        r#"{"a":-0.0e-0,"b":1E+999,"c":0e0}"#,
        r#"{"a":"\u0000","a":["\ud800"]}"#,
        r#"{"leaseDurationSeconds":-0}"#,
        r#"{"strategy":null}"#,
    ];
    for text in good {
        assert_eq!(record_from_json(text.as_bytes()).map(|_| ()), Ok(()), "{text}");
    }
    for space in [' ', '\t', '\r', '\n'] {
        let text = r#"@{@"x"@:@null@,@"leaseDurationSeconds"@:@15@,@"y"@:@[@1@,@{@}@]@}@"#;
        let read = record_from_json(text.replace('@', &space.to_string()).as_bytes());
        assert_eq!(read.map(|record| record.lease_duration_seconds), Ok(15), "{space:?}");
    }
    let bad = [
        "",
        " ",
        "nul",
        "nullx",
        "null null",
        "{}{}",
        "{},",
        "[1,]",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a":01}"#,
        r#"{"a":-}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":+1}"#,
        r#"{"a":1e}"#,
        r#"{"a":1e+}"#,
        r#"{"a":"\a"}"#,
        r#"{"a":"\u12g4"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"b}"#,
        r#"{"a":[1}}"#,
        "{\"a\":\"\u{1}\"}",
        "{\"a\":\"\0\"}",
        "\u{feff}{}",
        "{a:1}",
        "\u{c}{}",
        "\u{a0}{}",
        "{} \0",
        "NaN",
        "{\"a\":Infinity}",
        "[",
        "{\"a\":[",
        "{\"a\":tru}",
        "// c\n{}",
        "[1 2]",
        "]",
        "}",
        "{\"a\" 1}",
        "\"\\",
        "\"\\u",
        "{\"a\":\"\x7f\\x\"}",
        "-",
        "1e5",
    ];
    for text in bad {
        assert!(record_from_json(text.as_bytes()).is_err(), "{text:?}");
    }
}

/// `jsonwire.ConsumeString`: no control character stands in a string as it is, DEL does.
#[test]
fn strings_hold_no_control_characters() {
    for byte in (0..=0x7f_u8).filter(|byte| *byte != b'\\') {
        let json = [br#"{"holderIdentity":"a"#, &[byte][..], br#"b"}"#].concat();
        assert_eq!(record_from_json(&json).is_ok(), byte >= b' ' && byte != b'"', "{byte}");
    }
}

#[test]
fn nesting_ends_at_ten_thousand() {
    let nested = |depth: usize| {
        let inner = depth - 1; // the object around it counts
        format!(r#"{{"a":{}{}}}"#, "[".repeat(inner), "]".repeat(inner))
    };
    assert_eq!(record_from_json(nested(10_000).as_bytes()), Ok(Record::default()));
    assert!(record_from_json(nested(10_001).as_bytes()).is_err());
    for bracket in ["[", "{\"a\":", "]"] {
        let deep = bracket.repeat(200_000);
        assert!(record_from_json(deep.as_bytes()).is_err());
        assert!(lease_from_json(deep.as_bytes()).is_err());
        assert!(lease_from_api_json(deep.as_bytes()).is_err());
    }
}

/// `time.Parse` with `time.RFC3339`.
#[test]
fn times_of_a_record_are_read_as_in_go() {
    let read = |time: &str| {
        let json = format!(r#"{{"renewTime":"{time}"}}"#);
        record_from_json(json.as_bytes()).ok().map(|record| record.renew_time)
    };
    let at = |seconds, nanos| Some(Timestamp::from_unix(seconds, nanos));
    assert_eq!(read("1970-01-01T5:00:00Z"), at(18_000, 0));
    assert_eq!(read("1970-01-01T00:00:00,25Z"), at(0, 250_000_000));
    assert_eq!(read("1970-01-01T00:00:00.0000000019Z"), at(0, 1));
    assert_eq!(read("1970-01-01T00:00:00+24:60"), at(-90_000, 0));
    assert_eq!(read("1970-01-01T00:00:00.5-00:01"), at(60, 500_000_000));
    assert_eq!(read("0000-02-29T00:00:00Z"), at(-62_162_121_600, 0));
    assert_eq!(read("9999-12-31T23:59:59-24:60"), at(253_402_390_799, 0));
    assert_eq!(read("2000-02-29T00:00:00Z"), at(951_782_400, 0));
    assert_eq!(read("0001-01-01T01:00:00+01:00"), Some(None));
    let bad = [
        "1900-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00+25:00",
        "2024-01-01T00:00:00+00:61",
        "2024-01-01T00:00:00+0000",
        "2024-01-01T00:00:00+00",
        "2024-01-01T00:00:00Z ",
        " 2024-01-01T00:00:00Z",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:0:00Z",
        "2024-01-01T00:00:0Z",
        "2024-01-01T:00:00Z",
        "2024-01-01T000:00:00Z",
        "24-01-01T00:00:00Z",
        "+024-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "2024-01-01T00:00:00ZZ",
        "2024-01-01T00:00:00Z+00:00",
        "2024-01-01T00:00:00\u{2212}00:00",
        "2024-01-01T00:00:00+1:00",
        "2024-01-01T00:00:00.-1Z",
        "2024-01-01T00:00:00..5Z",
        "null",
        "2024-01-01",
        "٢٠٢٤-01-01T00:00:00Z",
        "2024-1-01T00:00:00Z",
        "2024-01-1T00:00:00Z",
    ];
    for time in bad {
        assert_eq!(read(time), None, "{time}");
    }
}

/// `time.Parse` with `metav1.RFC3339Micro`.
#[test]
fn times_of_a_lease_are_read_as_in_go() {
    let read = |time: &str| {
        let json = format!(r#"{{"spec":{{"renewTime":"{time}"}}}}"#);
        lease_from_json(json.as_bytes()).ok().map(|(lease, _)| lease.spec.renew_time)
    };
    let at = |seconds, nanos| Some(Timestamp::from_unix(seconds, nanos));
    assert_eq!(read("1970-01-01T0:00:00,000001-00:01"), at(60, 1000));
    assert_eq!(read("0001-01-01T00:00:00.000000Z"), Some(Some(Timestamp::GO_ZERO)));
    // `atoi` takes a sign.
    assert_eq!(read("1970-01-01T00:00:00.+12345Z"), at(0, 12_345_000));
    assert_eq!(read("1970-01-01T00:00:00.-00000Z"), at(0, 0));
    for fraction in [
        ".-00001",
        ".+-1234",
        "",
        ".",
        ".1",
        ".12345",
        ".1234567",
        ".123456789",
        ".12345a",
        " 123456",
    ] {
        assert_eq!(read(&format!("1970-01-01T00:00:00{fraction}Z")), None, "{fraction}");
    }
}

/// apimachinery `SimpleMetaFactory.Interpret`, which reads by `encoding/json`; then the codec.
#[test]
fn the_codec_asks_for_kind_and_version() {
    let read = |members: &str| lease_from_api_json(format!("{{{members}}}").as_bytes()).is_ok();
    let version = r#""apiVersion":"coordination.k8s.io/v1""#;
    assert!(read(&format!(r#"{version},"kind":"Lease","kind":null"#)));
    assert!(read(&format!(r#"{version},"kind":"x","KIND":"Lease""#)));
    assert!(!read(&format!(r#"{version},"KIND":"Lease","kind":"x""#)));
    assert!(!read(&format!(r#"{version},"kind":"Lease","KIND":7"#)));
    assert!(!read(&format!(r#"{version},"kind":"lease""#)));
    assert!(!read(&format!(r#"{version},"kind":"Lease ""#)));
    assert!(!read(version));
    for other in ["", "v1", "coordination.k8s.io/v1 ", "coordination.k8s.io/v1beta1", "a/b/c"] {
        assert!(!read(&format!(r#""kind":"Lease","apiVersion":"{other}""#)), "{other}");
    }
}

/// `metav1.ObjectMeta`: what is kept of it, how maps merge, and what null does.
#[test]
fn metadata_is_read_as_in_go() {
    let all = r#"{"metadata":{"name":"n","generateName":"g","namespace":"ns","selfLink":"","uid":"u",
        "resourceVersion":"9","generation":2,"creationTimestamp":"2024-01-01T00:00:00Z",
        "deletionTimestamp":null,"deletionGracePeriodSeconds":30,"labels":{"a":"b","c":null},
        "annotations":{"d":"e"},"ownerReferences":[null,{"controller":true,"uid":"x"}],"finalizers":["f",null],
        "managedFields":[{"time":"2024-01-01T00:00:00Z","fieldsV1":{"f:a":[1]}}],"unknown":[{}]},
        "spec":{},"status":3}"#;
    let (lease, version) = lease_from_json(all.as_bytes()).unwrap();
    assert_eq!(version.as_deref(), Some("9"));
    assert_eq!(&*lease.metadata.uid, "u");
    assert_eq!(lease.metadata.labels.get("c").map(|value| &**value), Some(""));
    assert_eq!(
        lease_to_json(&lease, version.as_deref()),
        r#"{"metadata":{"name":"n","generateName":"g","namespace":"ns","selfLink":"","uid":"u","resourceVersion":"9","generation":2,"creationTimestamp":"2024-01-01T00:00:00Z","deletionTimestamp":null,"deletionGracePeriodSeconds":30,"labels":{"a":"b","c":""},"annotations":{"d":"e"},"ownerReferences":[null,{"controller":true,"uid":"x"}],"finalizers":["f",null],"managedFields":[{"time":"2024-01-01T00:00:00Z","fieldsV1":{"f:a":[1]}}],"unknown":[{}]},"spec":{},"status":3}"#,
    );
    let read = |text: &str| lease_from_json(text.as_bytes()).unwrap().0;
    let unversioned = br#"{"metadata":{"resourceVersion":"7","resourceVersion":""}}"#;
    assert_eq!(lease_from_json(unversioned).unwrap().1, None);
    // Maps and structs merge, null empties a map and leaves a struct.
    let merged = read(
        r#"{"metadata":{"labels":{"a":"1","b":"1"}},"metadata":{"labels":{"b":"2"}},"metadata":null}"#,
    );
    assert_eq!(merged.metadata.labels.len(), 2);
    assert_eq!(merged.metadata.labels.get("b").map(|value| &**value), Some("2"));
    // A null value of a map is empty also where the key had a value (`mapElem` starts from zero).
    let replaced =
        read(r#"{"metadata":{"labels":{"a":"1","b":"1","a":null},"labels":{"b":null}}}"#);
    let values: Vec<_> = replaced.metadata.labels.values().map(|value| &**value).collect();
    assert_eq!(values, ["", ""]);
    let emptied = read(r#"{"metadata":{"name":"n","name":null,"labels":{"a":"1"},"labels":null}}"#);
    assert_eq!((&*emptied.metadata.name, emptied.metadata.labels.len()), ("n", 0));
    let cleared =
        read(r#"{"spec":{"holderIdentity":"a"},"spec":{"holderIdentity":null,"strategy":""}}"#);
    assert_eq!((cleared.spec.holder_identity, cleared.spec.strategy.as_deref()), (None, Some("")));
}

#[test]
fn errors_name_field_value_and_remedy() {
    let record = |text: &str| record_from_json(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(record(""), "the JSON text ends after 0 bytes: the start of a value should follow");
    assert_eq!(record("{\"a\" 1}"), "byte 5 of the JSON text is '1': it should be ':' after a key");
    assert_eq!(record("[]"), "the text is []: it should be an object or null");
    assert_eq!(
        record(r#"{"HOLDERIDENTITY":["a"]}"#),
        r#"holderIdentity is ["a"]: it should be a string or null"#
    );
    assert_eq!(
        record(r#"{"renewTime":"2024-02-30T00:00:00Z"}"#),
        r#"renewTime is "2024-02-30T00:00:00Z", not a time (the month has no such day): write it like "2024-02-29T23:59:59Z""#,
    );
    let lease = |text: &str| lease_from_json(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        lease(r#"{"spec":{"leaseTransitions":2147483648}}"#),
        "spec.leaseTransitions is 2147483648: it should be a whole number of 32 bits, without fraction or exponent",
    );
    assert_eq!(
        lease(r#"{"metadata":{"ownerReferences":[{},{"uid":1}]}}"#),
        "metadata.ownerReferences[1].uid is 1: it should be a string or null",
    );
    assert_eq!(
        lease(r#"{"metadata":{"labels":{"a":1}}}"#),
        r#"metadata.labels["a"] is 1: it should be a string or null"#
    );
    let api =
        lease_from_api_json(br#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1beta1"}"#)
            .unwrap_err();
    assert_eq!(
        api.to_string(),
        r#"apiVersion is "coordination.k8s.io/v1beta1": it should be "coordination.k8s.io/v1""#
    );
    let long = lease(&format!(r#"{{"spec":[{}1]}}"#, "1,".repeat(1000)));
    assert!(long.contains('…') && long.len() < 160 && !long.contains('\n'), "{long}");
    let long_key = lease(&format!(r#"{{"metadata":{{"labels":{{"{}":1}}}}}}"#, "k".repeat(1000)));
    assert!(long_key.len() < 160, "{long_key}");
}

/// `LeaseSpecToLeaderElectionRecord`: what is present and zero is nothing in a record.
#[test]
fn a_record_has_no_zeros_of_a_lease() {
    let zero = Some(Timestamp::GO_ZERO);
    let spec = LeaseSpec {
        holder_identity: Some("".into()),
        acquire_time: zero,
        renew_time: zero,
        strategy: Some("".into()),
        preferred_holder: Some("".into()),
        ..LeaseSpec::default()
    };
    assert_eq!(spec.to_record(), Record::default());
    assert_eq!(LeaseSpec::default().to_record(), Record::default());
    let all = LeaseSpec { lease_duration_seconds: Some(0), lease_transitions: Some(0), ..spec };
    let without = LeaseSpec { strategy: None, preferred_holder: None, ..all };
    assert_eq!(LeaseSpec::from_record(&Record::default()), without);
}

/// `Record::truncate_to_seconds` is equal for two records if and only if their texts are.
#[test]
fn truncation_tells_apart_what_the_text_tells_apart() {
    let zero = Timestamp::GO_ZERO.unix_seconds();
    let at = |seconds, nanos| Timestamp::from_unix(zero + seconds, nanos);
    let times = [None, at(0, 0), at(0, 1), at(0, 999), at(1, 0), at(1, 1), at(-1, 0), at(-1, 1)];
    let records: Vec<_> = (times.iter())
        .flat_map(|acquire| times.iter().map(move |renew| (*acquire, *renew)))
        .map(|(acquire_time, renew_time)| Record { acquire_time, renew_time, ..Record::default() })
        .collect();
    for (one, other) in records.iter().flat_map(|one| records.iter().map(move |two| (one, two))) {
        let same_text = record_to_json(one) == record_to_json(other);
        let equal = one.clone().truncate_to_seconds() == other.clone().truncate_to_seconds();
        assert_eq!(same_text, equal, "{one:?} {other:?}");
    }
}

/// Years outside 0 to 9999 are written as `time.Time.AppendFormat` writes them.
#[test]
fn far_times_are_written_as_in_go() {
    let written = |seconds, nanos| {
        let renew_time = Timestamp::from_unix(seconds, nanos);
        let json = record_to_json(&Record { renew_time, ..Record::default() });
        json.split("\"renewTime\":").nth(1).unwrap().split(",\"").next().unwrap().to_owned()
    };
    assert_eq!(written(253_402_300_800, 0), "\"10000-01-01T00:00:00Z\"");
    assert_eq!(written(-62_167_219_200, 0), "\"0000-01-01T00:00:00Z\"");
    assert_eq!(written(-62_167_219_201, 0), "\"-0001-12-31T23:59:59Z\"");
    // The last days of 400, of 4 and of 100 years that begin in March.
    assert_eq!(written(951_782_400, 0), "\"2000-02-29T00:00:00Z\"");
    assert_eq!(written(1_709_164_800, 0), "\"2024-02-29T00:00:00Z\"");
    assert_eq!(written(4_107_456_000, 0), "\"2100-02-28T00:00:00Z\"");
    assert_eq!(written(-62_135_596_800, 1), "\"0001-01-01T00:00:00Z\"");
    assert_eq!(written(-62_135_596_800, 0), "null");
    assert_eq!(written(i64::MAX, 0), "\"292277026596-12-04T15:30:07Z\"");
    // Go counts seconds from 1 March −292277022400, in 64 bits that wrap.
    assert_eq!(written(-9_223_372_028_715_321_600, 0), "\"-292277022399-01-01T00:00:00Z\"");
    assert_eq!(written(-9_223_372_028_741_760_000, 0), "\"-292277022400-03-01T00:00:00Z\"");
    assert_eq!(written(-9_223_372_028_741_760_001, 0), "\"292277026854-01-07T07:00:15Z\"");
    assert_eq!(written(i64::MIN, 0), "\"292277026596-12-04T15:30:08Z\"");
}
