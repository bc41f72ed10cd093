//! All that was ever written, as evidence: etcd keeps every revision until it is compacted.

use etcd_client::{EventType, WatchOptions};
use tenure::lock::wire;

use crate::store::{Store, entry, revision};

/// Prints each version of each lock and record as a line `revision object holder`, oldest first.
pub(crate) async fn print(store: &Store) -> Result<(), String> {
    let ill = |error: &dyn std::fmt::Display| format!("the history cannot be read: {error}");
    let prefix = store.prefix();
    let none = |_| ill(&"a revision is missing");
    // Nobody writes this key but here, so a watch has shown everything when it shows this write.
    let end = format!("{prefix}history-read");
    let put = store.client.kv_client().put(&*end, "", None).await.map_err(|error| ill(&error))?;
    let until = revision(put.header()).map_err(none)?;
    let options = WatchOptions::new().with_prefix().with_start_revision(1);
    let mut client = store.client.watch_client();
    let mut stream = client.watch(prefix, Some(options)).await.map_err(|error| ill(&error))?;
    while let Some(response) = stream.message().await.map_err(|error| ill(&error))? {
        if response.canceled() {
            return Err(ill(&format!(
                "revisions before {} are compacted",
                response.compact_revision()
            )));
        }
        for event in response.events() {
            let Some(pair) = event.kv() else { continue };
            let entry = entry(prefix, pair).map_err(none)?;
            if entry.version == until {
                let deleted = store.client.kv_client().delete(end, None).await;
                return deleted.map(|_| ()).map_err(|error| ill(&error));
            }
            let lease = wire::lease_from_api_json(&entry.value).ok();
            let holder = lease.and_then(|(lease, _)| lease.spec.holder_identity);
            let holder =
                holder.filter(|holder| event.event_type() == EventType::Put && !holder.is_empty());
            let holder = holder.map_or_else(|| "-".to_string(), |holder| holder.to_string());
            println!("{} {} {holder}", entry.version, entry.name);
        }
    }
    Err(ill(&"the watch has ended"))
}
