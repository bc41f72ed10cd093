//! `/livez`, `/readyz` and `/metrics`, as the kubelet and Prometheus ask.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use prometheus_parse::{Scrape, Value};
use tenure_kubernetes::controller::Replica;
use tenure_kubernetes::serve;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::Support;
use crate::world::{World, until};

fn serve(replica: Arc<Replica>) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    serve::spawn(replica, listener).unwrap();
    address
}

/// Status and body.
async fn get(address: std::net::SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

fn number(scrape: &Scrape, name: &str, labels: &[(&str, &str)]) -> f64 {
    let sample = scrape.samples.iter().find(|sample| {
        sample.metric == name
            && labels.iter().all(|(label, value)| sample.labels.get(label) == Some(value))
    });
    match sample.unwrap_or_else(|| panic!("no {name} {labels:?}")).value {
        Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => value,
        ref value => panic!("{name} is {value:?}"),
    }
}

fn parsed(text: &str) -> Scrape {
    assert!(text.ends_with("# EOF\n"), "OpenMetrics ends so");
    Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_tells_how_it_is() {
    let mut world = World::new(Support::Honoured, 8, &["--stuck-after=2s"]).await;
    world.server.cut_off("pod-0", true);
    // With threads of its own, which are to hang below.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let inside = runtime.enter();
    world.start("pod-0");
    drop(inside);
    let replica = Arc::clone(&world.replicas["pod-0"].0);
    let address = serve(Arc::clone(&replica));
    assert_eq!(get(address, "/livez").await, (200, "ok\n".into()));
    let (code, why) = get(address, "/readyz").await;
    assert_eq!((code, &*why), (500, "the API server has not answered a call on Leases\n"));

    world.server.cut_off("pod-0", false);
    world.only(&["pod-0"]).await;
    world.settled().await;
    assert_eq!(get(address, "/readyz").await.0, 200);
    let scrape = parsed(&get(address, "/metrics").await.1);
    assert_eq!(number(&scrape, "tenure_slots_owned", &[]), 256.0);
    assert_eq!(number(&scrape, "tenure_leading", &[]), 0.0);
    assert_eq!(number(&scrape, "tenure_objects", &[]), 8.0);
    let left = number(&scrape, "tenure_authority_seconds", &[]);
    assert!(0.0 < left && left <= 2.0, "{left} s");
    let written = number(&scrape, "tenure_reconciles_total", &[("result", "written")]);
    assert!(written >= 8.0);
    let created = [("verb", "create"), ("resource", "leases"), ("code", "201")];
    assert_eq!(number(&scrape, "tenure_requests_total", &created), 1.0);
    let renewals = scrape.samples.iter().find(|s| s.metric == "tenure_lease_renew_latency_seconds");
    assert!(matches!(renewals.unwrap().value, Value::Histogram(_)));

    // Somebody holds what the loop needs.
    let (free, held) = mpsc::channel::<()>();
    let member = replica.member.clone().unwrap();
    let holder = std::thread::spawn(move || member.look(|_| held.recv()));
    let stuck = until_code(address, "/livez", 500).await;
    assert!(stuck.starts_with("the driver's loop has not turned for "), "{stuck}");
    assert_eq!(get(address, "/readyz").await.0, 500);
    // Whoever asks does not wait for it, and is not told that it owns anything.
    let scrape = parsed(&get(address, "/metrics").await.1);
    assert_eq!(number(&scrape, "tenure_slots_owned", &[]), 0.0);
    free.send(()).unwrap();
    holder.join().unwrap().unwrap();
    until_code(address, "/livez", 200).await;

    replica.asker.send_replace(true);
    assert_eq!(until_code(address, "/readyz", 500).await, "it leaves\n");
    runtime.shutdown_background();
}

async fn until_code(address: std::net::SocketAddr, path: &str, code: u16) -> String {
    let end = tenure_kubernetes::clock::instant() + crate::world::PATIENCE;
    loop {
        let (is, body) = get(address, path).await;
        if is == code {
            return body;
        }
        assert!(tenure_kubernetes::clock::instant() < end, "{path} is {is}, never {code}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_says_so() {
    let mut world = World::new(Support::Ignored, 2, &["--mode=leader"]).await;
    world.start("pod-0");
    let address = serve(Arc::clone(&world.replicas["pod-0"].0));
    assert_eq!(number(&parsed(&get(address, "/metrics").await.1), "tenure_leading", &[]), 0.0);
    world.only(&["pod-0"]).await;
    let scrape = parsed(&get(address, "/metrics").await.1);
    assert_eq!(number(&scrape, "tenure_leading", &[]), 1.0);
    assert_eq!(number(&scrape, "tenure_events_total", &[("event", "started_leading")]), 1.0);
    // An API server out of reach is no reason to restart it.
    world.server.cut_off("pod-0", true);
    until("it leads no more", || world.active().is_empty()).await;
    assert_eq!(get(address, "/livez").await.0, 200);
    let scrape = parsed(&get(address, "/metrics").await.1);
    assert_eq!(number(&scrape, "tenure_leading", &[]), 0.0);
}
