//! serde's traits, which exist with the feature `serde` only.

use proptest::prelude::*;
use tenure::lock::Record;
use tenure::lock::lease::Lease;
use tenure::lock::wire::{
    lease_from_api_json, lease_from_json, lease_to_api_json, record_from_json, record_to_json,
};

use crate::laws::{leases, records};

/// Where serde's traits differ from the functions of `wire`.
#[test]
fn serdes_traits_differ_as_documented() {
    let good = r#"{"metadata":{"generation":"7"}}"#; // not kept, so its type is not looked at
    assert_eq!(serde_json::from_str::<Lease>(good).ok(), Some(Lease::default()));
    assert!(lease_from_json(good.as_bytes()).is_err());
    for bad in [
        r#"{"spec":{"strategy":"a","strategy":"b"}}"#,
        r#"{"metadata":{"labels":{"a":null}}}"#,
        r#"{"metadata":{"annotations":{"a":null}}}"#,
    ] {
        assert!(serde_json::from_str::<Lease>(bad).is_err(), "{bad}");
        assert!(lease_from_json(bad.as_bytes()).is_ok(), "{bad}");
    }
    let twice = r#"{"strategy":"a","strategy":"b"}"#;
    assert!(serde_json::from_str::<Record>(twice).is_err());
    let folded = serde_json::from_str::<Record>(r#"{"STRATEGY":"a"}"#);
    assert_eq!(folded.ok(), Some(Record::default()));
    // The same in both.
    let zero = r#"{"renewTime":"0001-01-01T00:00:00Z","strategy":""}"#;
    assert_eq!(serde_json::from_str::<Record>(zero).ok(), Some(Record::default()));
    assert_eq!(record_from_json(zero.as_bytes()), Ok(Record::default()));
}

proptest! {
    #[test]
    fn serdes_form_is_the_same(record in records(), lease in leases()) {
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        prop_assert_eq!(serde_json::to_value(&record).unwrap(), value(&record_to_json(&record)));
        prop_assert_eq!(serde_json::to_value(&lease).unwrap(), value(&lease_to_api_json(&lease, None)));
        // Both directions, each form read by the other's reader.
        let text = serde_json::to_string(&record).unwrap();
        prop_assert_eq!(record_from_json(text.as_bytes()), record_from_json(record_to_json(&record).as_bytes()));
        let read: Record = serde_json::from_str(&record_to_json(&record)).unwrap();
        prop_assert_eq!(Ok(read), record_from_json(record_to_json(&record).as_bytes()));

        let text = serde_json::to_string(&lease).unwrap();
        let expected = lease_from_api_json(lease_to_api_json(&lease, None).as_bytes());
        prop_assert_eq!(&lease_from_api_json(text.as_bytes()), &expected);
        let read: Lease = serde_json::from_str(&lease_to_api_json(&lease, None)).unwrap();
        prop_assert_eq!(Ok((read, None)), expected);
    }
}
