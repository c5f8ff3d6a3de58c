//! The facts of one message as the law sees it: everything `policy::decide` needs beside the destination and the evidence.
//!
//! Serialisable: the decision record holds these facts, so that `plan` can decide the past again.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{CategorySet, Purpose, Timestamp, finding::GapKind, subject::SubjectRef};

/// One message, legally.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Transfer {
    /// Destination id.
    pub destination: Arc<str>,
    /// Route id; `None` when no route of the destination matches.
    pub route: Option<Arc<str>>,
    /// When it is judged.
    pub at: Timestamp,
    /// The purpose in force; `None` when a claimable route was given none or one it does not list.
    pub purpose: Option<Purpose>,
    /// The purpose was claimed by the caller, not declared.
    #[serde(default)]
    pub purpose_claimed: bool,
    /// Purposes of matched sections, beside `purpose`.
    #[serde(default)]
    pub section_purposes: Vec<Purpose>,
    /// The caller may use this destination and purpose.
    pub caller_allowed: bool,
    /// Persons in the payload. Empty = no personal data at or above the destination's confidence.
    pub persons: Vec<TransferPerson>,
    /// Gaps by kind.
    #[serde(default)]
    pub gaps: BTreeMap<GapKind, u32>,
    /// The content is signed and must not be reduced.
    #[serde(default)]
    pub is_signed: bool,
}

/// One person of the payload, legally.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TransferPerson {
    /// Keyed references of the identifiers found, in the order of [`super::inspection::Person::identifiers`].
    pub identifiers: Vec<SubjectRef>,
    /// Categories to be judged.
    pub categories: CategorySet,
    /// Categories below the destination's confidence: recorded only.
    #[serde(default)]
    pub weak_categories: CategorySet,
    /// Ordinal of the record this person stands in, if one can be dropped.
    #[serde(default)]
    pub record: Option<u64>,
}
