//! What goes wrong on the way to the server and back.

use std::time::Duration;

/// Which calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls {
    /// Of this replica; of all, if empty.
    pub(crate) of: &'static str,
    /// Of this verb; of all, if empty.
    pub(crate) verb: &'static str,
    /// On this resource; on all, if empty.
    pub(crate) resource: &'static str,
}

/// What happens to them.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    /// This status and reason, and when to ask again, in seconds. Nothing is done.
    Refuse(u16, &'static str, Option<u64>),
    /// What a proxy says that knows no such path. Nothing is done.
    Proxy404,
    /// It is done, and the answer is 504.
    DoneThen504,
    /// It is done so much later, whether somebody still waits for the answer or not.
    Late(Duration),
    /// It is done at once, and answered so much later.
    AnsweredLate(Duration),
}

/// A fault that is there until it has happened so often.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) calls: Calls,
    pub(crate) effect: Effect,
    pub(crate) times: u32,
}

impl Fault {
    pub(crate) fn hits(&self, of: &str, verb: &str, resource: &str) -> bool {
        let Calls { of: who, verb: what, resource: on } = self.calls;
        let pairs = [(who, of), (what, verb), (on, resource)];
        self.times > 0 && pairs.iter().all(|(wanted, is)| wanted.is_empty() || wanted == is)
    }
}
