//! Writes texts for the targets that read JSON to start from, one folder for each target:
//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds -- fuzz/corpus`.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let Some(corpus) = env::args().nth(1) else {
        return Err(io::Error::other("seeds wants the corpus folder: give it fuzz/corpus"));
    };
    for target in ["record_json", "lease_json", "object_json", "lenient_json"] {
        let folder = Path::new(&corpus).join(target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in tenure_fuzz::wire::seeds().iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
