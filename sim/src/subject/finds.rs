//! What checks find, and by which entry it showed.

use core::cell::{Cell, RefCell};

use super::{Find, kind};
use crate::check::{Check, Violation};
use crate::sharding;
use crate::time::SimTime;
use crate::trace::Entry;

/// Stands behind the checks, and looks at what they have found.
#[derive(Debug, Default)]
pub(super) struct Finds {
    finds: RefCell<Vec<Find>>,
    told: Cell<usize>,
}

impl Finds {
    /// Tells of the next one that was not told yet.
    pub(super) fn each(&self, go_on: &mut dyn FnMut(&Find) -> bool) -> bool {
        let next = self.told.replace(self.told.get() + 1);
        self.finds.borrow().get(next).is_none_or(go_on)
    }

    pub(super) fn into_inner(self) -> Vec<Find> {
        self.finds.into_inner()
    }

    fn note(&self, found: &[Violation], shown_by: impl Fn() -> String) {
        let mut finds = self.finds.borrow_mut();
        for violation in found.iter().skip(finds.len()) {
            finds.push(Find { violation: violation.clone(), shown_by: shown_by() });
        }
    }
}

impl Check for &Finds {
    fn name(&self) -> &'static str {
        "finds"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        self.note(found, || kind(&entry.what));
    }

    fn finish(&mut self, _: SimTime, found: &mut Vec<Violation>) {
        self.note(found, || "End".to_owned());
    }
}

impl sharding::check::Check for &Finds {
    fn name(&self) -> &'static str {
        "finds"
    }

    fn observe(&mut self, entry: &sharding::trace::Entry, found: &mut Vec<Violation>) {
        self.note(found, || kind(&entry.what));
    }

    fn finish(&mut self, _: SimTime, found: &mut Vec<Violation>) {
        self.note(found, || "End".to_owned());
    }
}
