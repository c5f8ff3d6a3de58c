//! Where a command reads and writes.

use std::io::{self, BufRead, Write};

use crate::cli::Failure;

/// Where a command reads and writes.
pub(in crate::cli) struct Terminal<'a> {
    pub(in crate::cli) input: &'a mut dyn BufRead,
    pub(in crate::cli) output: &'a mut dyn Write,
    /// Warnings and prompts; not part of the answer.
    pub(in crate::cli) notes: &'a mut dyn Write,
    /// Somebody sits there who can be asked.
    pub(in crate::cli) is_interactive: bool,
}

impl Terminal<'_> {
    /// A line of the answer.
    pub(in crate::cli) fn line(&mut self, text: impl std::fmt::Display) -> Result<(), Failure> {
        writeln!(self.output, "{text}").map_err(|it| cannot_write(&it))
    }

    /// A line beside the answer; that nobody reads it is no failure.
    pub(in crate::cli) fn note(&mut self, text: impl std::fmt::Display) {
        let _unread = writeln!(self.notes, "{text}");
    }

    /// The end of the answer.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.output.flush().map_err(|it| cannot_write(&it))
    }
}

fn cannot_write(error: &io::Error) -> Failure {
    Failure::new(format!("cannot write the output: {}", error.kind()))
}
