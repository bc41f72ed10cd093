//! Ports for the servers of trials.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where the ports of nobody in particular are: below those that systems give to connections and to
/// who asks for any, so that none is taken before the server listens, or while it is down.
const FIRST: u32 = 10_000;
const COUNT: u32 = 20_000;
/// How far the processes of trials begin from each other.
const APART: u32 = 32;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port on loopback on which nobody listens. No two calls in a process give the same one.
///
/// # Errors
/// There is none.
///
/// ```
/// # use tenure_examples::port;
/// assert_ne!(port::free()?, port::free()?);
/// # Ok::<(), String>(())
/// ```
pub fn free() -> Result<u16, String> {
    let begin = process::id().wrapping_mul(APART);
    let mut last = String::new();
    for _ in 0..COUNT {
        let next = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + next).unwrap_or(u16::MAX);
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = error.to_string(),
        }
    }
    Err(format!("no free port on loopback: {last}"))
}
