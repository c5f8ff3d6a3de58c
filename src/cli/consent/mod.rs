//! `shekara consent`: records, withdraws, shows and moves consents.
//!
//! Identifiers of persons come from a file, standard input or a prompt without echo, never from the command line, which other
//! users of the machine and the shell's history can read.

use std::{
    io::{self, BufRead, IsTerminal as _, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use super::{Failure, Outcome};
use crate::{
    gatekeeper::{
        keys::Keys,
        ports::{Clock, SystemClock},
    },
    model::{Purpose, Timestamp, UtcOffset, consent::RecordId},
    store::{self, Reader, Settings, Writer, writer::Saved},
};

mod export;
mod grant;
mod import;
mod show;
pub(super) mod state;
pub(super) mod subject;
#[cfg(test)]
mod tests;
pub(super) mod vocabulary;
mod withdraw;

/// Records, withdraws, shows, imports and exports consents
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Who records this [default: the system user]
    #[arg(long, global = true, value_name = "NAME")]
    by: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Record a consent
    Grant(Box<grant::Args>),
    /// Record a withdrawal; it acts at once
    Withdraw(Box<withdraw::Args>),
    /// List a subject's consents with their state
    List(show::ListArgs),
    /// Show one consent, or all of a subject, in full
    Show(show::ShowArgs),
    /// Import consents from NDJSON, all or none
    Import(import::Args),
    /// Export all consents as NDJSON, without identifiers in clear
    Export,
}

/// What the configuration says that these commands need.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Directory of the registers and keys.
    pub state_dir: &'a Path,
    /// BIN of the operator, for consents that do not name one.
    pub operator_bin: Option<&'a str>,
    /// For the ends of days.
    pub utc_offset: UtcOffset,
    /// Purposes of the routes and the profile, known beside the built-in ones.
    pub purposes: &'a [Purpose],
}

/// Runs the subcommand on the process's standard streams.
///
/// # Errors
/// Code 2 for flags and input that cannot be right, 1 for everything else. Every problem names its flag or line and the mend.
pub fn run(args: &Args, context: &Context<'_>) -> Outcome {
    let stdin = io::stdin();
    let is_interactive = stdin.is_terminal();
    let mut terminal = Terminal {
        input: &mut stdin.lock(),
        output: &mut io::stdout().lock(),
        notes: &mut io::stderr().lock(),
        is_interactive,
    };
    run_on(args, context, &mut terminal, Arc::new(SystemClock))
}

/// Where a command reads and writes.
pub(super) struct Terminal<'a> {
    pub(super) input: &'a mut dyn BufRead,
    pub(super) output: &'a mut dyn Write,
    /// Warnings and prompts; not part of the answer.
    pub(super) notes: &'a mut dyn Write,
    /// Somebody sits there who can be asked.
    pub(super) is_interactive: bool,
}

impl Terminal<'_> {
    /// A line of the answer.
    pub(super) fn line(&mut self, text: impl std::fmt::Display) -> Result<(), Failure> {
        writeln!(self.output, "{text}").map_err(|it| cannot_write(&it))
    }

    /// A line beside the answer; that nobody reads it is no failure.
    pub(super) fn note(&mut self, text: impl std::fmt::Display) {
        let _unread = writeln!(self.notes, "{text}");
    }
}

/// Registers, keys and time of one run.
pub(super) struct Session<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) settings: Settings,
    pub(super) keys: Keys,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) by: Arc<str>,
}

impl Session<'_> {
    fn writer(&self) -> Result<Writer, Failure> {
        Ok(Writer::open(
            &self.settings,
            Arc::clone(&self.clock),
            Arc::clone(&self.by),
        )?)
    }

    pub(super) fn reader(&self) -> Result<Reader, Failure> {
        Ok(Reader::open(&self.settings)?)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

fn run_on(
    args: &Args,
    context: &Context<'_>,
    terminal: &mut Terminal<'_>,
    clock: Arc<dyn Clock>,
) -> Outcome {
    let settings = Settings {
        dir: context.state_dir.to_owned(),
    };
    let keys = store::keys::open_or_create(context.state_dir)?;
    for warning in settings.permission_warnings() {
        terminal.note(format_args!("warning: {warning}"));
    }
    let session = Session {
        context,
        settings,
        keys,
        clock,
        by: args.by.as_deref().map_or_else(system_user, Into::into),
    };
    match &args.command {
        Command::Grant(args) => grant::run(args, &session, terminal),
        Command::Withdraw(args) => withdraw::run(args, &session, terminal),
        Command::List(args) => show::list(args, &session, terminal),
        Command::Show(args) => show::show(args, &session, terminal),
        Command::Import(args) => import::run(args, &session, terminal),
        Command::Export => export::run(&session, terminal),
    }?;
    terminal.output.flush().map_err(|it| cannot_write(&it))?;
    Ok(ExitCode::SUCCESS)
}

/// `cli:name`, or `cli:uid-1000` where the environment does not say.
pub(super) fn system_user() -> Arc<str> {
    std::env::var("USER").map_or_else(
        |_| format!("cli:uid-{}", rustix::process::getuid().as_raw()).into(),
        |it| format!("cli:{it}").into(),
    )
}

fn record_id(text: Option<&String>) -> Option<RecordId> {
    text.map(|it| it.as_str().into())
}

/// Flags or input that cannot be right: all problems, one a line, exit code 2.
pub(super) fn usage(problems: &[String]) -> Failure {
    Failure {
        text: problems.join("\n"),
        code: 2,
    }
}

pub(super) fn cannot_write(error: &io::Error) -> Failure {
    Failure::new(format!("cannot write the output: {}", error.kind()))
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One JSON object
    Json,
    /// For people
    Text,
}

/// Says what was recorded. `acts_from`: `None` = without effect.
fn print_saved(
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

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::new(error.to_string())
    }
}
