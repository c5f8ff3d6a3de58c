//! `shekara audit`: verify, read and export the audit log.

mod export;
pub(super) mod line;
mod register;
mod show;

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    str::FromStr,
    thread,
    time::Duration,
};

use clap::{Parser, Subcommand};

use super::{Failure, Outcome};
use crate::{
    audit::{Error, Head, Report, reader, verify},
    model::counted,
};

/// Exit code when the log does not hold together.
const TAMPERED: u8 = 4;
/// How often `tail -f` looks for new records.
const POLL: Duration = Duration::from_millis(200);

/// Verifies, reads and exports the audit log
#[derive(Debug, Parser)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check every record and link; exit code 4 names the first bad record
    Verify {
        /// A head that an earlier `audit verify` printed and that was kept on another host
        #[arg(long, value_name = "SEQ:HASH")]
        expect_head: Option<Head>,
    },
    /// Print the last records, one line each
    Tail {
        /// How many
        #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
        lines: u64,
        /// Go on with records as they are appended, until interrupted
        #[arg(short, long)]
        follow: bool,
    },
    /// Print one record; a decision with its completion
    Show {
        /// A decision id, as the client was given it, or a sequence
        #[arg(value_name = "ID|SEQ")]
        what: show::Key,
        /// How
        #[arg(long, value_enum, default_value_t = show::Format::Text)]
        format: show::Format,
    },
    /// Write decisions out, oldest first
    Export(export::Args),
    /// Write the register of transfers that left, for a regulator, as CSV
    Register(register::Args),
}

/// Runs `shekara audit …` on the log in `dir`. Reads only, also while a gate appends; writes nothing but the index.
///
/// # Errors
/// The log cannot be read (exit code 1), or does not hold together (4).
pub fn run(args: Args, dir: &Path) -> Outcome {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let done = match args.command {
        Command::Verify { expect_head } => run_verify(dir, expect_head.as_ref(), &mut out),
        Command::Tail { lines, follow } => tail(dir, lines, follow, &mut out),
        Command::Show { what, format } => show::show(dir, what, format, &mut out),
        Command::Export(args) => export::export(dir, &args, &mut out),
        Command::Register(args) => register::register(dir, &args, &mut out),
    };
    match done.and_then(|()| out.flush().map_err(Stop::from)) {
        // Whoever reads our output has seen enough.
        Ok(()) | Err(Stop::Closed) => Ok(ExitCode::SUCCESS),
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

/// Why a subcommand ends before its end.
#[derive(Debug)]
enum Stop {
    /// Nobody reads the output any more.
    Closed,
    Failed(Failure),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Closed;
        }
        Self::Failed(Failure::new(format!("cannot write the output: {error}")))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let mut failure = Failure::new(error.to_string());
        if matches!(error, Error::Damaged(_)) {
            failure.code = TAMPERED;
        }
        Self::Failed(failure)
    }
}

fn run_verify(dir: &Path, expected: Option<&Head>, out: &mut dyn Write) -> Result<(), Stop> {
    let report = verify(dir, expected)?;
    print_report(&report, out)?;
    let Some(bad) = report.bad else {
        writeln!(out, "The log holds together.")?;
        return Ok(());
    };
    out.flush()?;
    Err(Stop::Failed(Failure {
        text: format!(
            "audit log does not hold together: {bad}; keep this copy as evidence and compare it with a copy from before"
        ),
        code: TAMPERED,
    }))
}

fn print_report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{}, {}: {}, {}, {}, {}",
        counted(report.segments, "segment"),
        counted(report.records, "record"),
        counted(report.decided, "decision"),
        counted(report.completed, "completion"),
        counted(report.register_changes, "register change"),
        counted(report.operated, "operation")
    )?;
    if report.unfinished > 0 {
        writeln!(
            out,
            "{} without completion: under way, or the end is unknown",
            counted(report.unfinished, "decision")
        )?;
    }
    if report.repeated_changes > 0 {
        writeln!(
            out,
            "{} recorded twice",
            counted(report.repeated_changes, "register change")
        )?;
    }
    if let Some(torn) = &report.torn {
        writeln!(
            out,
            "torn tail: {} in segment {} from offset {}; being written, or left by a crash (the next start cuts it and records so)",
            counted(torn.bytes, "byte"),
            torn.segment,
            torn.offset
        )?;
    }
    if let Some(head) = report.head {
        writeln!(out, "head {head}")?;
    }
    Ok(())
}

fn tail(dir: &Path, lines: u64, follow: bool, out: &mut dyn Write) -> Result<(), Stop> {
    let mut records = reader::tail(dir, lines)?;
    loop {
        for record in &mut records {
            line::write(&record?, out)?;
        }
        if !follow {
            return Ok(());
        }
        out.flush()?;
        thread::sleep(POLL);
    }
}

/// Parses `text` for clap.
fn parsed<T: FromStr<Err = String>>(text: &str) -> Result<T, String> {
    text.parse()
}

#[cfg(test)]
mod tests;
