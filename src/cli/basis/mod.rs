//! `shekara basis`: what transfers may rest on beside consent.

use super::{
    Failure,
    register::{self, Session, Terminal},
};

mod add;
mod show;
#[cfg(test)]
mod tests;

/// Records and shows bases other than consent
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
    /// Record a basis, for a subject or for everybody
    Add(Box<add::Args>),
    /// List a subject's bases, or those of everybody, with their state
    List(show::ListArgs),
    /// Show one basis in full
    Show(show::ShowArgs),
}

impl register::Command for Args {
    fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    fn run(&self, session: &Session<'_>, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        match &self.command {
            Command::Add(args) => add::run(args, session, terminal),
            Command::List(args) => show::list(args, session, terminal),
            Command::Show(args) => show::show(args, session, terminal),
        }
    }
}
