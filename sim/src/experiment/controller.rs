//! A controller as controllers are: a work queue, some workers, each object due once a period.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use tenure::placement::hash::mix;
use tenure::time::Instant;

use super::workload::Workload;
use crate::distribution::Distribution;
use crate::time::Span;

/// How a controller works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// Each object is due once in this time, on the replica's own clock.
    pub(super) resync: Span,
    /// How long a reconcile takes.
    pub(super) reconcile: Distribution,
    /// How many run at once.
    pub(super) workers: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            resync: Span::from_secs(60),
            reconcile: Distribution::uniform(Span::from_millis(20), Span::from_millis(80)),
            workers: 10,
        }
    }
}

/// On which objects a replica may start to work now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Right {
    Nothing,
    Everything,
    /// Those that are marked.
    Some(Arc<Vec<bool>>),
}

impl Right {
    pub(super) fn covers(&self, object: u32) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Some(these) => these.get(object as usize) == Some(&true),
        }
    }
}

/// What the controller did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Began(u32),
    Ended(u32),
}

/// Where an object is in the work queue; one that becomes due while it is worked on comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Idle,
    Queued,
    Working,
    Again,
}

/// A replica's work: queue and workers. Work that was begun goes on to its end, whatever happens to
/// the right to begin.
#[derive(Debug, Clone)]
pub(super) struct Controller {
    workload: Arc<Workload>,
    pace: Pace,
    seed: u64,
    drawn: u64,
    right: Right,
    places: Vec<Place>,
    queue: VecDeque<u32>,
    /// What is worked on, and until when.
    working: Vec<(Instant, u32)>,
    /// Which object is due next: a number of periods, and a place in the workload's order.
    next: (u64, usize),
    steps: VecDeque<Step>,
}

impl Controller {
    pub(super) fn new(workload: Arc<Workload>, pace: Pace, seed: u64, now: Instant) -> Self {
        let mut controller = Self {
            places: vec![Place::Idle; workload.len()],
            workload,
            pace,
            seed,
            drawn: 0,
            right: Right::Nothing,
            queue: VecDeque::new(),
            working: Vec::new(),
            next: (0, 0),
            steps: VecDeque::new(),
        };
        controller.forget_due(now);
        controller
    }

    /// What it may work on from now on. What is new is due at once, as a controller lists and
    /// reconciles what it did not watch before.
    pub(super) fn grant(&mut self, right: Right, now: Instant) {
        let before = core::mem::replace(&mut self.right, right);
        if before == Right::Nothing {
            self.forget_due(now);
        }
        for place in 0..self.workload.len() {
            if let Some((_, object)) = self.workload.due(place, self.pace.resync)
                && self.right.covers(object)
                && !before.covers(object)
            {
                self.enqueue(object);
            }
        }
        self.queue.retain(|object| {
            let keep = self.right.covers(*object);
            if let Some(place) = self.places.get_mut(*object as usize).filter(|_| !keep) {
                *place = Place::Idle;
            }
            keep
        });
    }

    /// Ends what has ended, queues what is due and, if it may, begins what it can.
    pub(super) fn handle_timeout(&mut self, now: Instant, may_begin: bool) {
        self.end(now);
        if self.right == Right::Nothing {
            return;
        }
        while let Some((due, object)) = self.next_due().filter(|(due, _)| *due <= now) {
            if self.right.covers(object) {
                self.enqueue(object);
            }
            self.next.1 += 1;
            if self.next.1 == self.workload.len() {
                self.next = (self.next.0 + 1, 0);
            }
            // A whole period missed is one time due, not many.
            if now.saturating_since(due) > self.pace.resync.as_duration() {
                self.next.0 += 1;
            }
        }
        while may_begin && self.working.len() < self.pace.workers {
            let Some(object) = self.queue.pop_front() else { break };
            self.set(object, Place::Working);
            self.drawn += 1;
            let takes = self.pace.reconcile.draw(mix(self.seed ^ mix(self.drawn)));
            self.working.push((now + takes.as_duration(), object));
            self.steps.push_back(Step::Began(object));
        }
    }

    pub(super) fn poll_step(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let ends = self.working.iter().map(|(ends, _)| *ends).min();
        let due = self.next_due().filter(|_| self.right != Right::Nothing).map(|(due, _)| due);
        ends.into_iter().chain(due).min()
    }

    /// What is worked on.
    pub(super) fn working(&self) -> impl Iterator<Item = u32> {
        self.working.iter().map(|(_, object)| *object)
    }

    /// Whether nothing is worked on.
    pub(super) fn is_idle(&self) -> bool {
        self.working.is_empty()
    }

    fn end(&mut self, now: Instant) {
        // In the order of their ends, which is not that of their beginnings.
        while let Some(first) = self.first_to_end().filter(|first| self.ends(*first) <= now) {
            let (_, object) = self.working.swap_remove(first);
            let again = self.places.get(object as usize) == Some(&Place::Again);
            self.set(object, Place::Idle);
            if again && self.right.covers(object) {
                self.enqueue(object);
            }
            self.steps.push_back(Step::Ended(object));
        }
    }

    fn first_to_end(&self) -> Option<usize> {
        (0..self.working.len()).min_by_key(|index| self.working.get(*index))
    }

    fn ends(&self, index: usize) -> Instant {
        self.working.get(index).map_or(Instant::from_nanos(u64::MAX), |(ends, _)| *ends)
    }

    fn enqueue(&mut self, object: u32) {
        match self.places.get(object as usize) {
            Some(Place::Idle) => {
                self.set(object, Place::Queued);
                self.queue.push_back(object);
            }
            Some(Place::Working) => self.set(object, Place::Again),
            _ => {}
        }
    }

    fn set(&mut self, object: u32, to: Place) {
        if let Some(place) = self.places.get_mut(object as usize) {
            *place = to;
        }
    }

    fn next_due(&self) -> Option<(Instant, u32)> {
        let (periods, place) = self.next;
        let (phase, object) = self.workload.due(place, self.pace.resync)?;
        let begin = self.pace.resync.as_nanos().saturating_mul(periods);
        Some((Instant::from_nanos(begin) + phase.as_duration(), object))
    }

    /// What would have been due before now is not.
    fn forget_due(&mut self, now: Instant) {
        let resync = self.pace.resync;
        let since = now.saturating_since(Instant::default());
        let periods = since.as_nanos() / u128::from(resync.as_nanos().max(1));
        let periods = u64::try_from(periods).unwrap_or(u64::MAX);
        let begin = Duration::from_nanos(resync.as_nanos().saturating_mul(periods));
        let place = self.workload.place_at(Span::from(since.saturating_sub(begin)), resync);
        self.next = if place == self.workload.len() { (periods + 1, 0) } else { (periods, place) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    fn controller(workers: usize) -> Controller {
        let workload = Arc::new(Workload::new("a\nb\nc\nd\n").unwrap());
        let reconcile = Distribution::Constant(Span::from_millis(50));
        let pace = Pace { resync: Span::from_secs(60), reconcile, workers };
        Controller::new(workload, pace, 7, at(5))
    }

    fn steps(controller: &mut Controller) -> Vec<Step> {
        core::iter::from_fn(|| controller.poll_step()).collect()
    }

    #[test]
    fn what_is_gained_is_due_at_once_and_workers_are_few() {
        let mut controller = controller(3);
        assert_eq!(controller.poll_timeout(), None);
        controller.grant(Right::Everything, at(10));
        controller.handle_timeout(at(10), true);
        let begun = steps(&mut controller);
        assert_eq!(begun.len(), 3);
        assert!(begun.iter().all(|step| matches!(step, Step::Began(_))));
        assert_eq!(controller.poll_timeout(), Some(at(60)));
        controller.handle_timeout(at(60), true);
        assert_eq!(steps(&mut controller).len(), 4); // three ends and the fourth's beginning
    }

    #[test]
    fn without_right_work_in_flight_goes_on_to_its_end_and_no_other_begins() {
        let mut controller = controller(1);
        controller.grant(Right::Everything, at(10));
        controller.handle_timeout(at(10), true);
        controller.grant(Right::Nothing, at(20));
        assert!(!controller.is_idle());
        controller.handle_timeout(at(60), true);
        assert!(controller.is_idle());
        assert!(matches!(steps(&mut controller)[..], [Step::Began(_), Step::Ended(_)]));
        assert_eq!(controller.poll_timeout(), None);
    }

    #[test]
    fn each_object_is_worked_on_once_a_period() {
        let mut controller = controller(2);
        controller.grant(Right::Everything, at(0));
        let mut begun = 0;
        let mut now = at(0);
        while now < at(600_000) {
            controller.handle_timeout(now, true);
            begun +=
                steps(&mut controller).iter().filter(|step| matches!(step, Step::Began(_))).count();
            now = controller.poll_timeout().unwrap();
        }
        assert_eq!(begun, 4 + 4 * 10);
    }

    #[test]
    fn what_was_missed_is_due_once() {
        let mut controller = controller(9);
        controller.grant(Right::Everything, at(0));
        controller.handle_timeout(at(0), true);
        controller.handle_timeout(at(60_000_000), true);
        assert_eq!(steps(&mut controller).len(), 4 + 4 + 4);
        assert!(controller.poll_timeout() <= Some(at(60_000_050)));
    }
}
