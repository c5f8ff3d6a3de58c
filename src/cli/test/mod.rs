//! `shekara test`: policy tests that users write in YAML, run on the gate's own path.
//!
//! A file names a configuration, says what the registers hold and what time it is, and lists requests with what must come of
//! them. Nothing is sent, nothing is written, no state of an installation is read. `docs/policy-tests.md` is the manual.

mod compare;
mod fixtures;
mod judge;
mod message;
mod report;
mod suite;
mod under;
mod written;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub use compare::Difference;
pub use judge::Outcome;
pub use report::{FileReport, Report};
pub use suite::Suite;

use super::{Failure, print};
use crate::config::Problems;

/// Exit code when a file cannot be used.
const UNUSABLE: u8 = 2;

/// Runs policy tests: requests, records and what must come of them, in YAML
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Test files, or directories of which every .yaml file is one
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// How to print the results
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Also write the results as JUnit XML, for CI systems
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Run only cases whose names contain this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub filter: String,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// One JSON document
    Json,
    /// For terminals
    #[default]
    Text,
}

/// Runs the subcommand. Exit code 0: every case passed; 1: some failed, or no case ran; 2: a file cannot be used.
///
/// # Errors
/// The JUnit file cannot be written.
pub fn run(args: &Args) -> super::Outcome {
    let report = run_paths(&args.paths, &args.filter);
    match args.format {
        Format::Json => print(&format!("{:#}", report.to_json())),
        Format::Text => print(&report.to_string()),
    }
    if let Some(path) = &args.junit {
        fs::write(path, report.to_junit())
            .map_err(|it| Failure::new(format!("cannot write {}: {it}", path.display())))?;
    }
    Ok(if report.unusable().next().is_some() {
        ExitCode::from(UNUSABLE)
    } else if report.failed() > 0 || report.passed() == 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Runs the cases of all files under `paths` whose names contain `filter`. A directory stands for its `.yaml` files, not for
/// those of its directories, so that configurations may lie in one of these.
pub fn run_paths(paths: &[PathBuf], filter: &str) -> Report {
    let mut report = Report::default();
    for path in paths {
        match files(path) {
            Ok(files) => {
                let files = files.iter();
                report.files.extend(files.map(|it| run_file(it, filter)));
            }
            Err(message) => report.files.push(FileReport {
                file: path.display().to_string(),
                result: Err(message),
            }),
        }
    }
    report
}

fn run_file(path: &Path, filter: &str) -> FileReport {
    let suite = Suite::read(path).map_err(|it: Problems| it.to_string());
    FileReport {
        file: path.display().to_string(),
        result: suite.map(|it| it.run(filter)),
    }
}

/// The test files that `path` stands for, in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let wrong = |it: std::io::Error| format!("cannot read {}: {it}", path.display());
    let entries = fs::read_dir(path).map_err(wrong)?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.map_err(wrong)?.path();
        if file.is_file()
            && file
                .extension()
                .is_some_and(|it| it == "yaml" || it == "yml")
        {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(format!(
            "{} holds no .yaml file; directories below it are not read: name one of them",
            path.display()
        ));
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
mod tests;
