//! `shekara schema`: the JSON Schema of the configuration.

use std::process::ExitCode;

use super::{Common, Outcome};
use crate::config;

/// Prints the JSON Schema of the configuration, for editors.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Args {}

/// Prints the schema.
///
/// # Errors
/// Stdout cannot be written.
pub fn run(_args: &Args, _common: &Common) -> Outcome {
    super::print_whole(&format!("{:#}", config::schema()))?;
    Ok(ExitCode::SUCCESS)
}
