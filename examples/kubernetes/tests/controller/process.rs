//! The command itself, as a process: what it does with signals, and what a paused one does when it goes on.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use tenure_kubernetes::reconcile::{OWNER, TOKEN};
use tokio::process::{Child, Command};

use crate::server::store::text;
use crate::server::{Server, Support};
use crate::world::{PATIENCE, World, token, until};

fn start(server: &Server, name: &str, mode: &str) -> Child {
    let config = format!("{}/{}-{name}.yaml", env!("CARGO_TARGET_TMPDIR"), server.address.port());
    let address = server.address;
    let text = format!(
        "{{apiVersion: v1, kind: Config, current-context: a, users: [], \
         clusters: [{{name: a, cluster: {{server: \"http://{address}\"}}}}], \
         contexts: [{{name: a, context: {{cluster: a, user: ''}}}}]}}"
    );
    std::fs::write(&config, text).unwrap();
    let durations = ["--lease-duration=3s", "--renew-deadline=2s", "--retry-period=300ms"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure-kubernetes"));
    command.args([mode, "--group=shards", "--listen=127.0.0.1:0"]).args(durations);
    command.env("KUBECONFIG", config).env("POD_NAME", name).env("POD_NAMESPACE", "default");
    command.env("RUST_LOG", "warn").kill_on_drop(true).spawn().unwrap()
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

async fn end(mut child: Child) -> ExitStatus {
    tokio::time::timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap()
}

/// What a member's record says.
fn state(server: &Server, name: &str) -> String {
    let lease = server.lease(&format!("shards-{name}")).unwrap_or_default();
    text(&lease, "/metadata/annotations/tenure.dev~1state").to_owned()
}

/// That the store was written in the order of rights, each of one owner; how often objects changed hands.
fn hand_overs(server: &Server) -> usize {
    let pointer = |name: &str| format!("/metadata/annotations/{}", name.replace('/', "~1"));
    let (mut last, mut count) = (BTreeMap::<String, (u64, String)>::new(), 0);
    for change in &server.state().store.history {
        let after = change.after.clone().unwrap_or_default();
        let Some(token) = token(text(&after, &pointer(TOKEN))) else { continue };
        let owner = text(&after, &pointer(OWNER)).to_owned();
        if let Some((before, by)) = last.insert(change.key.1.clone(), (token, owner.clone())) {
            assert!(before < token || (before == token && by == owner), "{owner} after {by}");
            count += usize::from(by != owner);
        }
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_killed_and_asked_to_end() {
    let world = World::new(Support::Ignored, 24, &[]).await;
    let server = &world.server;
    let names = ["pod-0", "pod-1", "pod-2"];
    let [first, second, mut third] = names.map(|name| start(server, name, "--mode=sharded"));
    until("all take part", || names.iter().all(|name| state(server, name) == "Active")).await;
    world.edits(20).await;
    world.settled().await;

    // It does not know that it was away, and does nothing that is not its own any more.
    send(&second, Signal::STOP);
    until("it is excluded", || state(server, "pod-1") == "Excluded").await;
    world.edits(20).await;
    send(&second, Signal::CONT);
    until("it takes part again", || state(server, "pod-1") == "Active").await;
    world.edits(20).await;
    world.settled().await;

    third.start_kill().unwrap();
    assert_eq!(end(third).await.signal(), Some(9));
    until("it is excluded", || state(server, "pod-2") == "Excluded").await;

    send(&first, Signal::TERM);
    assert_eq!(end(first).await.code(), Some(0));
    assert_eq!(state(server, "pod-0"), "Left");
    world.edits(20).await;
    world.settled().await;
    assert!(5 <= hand_overs(server), "too few to say anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_it_at_once() {
    let world = World::new(Support::Ignored, 2, &[]).await;
    let child = start(&world.server, "pod-0", "--mode=leader");
    let leads = || {
        world
            .server
            .lease("shards")
            .is_some_and(|lease| text(&lease, "/spec/holderIdentity").starts_with("pod-0_"))
    };
    until("it leads", leads).await;
    // It cannot release: nobody answers.
    world.server.cut_off("pod-0", true);
    send(&child, Signal::TERM);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    send(&child, Signal::TERM);
    assert_eq!(end(child).await.code(), Some(1));
    assert!(leads(), "others wait for the lease to run out");
}
