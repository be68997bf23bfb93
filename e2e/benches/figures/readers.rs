//! Several readers at once: each asks for one page after the other, for a while.
use crate::measured::Measured;
use crate::visitor::Visitor;
use std::time::{Duration, Instant};
use url::Url;

pub struct Load {
    /// How long each page took, all readers together.
    pub took: Measured,
}

/// Reads these addresses in turn; every answer must be a page.
pub fn read(visitor: &Visitor, addresses: &[Url], readers: usize, read_for: Duration) -> Load {
    let began = Instant::now();
    let one = |first: usize| {
        let mut visitor = visitor.clone();
        let mut took = Vec::new();
        let mut at = first;
        while began.elapsed() < read_for {
            // a stride that meets every address
            at = (at + 37) % addresses.len();
            let answer = visitor.get(&addresses[at]);
            assert_eq!(answer.status, 200, "{}: {}", addresses[at], answer.body);
            took.push(answer.took);
        }
        took
    };
    let took = std::thread::scope(|scope| {
        let running: Vec<_> = (0..readers).map(|reader| scope.spawn(move || one(reader * 11))).collect();
        running.into_iter().flat_map(|reader| reader.join().expect("a reader reads to the end")).collect()
    });
    Load { took: Measured::of(took) }
}
