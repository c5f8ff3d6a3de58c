//! `shekara consent`: records, withdraws, shows and moves consents.
//!
//! Identifiers of persons come from a file, standard input or a prompt without echo, never from the command line, which other
//! users of the machine and the shell's history can read.

use super::{
    Failure,
    register::{self, Session, Terminal},
};

mod export;
mod grant;
mod import;
mod show;
#[cfg(test)]
mod tests;
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

impl register::Command for Args {
    fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    fn run(&self, session: &Session<'_>, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        match &self.command {
            Command::Grant(args) => grant::run(args, session, terminal),
            Command::Withdraw(args) => withdraw::run(args, session, terminal),
            Command::List(args) => show::list(args, session, terminal),
            Command::Show(args) => show::show(args, session, terminal),
            Command::Import(args) => import::run(args, session, terminal),
            Command::Export => export::run(session, terminal),
        }
    }
}
