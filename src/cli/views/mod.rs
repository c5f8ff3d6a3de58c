//! The configuration as registers: destinations (the record of processing), agreements, assessments, notifications.
//!
//! Everything is read from the configuration file alone; what has ended, or ends within 30 days, is marked.

mod adequacy;
mod agreement;
mod destination;
mod notification;
#[cfg(test)]
mod tests;

use std::{io::Write, process::ExitCode};

use serde_json::{Value, json};

use super::{
    Common, Failure, Outcome,
    audit::line::Printable,
    report::texts::{Lang, Wording},
};
use crate::{
    config::{self, Configuration, expiry::Standing},
    gatekeeper::ports::{Clock as _, SystemClock},
    model::{Day, Timestamp},
};

/// Lists and shows destinations: who receives what, where and on what terms
#[derive(Debug, clap::Args)]
pub struct DestinationArgs {
    #[command(subcommand)]
    command: DestinationCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DestinationCommand {
    /// All destinations, one a line
    List(View),
    /// One destination, whole
    Show {
        /// Id of the destination
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        view: View,
    },
}

/// Lists the agreements with recipients
#[derive(Debug, clap::Args)]
pub struct AgreementArgs {
    #[command(subcommand)]
    command: ListCommand,
}

/// Lists the operator's assessments of countries
#[derive(Debug, clap::Args)]
pub struct AdequacyArgs {
    #[command(subcommand)]
    command: ListCommand,
}

/// Lists the notifications of authorities
#[derive(Debug, clap::Args)]
pub struct NotificationArgs {
    #[command(subcommand)]
    command: ListCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ListCommand {
    /// All of them, one a line
    List(View),
}

#[derive(Debug, Clone, Copy, clap::Args)]
struct View {
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Language of labels in text; JSON holds codes in any
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One JSON document
    Json,
    /// For terminals
    Text,
}

/// Which register.
#[derive(Debug)]
pub enum Args<'a> {
    /// `adequacy`
    Adequacy(&'a AdequacyArgs),
    /// `agreement`
    Agreement(&'a AgreementArgs),
    /// `destination`
    Destination(&'a DestinationArgs),
    /// `notification`
    Notification(&'a NotificationArgs),
}

/// Prints a register.
///
/// # Errors
/// The configuration has problems, or the id is unknown.
pub fn run(args: &Args<'_>, common: &Common) -> Outcome {
    let path = config::discover(common.config.as_deref()).map_err(Failure::new)?;
    let now = SystemClock.now();
    let loaded = config::load(&path, now).map_err(|it| Failure::new(it.to_string()))?;
    let text = answer(args, &loaded.configuration, now)?;
    writeln!(std::io::stdout().lock(), "{}", text.trim_end())
        .map_err(|it| Failure::new(format!("cannot write the output: {it}")))?;
    Ok(ExitCode::SUCCESS)
}

fn answer(
    args: &Args<'_>,
    configuration: &Configuration,
    now: Timestamp,
) -> Result<String, Failure> {
    let book = |view: &View| Book {
        configuration,
        now,
        wording: Wording(view.lang),
    };
    Ok(match args {
        Args::Adequacy(AdequacyArgs {
            command: ListCommand::List(view),
        }) => adequacy::list(&book(view)).render(view.format),
        Args::Agreement(AgreementArgs {
            command: ListCommand::List(view),
        }) => agreement::list(&book(view)).render(view.format),
        Args::Notification(NotificationArgs {
            command: ListCommand::List(view),
        }) => notification::list(&book(view)).render(view.format),
        Args::Destination(DestinationArgs { command }) => match command {
            DestinationCommand::List(view) => destination::list(&book(view)).render(view.format),
            DestinationCommand::Show { id, view } => {
                destination::show(&book(view), id, view.format)?
            }
        },
    })
}

/// The configuration at a time, in a language.
struct Book<'a> {
    configuration: &'a Configuration,
    now: Timestamp,
    wording: Wording,
}

impl Book<'_> {
    fn standing(&self, until: Option<Day>) -> Standing {
        Standing::of(until, self.configuration.operator.utc_offset, self.now)
    }

    /// A last day with its mark: `2026-12-01 (expires soon)`.
    fn end(&self, until: Option<Day>) -> String {
        let day = until.map_or_else(|| "-".to_owned(), |it| it.to_string());
        match self.standing(until) {
            Standing::Expired => format!("{day} (EXPIRED)"),
            Standing::ExpiresSoon => format!("{day} (expires soon)"),
            Standing::Holds => day,
        }
    }

    /// The mark in JSON.
    fn mark(&self, until: Option<Day>) -> &'static str {
        match self.standing(until) {
            Standing::Expired => "expired",
            Standing::ExpiresSoon => "expires-soon",
            Standing::Holds => "holds",
        }
    }
}

/// Rows for a terminal beside the same as JSON.
struct Listing<const N: usize> {
    head: [&'static str; N],
    rows: Vec<([String; N], Value)>,
}

impl<const N: usize> Listing<N> {
    fn render(self, format: Format) -> String {
        if format == Format::Json {
            let all: Vec<Value> = self.rows.into_iter().map(|it| it.1).collect();
            return format!("{:#}", json!(all));
        }
        let head = self.head.map(str::to_owned);
        let rows: Vec<[String; N]> = std::iter::once(head)
            .chain(self.rows.into_iter().map(|it| it.0))
            .map(|row| row.map(|it| Printable(&it).to_string()))
            .collect();
        columns(&rows)
    }
}

/// Rows with aligned columns; the last one is not padded.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn join<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = values.into_iter().map(|it| it.to_string()).collect();
    if all.is_empty() {
        "-".to_owned()
    } else {
        all.join(",")
    }
}
