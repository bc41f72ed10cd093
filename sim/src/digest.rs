//! The running digest: 128 bits, cheap, the same on every machine.

use core::hash::Hasher;

use tenure::election::{Cause, Failure};
use tenure::lock::{Kind, Record};
use tenure::time::Timestamp;

use crate::outcome::Digest;
use crate::scenario::Lock;
use crate::time::{SimTime, Span};
use crate::trace::{Actor, End, Entry, Reply, Snapshot, What};

/// Digests words of 64 bits. As a [`Hasher`] it turns every number into such a word, so that it does
/// not depend on the machine's byte order or word size.
///
/// When two runs begin to differ:
///
/// ```
/// use tenure_sim::digest::Digester;
/// use tenure_sim::fault::{Fault, Planned, Target, WakeUp};
/// use tenure_sim::scenario::Scenario;
/// use tenure_sim::time::{SimTime, Span};
/// use tenure_sim::trace::{Entry, Recorder};
/// use tenure_sim::world::World;
///
/// let recorded = |scenario: &Scenario| -> Result<Vec<Entry>, _> {
///     let mut recorder = Recorder::default();
///     World::new(scenario, 1)?.run(&mut recorder);
///     Ok(recorder.entries)
/// };
/// let calm = Scenario { horizon: Span::from_secs(90), ..Scenario::default() };
/// let pause = Fault::Pause { target: Target::Leader, wake_up: WakeUp::TimersFirst };
/// let faults = vec![Planned::at(Span::from_secs(60), pause).lasting(Span::from_secs(20))];
/// let (paused, calm) = (recorded(&Scenario { faults, ..calm.clone() })?, recorded(&calm)?);
/// let until = |entries: &[Entry], end: SimTime| {
///     let mut digester = Digester::default();
///     entries.iter().filter(|entry| entry.at < end).for_each(|entry| digester.entry(entry));
///     digester.digest()
/// };
/// let begins = SimTime::ZERO + Span::from_secs(60);
/// assert_eq!(until(&paused, begins), until(&calm, begins));
/// let later = begins + Span::from_secs(1);
/// assert_ne!(until(&paused, later), until(&calm, later));
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digester {
    a: u64,
    b: u64,
}

impl Default for Digester {
    fn default() -> Self {
        Self { a: 0x243f_6a88_85a3_08d3, b: 0x1319_8a2e_0370_7344 }
    }
}

impl Digester {
    /// Takes a word in.
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a product")]
    pub(crate) const fn word(&mut self, word: u64) {
        let product = (self.a ^ word) as u128 * 0xa409_3822_299f_31d1_u128;
        let (low, high) = (product as u64, (product >> 64) as u64);
        let turned = (self.b.rotate_left(27) ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25);
        self.b = turned.wrapping_add(high);
        self.a = low ^ high ^ self.b;
    }

    fn text(&mut self, text: &str) {
        self.write(text.as_bytes());
    }

    /// The digest so far.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        let mut last = *self;
        last.word(0);
        last.word(1);
        Digest(((last.a as u128) << 64) | last.b as u128)
    }

    /// Takes an entry in.
    pub fn entry(&mut self, entry: &Entry) {
        self.word(entry.at.as_nanos());
        match &entry.what {
            What::Started { .. } => self.started(&entry.what),
            What::Ended { replica, end } => self.head(1, *replica, u64::from(*end == End::Crashed)),
            What::Paused { replica } => self.head(2, *replica, 0),
            What::Resumed { replica } => self.head(3, *replica, 0),
            What::Stopping { replica } => self.head(4, *replica, 0),
            What::Clock { replica, rate_ppb } => self.head(5, *replica, *rate_ppb),
            What::Sent { replica, request, verb, record, version, object } => {
                self.head(6, *replica, *request);
                self.word(*verb as u64 | version.map_or(0, |version| (version + 1) << 8));
                if let Some(record) = record {
                    self.record(record);
                }
                self.kind(*object);
            }
            What::Applied { by, request, verb, before, reply, object } => {
                let (replica, life) = match by {
                    Actor::Replica { replica, life } => (*replica, u64::from(*life)),
                    Actor::Outsider => (u32::MAX, 0),
                };
                self.head(7, replica, life << 8 | *verb as u64);
                self.applied(*request, before.as_deref(), reply);
                self.kind(*object);
            }
            What::Answered { replica, request, reply, late } => {
                self.head(8, *replica, *request << 1 | u64::from(*late));
                self.reply_briefly(reply);
            }
            What::GivenUp { replica, request } => self.head(9, *replica, *request),
            What::StartedLeading { replica, token } => self.head(10, *replica, number(*token)),
            What::StoppedLeading { replica, cause, led } => {
                self.head(11, *replica, cause_number(*cause) << 1 | u64::from(*led));
            }
            What::WorkEnded { replica } => self.head(12, *replica, 0),
            What::NewLeader { replica, identity } => {
                self.head(13, *replica, 0);
                self.text(identity.as_str());
            }
            What::ForeignWrite { replica, version } => self.head(14, *replica, *version),
            What::Authority { replica, until } => {
                self.head(15, *replica, number(until.map(SimTime::as_nanos)));
            }
            What::GuardedWrite { replica, life, key, token, sent, accepted } => {
                self.head(16, *replica, u64::from(*life) << 1 | u64::from(*accepted));
                self.word(u64::from(*key));
                self.word(number(*token));
                self.word(sent.as_nanos());
            }
            What::Fault { fault, replicas, kind } => {
                self.head(17, *fault, replicas.len() as u64);
                self.text(kind.kind());
                for replica in replicas {
                    self.word(u64::from(*replica));
                }
            }
            What::FaultEnded { fault } => self.head(18, *fault, 0),
            What::Healed => self.head(19, 0, 0),
            What::Note { replica, kind, a, b } => {
                self.head(20, *replica, u64::from(*kind));
                self.word(*a);
                self.word(*b);
            }
            What::Horizon => self.head(21, 0, 0),
            what => self.late_comer(what),
        }
    }

    fn started(&mut self, what: &What) {
        let What::Started { replica, life, identity, profile, rate_ppb, lock, lease_duration } =
            what
        else {
            return;
        };
        self.head(0, *replica, u64::from(*life));
        self.text(identity.as_str());
        self.word(*rate_ppb);
        self.text(&profile.to_string());
        if *lock != Lock::default() || lease_duration.is_some() {
            self.word(*lock as u64);
            self.word(number(lease_duration.map(Span::as_nanos)));
        }
    }

    /// What entries say that did not exist at first.
    fn late_comer(&mut self, what: &What) {
        match what {
            What::Watched { replica, version, object } => {
                self.head(22, *replica, number(*version));
                self.kind(*object);
            }
            What::Endangered { replica, until } => self.head(23, *replica, until.as_nanos()),
            What::RolledOut { replica, rollout } => self.head(24, *replica, u64::from(*rollout)),
            _ => {}
        }
    }

    fn applied(&mut self, request: Option<u64>, before: Option<&Snapshot>, reply: &Reply) {
        self.word(request.unwrap_or(u64::MAX));
        self.word(before.map_or(0, |before| before.version));
        self.reply(reply);
    }

    /// Nothing for a Lease, so that runs with nothing else have the digests that they always had.
    fn kind(&mut self, kind: Kind) {
        match kind {
            Kind::Lease => {}
            Kind::ConfigMap => self.word(1),
            Kind::Endpoints => self.word(2),
        }
    }

    fn head(&mut self, kind: u64, replica: u32, more: u64) {
        self.word(kind << 56 | u64::from(replica));
        self.word(more);
    }

    fn reply(&mut self, reply: &Reply) {
        self.reply_briefly(reply);
        if let Reply::Is(snapshot) = reply {
            self.snapshot(snapshot);
        }
    }

    fn reply_briefly(&mut self, reply: &Reply) {
        self.word(match reply {
            Reply::Is(snapshot) => snapshot.version << 8,
            Reply::Gone => 1,
            Reply::Failed(Failure::NotFound) => 2,
            Reply::Failed(Failure::AlreadyExists) => 3,
            Reply::Failed(Failure::Conflict) => 4,
            Reply::Failed(Failure::Other) => 5,
        });
    }

    fn snapshot(&mut self, snapshot: &Snapshot) {
        self.word(snapshot.uid);
        self.record(&snapshot.record);
        if snapshot.unreadable {
            self.word(1);
        }
    }

    fn record(&mut self, record: &Record) {
        self.text(record.holder.as_str());
        self.word(record.lease_duration_seconds.cast_unsigned());
        self.word(time(record.acquire_time));
        self.word(time(record.renew_time));
        self.word(record.leader_transitions.cast_unsigned());
        if record.strategy.is_some() || !record.preferred_holder.is_empty() {
            self.text(record.strategy.as_deref().unwrap_or_default());
            self.text(record.preferred_holder.as_str());
        }
    }
}

fn number(number: Option<u64>) -> u64 {
    number.map_or(0, |number| number.wrapping_add(1))
}

const fn cause_number(cause: Cause) -> u64 {
    match cause {
        Cause::Stopped => 0,
        Cause::Expired => 1,
        Cause::Preempted => 2,
        Cause::Deleted => 3,
        Cause::HandedOver => 4,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "64 of its bits tell times apart")]
fn time(time: Option<Timestamp>) -> u64 {
    time.map_or(0, |time| time.unix_nanos().cast_unsigned() as u64)
}

impl Hasher for Digester {
    fn finish(&self) -> u64 {
        self.a ^ self.b
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.word(u64::from_le_bytes(last));
        self.word(bytes.len() as u64);
    }

    fn write_u8(&mut self, number: u8) {
        self.word(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.word(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.word(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.word(number);
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves")]
    fn write_u128(&mut self, number: u128) {
        self.word(number as u64);
        self.word((number >> 64) as u64);
    }

    fn write_usize(&mut self, number: usize) {
        self.word(number as u64);
    }

    fn write_i8(&mut self, number: i8) {
        self.write_i64(number.into());
    }

    fn write_i16(&mut self, number: i16) {
        self.write_i64(number.into());
    }

    fn write_i32(&mut self, number: i32) {
        self.write_i64(number.into());
    }

    fn write_i64(&mut self, number: i64) {
        self.word(number.cast_unsigned());
    }

    fn write_i128(&mut self, number: i128) {
        self.write_u128(number.cast_unsigned());
    }

    fn write_isize(&mut self, number: isize) {
        self.write_i64(number as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[u64]) -> Digest {
        let mut digester = Digester::default();
        for word in words {
            digester.word(*word);
        }
        digester.digest()
    }

    #[test]
    fn order_number_and_value_of_words_count() {
        let all = [of(&[]), of(&[0]), of(&[0, 0]), of(&[1]), of(&[1, 0]), of(&[0, 1])];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
        // The word that would zero the first lane does not forget what came before.
        let first = Digester::default().a;
        assert_ne!(of(&[first, 5]), of(&[5]));
    }

    #[test]
    fn it_is_the_same_for_ever() {
        assert_eq!(of(&[1, 2, 3]).to_string(), "4c1650dcedcf3f5baa9906adcbe09fac");
    }
}
