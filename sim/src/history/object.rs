//! Lock objects as they stand in recordings. Only what the judge needs is read; strings are borrowed.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tenure::lock::{Kind, Record, Version, wire};

use super::time::Moment;

/// A text that is borrowed unless it has escapes.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn shared(&self) -> Arc<str> {
        Arc::from(&*self.0)
    }

    fn moment(&self, field: &str) -> Result<Moment, String> {
        Moment::parse(&self.0).ok_or_else(|| format!("{field} is {:?}: it is no time", self.0))
    }
}

/// An object of any kind.
#[derive(Debug, Deserialize, Default)]
pub(super) struct Body<'a> {
    #[serde(borrow, default)]
    pub(super) kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) metadata: Option<Metadata<'a>>,
    #[serde(borrow, default)]
    pub(super) spec: Option<Spec<'a>>,
}

#[derive(Debug, Deserialize, Default)]
pub(super) struct Metadata<'a> {
    #[serde(borrow, default)]
    pub(super) namespace: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    uid: Option<Text<'a>>,
    #[serde(borrow, default, rename = "resourceVersion")]
    version: Option<Text<'a>>,
    #[serde(borrow, default)]
    annotations: Annotation<'a>,
}

/// The one annotation that holds a record.
#[derive(Debug, Default)]
struct Annotation<'a>(Option<Text<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Annotation<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Find;
        impl<'de> Visitor<'de> for Find {
            type Value = Annotation<'de>;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("annotations")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Annotation(None))
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut found = None;
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    if key.0 == wire::ANNOTATION {
                        found = Some(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Annotation(found))
            }
        }
        deserializer.deserialize_any(Find)
    }
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'a> {
    #[serde(borrow, default)]
    holder_identity: Option<Text<'a>>,
    #[serde(default)]
    lease_duration_seconds: Option<i64>,
    #[serde(borrow, default)]
    acquire_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    renew_time: Option<Text<'a>>,
    #[serde(default)]
    lease_transitions: Option<i64>,
    #[serde(borrow, default)]
    strategy: Option<Text<'a>>,
    #[serde(borrow, default)]
    preferred_holder: Option<Text<'a>>,
}

impl Spec<'_> {
    /// As `LeaseSpecToLeaderElectionRecord` of client-go has it.
    fn record(&self) -> Result<Record, String> {
        let time = |field, text: &Option<Text<'_>>| {
            let moment = text.as_ref().map(|text| text.moment(field)).transpose();
            moment.map(|moment| moment.map(Moment::timestamp))
        };
        let shared = |text: &Option<Text<'_>>| text.as_ref().map(Text::shared);
        Ok(Record {
            holder: shared(&self.holder_identity).unwrap_or_default().into(),
            lease_duration_seconds: self.lease_duration_seconds.unwrap_or(0),
            acquire_time: time("spec.acquireTime", &self.acquire_time)?,
            renew_time: time("spec.renewTime", &self.renew_time)?,
            leader_transitions: self.lease_transitions.unwrap_or(0),
            strategy: shared(&self.strategy).filter(|strategy| !strategy.is_empty()),
            preferred_holder: shared(&self.preferred_holder).unwrap_or_default().into(),
        })
    }
}

/// A lock object as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// Who holds it; `None` if its annotation cannot be read.
    pub(super) record: Option<Record>,
    /// Which object of that name it is, if that is known.
    pub(super) uid: Option<Arc<str>>,
    /// Its version, if that is known.
    pub(super) version: Option<Version>,
}

/// A version as Kubernetes writes it: greater ones are later.
pub(super) fn version(text: &str) -> Version {
    text.parse().map_or_else(|_| Version::opaque(text), Version::ordered)
}

impl Body<'_> {
    /// What is stored, if it is a lock: any Lease is, and what has the annotation.
    pub(super) fn stored(&self, kind: Kind) -> Result<Option<Stored>, String> {
        let metadata = self.metadata.as_ref();
        let annotation = metadata.and_then(|metadata| metadata.annotations.0.as_ref());
        let record = match (kind, annotation) {
            (Kind::Lease, _) => {
                Some(self.spec.as_ref().map_or_else(|| Ok(Record::default()), Spec::record)?)
            }
            (_, Some(text)) => {
                wire::record_from_lenient_json(text.0.as_bytes()).ok().map(|lenient| lenient.value)
            }
            (_, None) => return Ok(None),
        };
        let uid = metadata.and_then(|metadata| metadata.uid.as_ref()).map(Text::shared);
        let version = metadata.and_then(|metadata| metadata.version.as_ref());
        Ok(Some(Stored { record, uid, version: version.map(|text| version_of(text)) }))
    }
}

fn version_of(text: &Text<'_>) -> Version {
    version(&text.0)
}
