//! `subject represent` and `subject needs-representative`.

use crate::{
    cli::{
        Failure,
        register::{
            Format, Problems, Record, Session, Terminal, as_flags, print_saved, subject, vocabulary,
        },
    },
    store::writer::NewRepresentative,
};

#[derive(Debug, clap::Args)]
pub(super) struct RepresentArgs {
    #[command(flatten)]
    subject: subject::Args,
    /// By what right: parent, guardian, attorney
    #[arg(long, value_name = "KIND")]
    kind: String,
    /// Document that gives the right (its number or a file reference)
    #[arg(long, value_name = "REF")]
    document: String,
    /// First day [default: today]
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Last day [default: without end]
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    #[command(flatten)]
    record: Record,
}

#[derive(Debug, clap::Args)]
pub(super) struct NeedsArgs {
    #[command(flatten)]
    subject: subject::Args,
    #[command(flatten)]
    term: Term,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Term {
    /// Last day on which a representative must act (the eve of a minor's 18th birthday)
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// The subject acts alone from now on
    #[arg(long)]
    no_longer: bool,
}

pub(super) fn represent(
    args: &RepresentArgs,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let offset = session.context.utc_offset;
    let mut problems = Problems::default();
    problems.each("--kind", [&args.kind], |it| {
        vocabulary::word(
            "kind of representative",
            it,
            vocabulary::REPRESENTATIVE_KINDS,
        )
        .map(drop)
    });
    if args.document.trim().is_empty() {
        problems.add(
            "--document",
            "is empty; name the document that gives the right",
        );
    }
    let from = problems
        .day("--from", args.from.as_ref())
        .unwrap_or_else(|| session.now().day(offset));
    let until = problems.day("--until", args.until.as_ref());
    problems.into_result(())?;
    let new = NewRepresentative {
        id: args.record.id(),
        whose: subject::read(&args.subject, session, terminal)?,
        kind: args.kind.as_str().into(),
        document: args.document.as_str().into(),
        from,
        until,
    };
    let saved = session
        .writer()?
        .represent(&new)
        .map_err(|error| as_flags(error, &[("until", "--until")]))?;
    let acts_from = from.start(offset).max(saved.at);
    let format = args.record.format;
    print_saved("representative", &saved, Some(acts_from), format, terminal)
}

pub(super) fn needs(
    args: &NeedsArgs,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let mut problems = Problems::default();
    let until = problems.day("--until", args.term.until.as_ref());
    let until = problems.into_result(until)?;
    let whose = subject::read(&args.subject, session, terminal)?;
    let saved = session.writer()?.require_representative(&whose, until)?;
    let what = match until {
        Some(day) => format!("representative required until {day} for subject"),
        None => "representative no longer required for subject".to_owned(),
    };
    print_saved(&what, &saved, Some(saved.at), args.format, terminal)
}
