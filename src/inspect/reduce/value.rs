//! One value: what of it goes, and what stands in its place.

use std::{collections::BTreeSet, ops::Range};

use super::{
    Token,
    aim::Aim,
    edit::{Edit, Edits},
    json,
};
use crate::{
    inspect::{
        ReductionFailed,
        format::{
            json::{integer, token},
            layer::{Escape, Layer, unescape_percent},
        },
    },
    model::{
        Category,
        destination::Operator,
        subject::{Identifier, IdentifierKind},
    },
};

/// What stands in place of a masked value, before the characters that stay.
const MASK: &str = "***";

/// Fewest letters and digits of a value of which a mask shows the last.
const SHOWN_FROM: usize = 8;

/// How a pseudonym begins.
const PSEUDONYM: &str = "psn_";

/// The domain of addresses that are pseudonyms: reserved, so that no mail ever goes there (RFC 6761 §6.4).
const PSEUDONYM_DOMAIN: &str = "pseudonym.invalid";

/// Nesting of documents in strings; the reader's own bound is no higher.
const DEPTH_MAX: usize = 128;

/// Rounds of percent escapes that the reader undoes, the first one not counted.
const ROUNDS_MORE: usize = 2;

/// What becomes of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It goes, with what names and separates it.
    Goes,
    /// It stays, perhaps edited.
    Stays,
}

/// How a value is written where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// A number or a word of JSON: what takes its place is a string.
    Bare,
    /// Text of which no part can be written over by itself.
    Sealed,
    /// Text.
    Text,
}

/// The edits of one text while they are made.
pub(super) struct Taking<'a> {
    aims: Vec<Aim>,
    edits: Vec<Edit>,
    token: Token<'a>,
    /// Values that are taken out of the message; a weak aim counts if it shows one of them.
    known: &'a BTreeSet<(Category, String)>,
    /// Values that were taken out here, normalised.
    pub(super) taken: BTreeSet<(Category, String)>,
    /// The same as they were written.
    pub(super) spelled: Vec<(Category, String)>,
    /// What was written in place of values, without the escapes around it.
    pub(super) written: Vec<String>,
    /// How many values were removed or replaced.
    pub(super) removed: u32,
}

impl<'a> Taking<'a> {
    pub(super) const fn new(
        aims: Vec<Aim>,
        token: Token<'a>,
        known: &'a BTreeSet<(Category, String)>,
    ) -> Self {
        Self {
            aims,
            edits: Vec::new(),
            token,
            known,
            taken: BTreeSet::new(),
            spelled: Vec::new(),
            written: Vec::new(),
            removed: 0,
        }
    }

    pub(super) fn cut(&mut self, range: Range<usize>) {
        self.edits.push(Edit::cut(range));
    }

    pub(super) fn put(&mut self, range: Range<usize>, text: String) {
        self.edits.push(Edit { range, text });
    }

    /// Notes that a value went as a whole.
    pub(super) const fn count(&mut self) {
        self.removed = self.removed.saturating_add(1);
    }

    /// Findings that something was done about.
    pub(super) fn met(&self) -> impl Iterator<Item = usize> {
        let met = self.aims.iter().filter(|it| it.is_met);
        met.map(|it| it.finding)
    }

    /// The edits, when every aim was met.
    ///
    /// # Errors
    /// Something stands where nothing can be taken out.
    pub(super) fn finish(&mut self) -> Result<Edits, ReductionFailed> {
        if self.aims.iter().all(|it| it.is_met || it.is_weak) {
            Edits::new(std::mem::take(&mut self.edits))
        } else {
            Err(ReductionFailed(
                "a value to take out is in no part that can go",
            ))
        }
    }

    /// The numbers of the aims inside `extent`.
    fn inside(&self, extent: &Range<usize>, in_key: bool) -> Vec<usize> {
        let from = self.aims.partition_point(|it| it.span.start < extent.start);
        let rest = self.aims.get(from..).unwrap_or_default().iter();
        let near = rest.take_while(|it| it.span.start <= extent.end);
        let inside = near
            .enumerate()
            .filter(|(_, it)| it.span.end <= extent.end && it.in_key == in_key);
        inside.map(|(at, _)| from + at).collect()
    }

    /// Whether something inside `extent` is aimed at.
    pub(super) fn aims_at(&self, extent: &Range<usize>) -> bool {
        !self.inside(extent, false).is_empty() || !self.inside(extent, true).is_empty()
    }

    /// Whether the piece `whole` goes as one, for what is aimed at in it: something beside its `value`, a name, or an encoding. Those
    /// aims are met then, and counted as one.
    pub(super) fn takes_whole(&mut self, whole: &Range<usize>, value: &Range<usize>) -> bool {
        let mut inside = self.inside(whole, true);
        let is_beside = |it: &Aim| it.span.start < value.start || it.span.end > value.end;
        let plain = self.inside(whole, false);
        inside.extend(plain.into_iter().filter(|at| {
            let aim = self.aims.get(*at);
            aim.is_some_and(|it| it.is_encoded || is_beside(it))
        }));
        inside.retain(|at| self.aims.get(*at).is_some_and(|it| !it.is_weak));
        if inside.is_empty() {
            return false;
        }
        for at in self.inside(whole, false).into_iter().chain(inside) {
            if let Some(aim) = self.aims.get_mut(at) {
                aim.is_met = true;
            }
        }
        self.count();
        true
    }

    /// Whether the name of the piece `whole` is aimed at. It is met then, and counted.
    pub(super) fn takes_name(&mut self, whole: &Range<usize>) -> bool {
        let names = self.inside(whole, true).into_iter();
        let names: Vec<usize> = names.filter(|it| self.is_due(*it)).collect();
        for at in &names {
            if let Some(aim) = self.aims.get_mut(*at) {
                aim.is_met = true;
            }
        }
        if names.is_empty() {
            return false;
        }
        self.count();
        true
    }

    fn is_due(&self, at: usize) -> bool {
        self.aims
            .get(at)
            .is_some_and(|it| !it.is_met && !it.is_weak)
    }

    /// The bytes of the aims inside `extent` that nothing was done about.
    pub(super) fn unmet(&self, extent: &Range<usize>) -> Vec<Range<usize>> {
        let inside = self.inside(extent, false).into_iter();
        inside
            .filter_map(|at| self.aims.get(at).filter(|it| !it.is_met))
            .map(|it| it.span.clone())
            .collect()
    }

    /// What becomes of a value that may be written with percent escapes, in several rounds.
    ///
    /// # Errors
    /// It cannot be taken out of what it stands in.
    pub(super) fn escaped(
        &mut self,
        raw: &str,
        at: usize,
        layer: &Layer<'_>,
        escape: Escape,
    ) -> Result<Fate, ReductionFailed> {
        if self.inside(&(at..at + raw.len()), false).is_empty() {
            return Ok(Fate::Stays);
        }
        // What cannot be undone was read as it is written.
        match unescape_percent(raw, escape).unwrap_or_default() {
            Some(text) => self.round(&text, &layer.inside(raw, at, escape), ROUNDS_MORE),
            None => self.round(raw, &layer.inside(raw, at, Escape::None), ROUNDS_MORE),
        }
    }

    fn round(
        &mut self,
        text: &str,
        layer: &Layer<'_>,
        rounds: usize,
    ) -> Result<Fate, ReductionFailed> {
        if rounds > 0
            && let Ok(Some(again)) = unescape_percent(text, Escape::Percent)
        {
            let inner = layer.inside(text, 0, Escape::Percent);
            return self.round(&again, &inner, rounds - 1);
        }
        self.value(text, layer, Shape::Text)
    }

    /// What becomes of the value `text`, whose layer is `layer`. What of it stays is edited.
    ///
    /// # Errors
    /// It cannot be taken out of what it stands in.
    pub(super) fn value(
        &mut self,
        text: &str,
        layer: &Layer<'_>,
        shape: Shape,
    ) -> Result<Fate, ReductionFailed> {
        let extent = layer.outward(0..text.len());
        let aims = self.inside(&extent, false);
        let in_keys = shape == Shape::Text && !self.inside(&extent, true).is_empty();
        if aims.is_empty() && !in_keys {
            return Ok(Fate::Stays);
        }
        if shape == Shape::Text && is_document(text) {
            json::document(self, text, layer, 0, &[])?;
            return Ok(Fate::Stays);
        }
        self.leaf(text, layer, &aims, shape)
    }

    /// The same for a member's or parameter's name. A name that is pseudonymised as a whole stays a name; any other goes, with what
    /// it names: two masked names would be one.
    ///
    /// # Errors
    /// It cannot be taken out of what it stands in.
    pub(super) fn name(&mut self, text: &str, layer: &Layer<'_>) -> Result<Fate, ReductionFailed> {
        let extent = layer.outward(0..text.len());
        let aims = self.inside(&extent, true);
        let parts = self.parts(text, layer, &aims);
        let Some(first) = parts.first() else {
            return Ok(Fate::Stays);
        };
        self.note(text, &parts);
        self.count();
        let is_whole = parts.len() == 1
            && first.operator == Operator::Pseudonymise
            && !first.is_encoded
            && is_all(text, &parts);
        if !is_whole {
            return Ok(Fate::Goes);
        }
        self.replace(text, layer, first, Shape::Text)?;
        Ok(Fate::Stays)
    }

    fn leaf(
        &mut self,
        text: &str,
        layer: &Layer<'_>,
        aims: &[usize],
        shape: Shape,
    ) -> Result<Fate, ReductionFailed> {
        let mut parts = self.parts(text, layer, aims);
        if parts.is_empty() {
            return Ok(Fate::Stays);
        }
        self.note(text, &parts);
        if shape != Shape::Text || parts.iter().any(|it| it.is_encoded) {
            // Neither a part of a number nor one of an encoding can go by itself.
            let whole = parts.into_iter().reduce(|all, it| all.join(&it));
            parts = whole.into_iter().collect();
            for it in &mut parts {
                it.range = 0..text.len();
            }
        }
        let is_removed = |it: &Cutting| it.operator == Operator::Remove;
        if parts.iter().all(is_removed) && is_all(text, &parts) {
            self.count();
            return Ok(Fate::Goes);
        }
        for part in &parts {
            self.count();
            self.replace(text, layer, part, shape)?;
        }
        Ok(Fate::Stays)
    }

    /// What of `text` goes: the aims' ranges of it, those that overlap joined. The aims are met.
    fn parts(&mut self, text: &str, layer: &Layer<'_>, aims: &[usize]) -> Vec<Cutting> {
        let mut parts: Vec<Cutting> = Vec::new();
        for at in aims {
            let Some(aim) = self.aims.get_mut(*at) else {
                continue;
            };
            let range = if aim.is_encoded {
                0..text.len()
            } else {
                let range = layer.inward(aim.span.clone());
                range.start.min(text.len())..range.end.min(text.len())
            };
            let value = text.get(range.clone()).unwrap_or_default();
            if aim.is_weak
                && !aim.is_encoded
                && !self
                    .known
                    .contains(&(aim.category, plain(aim.category, value)))
            {
                continue;
            }
            aim.is_met = true;
            if !aim.is_encoded {
                // What overlaps is written over as one, and each of it is a value by itself.
                self.taken
                    .insert((aim.category, plain(aim.category, value)));
                self.spelled.push((aim.category, value.to_owned()));
            }
            let part = Cutting {
                range,
                operator: aim.operator,
                category: aim.category,
                is_encoded: aim.is_encoded,
            };
            match parts.pop() {
                Some(last) if part.range.start < last.range.end => parts.push(last.join(&part)),
                last => parts.extend(last.into_iter().chain([part])),
            }
        }
        parts
    }

    /// Remembers the values that go.
    fn note(&mut self, text: &str, parts: &[Cutting]) {
        for it in parts.iter().filter(|it| !it.is_encoded) {
            let value = text.get(it.range.clone()).unwrap_or_default();
            self.taken.insert((it.category, plain(it.category, value)));
            self.spelled.push((it.category, value.to_owned()));
        }
    }

    fn replace(
        &mut self,
        text: &str,
        layer: &Layer<'_>,
        part: &Cutting,
        shape: Shape,
    ) -> Result<(), ReductionFailed> {
        let value = text.get(part.range.clone()).unwrap_or_default();
        let (substitute, written) = match shape {
            Shape::Bare => {
                // However a number is written, it is the same number.
                let digits = integer(value);
                let value = digits.as_deref().unwrap_or(value);
                let it = self.substitute(value, part, false);
                let written = layer.escaped(&format!("\"{it}\""));
                (it, written)
            }
            Shape::Sealed | Shape::Text => {
                let it = self.substitute(value, part, part.is_encoded);
                let written = layer.escaped(&it);
                (it, written)
            }
        };
        let written = written.ok_or(NO_WAY_BACK)?;
        self.written.push(substitute);
        self.put(layer.outward(part.range.clone()), written);
        Ok(())
    }

    /// What stands in place of `part`, which is `value`.
    fn substitute(&self, value: &str, part: &Cutting, is_encoded: bool) -> String {
        match part.operator {
            Operator::Mask if is_encoded => MASK.to_owned(),
            Operator::Mask => masked(part.category, value),
            Operator::Pseudonymise => {
                let token = (self.token)(part.category, &plain(part.category, value));
                if part.category == Category::Email && !is_encoded {
                    format!("{PSEUDONYM}{token}@{PSEUDONYM_DOMAIN}")
                } else {
                    format!("{PSEUDONYM}{token}")
                }
            }
            Operator::Remove => String::new(),
        }
    }
}

const NO_WAY_BACK: ReductionFailed =
    ReductionFailed("a value to replace is encoded in a way that cannot be written");

/// A range of a value that goes.
#[derive(Debug)]
struct Cutting {
    range: Range<usize>,
    operator: Operator,
    category: Category,
    is_encoded: bool,
}

impl Cutting {
    /// Both as one. Where they are treated differently, it is removed: neither treatment is enough for the other.
    fn join(self, other: &Self) -> Self {
        Self {
            range: self.range.start.min(other.range.start)..self.range.end.max(other.range.end),
            operator: if self.operator == other.operator {
                self.operator
            } else {
                Operator::Remove
            },
            // The mask that shows less.
            category: if shown(self.category) <= shown(other.category) {
                self.category
            } else {
                other.category
            },
            is_encoded: self.is_encoded || other.is_encoded,
        }
    }
}

/// Whether nothing but signs is left of `text` without `parts`.
fn is_all(text: &str, parts: &[Cutting]) -> bool {
    let is_in = |at: usize| parts.iter().any(|it| it.range.contains(&at));
    text.char_indices()
        .all(|(at, ch)| !ch.is_alphanumeric() || is_in(at))
}

/// How many of the last letters and digits a mask of this category shows. Card and account numbers are told apart by four
/// (PCI DSS 3.4.1), telephones by two.
const fn shown(category: Category) -> usize {
    if matches!(
        category,
        Category::PaymentAccount | Category::PaymentCard | Category::PaymentIban
    ) {
        4
    } else if matches!(category, Category::Phone) {
        2
    } else {
        0
    }
}

fn masked(category: Category, value: &str) -> String {
    let signs: Vec<char> = value.chars().filter(char::is_ascii_alphanumeric).collect();
    let shown = shown(category);
    let mut out = MASK.to_owned();
    if signs.len() >= SHOWN_FROM {
        out.extend(signs.iter().skip(signs.len() - shown));
    }
    out
}

/// The value in the one spelling that is compared and pseudonymised.
fn plain(category: Category, value: &str) -> String {
    let identifier = kind(category).and_then(|it| Identifier::normalise(it, value));
    identifier.map_or_else(
        || {
            let words: Vec<&str> = value.split_whitespace().collect();
            words.join(" ").to_lowercase()
        },
        |it| it.value.into_exposed(),
    )
}

/// The kind of identifier that values of `category` are.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "few categories are identifiers; the value of any other is compared as text"
)]
const fn kind(category: Category) -> Option<IdentifierKind> {
    match category {
        Category::Email => Some(IdentifierKind::Email),
        Category::IdDocument | Category::IdDocumentNumber => Some(IdentifierKind::IdDocument),
        Category::NationalId => Some(IdentifierKind::NationalId),
        Category::OnlineAccountId => Some(IdentifierKind::InternalId),
        Category::Phone => Some(IdentifierKind::Phone),
        _ => None,
    }
}

/// Whether `text` is one JSON document that the reader walks.
pub(super) fn is_document(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && token::document_fault(text, DEPTH_MAX).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_show_the_end_of_what_is_told_apart_by_it() {
        use Category as C;
        for (category, value, expected) in [
            (C::PaymentCard, "4111 1111 1111 1111", "***1111"),
            (C::PaymentIban, "KZ86 125K ZT50 0410 0100", "***0100"),
            (C::Phone, "+7 701 000 00 01", "***01"),
            (C::Phone, "0001", "***"),
            (C::Email, "aru@example.org", "***"),
            (C::NationalId, "991231100010", "***"),
            (
                C::NameFull,
                "\u{410}\u{439}\u{433}\u{435}\u{440}\u{438}\u{43c}",
                "***",
            ),
        ] {
            assert_eq!(masked(category, value), expected, "{category}");
        }
    }

    #[test]
    fn one_value_has_one_spelling() {
        for (category, values, expected) in [
            (
                Category::Phone,
                ["+7 (701) 000-00-01", "87010000001"],
                "77010000001",
            ),
            (
                Category::Email,
                [" Aru@Example.org", "aru@example.org"],
                "aru@example.org",
            ),
            (
                Category::NameFull,
                ["Aru  Serik", "ARU\nSERIK"],
                "aru serik",
            ),
        ] {
            for value in values {
                assert_eq!(plain(category, value), expected, "{value}");
            }
        }
    }
}
