//! Recorded history of locks, judged: what `tenure check` does.
//!
//! [`Histories`] reads [recordings](Format) as a stream, in memory for the locks in them. What is
//! looked for, and what of it breaks an invariant, says [`Rule`].
//!
//! ```
//! use tenure_sim::history::{Histories, Rule, Settings};
//! let record = |version, second, holder: &str, transitions| {
//!     format!(
//!         r#"{{"type":"MODIFIED","received":"2026-01-01T00:00:{second}Z","object":{{"kind":"Lease",
//!         "metadata":{{"name":"a","namespace":"default","uid":"u","resourceVersion":"{version}"}},
//!         "spec":{{"holderIdentity":"{holder}","leaseDurationSeconds":15,"leaseTransitions":{transitions}}}}}}}"#
//!     ).replace('\n', "") + "\n"
//! };
//! let text = record(1, "10", "x", 0) + &record(2, "20", "y", 1);
//! let mut histories = Histories::new(Settings::default());
//! histories.read(text.as_bytes(), &mut |_| {}).unwrap();
//! let (_, history) = histories.locks().next().unwrap();
//! let finding = history.findings.kept().next().unwrap();
//! assert_eq!((finding.rule, finding.line), (Rule::EarlyTakeover, 2));
//! assert_eq!(finding.what, "y took the lock of x 10.000s at most after its last write; it lasts 15.000s");
//! ```

mod audit;
mod change;
mod chunks;
mod finding;
mod judge;
mod lengths;
mod object;
mod plain;
mod reader;
mod simulated;
mod step;
mod term;
mod time;
mod watch;

pub use change::LockName;
pub use finding::{Finding, Findings, KEPT, Rule};
pub use judge::{Counts, History};
pub use lengths::Lengths;
pub(crate) use plain::{Plain, steers};
pub use reader::{Format, Histories, Recording, Settings, Unread};
pub use simulated::Checked;
pub use term::{End, KEPT_TERMS, Stretch, Term, Terms};
pub(crate) use time::Length;
pub use time::{Moment, Window};
