//! What deciding may tell on the way, beside the decision.

use std::sync::Arc;

use serde::Serialize;

use crate::model::{
    CategorySet, Purpose,
    consent::{Facet, RecordId},
    decision::ReasonCode,
    subject::SubjectId,
};

/// Listens to a decision being made.
pub trait Trace {
    /// Whether anybody listens. `false` removes the telling at compile time.
    const ON: bool;

    /// A register record was considered.
    fn considered(&mut self, considered: Considered);
}

impl Trace for () {
    const ON: bool = false;

    fn considered(&mut self, _considered: Considered) {}
}

impl Trace for Vec<Considered> {
    const ON: bool = true;

    fn considered(&mut self, considered: Considered) {
        self.push(considered);
    }
}

/// What a record was asked to carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// A facet of the transfer.
    Facet(Facet),
    /// Nothing but to name a category that may go only if it is named.
    Naming,
}

impl Demand {
    /// The facet, if it is one.
    pub const fn facet(self) -> Option<Facet> {
        match self {
            Self::Facet(facet) => Some(facet),
            Self::Naming => None,
        }
    }

    /// The kebab-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Facet(Facet::ThirdParty) => "third-party",
            Self::Facet(Facet::CrossBorder) => "cross-border",
            Self::Naming => "naming",
        }
    }
}

/// A consent or basis that was held against one demand of one reading about one person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Considered {
    /// The regime of the reading.
    pub regime: Arc<str>,
    /// Index of the person in the transfer.
    pub person: u32,
    /// Whose records.
    pub subject: SubjectId,
    /// What was asked.
    pub demand: Demand,
    /// For which purpose; `None` when the message has none.
    pub purpose: Option<Purpose>,
    /// The record.
    pub record: RecordId,
    /// `consent`, or the kind of basis.
    pub kind: &'static str,
    /// Categories asked for that it carries.
    pub carries: CategorySet,
    /// Why it does not carry the rest, in the order of checks; empty when it carries all.
    pub failures: Vec<ReasonCode>,
}
