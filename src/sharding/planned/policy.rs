use core::{error, fmt};

/// What the leader aims at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Policy {}

impl Policy {
    /// Whether it can be followed.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub const fn validate(&self) -> Result<(), PolicyError> {
        Ok(())
    }
}

/// A policy that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicyError {}

impl fmt::Display for PolicyError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl error::Error for PolicyError {}
