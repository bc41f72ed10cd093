//! Who leads, and who could go on all the time.

use std::sync::Arc;

use tenure::election::Profile;

use crate::check::replicas::{RIGHT_RATE, Table, real_time};
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
    slowest: u64,
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
    /// By then a call that something disturbed has been given up.
    clear_at: SimTime,
    /// It may wait for ever for an answer that was lost: able once it sends or hears something.
    hangs: bool,
}

impl Process {
    const fn is_fit(&self) -> bool {
        let runs = self.up && !self.paused && !self.stands && !self.hangs;
        runs && !self.stopping && !self.working && self.cut == 0
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
        let all = scenario.all_settings();
        let deadlines = all.iter().filter_map(|(_, it)| it.renew_deadline);
        let timeouts = all.iter().filter_map(|(_, it)| it.request_timeout);
        Self {
            processes: Table::new(scenario),
            leaders: 0,
            disturbances: Vec::new(),
            timeout: scenario.request_timeout.map(|own| timeouts.fold(own, Span::max)),
            deadline: deadlines.fold(scenario.renew_deadline, Span::max),
            slowest: RIGHT_RATE,
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
                self.saw_rate(rate_ppb);
                self.change(replica, at, |process| {
                    let (stands, cut) = (rate_ppb == 0, process.cut);
                    let fresh = Process { life, up: true, client_go, stands, ..Process::default() };
                    *process = Process { cut, able_since: process.able_since, ..fresh };
                });
            }
            What::Ended { replica, .. } => self.change(replica, at, |process| {
                (process.up, process.believes, process.working) = (false, false, false);
            }),
            What::Paused { replica } => self.change(replica, at, |process| process.paused = true),
            What::Resumed { replica } => {
                self.disturbed(replica, at);
                self.change(replica, at, |process| process.paused = false);
            }
            What::Stopping { replica } => {
                self.change(replica, at, |process| process.stopping = true);
            }
            What::Clock { replica, rate_ppb } => {
                self.saw_rate(rate_ppb);
                self.disturbed(replica, at);
                self.change(replica, at, |process| process.stands = rate_ppb == 0);
            }
            What::Sent { replica, request, .. } => {
                self.change(replica, at, |process| {
                    (process.call, process.hangs) = (Some(request), false);
                });
            }
            What::GivenUp { replica, .. } => self.processes.of(replica).call = None,
            What::Answered { replica, late: false, .. } => self.change(replica, at, |process| {
                (process.call, process.hangs) = (None, false);
            }),
            What::StartedLeading { replica, .. } => self.change(replica, at, |process| {
                (process.believes, process.working) = (true, true);
            }),
            What::StoppedLeading { replica, .. } => {
                self.change(replica, at, |process| process.believes = false);
            }
            What::WorkEnded { replica } => {
                self.change(replica, at, |process| process.working = false);
            }
            What::Fault { fault, ref replicas, ref kind } => self.began(at, fault, replicas, kind),
            What::FaultEnded { fault } => self.ended(at, |it| it.fault == fault),
            What::Healed => self.ended(at, |_| true),
            _ => {}
        }
    }

    fn saw_rate(&mut self, rate_ppb: u64) {
        if rate_ppb > 0 {
            self.slowest = self.slowest.min(rate_ppb);
        }
    }

    /// Something that may have cost a process the answer to a call ends.
    fn disturbed(&mut self, replica: u32, at: SimTime) {
        let wait = self.timeout.map_or(self.deadline, |timeout| timeout.min(self.deadline));
        let clear_at = at + real_time(wait, self.slowest);
        let endless = self.timeout.is_none();
        self.change(replica, at, |process| {
            process.clear_at = process.clear_at.max(clear_at);
            process.hangs |= endless && process.client_go;
        });
    }

    /// Changes a process, and with it who leads and who is able.
    fn change(&mut self, replica: u32, at: SimTime, f: impl FnOnce(&mut Process)) {
        let process = self.processes.of(replica);
        let (led, fit) = (process.believes && process.up && !process.paused, process.is_fit());
        f(process);
        let leads = process.believes && process.up && !process.paused;
        match (led, leads) {
            (false, true) => self.leaders += 1,
            (true, false) => self.leaders -= 1,
            _ => {}
        }
        if fit != process.is_fit() {
            process.able_since = (!fit).then_some(at.max(process.clear_at));
            self.able_from = None;
        }
    }

    fn began(&mut self, at: SimTime, fault: u32, replicas: &[u32], kind: &Arc<Fault>) {
        let network = match &**kind {
            Fault::Partition(links)
            | Fault::Hold(links)
            | Fault::Reset(links)
            | Fault::Delay { links, .. }
            | Fault::Reorder { links, .. }
            | Fault::Loss { links, .. } => {
                let only_resource = |sites: &[Site]| {
                    !sites.is_empty() && sites.iter().all(|s| *s == Site::Resource)
                };
                if only_resource(&links.sites) || only_resource(&links.from) {
                    return; // the election does not notice
                }
                true
            }
            Fault::Bridge {} | Fault::MajoritiesRing {} => true,
            Fault::StoreOutage { .. }
            | Fault::StoreSlow { .. }
            | Fault::StoreErrors { .. }
            | Fault::StaleReads { .. }
            | Fault::Slow { .. } => false,
            Fault::Heal {} => return self.ended(at, |it| it.network),
            _ => return,
        };
        let of_replicas = match kind.links() {
            Some(links) => links.sites.iter().all(|site| matches!(site, Site::Of(_))),
            None => kind.target().is_some(),
        };
        let whom = if of_replicas { Whom::These(replicas.to_vec()) } else { Whom::Everyone };
        self.each(&whom, |candidates, replica| {
            candidates.change(replica, at, |process| process.cut += 1);
        });
        self.disturbances.push(Disturbance { fault, network, replicas: whom });
    }

    fn ended(&mut self, at: SimTime, which: impl Fn(&Disturbance) -> bool) {
        while let Some(index) = self.disturbances.iter().position(&which) {
            let whom = self.disturbances.swap_remove(index).replicas;
            self.each(&whom, |candidates, replica| {
                candidates.disturbed(replica, at);
                candidates
                    .change(replica, at, |process| process.cut = process.cut.saturating_sub(1));
            });
        }
    }

    fn each(&mut self, whom: &Whom, f: impl Fn(&mut Self, u32)) {
        match whom {
            Whom::These(replicas) => {
                for replica in replicas {
                    f(self, *replica);
                }
            }
            Whom::Everyone => {
                let count = u32::try_from(self.processes.iter().count()).unwrap_or(u32::MAX);
                for replica in 0..count {
                    f(self, replica);
                }
            }
        }
    }
}
