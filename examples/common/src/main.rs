//! `judge FOLDER`: reads what a run left behind, and says what it comes to.
//!
//! Exit status: 0 no two at once, 1 a rule was broken, 2 wrong use or input, 3 unknown.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use tenure_examples::evidence::Evidence;
use tenure_examples::verdict::judge;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(folder), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: judge FOLDER: one with the files *.acts of the workers, and history");
        return ExitCode::from(2);
    };
    match Evidence::read(Path::new(&folder)) {
        Ok(evidence) => {
            let verdict = judge(&evidence);
            println!("{verdict}");
            ExitCode::from(verdict.status())
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
