//! The command line: one file a subcommand.

pub mod audit;
pub mod backup;
pub mod basis;
pub mod check;
pub mod consent;
pub mod demo;
pub mod explain;
pub mod healthcheck;
pub mod init;
pub mod plan;
pub mod purpose;
mod register;
mod report;
pub mod run;
pub mod scan;
pub mod schema;
pub mod status;
pub mod subject;
pub mod test;
pub mod text;
pub mod top;
pub mod views;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{
    ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, parser::ValueSource,
};

use crate::{
    config::{self, Configuration},
    gatekeeper::ports::{Clock as _, SystemClock},
    model::{Purpose, UtcOffset},
};

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

/// Prints a line on stdout. A reader that went away (`| head`) ends the output, not the work.
pub fn print(line: &str) {
    let _reader_gone = writeln!(io::stdout().lock(), "{line}");
}

/// Prints a document on stdout. A reader that went away (`| head`) ends the output; a disk that is full is a failure.
pub fn print_whole(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(format!(
            "standard output cannot be written: {error}"
        ))),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Lets personal data leave a company only on a recorded basis
#[derive(Debug, Parser)]
#[command(name = "shekara", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Adequacy(views::AdequacyArgs),
    Agreement(views::AgreementArgs),
    Audit(audit::Args),
    Backup(backup::Args),
    Basis(basis::Args),
    Check(check::Args),
    Consent(consent::Args),
    Demo(demo::Args),
    Destination(views::DestinationArgs),
    Explain(explain::Args),
    Healthcheck(healthcheck::Args),
    Init(init::Args),
    Notification(views::NotificationArgs),
    Plan(plan::Args),
    Purpose(purpose::Args),
    Restore(backup::RestoreArgs),
    Run(run::Args),
    Scan(scan::Args),
    Schema(schema::Args),
    Status(status::Args),
    Subject(subject::Args),
    Text(text::Args),
    Test(test::Args),
    Top(top::Args),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let Cli { common, command } = match Cli::from_arg_matches(&matches) {
        Ok(it) => it,
        Err(wrong) => wrong.exit(),
    };
    let outcome = refuse_unread(&command, &matches).and_then(|()| dispatch(command, &common));
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            let named =
                failure.text.starts_with("error: ") || failure.text.starts_with("warning: ");
            let prefix = if named { "" } else { "error: " };
            let _nobody_reads =
                writeln!(io::stderr().lock(), "{prefix}{}", failure.text.trim_end());
            ExitCode::from(failure.code)
        }
    }
}

/// Refuses an option that the command line gives to a subcommand that would not look at it. The environment is for all of them.
fn refuse_unread(command: &Command, matches: &ArgMatches) -> Result<(), Failure> {
    let why = if matches!(command, Command::Demo(_)) {
        "makes a configuration and a state of its own"
    } else if matches!(command, Command::Scan(_)) {
        "lists all findings with their confidence; `shekara explain --config FILE` says which act at a destination"
    } else if matches!(command, Command::Test(_)) {
        "takes the configuration that each suite names, and registers that it writes down"
    } else {
        return Ok(());
    };
    let is_given = |it: &&str| matches.value_source(it) == Some(ValueSource::CommandLine);
    let (Some(option), Some(name)) = (
        ["config", "state"].into_iter().find(is_given),
        matches.subcommand_name(),
    ) else {
        return Ok(());
    };
    Err(Failure {
        text: format!("{name} does not read --{option}: it {why}"),
        code: 2,
    })
}

fn dispatch(command: Command, common: &Common) -> Outcome {
    match command {
        Command::Adequacy(args) => views::run(&views::Args::Adequacy(&args), common),
        Command::Agreement(args) => views::run(&views::Args::Agreement(&args), common),
        Command::Audit(args) => audit::run(args, &place(common)?.audit_dir),
        Command::Backup(args) => place(common)?.register(&args),
        Command::Basis(args) => place(common)?.register(&args),
        Command::Check(args) => check::run(&args, common),
        Command::Consent(args) => place(common)?.register(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Explain(args) => explain::run(args, common),
        Command::Healthcheck(args) => healthcheck::run(&args, common),
        Command::Destination(args) => views::run(&views::Args::Destination(&args), common),
        Command::Init(args) => init::run(&args, common),
        Command::Notification(args) => views::run(&views::Args::Notification(&args), common),
        Command::Purpose(args) => place(common)?.register(&args),
        Command::Plan(args) => plan::run(&args, common),
        Command::Restore(args) => backup::restore(&args, || Ok(place(common)?.state)),
        Command::Run(args) => run::run(args, common),
        Command::Scan(args) => scan::run(args),
        Command::Schema(args) => schema::run(&args, common),
        Command::Status(args) => status::run(&args, common),
        Command::Subject(args) => place(common)?.register(&args),
        Command::Text(args) => place(common)?.register(&args),
        Command::Test(args) => test::run(&args),
        Command::Top(args) => top::run(&args, &place(common)?.audit_dir),
    }
}

/// The configuration that the common options name, with their state directory.
fn configured(common: &Common) -> Result<Configuration, Failure> {
    let path = config::discover(common.config.as_deref()).map_err(Failure::new)?;
    let loaded =
        config::load(&path, SystemClock.now()).map_err(|it| Failure::new(it.to_string()))?;
    let configuration = loaded.configuration;
    Ok(match &common.state {
        Some(dir) => configuration.with_state_dir(dir.clone()),
        None => configuration,
    })
}

/// What commands beside the gate need of its configuration.
struct Place {
    state: PathBuf,
    audit_dir: PathBuf,
    configuration: Option<Configuration>,
}

impl Place {
    /// A command on the registers, with the operator, offset and purposes that the configuration names.
    fn register(&self, command: &impl register::Command) -> Outcome {
        let operator = self.configuration.as_ref().map(|it| &it.operator);
        let purposes: Vec<Purpose> = self
            .configuration
            .iter()
            .flat_map(Configuration::purposes)
            .collect();
        register::run(
            command,
            &register::Context {
                state_dir: &self.state,
                operator_bin: operator.map(|it| &*it.bin),
                utc_offset: operator.map_or_else(UtcOffset::default, |it| it.utc_offset),
                purposes: &purposes,
                audit_dir: &self.audit_dir,
                configuration: self.configuration.as_ref(),
            },
        )
    }
}

/// Where the state is: with `--state`, also when the configuration is absent or broken; else the configuration says it.
fn place(common: &Common) -> Result<Place, Failure> {
    let loaded = config::discover(common.config.as_deref()).and_then(|path| {
        config::load(&path, SystemClock.now()).map_err(|problems| problems.to_string())
    });
    let configuration = match loaded {
        Ok(loaded) => Some(loaded.configuration),
        Err(_) if common.state.is_some() => None,
        Err(text) => {
            let way_out = "note: with --state DIR this command works without the configuration";
            return Err(Failure::new(format!("{}\n{way_out}", text.trim_end())));
        }
    };
    let state = common
        .state
        .clone()
        .or_else(|| configuration.as_ref().map(|it| it.store.dir.clone()));
    let state = state.ok_or_else(|| Failure::new("say where the state is: --config or --state"))?;
    Ok(Place {
        audit_dir: state.join("audit"),
        state,
        configuration,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said to a command line; nothing if it may run.
    fn refusal(line: &str) -> Option<String> {
        let words = ["shekara"].into_iter().chain(line.split(' '));
        let matches = Cli::command().try_get_matches_from(words).unwrap();
        let command = Cli::from_arg_matches(&matches).unwrap().command;
        let refused = refuse_unread(&command, &matches).err()?;
        assert_eq!(refused.code, 2);
        Some(refused.text)
    }

    #[test]
    fn an_option_that_nothing_reads_is_refused() {
        for (line, wanted) in [
            (
                "scan --config a.yaml b.json",
                "scan does not read --config: it lists all findings",
            ),
            ("--config a.yaml scan b.json", "scan does not read --config"),
            ("scan --state d b.json", "scan does not read --state"),
            ("demo -c a.yaml", "demo does not read --config: it makes"),
            (
                "test --state d cases",
                "test does not read --state: it takes",
            ),
        ] {
            let text = refusal(line).unwrap_or_default();
            assert!(text.starts_with(wanted), "{line}: {text}");
        }
        for line in [
            "scan b.json",
            "check --config a.yaml",
            "audit verify --state d",
        ] {
            assert_eq!(refusal(line), None, "{line}");
        }
    }
}
