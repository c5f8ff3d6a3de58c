//! `text list`.

use serde_json::json;

use crate::cli::{
    Failure,
    register::{Format, Session, Terminal, layout::columns},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let mut reader = session.reader()?;
    let texts = reader.state()?.texts()?;
    if args.format == Format::Json {
        return terminal.line(json!({ "texts": texts }));
    }
    let head = ["TEXT", "VERSION", "LOCALE", "FROM", "UNTIL", "SHA-256"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(texts.iter().map(|it| {
        [
            it.text.to_string(),
            it.version.to_string(),
            it.locale.to_string(),
            it.from.to_string(),
            it.until
                .map_or_else(|| "none".to_owned(), |day| day.to_string()),
            it.sha256.to_string(),
        ]
    }));
    terminal.line(columns(&rows).trim_end())
}
