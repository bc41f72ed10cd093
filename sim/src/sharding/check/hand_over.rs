//! Nothing changes hands while work on it is in flight: nobody says that it has left, or joins anew,
//! with work in flight (rule `gone`), and nobody gains a slot on which another works (rule `gained`).

use super::group::Group;
use super::{Found, Property};
use crate::sharding::trace::{Entry, What};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct HandOver;

impl Property for HandOver {
    fn name(&self) -> &'static str {
        "hand-over"
    }

    fn observe(&mut self, group: &Group, entry: &Entry, found: &mut Found<'_>) {
        match &entry.what {
            What::Committed { by: Some(by), name, now: Some(now), was, .. } => {
                let anew = was.as_ref().is_none_or(|was| was.incarnation != now.incarnation);
                let gone = now.state == "Left" || (now.state == "Joining" && anew);
                if gone && group.is_record(name, *by) && group.works(*by) {
                    let what = format!("replica {by} says {} with work in flight", now.state);
                    found.tell("gone", &[*by], what);
                }
            }
            What::Gained { replica, slots } => {
                for slot in &group.fine(&slots.0) {
                    let mut workers = group.workers(slot.index(), slot.index() + 1);
                    if let Some(other) = workers.find(|other| other != replica) {
                        let what = format!(
                            "replica {replica} gains slot {slot}, on which replica {other} works"
                        );
                        found.tell("gained", &[*replica, other], what);
                        return;
                    }
                }
            }
            _ => {}
        }
    }
}
