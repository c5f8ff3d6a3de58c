//! What one register record is held against, and what came of it.

use super::{case::Case, trace::Demand};
use crate::model::{
    CategorySet, Purpose,
    decision::ReasonCode,
    evidence::{General, SubjectRecord},
    subject::SubjectRef,
};

/// One demand of one reading about one subject, for one purpose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    /// The message under the reading.
    pub(super) case: &'a Case<'a>,
    /// Whose records.
    pub(super) subject: &'a SubjectRecord,
    /// Identifiers of the person in the message, as references under the current key.
    pub(super) identifiers: &'a [SubjectRef],
    /// Records of everybody.
    pub(super) general: &'a General,
    /// The facet, or naming.
    pub(super) demand: Demand,
    /// The purpose; `None` when none was given, which no record covers.
    pub(super) purpose: Option<&'a Purpose>,
}

/// Checks that a record fails, one bit a reason code. The first in the order of codes is the record's own reason.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Failures(u128);

impl Failures {
    /// Notes that the check of `code` fails if `fails`.
    pub(super) const fn note(&mut self, code: ReasonCode, fails: bool) {
        if fails {
            self.0 |= 1 << code as u32;
        }
    }

    /// Whether every check holds.
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many checks fail.
    pub(super) const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether the check of `code` fails.
    pub(super) const fn has(self, code: ReasonCode) -> bool {
        self.0 & (1 << code as u32) != 0
    }

    /// The failed checks, in the order of codes.
    pub(super) fn iter(self) -> impl Iterator<Item = ReasonCode> {
        let all = ReasonCode::ALL.iter().copied();
        all.filter(move |it| self.has(*it))
    }

    /// The first failed check.
    pub(super) fn first(self) -> Option<ReasonCode> {
        self.iter().next()
    }
}

/// What a record is worth for a claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assessed {
    /// Failed checks that concern the record as a whole.
    pub(super) failures: Failures,
    /// Categories it names.
    pub(super) names: CategorySet,
    /// Of these, taken back.
    pub(super) withdrawn: CategorySet,
    /// Of these, given in a form that does not suffice.
    pub(super) unwritten: CategorySet,
}

impl Assessed {
    /// What it carries.
    pub(super) const fn carries(&self) -> CategorySet {
        if self.failures.is_empty() {
            self.names.minus(self.withdrawn).minus(self.unwritten)
        } else {
            CategorySet::EMPTY
        }
    }

    /// Why it does not carry `wanted`.
    pub(super) fn failures_for(&self, case: &Case<'_>, wanted: CategorySet) -> Failures {
        let mut failures = self.failures;
        let missing = wanted.minus(self.names);
        let special = missing.intersection(case.rules.only_if_named);
        let is_taken_back = !self.withdrawn.is_empty()
            && (self.withdrawn.contains_all(self.names)
                || !wanted.intersection(self.withdrawn).is_empty());
        failures.note(ReasonCode::ConsentWithdrawn, is_taken_back);
        failures.note(ReasonCode::SpecialCategory, !special.is_empty());
        failures.note(
            ReasonCode::CategoryNotCovered,
            !missing.minus(special).is_empty(),
        );
        let unwritten = wanted.intersection(self.unwritten);
        failures.note(ReasonCode::WrittenFormMissing, !unwritten.is_empty());
        failures
    }
}
