//! `tenure schema`: how scenario files are written, for editors and other programs.

use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::{Refusal, output};
use crate::scenario::Scenario;
use crate::sharding;

/// Print the JSON Schema of scenario files, fault plans included: of an election, or of a sharded group.
/// It holds for TOML, too.
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// Of a sharded group.
    #[arg(long)]
    pub(super) sharding: bool,
}

/// Prints it.
///
/// # Errors
/// Standard output does not work.
pub(super) fn run(args: &SchemaArgs) -> Result<u8, Refusal> {
    output::print(if args.sharding { sharded() } else { election() })?;
    Ok(0)
}

/// Of a scenario of an election, as text.
fn election() -> String {
    text(&SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Scenario>())
}

/// Of a sharded group.
fn sharded() -> String {
    let generator = SchemaSettings::draft2020_12().into_generator();
    text(&generator.into_root_schema_for::<sharding::Scenario>())
}

fn text(schema: &Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}
