//! Detectors: one text in, hits out. Each recognises one category; none allocates for text without candidates.
//!
//! The walk over a message (formats, selectors, persons) calls [`Detectors::scan`] once for each text value and once for each
//! member name, with what the key dictionary says of the key. A detector never sees the message.

mod account;
mod address;
mod announced;
mod by_key;
mod card;
pub mod categories;
mod checksum;
mod date;
mod digits;
mod disguised;
mod document;
mod email;
mod fold;
mod glue;
mod health;
mod iban;
mod ip;
mod lettered;
mod letters;
mod location;
mod name_in_text;
mod national;
mod nearby;
mod person_name;
mod phone;
pub mod prose;

use std::ops::Range;

pub use checksum::is_kz_number;
pub(crate) use email::is_persons as is_persons_address;

use super::signs::{Signs, is_candidate, sign};
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
    /// What the key names, if no person: what is said of it is not said of a person.
    pub bearer: Bearer,
    /// Who else has the number that the key names.
    pub of_others: Others,
    /// The key holds conditions on data, not data: `filters`.
    pub is_criteria: bool,
    /// The key holds a list of what belongs to the object around it: `custom_fields`.
    pub is_attribute_list: bool,
    /// The category counts only inside an object whose key names one of the same family: `issue_date`.
    pub is_inside: bool,
    /// Whether the value is what the key around names.
    pub of_parent: Speaks,
    /// What values look like under the key.
    pub value: ValueShape,
}

/// What a value must look like to be what its key says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueShape {
    /// As its category asks.
    #[default]
    Any,
    /// A line of an address: with a word in it, since a number alone is that of a door.
    Line,
    /// The name of a place: a word with a capital, or two letters.
    Place,
    /// A postal code: short, with a digit.
    PostalCode,
    /// The series of a document: a few capitals or digits.
    Series,
}

/// What but a person a key names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Bearer {
    /// Neither, or a person.
    #[default]
    None,
    /// An organisation: `merchant`.
    Organisation,
    /// A thing: `product`.
    Thing,
}

/// Whether a key says that its value is what the key of the object around it names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Speaks {
    /// Where that is one of a few kinds: `citizenship.name`.
    Kind,
    /// Nothing of the sort.
    #[default]
    None,
    /// Whatever it is: `phone.value`.
    Whole,
}

/// Who but persons has a number of the kind that a key names: of them it is a person's only by its check digit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Others {
    /// Organisations and things: `id_number`.
    Any,
    /// Nobody: `iin`.
    #[default]
    None,
    /// Organisations: `tax_id`.
    Organisations,
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
    /// What the bytes of the text say.
    pub(super) signs: Signs,
}

impl<'a> Field<'a> {
    /// The field of `text`, under its own key and its parent's. Costs a pass over the text.
    pub fn new(text: &'a str, kind: ValueKind, key: KeyHint, parent: KeyHint) -> Self {
        Self {
            text,
            kind,
            key,
            parent,
            signs: Signs::of(text),
        }
    }
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

/// The names of all detectors, as they stand in findings, the audit log and `thresholds`.
pub const DETECTORS: &[&str] = &[
    "account-address",
    "address-in-text",
    "birth-date-in-text",
    "coordinates",
    "email",
    "health",
    "iban",
    "id-document",
    "iin",
    "iin.shortened",
    "inn",
    "ip.v4",
    "ip.v6",
    "key",
    "mac",
    "magic",
    "name-in-text",
    "national-id",
    "payment-card",
    "phone",
    "phone.jid",
    "pinfl",
    "snils",
    "ssn",
    "vehicle-plate",
];

/// Name of the detector that takes a value for what its key says.
pub(crate) const BY_KEY: &str = "key";

/// Work units of one validator call.
const VALIDATOR_WORK: u64 = 10;

/// Texts longer than this are prose or data, not one value of the kind that a key names.
const KEYED_VALUE_MAX: usize = 512;

/// Shortest text that holds a recognisable value without a key.
const UNKEYED_VALUE_MIN: usize = 5;

/// What the surroundings say, worked out once for a text.
#[derive(Debug)]
struct Context {
    /// Category of the own key.
    own: Option<Category>,
    /// Category of the parent, where the own key names none: `"phone": {"value": …}`.
    inherited: Option<Category>,
    /// The value is what the parent names, so that it is read as if its own key named it.
    speaks_for_parent: bool,
    /// Category of the parent, whatever the own key says.
    around: Option<Category>,
    /// The own key, or the parent of a key that says nothing, holds numbers that are nobody's.
    is_order_like: bool,
    /// The own category counts only beside a person, and the parent names none.
    needs_person: bool,
    /// The key or the parent names an organisation or a thing, and no person.
    is_impersonal: bool,
    /// The key names a number that the organisation or thing around it has too.
    is_of_others: bool,
    /// What the value must look like.
    value: ValueShape,
    /// The own key names a person, whose address or number the value may be: `to`.
    is_person_key: bool,
    /// How the value was written.
    kind: ValueKind,
}

impl Context {
    fn of(field: &Field<'_>) -> Self {
        let is_key = field.kind == ValueKind::Key;
        let is_weak = field.key.needs_person && !field.parent.is_person;
        let is_part = |category: Category| {
            is_address_kind(category) && !matches!(field.parent.value, ValueShape::Any)
        };
        let is_of_parent = is_weak
            && field.parent.category.is_some_and(|it| {
                is_described(it)
                    || is_kind(it)
                    || (field.key.of_parent == Speaks::Kind && is_part(it))
            });
        let is_at_home = |it: Category| {
            !field.key.is_inside || field.parent.category.map(family) == Some(family(it))
        };
        let own = (field.key.category).filter(|it| !is_key && !is_of_parent && is_at_home(*it));
        let is_plain = own.is_none() && !field.key.is_order_like && !is_key;
        let bearer = match field.key.bearer {
            Bearer::None if !field.key.is_person => field.parent.bearer,
            own @ (Bearer::None | Bearer::Organisation | Bearer::Thing) => own,
        };
        let of_others = if own.is_some() {
            field.key.of_others
        } else {
            field.parent.of_others
        };
        Self {
            own,
            inherited: field.parent.category.filter(|_| is_plain),
            is_order_like: field.key.is_order_like || (is_plain && field.parent.is_order_like),
            speaks_for_parent: match field.key.of_parent {
                Speaks::Kind => field
                    .parent
                    .category
                    .is_some_and(|it| is_kind(it) || is_part(it)),
                Speaks::None => false,
                Speaks::Whole => true,
            },
            around: field.parent.category,
            needs_person: !field.parent.is_person
                && if field.key.is_inside && own.is_some() {
                    field.parent.needs_person || field.parent.is_inside
                } else if field.key.needs_person {
                    field.parent.category.is_none() || field.parent.needs_person
                } else {
                    let is_unsure = field.parent.needs_person || field.parent.is_inside;
                    is_plain && field.parent.category.is_some() && is_unsure
                },
            is_impersonal: bearer != Bearer::None,
            is_of_others: match of_others {
                Others::Any => bearer != Bearer::None,
                Others::None => false,
                Others::Organisations => bearer == Bearer::Organisation,
            },
            value: if own.is_some() {
                field.key.value
            } else {
                field.parent.value
            },
            is_person_key: field.key.is_person
                && (own.is_none() || (field.key.needs_person && own == Some(Category::NameFull)))
                && !is_key,
            kind: field.kind,
        }
    }

    /// Whether the key, or the parent of a key that says nothing, names `category`.
    fn names(&self, category: Category) -> bool {
        self.own == Some(category) || self.inherited == Some(category)
    }
}

/// Whether a weak word below says which of its kind a value is, and nothing of the person: `gender.name`.
fn is_described(category: Category) -> bool {
    let kind = category.code().split('.').next().unwrap_or_default();
    matches!(
        kind,
        "sex" | "citizenship" | "birth_place" | "employment" | "special" | "health" | "vehicle"
    )
}

/// The first part of its code: data of one family stands in one object.
fn family(category: Category) -> &'static str {
    category.code().split('.').next().unwrap_or_default()
}

fn is_address_kind(category: Category) -> bool {
    family(category) == "address"
}

/// Whether an object of the category is one of a few kinds, of which it tells code and name.
fn is_kind(category: Category) -> bool {
    let is_of_classes = matches!(
        family(category),
        "sex" | "citizenship" | "birth_place" | "special" | "health"
    );
    is_of_classes || category == Category::IdDocumentIssuer
}

/// Where detectors put what they find.
#[derive(Debug)]
struct Sink<'a> {
    hits: &'a mut Vec<Hit>,
    work: u64,
}

impl Sink<'_> {
    /// Counts one validator call.
    const fn spend_validator(&mut self) {
        self.work += VALIDATOR_WORK;
    }

    fn push(
        &mut self,
        category: Category,
        detector: &'static str,
        confidence: Confidence,
        range: Range<usize>,
        identifier: Option<Identifier>,
    ) {
        self.hits.push(Hit {
            category,
            detector,
            confidence,
            confidence_beside_person: confidence,
            range,
            identifier,
        });
    }
}

/// All detectors. Immutable; one per process.
#[derive(Debug, Default)]
pub struct Detectors {}

impl Detectors {
    /// Appends the hits in `field` to `hits`, in order of position; overlapping hits of lower confidence are left out.
    /// Returns the work units spent: about one a byte plus ten a validator call.
    pub fn scan(&self, field: &Field<'_>, hits: &mut Vec<Hit>) -> u64 {
        let cost = field.text.len() as u64;
        let may_be_keyed = field.key.category.is_some() || field.parent.category.is_some();
        if field.kind == ValueKind::Literal
            || (field.text.len() < UNKEYED_VALUE_MIN && !may_be_keyed)
        {
            return cost;
        }
        let starts = sign::CANDIDATE | sign::FOREIGN | sign::SPACE;
        if may_be_keyed || field.signs.has_any(starts) {
            cost + Self::scan_marked(field, hits)
        } else {
            cost
        }
    }

    /// Reads a text that may hold something; the work units beyond those of its bytes.
    fn scan_marked(field: &Field<'_>, hits: &mut Vec<Hit>) -> u64 {
        let signs = field.signs;
        let context = Context::of(field);
        let is_keyed = context.own.is_some() || context.inherited.is_some();
        if field.text.len() < UNKEYED_VALUE_MIN && !is_keyed {
            return 0;
        }
        let base = hits.len();
        if signs.has(sign::FOREIGN)
            && let Some(plain) = fold::visible(field.text)
        {
            let seen = Field::new(&plain.text, field.kind, field.key, field.parent);
            let work = Self::scan_marked(&seen, hits);
            for hit in hits.iter_mut().skip(base) {
                hit.range = plain.original(&hit.range);
            }
            return work + plain.text.len() as u64;
        }
        // Most values hold nothing that a detector starts from.
        let may_fold = signs.has(sign::FOREIGN) || signs.has(sign::COMBINING | sign::CANDIDATE);
        let folded = may_fold.then(|| fold::fold(field.text)).flatten();
        let mut work = 0;
        if folded.is_some() || is_keyed || signs.has(sign::CANDIDATE) {
            let text = folded.as_ref().map_or(field.text, |it| it.text.as_str());
            work = scan_folded(text, &context, hits);
        }
        if let Some(folded) = &folded {
            for hit in hits.iter_mut().skip(base) {
                hit.range = folded.original(&hit.range);
            }
        }
        if is_keyed || signs.has(sign::SPACE) {
            let mut sink = Sink { hits, work };
            name_in_text::scan(field.text, signs, &context, &mut sink, base);
            health::words(field.text, &context, &mut sink, base);
            work = sink.work;
        }
        if hits.len() > base + 1 {
            document::support(hits.get_mut(base..).unwrap_or_default());
            keep_surest(hits, base);
        }
        work
    }
}

/// Runs the detectors of candidates, then the detector that reads the whole value by its key.
fn scan_folded(text: &str, context: &Context, hits: &mut Vec<Hit>) -> u64 {
    let base = hits.len();
    let mut sink = Sink { hits, work: 0 };
    scan_candidates(text, context, &mut sink);
    let has_sure = sink
        .hits
        .iter()
        .skip(base)
        .any(|it| it.confidence >= Confidence::High);
    if !has_sure && text.len() <= KEYED_VALUE_MAX {
        by_key::whole(text, context, &mut sink);
    }
    sink.work
}

/// One pass over the bytes; a validator runs only where a digit, `@` or `:` stands.
fn scan_candidates(text: &str, context: &Context, sink: &mut Sink<'_>) {
    let bytes = text.as_bytes();
    let may_be_announced = announced::may_be(context);
    let mut from = 0;
    while let Some(at) = next_candidate(bytes, from) {
        from = match bytes.get(at) {
            Some(b'@') => email::around(text, at, context, sink),
            Some(b':') => account::after_colon(text, at, context, sink)
                .unwrap_or_else(|| ip::around_colon(text, at, context, sink)),
            _ => {
                let known = sink.hits.len();
                let end = digits::at(text, at, context, sink);
                let is_sure = |it: &Hit| it.confidence >= Confidence::High;
                if !may_be_announced || sink.hits.iter().skip(known).any(is_sure) {
                    end
                } else {
                    announced::at(text, at, context, sink).map_or(end, |it| it.max(end))
                }
            }
        };
    }
}

/// Position of the next candidate at or after `from`. Whole blocks are tested without branches, which the compiler vectorises.
fn next_candidate(bytes: &[u8], from: usize) -> Option<usize> {
    const BLOCK: usize = 16;
    let mut at = from;
    let mut rest = bytes.get(from..)?;
    while let Some((block, tail)) = rest.split_first_chunk::<BLOCK>() {
        let mut marks = [0_u8; BLOCK];
        for (mark, byte) in marks.iter_mut().zip(block) {
            *mark = if is_candidate(*byte) { u8::MAX } else { 0 };
        }
        let marks = u128::from_le_bytes(marks);
        if marks != 0 {
            return Some(at + (marks.trailing_zeros() / 8) as usize);
        }
        at += BLOCK;
        rest = tail;
    }
    rest.iter()
        .position(|it| is_candidate(*it))
        .map(|offset| at + offset)
}

/// Sorts the hits from `base` on by position and drops those that overlap a surer one.
fn keep_surest(hits: &mut Vec<Hit>, base: usize) {
    let mut fresh = hits.split_off(base);
    fresh.sort_by_key(|it| (it.range.start, it.range.end));
    for hit in fresh {
        match hits.get_mut(base..).and_then(<[Hit]>::last_mut) {
            Some(last) if last.range.end > hit.range.start => {
                if hit.confidence > last.confidence {
                    *last = hit;
                }
            }
            _ => hits.push(hit),
        }
    }
}

#[cfg(test)]
mod tests;
