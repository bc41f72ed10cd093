//! What is counted, and what is timed by a clock that the caller brings.
//!
//! ```
//! use core::{cell::Cell, time::Duration};
//! use tenure_sim::balance::catalogue::{Choice, Instance};
//! use tenure_sim::balance::input::{KeyHash, Keys, numbered};
//! use tenure_sim::balance::measure::{
//!     Figures, Moved, Timing, ideal, measure_hashed, newcomers, time, variation,
//! };
//!
//! let jump: Choice = "jump".parse()?;
//! let (members, keys) = (numbered("shard", 5), Keys::drawn(2_000, 1));
//! let instance = Instance::new(jump, members.clone())?;
//! let figures: Figures = measure_hashed(&instance, &keys, KeyHash::Xxh64, 1)?;
//! // It is as uneven as chance has it, and moves what it must.
//! assert_eq!(figures.variation, variation(&instance, &keys, KeyHash::Xxh64)?);
//! assert!(figures.variation < 3.0 * ideal(5, 2_000));
//! let Moved { moved, least, misplaced, keys: placed } = figures.join;
//! assert_eq!((moved, misplaced, placed), (least, 0, 2_000));
//! // Those that joined, one at a time, were called as members are.
//! assert_eq!(newcomers(&members, 1, 1)[0].name(), "shard-5");
//!
//! // A clock that goes on by a tenth of a second whenever it is asked stands for a real one.
//! let asked = Cell::new(0);
//! let clock = || Duration::from_millis(100 * asked.replace(asked.get() + 1));
//! let Timing { build_nanos, look_up_nanos } = time(jump, &members, &keys, &clock)?;
//! assert_eq!(build_nanos, 1e8);
//! assert!(look_up_nanos < build_nanos);
//! # Ok::<(), tenure_sim::balance::Unfit>(())
//! ```

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF as _};
use tenure::placement::Member;

use super::Unfit;
use super::catalogue::{Choice, Instance, Leaves};
use super::input::{KeyHash, Keys};
use super::placer::{Change, Item, Owners};
use crate::rng::{Purpose, Stream};

/// How many members are tried at each kind of change, if there are as many.
const TRIALS: usize = 8;

/// What a kind of change moved, summed over its trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Moved {
    /// Keys with another owner than before.
    pub moved: u64,
    /// Keys that had to move: those of who left, those that who joined owns now; of both, for a
    /// replacement, the greater.
    pub least: u64,
    /// Keys that moved although their member stayed, and to one that was there before.
    pub misplaced: u64,
    /// Keys in all.
    pub keys: u64,
}

impl Moved {
    /// Moved by least; `None` if nothing had to move.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        (self.least > 0).then(|| real(self.moved) / real(self.least))
    }
}

/// How one algorithm did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// As it was asked for.
    pub algorithm: String,
    /// Which hash of the keys it placed.
    pub hash: String,
    /// Of all members the greatest ratio of keys owned to keys due.
    pub peak_to_mean: f64,
    /// The coefficient of variation: the root of the mean square by which that ratio differs from 1,
    /// each member counting as its weight.
    pub variation: f64,
    /// What it is on average if each key falls to a member by chance: √((members - 1) / keys), with
    /// weights as without.
    pub ideal: f64,
    /// Pearson's statistic: the keys times the square of the variation.
    pub chi_square: f64,
    /// How likely chance alone is at least as uneven as this.
    pub p_value: Option<f64>,
    /// Somebody new came.
    pub join: Moved,
    /// Somebody went; `None` if there was but one.
    pub leave: Option<Moved>,
    /// Somebody new took the place of somebody.
    pub replace: Moved,
    /// Heap and structure, without the members' names.
    pub bytes: usize,
    /// If a clock was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
}

/// How long it takes; the least of several times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Timing {
    /// To build it from the members.
    pub build_nanos: f64,
    /// To find a key's owner, by the key's hash; presets hash it first.
    pub look_up_nanos: f64,
}

/// A count as a real number: exact below 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "no count comes near 2^53")]
pub(super) const fn real(count: u64) -> f64 {
    count as f64
}

/// √((members - 1) / keys).
#[must_use]
pub fn ideal(members: usize, keys: usize) -> f64 {
    (real(members.saturating_sub(1) as u64) / real(keys as u64)).sqrt()
}

/// Counts; the seed chooses who leaves and how newcomers are called.
///
/// # Errors
/// The keys are no numbers as the hash wants, or the algorithm cannot have one member more.
pub fn measure(instance: &Instance, keys: &Keys, seed: u64) -> Result<Figures, Unfit> {
    measure_hashed(instance, keys, instance.choice.hash(None)?, seed)
}

/// As [`measure`], with this hash.
///
/// # Errors
/// As [`measure`].
pub fn measure_hashed(
    instance: &Instance,
    keys: &Keys,
    hash: KeyHash,
    seed: u64,
) -> Result<Figures, Unfit> {
    let items = keys.items(hash)?;
    let before = owners(instance, &items);
    let (peak_to_mean, variation) = spread(instance.members(), &before);
    let members = instance.members();
    let chi_square = real(items.len() as u64) * variation * variation;
    let freedom = ChiSquared::new(real(members.len() as u64) - 1.0).ok();
    let counted = Trials { instance, items: &items, before: &before };
    let newcomers = newcomers(members, TRIALS, seed);
    let (gone, came) = chosen(instance, &newcomers, seed);
    let join = counted.sum(came.iter().map(|member| Change::Join((*member).clone())))?;
    let leave = gone.iter().map(|member| Change::Leave(member.name().to_owned()));
    let leave = (members.len() > 1).then(|| counted.sum(leave)).transpose()?;
    let replace = gone.iter().zip(&newcomers).map(|(member, new)| {
        let new = new.clone().with_weight(member.weight());
        let zone = member.zone().unwrap_or_default();
        Change::Replace(member.name().to_owned(), new.in_zone(zone))
    });
    Ok(Figures {
        algorithm: instance.choice.to_string(),
        hash: hash.to_string(),
        peak_to_mean,
        variation,
        ideal: ideal(members.len(), items.len()),
        chi_square,
        p_value: freedom.map(|distribution| distribution.sf(chi_square)),
        join,
        leave,
        replace: counted.sum(replace)?,
        bytes: instance.bytes(items.len()),
        timing: None,
    })
}

/// Peak to mean and coefficient of variation alone.
///
/// # Errors
/// As [`measure`].
pub fn variation(instance: &Instance, keys: &Keys, hash: KeyHash) -> Result<f64, Unfit> {
    let items = keys.items(hash)?;
    Ok(spread(instance.members(), &owners(instance, &items)).1)
}

fn owners<'a>(instance: &'a Instance, items: &[Item<'_>]) -> Owners<'a> {
    let mut owners = Vec::with_capacity(items.len());
    instance.place_each(items, &mut owners);
    owners
}

/// Peak to mean, and the coefficient of variation.
fn spread(members: &[Member], owners: &Owners<'_>) -> (f64, f64) {
    let mut counts: BTreeMap<&str, (u64, u32)> = BTreeMap::new();
    for member in members {
        counts.insert(member.name(), (0, member.weight().get()));
    }
    for owner in owners.iter().flatten() {
        if let Some((count, _)) = counts.get_mut(owner.name()) {
            *count += 1;
        }
    }
    let all: f64 = counts.values().map(|(_, weight)| f64::from(*weight)).sum();
    let (mut peak, mut square) = (0.0_f64, 0.0);
    for (count, weight) in counts.values() {
        let share = f64::from(*weight) / all;
        let ratio = real(*count) / (real(owners.len() as u64) * share);
        peak = peak.max(ratio);
        square += share * (ratio - 1.0) * (ratio - 1.0);
    }
    (peak, square.sqrt())
}

/// What is tried: who leaves, and who joins.
fn chosen<'a>(
    instance: &'a Instance,
    newcomers: &'a [Member],
    seed: u64,
) -> (Vec<&'a Member>, Vec<&'a Member>) {
    let mut gone: Vec<&Member> = instance.members().iter().collect();
    if instance.choice.algorithm.leaves == Leaves::Last {
        // It is the same each time.
        gone.drain(..gone.len().saturating_sub(1));
        return (gone, newcomers.iter().take(1).collect());
    }
    let mut stream = Stream::new(seed, Purpose::Experiment, 1);
    while gone.len() > TRIALS {
        let place = stream.below(gone.len() as u64);
        gone.swap_remove(usize::try_from(place).unwrap_or(0));
    }
    (gone, newcomers.iter().collect())
}

/// Members that are called as those that are there: the next numbers, or what a Deployment puts at the
/// end of a name.
#[must_use]
pub fn newcomers(members: &[Member], count: usize, seed: u64) -> Vec<Member> {
    let known: BTreeSet<&str> = members.iter().map(Member::name).collect();
    let first = members.first().map_or("member-0", Member::name);
    let word = first.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let stem = first.rfind('-').map_or(first, |dash| first.get(..dash).unwrap_or(first));
    let mut stream = Stream::new(seed, Purpose::Experiment, 2);
    let mut number = members.len();
    let mut new = BTreeSet::new();
    let mut found = Vec::new();
    while found.len() < count {
        let name = if word.len() < first.len() {
            number += 1;
            format!("{word}{}", number - 1)
        } else {
            format!("{stem}-{}", suffix(&mut stream))
        };
        if !known.contains(name.as_str()) && new.insert(name.clone()) {
            found.push(Member::from(name));
        }
    }
    found
}

/// Five letters of those that Kubernetes takes.
fn suffix(stream: &mut Stream) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut letter = || {
        let place = usize::try_from(stream.below(LETTERS.len() as u64)).unwrap_or(0);
        LETTERS.get(place).map_or('x', |letter| char::from(*letter))
    };
    (0..5).map(|_| letter()).collect()
}

/// Changes of one instance.
struct Trials<'a> {
    instance: &'a Instance,
    items: &'a [Item<'a>],
    before: &'a Owners<'a>,
}

impl Trials<'_> {
    fn sum(&self, changes: impl Iterator<Item = Change>) -> Result<Moved, Unfit> {
        let mut sum = Moved::default();
        for change in changes {
            let moved = self.one(&change)?;
            sum.moved += moved.moved;
            sum.least += moved.least;
            sum.misplaced += moved.misplaced;
            sum.keys += moved.keys;
        }
        Ok(sum)
    }

    fn one(&self, change: &Change) -> Result<Moved, Unfit> {
        let changed = self.instance.changed(change)?;
        let after = owners(&changed, self.items);
        let (gone, new) = match change {
            Change::Join(new) => (None, Some(new.name())),
            Change::Leave(gone) => (Some(gone.as_str()), None),
            Change::Replace(gone, new) => (Some(gone.as_str()), Some(new.name())),
        };
        let (mut lost, mut taken) = (0, 0);
        let mut moved = Moved { keys: self.items.len() as u64, ..Moved::default() };
        for (before, after) in self.before.iter().zip(&after) {
            let (before, after) = (before.map(Member::name), after.map(Member::name));
            let (had_to, was_to) = (before == gone, after == new);
            lost += u64::from(had_to && gone.is_some());
            taken += u64::from(was_to && new.is_some());
            if before != after {
                moved.moved += 1;
                moved.misplaced += u64::from(!had_to && !was_to);
            }
        }
        moved.least = lost.max(taken);
        Ok(moved)
    }
}

/// Times an algorithm over these members on up to 65,536 random UIDs, or on `keys` if all must be
/// there at once. The clock says how much time has passed since some instant.
///
/// # Errors
/// The algorithm cannot have these members.
pub fn time(
    choice: Choice,
    members: &[Member],
    keys: &Keys,
    clock: &dyn Fn() -> Duration,
) -> Result<Timing, Unfit> {
    let mut instance = Instance::new(choice, members.to_vec())?;
    let build_nanos = least_of(clock, || {
        let copy = members.to_vec();
        let from = clock();
        let built = Instance::new(choice, copy);
        let took = clock().saturating_sub(from);
        // What was built before is dropped off the clock.
        if let Ok(built) = built {
            instance = built;
        }
        took
    });
    let hash = match choice.hash(None)? {
        KeyHash::Raw => KeyHash::Xxh3,
        hash => hash,
    };
    let drawn = (!choice.algorithm.whole).then(|| Keys::drawn(1 << 16, 0));
    let items = drawn.as_ref().unwrap_or(keys).items(hash)?;
    let mut owners = Vec::with_capacity(items.len());
    let mut round = |items: &[Item<'_>]| {
        owners.clear();
        let from = clock();
        instance.place_each(items, &mut owners);
        clock().saturating_sub(from)
    };
    // So many that a round takes 30 ms at most, if not all at once are needed.
    let few = if choice.algorithm.whole { items.len() } else { items.len().min(256) };
    let few = items.get(..few).unwrap_or(&items);
    let took = round(few).as_nanos().max(1);
    let fit = usize::try_from(few.len() as u128 * 30_000_000 / took).unwrap_or(usize::MAX);
    let items = items.get(..fit.clamp(few.len(), items.len())).unwrap_or(few);
    let nanos = least_of(clock, || round(items));
    Ok(Timing { build_nanos, look_up_nanos: nanos / real(items.len().max(1) as u64) })
}

/// Nanoseconds: the least of three times or more, as many as 30 ms allow; of fewer if they take long.
fn least_of(clock: &dyn Fn() -> Duration, mut once: impl FnMut() -> Duration) -> f64 {
    let from = clock();
    let mut least = Duration::MAX;
    for round in 1_u64.. {
        least = least.min(once());
        let spent = clock().saturating_sub(from);
        let enough = if round < 3 { Duration::from_millis(300) } else { Duration::from_millis(30) };
        if spent >= enough || round >= 100_000 {
            break;
        }
    }
    least.as_secs_f64() * 1e9
}
