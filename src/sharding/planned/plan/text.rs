//! A plan as text: base64 of
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | 1, the number of this format |
//! | 1 | the logarithm of the number of slots |
//! | number, 8 | the generation's number, and its fingerprint, low byte first |
//! | number, then a number and bytes each | the members: how many, and the names |
//! | number, then a number each | the versions: how many, the first, and what each is greater than the one before |
//! | 1, then as it says | for each slot the member, from 1, or 0 for nobody |
//! | 1, then as it says | for each slot the place of its version in the list, from 0 |
//!
//! A number has seven bits in a byte, the lowest first, and the eighth bit set if more follow. Values of
//! slots are either (0) packed, each in as many bits as the greatest possible one needs, from the lowest
//! bit up; or (1) runs of two numbers each, how many and which; whatever is shorter. So 65,536 slots of
//! 300 members, moved by 4,000 different plans, are 21 bits a slot: 172 KiB, 229 KiB as text, however
//! they are mixed.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{error, fmt, str};

use super::{NOBODY, Plan, base64, join};
use crate::sharding::{Generation, Slots};

const FORMAT: u8 = 1;
const PACKED: u8 = 0;
const RUNS: u8 = 1;

/// The longest text that is read as a plan: as much as etcd stores in an object.
///
/// ```
/// assert_eq!(tenure::sharding::planned::MAX_TEXT, 1 << 20);
/// ```
pub const MAX_TEXT: usize = 1 << 20;

impl Plan {
    /// As text, to be stored. Equal plans have equal texts.
    ///
    /// O(slots): each slot costs as many bits as it takes to tell members and versions apart, or less.
    #[must_use]
    pub fn to_text(&self) -> String {
        base64::encode(&self.to_bytes())
    }

    /// How long the text is.
    pub(in super::super) fn text_len(&self) -> usize {
        base64::text_len(self.to_bytes().len())
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.push(FORMAT);
        out.push(u8::try_from(self.slots.bits()).unwrap_or(u8::MAX));
        put(&mut out, self.generation.number);
        out.extend(self.generation.fingerprint.to_le_bytes());
        put(&mut out, self.members.len() as u64);
        for name in &self.members {
            put(&mut out, name.len() as u64);
            out.extend(name.as_bytes());
        }
        let mut versions: Vec<u64> = self.parts.iter().map(|part| part.since).collect();
        versions.sort_unstable();
        versions.dedup();
        put(&mut out, versions.len() as u64);
        let mut before = 0;
        for version in &versions {
            put(&mut out, version - before);
            before = *version;
        }
        let lengths = self.runs().map(|run| run.slots);
        // Nobody, the greatest, becomes 0.
        let member = self.parts.iter().map(|part| u32::from(part.member.wrapping_add(1)));
        put_values(&mut out, lengths.clone().zip(member), self.members.len() as u64);
        let place =
            |since| versions.binary_search(&since).map_or(0, |at| u32::try_from(at).unwrap_or(0));
        let place = self.parts.iter().map(|part| place(part.since));
        put_values(&mut out, lengths.zip(place), versions.len().saturating_sub(1) as u64);
        out
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, NoPlan> {
        let mut read = Reader(bytes);
        if read.byte()? != FORMAT {
            return Err(NoPlan("the first byte is not 1, the only format known"));
        }
        let bits = u32::from(read.byte()?);
        let slots = 1_u32.checked_shl(bits).and_then(|count| Slots::new(count).ok());
        let slots = slots.ok_or(NoPlan("it has more than 65,536 slots"))?;
        let number = read.number()?;
        let fingerprint = u64::from_le_bytes(read.array()?);
        let members = read.names()?;
        let versions = read.versions()?;
        let owners = read.values(slots, members.len() as u64)?;
        let since = read.values(slots, (versions.len() as u64).wrapping_sub(1))?;
        if !read.0.is_empty() {
            return Err(NoPlan("more follows after its end"));
        }
        let mut owns = alloc::vec![false; members.len() + 1];
        for owner in &owners {
            if let Some(owns) = owns.get_mut(*owner as usize) {
                *owns = true;
            }
        }
        if owns.iter().skip(1).any(|owns| !owns) {
            return Err(NoPlan("it names a member that owns nothing"));
        }
        let parts = owners.iter().zip(&since).map(|(owner, since)| {
            let member = u16::try_from(*owner).map_or(NOBODY, |owner| owner.wrapping_sub(1));
            (1, member, versions.get(*since as usize).copied().unwrap_or(0))
        });
        let generation = Generation { number, fingerprint };
        Ok(Self { generation, slots, members, parts: join(parts) })
    }
}

impl str::FromStr for Plan {
    type Err = NoPlan;

    /// Reads what [`to_text`](Plan::to_text) writes. Needs memory for the slots and the names, whatever
    /// the text says.
    fn from_str(text: &str) -> Result<Self, NoPlan> {
        if text.len() > MAX_TEXT {
            return Err(NoPlan("it is longer than 1 MiB"));
        }
        let bytes = base64::decode(text.as_bytes()).ok_or(NoPlan("it is not base64"))?;
        Self::from_bytes(&bytes)
    }
}

/// A text that is no plan.
///
/// ```
/// use tenure::sharding::Plan;
/// let error = "hello".parse::<Plan>().unwrap_err();
/// assert_eq!(error.to_string(), "not a plan: it is not base64; the next plan replaces it");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoPlan(&'static str);

impl fmt::Display for NoPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a plan: {}; the next plan replaces it", self.0)
    }
}

impl error::Error for NoPlan {}

/// How many bits tell the values from 0 to `greatest` apart.
const fn width(greatest: u64) -> u32 {
    u64::BITS - greatest.leading_zeros()
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        #[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "seven bits are left")]
    out.push(number as u8);
}

/// The values of all slots, given in runs.
fn put_values(out: &mut Vec<u8>, runs: impl Iterator<Item = (u32, u32)> + Clone, greatest: u64) {
    let width = width(greatest);
    let slots: u64 = runs.clone().map(|(slots, _)| u64::from(slots)).sum();
    let packed = (slots * u64::from(width)).div_ceil(8);
    let start = out.len();
    out.push(RUNS);
    let (mut last, mut length) = (None, 0);
    for (slots, value) in runs.clone().map(|(slots, value)| (slots, Some(value))).chain([(0, None)])
    {
        if value != last {
            if let Some(last) = last {
                put(out, length);
                put(out, u64::from(last));
            }
            (last, length) = (value, 0);
        }
        length += u64::from(slots);
    }
    if (out.len() - start) as u64 <= packed {
        return;
    }
    out.truncate(start);
    out.push(PACKED);
    let (mut bits, mut count) = (0_u64, 0);
    for value in runs.flat_map(|(slots, value)| (0..slots).map(move |_| value)) {
        bits |= u64::from(value) << count;
        count += width;
        while count >= 8 {
            out.push(bits.to_le_bytes()[0]);
            (bits, count) = (bits >> 8, count - 8);
        }
    }
    if count > 0 {
        out.push(bits.to_le_bytes()[0]);
    }
}

const SHORT: NoPlan = NoPlan("it ends too early");

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], NoPlan> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NoPlan> {
        self.bytes(N)?.try_into().map_err(|_| SHORT)
    }

    fn byte(&mut self) -> Result<u8, NoPlan> {
        self.array().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u64, NoPlan> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(NoPlan("a number is greater than 64 bits"))
    }

    /// A number of things that take at least a byte each.
    fn count(&mut self) -> Result<usize, NoPlan> {
        let count = usize::try_from(self.number()?).ok();
        count.filter(|count| *count <= self.0.len()).ok_or(SHORT)
    }

    fn names(&mut self) -> Result<Box<[Arc<str>]>, NoPlan> {
        let count = self.count()?;
        if count > usize::from(NOBODY) {
            return Err(NoPlan("it has more than 65,535 members"));
        }
        let mut names: Vec<Arc<str>> = Vec::with_capacity(count);
        for _ in 0..count {
            let length = self.count()?;
            let name = str::from_utf8(self.bytes(length)?);
            let name = name.map_err(|_| NoPlan("a name is not UTF-8"))?;
            if names.last().map_or("", |last| last) >= name {
                return Err(NoPlan("its names are not in ascending order"));
            }
            names.push(name.into());
        }
        Ok(names.into())
    }

    fn versions(&mut self) -> Result<Vec<u64>, NoPlan> {
        let count = self.count()?;
        if !(1..=Slots::MAX as usize).contains(&count) {
            return Err(NoPlan("it has no version, or more of them than slots"));
        }
        let mut versions = Vec::with_capacity(count);
        let mut version = 0_u64;
        for at in 0..count {
            let more = self.number()?;
            version = version
                .checked_add(more)
                .filter(|_| at == 0 || more > 0)
                .ok_or(NoPlan("its versions do not ascend"))?;
            versions.push(version);
        }
        Ok(versions)
    }

    /// A value for each slot, none above `greatest`.
    fn values(&mut self, slots: Slots, greatest: u64) -> Result<Vec<u32>, NoPlan> {
        let slots = slots.count() as usize;
        let mut values = Vec::with_capacity(slots);
        match self.byte()? {
            RUNS => {
                while values.len() < slots {
                    let (count, value) = (self.number()?, self.number()?);
                    let room = (slots - values.len()) as u64;
                    let count = usize::try_from(count).ok().filter(|_| count > 0 && count <= room);
                    let count = count.ok_or(NoPlan("a run is empty, or beyond the last slot"))?;
                    values.resize(values.len() + count, checked(value, greatest)?);
                }
            }
            PACKED => {
                let width = width(greatest);
                let bytes = self.bytes((slots * width as usize).div_ceil(8))?;
                let (mut bits, mut count, mut bytes) = (0_u64, 0, bytes.iter());
                for _ in 0..slots {
                    while count < width {
                        bits |= u64::from(*bytes.next().ok_or(SHORT)?) << count;
                        count += 8;
                    }
                    values.push(checked(bits & ((1 << width) - 1), greatest)?);
                    (bits, count) = (bits >> width, count - width);
                }
                if bits != 0 {
                    return Err(NoPlan("bits are left over"));
                }
            }
            _ => return Err(NoPlan("values are neither packed nor runs")),
        }
        Ok(values)
    }
}

fn checked(value: u64, greatest: u64) -> Result<u32, NoPlan> {
    let value = u32::try_from(value).ok().filter(|_| value <= greatest);
    value.ok_or(NoPlan("a slot has a member or a version that is not listed"))
}
