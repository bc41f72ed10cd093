//! What a watch shows.

use super::Machine;
use crate::sharding::Watched;
use crate::sharding::rules::Rule;
use crate::time::{Instant, Now};

impl Machine {
    pub(in crate::sharding) fn handle_watch(&mut self, now: Now, watched: Watched) {
        self.lapse_if_over(now.instant);
        self.shown(now.instant, watched);
        self.advance(now);
    }

    fn shown(&mut self, now: Instant, watched: Watched) {
        let rules = self.config.rules;
        let before = self.view.version;
        let old = |version: u64| version <= before && rules.hold(Rule::ViewsForward);
        match watched {
            Watched::Started { after } => {
                self.watch.running = after <= before;
                if !self.watch.running {
                    self.next_read = self.next_read.min(now);
                }
                return;
            }
            Watched::Broken => {
                self.watch.running = false;
                self.next_read = self.next_read.min(now);
                return;
            }
            Watched::Lock(..) => return,
            Watched::Planned(stored) => {
                self.plan_shown(now, &stored);
                return;
            }
            _ if !self.watch.running => return,
            Watched::Stored(mut stored) => {
                self.wait_for_unreadable(&mut stored);
                let version = stored.version;
                if old(version) {
                    return;
                }
                let own = stored.record.name() == self.config.member.name();
                let due = now + stored.record.lease_duration;
                self.watchdog = self.watchdog.min(due);
                let mine = own.then(|| stored.clone());
                self.view.see(stored, now, rules);
                self.view.version = version;
                if let Some(stored) = mine {
                    self.check_own(now, Some(&stored), version);
                }
            }
            Watched::Deleted { name, version } => {
                if old(version) {
                    return;
                }
                self.view.absent(&name, version, now, rules);
                self.view.version = version;
                if *name == *self.config.member.name() {
                    self.check_own(now, None, version);
                }
            }
            Watched::Progress { version } => {
                if old(version) {
                    return;
                }
                self.view.version = version;
            }
        }
        if !rules.hold(Rule::Echo) {
            self.read = self.read.max(Some(now));
        }
        self.echo_if_seen(now);
        if self.take_change() {
            self.reckon(now, before);
        }
        self.entitle_if_waiting(now);
        self.activate_if_acknowledged(now);
    }

    /// A watch that has shown the own renewal has shown everything that was committed before it: that
    /// is as good as a read sent when the renewal was.
    pub(super) fn echo_if_seen(&mut self, now: Instant) {
        let Some((version, sent)) = self.watch.echo else { return };
        let seen = self.phase.life().is_some_and(|life| life.version == version);
        if !self.watch.running || !seen || self.view.version < version {
            return;
        }
        if now >= sent + self.config.renew_deadline {
            return;
        }
        self.watch.echo = None;
        if let Some(life) = self.phase.life_mut() {
            life.seen = version;
        }
        self.read = self.read.max(Some(sent));
        // The next echo is due a retry period after the next renewal; then it is time to read.
        self.next_read = self.next_read.max(sent + self.config.retry_period * 2);
    }
}
