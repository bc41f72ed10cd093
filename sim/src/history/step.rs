//! The rules for a step from one version of a lock to the next.

use tenure::lock::Record;

use super::change::Change;
use super::finding::Rule;
use super::judge::{History, Standing, UNCLAIMED, is_somebody};
use super::plain::Plain;
use super::time::{Length, Moment, SECOND};

/// Clocks that differ by less over a renewal are no news.
const JUMP: i128 = SECOND;

/// From one version to the next.
pub(super) struct Step<'a> {
    pub(super) before: &'a Standing,
    pub(super) old: &'a Record,
    pub(super) new: &'a Record,
    pub(super) change: &'a Change,
}

impl Step<'_> {
    /// How long the old record lasts, in nanoseconds.
    fn lasts(&self) -> i128 {
        i128::from(self.old.lease_duration_seconds.max(0)) * SECOND
    }

    /// How long the old version can have stood at most.
    fn stood(&self) -> Option<i128> {
        let (now, before) = (self.change.window?, self.before.window?);
        Some(now.to.since(before.from))
    }

    /// How long it stood and how long it lasts, if that was too early even if all was as late as it can
    /// have been, and the clock of whoever waited as fast.
    fn early(&self, slack: i128) -> Option<(Length, Length)> {
        let stood = self.stood()?;
        let lasts = self.lasts();
        let owed = lasts * SECOND / i128::from(self.change.rate_ppb.max(1));
        (stood.saturating_add(slack) < owed).then_some((Length(stood), Length(lasts)))
    }
}

impl History {
    /// The lock stands again after it was deleted.
    pub(super) fn recreated(&mut self, step: &Step<'_>) {
        let (old, new) = (&step.old.holder, &step.new.holder);
        if new.is_empty() || new == old || new.as_str() == UNCLAIMED {
            return;
        }
        self.counts.acquisitions += 1;
        if old.is_empty() || old.as_str() == UNCLAIMED {
            return;
        }
        self.robbed(step, "created the lock in its name");
    }

    /// A lock that is made anew in nobody's name, and taken then, was deleted all the same. Says whose it
    /// was, for as long as it is nobody's.
    pub(super) fn bereaved(
        &mut self,
        step: &Step<'_>,
        bereft: Option<Standing>,
        deleted: bool,
    ) -> Option<Standing> {
        if !is_somebody(&step.new.holder) {
            let robbed = deleted && is_somebody(&step.old.holder);
            return if robbed { Some(step.before.clone()) } else { bereft };
        }
        let before = bereft?;
        let old = before.record.as_ref().filter(|old| old.holder != step.new.holder)?;
        let Step { new, change, .. } = *step;
        self.robbed(&Step { before: &before, old, new, change }, "took the lock");
        None
    }

    fn robbed(&mut self, step: &Step<'_>, did: &str) {
        let (old, new) = (&step.old.holder, &step.new.holder);
        let Some((stood, lasts)) = step.early(self.slack) else {
            self.counts.untimed += u64::from(step.stood().is_none());
            return;
        };
        let what = format!(
            "{} {did} {stood} at most after the last write of {}, whose lock was \
             deleted and lasts {lasts}",
            name(new.as_str()),
            name(old.as_str()),
        );
        self.tell(Rule::TakenAfterDeletion, step.change, what);
    }

    pub(super) fn step(&mut self, step: &Step<'_>) {
        match (step.old.holder.is_empty(), step.new.holder.is_empty()) {
            (true, true) => {}
            (false, true) => self.released(step),
            (true, false) => self.counts.acquisitions += 1,
            _ if step.old.holder == step.new.holder => self.renewed(step),
            _ => self.taken(step),
        }
        self.transitions(step);
    }

    fn taken(&mut self, step: &Step<'_>) {
        self.counts.takeovers += 1;
        let (old, new) = (name(step.old.holder.as_str()), name(step.new.holder.as_str()));
        if let Some((stood, lasts)) = step.early(self.slack) {
            let what = format!(
                "{new} took the lock of {old} {stood} at most after its last write; it lasts {lasts}"
            );
            return self.tell(Rule::EarlyTakeover, step.change, what);
        }
        if step.stood().is_some() {
            return;
        }
        self.counts.untimed += 1;
        let times = step.new.renew_time.zip(step.old.renew_time);
        let passed = times.map(|(new, old)| Moment::of(new).since(Moment::of(old)));
        let lasts = step.lasts();
        if let Some(passed) = passed.filter(|passed| *passed < lasts) {
            let what = format!(
                "{new} took the lock of {old} {} after it by the times in the records, which are of two \
                 clocks; it lasts {}",
                Length(passed),
                Length(lasts),
            );
            self.tell(Rule::EarlyByRecords, step.change, what);
        }
    }

    fn released(&mut self, step: &Step<'_>) {
        self.counts.releases += 1;
        let (Some(holder), Some(by)) = (&step.before.by, &step.change.by) else { return };
        if holder == by {
            return;
        }
        let old = name(step.old.holder.as_str());
        let Some(stood) = step.stood() else { return };
        let what = format!(
            "{} cleared the record of {old}, which {} wrote, {} after its last write; it lasts {}",
            Plain(by),
            Plain(holder),
            Length(stood),
            Length(step.lasts()),
        );
        let live = step.early(self.slack).is_some();
        let rule = if live { Rule::ReleasedByAnother } else { Rule::ClearedByAnother };
        self.tell(rule, step.change, what);
    }

    fn renewed(&mut self, step: &Step<'_>) {
        self.counts.renewals += 1;
        let old = name(step.old.holder.as_str());
        if let (Some(before), Some(by)) = (&step.before.by, &step.change.by)
            && before != by
        {
            let what = format!("{} renewed as {old}, as {} did before", Plain(by), Plain(before));
            self.tell(Rule::AnotherWriter, step.change, what);
        }
        let records = step.new.renew_time.zip(step.old.renew_time);
        let ran = records.map(|(new, old)| Moment::of(new).since(Moment::of(old)));
        let windows = step.change.window.zip(step.before.window);
        if let Some(passed) = windows.map(|(now, before)| now.to.since(before.to)).or(ran) {
            self.intervals.add(passed);
        }
        let lasts = step.lasts();
        if let Some((now, before)) = windows
            && lasts > 0
            && now.from.since(before.to) > lasts.saturating_add(self.slack)
        {
            let passed = Length(now.to.since(before.to));
            let what =
                format!("{old} renewed {passed} after its last write; it lasts {}", Length(lasts));
            self.tell(Rule::LateRenewal, step.change, what);
        }
        let Some(ran) = ran else { return };
        let off = windows.map_or(0, |(now, before)| {
            let (least, most) = (now.from.since(before.to), now.to.since(before.from));
            (ran - most).max(least - ran)
        });
        if ran < 0 || off > JUMP.saturating_add(self.slack) {
            let passed = windows.map_or(String::new(), |(now, before)| {
                format!(" in {}", Length(now.to.since(before.to)))
            });
            let what = format!("renewTime of {old} went {}{passed}", Length(ran));
            self.tell(Rule::ClockJump, step.change, what);
        }
    }

    fn transitions(&mut self, step: &Step<'_>) {
        let (was, is) = (step.old.leader_transitions, step.new.leader_transitions);
        let hands = !step.new.holder.is_empty() && step.new.holder != step.old.holder;
        let coordinated = step.old.strategy.is_some() || step.new.strategy.is_some();
        let expected = was.saturating_add(i64::from(hands));
        if is == expected {
            return;
        }
        let (old, new) = (name(step.old.holder.as_str()), name(step.new.holder.as_str()));
        let from = if hands { format!("from {old} to {new}") } else { format!("under {old}") };
        let what = format!("leaseTransitions went from {was} to {is} {from}");
        let rule = match is.cmp(&was) {
            core::cmp::Ordering::Less => Rule::TransitionsFell,
            core::cmp::Ordering::Equal if coordinated => return,
            core::cmp::Ordering::Equal => Rule::TransitionsKept,
            core::cmp::Ordering::Greater => Rule::TransitionsJumped,
        };
        self.tell(rule, step.change, what);
    }
}

/// A holder's name for people.
pub(super) const fn name(holder: &str) -> Plain<'_> {
    Plain(if holder.is_empty() { "nobody" } else { holder })
}
