//! `audit register`: the transfers that left, one a row, as a regulator asks for them (Law 94-V, art. 22(1)(5) with art. 8(4)(3) to (6)).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::Write,
    path::Path,
};

use super::{Stop, export::cell, parsed};
use crate::{
    audit::Records,
    cli::report::texts::{Lang, Names, Text, Wording, join},
    gatekeeper::record::{AuditEvent, Decided, DecisionId},
    model::{
        CategorySet, Timestamp,
        consent::RecordId,
        decision::{Carrier, Verdict},
        destination::Role,
    },
};

/// Which transfers, in which language.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Not before this instant (RFC 3339)
    #[arg(long, value_parser = parsed::<Timestamp>)]
    from: Option<Timestamp>,
    /// Before this instant (RFC 3339)
    #[arg(long, value_parser = parsed::<Timestamp>)]
    to: Option<Timestamp>,
    /// Language of head and labels
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
}

/// What the log says later, or elsewhere, about a decision.
#[derive(Default)]
struct Later {
    /// Sequences of allowed decisions after which no byte was sent.
    not_sent: BTreeSet<u64>,
    /// Sequences of allowed decisions whose end is not on record.
    unknown: BTreeSet<u64>,
    /// Last day, programme or purpose of each consent and basis.
    terms: HashMap<RecordId, Term>,
}

/// When a consent or basis ends.
enum Term {
    /// Last day; `None` = without end.
    Day(Option<String>),
    Programme(String),
    Purpose,
}

/// Writes the register as CSV, oldest first. Cost: two passes over the log; memory for the exchanges whose end is not known and for the
/// terms of consents.
pub(super) fn register(dir: &Path, args: &Args, out: &mut dyn Write) -> Result<(), Stop> {
    let later = later(dir)?;
    let wording = Wording(args.lang);
    let head = [
        wording.text(Text::When),
        wording.text(Text::Decision),
        wording.text(Text::Recipient),
        wording.text(Text::Role),
        wording.text(Text::Country),
        wording.text(Text::Countries),
        wording.text(Text::ThirdParty),
        wording.text(Text::CrossBorder),
        wording.text(Text::Public),
        wording.text(Text::Purpose),
        wording.text(Text::Data),
        wording.text(Text::Basis),
        wording.text(Text::ConsentTerm),
        wording.text(Text::Persons),
        wording.text(Text::Outcome),
    ];
    writeln!(out, "{}", line(&head))?;
    for record in Records::open(dir, 0)? {
        let record = record?;
        let AuditEvent::Decided(decided) = &record.event else {
            continue;
        };
        let is_asked =
            args.from.is_none_or(|it| decided.at >= it) && args.to.is_none_or(|it| decided.at < it);
        let left = decided.leaves.is_some() && !later.not_sent.contains(&record.sequence);
        if !is_asked || !left {
            continue;
        }
        let outcome = if later.unknown.contains(&record.sequence) {
            "unknown"
        } else {
            "sent"
        };
        if let Some(row) = row(decided, outcome, &later, wording) {
            writeln!(out, "{}", line(&row))?;
        }
    }
    Ok(())
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|it| cell(it)).collect();
    cells.join(",")
}

fn later(dir: &Path) -> Result<Later, Stop> {
    let mut later = Later::default();
    let mut open: HashMap<DecisionId, u64> = HashMap::new();
    for record in Records::open(dir, 0)? {
        let record = record?;
        match record.event {
            AuditEvent::Decided(it) if it.leaves.is_some() => {
                open.insert(it.id, record.sequence);
            }
            AuditEvent::Completed(it) => {
                let sequence = open.remove(&it.id).filter(|_| !it.sent);
                later.not_sent.extend(sequence);
            }
            AuditEvent::Register(it) => {
                if let Some(term) = term(&it.body) {
                    later.terms.insert(it.record, term);
                }
            }
            AuditEvent::Decided(_) | AuditEvent::Operated(_) => {}
        }
    }
    later.unknown = open.into_values().collect();
    Ok(later)
}

/// The term in the record of a consent or basis as it was granted.
fn term(body: &serde_json::Value) -> Option<Term> {
    body.get("purposes")?;
    let until = body.get("until")?;
    let text = |key: &str| until.get(key).and_then(|it| it.as_str());
    if let Some(day) = text("day") {
        return Some(Term::Day(Some(day.to_owned())));
    }
    if let Some(id) = text("programme") {
        return Some(Term::Programme(id.to_owned()));
    }
    match until.as_str() {
        Some("purpose") => Some(Term::Purpose),
        Some(day) => Some(Term::Day(Some(day.to_owned()))),
        None => until.is_null().then_some(Term::Day(None)),
    }
}

/// `None`: nothing about a person left.
fn row(decided: &Decided, outcome: &str, later: &Later, wording: Wording) -> Option<[String; 15]> {
    let left = Left::of(decided);
    let recipient = decided.recipient.as_ref().filter(|_| left.persons > 0)?;
    let transfer = &decided.transfer;
    let yes = |it| wording.text(if it { Text::Yes } else { Text::No });
    let purposes = transfer.purpose.iter().chain(&transfer.section_purposes);
    let bases = left
        .bases
        .keys()
        .map(|it| wording.name(Names::Carriers, it));
    let terms: BTreeSet<String> = left
        .bases
        .values()
        .flatten()
        .filter_map(|it| later.terms.get(*it))
        .map(|it| said(it, wording))
        .collect();
    Some([
        decided.at.to_string(),
        decided.id.to_string(),
        recipient.legal_name.to_string(),
        wording.role(recipient.role),
        wording.country(recipient.country),
        wording.countries(&recipient.countries),
        yes(recipient.role != Role::SelfOperator),
        yes(!recipient.countries.is_empty()),
        yes(recipient.role == Role::Public),
        join(purposes.map(|it| wording.purpose(it))),
        wording.categories(left.categories),
        join(bases),
        join(terms),
        left.persons.to_string(),
        wording.name(Names::Outcomes, outcome),
    ])
}

fn said(term: &Term, wording: Wording) -> String {
    match term {
        Term::Day(Some(day)) => day.clone(),
        Term::Day(None) => wording.text(Text::WithoutEnd),
        Term::Programme(id) => wording.filled(Text::UntilProgramme, &[("id", id.clone())]),
        Term::Purpose => wording.text(Text::UntilPurpose),
    }
}

/// What went out about persons.
#[derive(Default)]
struct Left<'a> {
    persons: usize,
    categories: CategorySet,
    /// Kinds of basis, each with the register records of that kind.
    bases: BTreeMap<&'static str, BTreeSet<&'a RecordId>>,
}

impl<'a> Left<'a> {
    fn of(decided: &'a Decided) -> Self {
        let decision = &decided.decision;
        let is_reduced = decision.verdict == Verdict::Reduce;
        let mut left = Self::default();
        for (index, person) in (0_u32..).zip(&decided.transfer.persons) {
            let dropped = &decision.reduction.drop_records;
            if is_reduced && person.record.is_some_and(|it| dropped.contains(&it)) {
                continue;
            }
            let fields = decision.reduction.reduce_fields.iter();
            let removed = fields
                .filter(|it| is_reduced && it.0 == index)
                .fold(CategorySet::EMPTY, |all, it| all.union(it.1));
            // A masked or pseudonymised value is still one of the person's.
            let leaves = decided.leaves.as_ref();
            let hidden = leaves.map_or(CategorySet::EMPTY, |it| it.masked.union(it.pseudonymised));
            let removed = removed.minus(hidden);
            left.persons += 1;
            left.categories = left.categories.union(person.categories.minus(removed));
            let at = usize::try_from(index).unwrap_or(usize::MAX);
            let judged = decision.persons.get(at);
            for (_, carrier) in judged.iter().flat_map(|it| &it.carriers) {
                let records = left.bases.entry(carrier.as_str()).or_default();
                match carrier {
                    Carrier::Basis { record, .. } | Carrier::Consent { record } => {
                        records.insert(record);
                    }
                    Carrier::Safeguard { reference, .. } => {
                        records.insert(reference);
                    }
                    Carrier::Adequacy | Carrier::NotAsked => {}
                }
            }
        }
        left
    }
}
