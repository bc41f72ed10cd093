//! The `LeaseCandidate` object of coordinated leader election (KEP-4355): a replica says that it
//! could lead, in which version, and that it is alive.
//!
//! Fields and rules are those of `coordination.k8s.io/v1beta1` (Kubernetes 1.33 and later; its
//! `pkg/apis/coordination/validation`). Who reads and writes them:
//! [`election::coordinated`](crate::election::coordinated).
//!
//! A `LeaseCandidate` has no JSON here: drivers that speak to Kubernetes have a type for it already.

mod semver;

use alloc::sync::Arc;
use core::fmt;

use super::lease::Metadata;
use crate::time::Timestamp;
pub use semver::{SemVer, SemVerError};

/// The one strategy that Kubernetes defines: whoever emulates the oldest version leads, so that a
/// cluster that is being upgraded goes on as it was.
///
/// ```
/// use tenure::lock::candidate::OLDEST_EMULATION_VERSION;
/// assert_eq!(OLDEST_EMULATION_VERSION, "OldestEmulationVersion");
/// ```
pub const OLDEST_EMULATION_VERSION: &str = "OldestEmulationVersion";

/// A replica that could lead. Its name is the identity under which it would hold the Lease.
///
/// ```
/// use tenure::lock::candidate::{LeaseCandidate, LeaseCandidateSpec, OLDEST_EMULATION_VERSION};
/// use tenure::lock::lease::Metadata;
///
/// let metadata = Metadata { name: "controller-0".into(), ..Metadata::default() };
/// let spec = LeaseCandidateSpec {
///     lease_name: "controller".into(),
///     binary_version: "1.36.2".into(),
///     emulation_version: "1.35.0".into(),
///     strategy: OLDEST_EMULATION_VERSION.into(),
///     ..LeaseCandidateSpec::default()
/// };
/// let candidate = LeaseCandidate { metadata: metadata.into(), created: None, spec };
/// assert_eq!(candidate.validate(), Ok(()));
///
/// let mut newer = candidate.clone();
/// newer.spec.emulation_version = "1.37.0".into();
/// assert_eq!(
///     newer.validate().unwrap_err().to_string(),
///     "spec.binaryVersion is 1.36.2: it must be greater than or equal to spec.emulationVersion, 1.37.0",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct LeaseCandidate {
    /// Name, labels and the like.
    pub metadata: Arc<Metadata>,
    /// When the store made it, by the store's wall clock (`metadata.creationTimestamp`); absent
    /// before it is stored. Decides between candidates of equal versions.
    pub created: Option<Timestamp>,
    /// What it says.
    pub spec: LeaseCandidateSpec,
}

/// `spec` of a [`LeaseCandidate`]. Texts are empty where they are absent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct LeaseCandidateSpec {
    /// The Lease that it could hold, in its own namespace. Does not change.
    pub lease_name: Arc<str>,
    /// When the coordinator last asked whether it is alive, by the coordinator's wall clock.
    pub ping_time: Option<Timestamp>,
    /// When it last said so, by its own wall clock.
    pub renew_time: Option<Timestamp>,
    /// The version that it is.
    pub binary_version: Arc<str>,
    /// The version that it behaves as; at most the version that it is.
    pub emulation_version: Arc<str>,
    /// How the leader is to be chosen: [`OLDEST_EMULATION_VERSION`], or a name with a domain
    /// (`example.com/fastest`), which Kubernetes' coordinator leaves to somebody else.
    pub strategy: Arc<str>,
}

impl LeaseCandidate {
    /// Whether a Kubernetes API server takes it (`ValidateLeaseCandidate`): the first thing that is
    /// wrong, where Kubernetes lists all.
    ///
    /// # Errors
    /// See [`CandidateError`].
    pub fn validate(&self) -> Result<(), CandidateError> {
        validate_name(&self.metadata.name)?;
        self.spec.validate()
    }

    /// Whether it may be stored over `old` (`ValidateLeaseCandidateUpdate`).
    ///
    /// # Errors
    /// As [`validate`](Self::validate), or another Lease than before.
    ///
    /// ```
    /// # use tenure::lock::candidate::{LeaseCandidate, LeaseCandidateSpec, OLDEST_EMULATION_VERSION};
    /// # use tenure::lock::lease::Metadata;
    /// # let metadata = Metadata { name: "controller-0".into(), ..Metadata::default() };
    /// # let spec = LeaseCandidateSpec {
    /// #     lease_name: "controller".into(),
    /// #     binary_version: "1.36.2".into(),
    /// #     emulation_version: "1.35.0".into(),
    /// #     strategy: OLDEST_EMULATION_VERSION.into(),
    /// #     ..LeaseCandidateSpec::default()
    /// # };
    /// # let old = LeaseCandidate { metadata: metadata.into(), created: None, spec };
    /// let mut upgraded = old.clone();
    /// upgraded.spec.binary_version = "1.37.0".into();
    /// assert_eq!(upgraded.validate_update(&old), Ok(()));
    /// upgraded.spec.lease_name = "another".into();
    /// assert!(upgraded.validate_update(&old).is_err());
    /// ```
    pub fn validate_update(&self, old: &Self) -> Result<(), CandidateError> {
        self.validate()?;
        if self.spec.lease_name != old.spec.lease_name {
            return Err(CandidateError::LeaseNameChanged {
                found: self.spec.lease_name.clone(),
                old: old.spec.lease_name.clone(),
            });
        }
        Ok(())
    }
}

impl LeaseCandidateSpec {
    /// Whether it has answered the last ping: an unasked one has. Compares times of two wall
    /// clocks.
    ///
    /// ```
    /// use tenure::lock::candidate::LeaseCandidateSpec;
    /// use tenure::time::Timestamp;
    /// let at = |seconds| Timestamp::from_unix(seconds, 0);
    /// let mut spec = LeaseCandidateSpec { ping_time: at(60), renew_time: at(59), ..Default::default() };
    /// assert!(!spec.is_acked());
    /// spec.renew_time = at(60);
    /// assert!(spec.is_acked());
    /// ```
    #[must_use]
    pub fn is_acked(&self) -> bool {
        match (self.ping_time, self.renew_time) {
            (Some(ping), Some(renew)) => renew >= ping,
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    fn validate(&self) -> Result<(), CandidateError> {
        if self.lease_name.is_empty() {
            return Err(CandidateError::Missing { field: "spec.leaseName" });
        }
        let emulation = parse("spec.emulationVersion", &self.emulation_version)?;
        let Some(binary) = parse("spec.binaryVersion", &self.binary_version)? else {
            return Err(CandidateError::Missing { field: "spec.binaryVersion" });
        };
        if emulation.as_ref().is_some_and(|emulation| binary < *emulation) {
            return Err(CandidateError::EmulatesFuture {
                binary: self.binary_version.clone(),
                emulation: self.emulation_version.clone(),
            });
        }
        if self.strategy.is_empty() {
            return Err(CandidateError::Missing { field: "spec.strategy" });
        }
        // Kubernetes takes 0.0.0 for absent too.
        let absent = emulation.is_none_or(|emulation| emulation == SemVer::default());
        if &*self.strategy == OLDEST_EMULATION_VERSION && absent {
            return Err(CandidateError::EmulationMissing);
        }
        validate_strategy(&self.strategy)
    }
}

/// Why a [`LeaseCandidate`] is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CandidateError {
    /// The name is no key of a `ConfigMap`, as Kubernetes wants it to be.
    Name {
        /// The name.
        found: Arc<str>,
    },
    /// A field that must not be empty is.
    Missing {
        /// Its path.
        field: &'static str,
    },
    /// A version is no semantic version.
    Version {
        /// The path of the field.
        field: &'static str,
        /// What it says.
        found: Arc<str>,
        /// What is wrong with it.
        error: SemVerError,
    },
    /// It emulates a version later than its own.
    EmulatesFuture {
        /// The version that it is.
        binary: Arc<str>,
        /// The version that it emulates.
        emulation: Arc<str>,
    },
    /// The strategy compares emulated versions, and there is none.
    EmulationMissing,
    /// The strategy is neither Kubernetes' own nor a name with a domain.
    Strategy {
        /// The strategy.
        found: Arc<str>,
    },
    /// The request time-out of a
    /// [candidate's configuration](crate::election::coordinated::CandidateConfig) is zero: every
    /// request would be given up at once.
    RequestTimeoutZero,
    /// An update names another Lease.
    LeaseNameChanged {
        /// The Lease that it names.
        found: Arc<str>,
        /// The Lease that it named before.
        old: Arc<str>,
    },
}

impl fmt::Display for CandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { found } => write!(
                f,
                "metadata.name is {found:?}: it must be 1 to 253 letters, digits, '-', '_' or '.', \
                 and not be '.' or begin with '..'"
            ),
            Self::Missing { field } => write!(f, "{field} is missing: it is required"),
            Self::Version { field, found, error } => {
                write!(f, "{field} is {found:?}: it must be a semantic version, as 1.36.2; {error}")
            }
            Self::EmulatesFuture { binary, emulation } => write!(
                f,
                "spec.binaryVersion is {binary}: \
                 it must be greater than or equal to spec.emulationVersion, {emulation}"
            ),
            Self::EmulationMissing => write!(
                f,
                "spec.emulationVersion is missing: \
                 it is required when spec.strategy is {OLDEST_EMULATION_VERSION}"
            ),
            Self::Strategy { found } => write!(
                f,
                "spec.strategy is {found:?}: it must be {OLDEST_EMULATION_VERSION}, \
                 or a name with a domain, as example.com/fastest"
            ),
            Self::RequestTimeoutZero => f.write_str(
                "request_timeout must be greater than zero, or None for no limit: it is 0ns",
            ),
            Self::LeaseNameChanged { found, old } => {
                write!(f, "spec.leaseName is {found}: it was {old} and must not change")
            }
        }
    }
}

impl core::error::Error for CandidateError {}

/// The version in a field; `None` if the field is empty.
fn parse(field: &'static str, text: &Arc<str>) -> Result<Option<SemVer>, CandidateError> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |error| CandidateError::Version { field, found: text.clone(), error };
    SemVer::parse(text).map(Some).map_err(wrong)
}

/// `IsConfigMapKey`.
fn validate_name(name: &Arc<str>) -> Result<(), CandidateError> {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let length = (1..=253).contains(&name.len());
    if letters && length && &**name != "." && !name.starts_with("..") {
        return Ok(());
    }
    Err(CandidateError::Name { found: name.clone() })
}

/// `ValidateCoordinatedLeaseStrategy`.
fn validate_strategy(strategy: &Arc<str>) -> Result<(), CandidateError> {
    let good = match strategy.split_once('/') {
        None => &**strategy == OLDEST_EMULATION_VERSION,
        Some((domain, name)) => is_domain(domain) && is_name(name),
    };
    if good { Ok(()) } else { Err(CandidateError::Strategy { found: strategy.clone() }) }
}

/// A DNS subdomain (RFC 1123), in lower case.
fn is_domain(text: &str) -> bool {
    let part = |part: &str| {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty()
            && part.bytes().all(letters)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

/// The part of a qualified name after its domain.
fn is_name(text: &str) -> bool {
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.len() <= 63
        && text.bytes().all(letters)
        && ends(text.bytes().next())
        && ends(text.bytes().last())
}
