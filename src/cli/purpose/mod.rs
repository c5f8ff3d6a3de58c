//! `shekara purpose`: ends of purposes and programmes.

use super::{
    Failure,
    register::{self, Session, Terminal},
};

mod end;
mod list;
#[cfg(test)]
mod tests;

/// Records and lists ends of purposes and programmes
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
    /// Record that a purpose or programme has ended
    End(end::Args),
    /// List what has ended, for everybody or for a subject
    List(list::Args),
}

impl register::Command for Args {
    fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    fn run(&self, session: &Session<'_>, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        match &self.command {
            Command::End(args) => end::run(args, session, terminal),
            Command::List(args) => list::run(args, session, terminal),
        }
    }
}
