//! Question 8: who is it about, and may data about that person be used at all?

use std::sync::Arc;

use super::ground;
use crate::{
    model::{
        CategorySet,
        decision::{PersonOutcome, Reason, ReasonCode},
        evidence::{Evidence, Known, PersonEvidence, SubjectRecord},
        transfer::{Transfer, TransferPerson},
    },
    policy::{
        case::{Case, is_recall},
        findings::Findings,
        trace::Trace,
    },
};

/// The purpose of clarifying data in doubt.
const CLARIFICATION: &str = "data.clarification";

/// Asks about every person, and for each person questions 9 and 10.
pub(in crate::policy) fn ask<T: Trace>(
    cases: &[Case<'_>],
    transfer: &Transfer,
    evidence: &Evidence,
    findings: &mut Findings<'_>,
    trace: &mut T,
) -> Vec<PersonOutcome> {
    let Some(first) = cases.first() else {
        return vec![nothing_covered(CategorySet::EMPTY); transfer.persons.len()];
    };
    let known = match evidence {
        Evidence::Known(known) => known,
        Evidence::Unavailable => {
            if !first.destination.registers_failure.is_open(transfer.at) {
                findings.add(first.reason(ReasonCode::RegistersUnavailable));
            }
            return vec![PersonOutcome::default(); transfer.persons.len()];
        }
    };
    let nobody = PersonEvidence::default();
    let mut outcomes = Vec::with_capacity(transfer.persons.len());
    for (index, person) in transfer.persons.iter().enumerate() {
        // An answer about fewer persons than were asked leaves the rest unknown.
        let found = known.persons.get(index).unwrap_or(&nobody);
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let resolved = Resolved::of(person, found);
        resolved.judge(first, index, findings);
        outcomes.push(outcome(
            cases, person, &resolved, known, index, findings, trace,
        ));
    }
    outcomes
}

/// Questions 8 (standing), 9 and 10 about one resolved person, under every reading.
fn outcome<T: Trace>(
    cases: &[Case<'_>],
    person: &TransferPerson,
    resolved: &Resolved<'_>,
    known: &Known,
    index: u32,
    findings: &mut Findings<'_>,
    trace: &mut T,
) -> PersonOutcome {
    let mut outcome = if resolved.is_complete() {
        PersonOutcome {
            covered: person.categories,
            ..PersonOutcome::default()
        }
    } else {
        nothing_covered(person.categories)
    };
    outcome.subjects = resolved.subjects.iter().map(|it| it.id.clone()).collect();
    for case in cases {
        for subject in &resolved.subjects {
            judge_standing(case, index, subject, findings);
            let about = ground::About {
                case,
                subject,
                general: &known.general,
                index,
                categories: person.categories,
                identifiers: &person.identifiers,
            };
            about.ask(&mut outcome, findings, trace);
        }
    }
    outcome
}

fn nothing_covered(categories: CategorySet) -> PersonOutcome {
    PersonOutcome {
        uncovered: categories,
        ..PersonOutcome::default()
    }
}

/// Whom a person of the payload is resolved to (`decision.md` §3 Q8).
#[derive(Debug, Default)]
struct Resolved<'a> {
    /// Everybody the record is about: all must be covered.
    subjects: Vec<&'a SubjectRecord>,
    /// Data without an identifier.
    is_unresolved: bool,
    /// An identifier that belongs to nobody here.
    is_unknown: bool,
    /// An identifier of a kind that nobody here has registered: it counts as theirs.
    is_unverified: bool,
}

impl<'a> Resolved<'a> {
    fn of(person: &TransferPerson, found: &'a PersonEvidence) -> Self {
        let mut resolved = Self {
            is_unresolved: person.identifiers.is_empty(),
            ..Self::default()
        };
        if resolved.is_unresolved {
            return resolved;
        }
        for (_, owners) in &found.matches {
            if let [owner] = owners.as_slice() {
                resolved.add(found, owner);
            }
        }
        // A shared identifier is decided by one that has a single owner; undecided, it is about all its owners.
        let decided = resolved.subjects.len();
        for (_, owners) in found.matches.iter().filter(|(_, it)| it.len() > 1) {
            let certain = resolved.subjects.get(..decided).unwrap_or_default();
            if !certain.iter().any(|it| owners.contains(&it.id)) {
                owners.iter().for_each(|it| resolved.add(found, it));
            }
        }
        for (reference, _) in found.matches.iter().filter(|(_, it)| it.is_empty()) {
            let kind = &reference.kind;
            let mut subjects = resolved.subjects.iter();
            if subjects.all(|it| it.identifier_kinds.contains(kind)) {
                resolved.is_unknown = true;
            } else {
                resolved.is_unverified = true;
            }
        }
        resolved.is_unknown |= resolved.subjects.is_empty();
        resolved
    }

    /// Adds the owner of an identifier; one whose record was not handed over is unknown.
    fn add(&mut self, found: &'a PersonEvidence, owner: &crate::model::subject::SubjectId) {
        if self.subjects.iter().any(|it| it.id == *owner) {
            return;
        }
        match found.subjects.iter().find(|it| it.id == *owner) {
            Some(record) => self.subjects.push(record),
            None => self.is_unknown = true,
        }
    }

    const fn is_complete(&self) -> bool {
        !self.is_unresolved && !self.is_unknown
    }

    /// Resolution is the same under every reading; its reasons cite the first.
    fn judge(&self, case: &Case<'_>, index: u32, findings: &mut Findings<'_>) {
        let refuses_unverified = self.is_unverified && case.destination.refuse_unverified;
        for (applies, code) in [
            (self.is_unresolved, ReasonCode::SubjectUnresolved),
            (self.is_unknown, ReasonCode::SubjectUnknown),
            (refuses_unverified, ReasonCode::IdentifierUnverified),
        ] {
            if applies {
                findings.add(Reason {
                    person: Some(index),
                    ..case.reason(code)
                });
            }
        }
    }
}

/// Restriction and representation of one subject.
fn judge_standing(
    case: &Case<'_>,
    index: u32,
    subject: &SubjectRecord,
    findings: &mut Findings<'_>,
) {
    for restriction in &subject.restrictions {
        let at = case.transfer.at;
        let is_active =
            restriction.from <= at && restriction.lifted_at.is_none_or(|lifted| at < lifted);
        if is_active && !case.purposes().all(|it| passes(case, restriction, it)) {
            findings.add(Reason {
                person: Some(index),
                record: Some(Arc::clone(&restriction.id)),
                ..case.reason(ReasonCode::SubjectBlocked)
            });
        }
    }
    if needs_representative(case, subject) && !has_representative(case, subject) {
        findings.add(Reason {
            person: Some(index),
            ..case.reason(ReasonCode::MinorWithoutRepresentative)
        });
    }
}

fn passes(
    case: &Case<'_>,
    restriction: &crate::model::consent::Restriction,
    purpose: Option<&crate::model::Purpose>,
) -> bool {
    purpose.is_some_and(|it| {
        is_recall(it)
            || restriction
                .allowed_purposes
                .iter()
                .any(|own| own.covers(it))
            || (case.reading.profile.clarify_exception && it.as_str() == CLARIFICATION)
    })
}

/// Whether somebody must act for `subject` today. The last day counts.
pub(super) fn needs_representative(case: &Case<'_>, subject: &SubjectRecord) -> bool {
    let until = subject.needs_representative_until;
    until.is_some_and(|it| case.today <= it)
}

fn has_representative(case: &Case<'_>, subject: &SubjectRecord) -> bool {
    let mut all = subject.representatives.iter();
    all.any(|it| it.from <= case.today && it.until.is_none_or(|it| case.today <= it))
}
