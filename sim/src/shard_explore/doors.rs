//! What goes into a member and what comes out, with versions and records as small numbers.

use tenure::election::Failure;

/// A version of the store; 0 is none.
pub(super) type Version = u16;

/// Whatever the version is.
pub(super) const ANY: Version = Version::MAX;

/// A stored record: all but two numbers is its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Rec {
    pub(super) shape: u16,
    pub(super) acted_on: Option<Version>,
    pub(super) version: Version,
}

/// A stored plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PlanRec {
    pub(super) version: Version,
    /// By slot, whose it is, and since which version.
    pub(super) slots: Vec<(u8, Version)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Door {
    /// Time goes by.
    Tick,
    Wake,
    Poke,
    /// Reads the plan.
    PokePlan,
    Leave,
    /// Another weight.
    Reconfigure,
    Drained(u8),
    /// To the request with this number.
    Answer(u8, Reply),
    Show(Shown),
    ShowPlan(PlanRec),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Reply {
    Listed(Vec<Rec>, Version),
    Written(Version),
    Planned(PlanRec),
    Deleted,
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Shown {
    Started(Version),
    Stored(Rec),
    /// Whose, by number.
    Deleted(u8, Version),
    Progress(Version),
    Broken,
}

/// A call of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Ask {
    List,
    ReadPlan,
    Create(Rec),
    Update(Rec, Version),
    Delete(u8, Version),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Happened {
    Joined,
    Acquired(Vec<(u8, Version)>),
    Revoking(u8),
    Lapsed,
    Left,
}

/// What a call brought forth.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Reaction {
    pub(super) happened: Vec<Happened>,
    /// By number of their kind.
    pub(super) asks: Vec<(u8, Ask)>,
}

/// All versions in a value.
pub(super) trait Versions {
    fn versions(&mut self, f: &mut dyn FnMut(&mut Version));
}

impl Versions for Rec {
    fn versions(&mut self, f: &mut dyn FnMut(&mut Version)) {
        if let Some(acted_on) = &mut self.acted_on {
            f(acted_on);
        }
        f(&mut self.version);
    }
}

impl Versions for PlanRec {
    fn versions(&mut self, f: &mut dyn FnMut(&mut Version)) {
        f(&mut self.version);
        self.slots.iter_mut().for_each(|(_, since)| f(since));
    }
}

impl Versions for Reply {
    fn versions(&mut self, f: &mut dyn FnMut(&mut Version)) {
        match self {
            Self::Listed(members, version) => {
                for rec in members {
                    rec.versions(f);
                }
                f(version);
            }
            Self::Written(version) => f(version),
            Self::Planned(plan) => plan.versions(f),
            Self::Deleted | Self::Failed(_) => {}
        }
    }
}

impl Versions for Shown {
    fn versions(&mut self, f: &mut dyn FnMut(&mut Version)) {
        match self {
            Self::Started(version) | Self::Deleted(_, version) | Self::Progress(version) => {
                f(version);
            }
            Self::Stored(rec) => rec.versions(f),
            Self::Broken => {}
        }
    }
}

impl Versions for Door {
    fn versions(&mut self, f: &mut dyn FnMut(&mut Version)) {
        match self {
            Self::Answer(_, reply) => reply.versions(f),
            Self::Show(shown) => shown.versions(f),
            Self::ShowPlan(plan) => plan.versions(f),
            _ => {}
        }
    }
}

impl Versions for Ask {
    fn versions(&mut self, f: &mut dyn FnMut(&mut Version)) {
        match self {
            Self::List | Self::ReadPlan => {}
            Self::Create(rec) => rec.versions(f),
            Self::Update(rec, over) => {
                rec.versions(f);
                f(over);
            }
            Self::Delete(_, over) => f(over),
        }
    }
}

impl Versions for Reaction {
    fn versions(&mut self, f: &mut dyn FnMut(&mut Version)) {
        for happened in &mut self.happened {
            if let Happened::Acquired(tokens) = happened {
                for (_, token) in tokens {
                    f(token);
                }
            }
        }
        self.asks.iter_mut().for_each(|(_, ask)| ask.versions(f));
    }
}
