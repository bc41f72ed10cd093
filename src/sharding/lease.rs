//! A member's record as a Kubernetes Lease, which `kubectl get lease` shows as people expect.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::num::NonZeroU32;
use core::time::Duration;
use core::{error, fmt, str};

use super::{MemberRecord, State};
use crate::lock::Identity;
use crate::lock::lease::{Entries, Lease};
use crate::placement::Member;
use crate::time::Timestamp;

/// The label by which the records of a group are listed and watched; its value is the group's name.
///
/// ```
/// assert_eq!(tenure::sharding::GROUP_LABEL, "tenure.dev/group");
/// ```
pub const GROUP_LABEL: &str = "tenure.dev/group";

const STATE: &str = "tenure.dev/state";
const INCARNATION: &str = "tenure.dev/incarnation";
const ACTED_ON: &str = "tenure.dev/acted-on";
const WEIGHT: &str = "tenure.dev/weight";
const ZONE: &str = "tenure.dev/zone";
const CONFIGURATION: &str = "tenure.dev/configuration";

/// More bytes than a name of Kubernetes has are no name, zone or incarnation.
const LONGEST: usize = 253;

impl MemberRecord {
    /// The record as a Lease called `<group>-<member>`, to be created.
    ///
    /// | of the Lease | is |
    /// | --- | --- |
    /// | label `tenure.dev/group` | the group: a view is one list by it, its version the list's |
    /// | annotations `tenure.dev/state`, `incarnation`, `configuration`, `weight` | as they are written |
    /// | annotations `tenure.dev/acted-on`, `zone` | the same; absent where there is none |
    /// | `holderIdentity` | member and incarnation; empty once it has left or was excluded |
    /// | `leaseDurationSeconds` | the lease duration, rounded up to whole seconds |
    /// | `acquireTime`, `renewTime` | when it joined and renewed last, to the microsecond |
    /// | `leaseTransitions` | the number of the life |
    ///
    /// The label says whose a Lease is, not its name: a member `b-c` of a group `a`, and a member `c` of a
    /// group `a-b`, have Leases of one name. Only one of the two is created, the other member never
    /// joins, and neither group takes it for its own. So no group of a namespace should be called as
    /// another with `-` and more.
    ///
    /// # Errors
    /// Kubernetes does not allow the name or the label, or the record would be none to
    /// [its reader](Self::from_lease).
    ///
    /// ```
    /// use core::time::Duration;
    /// use tenure::sharding::{Generation, Incarnation, MemberRecord, State};
    /// let record = MemberRecord {
    ///     member: "controller-0".into(),
    ///     state: State::Active,
    ///     incarnation: Incarnation { process: "6ba7b810".into(), life: 1 },
    ///     acted_on: Some(4711),
    ///     generation: Generation { number: 1, fingerprint: 0x1a },
    ///     lease_duration: Duration::from_secs(15),
    ///     joined: None,
    ///     renewed: None,
    /// };
    /// let lease = record.to_lease("default", "shards")?;
    /// assert_eq!(&*lease.metadata.name, "shards-controller-0");
    /// assert_eq!(lease.spec.holder_identity.as_ref().unwrap().as_str(), "controller-0_6ba7b810.1");
    /// assert_eq!(&*lease.metadata.annotations["tenure.dev/acted-on"], "4711");
    /// assert_eq!(MemberRecord::from_lease(&lease, "shards")?, record);
    /// assert_eq!(
    ///     record.to_lease("default", "my shards").unwrap_err().to_string(),
    ///     "group is \"my shards\": write at most 63 small letters, digits, '-' or '.', with a letter or \
    ///      digit first and last",
    /// );
    /// # Ok::<(), tenure::sharding::RecordError>(())
    /// ```
    pub fn to_lease(
        &self,
        namespace: impl Into<Arc<str>>,
        group: impl Into<Arc<str>>,
    ) -> Result<Lease, RecordError> {
        let group = group.into();
        if group.len() > 63 || !is_subdomain(&group) {
            let remedy = "write at most 63 small letters, digits, '-' or '.', with a letter or digit \
                          first and last";
            return Err(RecordError::new("group", Some(&group), remedy));
        }
        if !is_subdomain(self.name()) {
            let remedy =
                "write small letters, digits, '-' or '.', with a letter or digit first and last";
            return Err(RecordError::new("member", Some(self.name()), remedy));
        }
        let mut lease = Lease::default();
        let metadata = Arc::make_mut(&mut lease.metadata);
        metadata.namespace = namespace.into();
        metadata.name = format!("{group}-{}", self.name()).into();
        metadata.labels.insert(GROUP_LABEL.into(), Arc::clone(&group));
        self.put_into(&mut lease, &group)?;
        Ok(lease)
    }

    /// Puts the record into the Lease that was read, to be stored over it: what others have put there,
    /// such as owner references, labels and annotations, stays.
    ///
    /// # Errors
    /// It is the Lease of another member or group, or the record would be none to
    /// [its reader](Self::from_lease), as with a zone of 300 letters. The Lease is then what it was.
    ///
    /// ```
    /// # use tenure::lock::lease::Lease;
    /// # use tenure::sharding::{MemberRecord, State};
    /// fn leave(mut lease: Lease) -> Result<Lease, tenure::sharding::RecordError> {
    ///     let record = MemberRecord::from_lease(&lease, "shards")?;
    ///     MemberRecord { state: State::Left, ..record }.put_into(&mut lease, "shards")?;
    ///     assert!(lease.spec.holder_identity.as_ref().unwrap().is_empty());
    ///     Ok(lease)
    /// }
    /// # assert!(leave(Lease::default()).is_err());
    /// ```
    pub fn put_into(&self, lease: &mut Lease, group: &str) -> Result<(), RecordError> {
        let mut written = lease.clone();
        self.write(&mut written);
        let read = Self::from_lease(&written, group)?;
        if read.member != self.member || read.incarnation != self.incarnation {
            let remedy = "it is not the Lease of this member";
            return Err(RecordError::new("metadata.name", Some(&lease.metadata.name), remedy));
        }
        *lease = written;
        Ok(())
    }

    fn write(&self, lease: &mut Lease) {
        let entries = [
            (STATE, Some(self.state.to_string())),
            (INCARNATION, Some(self.incarnation.to_string())),
            (ACTED_ON, self.acted_on.map(|version| version.to_string())),
            (WEIGHT, Some(self.member.weight().to_string())),
            (ZONE, self.member.zone().map(str::to_owned)),
            (CONFIGURATION, Some(self.generation.to_string())),
        ];
        for (key, value) in entries {
            if lease.metadata.annotations.get(key).map(|value| &**value) == value.as_deref() {
                continue; // no copy of shared metadata
            }
            let annotations = &mut Arc::make_mut(&mut lease.metadata).annotations;
            match value {
                Some(value) => annotations.insert(key.into(), value.into()),
                None => annotations.remove(key),
            };
        }
        let holder = if self.state.counts() {
            Identity::from(format!("{}_{}", self.name(), self.incarnation))
        } else {
            Identity::default()
        };
        let rest = u64::from(self.lease_duration.subsec_nanos() > 0);
        let seconds = self.lease_duration.as_secs().saturating_add(rest);
        let spec = &mut lease.spec;
        spec.holder_identity = Some(holder);
        spec.lease_duration_seconds = Some(i32::try_from(seconds).unwrap_or(i32::MAX));
        spec.acquire_time = self.joined.map(Timestamp::truncate_to_micros);
        spec.renew_time = self.renewed.map(Timestamp::truncate_to_micros);
        spec.lease_transitions = Some(i32::try_from(self.incarnation.life).unwrap_or(i32::MAX));
    }

    /// The record in a Lease of `group`. Its times and its holder decide nothing, and are not checked.
    ///
    /// # Errors
    /// The Lease is no record of this group, or one that cannot be read: changed by hand, or written by a
    /// later release. Whoever lists the group tells people of that, and goes on with what
    /// [`RecordError::instead`] says: one that cannot be read must not be left out, as if its member were
    /// gone.
    ///
    /// ```
    /// use tenure::lock::lease::Lease;
    /// use tenure::sharding::{MemberRecord, StoredMember};
    /// /// What a list of the group's Leases shows, with their versions.
    /// fn members(leases: &[(Lease, u64)], group: &str) -> Vec<StoredMember> {
    ///     let read = |(lease, version): &(Lease, u64)| {
    ///         let record = MemberRecord::from_lease(lease, group).or_else(|error| {
    ///             eprintln!("{}: {error}", lease.metadata.name);
    ///             error.instead().ok_or(error)
    ///         });
    ///         Some(StoredMember { record: record.ok()?.into(), version: *version })
    ///     };
    ///     leases.iter().filter_map(read).collect()
    /// }
    /// # assert!(members(&[(Lease::default(), 1)], "shards").is_empty());
    /// ```
    pub fn from_lease(lease: &Lease, group: &str) -> Result<Self, RecordError> {
        let name = member_of(lease, group)?;
        let duration = lease_duration(lease);
        // Whoever knows no duration waits for its own, at least.
        let known = duration.as_ref().map_or(Duration::ZERO, |duration| *duration);
        let record = duration.and_then(|duration| Self::read(lease, name, duration));
        record.map_err(|error| {
            let instead = Self::unreadable(name, known);
            RecordError { instead: Some(Box::new(instead)), ..error }
        })
    }

    fn read(lease: &Lease, name: &str, lease_duration: Duration) -> Result<Self, RecordError> {
        let annotations = &lease.metadata.annotations;
        let weight: NonZeroU32 =
            parsed(annotations, WEIGHT, "write a number from 1 to 4294967295")?;
        let zone = annotations.contains_key(ZONE).then(|| read(annotations, ZONE)).transpose()?;
        let member = Member::from(name).with_weight(weight).in_zone(zone.unwrap_or(""));
        let version = "write a version of the store, or leave it out";
        let acted_on =
            annotations.contains_key(ACTED_ON).then(|| parsed(annotations, ACTED_ON, version));
        let present = |time: Option<Timestamp>| time.filter(|time| *time != Timestamp::GO_ZERO);
        let states = "write Joining, Active, Draining, Left or Excluded";
        let lives = "write a process, a point and a number, as 6ba7b810.1";
        let numbers = "write a number, '-' and 16 hexadecimal digits, as 3-000000000000001a";
        Ok(Self {
            member,
            state: parsed::<State>(annotations, STATE, states)?,
            incarnation: parsed(annotations, INCARNATION, lives)?,
            acted_on: acted_on.transpose()?,
            generation: parsed(annotations, CONFIGURATION, numbers)?,
            lease_duration,
            joined: present(lease.spec.acquire_time),
            renewed: present(lease.spec.renew_time),
        })
    }
}

/// The name of the member whose record a Lease is, if it is one of `group`. (The name of an object never
/// changes.)
fn member_of<'a>(lease: &'a Lease, group: &str) -> Result<&'a str, RecordError> {
    let metadata = &*lease.metadata;
    let label = read(&metadata.labels, GROUP_LABEL)?;
    if label != group {
        let remedy = "it belongs to that group: list by the label and the name of the own one";
        return Err(RecordError::new(GROUP_LABEL, Some(label), remedy));
    }
    let rest = metadata.name.strip_prefix(group).and_then(|rest| rest.strip_prefix('-'));
    let name = rest.filter(|name| !name.is_empty() && metadata.name.len() <= LONGEST);
    name.ok_or_else(|| {
        let remedy =
            "it must be the value of the label tenure.dev/group, '-' and the member's name";
        RecordError::new("metadata.name", Some(&metadata.name), remedy)
    })
}

fn lease_duration(lease: &Lease) -> Result<Duration, RecordError> {
    let seconds = lease.spec.lease_duration_seconds;
    let duration = seconds.and_then(|seconds| u64::try_from(seconds).ok()).filter(|s| *s > 0);
    duration.map(Duration::from_secs).ok_or_else(|| {
        let found = seconds.map(|seconds| seconds.to_string());
        RecordError::new("spec.leaseDurationSeconds", found.as_deref(), "write at least 1")
    })
}

/// A DNS subdomain (RFC 1123), as the names of most things are in Kubernetes.
fn is_subdomain(text: &str) -> bool {
    let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.split('.').all(|part| {
        let ends = part.starts_with('-') || part.ends_with('-');
        !part.is_empty() && !ends && part.bytes().all(small)
    })
}

/// A label or annotation, which must be there.
fn read<'a>(entries: &'a Entries, key: &'static str) -> Result<&'a str, RecordError> {
    const REMEDY: &str = "if this Lease is no member's record, take the label tenure.dev/group off it; \
                          else stop the member that wrote it and delete it";
    match entries.get(key) {
        Some(text) if !text.is_empty() && text.len() <= LONGEST => Ok(text),
        Some(text) => Err(RecordError::new(key, Some(text), "write 1 to 253 bytes")),
        None => Err(RecordError::new(key, None, REMEDY)),
    }
}

/// The value of a label or annotation, in the one form in which it is written.
fn parsed<T: str::FromStr + fmt::Display>(
    entries: &Entries,
    key: &'static str,
    remedy: &'static str,
) -> Result<T, RecordError> {
    let text = read(entries, key)?;
    let value = text.parse::<T>().ok().filter(|value| value.to_string() == text);
    value.ok_or_else(|| RecordError::new(key, Some(text), remedy))
}

/// A Lease that holds no member's record.
///
/// ```
/// use tenure::lock::lease::Lease;
/// use tenure::sharding::MemberRecord;
/// let error = MemberRecord::from_lease(&Lease::default(), "shards").unwrap_err();
/// assert!(error.to_string().starts_with("tenure.dev/group is missing: "));
/// assert_eq!(error.field(), "tenure.dev/group");
/// assert_eq!(error.instead(), None); // it is none of the group
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordError {
    field: &'static str,
    found: Option<String>,
    remedy: &'static str,
    instead: Option<Box<MemberRecord>>,
}

impl RecordError {
    fn new(field: &'static str, found: Option<&str>, remedy: &'static str) -> Self {
        let excerpt = |text: &str| {
            let mut excerpt: String = text.chars().take(60).collect();
            if excerpt.len() < text.len() {
                excerpt.push('…');
            }
            excerpt
        };
        Self { field, found: found.map(excerpt), remedy, instead: None }
    }

    /// What to hand in, in place of a record that cannot be read
    /// ([`MemberRecord::unreadable`]); none if the Lease is no record of the group, and to be left out.
    #[must_use]
    pub fn instead(&self) -> Option<MemberRecord> {
        self.instead.as_deref().cloned()
    }

    /// The label, annotation or field that is wrong.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Some(found) => write!(f, "{} is {found:?}: {}", self.field, self.remedy),
            None => write!(f, "{} is missing: {}", self.field, self.remedy),
        }
    }
}

impl error::Error for RecordError {}

#[cfg(test)]
mod tests;
