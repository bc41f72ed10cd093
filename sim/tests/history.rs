//! Recorded history of locks, judged.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod history {
    mod cli;
    mod inspect;
    mod robust;
    mod rules;
    pub(crate) mod stories;
}
