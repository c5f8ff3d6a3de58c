//! Answers, for people and for programs.

use super::Terminal;
use crate::{cli::Failure, model::Timestamp, store::writer::Saved};

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Format {
    /// One JSON object
    Json,
    /// For people
    Text,
}

/// Says what was recorded. `acts_from`: `None` = without effect.
pub(in crate::cli) fn print_saved(
    what: &str,
    saved: &Saved,
    acts_from: Option<Timestamp>,
    format: Format,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    if format == Format::Json {
        return terminal.line(serde_json::json!({
            "id": saved.id,
            "subject": saved.subject,
            "recorded": saved.at,
            "acts_from": acts_from,
            "repeated": saved.repeated,
        }));
    }
    let again = if saved.repeated {
        " (was recorded before; nothing changed)"
    } else {
        ""
    };
    terminal.line(format_args!("{what} {}{again}", saved.id))?;
    if let Some(subject) = &saved.subject {
        terminal.line(format_args!("subject {subject}"))?;
    }
    terminal.line(format_args!("recorded {}", saved.at))?;
    match acts_from {
        Some(at) => terminal.line(format_args!("acts from {at}")),
        None => terminal.line("has no effect: it is recorded as refused"),
    }
}
