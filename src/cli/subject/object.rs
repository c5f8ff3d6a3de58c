//! `subject object` and `subject lift`.

use crate::{
    cli::{
        Failure,
        register::{
            Format, Problems, Record, Session, Terminal, as_flags, print_saved, subject, vocabulary,
        },
    },
    model::consent::ObjectionTarget,
    store::{Error, writer::NewObjection},
};

#[derive(Debug, clap::Args)]
pub(super) struct ObjectArgs {
    #[command(flatten)]
    subject: subject::Args,
    #[command(flatten)]
    against: Against,
    /// From when, an instant or a day [default: now]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    #[command(flatten)]
    record: Record,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Against {
    /// Against the basis of this id
    #[arg(long, value_name = "ID")]
    basis: Option<String>,
    /// Against every basis of this kind, such as legitimate-interest
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct LiftArgs {
    /// Id of the objection
    id: String,
    /// Reference to the record that shows that the interest is lawful
    #[arg(long, value_name = "REF")]
    record: String,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn object(
    args: &ObjectArgs,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let mut problems = Problems::default();
    let basis = args.against.basis.as_deref();
    let against = basis
        .map(|it| ObjectionTarget::Basis(it.into()))
        .or_else(|| {
            let kind = problems.each("--kind", &args.against.kind, |it| {
                vocabulary::parse_word("kind of basis", it, vocabulary::BASIS_KINDS)
            });
            kind.into_iter().next().map(ObjectionTarget::Kind)
        });
    let from = problems.instant("--from", args.from.as_ref(), session.context.utc_offset);
    let Some(against) = problems.into_result(against)? else {
        return Err(Failure::new(
            "--basis: say against what: `--basis ID` or `--kind KIND`",
        ));
    };
    let new = NewObjection {
        id: args.record.id(),
        whose: subject::read(&args.subject, session, terminal)?,
        against,
        from,
    };
    let saved = session.writer()?.object(&new).map_err(|error| {
        let is_unknown = matches!(error, Error::UnknownSubject);
        let failure = Failure::from(error);
        if is_unknown {
            Failure::new(format!(
                "{}; register the subject first with `shekara subject link`",
                failure.text
            ))
        } else {
            failure
        }
    })?;
    let acts_from = from.map_or(saved.at, |it| it.max(saved.at));
    let format = args.record.format;
    print_saved("objection", &saved, Some(acts_from), format, terminal)
}

pub(super) fn lift(
    args: &LiftArgs,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let saved = session
        .writer()?
        .lift(&args.id, &args.record)
        .map_err(|error| as_flags(error, &[("record", "--record")]))?;
    let what = "lifted objection";
    print_saved(what, &saved, Some(saved.at), args.format, terminal)
}
