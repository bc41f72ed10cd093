//! A watch of a group's records.

use std::time::Duration;

use etcd_client::{Error, Event, EventType, WatchOptions, WatchResponse};
use tenure::sharding::{StoredMember, Watched};
use tokio::sync::mpsc::UnboundedSender;

use crate::members::Members;
use crate::store::{entry, revision, told};

/// Delivers what was written after this version, in order, and `Broken` a while after the end.
pub(crate) async fn watch(
    members: Members,
    after: u64,
    pause: Duration,
    deliver: UnboundedSender<Watched>,
) {
    if let Err(error) = follow(&members, after, &deliver).await {
        eprintln!("the watch has ended: {}", told(&error));
    }
    // Compacted, cut off, cancelled: whatever it was, the next list begins another. `Broken` asks for that
    // list at once, so where each watch is refused, as for want of a permission, this would be a loop.
    tokio::time::sleep(pause).await;
    let _ = deliver.send(Watched::Broken);
}

async fn follow(
    members: &Members,
    after: u64,
    deliver: &UnboundedSender<Watched>,
) -> Result<(), Error> {
    let begin = i64::try_from(after).unwrap_or(i64::MAX).saturating_add(1);
    // Progress of the server's own accord, which is in order with the events. Never by `request_progress`:
    // until etcd-io/etcd#15220 was mended, so in Debian 12's 3.4.23, its answer may overtake events of an
    // earlier revision, which the sharder would then take for old and ignore.
    let options =
        WatchOptions::new().with_prefix().with_start_revision(begin).with_progress_notify();
    let mut client = members.store.client.watch_client();
    let mut stream = client.watch(&*members.prefix, Some(options)).await?;
    let mut denied = 0; // up to where progress has said that nothing more comes
    while let Some(response) = stream.message().await? {
        if response.canceled() {
            let (why, compacted) = (response.cancel_reason(), response.compact_revision());
            return Err(Error::WatchError(format!("{why}; compacted to {compacted}")));
        }
        for watched in deliveries(members, &response)? {
            match &watched {
                Watched::Progress { version } => denied = *version,
                Watched::Stored(StoredMember { version, .. })
                | Watched::Deleted { version, .. }
                    if *version <= denied =>
                {
                    let why = format!("revision {version} came after progress to {denied}");
                    return Err(Error::WatchError(why));
                }
                _ => {}
            }
            if deliver.send(watched).is_err() {
                return Ok(()); // nobody listens any more
            }
        }
    }
    Ok(())
}

fn deliveries(members: &Members, response: &WatchResponse) -> Result<Vec<Watched>, Error> {
    let unclear = |_| Error::WatchError("a revision is missing or negative".to_string());
    if response.events().is_empty() {
        // The answer that the watch was created has the store's revision as well, though earlier events
        // are still to come.
        if response.created() {
            return Ok(Vec::new());
        }
        let version = revision(response.header()).map_err(unclear)?;
        return Ok(vec![Watched::Progress { version }]);
    }
    let delivery = |event: &Event| {
        let pair =
            event.kv().ok_or_else(|| Error::WatchError("an event has no key".to_string()))?;
        let entry = entry(&members.prefix, pair).map_err(unclear)?;
        Ok(match event.event_type() {
            EventType::Put => Watched::Stored(members.read(&entry)),
            EventType::Delete => {
                Watched::Deleted { name: entry.name.into(), version: entry.version }
            }
        })
    };
    response.events().iter().map(delivery).collect()
}
