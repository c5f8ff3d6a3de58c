//! One run of a command on the registers.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use super::Terminal;
use crate::{
    cli::{Failure, Outcome},
    config::Configuration,
    gatekeeper::{
        keys::Keys,
        ports::{Clock, SystemClock},
    },
    model::{Purpose, Timestamp, UtcOffset},
    store::{self, Reader, Settings, Writer},
};

/// A command on the registers, as its flags were read.
pub(in crate::cli) trait Command {
    /// Who gives it, where the flags say so.
    fn by(&self) -> Option<&str>;

    /// Does the work.
    ///
    /// # Errors
    /// Code 2 for flags and input that cannot be right, 1 for everything else. Every problem names its flag or line and the
    /// mend.
    fn run(&self, session: &Session<'_>, terminal: &mut Terminal<'_>) -> Result<(), Failure>;
}

/// What the configuration says that these commands need.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Context<'a> {
    /// Directory of the registers and keys.
    pub(in crate::cli) state_dir: &'a Path,
    /// BIN of the operator, for consents that do not name one.
    pub(in crate::cli) operator_bin: Option<&'a str>,
    /// For the ends of days.
    pub(in crate::cli) utc_offset: UtcOffset,
    /// Purposes of the routes and the profile, known beside the built-in ones.
    pub(in crate::cli) purposes: &'a [Purpose],
    /// Directory of the audit log, for what is reported of it.
    pub(in crate::cli) audit_dir: &'a Path,
    /// The configuration, where there is one.
    pub(in crate::cli) configuration: Option<&'a Configuration>,
}

/// Registers, keys and time of one run.
pub(in crate::cli) struct Session<'a> {
    pub(in crate::cli) context: &'a Context<'a>,
    pub(in crate::cli) keys: Keys,
    settings: Settings,
    clock: Arc<dyn Clock>,
    by: Arc<str>,
}

impl Session<'_> {
    pub(in crate::cli) fn writer(&self) -> Result<Writer, Failure> {
        Ok(Writer::open(
            &self.settings,
            Arc::clone(&self.clock),
            Arc::clone(&self.by),
        )?)
    }

    pub(in crate::cli) fn reader(&self) -> Result<Reader, Failure> {
        Ok(Reader::open(&self.settings)?)
    }

    /// Who gives the command.
    pub(in crate::cli) fn by(&self) -> &str {
        &self.by
    }

    pub(in crate::cli) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Runs `command` on the process's standard streams.
pub(in crate::cli) fn run(command: &impl Command, context: &Context<'_>) -> Outcome {
    let stdin = io::stdin();
    let is_interactive = stdin.is_terminal();
    let mut terminal = Terminal {
        input: &mut stdin.lock(),
        output: &mut io::stdout().lock(),
        notes: &mut io::stderr().lock(),
        is_interactive,
    };
    run_on(command, context, &mut terminal, Arc::new(SystemClock))
}

/// Runs `command` on `terminal` by `clock`.
pub(in crate::cli) fn run_on(
    command: &impl Command,
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
        keys,
        settings,
        clock,
        by: command.by().map_or_else(system_user, Into::into),
    };
    command.run(&session, terminal)?;
    terminal.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// `cli:name`, or `cli:uid-1000` where the environment does not say.
pub(in crate::cli) fn system_user() -> Arc<str> {
    std::env::var("USER").map_or_else(
        |_| format!("cli:uid-{}", rustix::process::getuid().as_raw()).into(),
        |it| format!("cli:{it}").into(),
    )
}
