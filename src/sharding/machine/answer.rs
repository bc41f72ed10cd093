//! Reads, and what follows an answer.

use alloc::vec::Vec;

use super::calls::{Call, Kind, Write};
use super::{Machine, Phase};
use crate::election::Failure;
use crate::sharding::rules::Rule;
use crate::sharding::{Answer, Op, Response, StoredMember};
use crate::time::{Instant, Now};

impl Machine {
    pub(super) fn read_if_due(&mut self, now: Instant) {
        if self.phase == Phase::Left || self.calls.reading() || self.next_read > now {
            return;
        }
        let deadline = now + self.config.request_timeout.min(self.config.renew_deadline);
        self.calls.send(&mut self.out, (now, deadline), Kind::List, Op::List);
        self.next_read = now + self.jitter.member_wait(self.config.retry_period);
    }

    pub(in crate::sharding) fn handle_response(&mut self, now: Now, response: Response) {
        if self.config.rules.hold(Rule::LateAnswer) {
            self.lapse_if_over(now.instant);
            self.give_up(now.instant);
        }
        if let Some(call) = self.calls.take(response.id) {
            match response.result {
                Ok(answer) => self.succeeded(now, call, answer),
                Err(failure) => self.failed(now.instant, call, failure),
            }
        }
        self.advance(now);
    }

    /// Calls whose deadlines have come have failed. The store may have applied them.
    pub(super) fn give_up(&mut self, now: Instant) {
        while let Some(call) = self.calls.take_overdue(now) {
            self.out.withdraw(call.id);
            self.failed(now, call, Failure::Other);
        }
    }

    fn succeeded(&mut self, now: Now, call: Call, answer: Answer) {
        match (call.kind, answer) {
            (Kind::List, Answer::Listed { members, version }) => {
                self.listed(now.instant, call.sent, members, version);
            }
            (Kind::ReadPlan, Answer::Planned(stored)) => {
                self.plan_read(now.instant, call.sent, &stored);
            }
            (Kind::Write(write, record), Answer::Written { version }) => {
                self.wrote(now, call.sent, &write, StoredMember { record, version });
            }
            (Kind::Exclude(name, over), Answer::Written { version }) => {
                self.excluded(now.instant, &name, over, version);
            }
            (Kind::Collect(name, version), Answer::Deleted) => {
                // What has been written after it is not gone.
                if self.view.get(&name).is_some_and(|known| known.stored.version == version) {
                    self.view.drop(&name);
                }
            }
            // An answer to another question is none.
            (kind, _) => {
                let call = Call { kind, ..call };
                self.failed(now.instant, call, Failure::Other);
            }
        }
    }

    fn failed(&mut self, now: Instant, call: Call, failure: Failure) {
        match call.kind {
            Kind::List => {
                let again = call.sent + self.config.retry_period;
                self.next_read = self.next_read.min(again).max(now);
                self.leave_untold();
            }
            Kind::Write(write, _) => {
                self.unsure_at(now);
                if write == Write::Leave && failure == Failure::Other {
                    self.leave_untold();
                }
                if !self.config.rules.hold(Rule::LostRenewal)
                    && failure == Failure::Other
                    && matches!(write, Write::Renew { .. })
                {
                    self.written = self.written.max(Some(call.sent));
                }
                if self.phase.life().is_some() && failure != Failure::Other {
                    // A conflict is cleared by a read; then there is no reason to wait.
                    self.next_write = self.next_write.min(call.sent + self.config.retry_period / 4);
                }
            }
            Kind::ReadPlan => self.plan_not_read(now, call.sent, failure),
            Kind::Exclude(name, over) => self.not_excluded(now, &name, over, failure),
            Kind::Collect(..) => {}
        }
    }

    fn listed(
        &mut self,
        now: Instant,
        sent: Instant,
        mut members: Vec<StoredMember>,
        version: u64,
    ) {
        let rules = self.config.rules;
        let late = now >= sent + self.config.renew_deadline && rules.hold(Rule::LateAnswer);
        if late {
            self.next_read = self.next_read.min(sent + self.config.retry_period).max(now);
            return;
        }
        let before = self.view.version;
        let (own, version) = if version < before && rules.hold(Rule::ViewsForward) {
            // A watch has shown all that it holds, and more: what is left to learn is when it was sent.
            let own = self.own().filter(|own| !own.gone);
            (own.map(|own| own.stored.clone()), before)
        } else {
            let me = self.config.member.name();
            let own = members.iter().find(|stored| stored.record.name() == me).cloned();
            for stored in &mut members {
                self.wait_for_unreadable(stored);
            }
            self.view.list(members, version, now, rules);
            (own, version)
        };
        let credit = if rules.hold(Rule::SendTime) { sent } else { now };
        self.read = self.read.max(Some(credit));
        if self.unsure.is_some_and(|since| since <= sent) {
            self.unsure = None;
        }
        self.check_own(now, own.as_ref(), version);
        self.seen(now, before);
    }
}
