//! All replicas act: one joins, one leaves, one crashes, watches expire; with and without `shardSelector`.

use std::time::Duration;

use serde_json::json;
use tenure_kubernetes::clock;

use crate::check::Verdict;
use crate::server::fault::{Calls, Effect};
use crate::server::{Called, Support};
use crate::world::{World, until};

/// What happens to a group.
async fn life(support: Support, sharding: &'static str) -> World {
    let mut world = World::new(support, 24, &[sharding]).await;
    world.start("pod-0");
    world.start("pod-1");
    world.only(&["pod-0", "pod-1"]).await;
    world.edits(8).await;

    world.start("pod-2");
    world.edits(4).await;
    world.only(&["pod-0", "pod-1", "pod-2"]).await;
    world.edits(8).await;
    // Each has its own in memory, and together they have all.
    until("each object is known to one", || world.known() == 24).await;

    world.server.expire_watches(support == Support::Honoured);
    world.edits(8).await;

    world.leave("pod-0").await;
    let record = world.server.lease("shards-pod-0").unwrap();
    assert_eq!(record["metadata"]["annotations"]["tenure.dev/state"], "Left");
    world.edits(4).await;
    world.crash("pod-1");
    world.edits(4).await;
    owns_all(&world, "pod-2").await;
    world.edits(4).await;
    world.settled().await;
    world.assert_one_owner();
    world
}

async fn owns_all(world: &World, name: &str) {
    let slots = || world.replicas[name].0.authority.standing(clock::instant()).slots;
    until(&format!("{name} owns all slots"), || slots() == 256).await;
}

fn selected(call: &Called) -> bool {
    !call.value("shardSelector").is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_server_that_selects() {
    let world = life(Support::Honoured, "--sharding=ranked").await;
    for verb in ["list", "watch"] {
        let calls = world.server.called(verb, "configmaps");
        assert!(
            !calls.is_empty() && calls.iter().all(selected),
            "who owns nothing does not {verb}"
        );
    }
    // The group is one consistent read: no page, no version.
    let lists = world.server.called("list", "leases");
    assert!(
        lists
            .iter()
            .all(|call| call.query == [("labelSelector".into(), "tenure.dev/group=shards".into())])
    );
    // A watch saves most of them: without one it would be some three a second of each.
    let watches = world.server.called("watch", "leases");
    assert!(
        watches
            .iter()
            .all(|call| call.query.contains(&("allowWatchBookmarks".into(), "true".into())))
    );
    assert!(!watches.is_empty());
    let lengths = world.server.called("list", "configmaps").into_iter();
    let longest = lengths.map(|call| call.value("shardSelector").len()).max();
    println!("the longest shardSelector has {longest:?} characters");
    assert!(longest < Some(7_000), "{longest:?}: proxies take 8 KB of a URL");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_an_older_server() {
    life(Support::Ignored, "--sharding=ranked").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_server_that_refuses_to_select() {
    let world = life(Support::Refused, "--sharding=ranked").await;
    let watches = world.server.called("watch", "configmaps");
    assert!(!watches.iter().any(selected), "a list has shown that it does not");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_server_that_selects_something_else() {
    life(Support::Different, "--sharding=ranked").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_a_plan() {
    let world = life(Support::Honoured, "--sharding=planned").await;
    let plan = world.server.lease("shards-plan").unwrap();
    assert!(plan["metadata"]["annotations"]["tenure.dev/plan"].is_string());
    assert!(plan["metadata"].get("labels").is_none(), "lists of the group show records alone");
    let longest = world
        .server
        .called("list", "configmaps")
        .into_iter()
        .map(|call| call.query.iter().map(|(_, value)| value.len()).max().unwrap_or(0));
    assert!(longest.max().unwrap() < 1_000, "contiguous: few ranges");
}

/// A connection that ends costs no list: the watch goes on after what it has shown last, be it a bookmark.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_goes_on_where_it_was() {
    let mut world = World::new(Support::Honoured, 6, &[]).await;
    world.start("pod-0");
    world.only(&["pod-0"]).await;
    world.settled().await;
    let lists = world.server.called("list", "configmaps").len();
    // Renewals go by, of which a watch of ConfigMaps shows nothing but bookmarks.
    let (of, began) =
        (|call: &Called| call.value("resourceVersion").parse::<u64>().unwrap(), world.version());
    until("others write", || began + 10 < world.version()).await;
    tokio::time::sleep(Duration::from_secs(1)).await; // bookmarks come five times a second
    world.server.cut_watches();
    let watches = || world.server.called("watch", "configmaps");
    let resumed = || watches().last().is_some_and(|call| began + 5 < of(call));
    until("it goes on from there", resumed).await;
    world.edits(4).await;
    world.settled().await;
    assert_eq!(world.server.called("list", "configmaps").len(), lists);
}

/// What was missed is listed, whether the server says so by its status or within the watch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_has_expired_is_made_good() {
    for by_status in [true, false] {
        let mut world = World::new(Support::Honoured, 6, &[]).await;
        world.start("pod-0");
        world.only(&["pod-0"]).await;
        world.settled().await;
        let watches = world.server.called("watch", "leases").len();
        world.server.expire_watches(by_status);
        world.edits(4).await;
        world.settled().await;
        // Of the members, too.
        let again = || watches + 1 < world.server.called("watch", "leases").len();
        until("the members are watched again", again).await;
        let latest = world.server.called("watch", "leases").pop().unwrap();
        let compacted = world.server.state().store.compacted;
        assert!(compacted <= latest.value("resourceVersion").parse().unwrap());
    }
}

/// Somebody has forgotten the right to watch: all works by lists, and the server is not asked in a loop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_watch_does_not_ask_in_a_loop() {
    let mut world = World::new(Support::Honoured, 6, &[]).await;
    let watches = Calls { verb: "watch", ..Calls::default() };
    world.server.fault(watches, Effect::Refuse(403, "Forbidden", None), u32::MAX);
    world.start("pod-0");
    world.only(&["pod-0"]).await;
    let calls =
        || ["leases", "configmaps"].map(|resource| world.server.called("watch", resource).len());
    let before = calls();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let [leases, objects] = calls();
    assert!(before[0] < leases && leases < before[0] + 20, "{before:?}, then {leases}");
    assert!(before[1] < objects && objects < before[1] + 20, "{before:?}, then {objects}");
}

/// Nothing happens to the objects that would bring them again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_failed_is_tried_again() {
    let mut world = World::new(Support::Honoured, 6, &[]).await;
    let acts = Calls { verb: "patch", ..Calls::default() };
    for (code, reason) in [(403, "Forbidden"), (500, "InternalError"), (503, "ServiceUnavailable")]
    {
        world.server.fault(acts.clone(), Effect::Refuse(code, reason, None), 3);
    }
    world.start("pod-0");
    world.settled().await;
    assert!(6 + 9 <= world.server.called("patch", "configmaps").len());
}

/// Slots that move wait for what was begun on them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_begun_is_waited_for() {
    let mut world = World::new(Support::Ignored, 24, &[]).await;
    world.start("pod-0");
    world.only(&["pod-0"]).await;
    let acts = Calls { verb: "patch", ..Calls::default() };
    world.server.fault(acts, Effect::AnsweredLate(Duration::from_millis(600)), u32::MAX);
    world.edits(20).await;
    for (joins, leaves) in [("pod-1", None), ("pod-2", Some("pod-0"))] {
        world.start(joins);
        while !world.active().contains(&joins) {
            world.edits(4).await;
        }
        world.edits(20).await;
        if let Some(name) = leaves {
            world.leave(name).await;
            world.edits(20).await;
        }
    }
    world.server.state().faults.clear();
    world.settled().await;
    world.assert_one_owner();
}

/// A record that nobody can read is no record that is gone: its member may be at work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_garbles_a_record() {
    let mut world = World::new(Support::Ignored, 24, &[]).await;
    world.start("pod-0");
    world.start("pod-1");
    world.only(&["pod-0", "pod-1"]).await;
    let garbled = clock::instant();
    let patch = json!({"metadata": {"annotations": {"tenure.dev/state": "Asleep"}}});
    world.server.edit(|store| store.patch(("leases", "shards-pod-1".into()), &patch).unwrap());
    let state = || {
        let lease = world.server.lease("shards-pod-1").unwrap();
        lease["metadata"]["annotations"]["tenure.dev/state"].clone()
    };
    until("it is a record again", || state() != "Asleep").await;
    let waited = clock::instant().saturating_since(garbled);
    assert!(Duration::from_secs(3) <= waited, "a lease duration, not {waited:?}");
    world.only(&["pod-0", "pod-1"]).await;
    world.edits(20).await;
    world.settled().await;
    assert!(!matches!(world.judge(), Verdict::TwoOwners(_)));
}

/// A container that restarts has its Pod's name and UID, and is another process all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_process_is_another_incarnation() {
    let mut world = World::new(Support::Ignored, 2, &[]).await;
    let incarnation = |world: &World| {
        let lease = world.server.lease("shards-pod-0").unwrap_or_default();
        lease["metadata"]["annotations"]["tenure.dev/incarnation"].clone()
    };
    world.start("pod-0");
    world.only(&["pod-0"]).await;
    let first = incarnation(&world);
    world.crash("pod-0");
    world.start("pod-0");
    until("its successor has joined", || incarnation(&world) != first).await;
    world.only(&["pod-0"]).await;
}

/// What the API server refuses, delays and half does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_server_that_fails() {
    let mut world = World::new(Support::Honoured, 24, &[]).await;
    let writes = |verb| Calls { verb, resource: "leases", ..Calls::default() };
    let acts = || Calls { verb: "patch", ..Calls::default() };
    for name in ["pod-0", "pod-1", "pod-2"] {
        world.start(name);
        world.server.fault(writes("create"), Effect::DoneThen504, 1);
        world.server.fault(writes("list"), Effect::Refuse(500, "InternalError", None), 1);
    }
    world.only(&["pod-0", "pod-1", "pod-2"]).await;
    world.edits(8).await;
    for (calls, effect, times) in [
        (writes("update"), Effect::DoneThen504, 3),
        (writes("update"), Effect::Refuse(409, "Conflict", None), 2),
        (writes("update"), Effect::Refuse(503, "ServiceUnavailable", None), 2),
        (writes("update"), Effect::AnsweredLate(Duration::from_millis(700)), 2),
        // Longer than the call lives: the write comes when its sender has given it up.
        (writes("update"), Effect::Late(Duration::from_millis(1_300)), 2),
        (writes("watch"), Effect::Refuse(429, "TooManyRequests", Some(1)), 2),
        (acts(), Effect::DoneThen504, 4),
        (acts(), Effect::Refuse(422, "Invalid", None), 2),
        (acts(), Effect::Late(Duration::from_millis(400)), 8),
        (acts(), Effect::Refuse(409, "Conflict", None), 4),
    ] {
        world.server.fault(calls, effect, times);
        world.edits(16).await;
    }
    world.server.expire_watches(false);
    world.leave("pod-0").await;
    world.edits(8).await;
    world.leave("pod-1").await;
    world.edits(8).await;
    owns_all(&world, "pod-2").await;
    world.settled().await;
    world.assert_one_owner();
}

/// Cut off for longer than its lease: it stops by its own clock, others exclude it, it joins again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_and_back() {
    let mut world = World::new(Support::Ignored, 24, &[]).await;
    world.start("pod-0");
    world.start("pod-1");
    world.only(&["pod-0", "pod-1"]).await;
    world.edits(8).await;
    world.server.cut_off("pod-1", true);
    world.edits(8).await;
    owns_all(&world, "pod-0").await;
    world.only(&["pod-0"]).await;
    let record = world.server.lease("shards-pod-1").unwrap();
    assert_eq!(record["metadata"]["annotations"]["tenure.dev/state"], "Excluded");
    world.edits(8).await;
    world.server.cut_off("pod-1", false);
    world.only(&["pod-0", "pod-1"]).await;
    world.edits(8).await;
    world.settled().await;
    world.assert_one_owner();
}

/// What others have put on a record stays; a record that is deleted is not revived by a renewal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_edits_a_record() {
    let mut world = World::new(Support::Ignored, 6, &[]).await;
    world.start("pod-0");
    world.only(&["pod-0"]).await;
    let key = || ("leases", "shards-pod-0".to_owned());
    let owners = json!([{"apiVersion": "v1", "kind": "Pod", "name": "pod-0", "uid": "1"}]);
    let patch = json!({"metadata": {"ownerReferences": owners, "labels": {"team": "a"}}});
    world.server.edit(|store| store.patch(key(), &patch).unwrap());
    let before = world.server.lease("shards-pod-0").unwrap();
    let renewed = || world.server.lease("shards-pod-0").unwrap()["spec"] != before["spec"];
    until("it is renewed", renewed).await;
    let after = world.server.lease("shards-pod-0").unwrap();
    assert_eq!(after["metadata"]["ownerReferences"], owners);
    assert_eq!(after["metadata"]["labels"], json!({"team": "a", "tenure.dev/group": "shards"}));

    world.server.edit(|store| store.delete(key(), &json!({})).unwrap());
    let uid = |lease: &serde_json::Value| lease["metadata"]["uid"].clone();
    until("it has joined again", || {
        world.server.lease("shards-pod-0").is_some_and(|lease| uid(&lease) != uid(&before))
    })
    .await;
    let life = world.server.lease("shards-pod-0").unwrap()["spec"]["leaseTransitions"].clone();
    assert_eq!(life, 2, "a new life, not the old record anew");
    owns_all(&world, "pod-0").await;
}
