//! `purpose list`.

use serde_json::json;

use crate::{
    cli::{
        Failure,
        register::{Format, Session, Terminal, layout::purpose_end, subject},
    },
    store,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    subject: subject::Args,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let whose = args
        .subject
        .is_given()
        .then(|| subject::read(&args.subject, session, terminal))
        .transpose()?;
    let mut reader = session.reader()?;
    let state = reader.state()?;
    let ends = match &whose {
        Some(whose) => {
            let record = state.record(whose)?.ok_or(store::Error::UnknownSubject)?;
            record.purpose_ends
        }
        None => state.general()?.purpose_ends,
    };
    if args.format == Format::Json {
        return terminal.line(json!({ "purpose_ends": ends }));
    }
    if ends.is_empty() {
        terminal.note("Nothing has ended.");
    }
    ends.iter()
        .try_for_each(|it| terminal.line(purpose_end(it)))
}
