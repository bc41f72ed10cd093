//! Writes inputs for the targets to start from, one folder for each: texts for those that read JSON,
//! and runs in which something happens for the others:
//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds -- fuzz/corpus`.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let Some(corpus) = env::args().nth(1) else {
        return Err(io::Error::other("seeds wants the corpus folder: give it fuzz/corpus"));
    };
    let write = |target: &str, seeds: &[Vec<u8>]| {
        let folder = Path::new(&corpus).join(target);
        fs::create_dir_all(&folder)?;
        let mut seeds = seeds.iter().enumerate();
        seeds.try_for_each(|(number, seed)| fs::write(folder.join(format!("seed-{number}")), seed))
    };
    for target in ["record_json", "lease_json", "object_json", "lenient_json"] {
        write(target, &tenure_fuzz::wire::seeds())?;
    }
    write("elector", &tenure_fuzz::elector::seeds())?;
    write("electors", &tenure_fuzz::electors::seeds())?;
    write("candidate", &tenure_fuzz::candidate::seeds())?;
    write("placement", &tenure_fuzz::placement::seeds())?;
    write("sharding_text", &tenure_fuzz::sharding_text::seeds())?;
    write("sharders", &tenure_fuzz::sharders::seeds())
}
