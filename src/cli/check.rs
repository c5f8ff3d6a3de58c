//! `shekara check`: everything that is wrong with the configuration.

use std::process::ExitCode;

use super::{Common, Failure, Outcome};
use crate::{
    config::{self, Problems},
    gatekeeper::ports::{Clock as _, SystemClock},
};

/// Checks the configuration and prints every problem with its line and the likely mend.
///
/// A text that is not YAML is reported alone, at the first place where it is none. What follows from a value of a wrong type is
/// judged once that is mended; everything else is judged at once.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Fail on warnings too
    #[arg(long)]
    pub strict: bool,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// One JSON document.
    Json,
    /// For terminals.
    #[default]
    Text,
}

/// Exit code 0: it may take force; 1: it may not.
///
/// # Errors
/// There is no configuration, or stdout is closed.
pub fn run(args: &Args, common: &Common) -> Outcome {
    let path = config::discover(common.config.as_deref()).map_err(Failure::new)?;
    let (problems, is_valid) = match config::load(&path, SystemClock.now()) {
        Ok(loaded) => (loaded.warnings, true),
        Err(problems) => (problems, false),
    };
    let text = match args.format {
        Format::Json => format!("{:#}", problems.to_json()),
        Format::Text => summary(&path.display().to_string(), &problems),
    };
    super::print_whole(&text)?;
    let is_strictly_valid = problems.is_empty() || !args.strict;
    Ok(if is_valid && is_strictly_valid {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn summary(path: &str, problems: &Problems) -> String {
    if problems.is_empty() {
        format!("{path}: valid")
    } else {
        problems.to_string()
    }
}
