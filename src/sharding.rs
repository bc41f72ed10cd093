//! Which of many replicas may work on which objects: all members of a group work at once, each object
//! has at most one owner at any instant, and ownership moves when members come, go and die.
//!
//! The hash space of keys is cut into [`Slots`]; members own slots. A [`Sharder`] is one member: it says
//! what to read and write, which slots to work on, and which to let go.
//!
//! **It is** the half that Kubernetes leaves to its users: KEP-5866 lets a client ask the API server for
//! the objects of some hash ranges, and who asks for which ranges is its non-goal. **It is not** a client
//! of the API server, nor a balancer of requests: it decides who may *write*. And it does not fence: work
//! that was begun before authority ended is stopped by a [`Permit`]'s token, at the resource.
//!
//! | what | types |
//! | --- | --- |
//! | a member | [`Sharder`], or [`Unordered`] for stores without ordered versions; [`Config`], [`Mode`], [`Ranking`], [`KeyHash`]; [`Status`], [`Explanation`] |
//! | what it asks of the store | [`Request`], [`Op`]; [`Response`], [`Answer`]; [`Watched`] |
//! | what it tells | [`Event`], [`Cause`], [`Lapse`] |
//! | what it owns | [`Slot`], [`Slots`], [`SlotSet`]; [`Permit`]; [`KeyRange`], [`KeyRanges`] |
//! | what it stores | [`MemberRecord`] with [`State`], [`Incarnation`], [`Generation`]; [`StoredMember`] |
//! | a leader's plan | [`planned`]: [`Plan`], [`Policy`](planned::Policy), [`Loads`](planned::Loads) |
//! | Kubernetes' `shardSelector` | [`Selector`], [`shard_selector`], [`Field`], [`ShardInfo`] |
//!
//! # Two members and a store in memory
//! Each turn of the inner loop is what a driver does in its own process. The store serves mode `ranked`:
//! in the others it is asked for a plan and for locks as well ([`Op`]), in one order of versions.
//!
//! ```
//! use std::{collections::BTreeMap, time::Duration};
//! use tenure::election::Failure;
//! use tenure::sharding::{Answer, Config, Event, Op, Response, Sharder, StoredMember};
//! use tenure::time::{Instant, Now, Timestamp};
//!
//! let mut members = ["pod-0", "pod-1"].map(|name| {
//!     let config = Config::new("default", "controller", name, format!("life-of-{name}"));
//!     Sharder::new(config, 7, Instant::default()).unwrap()
//! });
//! let (mut records, mut version) = (BTreeMap::<String, StoredMember>::new(), 0);
//! let mut store = |op| {
//!     let (record, over) = match op {
//!         Op::Create(record) => (record, None),
//!         Op::Update(record, over) => (record, Some(over)),
//!         Op::List => {
//!             return Ok(Answer::Listed { members: records.values().cloned().collect(), version });
//!         }
//!         _ => return Err(Failure::Other), // of other modes, and to clear up later
//!     };
//!     match (records.get(record.name()).map(|stored| stored.version), over) {
//!         (Some(_), None) => return Err(Failure::AlreadyExists),
//!         (None, Some(_)) => return Err(Failure::NotFound),
//!         (found, over) if found != over => return Err(Failure::Conflict),
//!         _ => version += 1, // of the whole group, not of one record
//!     }
//!     records.insert(record.name().to_owned(), StoredMember { record, version });
//!     Ok(Answer::Written { version })
//! };
//!
//! for second in 0..30 {
//!     let instant = Instant::default() + Duration::from_secs(second);
//!     let now = Now { instant, timestamp: Timestamp::from_unix(1_700_000_000, 0).unwrap() };
//!     for member in &mut members {
//!         member.handle_timeout(now);
//!         loop {
//!             while let Some(event) = member.poll_event() {
//!                 if let Event::Revoking { slots, .. } | Event::Lapsed { slots, .. } = event {
//!                     member.drained(now, &slots); // at once, as nothing is being worked on here
//!                 }
//!             }
//!             let Some(request) = member.poll_request() else { break };
//!             let result = store(request.op);
//!             member.handle_response(now, Response { id: request.id, result });
//!         }
//!     }
//!     let key = members[0].key(b"2ddc2ef5-4eb1-44a4-9ab6-3a4f7a1e9c0b"); // an object's UID
//!     assert!(members.iter().filter(|member| member.owns(key, instant)).count() <= 1);
//! }
//! let now = Instant::default() + Duration::from_secs(29);
//! let shares = members.each_ref().map(|member| member.owned(now).map_or(0, |slots| slots.len()));
//! assert_eq!(shares.iter().sum::<usize>(), 1024); // each slot has its owner
//! assert!(shares.iter().all(|share| (400..=624).contains(share)));
//! ```
//!
//! # Sources
//! [KEP-5866](https://kep.k8s.io/5866): `shardSelector`, of which the hash and the ranges are;
//! [KEP-5504](https://kep.k8s.io/5504): resource versions that can be compared, by which the members of a
//! group know who has seen what. The protocol is Tenure's own; `docs/sharding.md` has its proof, its costs
//! and which mode to take when.

mod config;
mod event;
mod explain;
mod holdings;
mod lease;
mod leased;
mod machine;
mod outbox;
mod owners;
mod permit;
pub mod planned;
mod range;
mod record;
mod request;
mod rules;
mod selector;
mod sharder;
mod slot;
mod slot_set;
mod status;
mod text;
mod unordered;
mod view;
mod warning;

pub use config::{Config, ConfigError, KeyHash, Mode, Ranking};
pub use event::{Cause, Event, Lapse};
pub use explain::{Explanation, Standing};
pub use lease::{GROUP_LABEL, RecordError};
#[doc(hidden)]
pub use machine::{Restated, Restatement};
pub use permit::Permit;
pub use planned::{Plan, StoredPlan};
pub use range::{KeyRange, KeyRanges};
pub use record::{
    Generation, Incarnation, MemberRecord, NoGeneration, NoIncarnation, State, StoredMember,
    UnknownState,
};
pub use request::{Answer, Op, Request, RequestId, Response, Watched};
#[cfg_attr(not(feature = "mutants"), doc(hidden))]
pub use rules::{Rule, Rules};
pub use selector::{Field, NotSelectable, Selector, SelectorError, ShardInfo, shard_selector};
pub use sharder::Sharder;
pub use slot::{Slot, Slots, SlotsError};
pub use slot_set::{SlotSet, SlotSetIter};
pub use status::{Presence, Status, Wait};
pub use text::{UnknownHash, UnknownRanking};
pub use unordered::{PublishedRecord, Unordered, UnorderedAnswer, UnorderedOp, UnorderedRequest};
pub use warning::Warning;
