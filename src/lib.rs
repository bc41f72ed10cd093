//! Who may act: leader election on lock records, exactly as Kubernetes does it, sharding of objects among
//! replicas that all work, and their placement. Pure state machines: no I/O, no clock, no threads, no
//! randomness of their own.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`election`] | [`Elector`](election::Elector): one replica's part in the election of a leader |
//! | [`lock`] | what is stored: records, versions, the objects that carry them, and their JSON |
//! | [`placement`] | which member owns a key: [`Rendezvous`](placement::Rendezvous), and what serves where it does not |
//! | [`sharding`] | [`Sharder`](sharding::Sharder): one replica's part when all work, each on its own objects |
//! | [`time`] | [`Instant`](time::Instant) decides, [`Timestamp`](time::Timestamp) is written for people |
//!
//! **It is** the part of a controller that decides, for any store with compare-and-swap: Kubernetes,
//! etcd, a table with a version column. **It is not** a client of any of them: a driver of a few lines
//! sends the requests, keeps the time and starts and stops the work.
//!
//! # An election
//! Two replicas and a store in memory. Each turn of the loop is what a driver does in its own process.
//!
//! ```
//! use std::time::Duration;
//! use tenure::election::{Config, Elector, Event, Failure, Op, Response, Stored};
//! use tenure::lock::{LockRef, Version};
//! use tenure::time::{Instant, Now, Timestamp};
//!
//! let lock = LockRef::lease("default", "controller");
//! let mut electors = ["pod-0", "pod-1"].map(|name| {
//!     let config = Config::new(lock.clone(), name, "incarnation-1");
//!     Elector::new(config, 7, Instant::default()).unwrap()
//! });
//! let mut stored: Option<Stored> = None;
//! let mut store = |op: Op| match (op, &stored) {
//!     (Op::Get, Some(now)) => Ok(now.clone()),
//!     (Op::Get, None) | (Op::Update(..), None) => Err(Failure::NotFound),
//!     (Op::Create(_), Some(_)) => Err(Failure::AlreadyExists),
//!     (Op::Update(_, version), Some(now)) if version != now.version => Err(Failure::Conflict),
//!     (Op::Create(object) | Op::Update(object, _), now) => {
//!         let next = now.as_ref().and_then(|now| now.version.as_ordered()).unwrap_or(0) + 1;
//!         Ok(stored.insert(Stored { object, version: Version::ordered(next) }).clone())
//!     }
//! };
//!
//! let mut started = Vec::new();
//! for second in 0..60 {
//!     let instant = Instant::default() + Duration::from_secs(second);
//!     let now = Now { instant, timestamp: Timestamp::from_unix(1_700_000_000, 0).unwrap() };
//!     for elector in &mut electors {
//!         elector.handle_timeout(now);
//!         while let Some(request) = elector.poll_request() {
//!             let result = store(request.op);
//!             elector.handle_response(now, Response { id: request.id, result });
//!         }
//!         while let Some(event) = elector.poll_event() {
//!             if let Event::StartedLeading { .. } = event {
//!                 started.push(elector.identity().clone());
//!             }
//!         }
//!     }
//!     assert!(electors.iter().filter(|elector| elector.is_leading(instant)).count() <= 1);
//! }
//! assert_eq!(started.len(), 1); // one of them led from about 15 s on, and kept it
//! ```
//!
//! # Shards
//! A member asks for a slot's owner as for the time: [`sharding`] has a group of them running.
//!
//! ```
//! use tenure::sharding::{Config, Op, Sharder};
//! use tenure::time::{Instant, Now, Timestamp};
//!
//! let now = Now { instant: Instant::default(), timestamp: Timestamp::GO_ZERO };
//! let config = Config::new("default", "controller", "pod-0", "incarnation-1");
//! let mut member = Sharder::new(config, 7, now.instant)?;
//! member.handle_timeout(now);
//! assert_eq!(member.poll_request().map(|request| request.op), Some(Op::List)); // who is there?
//! let key = member.key(b"2ddc2ef5-4eb1-44a4-9ab6-3a4f7a1e9c0b"); // an object's UID
//! assert!(!member.owns(key, now.instant)); // until all others have acknowledged it
//! # Ok::<(), tenure::sharding::ConfigError>(())
//! ```
//!
//! # A placement
//! ```
//! use tenure::placement::{Key, Members, Placement, Rendezvous};
//!
//! let members = Members::new(["pod-0", "pod-1", "pod-2"])?;
//! let placement = Rendezvous::new(members);
//! let owner = placement.place(Key::from_bytes(b"ConfigMap/default/settings"));
//! assert!(owner.is_some_and(|owner| owner.name().starts_with("pod-")));
//! # Ok::<(), tenure::placement::MembersError>(())
//! ```
//!
//! # Features
//! - `serde`: serde's traits for records, Leases and the state of placements.
//! - `presets`: placements as kube-state-metrics, Argo CD, Knative, Thanos, libmemcached and others
//!   compute them.
//!
//! Both are off by default; without them the crate depends on two: `xxhash-rust` and `siphasher`, the
//! stable hashes.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::float_arithmetic, clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

extern crate alloc;

pub mod election;
mod jitter;
pub mod lock;
pub mod placement;
pub mod sharding;
pub mod time;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
