//! Beginnings and ends alternate, and nothing comes after the end.
//!
//! - rule `alternate`: `StartedLeading` came twice without a `StoppedLeading`, or a `StoppedLeading`
//!   did not end what it said it did; or `Endangered` came without leading.
//! - rule `stopped-once`: under ClientGo `StoppedLeading` comes once in a life, when the elector ends,
//!   and no life ends by itself without.
//! - rule `after-the-end`: a process did something after it had ended, or an elector of ClientGo after
//!   its `StoppedLeading`; or a process did something while it was paused.

use tenure::election::Profile;

use super::replicas::{Names, Table};
use super::{Check, Violation};
use crate::scenario::Scenario;
use crate::trace::{End, Entry, What};

/// Beginnings and ends alternate, and nothing comes after the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events {
    names: Names,
    election: bool,
    processes: Table<Process>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
struct Process {
    up: bool,
    paused: bool,
    client_go: bool,
    believes: bool,
    stopped: u32,
}

impl Events {
    /// For runs of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let (names, processes) = (Names::new(scenario), Table::new(scenario));
        Self { names, election: scenario.election, processes }
    }

    fn wrong(&mut self, what: &What) -> Option<(&'static str, u32, &'static str)> {
        let replica = doing(what)?;
        let process = self.processes.of(replica);
        let after_end = "after-the-end";
        if !process.up {
            return Some((after_end, replica, "did something although it had ended"));
        }
        if process.paused && !matches!(what, What::Stopping { .. } | What::Authority { .. }) {
            return Some((after_end, replica, "did something although it was paused"));
        }
        let over = process.client_go && process.stopped > 0;
        match *what {
            What::StartedLeading { .. } if over => {
                Some((after_end, replica, "began to lead after its OnStoppedLeading"))
            }
            What::StartedLeading { .. } => {
                let twice = std::mem::replace(&mut process.believes, true);
                twice.then_some(("alternate", replica, "began to lead while it led"))
            }
            What::StoppedLeading { led, .. } => {
                process.stopped = process.stopped.saturating_add(1);
                let believed = std::mem::replace(&mut process.believes, false);
                if over {
                    Some(("stopped-once", replica, "stopped leading twice in one run"))
                } else if believed != led || (!led && !process.client_go) {
                    Some(("alternate", replica, "stopped leading although it did not lead"))
                } else {
                    None
                }
            }
            What::Endangered { .. } if !process.believes => Some((
                "alternate",
                replica,
                "said that its authority ends although it did not lead",
            )),
            What::Sent { .. } | What::NewLeader { .. } if over => {
                Some((after_end, replica, "did something after its OnStoppedLeading"))
            }
            _ => None,
        }
    }

    fn ended(&mut self, replica: u32, end: End) -> Option<(&'static str, u32, &'static str)> {
        let election = self.election;
        let process = std::mem::take(self.processes.of(replica));
        if !process.up {
            return Some(("after-the-end", replica, "ended although it had ended"));
        }
        let silent = process.client_go && process.stopped == 0 && end == End::Finished && election;
        if silent || (process.believes && end == End::Finished) {
            return Some(("stopped-once", replica, "ended without having said StoppedLeading"));
        }
        None
    }
}

/// Whose process does something by this.
const fn doing(what: &What) -> Option<u32> {
    match *what {
        What::Sent { replica, .. }
        | What::Answered { replica, .. }
        | What::StartedLeading { replica, .. }
        | What::StoppedLeading { replica, .. }
        | What::NewLeader { replica, .. }
        | What::Watched { replica, .. }
        | What::Endangered { replica, .. }
        | What::ForeignWrite { replica, .. }
        | What::Stopping { replica }
        | What::WorkEnded { replica } => Some(replica),
        _ => None,
    }
}

impl Check for Events {
    fn name(&self) -> &'static str {
        "events"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        let wrong = match entry.what {
            What::Started { replica, profile, .. } => {
                let client_go = matches!(profile, Profile::ClientGo(_));
                *self.processes.of(replica) = Process { up: true, client_go, ..Process::default() };
                None
            }
            What::Ended { replica, end } => self.ended(replica, end),
            What::Paused { replica } => {
                self.processes.of(replica).paused = true;
                None
            }
            What::Resumed { replica } => {
                self.processes.of(replica).paused = false;
                None
            }
            ref what => self.wrong(what),
        };
        if let Some((rule, replica, did)) = wrong {
            found.push(Violation {
                check: "events".to_owned(),
                rule: rule.to_owned(),
                at: entry.at,
                seq: entry.seq,
                replicas: vec![replica],
                what: format!("events: {} {did}, at {}", self.names.of(replica), entry.at),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use tenure::election::Cause;

    use super::super::story::{Story, found};
    use super::*;
    use crate::trace::Verb;

    fn check(story: &Story) -> Vec<String> {
        found(&story.check(&mut Events::new(&Scenario::default())))
    }

    const STRICT: &str = "strict";
    const CLIENT_GO: &str = "client-go-head";

    fn silent_stop(story: Story, replica: u32) -> Story {
        story.says(What::StoppedLeading { replica, cause: Cause::Stopped, led: false })
    }

    #[test]
    fn a_strict_elector_leads_again_and_again() {
        let story = Story::new().started(0, STRICT).leads(0).stops_leading(0).leads(0);
        assert_eq!(check(&story.stops_leading(0).finished(0)), [""; 0]);
    }

    #[test]
    fn beginnings_and_ends_alternate() {
        let twice = Story::new().started(0, STRICT).leads(0).leads(0);
        assert_eq!(check(&twice), ["events/alternate at 0.000s of [0]"]);
        let never = Story::new().started(0, STRICT).stops_leading(0);
        assert_eq!(check(&never), ["events/alternate at 0.000s of [0]"]);
        assert_eq!(
            check(&silent_stop(Story::new().started(0, STRICT), 0)),
            ["events/alternate at 0.000s of [0]"]
        );
    }

    #[test]
    fn client_go_says_once_that_it_stopped() {
        let story = Story::new().started(0, CLIENT_GO);
        assert_eq!(check(&silent_stop(story.clone(), 0).finished(0)), [""; 0]);
        assert_eq!(check(&story.clone().crashed(0)), [""; 0]);
        assert_eq!(check(&story.clone().finished(0)), ["events/stopped-once at 0.000s of [0]"]);
        let again = silent_stop(silent_stop(story.clone(), 0), 0);
        assert_eq!(check(&again), ["events/stopped-once at 0.000s of [0]"]);
        let on = silent_stop(story, 0).sent(0, 1, Verb::Get, None);
        assert_eq!(check(&on), ["events/after-the-end at 0.000s of [0]"]);
    }

    #[test]
    fn nothing_comes_after_the_end_or_in_a_pause() {
        let story = Story::new().started(0, STRICT);
        let dead = story.clone().crashed(0).leads(0);
        assert_eq!(check(&dead), ["events/after-the-end at 0.000s of [0]"]);
        let paused = story.clone().paused(0).sent(0, 1, Verb::Get, None);
        assert_eq!(check(&paused), ["events/after-the-end at 0.000s of [0]"]);
        assert_eq!(check(&story.paused(0).resumed(0).sent(0, 1, Verb::Get, None)), [""; 0]);
    }
}
