//! The result of reading one message, and the plan by which it is read.

use std::ops::Range;

use super::{
    CategorySet, Purpose, Timestamp,
    finding::{Confidence, Finding, Gap, Part, Threshold},
    subject::{Identifier, IdentifierKind},
};

/// Everything inspection found in one message. Total: what could not be read is a [`Gap`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inspection {
    /// In the order of parts (path, query, header, body, trailer), then of bytes.
    pub findings: Vec<Finding>,
    /// In the same order.
    pub gaps: Vec<Gap>,
    /// Persons the payload is about. A finding that belongs to no record and shares no identifier stands in the person with
    /// `record == None`.
    pub persons: Vec<Person>,
    /// Purposes of `sections` that matched, beside the route's.
    pub section_purposes: Vec<Purpose>,
    /// The request's content is signed (SigV4, RFC 9421): it must not be reduced.
    pub is_signed: bool,
    /// Work units spent; deterministic for a message and a plan.
    pub work: u64,
}

/// One person in the payload.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Person {
    /// The record this person stands in.
    pub record: Option<Record>,
    /// Identifiers in clear, normalised, without repeats.
    pub identifiers: Vec<Identifier>,
    /// Indexes into [`Inspection::findings`].
    pub findings: Vec<usize>,
    /// Categories found at or above the plan's `confidence_min`.
    pub categories: CategorySet,
    /// Categories found only below it: recorded, not acted on.
    pub weak_categories: CategorySet,
}

/// An element of an array that a `records` selector names: the unit that `drop-records` removes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Position among all records of the message, from 0.
    pub ordinal: usize,
    /// Bytes of the element in the decoded body.
    pub span: Range<usize>,
}

/// Budgets of one message. Work is counted in units, not time, so that replay is deterministic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Greatest nesting of arrays, objects and documents inside strings. Default 64.
    pub depth: u32,
    /// Greatest number of values (members, elements, fields). Default 1,000,000.
    pub values: u64,
    /// Work units: about one a byte read plus one a validator call. Default 256 Mi.
    pub work: u64,
    /// Largest body with its content coding undone, in bytes. Default 64 MiB.
    pub decoded_bytes: u64,
    /// How many times its size on the wire a body may grow when its content coding is undone. Small bodies may grow to 1 MiB
    /// whatever the ratio. Default 200.
    pub decoded_ratio: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            depth: 64,
            values: 1_000_000,
            work: 256 * 1024 * 1024,
            decoded_bytes: 64 * 1024 * 1024,
            decoded_ratio: 200,
        }
    }
}

/// One selector: where, and (for bodies) an RFC 9535 path; for the other parts a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    /// Which part.
    pub part: Part,
    /// RFC 9535 path in a body; parameter or field name in query and header; segment number from 0 in a path.
    pub at: String,
}

/// Kinds of data found weakly in one object that make each of them sure, unless the destination says otherwise. Two are often a
/// product's (a title and a date); three are rarely anything but a person.
pub const COMBINATION_MIN: u32 = 3;

/// What a route asks inspection to do. Text form; `inspect` compiles it once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanSpec {
    /// Elements that are one person each.
    pub records: Option<Selector>,
    /// Identifiers that the operator points at, with their kind.
    pub subjects: Vec<(Selector, IdentifierKind)>,
    /// Values that are not personal, each recorded with a reason elsewhere.
    pub not_personal: Vec<Selector>,
    /// The same, each only before an instant: an exception ends with its last day.
    pub not_personal_until: Vec<(Selector, Timestamp)>,
    /// Subtrees that serve another purpose.
    pub sections: Vec<(Selector, Purpose)>,
    /// Findings below this are recorded as weak.
    pub confidence_min: Confidence,
    /// Other thresholds than that. One of a detector goes before those of categories; of several, the narrowest category wins.
    pub thresholds: Vec<Threshold>,
    /// From so many kinds of data found with medium confidence in one object, each is of high confidence. 0 is never. Default 3.
    pub combination_min: u32,
    /// Budgets of one message.
    pub budget: Budget,
}

impl Default for PlanSpec {
    fn default() -> Self {
        Self {
            records: None,
            subjects: Vec::new(),
            not_personal: Vec::new(),
            not_personal_until: Vec::new(),
            sections: Vec::new(),
            confidence_min: Confidence::High,
            thresholds: Vec::new(),
            combination_min: COMBINATION_MIN,
            budget: Budget::default(),
        }
    }
}
