//! What sharding reads: members' records, plans and selectors. And what plans are made of.

use std::collections::BTreeSet;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use tenure::lock::lease::Lease;
use tenure::placement::{Key, Member, Members};
use tenure::sharding::planned::{Budget, Input, Layout, Loads, Pin, Policy, Roster, next};
use tenure::sharding::{
    GROUP_LABEL, Generation, MemberRecord, Plan, Selector, Slots, State, StoredPlan,
};
use tenure::time::Instant;

type Marks = BTreeSet<&'static str>;

/// Reads what `data` says as each of these.
pub fn sharding_text(data: &[u8]) {
    marks(data);
}

/// Inputs to start from.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let selector =
        "\x00shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000')";
    let mut seeds = crate::random_seeds(marks);
    seeds.push(selector.into());
    seeds
}

fn marks(data: &[u8]) -> Marks {
    let mut marks = Marks::new();
    let Some((which, rest)) = data.split_first() else { return marks };
    match which % 5 {
        0 => selector(&String::from_utf8_lossy(rest), &mut marks),
        1 => plan_of(&String::from_utf8_lossy(rest), &mut marks),
        2 => plan_of(&base64(rest), &mut marks),
        // Bytes that end early end the play.
        3 => _ = lease(&mut Unstructured::new(rest), &mut marks),
        _ => _ = plans(&mut Unstructured::new(rest), &mut marks),
    }
    marks
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(*three.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let sign = SIGNS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= three.len() { sign.into() } else { '=' });
        }
    }
    text
}

fn selector(text: &str, marks: &mut Marks) {
    match text.parse::<Selector>() {
        Ok(selector) => {
            marks.insert("selector");
            assert_eq!(selector.to_string().parse().as_ref(), Ok(&selector));
            _ = selector.matches(text);
        }
        Err(error) => {
            assert!(error.position() > 0 && error.to_string().len() < 1_000);
            marks.insert("no selector");
        }
    }
}

fn plan_of(text: &str, marks: &mut Marks) {
    let Ok(plan) = text.parse::<Plan>() else {
        marks.insert("no plan");
        return;
    };
    marks.insert("plan");
    holds(&plan);
}

/// What must hold for any plan.
fn holds(plan: &Plan) {
    assert_eq!(plan.to_text().parse().as_ref(), Ok(plan));
    let count = plan.slots().count();
    assert_eq!(plan.runs().map(|run| run.slots).sum::<u32>(), count);
    let last = plan.slots().get(count - 1).expect("there is a last slot");
    let run = plan.runs().last().expect("there is a run");
    assert_eq!((plan.owner(last), plan.since(last)), (run.owner, run.since));
    let owned: usize = plan.members().iter().map(|name| plan.slots_of(name).len()).sum();
    let free: u32 = plan.runs().filter(|run| run.owner.is_none()).map(|run| run.slots).sum();
    assert_eq!(owned as u64 + u64::from(free), u64::from(count));
    let resolved = plan.resolve(u64::MAX);
    assert!(resolved.runs().all(|run| run.since > 0));
    assert_eq!(resolved.moves(Some(plan)), []);
}

const KEYS: [&str; 6] = ["state", "incarnation", "acted-on", "weight", "zone", "configuration"];

fn lease(bytes: &mut Unstructured<'_>, marks: &mut Marks) -> Result<()> {
    let mut lease = Lease::default();
    let metadata = Arc::make_mut(&mut lease.metadata);
    let groups = ["group", "group-a"];
    let text = |bytes: &mut Unstructured<'_>, good: &[&str]| -> Result<Arc<str>> {
        let wild = bytes.ratio(1, 24)?;
        let text = if wild { bytes.arbitrary::<&str>()? } else { bytes.choose(good)? };
        Ok(text.into())
    };
    metadata.name = text(bytes, &["group-a-b", "group-a-c", "group-"])?;
    metadata.labels.insert(GROUP_LABEL.into(), text(bytes, &groups)?);
    for key in KEYS {
        let good: &[&str] = match key {
            "state" => &["Joining", "Active", "Draining", "Left", "Excluded", "Unreadable"],
            "incarnation" => &["6ba7b810.1", "6ba7b810.4294967295", "unreadable..0"],
            "weight" => &["1", "4294967295", "0"],
            "zone" => &["a"],
            "acted-on" => &["0", "18446744073709551615"],
            _ => &["1-000000000000001a", "0-0000000000000000"],
        };
        let value = text(bytes, good)?;
        if !bytes.ratio(1, 24)? {
            metadata.annotations.insert(format!("tenure.dev/{key}").into(), value);
        }
    }
    let durations = [Some(15), Some(1), Some(i32::MAX), Some(-1), None];
    lease.spec.lease_duration_seconds = *bytes.choose(&durations)?;
    let group = *bytes.choose(&groups)?;
    let ours = &*lease.metadata.labels[GROUP_LABEL] == group;
    match MemberRecord::from_lease(&lease, group) {
        Ok(record) => {
            assert!(ours);
            let mut again = lease.clone();
            assert_eq!(record.put_into(&mut again, group), Ok(()));
            assert_eq!(again.metadata, lease.metadata);
            marks.insert("record");
        }
        Err(error) => {
            assert!(error.to_string().len() < 1_000);
            marks.insert("no record");
            let Some(instead) = error.instead() else { return Ok(()) };
            assert!(ours && instead.state == State::Unreadable && instead.acted_on == Some(0));
            let lease_duration = instead.lease_duration.max(Duration::from_secs(1));
            let excluded = MemberRecord { state: State::Excluded, lease_duration, ..instead };
            excluded.put_into(&mut lease, group).expect("it can be excluded");
            let read = MemberRecord::from_lease(&lease, group).expect("and read again");
            assert_eq!(read.state, State::Excluded);
            marks.insert("unreadable");
        }
    }
    Ok(())
}

fn policy(bytes: &mut Unstructured<'_>, names: &[String]) -> Result<Policy> {
    let seconds = |bytes: &mut Unstructured<'_>| -> Result<Duration> {
        Ok(Duration::from_secs(if bytes.ratio(1, 16)? {
            bytes.arbitrary()?
        } else {
            bytes.int_in_range(0..=20)?
        }))
    };
    let ranges = bytes.int_in_range(1..=4_u8)?.try_into().expect("at least 1");
    let mut policy = Policy {
        layout: if bytes.arbitrary()? { Layout::Contiguous { ranges } } else { Layout::Spread },
        slack_per_mille: *bytes.choose(&[0, 50, 250, 1_000, Policy::MAX_SLACK, u32::MAX])?,
        zones: bytes.arbitrary()?,
        hysteresis: seconds(bytes)?,
        hold: seconds(bytes)?,
        size_limit: *bytes.choose(&[0, 40, 1 << 10, 252 << 10, 1 << 20, u32::MAX])?,
        ..Policy::default()
    };
    if bytes.arbitrary()? {
        let moves = NonZeroU32::new(bytes.int_in_range(1..=9)?).expect("at least 1");
        policy.budget = Some(Budget { moves, every: seconds(bytes)? });
    }
    for _ in 0..bytes.int_in_range(0..=2)? {
        let first = bytes.int_in_range(0..=20)?;
        let slots = first..=first + bytes.int_in_range(0..=5)?;
        policy.pins.push(Pin { slots, member: bytes.choose(names)?.as_str().into() });
    }
    Ok(policy)
}

/// Plan after plan, whoever comes and goes.
fn plans(bytes: &mut Unstructured<'_>, marks: &mut Marks) -> Result<()> {
    let slots = Slots::new(1 << bytes.int_in_range(0..=7)?).expect("few");
    let names: Vec<String> = (0..9).map(|name| format!("x-{name}")).collect();
    let policy = policy(bytes, &names)?;
    if policy.validate(slots).is_err() {
        marks.insert("no policy");
        return Ok(());
    }
    let (mut roster, mut now) = (Roster::default(), Instant::default());
    let mut previous: Option<StoredPlan> = None;
    let mut version = 0;
    while !bytes.is_empty() {
        let mut members = Vec::new();
        for name in &names {
            if bytes.arbitrary()? {
                let weight = *bytes.choose(&[1, 1, 2, 7, u32::MAX])?;
                let weight = NonZeroU32::new(weight).expect("at least 1");
                let zone = *bytes.choose(&["", "a", "b"])?;
                members.push(Member::from(name.as_str()).with_weight(weight).in_zone(zone));
            }
        }
        let here = members.len();
        let members = Members::new(members).expect("names differ");
        let mut loads = vec![0_u32; bytes.int_in_range(0..=200)?];
        if bytes.ratio(1, 3)? {
            loads.clear();
        }
        for load in &mut loads {
            *load = *bytes.choose(&[0, 1, 5, 100, u32::MAX])?;
        }
        now = now + Duration::from_secs(bytes.int_in_range(0..=8)?);
        roster.observe(previous.as_ref().map(|stored| &*stored.plan), &members, now);
        let generation = Generation { number: bytes.int_in_range(1..=2)?, fingerprint: 7 };
        let previous_plan = previous.as_ref();
        let input = Input {
            generation,
            slots,
            previous: previous_plan,
            roster: &roster,
            loads: &loads,
            now,
        };
        let outcome = next(&policy, &input);
        let Some(plan) = outcome.plan else { continue };
        holds(&plan);
        assert!(plan.to_text().len() <= policy.size_limit as usize);
        assert!(here > 0 && plan.runs().all(|run| run.owner.is_some()));
        let held = |name: &str| roster.gone().any(|(member, _)| member.name() == name);
        let known = |name: &Arc<str>| members.by_name(name).is_some() || held(name);
        assert!(plan.members().iter().all(known));
        version += 1;
        previous = Some(StoredPlan { plan: plan.into(), version });
        roster.stored(outcome.voluntary, now);
        marks.insert("planned");
    }
    cuts(&loads_of(previous.as_ref()), marks);
    Ok(())
}

fn loads_of(stored: Option<&StoredPlan>) -> Vec<(Key, u64)> {
    let runs = stored.into_iter().flat_map(|stored| stored.plan.runs());
    runs.map(|run| (Key::from_hash(u64::from(run.first.index()) << 57), run.slots.into())).collect()
}

fn cuts(keys: &[(Key, u64)], marks: &mut Marks) {
    let loads = Loads::new(keys.iter().copied());
    for replicas in [1, 3, 8].map(|count| NonZeroU16::new(count).expect("at least 1")) {
        let cuts = loads.cut(replicas);
        assert_eq!(loads.shares(&cuts).iter().sum::<u128>(), loads.total());
        let again = loads.cut_again(&cuts, replicas, 10);
        assert_eq!(loads.moved(&cuts, &again), 0);
        marks.insert("cut");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn random_texts() {
        let wanted = [
            "no selector",
            "no plan",
            "no record",
            "record",
            "unreadable",
            "planned",
            "no policy",
            "cut",
        ];
        crate::tests::reach(4_000, &wanted, super::marks);
    }
}
