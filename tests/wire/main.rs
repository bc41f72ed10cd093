//! Records and objects as Go writes and reads them: the recorded rows. The types of Go's fields are
//! in `fields.rs`, its other rules one by one in `rules.rs`, laws in `laws.rs`. What is carried from
//! an object read to the object written is in `objects.rs`, what Go refuses and is read all the same
//! in `lenient.rs`, serde's traits, which alone need a feature, in `serde.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure is what a test is for"
)]

mod fields;
mod laws;
mod lenient;
mod objects;
mod rules;
#[cfg(feature = "serde")]
mod serde;

use serde_json::Value;
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::wire::{
    lease_from_api_json, lease_from_json, lease_to_api_json, lease_to_json, record_from_json,
    record_to_json, record_to_json_five_fields,
};
use tenure::lock::{Identity, Record};
use tenure::time::Timestamp;

fn rows(section: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/records/codec.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file[section].as_array().unwrap().clone()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |byte: u8| alphabet.iter().position(|letter| *letter == byte).unwrap();
    let (mut bits, mut held, mut out) = (0, 0, Vec::new());
    for byte in text.trim_end_matches('=').bytes() {
        held = held << 6 | digit(byte);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits).unwrap());
            held &= (1 << bits) - 1;
        }
    }
    out
}

fn timestamp(value: &Value) -> Timestamp {
    let nanos = u32::try_from(value["nanos"].as_u64().unwrap()).unwrap();
    let time = Timestamp::from_unix(value["unix_seconds"].as_i64().unwrap(), nanos).unwrap();
    assert_eq!(time == Timestamp::GO_ZERO, value["zero"].as_bool().unwrap());
    time
}

/// A record's time: Go's zero is none.
fn time(value: &Value) -> Option<Timestamp> {
    Some(timestamp(value)).filter(|time| *time != Timestamp::GO_ZERO)
}

fn record(row: &Value) -> Record {
    Record {
        holder: text(row, "holder").into(),
        lease_duration_seconds: row["lease_duration_seconds"].as_i64().unwrap(),
        acquire_time: time(&row["acquire_time"]),
        renew_time: time(&row["renew_time"]),
        leader_transitions: row["leader_transitions"].as_i64().unwrap(),
        strategy: Some(text(row, "strategy").into())
            .filter(|text: &std::sync::Arc<str>| !text.is_empty()),
        preferred_holder: text(row, "preferred_holder").into(),
    }
}

fn small(value: &Value) -> Option<i32> {
    value.as_i64().map(|number| i32::try_from(number).unwrap())
}

fn spec(row: &Value) -> LeaseSpec {
    let holder = |key: &str| row[key].as_str().map(Identity::from);
    let moment = |key: &str| Some(&row[key]).filter(|time| !time.is_null()).map(timestamp);
    LeaseSpec {
        holder_identity: holder("holder"),
        lease_duration_seconds: small(&row["lease_duration_seconds"]),
        acquire_time: moment("acquire_time"),
        renew_time: moment("renew_time"),
        lease_transitions: small(&row["lease_transitions"]),
        strategy: row["strategy"].as_str().map(Into::into),
        preferred_holder: holder("preferred_holder"),
    }
}

#[test]
fn writes_what_go_writes() {
    let rows = rows("encode");
    let mut not_utf8 = 0;
    for row in &rows {
        let name = text(row, "name");
        // A holder that is not UTF-8 cannot be a Rust string. Go's strings can hold it, and its
        // encoder writes U+FFFD for each byte that is none; so the record with these in their
        // place must be written as the same bytes.
        let holder = base64(text(row, "holder_base64"));
        let mut mangled = String::new();
        for chunk in holder.utf8_chunks() {
            mangled += chunk.valid();
            mangled += &"\u{fffd}".repeat(chunk.invalid().len());
        }
        not_utf8 += usize::from(mangled.as_bytes() != holder);
        assert_eq!(mangled, text(row, "holder"), "{name}");

        let record = record(row);
        assert_eq!(record_to_json(&record), text(row, "record_json"), "{name}");
        let five = record_to_json_five_fields(&record);
        assert_eq!(five, text(row, "record_json_five_fields"), "{name}");

        let spec = LeaseSpec::from_record(&record);
        let raw = record_to_json(&spec.to_record());
        assert_eq!(raw, text(row, "raw_record_after_lease_round_trip"), "{name}");
        let metadata =
            Metadata { name: "lock".into(), namespace: "ns".into(), ..Metadata::default() };
        let lease = Lease { metadata: metadata.into(), spec };
        let std = lease_to_json(&lease, Some("7"));
        assert_eq!(std, text(row, "lease_json_encoding_json"), "{name}");
        let api = lease_to_api_json(&lease, Some("7"));
        assert_eq!(api, text(row, "lease_json_api_codec"), "{name}");
    }
    println!("{} rows, {not_utf8} of them with a holder that is not UTF-8", rows.len());
    assert!(!rows.is_empty());
}

#[test]
fn reads_what_go_reads() {
    let rows = rows("decode");
    for row in &rows {
        let input = base64(text(row, "input_base64"));
        let what = format!("{} {}", text(row, "target"), text(row, "input"));
        let result = match text(row, "target") {
            "annotation" => record_from_json(&input).map(|read| {
                assert_eq!(read, record(&row["value"]), "{what}");
            }),
            target => {
                let api = target == "lease_api";
                let read = if api { lease_from_api_json } else { lease_from_json };
                read(&input).map(|(read, _)| assert_eq!(read.spec, spec(&row["value"]), "{what}"))
            }
        };
        match result {
            Ok(()) => assert_eq!(row["ok"], true, "{what}: Go says {}", row["error"]),
            Err(error) => assert_eq!(row["ok"], false, "{what}: {error}"),
        }
    }
    println!("{} rows", rows.len());
    assert!(!rows.is_empty());
}
