//! `subject link`.

use std::path::PathBuf;

use crate::{
    cli::{
        Failure,
        register::{Format, Session, Terminal, as_flags, print_saved, subject, usage},
    },
    model::Sensitive,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    subject: subject::Args,
    /// `-`: read the identifiers to add from standard input, in the form of --subject. Asked for without echo if left out on a
    /// terminal
    #[arg(long, value_name = "-", value_parser = subject::hidden)]
    add: Option<Sensitive<String>>,
    /// Read the identifiers to add from FILE
    #[arg(long, value_name = "FILE", conflicts_with = "add")]
    add_file: Option<PathBuf>,
    /// Others have them too (a family phone): they decide who it is only together with others
    #[arg(long)]
    shared: bool,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    if args.subject.takes_input() && args.add.is_some() {
        return Err(usage(&[
            "--add: standard input is read for --subject already; give `--add-file FILE`"
                .to_owned(),
        ]));
    }
    let whose = subject::read(&args.subject, session, terminal)?;
    let source = subject::Source {
        flag: "--add",
        dash: args.add.as_ref(),
        file: args.add_file.as_deref(),
    };
    let added = subject::references(&source.read(terminal)?, session);
    let saved = session
        .writer()?
        .link(&whose, &added, args.shared)
        .map_err(|error| as_flags(error, &[("identifiers", "--add")]))?;
    let what = "linked identifiers of subject";
    print_saved(what, &saved, Some(saved.at), args.format, terminal)
}
