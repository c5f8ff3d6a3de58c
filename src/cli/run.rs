//! `shekara run`: the gate itself.

use std::{path::PathBuf, process::ExitCode};

use super::{Common, Failure, Outcome};
use crate::{
    app::{self, Options},
    config, telemetry,
};

/// Serves: screens outbound requests until SIGTERM; SIGHUP reloads the configuration
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write the bound addresses here, as JSON, once everything listens
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Start although the registers are older than the audit log says; changes between them are forgotten
    #[arg(long)]
    accept_older_registers: bool,
}

/// Serves until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// The configuration has problems, or something cannot be opened or bound.
pub fn run(args: Args, common: &Common) -> Outcome {
    let options = Options {
        config: config::discover(common.config.as_deref()).map_err(Failure::new)?,
        state: common.state.clone(),
        ready_file: args.ready_file,
        accept_older_registers: args.accept_older_registers,
    };
    harden();
    let start = options.load().map_err(Failure::new)?;
    telemetry::log::start(&start.configuration().telemetry).map_err(Failure::new)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|it| Failure::new(format!("cannot start: {it}")))?;
    runtime
        .block_on(app::run(options, start))
        .map_err(Failure::new)?;
    Ok(ExitCode::SUCCESS)
}

/// Leaves no core dump and lets no other process of the same user read the memory: it holds personal data and keys. What cannot be
/// set here is no reason not to serve: a container may forbid it, and the unit file says it too.
fn harden() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _forbidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _forbidden = setrlimit(Resource::Core, none);
}
