//! `shekara init`: a commented configuration to start from.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use super::{Common, Failure, Outcome};
use crate::{
    gatekeeper::ports::{Clock as _, SystemClock},
    model::{Timestamp, UtcOffset},
};

/// The starter, with `@TODAY@` for the day it is written.
const STARTER: &str = include_str!("../../config/shekara.starter.yaml");

/// Writes a commented configuration in log-only mode that passes `check` as it is.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// File to write [default: --config, else ./shekara.yaml]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Overwrite the file if it is there
    #[arg(long)]
    pub force: bool,
}

/// Writes the file and says what to do next.
///
/// # Errors
/// The file is there already, or cannot be written.
pub fn run(args: &Args, common: &Common) -> Outcome {
    let default = || PathBuf::from("shekara.yaml");
    let output = args.output.clone().or_else(|| common.config.clone());
    let path = output.unwrap_or_else(default);
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let name = path.display();
    let mut file = options.open(&path).map_err(|error| {
        Failure::new(if error.kind() == ErrorKind::AlreadyExists {
            format!("{name} is there already; --force overwrites it")
        } else {
            format!("cannot write {name}: {error}")
        })
    })?;
    file.write_all(starter(SystemClock.now()).as_bytes())
        .map_err(|error| Failure::new(format!("cannot write {name}: {error}")))?;
    writeln!(
        std::io::stdout().lock(),
        "wrote {name} (log-only: nothing is refused yet). Next:\n  shekara check --config {name}\n  shekara run --config {name}"
    )
    .map_err(|error| Failure::new(format!("cannot write to stdout: {error}")))?;
    Ok(ExitCode::SUCCESS)
}

/// The starter as written at `now`.
pub fn starter(now: Timestamp) -> String {
    let today = now.day(UtcOffset::default());
    STARTER.replace("@TODAY@", &today.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_once_and_again_only_by_force() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shekara.yaml");
        let write = |force| {
            let args = Args {
                output: Some(path.clone()),
                force,
            };
            run(&args, &Common::default())
        };
        assert!(write(false).is_ok());
        std::fs::write(&path, "mine").unwrap();
        let failure = write(false).unwrap_err();
        assert_eq!(failure.code, 1);
        assert!(failure.text.contains("--force"), "{}", failure.text);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        assert!(write(true).is_ok());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("mode: log-only"));
        assert!(!text.contains('@'));
    }
}
