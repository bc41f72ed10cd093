//! The bugs that are planted: those that elections and sharded groups are known to have.

use tenure::election::Rule as E;
use tenure::sharding::Rule as S;

use crate::fault::{Fault, Links, Planned, Site, Target};
use crate::left_out::{Duty, Rule};
use crate::scenario::Scenario;
use crate::time::Span;

use Plant::{ClientGo, Election, Refused, Sharding};

/// A bug, and how it is planted.
#[derive(Debug, Clone, Copy)]
pub struct Bug {
    /// As `5`, or `H8`; several have one number if they are variants of one, or ways to it.
    pub number: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// How it is planted.
    pub plant: Plant,
    /// The scenario that shows it.
    pub shown_in: &'static str,
    /// Why nothing notices it; empty if something does.
    pub argument: &'static str,
}

/// How a bug is planted.
#[derive(Debug, Clone, Copy)]
pub enum Plant {
    /// By leaving out rules of an elector, and of what it is told by.
    Election(&'static [E], &'static [Duty]),
    /// By following client-go's rules where the strict ones are promised.
    ClientGo,
    /// By leaving out a rule of the sharding protocol.
    Sharding(&'static [S]),
    /// Not at all: it does not compile, or another test refuses it. Which.
    Refused(&'static str),
}

impl Bug {
    /// What is left out; empty if nothing is.
    #[must_use]
    pub fn without(&self) -> Vec<&'static str> {
        match self.plant {
            Election(..) => self.rules().map(Rule::name).collect(),
            ClientGo => vec!["strict"],
            Sharding(rules) => rules.iter().map(|rule| rule.name()).collect(),
            Refused(_) => Vec::new(),
        }
    }

    /// The rules of an election that are left out.
    pub(super) fn rules(&self) -> impl Iterator<Item = Rule> {
        let (rules, duties) = match self.plant {
            Election(rules, duties) => (rules, duties),
            _ => (&[][..], &[][..]),
        };
        let rules = rules.iter().map(|rule| Rule::Elector(*rule));
        rules.chain(duties.iter().map(|duty| Rule::World(*duty)))
    }

    /// Whether somebody means it by this number or name of a rule.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.number == name || self.without().contains(&name)
    }
}

const fn bug(
    number: &'static str,
    what: &'static str,
    plant: Plant,
    shown_in: &'static str,
) -> Bug {
    Bug { number, what, plant, shown_in, argument: "" }
}

const fn survivor(
    number: &'static str,
    what: &'static str,
    plant: Plant,
    argument: &'static str,
) -> Bug {
    Bug { number, what, plant, shown_in: "", argument }
}

const fn elector(rules: &'static [E]) -> Plant {
    Election(rules, &[])
}

const fn world(duties: &'static [Duty]) -> Plant {
    Election(&[], duties)
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Bug> {
    [ELECTION, SHARDING, PROTOCOL].concat()
}

/// Of elections, 1 to 35.
const ELECTION: &[Bug] = &[
    bug(
        "1",
        "expiry by the record's time and the own wall clock",
        elector(&[E::OwnWait]),
        "ntp-steps",
    ),
    bug("2", "observations dated by the wall clock", elector(&[E::Monotonic]), "ntp-steps"),
    bug("3", "an update names no version", world(&[Duty::CompareVersions]), "slow-clock"),
    bug("4", "authority has no end", elector(&[E::Deadline]), "leader-cut"),
    bug("5", "authority counts from the answer", elector(&[E::SendTime]), "late-answer-slow-clock"),
    bug("6", "transitions are not counted", elector(&[E::CountTransitions]), "leader-crash"),
    bug("7", "a renewal counts as a transition", elector(&[E::RenewalIsNoTransition]), "calm"),
    bug("8", "a release clears another's record", elector(&[E::OwnRelease]), "release-when-lapsed"),
    bug(
        "9",
        "one waits for the own duration, not the record's",
        elector(&[E::RecordedDuration]),
        "mixed-durations",
    ),
    bug("10", "each read begins the wait anew", elector(&[E::SameVersionWaits]), "leader-crash"),
    bug("11", "only the holder is compared", elector(&[E::NewVersionWaits]), "calm"),
    bug("12", "a renewal rewrites the time of acquisition", elector(&[E::KeepAcquireTime]), "calm"),
    bug("13", "a conflict counts as a renewal", elector(&[E::ConflictIsNoRenewal]), "preferred"),
    bug("14", "a time-out counts as a renewal", elector(&[E::ErrorIsNoRenewal]), "slow-clock"),
    bug(
        "15",
        "the answer to an earlier request is taken for this one's",
        elector(&[E::RequestId]),
        "answer-to-another",
    ),
    bug("16", "a candidate gives up after a failure", elector(&[E::TryAgain]), "store-outage"),
    bug(
        "17",
        "the duration of a released record is waited out",
        elector(&[E::ReleasedIsFree]),
        "watch-quiet",
    ),
    bug(
        "18",
        "after a failed read the lock is created, over what is there",
        Election(&[E::ErrorIsNotMissing], &[Duty::CreateOnly]),
        "store-outage",
    ),
    bug("19", "two replicas hold under one name", elector(&[E::Incarnation]), "same-identity"),
    bug("20", "seconds are written as milliseconds", elector(&[E::Seconds]), "calm"),
    bug("21", "a leader renews once a lease duration", elector(&[E::RenewInTime]), "calm"),
    bug(
        "22",
        "a leader goes on when the lock is gone",
        elector(&[E::MissingEnds]),
        "deleted-by-hand",
    ),
    bug("23", "whether it leads is not asked by the clock", elector(&[E::Clock]), "work-ahead"),
    bug(
        "24",
        "renewal times of whole seconds, so that a renewal changes nothing, and counts",
        elector(&[E::FreshRenewal, E::SameVersionRenewsNothing]),
        "sub-second-retry",
    ),
    bug("24a", "or does not count", elector(&[E::FreshRenewal]), "frozen-wall-clock"),
    bug(
        "24b",
        "renewals are compared at whole seconds",
        elector(&[E::SubSecondRenewal]),
        "sub-second-retry",
    ),
    bug("25", "client-go's rules: 5, 8 and 23, and no stop on seeing another", ClientGo, "pause"),
    bug(
        "25a",
        "a leader that sees another's name goes on",
        elector(&[E::AnotherEnds]),
        "taken-by-hand",
    ),
    bug("26", "no jitter", elector(&[E::Jitter]), "calm"),
    survivor(
        "27",
        "a lock may be taken after its end, not at it",
        elector(&[E::AtTheEnd]),
        "one nanosecond later, which no bound is short of; the tables of client-go's tests ask at the very nanosecond",
    ),
    bug("28", "a late answer revives what has ended", elector(&[E::LateAnswer]), "answer-first"),
    bug(
        "29",
        "an earlier life's lock is taken at once",
        elector(&[E::EarlierLifeWaits]),
        "same-identity",
    ),
    bug(
        "30",
        "a renew deadline beyond the lease duration is allowed",
        elector(&[E::DeadlineWithinLease]),
        DEADLINE_BEYOND,
    ),
    bug("31", "names are compared without case", elector(&[E::ExactNames]), "alike-names"),
    bug("32", "the duration is cut to whole seconds", elector(&[E::RoundUp]), "duration-cut"),
    bug("33", "StoppedLeading comes twice", elector(&[E::TellOnce]), "leader-cut"),
    bug("33a", "or never", elector(&[E::TellTheEnd]), "leader-cut"),
    bug(
        "34",
        "of two objects, the second's holder is not waited for",
        elector(&[E::BothWait]),
        "migrate-overwritten",
    ),
    bug("34a", "one of two is enough to lead", elector(&[E::BothHeld]), "migrate-beaten"),
    bug("35", "reads are one version behind", world(&[Duty::CurrentReads]), "leader-crash"),
];

/// Of sharded groups, H1 to H12, but for the rules of the protocol.
const SHARDING: &[Bug] = &[
    bug("H2", "who has gone keeps its slots", Sharding(&[S::GoneHaveNone]), "sharding/leave"),
    bug(
        "H3",
        "ties on a ring by the order of insertion",
        Refused(
            "the type of member lists, which has them in order: a compile-fail example of `Members`",
        ),
        "",
    ),
    bug(
        "H4",
        "each process hashes with a seed of its own",
        Sharding(&[S::OneHash]),
        "sharding/calm",
    ),
    bug(
        "H5",
        "the slot's number modulo the number of members",
        Sharding(&[S::LeastMoves]),
        "sharding/join-one",
    ),
    bug(
        "H6",
        "a member of weight 0 gets keys",
        Refused(
            "the type of weights, which has no 0: a compile-fail example of `Member::with_weight`",
        ),
        "",
    ),
    bug(
        "H7",
        "names and numbers run together: a1 and 1 as a and 11",
        Sharding(&[S::LabelsApart]),
        "sharding/similar-names",
    ),
    bug(
        "H8",
        "whether it owns a slot is not asked by the clock",
        Sharding(&[S::Clock]),
        "sharding/late-renewal",
    ),
    bug("H9", "the order of members matters", Refused("the type of member lists, as H3"), ""),
    bug(
        "H10",
        "jump hash although a member in the middle leaves",
        Refused(
            "what placements can do, which is a matter of type: a compile-fail example of `placement::Named`",
        ),
        "",
    ),
    bug(
        "H11",
        "a slot is given away before its work has ended",
        Sharding(&[S::DrainBeforeAck]),
        "sharding/join-one",
    ),
    bug(
        "H12",
        "a score in floats that differs between platforms",
        Refused("`tests/tidy.rs`, which finds floats in the core"),
        "",
    ),
];

/// H1, two owners while members disagree, has as many ways to it as the protocol has rules.
const PROTOCOL: &[Bug] = &[
    bug("H1", "a joiner waits for nobody", Sharding(&[S::JoinWait]), "sharding/join-one"),
    bug(
        "H1",
        "a draining member does not count",
        Sharding(&[S::CountDraining]),
        "sharding/weights-change",
    ),
    bug(
        "H1",
        "a member is excluded before its time is over",
        Sharding(&[S::WaitLease]),
        "sharding/flap",
    ),
    bug(
        "H1",
        "authority counts from the answer",
        Sharding(&[S::SendTime]),
        "sharding/late-answers",
    ),
    bug(
        "H1",
        "an answer after the end extends it",
        Sharding(&[S::LateAnswer]),
        "sharding/late-renewal",
    ),
    bug(
        "H1",
        "a token from before the read that gave the slot",
        Sharding(&[S::TokenAfterRead]),
        "sharding/late-grant",
    ),
    bug(
        "H1",
        "an exclusion goes over any version",
        Sharding(&[S::ExclusionVersion]),
        "sharding/pause-long",
    ),
    bug(
        "H1",
        "an exclusion counts when it is sent",
        Sharding(&[S::ExclusionAnswer]),
        "sharding/stale-excluder",
    ),
    bug(
        "H1",
        "an exclusion hides a newer version",
        Sharding(&[S::ExclusionNewer]),
        "sharding/late-exclusion",
    ),
    bug(
        "H1",
        "a conflict is an exclusion",
        Sharding(&[S::ConflictIsNoExclusion]),
        "sharding/stale-excluder",
    ),
    bug(
        "H1",
        "an excluded member's return is not heeded",
        Sharding(&[S::NewerCounts]),
        "sharding/store-outage",
    ),
    // Who acts is asked by the clock, and a joiner that was excluded meets a conflict: it only wakes for nothing.
    bug("H1", "a joiner does not lapse", Sharding(&[S::JoinerLapses]), ""),
    bug("H1", "a joiner acts by an older read", Sharding(&[S::ActivationRead]), "sharding/calm"),
    bug("H1", "views go back", Sharding(&[S::ViewsForward]), "sharding/rolling-update-same-names"),
    bug(
        "H1",
        "a record that vanished counts no more",
        Sharding(&[S::AbsenceWaits]),
        "sharding/record-deleted",
    ),
    survivor(
        "H1",
        "who misses its own record acts on",
        Sharding(&[S::OwnMissing]),
        "a second defence: a renewal goes over a version, so that who lost its record cannot renew",
    ),
    bug(
        "H1",
        "a weight changes under work",
        Sharding(&[S::StopToChange]),
        "sharding/weights-change",
    ),
    bug(
        "H1",
        "a renewal whose answer was lost gives a right",
        Sharding(&[S::LostRenewal]),
        "sharding/store-outage",
    ),
    bug(
        "H1",
        "a watch is fresh though it shows nothing",
        Sharding(&[S::Echo]),
        "sharding/join-one",
    ),
    bug(
        "H1",
        "two configurations act together",
        Sharding(&[S::OneGeneration]),
        "sharding/configuration-change",
    ),
    bug(
        "H1",
        "a slot that came back has not moved",
        Sharding(&[S::Since]),
        "sharding/plan-there-and-back",
    ),
    bug(
        "H1",
        "a plan counts before the members are read",
        Sharding(&[S::MembersAfterPlan]),
        "sharding/plan-unseen-member",
    ),
    bug(
        "H1",
        "a plan counts before it is acknowledged",
        Sharding(&[S::PlanAcknowledged]),
        "sharding/planned",
    ),
];

/// The scenario that electors refuse, as they should.
const DEADLINE_BEYOND: &str = "deadline-beyond-lease";

/// A scenario that is in no catalogue, since it cannot be run as long as all rules hold.
pub(super) fn refused(name: &str) -> Option<Scenario> {
    (name == DEADLINE_BEYOND).then(|| {
        let cut = Fault::Partition(Links::of(Site::Of(Target::Leader)));
        Scenario {
            name: name.to_owned(),
            description: "A leader with a deadline beyond its lease is cut off.".to_owned(),
            renew_deadline: Span::from_secs(20),
            faults: vec![Planned::at(Span::from_secs(60), cut).lasting(Span::from_secs(60))],
            horizon: Span::from_secs(180),
            ..Scenario::default()
        }
    })
}
