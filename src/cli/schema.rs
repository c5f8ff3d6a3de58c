//! `shekara schema`: the JSON Schema of the configuration.

use std::{io::Write as _, process::ExitCode};

use super::{Common, Failure, Outcome};
use crate::config;

/// Prints the JSON Schema of the configuration, for editors.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Args {}

/// Prints the schema.
///
/// # Errors
/// Stdout is closed.
pub fn run(_args: &Args, _common: &Common) -> Outcome {
    writeln!(std::io::stdout().lock(), "{:#}", config::schema())
        .map_err(|error| Failure::new(format!("cannot write to stdout: {error}")))?;
    Ok(ExitCode::SUCCESS)
}
