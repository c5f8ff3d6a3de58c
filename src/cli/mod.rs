//! The command line: one file a subcommand.

pub mod scan;

use std::{path::PathBuf, process::ExitCode};

/// Options that every subcommand understands.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Common {
    /// Configuration file [default: ./shekara.yaml, then /etc/shekara/shekara.yaml]
    #[arg(
        short,
        long,
        global = true,
        env = "SHEKARA_CONFIG",
        value_name = "FILE"
    )]
    pub config: Option<PathBuf>,
    /// State directory (registers, keys, audit log); overrides `state_dir` of the configuration
    #[arg(long, global = true, env = "SHEKARA_STATE", value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// A subcommand that could not do its work. Printed on stderr as `error: …`; exit code 1 unless it says otherwise.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong and how to mend it.
    pub text: String,
    /// 1 failed or invalid, 2 usage, 4 tampering found.
    pub code: u8,
}

impl Failure {
    /// A failure with exit code 1.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code: 1,
        }
    }
}

/// Result of a subcommand.
pub type Outcome = Result<ExitCode, Failure>;
