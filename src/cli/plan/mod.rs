//! `shekara plan`: what another configuration would have done with the transfers on record.
//!
//! Who somebody was is taken from the registers, everything else that they held from the changes in the audit log: only there is
//! it kept as it was at the time of each decision (see [`history`](crate::gatekeeper::history)).

mod past;
mod report;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::ValueEnum;

use self::{past::Past, report::Report};
use super::{Common, Failure, Outcome, configured};
use crate::{
    audit, config,
    config::Configuration,
    gatekeeper::{
        destination::Destination,
        ports::{Clock as _, SystemClock},
        record::Decided,
        replay::{Replayed, Unreplayable, replay},
    },
    model::{
        Timestamp,
        evidence::Evidence,
        finding::{Confidence, Threshold},
    },
    policy::Policy,
};

/// Exit code when a decision would be another.
const FLIPS: u8 = 3;
/// Exit code when the log does not hold together.
const TAMPERED: u8 = 4;

/// Says which recorded decisions another configuration would make differently; nothing is sent, nothing is recorded
///
/// Every decision is made again on its recorded facts and on what the registers held then. Messages are not kept, so what was
/// found in them is taken as found; what the record does not decide is counted, never guessed.
///
/// Exit code 0: every decision that can be made again stays; 3: some would be others; 1: it could not be planned; 4: the audit
/// log does not hold together.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration to try
    #[arg(long, value_name = "FILE")]
    against: PathBuf,
    /// Decisions not before this instant (RFC 3339)
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Decisions before this instant (RFC 3339)
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// Decisions about this destination
    #[arg(long, value_name = "ID")]
    destination: Option<String>,
    /// Name the decisions, not only their number
    #[arg(long)]
    list: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// One JSON document
    Json,
    /// For terminals
    #[default]
    Text,
}

impl Args {
    fn takes(&self, decided: &Decided) -> bool {
        let destination = self.destination.as_deref();
        self.from.is_none_or(|it| decided.at >= it)
            && self.to.is_none_or(|it| decided.at < it)
            && destination.is_none_or(|it| *decided.transfer.destination == *it)
    }
}

/// Exit code 0: no decision flips; 3: some do.
///
/// # Errors
/// A configuration, the log or the registers cannot be used.
pub fn run(args: &Args, common: &Common) -> Outcome {
    let present = configured(common)?;
    let new = config::load(&args.against, SystemClock.now())
        .map_err(|it| Failure::new(it.to_string()))?
        .configuration;
    let report = plan(args, &present, &new)?;
    let text = match args.format {
        Format::Json => format!("{:#}", report.to_json()),
        Format::Text => report.to_text(&args.against.display().to_string()),
    };
    super::print_whole(text.trim_end())?;
    Ok(if report.flips() {
        ExitCode::from(FLIPS)
    } else {
        ExitCode::SUCCESS
    })
}

/// Replays what `args` asks for against `new`. Costs three passes over the log, and a decision for each record.
fn plan(args: &Args, present: &Configuration, new: &Configuration) -> Result<Report, Failure> {
    let past = Past::read(args, present)?;
    let (present, new) = (Side::new(present), Side::new(new));
    let mut report = Report::new(args.list);
    past.for_each(args, &present.configuration.audit.dir, |decided| {
        report.count(present.has_made(decided));
        match again(decided, &past, &present, &new) {
            Ok(replayed) => report.take(decided, &replayed),
            Err(why) => report.miss(decided, why),
        }
    })?;
    Ok(report)
}

/// A configuration as far as deciding needs it.
struct Side<'a> {
    configuration: &'a Configuration,
    policy: Policy,
}

impl<'a> Side<'a> {
    fn new(configuration: &'a Configuration) -> Self {
        let reasons = Arc::clone(&configuration.reasons);
        Self {
            configuration,
            policy: Policy::new(configuration.operator.clone(), reasons),
        }
    }

    fn destination(&self, id: &str) -> Option<&'a Destination> {
        let mut all = self.configuration.destinations.iter();
        all.find(|it| &*it.facts.id == id).map(|it| &**it)
    }

    /// Whether this configuration, in this program, made the decision.
    fn has_made(&self, decided: &Decided) -> bool {
        let versions = &decided.versions;
        versions.config == self.configuration.version
            && versions.data == self.configuration.data_versions
            && versions.program == env!("CARGO_PKG_VERSION")
    }
}

/// Makes `decided` again under `new`. What `present` has made must come out under `present` as it is on record: a decision is a
/// function of its arguments, so where it does not, one of them is not what it was.
fn again(
    decided: &Decided,
    past: &Past,
    present: &Side<'_>,
    new: &Side<'_>,
) -> Result<Replayed, Unreplayable> {
    let evidence = past.evidence(decided)?;
    let id = &decided.transfer.destination;
    let mut confidence_was = None;
    let next = new.destination(id);
    if present.has_made(decided) {
        let destination = present.destination(id);
        if acts_otherwise(decided, destination, next) {
            return Err(Unreplayable::Confidence);
        }
        confidence_was = destination.map(|it| it.facts.confidence_min);
        let same = replay(
            decided,
            &evidence,
            destination,
            confidence_was,
            &present.policy,
        )?;
        if same.flips() || same.would_flip() {
            return Err(Unreplayable::Unfaithful);
        }
    }
    replay(decided, &evidence, next, confidence_was, &new.policy)
}

/// Whether thresholds or the combination of weak findings changed in a way that concerns what was found: the record does not say
/// whose findings those were.
fn acts_otherwise(
    decided: &Decided,
    present: Option<&Destination>,
    new: Option<&Destination>,
) -> bool {
    let (Some(present), Some(new)) = (present, new) else {
        return false;
    };
    let (was, is) = (&present.facts, &new.facts);
    let mut changed = was
        .thresholds
        .iter()
        .filter(|it| !is.thresholds.contains(it));
    let mut added = is
        .thresholds
        .iter()
        .filter(|it| !was.thresholds.contains(it));
    let mut found = decided.findings.iter();
    let covers = |it: &Threshold| {
        let mut findings = decided.findings.iter();
        findings.any(|found| it.covers(found.category, &found.detector))
    };
    changed.any(covers)
        || added.any(covers)
        || (was.combination_min != is.combination_min
            && found.any(|it| it.confidence <= Confidence::High))
}

/// A log that cannot be read.
#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn unreadable(error: audit::Error) -> Failure {
    let mut failure = Failure::new(error.to_string());
    if matches!(error, audit::Error::Damaged(_)) {
        failure.code = TAMPERED;
    }
    failure
}

#[cfg(test)]
mod tests;
