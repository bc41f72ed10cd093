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
//!
//! What else there is to know of a lock: what happened to it how often, who held it when, and for how long
//! nobody did. Here `x` renews, releases the lock, and `y` takes it:
//!
//! ```
//! use tenure_sim::history::{Counts, End, Histories, History, LockName, Settings, Stretch, Term, Terms};
//! # let record = |version, second, holder: &str, transitions| {
//! #     format!(
//! #         r#"{{"type":"MODIFIED","received":"2026-01-01T00:00:{second}Z","object":{{"kind":"Lease",
//! #         "metadata":{{"name":"a","namespace":"default","uid":"u","resourceVersion":"{version}"}},
//! #         "spec":{{"holderIdentity":"{holder}","leaseDurationSeconds":15,"leaseTransitions":{transitions}}}}}}}"#
//! #     ).replace('\n', "") + "\n"
//! # };
//! let text = [record(1, "10", "x", 0), record(2, "12", "x", 0), record(3, "14", "", 0)].concat();
//! let text = text + &record(4, "17", "y", 1);
//! let mut histories = Histories::new(Settings::default());
//! histories.read(text.as_bytes(), &mut |_| {}).unwrap();
//! let (_, history) = histories.locks().next().unwrap();
//!
//! let History { lock: LockName { namespace, name, .. }, counts, terms, findings, .. } = history;
//! assert_eq!((&**namespace, &**name), ("default", "a"));
//! let Counts { versions, renewals, releases, acquisitions, takeovers, .. } = *counts;
//! assert_eq!([versions, renewals, releases, acquisitions, takeovers], [4, 1, 1, 1, 0]);
//! let Terms { count, longest_vacancy: Some(Stretch { length, holder, .. }), .. } = terms else { panic!() };
//! assert_eq!((*count, *length, holder.as_str()), (2, 3_000_000_000, "x"));
//! let terms: Vec<&Term> = terms.kept().collect();
//! assert_eq!((terms[0].writes, terms[0].end.map(|(_, how)| how)), (2, Some(End::Released)));
//! assert_eq!((terms[1].holder.as_str(), terms[1].end), ("y", None));
//! assert_eq!(findings.violations(), 0);
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
pub use time::Moment;
