//! The state machine's doors.

use super::{Config, ConfigError, Event, Request, Response, Token};
use crate::lock::{Identity, Record};
use crate::time::{Instant, Now};

/// One replica's part in the election of a leader.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Elector {
    config: Config,
    holder: Identity,
}

/// What client-go's elector knows between two attempts; to seed and to compare it in replays.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ClientGoState {
    pub observed_record: Record,
    /// The record of the last GET, cut to whole seconds; `None` before the first.
    pub observed_raw: Option<Record>,
    /// `None` is Go's zero time.
    pub observed_time: Option<Instant>,
    pub reported_leader: Identity,
    /// The object that LeaseLock holds.
    pub held: Option<super::Stored>,
}

#[expect(clippy::todo, unused_variables, clippy::must_use_candidate, reason = "being written")]
impl Elector {
    /// # Errors
    pub fn new(config: Config, seed: u64, now: Instant) -> Result<Self, ConfigError> {
        todo!()
    }
    #[doc(hidden)]
    pub fn unchecked(config: Config, seed: u64, now: Instant) -> Self {
        todo!()
    }
    /// ClientGo only: a fresh elector, about to make its first attempt at `now`, that knows `state`.
    #[doc(hidden)]
    pub fn resume_client_go(config: Config, now: Instant, state: ClientGoState) -> Self {
        todo!()
    }
    /// ClientGo only: starts `release()` now, as if the renew loop had just ended.
    #[doc(hidden)]
    pub fn release_client_go(&mut self, now: Now) {
        todo!()
    }
    #[doc(hidden)]
    pub fn client_go_state(&self) -> Option<ClientGoState> {
        todo!()
    }
    /// Full holder name.
    pub fn identity(&self) -> &Identity {
        &self.holder
    }
    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }
    /// Early or repeated does nothing, late acts at `now`.
    pub fn handle_timeout(&mut self, now: Now) {
        todo!()
    }
    /// A response to any but the outstanding request is ignored.
    pub fn handle_response(&mut self, now: Now, response: Response) {
        todo!()
    }
    /// Ask for an attempt at once.
    pub fn poke(&mut self, now: Now) {
        todo!()
    }
    /// Give up for good (client-go: the context is cancelled).
    pub fn stop(&mut self, now: Now) {
        todo!()
    }
    /// Strict: the work that `StoppedLeading` told to stop has stopped. ClientGo: ignored.
    pub fn work_stopped(&mut self, now: Now) {
        todo!()
    }
    /// At most one outstanding.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<Request> {
        todo!()
    }
    /// Next event.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event> {
        todo!()
    }
    /// When to call `handle_timeout`.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        todo!()
    }
    /// May I act? Strict: bounded by time. ClientGo: client-go's `IsLeader()`, which is not.
    pub fn is_leading(&self, now: Instant) -> bool {
        todo!()
    }
    /// While leading.
    pub fn fencing_token(&self) -> Option<Token> {
        todo!()
    }
    /// Nothing more will happen (client-go: Run has returned).
    pub fn is_finished(&self) -> bool {
        todo!()
    }
}
