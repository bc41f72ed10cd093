//! Which of many replicas may work on which objects: N members of one group work at once, each object
//! has at most one owner at any instant, and slots of the hash space move between members without a
//! gap in safety.

mod config;
mod event;
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
mod view;

pub use config::{Config, ConfigError, KeyHash, Mode, Ranking};
#[doc(hidden)]
pub use machine::{Restated, Restatement};
pub use event::{Cause, Event, Lapse};
pub use lease::{GROUP_LABEL, RecordError};
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
pub use selector::{Field, Selector, SelectorError, ShardInfo, shard_selector};
pub use sharder::{Explanation, Sharder, Standing};
pub use slot::{Slot, Slots, SlotsError};
pub use slot_set::SlotSet;
