//! Who may act: the one question that work asks, whichever machine answers it.

use tenure::time::Instant;

/// The right to act on one object, for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Greater than that of whoever had the right before.
    pub token: u64,
    /// No act may begin at or after this instant.
    pub until: Instant,
}

/// What is shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Whether it may act on everything, as a leader.
    pub leading: bool,
    /// On how many slots it may act, as a member.
    pub slots: u32,
    /// When its right ends if no renewal succeeds.
    pub until: Option<Instant>,
}

/// Whoever answers whether this replica may act.
pub trait Authority: Send + Sync {
    /// The right to act on the object with this UID, if there is one at `now`. To be asked right before
    /// each act, since events arrive late in a process that was paused.
    fn grant(&self, uid: &str, now: Instant) -> Option<Grant>;

    /// What holds at `now`. Must not wait for long: health and metrics ask.
    fn standing(&self, now: Instant) -> Standing;
}
