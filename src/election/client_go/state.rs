//! What client-go's elector knows between two attempts, and how it compares records.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use crate::election::{Release, Stored};
use crate::lock::{Identity, Record, wire};
use crate::time::Instant;

/// What client-go's elector knows between two attempts: to seed and to compare it in replays.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ClientGoState {
    pub observed_record: Record,
    /// What the last GET gave, as it is compared; `None` before the first, and for an object without
    /// the annotation: to Go both are no bytes.
    pub observed_raw: Option<Raw>,
    /// `None` is Go's zero time.
    pub observed_time: Option<Instant>,
    pub reported_leader: Identity,
    /// The object that the lock holds (of a MultiLock, the primary).
    pub held: Option<Stored>,
    /// The object that the secondary of a MultiLock holds.
    pub held_secondary: Option<Stored>,
    /// What the last attempt returned; of a release, whether it wrote.
    pub returned: Option<bool>,
}

/// What client-go compares to see whether a record was renewed: text.
///
/// Two are equal if and only if their texts are, as long as they come from locks of the same kinds.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Raw {
    /// Of a Lease: its record is written as text, with whole seconds. Kept as the record, cut.
    Record(Record),
    /// Of an annotation: as it stands there.
    Text(Arc<str>),
    /// Of a MultiLock: both, with a comma between them (`ConcatRawRecord`). One may be no bytes.
    Both(Box<(Option<Self>, Option<Self>)>),
}

impl Raw {
    /// The bytes that client-go of `release` compares.
    #[must_use]
    pub fn to_text(&self, release: Release) -> String {
        let text =
            |raw: &Option<Self>| raw.as_ref().map(|raw| raw.to_text(release)).unwrap_or_default();
        match self {
            Self::Record(record) if release < Release::V1_31 => {
                wire::record_to_json_five_fields(record)
            }
            Self::Record(record) => wire::record_to_json(record),
            Self::Text(text) => text.as_ref().to_owned(),
            Self::Both(both) => format!("{},{}", text(&both.0), text(&both.1)),
        }
    }
}
