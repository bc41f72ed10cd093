//! What an elector asks, as calls of etcd.

use tenure::election::{Failure, Op, Stored};
use tenure::lock::lease::{Lease, LeaseSpec};
use tenure::lock::{LockRef, Object, UNKNOWN_HOLDER, Version, wire};

use crate::store::{Entry, Store};

/// | `Op` | of etcd | fails with |
/// | --- | --- | --- |
/// | `Get` | range | `NotFound` |
/// | `Create` | transaction: if `create_revision` is 0, put | `AlreadyExists` |
/// | `Update` | transaction: if `mod_revision` is the version, put | `Conflict`, `NotFound` |
///
/// All else, no answer above all, is `Other`.
pub(crate) async fn call(store: &Store, lock: &LockRef, op: Op) -> Result<Stored, Failure> {
    let key = store.key("locks", &lock.namespace, &lock.name);
    let text = |object: &Object| wire::object_to_api_json(object, None);
    let (object, version) = match op {
        Op::Get => {
            let entry = store.get(&key).await?;
            (read(lock, &entry), entry.version)
        }
        Op::Create(object) => {
            let version = store.create(&key, text(&object)).await?;
            (object, version)
        }
        Op::Update(object, over) => {
            // All versions that were handed out are ordered.
            let over = over.as_ordered().ok_or(Failure::Other)?;
            let version = store.update(&key, text(&object), over).await?;
            (object, version)
        }
    };
    Ok(Stored { object, version: Version::ordered(version) })
}

/// What cannot be read is held by somebody, and taken over like any other lock once it has stayed so for
/// the reader's own lease duration: garbage costs that, and nobody has to get up and delete it.
fn read(lock: &LockRef, entry: &Entry) -> Object {
    match wire::object_from_api_json(lock.kind, &entry.value) {
        Ok((object, _)) => object,
        Err(error) => {
            eprintln!("the lock {lock} cannot be read: {error}");
            let holder_identity = Some(UNKNOWN_HOLDER.into());
            let spec = LeaseSpec { holder_identity, ..LeaseSpec::default() };
            Object::Lease(Lease { spec, ..Lease::default() })
        }
    }
}
