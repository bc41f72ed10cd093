//! The bound of `Config::margin` holds, and is tight.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tenure_sim::margin::Case;

/// `tenure margin --confirm` runs ten thousand seeds inside.
#[test]
fn inside_the_bound_one_leads_and_outside_of_it_two() {
    let mut all = true;
    for case in Case::all() {
        let confirmation = case.confirm(0..200, 0..1_000, || {}).unwrap();
        let name = (case.config.profile, case.name, case.schedule);
        eprintln!(
            "{name:?} {:?} {confirmation:?}",
            case.margin().max_ratio().map(|r| r.to_string())
        );
        all &= confirmation.confirms();
    }
    assert!(all);
}
