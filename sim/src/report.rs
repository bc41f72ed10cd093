//! What happened, drawn: one HTML file that needs no network ([`Report::html`]), and a still picture for
//! papers ([`Report::svg`]).
//!
//! There is one model, [`Report`]: lanes along an axis with what goes on in them, faults, violations, a grid
//! (who has which slot when), bars and tables. What can be told fills it: [`Election`] and [`Group`] look at a
//! run while it happens, [`recorded`] at the history of locks, [`Swept`] at many runs, whose axis are their
//! seeds. What draws a report knows nothing of elections.
//!
//! ```
//! use tenure_sim::{catalogue, report, world::World};
//!
//! let scenario = catalogue::find("leader-cut").unwrap();
//! let mut election = report::Election::new(&scenario);
//! let outcome = World::new(&scenario, 1)?.run(&mut election);
//! let found = &outcome.violations;
//! let tone = if found.is_empty() { report::Tone::Good } else { report::Tone::Bad };
//! let verdict = format!("{} violations", found.len());
//! let head = report::Head { title: scenario.name, tone, verdict, ..report::Head::default() };
//! let report = election.report(found).headed(head);
//! assert!(report.html().contains("0 violations"));
//! assert!(report.html().starts_with("<!doctype html>"));
//! assert!(report.svg().starts_with("<svg "));
//! # Ok::<(), tenure_sim::scenario::ScenarioError>(())
//! ```

mod election;
mod group;
mod html;
mod model;
mod owners;
mod recorded;
mod sketch;
mod svg;
mod swept;

pub use election::Election;
pub use group::Group;
pub use model::{Head, Report, Tone};
pub use recorded::recorded;
pub use swept::Swept;
