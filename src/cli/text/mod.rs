//! `shekara text`: versions of the texts that subjects consent to.

use super::{
    Failure,
    register::{self, Session, Terminal},
};

mod add;
mod list;
#[cfg(test)]
mod tests;

/// Registers and lists the texts that subjects consent to
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
    /// Register a version of a text by its hash
    Add(add::Args),
    /// List all versions
    List(list::Args),
}

impl register::Command for Args {
    fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    fn run(&self, session: &Session<'_>, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        match &self.command {
            Command::Add(args) => add::run(args, session, terminal),
            Command::List(args) => list::run(args, session, terminal),
        }
    }
}
