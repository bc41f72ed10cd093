//! Any bytes: no panic, and what is accepted is written so that it reads as the same.

use serde_json::Value;
use tenure::lock::lease::{Lease, LeaseSpec};
use tenure::lock::{Kind, Object, Record, wire};
use tenure::time::Timestamp;

/// Texts to start from: all that were recorded from Go, and objects of the other kinds.
///
/// # Panics
/// The recording is not of its form.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let file = include_str!("../../tests/data/records/codec.json");
    let file: Value = serde_json::from_str(file).expect("the recording is JSON");
    let texts = |section: &str, keys: &[&str]| -> Vec<_> {
        let rows = file[section].as_array().expect("a section is an array").iter();
        let texts = rows.flat_map(|row| keys.iter().filter_map(|key| row[*key].as_str()));
        texts.map(|text| text.as_bytes().to_vec()).collect()
    };
    let mut seeds = texts("decode", &["input"]);
    let written = ["record_json", "record_json_five_fields", "lease_json_api_codec"];
    seeds.extend(texts("encode", &written));
    let metadata = r#""metadata":{"name":"n","generateName":"g","namespace":"ns","selfLink":"/s","uid":"u","resourceVersion":"9","generation":2,"creationTimestamp":"2024-01-01T00:00:00Z","deletionTimestamp":null,"deletionGracePeriodSeconds":30,"labels":{"a":"b"},"annotations":{"control-plane.alpha.kubernetes.io/leader":"{\"holderIdentity\":\"a\"}"},"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"x","controller":true}],"finalizers":["f"],"managedFields":[{"manager":"m","time":"2024-01-01T00:00:00Z","fieldsV1":{"f:a":{}}}],"x":1}"#;
    for text in [
        r#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1",@,"spec":{"holderIdentity":"a","x":2},"y":{}}"#,
        r#"{"kind":"ConfigMap","apiVersion":"v1",@,"immutable":false,"data":{"a":"b\n"},"binaryData":{"c":"aGk="}}"#,
        r#"{"kind":"Endpoints","apiVersion":"v1",@,"subsets":[{"addresses":[{"ip":"::1","targetRef":{"kind":"Pod"}}],"notReadyAddresses":[],"ports":[{"name":"h","port":80}]}]}"#,
        r#"{"spec":{"renewTime":"2024-02-29 23:59:59.5z","acquireTime":"20220804T135255.122+0000","leaseDurationSeconds":"1.5e1","leaseTransitions":3.0}}"#,
        "\u{feff}{\"leaseDurationSeconds\":\"17\",\"renewTime\":\"2020-08-17 10:20:30.123456+00:00\"}",
    ] {
        seeds.push(text.replace('@', metadata).into_bytes());
    }
    seeds
}

/// Whether a time is of the years 0 to 9999, which can be read again. An offset may lead out of
/// them.
fn readable(time: Option<Timestamp>) -> bool {
    let years = -62_167_219_200..253_402_300_800;
    time.is_none_or(|time| years.contains(&time.unix_seconds()))
}

fn record_is_readable(record: &Record) -> bool {
    readable(record.acquire_time) && readable(record.renew_time)
}

fn spec_is_readable(spec: &LeaseSpec) -> bool {
    readable(spec.acquire_time) && readable(spec.renew_time)
}

/// What is left of a spec when it is written: Go's zero time is null, and null is none.
fn written_spec(spec: &LeaseSpec) -> LeaseSpec {
    let mut spec = spec.clone();
    for time in [&mut spec.acquire_time, &mut spec.renew_time] {
        *time = time.filter(|time| *time != Timestamp::GO_ZERO);
    }
    spec
}

/// The record: written once, it stays as it is, and reads as it was but for what is finer than a
/// second.
pub fn record_json(text: &[u8]) {
    let Ok(record) = wire::record_from_json(text) else { return };
    let written = wire::record_to_json(&record);
    match wire::record_from_json(written.as_bytes()) {
        Ok(read) => {
            assert_eq!(wire::record_to_json(&read), written);
            assert_eq!(read, record.truncate_to_seconds());
        }
        Err(error) => assert!(!record_is_readable(&record), "{error}"),
    }
}

/// The Lease, by both readers.
pub fn lease_json(text: &[u8]) {
    type Reader = fn(&[u8]) -> Result<(Lease, Option<std::sync::Arc<str>>), wire::WireError>;
    type Writer = fn(&Lease, Option<&str>) -> String;
    let codecs: [(Reader, Writer); 2] = [
        (wire::lease_from_json, wire::lease_to_json),
        (wire::lease_from_api_json, wire::lease_to_api_json),
    ];
    for (read, write) in codecs {
        let Ok((lease, version)) = read(text) else { continue };
        let written = write(&lease, version.as_deref());
        match read(written.as_bytes()) {
            Ok((again, same)) => {
                assert_eq!(write(&again, same.as_deref()), written);
                assert_eq!((&again.metadata, same), (&lease.metadata, version));
                assert_eq!(again.spec, written_spec(&lease.spec));
            }
            Err(error) => assert!(!spec_is_readable(&lease.spec), "{error}"),
        }
    }
}

/// An object of each kind: its text, its annotation, and what is carried along, which may be any
/// bytes.
pub fn object_json(text: &[u8]) {
    for kind in [Kind::Lease, Kind::ConfigMap, Kind::Endpoints] {
        let Ok((mut object, version)) = wire::object_from_api_json(kind, text) else { continue };
        let may_read = |object: &Object| match object {
            Object::Lease(lease) => spec_is_readable(&lease.spec),
            Object::ConfigMap(_) | Object::Endpoints(_) => true,
        };
        let written = wire::object_to_api_json(&object, version.as_deref());
        match wire::object_from_api_json(kind, written.as_bytes()) {
            Ok((again, same)) => {
                assert_eq!(wire::object_to_api_json(&again, same.as_deref()), written);
                assert_eq!((again.metadata(), same), (object.metadata(), version));
            }
            Err(error) => assert!(!may_read(&object), "{error}"),
        }
        if let Object::ConfigMap(annotated) | Object::Endpoints(annotated) = &mut object
            && let Ok(record) = annotated.record()
        {
            annotated.annotate(wire::record_to_json(&record));
            let again = annotated.record().ok();
            let readable = record_is_readable(&record);
            assert!(again == Some(record.truncate_to_seconds()) || !readable);
        }
        std::sync::Arc::make_mut(object.metadata_mut()).rest = Some(text.into());
        let written = wire::object_to_api_json(&object, None);
        let again = wire::object_from_api_json(kind, written.as_bytes());
        assert!(again.is_ok() || !may_read(&object), "{again:?}");
    }
}

/// What the strict reader takes the lenient one takes alike and forgives nothing; what else it takes
/// is written so that the strict one takes it.
pub fn lenient_json(text: &[u8]) {
    match (wire::record_from_json(text), wire::record_from_lenient_json(text)) {
        (Ok(record), Ok(lenient)) => {
            assert_eq!((lenient.value, lenient.forgiven), (record, vec![]));
        }
        (Err(_), Ok(lenient)) => {
            assert!(!lenient.forgiven.is_empty());
            for forgiven in &lenient.forgiven {
                let _ = forgiven.to_string();
            }
            let written = wire::record_to_json(&lenient.value);
            let read = wire::record_from_json(written.as_bytes());
            assert!(read.is_ok() || !record_is_readable(&lenient.value));
        }
        (strict, Err(error)) => assert!(strict.is_err(), "{error}"),
    }
    match (wire::lease_from_json(text), wire::lease_from_lenient_json(text)) {
        (Ok(lease), Ok(lenient)) => {
            assert_eq!((lenient.value, lenient.forgiven), (lease, vec![]));
        }
        (Err(_), Ok(lenient)) => {
            assert!(!lenient.forgiven.is_empty());
            let (lease, version) = lenient.value;
            let written = wire::lease_to_json(&lease, version.as_deref());
            let read = wire::lease_from_json(written.as_bytes());
            assert!(read.is_ok() || !spec_is_readable(&lease.spec));
        }
        (strict, Err(error)) => assert!(strict.is_err(), "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use tenure::lock::{Kind, wire};

    use crate::random_bytes;

    const PROPERTIES: [fn(&[u8]); 4] =
        [super::record_json, super::lease_json, super::object_json, super::lenient_json];

    /// A seed with some of its bytes changed, removed, doubled, or taken from another one.
    fn mutated(seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
        let mut random = random_bytes(number).into_iter().map(usize::from).cycle();
        let mut next = |below: usize| {
            (random.next().unwrap_or(0) << 8 | random.next().unwrap_or(0)) % below.max(1)
        };
        let mut text = seeds[next(seeds.len())].clone();
        for _ in 0..=next(3) {
            let (start, length) = (next(text.len()), next(24));
            let end = (start + length).min(text.len());
            match next(4) {
                0 if start < text.len() => text[start] ^= 1 << next(7),
                1 => drop(text.drain(start..end)),
                2 => {
                    let copy = text[start..end].to_vec();
                    text.splice(end..end, copy);
                }
                _ => {
                    let other = &seeds[next(seeds.len())];
                    let from = next(other.len());
                    let to = (from + length).min(other.len());
                    text.splice(start..end, other[from..to].iter().copied());
                }
            }
        }
        text
    }

    #[test]
    fn random_bytes_and_changed_seeds() {
        let seeds = super::seeds();
        for seed in &seeds {
            for property in PROPERTIES {
                property(seed);
            }
        }
        let mut reached = [0_u32; 4]; // what makes the properties say something
        for number in 0..6_000 {
            let text = mutated(&seeds, number);
            for property in PROPERTIES {
                property(&random_bytes(number));
                property(&text);
            }
            let forgiven =
                wire::lease_from_lenient_json(&text).is_ok_and(|it| !it.forgiven.is_empty());
            let carried = [Kind::Lease, Kind::ConfigMap, Kind::Endpoints].into_iter().any(|kind| {
                wire::object_from_api_json(kind, &text)
                    .is_ok_and(|(it, _)| it.metadata().rest.is_some())
            });
            let now = [
                wire::record_from_json(&text).is_ok(),
                wire::lease_from_api_json(&text).is_ok(),
                forgiven,
                carried,
            ];
            reached.iter_mut().zip(now).for_each(|(count, now)| *count += u32::from(now));
        }
        assert!(
            reached.iter().all(|count| *count > 20),
            "records, Leases, forgiven, carried: {reached:?}"
        );
    }
}
