//! Free ports of the loopback address.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where ports are looked for: below those that the system gives to clients (Linux: 32768 and up), or a client of another test could have one before the
/// server it was meant for.
const FIRST: u16 = 10_240;
const LAST: u16 = 32_000;

/// A port on 127.0.0.1 that nothing listened on a moment ago. Test processes begin at different places, and each goes on from there.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let width = u32::from(LAST - FIRST);
    let start = std::process::id().wrapping_mul(131) % width;
    for _ in 0..width {
        let offset = (start + NEXT.fetch_add(1, Ordering::Relaxed)) % width;
        let port = FIRST + u16::try_from(offset).expect("the range is one of ports");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port between {FIRST} and {LAST} is free");
}
