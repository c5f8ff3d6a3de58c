//! `basis add`.

use std::collections::BTreeSet;

use crate::{
    cli::{
        Failure,
        register::{
            Problems, Recipients, Record, Session, Terminal, as_flags, print_saved, subject, usage,
            vocabulary,
        },
    },
    model::{
        CategorySet, Day,
        consent::{BasisKind, Facet},
    },
    store::writer::{NewBasis, Whose},
};

/// Fields that the register may refuse, and the flags they come from.
const FLAGS: &[(&str, &str)] = &[("document", "--document"), ("until", "--until")];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    subject: subject::Args,
    /// It holds for everybody
    #[arg(long, conflicts_with = "subject_source")]
    everybody: bool,
    /// Kind: contract, statutory-duty, state-body-request, court, treaty, law-protective, constitutional-rights,
    /// vital-interest, legitimate-interest, public-source
    #[arg(long, value_name = "KIND")]
    kind: String,
    /// Document it rests on (its number or a file reference)
    #[arg(long, value_name = "REF")]
    document: String,
    /// Date of the document
    #[arg(long, value_name = "DAY")]
    document_date: String,
    /// What it answers: third-party, cross-border (repeatable)
    #[arg(long, value_name = "FACET", required = true)]
    facet: Vec<String>,
    /// Purpose, such as payment; a parent covers its children (repeatable)
    #[arg(long, value_name = "PURPOSE", required = true)]
    purpose: Vec<String>,
    /// Category of data, such as name or email; a parent covers its children (repeatable)
    #[arg(long, value_name = "CODE", required = true)]
    category: Vec<String>,
    #[command(flatten)]
    recipients: Recipients,
    /// Country it allows transfer to, ISO 3166-1 alpha-2 (repeatable); none = no cross-border transfer
    #[arg(long, value_name = "CODE")]
    country: Vec<String>,
    /// First day it holds [default: today]
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Last day it holds [default: without end]
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// An obligation under it is still open
    #[arg(long)]
    obligation_open: bool,
    #[command(flatten)]
    record: Record,
}

pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let mut new = basis(args, session)?;
    new.whose = whose(args, session, terminal)?;
    let saved = session
        .writer()?
        .add_basis(&new)
        .map_err(|error| as_flags(error, FLAGS))?;
    args.recipients.note_strangers(session, terminal);
    let acts_from = new.from.start(session.context.utc_offset).max(saved.at);
    let format = args.record.format;
    print_saved("basis", &saved, Some(acts_from), format, terminal)
}

fn whose(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<Option<Whose>, Failure> {
    if args.everybody {
        return Ok(None);
    }
    if !args.subject.is_given() && !terminal.is_interactive {
        return Err(usage(&[
            "--subject: say whose it is: `--subject -`, `--subject-file FILE`, or `--everybody`"
                .to_owned(),
        ]));
    }
    subject::read(&args.subject, session, terminal).map(Some)
}

/// The basis that the flags say, not yet anybody's.
fn basis(args: &Args, session: &Session<'_>) -> Result<NewBasis, Failure> {
    let mut problems = Problems::default();
    let kind: Vec<BasisKind> = problems.each("--kind", [&args.kind], |it| {
        vocabulary::parse_word("kind of basis", it, vocabulary::BASIS_KINDS)
    });
    let facets: BTreeSet<Facet> = problems
        .each("--facet", &args.facet, |it| {
            vocabulary::parse_word("facet", it, vocabulary::FACETS)
        })
        .into_iter()
        .collect();
    let known = session.context.purposes;
    let purposes = problems.each("--purpose", &args.purpose, |it| {
        vocabulary::purpose(it, known)
    });
    let categories = problems.each("--category", &args.category, vocabulary::categories);
    let countries: BTreeSet<_> = problems
        .each("--country", &args.country, vocabulary::country)
        .into_iter()
        .collect();
    let parties = args.recipients.scope();
    if parties.is_none() {
        problems.add(
            "--recipient",
            "names nobody; give `--recipient PARTY`, `--class CLASS` or `--any-recipient`",
        );
    }
    let document_date = problems.day("--document-date", Some(&args.document_date));
    let today: Day = session.now().day(session.context.utc_offset);
    let from = problems.day("--from", args.from.as_ref()).unwrap_or(today);
    let until = problems.day("--until", args.until.as_ref());
    if problems.is_empty() {
        check_countries(&facets, countries.is_empty(), &mut problems);
    }
    let (Some(kind), Some(document_date), Some(parties), true) =
        (kind.first(), document_date, parties, problems.is_empty())
    else {
        return Err(problems.failure());
    };
    Ok(NewBasis {
        id: args.record.id(),
        whose: None,
        kind: *kind,
        document: args.document.as_str().into(),
        document_date,
        facets,
        purposes: purposes.into_iter().collect(),
        categories: categories
            .into_iter()
            .fold(CategorySet::EMPTY, CategorySet::union),
        parties,
        countries,
        from,
        until,
        obligation_open: args.obligation_open,
    })
}

/// A basis for crossing a border names the countries; countries without it would open nothing.
fn check_countries(facets: &BTreeSet<Facet>, no_country: bool, problems: &mut Problems) {
    match (facets.contains(&Facet::CrossBorder), no_country) {
        (true, true) => problems.add(
            "--country",
            "`--facet cross-border` opens no country; name at least one",
        ),
        (false, false) => problems.add(
            "--facet",
            "countries count for `cross-border` only; add that facet or leave --country out",
        ),
        (true, false) | (false, true) => {}
    }
}
