//! What people hand over: members, weights, keys, and the name of a hash.

use core::fmt;
use core::num::NonZeroU32;
use core::str::FromStr;
use std::collections::BTreeMap;

use tenure::placement::presets::{argo_cd, ketama};
use tenure::placement::{Key, Member, hash};

use super::Unfit;
use super::placer::Item;
use crate::experiment::SHIPPED_NAMES;
use crate::rng::{Purpose, Stream};

/// What some editors put before a text: nothing that anybody sees.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';
/// More members would be a slip: a list of them takes a tenth of a gigabyte.
pub(crate) const MOST_MEMBERS: u32 = 1_000_000;
/// More keys would be a slip as well.
pub(crate) const MOST_KEYS: u32 = 20_000_000;

/// How a key's text becomes a number.
///
/// ```
/// use tenure_sim::balance::input::KeyHash;
///
/// let hash: KeyHash = "siphash:0:ff".parse()?;
/// assert_eq!(hash, KeyHash::SipHash([0, 255]));
/// assert_ne!(hash.key("default/web")?, KeyHash::Xxh3.key("default/web")?);
/// // Whoever has hashed already gives the numbers.
/// assert_eq!(KeyHash::Raw.key("17")?.as_u64(), 17);
/// assert!(KeyHash::Raw.key("0x11").unwrap_err().to_string().contains("choose another hash"));
/// # Ok::<(), tenure_sim::balance::Unfit>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHash {
    /// XXH3 with 64 bits.
    Xxh3,
    /// XXH64 with seed 0.
    Xxh64,
    /// FNV-1a with 64 bits.
    Fnv1a,
    /// The same, mixed.
    Fnv1aMix,
    /// SipHash-2-4 with this secret.
    SipHash([u64; 2]),
    /// The text is the number.
    Raw,
    /// The first 8 bytes of BLAKE2b-512, as Argo CD has it.
    Blake2b,
    /// The first 4 bytes of MD5, as ketama has it.
    Md5,
    /// Jenkins' one-at-a-time, as libmemcached has it.
    OneAtATime,
    /// None: the algorithm takes the text, and does this with it.
    Text(&'static str),
}

impl KeyHash {
    /// What may be written. (The others are those of presets.)
    pub const NAMES: &'static str =
        "xxh3, xxh64, fnv1a, fnv1a-mix, siphash:K0:K1 with two numbers in hexadecimal, or raw";

    /// The key of a text.
    ///
    /// # Errors
    /// The hash is [`Raw`](Self::Raw), and the text no number of 64 bits.
    pub fn key(self, text: &str) -> Result<Key, Unfit> {
        let bytes = text.as_bytes();
        let hash = match self {
            Self::Xxh3 => hash::xxh3_64(bytes),
            Self::Xxh64 => hash::xxh64(bytes),
            Self::Fnv1a => hash::fnv1a_64(bytes),
            Self::Fnv1aMix => hash::mix(hash::fnv1a_64(bytes)),
            Self::SipHash(secret) => hash::siphash_2_4(secret, bytes),
            Self::Blake2b => return Ok(argo_cd::key(text)),
            Self::Md5 => return Ok(ketama::key(text)),
            Self::OneAtATime => return Ok(ketama::one_at_a_time(text)),
            Self::Text(_) => 0,
            Self::Raw => number(text).ok_or_else(|| {
                let told = beginning(text);
                Unfit::new(format_args!(
                    "key {told:?} is no number, as --hash raw wants: write one from 0 to 2^64 - 1 in \
                     decimal, or choose another hash"
                ))
            })?,
        };
        Ok(Key::from_hash(hash))
    }
}

/// Digits and nothing else, which is less than `parse` takes.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xxh3 => "xxh3",
            Self::Xxh64 => "xxh64",
            Self::Fnv1a => "fnv1a",
            Self::Fnv1aMix => "fnv1a-mix",
            Self::SipHash([k0, k1]) => return write!(f, "siphash:{k0:x}:{k1:x}"),
            Self::Raw => "raw",
            Self::Blake2b => "blake2b",
            Self::Md5 => "md5",
            Self::OneAtATime => "one-at-a-time",
            Self::Text(name) => name,
        })
    }
}

impl FromStr for KeyHash {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let known = [Self::Xxh3, Self::Xxh64, Self::Fnv1a, Self::Fnv1aMix, Self::Raw];
        if let Some(hash) = known.into_iter().find(|hash| hash.to_string() == text) {
            return Ok(hash);
        }
        let secret = text.strip_prefix("siphash:").and_then(|halves| halves.split_once(':'));
        let half = |half: &str| {
            let digits = half.strip_prefix("0x").unwrap_or(half);
            let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            hexadecimal.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
        };
        let secret = secret.and_then(|(k0, k1)| Some([half(k0)?, half(k1)?]));
        secret
            .map(Self::SipHash)
            .ok_or_else(|| Unfit::new(format_args!("{text:?} is no hash: write {}", Self::NAMES)))
    }
}

/// `member-0`, `member-1` and so on, with this word in place of `member`.
#[must_use]
pub fn numbered(word: &str, count: u32) -> Vec<Member> {
    (0..count).map(|number| Member::from(format!("{word}-{number}"))).collect()
}

/// A list of members: `name`, or `name<TAB>weight`, or `name<TAB>weight<TAB>zone`, one a line.
///
/// # Errors
/// There is none, or a line is not of this form, or a name stands there twice.
pub fn members(text: &str) -> Result<Vec<Member>, Unfit> {
    let mut seen = BTreeMap::new();
    let mut members = Vec::new();
    for (number, line) in (1_u32..).zip(text.lines()) {
        let at = |what: fmt::Arguments<'_>| Unfit::new(format_args!("line {number}: {what}"));
        let mut fields = line.split('\t');
        let name = fields.next().unwrap_or_default();
        check_text(name, "name").map_err(|why| at(format_args!("{why}")))?;
        let mut member = Member::from(name);
        if let Some(weight) = fields.next().filter(|weight| !weight.is_empty()) {
            member =
                member.with_weight(self::weight(weight).map_err(|why| at(format_args!("{why}")))?);
        }
        if let Some(zone) = fields.next() {
            member = member.in_zone(zone);
        }
        if fields.next().is_some() {
            let remedy = "write name, weight and zone with a tabulator between them";
            return Err(at(format_args!("more than three fields: {remedy}")));
        }
        if let Some(first) = seen.insert(name, number) {
            let told = beginning(name);
            return Err(at(format_args!(
                "{told:?} stands in line {first} already: name each once"
            )));
        }
        members.push(member);
    }
    if members.is_empty() {
        return Err(Unfit::new("there is no member: write one a line"));
    }
    if members.len() > MOST_MEMBERS as usize {
        return Err(Unfit::new(format_args!("more than {MOST_MEMBERS} members: name fewer")));
    }
    Ok(members)
}

/// A weight.
///
/// # Errors
/// It is no whole number from 1 to 2³² - 1.
pub fn weight(text: &str) -> Result<NonZeroU32, Unfit> {
    number(text).and_then(|weight| NonZeroU32::new(u32::try_from(weight).ok()?)).ok_or_else(|| {
        let told = beginning(text);
        Unfit::new(format_args!("weight {told:?}: write a whole number from 1 to {}", u32::MAX))
    })
}

/// Whether there is text that a person can see and a line can hold.
fn check_text(text: &str, what: &str) -> Result<(), Unfit> {
    if text.trim().is_empty() {
        return Err(Unfit::new(format_args!("the {what} is empty: write one in each line")));
    }
    if let Some(odd) = text.chars().find(|odd| odd.is_control() || *odd == BYTE_ORDER_MARK) {
        let remedy = "write plain text, one in each line";
        return Err(Unfit::new(format_args!("the {what} has {odd:?} in it: {remedy}")));
    }
    Ok(())
}

/// As much of a text as a message needs.
fn beginning(text: &str) -> String {
    let mut told: String = text.chars().take(80).collect();
    if told.len() < text.len() {
        told.push('…');
    }
    told
}

/// What is placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// For the heading.
    pub what: String,
    texts: Vec<String>,
}

impl Keys {
    /// The names that the crate ships: objects in the manifests of public Kubernetes projects.
    #[must_use]
    pub fn shipped() -> Self {
        let texts: Vec<_> = SHIPPED_NAMES.lines().map(str::to_owned).collect();
        Self { what: "names of Kubernetes objects".to_owned(), texts }
    }

    /// So many UIDs as Kubernetes gives them to objects, drawn from a seed.
    #[must_use]
    pub fn drawn(count: u32, seed: u64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Experiment, 0);
        let texts = (0..count).map(|_| uid(stream.bits(), stream.bits())).collect();
        Self { what: format!("random UIDs, seed {seed}"), texts }
    }

    /// One key a line.
    ///
    /// # Errors
    /// There is none, or a line is empty, or a key stands there twice.
    pub fn read(what: &str, text: &str) -> Result<Self, Unfit> {
        let mut seen = BTreeMap::new();
        for (number, line) in (1_u32..).zip(text.lines()) {
            let at = |what: fmt::Arguments<'_>| Unfit::new(format_args!("line {number}: {what}"));
            check_text(line, "key").map_err(|why| at(format_args!("{why}")))?;
            if let Some(first) = seen.insert(line, number) {
                let told = beginning(line);
                return Err(at(format_args!(
                    "{told:?} stands in line {first} already: write each once"
                )));
            }
        }
        if seen.is_empty() {
            return Err(Unfit::new("there is no key: write one a line"));
        }
        if seen.len() > MOST_KEYS as usize {
            return Err(Unfit::new(format_args!("more than {MOST_KEYS} keys: write fewer")));
        }
        Ok(Self { what: what.to_owned(), texts: text.lines().map(str::to_owned).collect() })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Hashed.
    ///
    /// # Errors
    /// As [`KeyHash::key`].
    pub fn items(&self, hash: KeyHash) -> Result<Vec<Item<'_>>, Unfit> {
        self.texts.iter().map(|text| Ok(Item { text, key: hash.key(text)? })).collect()
    }
}

/// A UID of version 4, made of 128 random bits.
fn uid(high: u64, low: u64) -> String {
    let (time_low, time_mid, time_high) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
    let (clock, node) = (low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
    format!("{time_low:08x}-{time_mid:04x}-4{time_high:03x}-{clock:04x}-{node:012x}")
}
