//! `audit export`: decisions as NDJSON or CSV.

use std::{
    io::{self, Write},
    path::Path,
};

use super::{Stop, parsed, show};
use crate::{
    audit::{Record, Records},
    gatekeeper::record::{AuditEvent, Decided},
    model::{Timestamp, decision::Verdict},
};

const COLUMNS: &str = "sequence,id,at,caller,destination,recipient,country,purpose,verdict,would_be,reasons,persons,categories,bytes_in,digest";

/// Which decisions, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Not before this instant (RFC 3339)
    #[arg(long, value_parser = parsed::<Timestamp>)]
    pub(super) from: Option<Timestamp>,
    /// Before this instant (RFC 3339)
    #[arg(long, value_parser = parsed::<Timestamp>)]
    pub(super) to: Option<Timestamp>,
    /// Of this destination
    #[arg(long, value_name = "ID")]
    pub(super) destination: Option<String>,
    /// With this verdict
    #[arg(long, value_enum)]
    pub(super) verdict: Option<VerdictName>,
    /// ndjson holds whole records, csv a row each
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    pub(super) format: Format,
}

/// A verdict, as an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum VerdictName {
    Allow,
    Reduce,
    Block,
}

/// Form of the export.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(super) enum Format {
    Ndjson,
    Csv,
}

impl Args {
    fn takes(&self, decided: &Decided) -> bool {
        let verdict = match decided.decision.verdict {
            Verdict::Allow => VerdictName::Allow,
            Verdict::Reduce => VerdictName::Reduce,
            Verdict::Block => VerdictName::Block,
        };
        self.from.is_none_or(|it| decided.at >= it)
            && self.to.is_none_or(|it| decided.at < it)
            && self
                .destination
                .as_deref()
                .is_none_or(|it| *decided.transfer.destination == *it)
            && self.verdict.is_none_or(|it| it == verdict)
    }
}

/// Writes the decisions that `args` asks for.
pub(super) fn export(dir: &Path, args: &Args, out: &mut dyn Write) -> Result<(), Stop> {
    if args.format == Format::Csv {
        writeln!(out, "{COLUMNS}")?;
    }
    for record in Records::open(dir, 0)? {
        let record = record?;
        let AuditEvent::Decided(decided) = &record.event else {
            continue;
        };
        if !args.takes(decided) {
            continue;
        }
        match args.format {
            Format::Ndjson => {
                serde_json::to_writer(&mut *out, &show::value(&record)).map_err(io::Error::from)?;
                writeln!(out)?;
            }
            Format::Csv => writeln!(out, "{}", row(&record, decided))?,
        }
    }
    Ok(())
}

fn row(record: &Record, it: &Decided) -> String {
    let reasons: Vec<&str> = it
        .decision
        .reasons
        .iter()
        .map(|it| it.code.as_str())
        .collect();
    let mut categories: Vec<&str> = it
        .transfer
        .persons
        .iter()
        .flat_map(|it| it.categories.iter())
        .map(|it| it.code())
        .collect();
    categories.sort_unstable();
    categories.dedup();
    let recipient = it.recipient.as_ref();
    let cells = [
        record.sequence.to_string(),
        it.id.to_string(),
        it.at.to_string(),
        it.caller.to_string(),
        it.transfer.destination.to_string(),
        recipient.map_or_else(String::new, |it| it.party.to_string()),
        recipient.map_or_else(String::new, |it| it.country.to_string()),
        it.transfer
            .purpose
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
        it.decision.verdict.as_str().to_owned(),
        it.decision.would_be.as_str().to_owned(),
        reasons.join(" "),
        it.transfer.persons.len().to_string(),
        categories.join(" "),
        it.bytes_in.to_string(),
        it.leaves
            .as_ref()
            .map_or_else(String::new, |it| it.digest.clone()),
    ];
    cells.map(|it| cell(&it)).join(",")
}

/// RFC 4180, and a quote before what a spreadsheet would take for a formula.
pub(super) fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}
