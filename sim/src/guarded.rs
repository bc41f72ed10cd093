//! The guarded resource: what the work of leaders changes. It takes a write if and only if its
//! fencing token is at least the greatest that it has seen.

use std::collections::BTreeMap;

/// A write to the guarded resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Write {
    /// Which thing of it; each has its own greatest token.
    pub key: u32,
    /// The writer's fencing token.
    pub token: Option<u64>,
    /// What to write; the resource does not look at it.
    pub value: u64,
}

/// The guarded resource.
///
/// ```
/// use tenure_sim::guarded::{Resource, Write};
///
/// let mut resource = Resource::new(false);
/// let write = |token| Write { key: 0, token, value: 42 };
/// assert!(resource.write(&write(Some(3))));
/// // The next leader writes; the last one, which does not know yet, may no more.
/// assert!(resource.write(&write(Some(4))));
/// assert!(!resource.write(&write(Some(3))));
/// assert_eq!(resource.greatest(0), Some(4));
/// // Whoever has no token may if the resource was made so.
/// assert!(!resource.write(&write(None)) && Resource::new(true).write(&write(None)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Resource {
    accept_unfenced: bool,
    /// The first key's, which most runs use alone.
    first: Option<u64>,
    others: BTreeMap<u32, u64>,
}

impl Resource {
    /// A resource that no one has written to.
    #[must_use]
    pub fn new(accept_unfenced: bool) -> Self {
        Self { accept_unfenced, ..Self::default() }
    }

    /// Whether it takes the write.
    pub fn write(&mut self, write: &Write) -> bool {
        let Some(token) = write.token else { return self.accept_unfenced };
        let greatest = match write.key {
            0 => self.first.get_or_insert(token),
            key => self.others.entry(key).or_insert(token),
        };
        let accepted = token >= *greatest;
        *greatest = token.max(*greatest);
        accepted
    }

    /// The greatest token seen for a key.
    #[must_use]
    pub fn greatest(&self, key: u32) -> Option<u64> {
        if key == 0 { self.first } else { self.others.get(&key).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_token_is_refused_for_ever_and_each_key_is_on_its_own() {
        let mut resource = Resource::new(false);
        let mut write = |key, token| resource.write(&Write { key, token, value: 0 });
        assert!(write(0, Some(5)));
        assert!(write(0, Some(5)));
        assert!(write(0, Some(9)));
        assert!(!write(0, Some(5)));
        assert!(write(7, Some(5)));
        assert!(!write(0, None));
        assert_eq!((resource.greatest(0), resource.greatest(7)), (Some(9), Some(5)));
        assert!(Resource::new(true).write(&Write { key: 0, token: None, value: 0 }));
    }
}
