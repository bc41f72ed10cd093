//! Semantic versions, as Kubernetes reads and orders them (`github.com/blang/semver/v4`).

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

/// A semantic version (semver.org, 2.0.0). What follows `+` is checked and forgotten: it does not
/// count in comparisons.
///
/// ```
/// use tenure::lock::candidate::SemVer;
/// let version = |text| SemVer::parse(text).unwrap();
/// assert!(version("1.9.0") < version("1.10.0"));
/// assert!(version("1.10.0-beta.2") < version("1.10.0"));
/// assert_eq!(version("1.10.0+build"), version("1.10.0"));
/// assert_eq!(SemVer::parse_tolerant("v1.10"), Ok(version("1.10.0")));
/// assert!(SemVer::parse("v1.10").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct SemVer {
    major: u64,
    minor: u64,
    patch: u64,
    /// Before the release: the parts after `-`.
    pre: Vec<Part>,
}

/// In this order: numbers come before words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    Number(u64),
    Word(Arc<str>),
}

/// Why a text is no semantic version.
///
/// ```
/// use tenure::lock::candidate::{SemVer, SemVerError};
/// assert_eq!(SemVer::parse("1.36"), Err(SemVerError::Parts));
/// assert_eq!(SemVer::parse("1.036.0"), Err(SemVerError::LeadingZero));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SemVerError {
    /// It has not three parts with dots between them; a tolerant reader takes fewer, unless there is
    /// a `-` or `+` in the last.
    Parts,
    /// Major, minor or patch is no number below 2⁶⁴.
    Number,
    /// A number has a leading zero.
    LeadingZero,
    /// A part after `-` or `+` is empty, or has letters other than a to z, A to Z, 0 to 9 and `-`.
    Identifier,
}

impl fmt::Display for SemVerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parts => "there should be three numbers with dots between them",
            Self::Number => "major, minor and patch should be numbers below 2^64",
            Self::LeadingZero => "numbers should have no leading zeros",
            Self::Identifier => "what follows '-' or '+' should be letters, digits, '-' and dots",
        })
    }
}

impl core::error::Error for SemVerError {}

impl SemVer {
    /// Reads a version as validation does (`semver.Parse`).
    ///
    /// # Errors
    /// See [`SemVerError`].
    pub fn parse(text: &str) -> Result<Self, SemVerError> {
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(SemVerError::Parts);
        };
        let (major, minor) = (number(major)?, number(minor)?);
        let (rest, build) = split(rest, '+');
        let (patch, pre) = split(rest, '-');
        let patch = number(patch)?;
        let pre = pre.map_or(Ok(Vec::new()), |pre| pre.split('.').map(part).collect())?;
        if let Some(build) = build
            && !build.split('.').all(is_identifier)
        {
            return Err(SemVerError::Identifier);
        }
        Ok(Self { major, minor, patch, pre })
    }

    /// Reads a version as the coordinator does (`semver.ParseTolerant`): with blanks around it, a
    /// `v` before it, leading zeros, and without minor or patch.
    ///
    /// # Errors
    /// See [`SemVerError`].
    pub fn parse_tolerant(text: &str) -> Result<Self, SemVerError> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let parts: Vec<_> = text.splitn(3, '.').collect();
        let last = parts.last().copied().unwrap_or_default();
        if parts.len() < 3 && last.contains(['+', '-']) {
            return Err(SemVerError::Parts);
        }
        let mut full = String::new();
        for index in 0..3 {
            let part = parts.get(index).copied().unwrap_or("0");
            full.push_str(if index > 0 { "." } else { "" });
            // One character stays as it is; of more, a zero stands before what is no number.
            let short = if part.len() > 1 { part.trim_start_matches('0') } else { part };
            if part.len() > 1 && !short.starts_with(|first: char| first.is_ascii_digit()) {
                full.push('0');
            }
            full.push_str(short);
        }
        Self::parse(&full)
    }
}

impl Ord for SemVer {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        // A version comes after what was before its release.
        let released = self.pre.is_empty().cmp(&other.pre.is_empty());
        numbers(self).cmp(&numbers(other)).then(released).then_with(|| self.pre.cmp(&other.pre))
    }
}

impl PartialOrd for SemVer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The text before the first `mark`, and after it.
fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn number(text: &str) -> Result<u64, SemVerError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(SemVerError::Number);
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(SemVerError::LeadingZero);
    }
    text.parse().map_err(|_| SemVerError::Number)
}

fn part(text: &str) -> Result<Part, SemVerError> {
    if !is_identifier(text) {
        return Err(SemVerError::Identifier);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(text).map(Part::Number);
    }
    Ok(Part::Word(text.into()))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
