//! Detectors: one text in, hits out. Each recognises one category; none allocates for text without candidates.
//!
//! The walk over a message (formats, selectors, persons) calls [`Detectors::scan`] once for each text value and once for each
//! member name, with what the key dictionary says of the key. A detector never sees the message.

use std::ops::Range;

use crate::model::{Category, finding::Confidence, subject::Identifier};

/// What the key dictionary says of a member, field, parameter or header name. Looked up once per distinct name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyHint {
    /// The category that the key names by itself.
    pub category: Option<Category>,
    /// The key holds an order, invoice, tracking, SKU … number: digits under it are not a person's.
    pub is_order_like: bool,
    /// The key names a person or a group of persons (`customer`, `recipient`, `to`, `user` …).
    pub is_person: bool,
    /// The category is certain only beside other data of a person (`name`, `title`, `city` …).
    pub needs_person: bool,
}

/// What kind of value a text was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueKind {
    /// A member name.
    Key,
    /// `true`, `false`, `null`.
    Literal,
    /// A number, as written.
    Number,
    /// A string, unescaped.
    String,
}

/// One text to scan, with its surroundings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field<'a> {
    /// Unescaped text.
    pub text: &'a str,
    /// What it was.
    pub kind: ValueKind,
    /// Hint of its own key (for elements of an array: of the array's key).
    pub key: KeyHint,
    /// Hint of the key under which the enclosing object stands.
    pub parent: KeyHint,
}

/// A hit in one text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// What kind of data.
    pub category: Category,
    /// Stable name of the detector.
    pub detector: &'static str,
    /// How sure, taken alone.
    pub confidence: Confidence,
    /// How sure, when the same object (or an enclosing person) holds other data of a person. Never lower than `confidence`.
    pub confidence_beside_person: Confidence,
    /// Bytes of the text.
    pub range: Range<usize>,
    /// The identifier, when the hit is one.
    pub identifier: Option<Identifier>,
}

/// All detectors. Immutable; one per process.
#[derive(Debug, Default)]
pub struct Detectors {}

impl Detectors {
    /// Appends the hits in `field` to `hits`, in order of position; overlapping hits of lower confidence are left out.
    /// Returns the work units spent: about one a byte plus ten a validator call.
    pub fn scan(&self, field: &Field<'_>, _hits: &mut Vec<Hit>) -> u64 {
        field.text.len() as u64
    }
}
