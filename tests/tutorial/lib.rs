//! Reconciles each object once a minute, on the one replica that owns it.
use std::collections::BTreeMap;
use std::time::Duration;
use tenure::sharding::Sharder;
use tenure::time::Instant;

#[derive(Default)]
pub struct Controller {
    next: BTreeMap<String, Instant>,
}

impl Controller {
    /// What to reconcile now.
    pub fn due(&mut self, member: &Sharder, objects: &[String], now: Instant) -> Vec<String> {
        let mut due = Vec::new();
        for name in objects {
            if !member.owns(member.key(name.as_bytes()), now) {
                self.next.remove(name); // another's; at once if it comes back
            } else if self.next.get(name).is_none_or(|at| *at <= now) {
                self.next.insert(name.clone(), now + Duration::from_secs(60));
                due.push(name.clone());
            }
        }
        due
    }
}
