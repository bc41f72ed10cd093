//! The figures to reach.

/// No slower than the fastest crate for the same algorithm: at most this, of ours to theirs.
pub const NO_SLOWER: f64 = 1.10;

/// The greatest allowed ratio of ours to this peer.
#[must_use]
pub fn ratio(algorithm: &str, members: u32, peer: &str) -> f64 {
    match (algorithm, peer) {
        ("Rendezvous", "rendezvous_hash" | "hrw-hash") if (3..=100).contains(&members) => 1.0 / 3.0,
        ("Ring, 100 points", "hashring") if members == 100 => 1.0 / 3.0,
        ("Jump, Guava", "jumpch") => 1.0,
        _ => NO_SLOWER,
    }
}

/// The greatest allowed nanoseconds of a look-up in ours, where there is such a figure.
#[must_use]
pub fn nanos(algorithm: &str, members: u32) -> Option<f64> {
    match (algorithm, members) {
        ("Rendezvous", 3..=100) => Some(4.0 * f64::from(members)),
        ("Ring, 100 points", 100) => Some(15.0),
        ("Maglev", 1_000) => Some(3.5),
        ("Anchor, 1.1 n", _) => Some(8.0),
        ("UID to owner", 5) => Some(25.0),
        _ => None,
    }
}

/// The greatest allowed ratio of ours to this peer when they are built.
#[must_use]
pub fn build(algorithm: &str, members: u32, peer: &str) -> Option<f64> {
    ((algorithm, members, peer) == ("Maglev", 1_000, "maglev-hash")).then_some(0.1)
}

/// The greatest allowed heap bytes of ours, names aside, at 1,000 members: what straightforward
/// implementations need.
#[must_use]
pub fn bytes(algorithm: &str, members: u32) -> Option<u64> {
    let most = match algorithm {
        "Jump, Paper" | "Jump, Guava" | "JumpBack" | "Flip" => 4,
        "Binomial" => 16,
        "Anchor, 1.1 n" => 18_256,
        "Memento over JumpBack" => 70,
        "Memento over JumpBack, half removed" => 26_688,
        "Dx, 2 n" => 288,
        "Maglev" => 400_038,
        "Rendezvous" => 16_056,
        "Ring, 100 points" => 1_724_372,
        "MultiProbe, 21 probes" => 12_048,
        _ => return None,
    };
    (members == 1_000).then_some(most)
}
