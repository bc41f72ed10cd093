//! `docs/tutorial.md`, compiled and run: `lib.rs` and `shards.rs` are its blocks, letter by letter.
//! `.ci/tutorial` follows it in a fresh folder.

#[path = "lib.rs"]
#[expect(missing_docs, missing_debug_implementations, reason = "a page has room for sixty lines")]
mod controller;
mod shards;

// The crate that the tutorial makes.
extern crate self as greeter;
pub use controller::Controller;

const TUTORIAL: &str = include_str!("../../docs/tutorial.md");
const FILES: [(&str, &str); 2] =
    [("src/lib.rs", include_str!("lib.rs")), ("tests/shards.rs", include_str!("shards.rs"))];

#[test]
fn the_tutorial_says_what_is_run_here_in_sixty_lines() {
    let mut lines = 0;
    for (name, text) in FILES {
        let block = format!("`{name}`:\n\n```rust\n{text}```\n");
        assert!(TUTORIAL.contains(&block), "docs/tutorial.md has no such {name}:\n{text}");
        lines += text.lines().filter(|line| !line.trim().is_empty()).count();
    }
    assert_eq!(TUTORIAL.matches("\n```rust\n").count(), FILES.len(), "all blocks are run");
    assert!(lines <= 60, "{lines} lines");
}
