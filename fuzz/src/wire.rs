//! Any bytes: no panic, and what is accepted is written so that it reads as the same.

use tenure::lock::wire;
use tenure::time::Timestamp;

/// Whether the times are of the years 0 to 9999, which can be read again. An offset may lead out
/// of them.
fn readable<const N: usize>(times: [Option<Timestamp>; N]) -> bool {
    let years = -62_167_219_200..253_402_300_800;
    times.into_iter().flatten().all(|time| years.contains(&time.unix_seconds()))
}

/// The record: written once, it stays as it is.
pub fn record_json(text: &[u8]) {
    let Ok(record) = wire::record_from_json(text) else { return };
    let written = wire::record_to_json(&record);
    match wire::record_from_json(written.as_bytes()) {
        Ok(read) => assert_eq!(wire::record_to_json(&read), written),
        Err(error) => assert!(!readable([record.acquire_time, record.renew_time]), "{error}"),
    }
}

/// The Lease, by both readers.
pub fn lease_json(text: &[u8]) {
    let std = wire::lease_from_json(text);
    if let Ok((lease, version)) = wire::lease_from_api_json(text) {
        let written = wire::lease_to_api_json(&lease, version.as_deref());
        match wire::lease_from_api_json(written.as_bytes()) {
            Ok((read, again)) => {
                assert_eq!(wire::lease_to_api_json(&read, again.as_deref()), written);
                assert_eq!((read.metadata, again), (lease.metadata, version));
            }
            Err(error) => {
                assert!(!readable([lease.spec.acquire_time, lease.spec.renew_time]), "{error}");
            }
        }
    }
    if let Ok((lease, version)) = std {
        let written = wire::lease_to_json(&lease, version.as_deref());
        match wire::lease_from_json(written.as_bytes()) {
            Ok((read, again)) => {
                assert_eq!(wire::lease_to_json(&read, again.as_deref()), written);
            }
            Err(error) => {
                assert!(!readable([lease.spec.acquire_time, lease.spec.renew_time]), "{error}");
            }
        }
    }
}
