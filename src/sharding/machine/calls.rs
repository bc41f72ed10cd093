//! What was asked and is not answered yet.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::sharding::outbox::Outbox;
use crate::sharding::{MemberRecord, Op, RequestId};
use crate::time::Instant;

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Calls {
    under_way: Vec<Call>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) id: RequestId,
    pub(super) sent: Instant,
    pub(super) deadline: Instant,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// This write of the own record; there is at most one.
    Write(Write, Arc<MemberRecord>),
    /// A read of all records; there is at most one.
    List,
    /// A read of the plan.
    ReadPlan,
    /// Another's record is to say Excluded; of which version.
    Exclude(Arc<str>, u64),
    /// An old record is to be deleted; of which version.
    Collect(Arc<str>, u64),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Write {
    Join,
    /// With what it acknowledges, and over which version.
    Renew {
        acted_on: u64,
        over: u64,
    },
    Leave,
}

impl Calls {
    pub(super) fn send(
        &mut self,
        out: &mut Outbox,
        (now, deadline): (Instant, Instant),
        kind: Kind,
        op: Op,
    ) {
        let id = out.request(op, deadline);
        self.under_way.push(Call { id, sent: now, deadline, kind });
    }

    pub(super) fn take(&mut self, id: RequestId) -> Option<Call> {
        let at = self.under_way.iter().position(|call| call.id == id)?;
        Some(self.under_way.swap_remove(at))
    }

    /// One whose deadline has come.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Option<Call> {
        let at = self.under_way.iter().position(|call| call.deadline <= now)?;
        Some(self.under_way.swap_remove(at))
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.under_way.iter().map(|call| call.deadline).min()
    }

    pub(super) fn all(&self) -> &[Call] {
        &self.under_way
    }

    pub(super) fn all_mut(&mut self) -> &mut [Call] {
        &mut self.under_way
    }

    pub(super) fn writing(&self) -> bool {
        self.under_way.iter().any(|call| matches!(call.kind, Kind::Write(..)))
    }

    pub(super) fn reading(&self) -> bool {
        self.under_way.iter().any(|call| call.kind == Kind::List)
    }

    pub(super) fn planning(&self) -> bool {
        self.under_way.iter().any(|call| call.kind == Kind::ReadPlan)
    }

    pub(super) fn collecting(&self, name: &str) -> bool {
        self.under_way
            .iter()
            .any(|call| matches!(&call.kind, Kind::Collect(other, _) if **other == *name))
    }

    /// The answer to the write under way is of no more use.
    pub(super) fn drop_write(&mut self, out: &mut Outbox) {
        self.drop_all(out, |kind| matches!(kind, Kind::Write(..)));
    }

    /// Nor is that to a read of the plan.
    pub(super) fn drop_plan(&mut self, out: &mut Outbox) {
        self.drop_all(out, |kind| *kind == Kind::ReadPlan);
    }

    fn drop_all(&mut self, out: &mut Outbox, which: impl Fn(&Kind) -> bool) {
        self.under_way.retain(|call| {
            let drop = which(&call.kind);
            if drop {
                out.withdraw(call.id);
            }
            !drop
        });
    }
}
