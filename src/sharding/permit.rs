use super::Slot;
use crate::election::Token;
use crate::time::Instant;

/// The right to work on a slot for a time, to be carried by the work itself: it can be checked without
/// the machine that gave it.
///
/// It is not extended. Work that takes longer asks [`Sharder::permit`](super::Sharder::permit) again
/// before `until`: while the slot is owned the new one has the same token and ends later. After
/// [`Revoking`](super::Event::Revoking) there is none, and what was begun may use up the one it has: that
/// stays valid until it ends. So a queue, which *begins* work, asks [`owns`](super::Sharder::owns) for
/// each piece, and not a permit that was taken earlier. After [`Lapsed`](super::Event::Lapsed) its
/// `until` is over, or work on it has to stop all the same.
///
/// ```
/// use tenure::election::Token;
/// use tenure::sharding::{Permit, Slots};
/// use tenure::time::Instant;
/// let slot = Slots::new(8)?.get(3).unwrap();
/// let permit =
///     Permit { slot, token: Token::from_u64(42), until: Instant::from_nanos(10_000_000_000) };
/// assert!(permit.is_valid(Instant::from_nanos(9_999_999_999)));
/// assert!(!permit.is_valid(Instant::from_nanos(10_000_000_000)));
/// # Ok::<(), tenure::sharding::SlotsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Permit {
    /// On what.
    pub slot: Slot,
    /// Orders the owners of the slot: give it to the resources that the work changes.
    pub token: Token,
    /// No act may begin at or after this instant, and what must not overlap with the next owner's must
    /// have ended by then.
    pub until: Instant,
}

impl Permit {
    /// Whether the right lasts at `now`. It says nothing of what has been
    /// [revoked](super::Event::Revoking) since.
    #[must_use]
    #[inline]
    pub fn is_valid(&self, now: Instant) -> bool {
        now < self.until
    }
}
