//! Worlds of what a strict elector offers beyond one object that it polls: two objects, a watch,
//! handing over and preferred holders.

use super::laws::{self, Law};

/// Name, rules but for lease and deadline, the law that is violated with a deadline beyond the bound
/// (`None`: explored within it only), the depth to which it is explored at least, and what it shows.
/// That is one more than the counterexample has that there is beyond the bound with the same objects,
/// and with a watch or without.
pub(super) const OFFERED: [(&str, &str, Option<Law>, usize, &str); 24] = [
    (
        "watch",
        "watch=yes",
        Some(laws::AUTHORITY),
        10,
        "a watch that shows what is, to anybody at any time",
    ),
    (
        "watch-late",
        "watch=yes faults=late-show:2",
        Some(laws::AUTHORITY),
        10,
        "a watch that twice shows what was, or a deletion that need not have been",
    ),
    (
        "watch-stop",
        "watch=yes late-writes=yes release=yes faults=stop:1,pause:1,late-show:1",
        None,
        10,
        "a watch that is late once, late writes, a stop with release, a pause",
    ),
    (
        "watch-crash",
        "watch=yes late-writes=yes release=yes faults=crash:1,late-show:1",
        None,
        10,
        "a watch that is late once, late writes, a crash and a restart",
    ),
    (
        "watch-delete",
        "watch=yes release=yes faults=delete:2,late-show:1",
        None,
        10,
        "a watch that is late once, and two deletions",
    ),
    (
        "watch-both-second",
        "watch=yes locks=both:second",
        Some(laws::AUTHORITY),
        12,
        "a watch of both objects, next to one who knows the second only and may be faster there",
    ),
    (
        "watch-both-both",
        "watch=yes locks=both:both",
        Some(laws::AUTHORITY),
        18,
        "a watch of both objects, for both",
    ),
    (
        "watch-both-second-late",
        "watch=yes locks=both:second faults=late-show:1",
        None,
        12,
        "a watch of both objects that is late once, next to one who knows the second only",
    ),
    (
        "hand-over",
        "late-writes=yes release=yes faults=hand-over:2",
        Some(laws::AUTHORITY),
        16,
        "somebody asks a leader twice to hand over, with late writes",
    ),
    (
        "preferred",
        "preferred=b late-writes=yes release=yes",
        Some(laws::TOKEN),
        16,
        "one should lead whenever it can, with late writes",
    ),
    (
        "preferred-crash",
        "preferred=b late-writes=yes release=yes faults=crash:1,hand-over:1",
        None,
        16,
        "one should lead whenever it can; somebody asks to hand over, to one that may have died",
    ),
    (
        "preferred-watch",
        "preferred=b watch=yes release=yes faults=hand-over:1",
        None,
        10,
        "one should lead whenever it can, a watch, and a handing over",
    ),
    ("both-both", "locks=both:both", Some(laws::AUTHORITY), 26, BOTH),
    (
        "both-both-stop",
        "locks=both:both late-writes=yes release=yes faults=stop:1,pause:1",
        None,
        26,
        BOTH,
    ),
    (
        "both-both-crash",
        "locks=both:both late-writes=yes release=yes faults=crash:1",
        None,
        26,
        BOTH,
    ),
    ("both-both-delete", "locks=both:both release=yes faults=delete:2", None, 26, BOTH),
    ("first-both", "locks=first:both", Some(laws::AUTHORITY), 20, FIRST),
    (
        "first-both-stop",
        "locks=first:both late-writes=yes release=yes faults=stop:1,pause:1",
        None,
        20,
        FIRST,
    ),
    (
        "first-both-crash",
        "locks=first:both late-writes=yes release=yes faults=crash:1",
        None,
        20,
        FIRST,
    ),
    ("first-both-delete", "locks=first:both release=yes faults=delete:2", None, 20, FIRST),
    ("both-second", "locks=both:second", Some(laws::AUTHORITY), 20, SECOND),
    (
        "both-second-stop",
        "locks=both:second late-writes=yes release=yes faults=stop:1,pause:1",
        None,
        20,
        SECOND,
    ),
    (
        "both-second-crash",
        "locks=both:second late-writes=yes release=yes faults=crash:1",
        None,
        20,
        SECOND,
    ),
    ("both-second-delete", "locks=both:second release=yes faults=delete:2", None, 20, SECOND),
];

const BOTH: &str = "a lock of two objects, for both replicas";
const FIRST: &str = "a migration begins: one knows the first object only, one has both";
const SECOND: &str = "a migration ends: one has both objects, one knows the second only";
