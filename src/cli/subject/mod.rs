//! `shekara subject`: identifiers, restrictions, objections and representatives of persons.

use super::{
    Failure,
    register::{self, Session, Terminal},
    report,
};

mod link;
mod object;
mod represent;
mod restrict;
mod show;
#[cfg(test)]
mod tests;

/// Links, restricts, represents and shows persons
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
    /// Register further identifiers of a subject
    Link(link::Args),
    /// Restrict ("block") a subject: nothing leaves but for the allowed purposes
    Restrict(restrict::RestrictArgs),
    /// End a restriction
    Release(restrict::ReleaseArgs),
    /// Record an objection; what it is against is suspended until it is lifted
    Object(object::ObjectArgs),
    /// Lift an objection, on a record that shows that the interest is lawful
    Lift(object::LiftArgs),
    /// Record the authority of a representative
    Represent(represent::RepresentArgs),
    /// Record until when a representative must act for the subject
    NeedsRepresentative(represent::NeedsArgs),
    /// Say who received what of a person's data, when, where, why and on what basis
    Report(Box<report::Args>),
    /// Show everything on record about a subject, without identifiers
    Show(show::Args),
}

impl register::Command for Args {
    fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    fn run(&self, session: &Session<'_>, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        match &self.command {
            Command::Link(args) => link::run(args, session, terminal),
            Command::Restrict(args) => restrict::restrict(args, session, terminal),
            Command::Release(args) => restrict::release(args, session, terminal),
            Command::Object(args) => object::object(args, session, terminal),
            Command::Lift(args) => object::lift(args, session, terminal),
            Command::Represent(args) => represent::represent(args, session, terminal),
            Command::NeedsRepresentative(args) => represent::needs(args, session, terminal),
            Command::Report(args) => report::run(args, session, terminal),
            Command::Show(args) => show::run(args, session, terminal),
        }
    }
}
