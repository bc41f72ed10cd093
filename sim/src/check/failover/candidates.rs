//! Who leads, and who could go on all the time.

use std::sync::Arc;

use tenure::election::Profile;

use crate::check::replicas::Table;
use crate::fault::{Fault, Site};
use crate::scenario::Scenario;
use crate::time::{SimTime, Span};
use crate::trace::{Entry, What};

/// Who leads, and who could go on all the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidates {
    processes: Table<Process>,
    /// Processes that believe to lead and run.
    leaders: u32,
    disturbances: Vec<Disturbance>,
    /// How long an answer is waited for; `None` for ClientGo without a time-out: for ever.
    timeout: Option<Span>,
    /// Strict gives a call up at the renew deadline in any case.
    deadline: Span,
    /// The least `able_since`, if nothing changed.
    able_from: Option<SimTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
struct Process {
    life: u32,
    up: bool,
    client_go: bool,
    paused: bool,
    /// Its monotonic clock stands still.
    stands: bool,
    stopping: bool,
    /// Its last work may still run.
    working: bool,
    believes: bool,
    /// Its outstanding request.
    call: Option<u64>,
    /// Disturbances that concern it.
    cut: u32,
    able_since: Option<SimTime>,
    /// Able as soon as an answer reaches it: it may wait for one that was lost, without time-out.
    awaits_answer: bool,
}

impl Process {
    const fn is_fit(&self) -> bool {
        self.up && !self.paused && !self.stands && !self.stopping && !self.working && self.cut == 0
    }
}

/// A fault of the network or the store that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Disturbance {
    fault: u32,
    network: bool,
    replicas: Whom,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Whom {
    Everyone,
    These(Vec<u32>),
}

impl Candidates {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let deadlines = scenario.replicas.iter().filter_map(|replica| replica.renew_deadline);
        Self {
            processes: Table::new(scenario),
            leaders: 0,
            disturbances: Vec::new(),
            timeout: scenario.request_timeout,
            deadline: deadlines.fold(scenario.renew_deadline, Span::max),
            able_from: None,
        }
    }

    pub(super) const fn is_led(&self) -> bool {
        self.leaders > 0
    }

    /// Since when one and the same candidate could go on; never if there is none.
    pub(super) fn able_from(&mut self) -> SimTime {
        let processes = &self.processes;
        *self.able_from.get_or_insert_with(|| {
            processes
                .iter()
                .filter_map(|process| process.able_since)
                .min()
                .unwrap_or(SimTime::NEVER)
        })
    }

    pub(super) fn is_able(&mut self, replica: u32, at: SimTime) -> bool {
        self.processes.of(replica).able_since.is_some_and(|since| since <= at)
    }

    /// Whether this life of a replica waits for the answer to this request and will get it.
    pub(super) fn awaits(
        &mut self,
        replica: u32,
        life: u32,
        request: Option<u64>,
        at: SimTime,
    ) -> bool {
        let able = self.is_able(replica, at);
        let process = self.processes.of(replica);
        able && process.life == life && process.call == request && request.is_some()
    }

    pub(super) fn observe(&mut self, entry: &Entry) {
        let at = entry.at;
        match entry.what {
            What::Started { replica, life, profile, rate_ppb, .. } => {
                let client_go = matches!(profile, Profile::ClientGo(_));
                self.change(replica, at, Span::ZERO, |process| {
                    let (stands, cut) = (rate_ppb == 0, process.cut);
                    let fresh = Process { life, up: true, client_go, stands, ..Process::default() };
                    *process = Process { cut, able_since: process.able_since, ..fresh };
                });
            }
            What::Ended { replica, .. } => self.change(replica, at, Span::ZERO, |process| {
                (process.up, process.believes, process.working) = (false, false, false);
            }),
            What::Paused { replica } => {
                self.change(replica, at, Span::ZERO, |process| process.paused = true);
            }
            What::Resumed { replica } => {
                self.change(replica, at, self.deadline, |process| process.paused = false);
            }
            What::Stopping { replica } => {
                self.change(replica, at, Span::ZERO, |process| process.stopping = true);
            }
            What::Clock { replica, rate_ppb } => {
                self.change(replica, at, self.deadline, |process| process.stands = rate_ppb == 0);
            }
            What::Sent { replica, request, .. } => {
                self.processes.of(replica).call = Some(request);
            }
            What::GivenUp { replica, .. } => self.processes.of(replica).call = None,
            What::Answered { replica, late, .. } if !late => {
                let process = self.processes.of(replica);
                process.call = None;
                if std::mem::take(&mut process.awaits_answer) && process.is_fit() {
                    process.able_since = Some(at);
                    self.able_from = None;
                }
            }
            What::StartedLeading { replica, .. } => {
                self.change(replica, at, Span::ZERO, |process| {
                    (process.believes, process.working) = (true, true);
                });
            }
            What::StoppedLeading { replica, .. } => {
                self.change(replica, at, Span::ZERO, |process| process.believes = false);
            }
            What::WorkEnded { replica } => {
                self.change(replica, at, Span::ZERO, |process| process.working = false);
            }
            What::Fault { fault, ref replicas, ref kind } => self.began(at, fault, replicas, kind),
            What::FaultEnded { fault } => self.ended(at, |it| it.fault == fault),
            What::Healed => self.ended(at, |_| true),
            _ => {}
        }
    }

    /// Changes a process, and with it who leads and who is able. One that becomes able needs `after`
    /// at most to be done with a call that it had under way.
    fn change(&mut self, replica: u32, at: SimTime, after: Span, f: impl FnOnce(&mut Process)) {
        let timeout = self.timeout;
        let process = self.processes.of(replica);
        let (led, fit) = (process.believes && process.up && !process.paused, process.is_fit());
        f(process);
        let leads = process.believes && process.up && !process.paused;
        match (led, leads) {
            (false, true) => self.leaders += 1,
            (true, false) => self.leaders -= 1,
            _ => {}
        }
        match (fit, process.is_fit()) {
            (true, false) => {
                process.able_since = None;
                process.awaits_answer = false;
                self.able_from = None;
            }
            (false, true) => {
                let wait = timeout.map_or(after, |timeout| timeout.min(after));
                // Without a time-out it may wait for ever for an answer that was lost.
                let hangs = timeout.is_none() && process.client_go && !after.is_zero();
                process.awaits_answer = hangs;
                process.able_since = (!hangs).then_some(at + wait);
                self.able_from = None;
            }
            _ => {}
        }
    }

    fn began(&mut self, at: SimTime, fault: u32, replicas: &[u32], kind: &Arc<Fault>) {
        let network = match &**kind {
            Fault::Partition(links) | Fault::Delay { links, .. } | Fault::Loss { links, .. } => {
                let only_resource = |sites: &[Site]| {
                    !sites.is_empty() && sites.iter().all(|s| *s == Site::Resource)
                };
                if only_resource(&links.sites) || only_resource(&links.from) {
                    return; // the election does not notice
                }
                true
            }
            Fault::StoreOutage { .. } | Fault::StoreSlow { .. } | Fault::StoreErrors { .. } => {
                false
            }
            Fault::Heal {} => return self.ended(at, |it| it.network),
            _ => return,
        };
        let of_replicas = kind
            .links()
            .is_some_and(|links| links.sites.iter().all(|site| matches!(site, Site::Of(_))));
        let whom = if of_replicas { Whom::These(replicas.to_vec()) } else { Whom::Everyone };
        self.each(&whom, at, |process| process.cut += 1);
        self.disturbances.push(Disturbance { fault, network, replicas: whom });
    }

    fn ended(&mut self, at: SimTime, which: impl Fn(&Disturbance) -> bool) {
        while let Some(index) = self.disturbances.iter().position(&which) {
            let whom = self.disturbances.swap_remove(index).replicas;
            self.each(&whom, at, |process| process.cut = process.cut.saturating_sub(1));
        }
    }

    fn each(&mut self, whom: &Whom, at: SimTime, f: impl Fn(&mut Process)) {
        match whom {
            Whom::These(replicas) => {
                for replica in replicas {
                    self.change(*replica, at, self.deadline, &f);
                }
            }
            Whom::Everyone => {
                let count = u32::try_from(self.processes.iter().count()).unwrap_or(u32::MAX);
                for replica in 0..count {
                    self.change(replica, at, self.deadline, &f);
                }
            }
        }
    }
}
