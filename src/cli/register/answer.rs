//! Answers, for people and for programs.

use super::{Session, Terminal, usage, vocabulary};
use crate::{
    cli::Failure,
    model::{Timestamp, consent::RecordId},
    store::writer::Saved,
};

/// How a change is recorded and told.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Record {
    /// Id of the record; given again with the same content, nothing changes [default: a new one]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,
}

impl Record {
    pub(in crate::cli) fn id(&self) -> Option<RecordId> {
        self.id.as_deref().map(Into::into)
    }
}

/// How what is recorded is looked at.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct View {
    /// State at this instant, or at the start of this day [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::cli) format: Format,
}

impl View {
    /// The time to look at.
    ///
    /// # Errors
    /// It is neither an instant nor a day.
    pub(in crate::cli) fn at(&self, session: &Session<'_>) -> Result<Timestamp, Failure> {
        match &self.at {
            None => Ok(session.now()),
            Some(text) => vocabulary::instant(text, session.context.utc_offset)
                .map_err(|problem| usage(&[format!("--at: {problem}")])),
        }
    }
}

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
    if let Some(subject) = saved.subject.as_ref().filter(|it| it.0 != saved.id) {
        terminal.line(format_args!("subject {subject}"))?;
    }
    terminal.line(format_args!("recorded {}", saved.at))?;
    match acts_from {
        Some(at) => terminal.line(format_args!("acts from {at}")),
        None => terminal.line("has no effect: it is recorded as refused"),
    }
}
