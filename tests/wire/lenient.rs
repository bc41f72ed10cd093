//! What Go refuses and what yet has one meaning; and what has none. Each row says who writes such a
//! thing, or why it is not guessed at.

use proptest::prelude::*;
use tenure::lock::wire::{
    Forgiven, WireError, lease_from_json, lease_from_lenient_json, lease_to_json, record_from_json,
    record_from_lenient_json, record_to_json,
};
use tenure::time::Timestamp;

use crate::laws::{records, texts};

/// A field of a Lease's spec, what it is read as, and who writes it so.
const FORGIVEN: [(&str, &str, &str); 27] = [
    (
        r#""renewTime":"2024-02-29T23:59:59Z""#,
        r#""2024-02-29T23:59:59.000000Z""#,
        "Python: microseconds that are zero are not written",
    ),
    (
        r#""renewTime":"2024-02-29T23:59:59.5Z""#,
        r#""2024-02-29T23:59:59.500000Z""#,
        "trailing zeros are not written",
    ),
    (
        r#""renewTime":"2024-02-29T23:59:59.103Z""#,
        r#""2024-02-29T23:59:59.103000Z""#,
        "JavaScript: toISOString has three digits",
    ),
    (
        r#""renewTime":"2024-02-29T23:59:59.12345Z""#,
        r#""2024-02-29T23:59:59.123450Z""#,
        "Go: RFC3339Nano cuts trailing zeros",
    ),
    (
        r#""renewTime":"2024-02-29T23:59:59.1234567Z""#,
        r#""2024-02-29T23:59:59.123456Z""#,
        "C#: ticks of 100 ns; cut, as an API server would",
    ),
    (
        r#""acquireTime":"2020-02-28T20:11:41.636526499Z""#,
        r#""2020-02-28T20:11:41.636526Z""#,
        "Rust: chrono writes nanoseconds",
    ),
    (
        r#""renewTime":"2024-02-29T23:59:59.1234567891234Z""#,
        r#""2024-02-29T23:59:59.123456Z""#,
        "more digits than anybody has mean the same",
    ),
    (
        r#""renewTime":"2024-02-29T23:59:59,5Z""#,
        r#""2024-02-29T23:59:59.500000Z""#,
        "ISO 8601 prefers the comma",
    ),
    (
        r#""renewTime":"2024-02-29t23:59:59.000000Z""#,
        r#""2024-02-29T23:59:59.000000Z""#,
        "RFC 3339 allows a small t",
    ),
    (
        r#""renewTime":"2024-02-29T23:59:59.000000z""#,
        r#""2024-02-29T23:59:59.000000Z""#,
        "RFC 3339 allows a small z",
    ),
    (
        r#""renewTime":"2024-02-29 23:59:59.250000+00:00""#,
        r#""2024-02-29T23:59:59.250000+00:00""#,
        "Python: str() of a datetime",
    ),
    (
        r#""renewTime":"2024-02-29 23:59:59+01:00""#,
        r#""2024-02-29T23:59:59.000000+01:00""#,
        "the same, on the second and elsewhere",
    ),
    (
        r#""renewTime":"2024-02-29T23:59:59.000000+0530""#,
        r#""2024-02-29T23:59:59.000000+05:30""#,
        "strftime: %z",
    ),
    (
        r#""renewTime":"2024-02-29T23:59:59.000000-05""#,
        r#""2024-02-29T23:59:59.000000-05:00""#,
        "ISO 8601 allows hours only",
    ),
    (
        r#""renewTime":"20220804T135255.122Z""#,
        r#""2022-08-04T13:52:55.122000Z""#,
        "the Java client, up to its release 10",
    ),
    (
        r#""renewTime":"20220804T135255+0200""#,
        r#""2022-08-04T13:52:55.000000+02:00""#,
        "basic form throughout",
    ),
    (r#""leaseDurationSeconds":15.0"#, "15", "whose numbers are all floats"),
    (r#""leaseDurationSeconds":1.5e1"#, "15", "the same, with an exponent"),
    (r#""leaseDurationSeconds":150E-1"#, "15", "the same, downwards"),
    (r#""leaseDurationSeconds":-0.0"#, "0", "a zero has no sign"),
    (r#""leaseDurationSeconds":0e99999999999999999999"#, "0", "nor an exponent"),
    (r#""leaseDurationSeconds":"15""#, "15", "Python client: str(lease_duration)"),
    (r#""leaseDurationSeconds":"15.0""#, "15", "both at once"),
    (r#""leaseDurationSeconds":2147483647.000"#, "2147483647", "the greatest"),
    (r#""leaseTransitions":-2.147483648e9"#, "-2147483648", "the least"),
    (r#""leaseTransitions":"\u0033""#, "3", "an escape is a character"),
    (r#""leaseTransitions":0.3e1"#, "3", "zeros before it"),
];

/// A field of a Lease's spec, and why it is not guessed at.
const REFUSED: [(&str, &str); 31] = [
    (r#""leaseDurationSeconds":1.5"#, "no whole number"),
    (r#""leaseDurationSeconds":15e-1"#, "no whole number"),
    (r#""leaseDurationSeconds":"1.5""#, "no whole number"),
    (r#""leaseDurationSeconds":"abc""#, "no number"),
    (r#""leaseDurationSeconds":"""#, "nothing"),
    (r#""leaseDurationSeconds":"15s""#, "a unit, which may be another one next time"),
    (r#""leaseDurationSeconds":" 15""#, "no number by JSON's grammar"),
    (r#""leaseDurationSeconds":"+15""#, "no number by JSON's grammar"),
    (r#""leaseDurationSeconds":"015""#, "octal?"),
    (r#""leaseDurationSeconds":"0x0f""#, "no number by JSON's grammar"),
    (r#""leaseDurationSeconds":true"#, "no number"),
    (r#""leaseDurationSeconds":[15]"#, "no number"),
    (r#""leaseDurationSeconds":2147483648"#, "out of range"),
    (r#""leaseDurationSeconds":"2147483648""#, "out of range"),
    (r#""leaseTransitions":-2147483649.0"#, "out of range"),
    (r#""leaseTransitions":1e400"#, "out of range"),
    (r#""leaseTransitions":1e99999999999999999999"#, "out of range"),
    (r#""holderIdentity":5"#, "as which bytes did its writer hold it?"),
    (r#""holderIdentity":["a"]"#, "who?"),
    (r#""renewTime":1704067200"#, "seconds or milliseconds?"),
    (r#""renewTime":"1704067200""#, "seconds or milliseconds?"),
    (r#""renewTime":"""#, "no time"),
    (
        r#""renewTime":"2020-08-17 10:20:30.123456""#,
        "Python client: local time of an unknown place",
    ),
    (r#""renewTime":"2024-02-29T23:59:59""#, "local time of an unknown place"),
    (r#""renewTime":"2024-02-29""#, "a day"),
    (r#""renewTime":"29.02.2024 23:59:59Z""#, "which is the month?"),
    (r#""renewTime":"2023-02-29T00:00:00Z""#, "no such day"),
    (r#""renewTime":"2024-02-29T23:59:60Z""#, "no such second in Unix time"),
    (r#""renewTime":"2024-02-29T23:59:59.Z""#, "cut off?"),
    (r#""renewTime":"2024-02-29T23:59:59 CET""#, "names of zones change their meaning"),
    (r#""renewTime":"2024-02-29T23:59:59Z[UTC]""#, "two zones, which may differ"),
];

fn lease(field: &str) -> String {
    format!(r#"{{"metadata":{{"name":"a","finalizers":["b"]}},"spec":{{{field}}}}}"#)
}

#[test]
fn what_has_one_meaning_is_read_and_reported() {
    for (field, meant, why) in FORGIVEN {
        let text = lease(field);
        let error = lease_from_json(text.as_bytes()).expect_err(why);
        let lenient = lease_from_lenient_json(text.as_bytes()).unwrap();
        assert_eq!(lenient.forgiven, [Forgiven { error, read_as: meant.into() }], "{why}");
        let (name, _) = field.split_once(':').unwrap();
        let mended = lease(&format!("{name}:{meant}"));
        assert_eq!(lease_from_json(mended.as_bytes()), Ok(lenient.value), "{why}");
    }
}

#[test]
fn what_has_none_is_refused_as_by_the_strict_reader() {
    for (field, why) in REFUSED {
        let text = lease(field);
        let error = lease_from_json(text.as_bytes()).expect_err(why);
        assert_eq!(lease_from_lenient_json(text.as_bytes()), Err(error), "{why}");
    }
}

/// What other writers do and Go takes.
#[test]
fn what_go_takes_needs_no_forgiving() {
    for (text, who) in [
        (
            r#"{"spec":{"holderIdentity":null,"acquireTime":null,"renewTime":null,"leaseDurationSeconds":null}}"#,
            "kubert, releasing",
        ),
        (r#"{"spec":{"leaseTransitions":1}}"#, "kube-lease-manager, between its two patches"),
        (r#"{"spec":null}"#, "no spec"),
        (r#"{"Spec":{"HOLDERIDENTITY":"a"}}"#, "other case"),
        (r#"{"spec":{"holderIdentity":"a","holderIdentity":"b"}}"#, "twice: the last"),
        ("\t{\"spec\":{}}\r\n\n", "white space"),
        (r#"{"spec":{"renewTime":"2024-02-29T23:59:59.000000+00:00"}}"#, "an offset for the Z"),
    ] {
        let lenient = lease_from_lenient_json(text.as_bytes()).unwrap();
        assert_eq!(lenient.forgiven, [], "{who}");
        assert_eq!(lease_from_json(text.as_bytes()), Ok(lenient.value), "{who}");
    }
}

#[test]
fn a_record_is_forgiven_the_same() {
    // As the Python client writes it, but for the offset.
    let text = r#"{"holderIdentity": "a", "leaseDurationSeconds": "17", "acquireTime": "2020-08-17 10:20:30.000007+00:00", "renewTime": "2020-08-17 10:20:30z"}"#;
    let lenient = record_from_lenient_json(text.as_bytes()).unwrap();
    assert_eq!(lenient.value.lease_duration_seconds, 17);
    assert_eq!(lenient.value.acquire_time, Timestamp::from_unix(1_597_659_630, 7_000));
    assert_eq!(lenient.value.renew_time, Timestamp::from_unix(1_597_659_630, 0));
    let fields: Vec<_> = lenient.forgiven.iter().map(ToString::to_string).collect();
    assert_eq!(
        fields[0],
        r#"leaseDurationSeconds is "17": it should be a whole number of 64 bits, without fraction or exponent; read as 17"#
    );
    assert!(fields[1].starts_with("acquireTime") && fields[2].starts_with("renewTime"));
    let big = record_from_lenient_json(br#"{"leaseDurationSeconds":9.223372036854775807e18}"#);
    assert_eq!(big.unwrap().value.lease_duration_seconds, i64::MAX);
    for bad in ["", "[]", "{", r#"{"leaseDurationSeconds":9.223372036854775808e18}"#] {
        let error = record_from_json(bad.as_bytes()).unwrap_err();
        assert_eq!(record_from_lenient_json(bad.as_bytes()), Err(error), "{bad}");
    }
}

#[test]
fn a_mark_before_the_text_is_forgiven_once() {
    let read = |text: &str| record_from_lenient_json(text.as_bytes());
    let lenient = read("\u{feff}{\"holderIdentity\":\"a\",\"leaderTransitions\":1.0}").unwrap();
    assert_eq!(lenient.value.holder.as_str(), "a");
    assert_eq!(
        lenient.forgiven[0].to_string(),
        r"byte 0 of the JSON text is '\xef': it should be the start of a value; left out"
    );
    assert_eq!(lenient.forgiven.len(), 2);
    assert!(matches!(read("\u{feff}\u{feff}{}"), Err(WireError::Syntax { offset: 0, .. })));
}

/// The rest of the object is mended too, and comes back.
#[test]
fn every_field_that_go_knows_is_mended() {
    let text = r#"{"metadata":{"generation":"2","creationTimestamp":"2024-01-01 00:00:00Z","resourceVersion":"7",
        "managedFields":[{"time":"2024-01-01t00:00:00Z","fieldsV1":{"f:a":1.5}}],"x":1.5},"spec":{"leaseTransitions":1.0}}"#;
    let lenient = lease_from_lenient_json(text.as_bytes()).unwrap();
    let errors: Vec<_> = lenient.forgiven.iter().map(|it| it.error.to_string()).collect();
    let starts = [
        "metadata.generation",
        "metadata.creationTimestamp",
        "metadata.managedFields[0].time",
        "spec.leaseTransitions",
    ];
    assert!(errors.iter().zip(starts).all(|(error, start)| error.starts_with(start)), "{errors:?}");
    let (lease, version) = lenient.value;
    assert_eq!(
        lease_to_json(&lease, version.as_deref()),
        r#"{"metadata":{"resourceVersion":"7","generation":2,"creationTimestamp":"2024-01-01T00:00:00.0Z","managedFields":[{"time":"2024-01-01T00:00:00.0Z","fieldsV1":{"f:a":1.5}}],"x":1.5},"spec":{"leaseTransitions":1}}"#,
    );
}

proptest! {
    #[test]
    fn lenient_is_strict_and_more(json in texts(), record in records()) {
        for text in [json, record_to_json(&record)] {
            let text = text.as_bytes();
            let lenient = record_from_lenient_json(text);
            match record_from_json(text) {
                Ok(record) => {
                    let lenient = lenient.unwrap();
                    prop_assert_eq!((lenient.value, lenient.forgiven), (record, vec![]));
                }
                Err(_) => if let Ok(lenient) = lenient {
                    prop_assert!(!lenient.forgiven.is_empty());
                    prop_assert!(record_from_json(record_to_json(&lenient.value).as_bytes()).is_ok());
                },
            }
            let lenient = lease_from_lenient_json(text);
            match lease_from_json(text) {
                Ok(value) => {
                    let lenient = lenient.unwrap();
                    prop_assert_eq!((lenient.value, lenient.forgiven), (value, vec![]));
                }
                Err(_) => if let Ok(lenient) = lenient {
                    prop_assert!(!lenient.forgiven.is_empty());
                    let (lease, version) = &lenient.value;
                    let written = lease_to_json(lease, version.as_deref());
                    prop_assert!(lease_from_json(written.as_bytes()).is_ok());
                },
            }
        }
    }

    /// A whole number means itself, however it is written.
    #[test]
    fn numbers_keep_their_value(number in any::<i32>().prop_filter("00 is no number", |number| *number != 0), zeros in 0_usize..12, quoted in any::<bool>()) {
        let shifted = format!("{number}{}.000e-{zeros}", "0".repeat(zeros));
        let quote = if quoted { "\"" } else { "" };
        let text = format!(r#"{{"spec":{{"leaseTransitions":{quote}{shifted}{quote}}}}}"#);
        let lenient = lease_from_lenient_json(text.as_bytes()).unwrap();
        prop_assert_eq!(lenient.value.0.spec.lease_transitions, Some(number));
    }

    /// A time means itself, however it is dressed.
    #[test]
    fn times_keep_their_value(seconds in 0_i64..4_000_000_000, nanos in 0_u32..1_000_000_000, digits in 0_usize..12,
                              space in prop::sample::select(vec!['T', 't', ' ']), zone in prop::sample::select(vec!["Z", "z", "+00", "-0000", "+00:00"]),
                              basic in any::<bool>()) {
        let record = tenure::lock::Record { renew_time: Timestamp::from_unix(seconds, 0), ..Default::default() };
        let json = record_to_json(&record);
        let plain = json.split("renewTime\":\"").nth(1).unwrap().split('"').next().unwrap();
        let (date, clock) = plain.trim_end_matches('Z').split_once('T').unwrap();
        let fraction = format!("{nanos:09}000");
        let fraction = if digits == 0 { String::new() } else { format!(".{}", &fraction[..digits]) };
        let strip = |text: &str| if basic { text.replace(['-', ':'], "") } else { text.to_owned() };
        let text = format!(r#"{{"spec":{{"renewTime":"{}{space}{}{fraction}{zone}"}}}}"#, strip(date), strip(clock));
        let kept = 10_u32.pow(9 - u32::try_from(digits.min(6)).unwrap());
        let expected = Timestamp::from_unix(seconds, nanos / kept * kept);
        let lenient = lease_from_lenient_json(text.as_bytes()).unwrap();
        prop_assert_eq!(lenient.value.0.spec.renew_time, expected);
    }
}
