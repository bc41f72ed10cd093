//! What is stored: the [`Record`] that says who holds a lock, the [`Version`] that guards it, and
//! the objects that carry it.
//!
//! | stored form | here |
//! | --- | --- |
//! | `coordination.k8s.io/v1` Lease | [`lease`] |
//! | `ConfigMap`, Endpoints: an annotation | [`annotated`] |
//! | `coordination.k8s.io/v1beta1` `LeaseCandidate`, which carries no record | [`candidate`] |
//!
//! [`wire`] reads and writes records and objects exactly as Go does.

use alloc::sync::Arc;
use core::fmt;

pub mod annotated;
pub mod candidate;
pub mod lease;
pub mod wire;

use crate::time::{Instant, Timestamp};
use annotated::Annotated;
use lease::{Lease, Metadata};
use wire::WireError;

/// The name under which a replica holds a lock. Cheap to clone; empty means "nobody".
///
/// ```
/// use tenure::lock::Identity;
/// let identity = Identity::from("controller-0");
/// assert_eq!(identity.as_str(), "controller-0");
/// assert!(Identity::default().is_empty());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Identity(Option<Arc<str>>); // never Some(""), so that "nobody" costs no allocation

impl Identity {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// Whether this names nobody.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl<T: Into<Arc<str>>> From<T> for Identity {
    fn from(name: T) -> Self {
        Self(Some(name.into()).filter(|name| !name.is_empty()))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Who holds a lock, since when and for how long: client-go's `LeaderElectionRecord`.
///
/// ```
/// use tenure::lock::Record;
/// let free = Record::default();
/// assert!(free.holder.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Record {
    /// The holder; empty if the lock is free.
    pub holder: Identity,
    /// How long after a renewal candidates must wait, in whole seconds.
    pub lease_duration_seconds: i64,
    /// When the holder's tenure began, by the holder's wall clock.
    pub acquire_time: Option<Timestamp>,
    /// When the holder renewed last, by the holder's wall clock.
    pub renew_time: Option<Timestamp>,
    /// How often the lock has changed hands. Not a fencing token: it restarts when the lock is
    /// deleted.
    pub leader_transitions: i64,
    /// Strategy of coordinated leader election (KEP-4355). Never `Some("")`.
    pub strategy: Option<Arc<str>>,
    /// Who should hold the lock next (KEP-4355); nobody otherwise.
    pub preferred_holder: Identity,
}

impl Record {
    /// The record with its times cut to whole seconds. Two records are the same text in a lock's
    /// annotation if and only if these are equal.
    #[must_use]
    pub fn truncate_to_seconds(mut self) -> Self {
        // Go's zero time is the same text as none. A fraction of a second after it is another.
        let cut = |time: Option<Timestamp>| {
            time.filter(|time| *time != Timestamp::GO_ZERO).map(Timestamp::truncate_to_seconds)
        };
        self.acquire_time = cut(self.acquire_time);
        self.renew_time = cut(self.renew_time);
        self
    }
}

/// The store's version of an object (a Kubernetes `resourceVersion`, an etcd `mod_revision`).
///
/// Versions compare for equality. Whether they are *ordered*, so that a later write has a greater
/// one, is what the driver declares by the constructor it uses; only ordered versions give a
/// [`Token`](crate::election::Token).
///
/// ```
/// use tenure::lock::Version;
/// assert_eq!(Version::ordered(7).as_ordered(), Some(7));
/// assert_eq!(Version::opaque("7").as_ordered(), None);
/// assert_ne!(Version::ordered(7), Version::opaque("7"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(Form);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    Ordered(u64),
    Opaque(Arc<str>),
}

impl Version {
    /// A version of a store whose later writes have greater versions.
    #[must_use]
    pub const fn ordered(number: u64) -> Self {
        Self(Form::Ordered(number))
    }

    /// A version of which nothing is known but that it changes with each write.
    #[must_use]
    pub fn opaque(text: impl Into<Arc<str>>) -> Self {
        Self(Form::Opaque(text.into()))
    }

    /// The number, if the versions of this store are ordered.
    #[must_use]
    pub const fn as_ordered(&self) -> Option<u64> {
        match self.0 {
            Form::Ordered(number) => Some(number),
            Form::Opaque(_) => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Ordered(number) => write!(f, "{number}"),
            Form::Opaque(text) => f.write_str(text),
        }
    }
}

/// A record, the version it was seen at, and when *I* saw it first.
///
/// ```
/// use core::time::Duration;
/// use tenure::lock::{Observed, Record, Version};
/// use tenure::time::Instant;
/// let record = Record { holder: "a".into(), lease_duration_seconds: 15, ..Record::default() };
/// let seen = Observed { record, version: Version::ordered(7), at: Instant::default() };
/// // To read it again changes nothing: the wait goes on.
/// assert_eq!(seen.at + Duration::from_secs(15), Instant::from_nanos(15_000_000_000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Observed {
    /// What was seen.
    pub record: Record,
    /// The version it had.
    pub version: Version,
    /// When the answer that showed this version arrived, on the observer's own clock.
    pub at: Instant,
}

/// The holder that a lock of two objects shows while these name different ones
/// (client-go, `resourcelock.UnknownLeader`).
///
/// ```
/// assert_eq!(tenure::lock::UNKNOWN_HOLDER, "leaderelection.k8s.io/unknown");
/// ```
pub const UNKNOWN_HOLDER: &str = "leaderelection.k8s.io/unknown";

/// The kinds of object that can carry a lock.
///
/// ```
/// use tenure::lock::Kind;
/// assert_eq!(Kind::ConfigMap.to_string(), "ConfigMap");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `coordination.k8s.io/v1` Lease: what to use.
    Lease,
    /// `v1` `ConfigMap`: client-go's lock until its release 1.23, to migrate from.
    ConfigMap,
    /// `v1` Endpoints: client-go's lock until its release 1.23, to migrate from.
    Endpoints,
}

impl Kind {
    /// As in an object's field `kind`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lease => "Lease",
            Self::ConfigMap => "ConfigMap",
            Self::Endpoints => "Endpoints",
        }
    }
}

impl fmt::Display for Kind {
    /// As in an object's field `kind`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which object carries a lock.
///
/// ```
/// use tenure::lock::{Kind, LockRef};
/// let lock = LockRef::lease("default", "controller");
/// assert_eq!(lock.kind, Kind::Lease);
/// assert_eq!(lock.to_string(), "default/controller");
/// let old = LockRef { kind: Kind::ConfigMap, ..lock };
/// assert_eq!(old.name.as_ref(), "controller");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockRef {
    /// What it is.
    pub kind: Kind,
    /// Where it is; a backend without namespaces may ignore it.
    pub namespace: Arc<str>,
    /// What it is called.
    pub name: Arc<str>,
}

impl LockRef {
    /// A lock carried by a Lease.
    #[must_use]
    pub fn lease(namespace: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { kind: Kind::Lease, namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for LockRef {
    /// `namespace/name`, as client-go's `Describe`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// An object that carries a lock, as it is to be stored or as it was read. Cheap to clone.
///
/// ```
/// use tenure::lock::{Kind, Object, Record, lease::Lease};
/// let object = Object::Lease(Lease::default());
/// assert_eq!(object.kind(), Kind::Lease);
/// assert_eq!(object.record(), Ok(Record::default()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Object {
    /// A Lease.
    Lease(Lease),
    /// A `ConfigMap`.
    ConfigMap(Annotated),
    /// Endpoints.
    Endpoints(Annotated),
}

impl Object {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Lease(_) => Kind::Lease,
            Self::ConfigMap(_) => Kind::ConfigMap,
            Self::Endpoints(_) => Kind::Endpoints,
        }
    }

    /// Whether the record that the object carries names `identity`. Copies nothing of a Lease.
    pub(crate) fn is_held_by(&self, identity: &Identity) -> bool {
        match self {
            Self::Lease(lease) => lease.spec.holder_identity.as_ref() == Some(identity),
            Self::ConfigMap(object) | Self::Endpoints(object) => {
                object.record().is_ok_and(|record| record.holder == *identity)
            }
        }
    }

    /// Its metadata.
    #[must_use]
    pub const fn metadata(&self) -> &Arc<Metadata> {
        match self {
            Self::Lease(lease) => &lease.metadata,
            Self::ConfigMap(object) | Self::Endpoints(object) => &object.metadata,
        }
    }

    /// Its metadata, to be changed.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tenure::lock::{Object, lease::Lease};
    /// let mut object = Object::Lease(Lease::default());
    /// Arc::make_mut(object.metadata_mut()).labels.insert("team".into(), "storage".into());
    /// assert_eq!(object.metadata().labels.len(), 1);
    /// ```
    #[must_use]
    pub const fn metadata_mut(&mut self) -> &mut Arc<Metadata> {
        match self {
            Self::Lease(lease) => &mut lease.metadata,
            Self::ConfigMap(object) | Self::Endpoints(object) => &mut object.metadata,
        }
    }

    /// The record that the object carries; nobody's if it carries none.
    ///
    /// # Errors
    /// An annotation that Go does not read as a record. Never for a Lease.
    pub fn record(&self) -> Result<Record, WireError> {
        match self {
            Self::Lease(lease) => Ok(lease.spec.to_record()),
            Self::ConfigMap(object) | Self::Endpoints(object) => object.record(),
        }
    }
}
