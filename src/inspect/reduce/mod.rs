//! Taking data out of a message: records are dropped, values removed, masked or pseudonymised. Bytes are spliced, so that
//! everything else stays as the sender wrote it.
//!
//! Nothing here looks for data: what goes is what inspection found, by its bytes. Whatever cannot be taken out so that the rest
//! stays valid and the same fails the reduction, and the message is refused.

mod aim;
mod check;
mod edit;
mod form;
mod head;
mod json;
mod lines;
mod literal;
mod markup;
mod multipart;
mod table;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ReductionFailed, claim,
    content::{self, Matter},
    format::{
        csv, graphql,
        json::lines as separate,
        layer::Layer,
        multipart::{
            boundary_of,
            split::{Lines, units as parts_of},
        },
        reading::{Find, Reading, Scan},
        unit::Unit,
        vcard, xml,
    },
    media_type::{Format, MediaType},
};
use crate::model::{
    Category, CategorySet,
    destination::Operator,
    finding::Part,
    inspection::{Budget, Inspection, Record},
    message::Message,
    subject::{Identifier, IdentifierKind},
};
use aim::{Aim, Place};
use edit::Edits;
use value::{Fate, Shape, Taking};

/// The keyed token of a value in its one spelling, as it stands in a pseudonym: the same for the same value, and telling nothing of
/// it without the key.
pub type Token<'a> = &'a (dyn Fn(Category, &str) -> String + 'a);

/// What is to be taken out of a message.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// Ordinals of the records to drop, ascending.
    pub records: &'a [u64],
    /// Persons, by their index in [`Inspection::persons`], with the categories to take out of their findings.
    pub fields: &'a [(usize, CategorySet)],
    /// What is done to a category of a person.
    pub operator: &'a (dyn Fn(usize, Category) -> Operator + 'a),
    /// Makes pseudonyms.
    pub token: Token<'a>,
}

impl std::fmt::Debug for Order<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Order")
            .field("records", &self.records)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// A reduced message, with what was done to it. `Debug` names counts only.
pub struct Reduced {
    /// What is left.
    pub message: Message,
    /// How many values were removed, masked or pseudonymised.
    pub removed: u32,
    trail: Trail,
}

impl std::fmt::Debug for Reduced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reduced")
            .field("message", &self.message)
            .field("removed", &self.removed)
            .finish_non_exhaustive()
    }
}

impl Reduced {
    /// Holds `after`, what a second reading found in the reduced message, against `before`: everything that was not taken out is
    /// there, the same bytes at their new place, and nothing else.
    ///
    /// # Errors
    /// Something else is there, or something is missing, or a value that was taken out still stands somewhere.
    pub fn check(&self, before: &Inspection, after: &Inspection) -> Result<(), ReductionFailed> {
        check::agree(self, before, after)
    }
}

/// What was done, by the texts of the message.
#[derive(Default)]
struct Trail {
    edits: BTreeMap<Place, Edits>,
    /// The new number of each line of head and trailer; `None` for one that went.
    lines: BTreeMap<Place, Option<usize>>,
    /// Findings that were taken out, by index.
    met: BTreeSet<usize>,
    /// Values that were taken out, as they were written.
    spelled: Vec<(Category, String)>,
    /// What was written in their place.
    written: Vec<String>,
}

impl Trail {
    /// Whether `find` stands in what was written.
    fn wrote(&self, part: Part, find: &Find) -> bool {
        let line = self.old_line(part, find.line);
        self.edits
            .get(&(part, line))
            .is_some_and(|it| it.wrote(&find.span))
    }

    /// The number that the line `new` had before.
    fn old_line(&self, part: Part, new: usize) -> usize {
        let mut lines = self.lines.iter();
        let found = lines.find(|(place, to)| place.0 == part && **to == Some(new));
        found.map_or(new, |it| it.0.1)
    }

    /// Takes out of `reading`, of the reduced message, what was written: it is nobody's data that the registers could know.
    fn strip<S: Scan>(&self, reading: &mut Reading<'_, S>) {
        let mut finds = std::mem::take(&mut reading.finds);
        finds.retain(|it| !self.wrote(reading.part_of(it.spot.node), it));
        reading.finds = finds;
        let written = self.identifiers();
        reading
            .claims
            .retain(|it| !written.contains(&it.identifier));
    }

    /// Identifiers that a selector of the operator would read in what was written.
    fn identifiers(&self) -> BTreeSet<Identifier> {
        let kinds = [
            IdentifierKind::Email,
            IdentifierKind::IdDocument,
            IdentifierKind::InternalId,
            IdentifierKind::NationalId,
            IdentifierKind::Phone,
        ];
        let texts: BTreeSet<&String> = self.written.iter().collect();
        let read = |text: &String| {
            kinds
                .iter()
                .flat_map(|kind| claim::identifiers(*kind, text))
                .collect::<Vec<_>>()
        };
        texts.into_iter().flat_map(read).collect()
    }
}

/// Takes out of the reading of `reduced` what was written by the reduction.
pub(super) fn strip<S: Scan>(reading: &mut Reading<'_, S>, reduced: &Reduced) {
    reduced.trail.strip(reading);
}

/// See [`Inspector::reduce`](super::Inspector::reduce).
pub(super) fn reduce(
    message: &Message,
    inspection: &Inspection,
    budget: &Budget,
    order: &Order<'_>,
) -> Result<Reduced, ReductionFailed> {
    let aims = aim::collect(inspection, order);
    let has_weak = aims.values().flatten().any(|it| it.is_weak);
    let known = BTreeSet::new();
    let (reduced, taken) = Work::new(aims, order, &known).run(message, inspection, budget)?;
    if !has_weak {
        return Ok(reduced);
    }
    // What goes is known now, so that what only looks like it can be told.
    let aims = aim::collect(inspection, order);
    let work = Work::new(aims, order, &taken);
    work.run(message, inspection, budget).map(|it| it.0)
}

/// One run over a message.
struct Work<'a> {
    aims: BTreeMap<Place, Vec<Aim>>,
    order: &'a Order<'a>,
    known: &'a BTreeSet<(Category, String)>,
    taken: BTreeSet<(Category, String)>,
    removed: u32,
    trail: Trail,
}

impl<'a> Work<'a> {
    fn new(
        aims: BTreeMap<Place, Vec<Aim>>,
        order: &'a Order<'a>,
        known: &'a BTreeSet<(Category, String)>,
    ) -> Self {
        Self {
            aims,
            order,
            known,
            taken: BTreeSet::new(),
            removed: 0,
            trail: Trail::default(),
        }
    }

    /// The edits of the text at `place`: its aims are handed to `ask`.
    fn take<T>(
        &mut self,
        place: Place,
        aims: Vec<Aim>,
        ask: impl FnOnce(&mut Taking<'a>) -> Result<T, ReductionFailed>,
    ) -> Result<T, ReductionFailed> {
        let mut taking = Taking::new(aims, self.order.token, self.known);
        let answer = ask(&mut taking)?;
        let edits = taking.finish()?;
        if !edits.is_empty() {
            self.trail.edits.insert(place, edits);
        }
        self.trail.met.extend(taking.met());
        self.removed = self.removed.saturating_add(taking.removed);
        self.trail.spelled.append(&mut taking.spelled);
        self.trail.written.append(&mut taking.written);
        self.taken.append(&mut taking.taken);
        Ok(answer)
    }

    fn aims(&mut self, place: Place) -> Vec<Aim> {
        self.aims.remove(&place).unwrap_or_default()
    }

    /// The text at `place` with its edits.
    fn edited(&self, place: Place, text: &str) -> Result<String, ReductionFailed> {
        let edits = self.trail.edits.get(&place);
        edits.map_or_else(|| Ok(text.to_owned()), |it| it.apply(text))
    }

    fn run(
        mut self,
        message: &Message,
        inspection: &Inspection,
        budget: &Budget,
    ) -> Result<(Reduced, BTreeSet<(Category, String)>), ReductionFailed> {
        let mut reduced = message.clone();
        if self.aims((Part::Path, 0)).iter().any(|it| !it.is_weak) {
            // Another path is another resource.
            return Err(ReductionFailed("what stands in its path cannot go"));
        }
        self.query(&mut reduced)?;
        for (part, fields) in [
            (Part::Header, &mut reduced.headers),
            (Part::Trailer, &mut reduced.trailers),
        ] {
            *fields = head::fields(&mut self, part, fields)?;
        }
        if let Some(rewritten) = self.body(&reduced, inspection, budget)? {
            reduced = rewritten;
        }
        let is_left = |it: &Aim| !it.is_weak;
        if self.aims.values().flatten().any(is_left) {
            return Err(ReductionFailed("a value to take out is in no part of it"));
        }
        let reduced = Reduced {
            message: reduced,
            removed: self.removed,
            trail: self.trail,
        };
        Ok((reduced, self.taken))
    }

    fn query(&mut self, message: &mut Message) -> Result<(), ReductionFailed> {
        let place = (Part::Query, 0);
        let aims = self.aims(place);
        let Some(query) = message.query.clone().filter(|_| !aims.is_empty()) else {
            return Ok(());
        };
        self.take(place, aims, |taking| form::pairs(taking, &query))?;
        let query = self.edited(place, &query)?;
        message.query = Some(query).filter(|it| !it.is_empty());
        Ok(())
    }

    /// The message with a body of which something was taken out; `None` when it stays as it is.
    fn body(
        &mut self,
        message: &Message,
        inspection: &Inspection,
        budget: &Budget,
    ) -> Result<Option<Message>, ReductionFailed> {
        let place = (Part::Body, 0);
        let aims = self.aims(place);
        if aims.is_empty() && self.order.records.is_empty() {
            return Ok(None);
        }
        let records = records(inspection, self.order.records)?;
        let content = content::open(message, budget).content.map_err(|_| {
            ReductionFailed("its body is of no type, coding or charset that is read")
        })?;
        let text = match &content.matter {
            Matter::Text(text) => text,
            Matter::Bytes(_) if content.media_type.format != Format::Multipart => {
                return Err(ReductionFailed(
                    "its body is of a format that is not reduced",
                ));
            }
            Matter::Bytes(bytes) => {
                if content.fault.is_some() {
                    return Err(ReductionFailed("its body was not read whole"));
                }
                let units = multipart_units(&message.headers, bytes);
                self.take(place, aims, |taking| {
                    multipart::parts(taking, bytes, &units, &records)
                })?;
                let edits = self.trail.edits.get(&place);
                let left = edits.map(|it| it.apply_to(bytes)).transpose()?;
                return Ok(left.map(|it| content::with_body(message, it)));
            }
        };
        let media_type = &content.media_type;
        let (from, text) = (text.start(), &text.text);
        self.take(place, aims, |taking| {
            take_text(taking, media_type, text, from, &records)
        })?;
        let left = self.edited(place, text)?;
        if left == **text {
            return Ok(None);
        }
        content.rewritten(message, left, budget).map(Some)
    }
}

/// The parts of a multipart body; none where they are not told apart in one way.
fn multipart_units(headers: &http::HeaderMap, body: &[u8]) -> Vec<Unit> {
    let label = headers.get(http::header::CONTENT_TYPE);
    let label = label.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let Ok((boundary, is_form)) = boundary_of(label) else {
        return Vec::new();
    };
    parts_of(body, &boundary, Lines::of(body, &boundary, is_form))
}

/// Takes the aims and the records with these spans out of `text`, a whole body whose content begins at `from`.
fn take_text(
    taking: &mut Taking<'_>,
    media_type: &MediaType,
    text: &str,
    from: usize,
    records: &[std::ops::Range<usize>],
) -> Result<(), ReductionFailed> {
    let layer = Layer::root(text);
    match media_type.format {
        Format::Csv | Format::Tsv => {
            table::rows(taking, text, &csv::units(media_type, text, from), records)
        }
        Format::Xml => markup::elements(taking, text, &xml::outline::units(text, from), records),
        Format::Json => json::document(taking, text, &layer, from, records),
        Format::Lines => {
            let pieces = shifted(from, separate::lines(text.get(from..).unwrap_or_default()));
            lines::documents(taking, text, &layer, pieces, records)
        }
        Format::Sequence => {
            let pieces = shifted(
                from,
                separate::sequence(text.get(from..).unwrap_or_default()),
            );
            lines::documents(taking, text, &layer, pieces, records)
        }
        Format::ContentLines | Format::Form | Format::GraphQl | Format::Text
            if !records.is_empty() =>
        {
            Err(ReductionFailed(
                "its body has no records that can be dropped",
            ))
        }
        Format::ContentLines => literal::texts(taking, text, vcard::units(text, from)),
        Format::Form => form::pairs(taking, text),
        Format::GraphQl => literal::values(taking, text, graphql::units(text, from)),
        Format::Text => {
            if taking.value(text, &layer, Shape::Text)? == Fate::Goes {
                taking.cut(0..text.len());
            }
            Ok(())
        }
        Format::Binary(_) | Format::Http | Format::Mail | Format::Multipart => {
            Err(ReductionFailed("its body is not text"))
        }
    }
}

fn shifted(
    by: usize,
    ranges: impl Iterator<Item = std::ops::Range<usize>>,
) -> impl Iterator<Item = std::ops::Range<usize>> {
    ranges.map(move |it| it.start + by..it.end + by)
}

/// The spans of the records with these ordinals, in order.
fn records(
    inspection: &Inspection,
    ordinals: &[u64],
) -> Result<Vec<std::ops::Range<usize>>, ReductionFailed> {
    let records = inspection
        .persons
        .iter()
        .filter_map(|it| it.record.as_ref());
    let is_named = |it: &&Record| ordinals.binary_search(&(it.ordinal as u64)).is_ok();
    let mut spans: Vec<_> = records.filter(is_named).map(|it| it.span.clone()).collect();
    spans.sort_by_key(|it| it.start);
    spans.dedup();
    if spans.len() == ordinals.len() {
        Ok(spans)
    } else {
        Err(ReductionFailed("a record to drop is not among its records"))
    }
}
