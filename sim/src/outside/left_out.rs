//! What a driver and a store do that leave out a rule.

use std::collections::BTreeMap;

use tenure::election::{Failure, Op, Request, Stored};
use tenure::lock::Kind;

use crate::left_out::{Duty, Rule};
use crate::scenario::Scenario;
use crate::trace::Reply;

/// Which rules, and the objects as they were one version before.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    duties: Vec<Duty>,
    before: BTreeMap<Kind, Stored>,
}

impl LeftOut {
    pub(super) fn of(scenario: &Scenario) -> Self {
        let duty = |rule: &Rule| match rule {
            Rule::Elector(_) => None,
            Rule::World(duty) => Some(*duty),
        };
        Self { duties: scenario.without.iter().filter_map(duty).collect(), before: BTreeMap::new() }
    }

    pub(super) fn has(&self, duty: Duty) -> bool {
        self.duties.contains(&duty)
    }

    /// Answers a read with what was before the last write. What the trace says was so in the store.
    pub(super) fn answer(
        &mut self,
        request: &Request,
        old: Result<Stored, Failure>,
        (result, reply): (Result<Stored, Failure>, Reply),
    ) -> (Result<Stored, Failure>, Reply) {
        let kind = request.lock.kind;
        match (&request.op, old) {
            (Op::Get, _) => {
                let before = self.before.get(&kind).filter(|_| result.is_ok());
                (before.cloned().map_or(result, Ok), reply)
            }
            (_, Ok(old)) if result.as_ref().is_ok_and(|new| new.version != old.version) => {
                self.before.insert(kind, old);
                (result, reply)
            }
            _ => (result, reply),
        }
    }
}
