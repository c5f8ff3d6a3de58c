//! The second reading held against the first: what was not taken out is all there, and nothing else is.

use std::{collections::BTreeMap, ops::Range};

use memchr::memmem;
use percent_encoding::percent_decode;

use super::{Reduced, Trail, edit::Moved};
use crate::{
    inspect::{
        ReductionFailed,
        content::{self, Content},
        format::layer::unescape_json,
    },
    model::{
        Category,
        finding::{Confidence, Finding, Part},
        inspection::{Budget, Inspection},
        message::Message,
    },
};

/// Shortest value that is looked for in the rest of the message, in characters: a shorter one stands there by chance.
const TOLD_FROM: usize = 6;

/// One finding without its confidence.
type Mark = (Part, usize, usize, usize, Category, &'static str, bool);

/// What may be found again: how sure at most, and whether it must be.
type Expected = BTreeMap<Mark, Vec<(Confidence, bool)>>;

/// See [`Reduced::check`].
pub(super) fn agree(
    reduced: &Reduced,
    before: &Inspection,
    after: &Inspection,
) -> Result<(), ReductionFailed> {
    const OTHER: ReductionFailed = ReductionFailed("what is left is read otherwise than before");
    let mut expected = expected(&reduced.trail, before);
    for finding in &after.findings {
        let mark = mark(finding, finding.line, finding.span.clone());
        let known = expected.get_mut(&mark).ok_or(OTHER)?;
        let found = known.iter().position(|it| it.0 >= finding.confidence);
        known.swap_remove(found.ok_or(OTHER)?);
    }
    if expected.values().flatten().any(|it| it.1) {
        return Err(OTHER);
    }
    left_over(reduced, after)
}

fn mark(finding: &Finding, line: usize, span: Range<usize>) -> Mark {
    (
        finding.location.part,
        line,
        span.start,
        span.end,
        finding.category,
        finding.detector,
        finding.in_key,
    )
}

/// The findings of `before` that were not taken out, where they stand now. What shares bytes with something that was taken out may
/// be found again and need not.
fn expected(trail: &Trail, before: &Inspection) -> Expected {
    let mut expected = Expected::new();
    for (at, finding) in before.findings.iter().enumerate() {
        if trail.met.contains(&at) {
            continue;
        }
        let place = (finding.location.part, finding.line);
        let line = match trail.lines.get(&place) {
            Some(None) => continue,
            Some(Some(line)) => *line,
            None => finding.line,
        };
        let edits = trail.edits.get(&place);
        let is_name = finding.in_key && matches!(place.0, Part::Header | Part::Trailer);
        let moved = match edits {
            None => Moved::Kept(finding.span.clone()),
            // The bytes of a name are counted in the name itself; of several cookies one may have gone.
            Some(_) if is_name => Moved::Touched(Some(finding.span.clone())),
            Some(edits) => edits.moved(&finding.span),
        };
        let (span, is_due) = match moved {
            Moved::Kept(span) => (span, true),
            Moved::Touched(Some(span)) => (span, false),
            Moved::Touched(None) => continue,
        };
        expected
            .entry(mark(finding, line, span))
            .or_default()
            .push((finding.confidence, is_due));
    }
    expected
}

/// Whether values of `category` tell of one person wherever they stand.
const fn tells(category: Category) -> bool {
    matches!(
        category,
        Category::Email
            | Category::IdDocument
            | Category::IdDocumentNumber
            | Category::NameFormer
            | Category::NameFull
            | Category::NameGiven
            | Category::NamePatronymic
            | Category::NameSurname
            | Category::NationalId
            | Category::PaymentAccount
            | Category::PaymentCard
            | Category::PaymentIban
            | Category::Phone
    )
}

/// Looks for the values that were taken out, letter for letter, in all that is left: a name in running text is no finding, yet it
/// is the name that was to go. What stands in a finding was judged by itself.
fn left_over(reduced: &Reduced, after: &Inspection) -> Result<(), ReductionFailed> {
    const LEFT: ReductionFailed =
        ReductionFailed("a value that was taken out stands elsewhere too");
    let mut values: Vec<&(Category, String)> = reduced.trail.spelled.iter().collect();
    values.retain(|it| tells(it.0) && it.1.chars().count() >= TOLD_FROM);
    values.sort();
    values.dedup();
    let body = content::open(&reduced.message, &Budget::default());
    let body = body.content.ok().and_then(Content::into_text);
    let texts = texts(&reduced.message, body.as_deref().unwrap_or_default());
    for alike in values.chunk_by(|one, next| one.0 == next.0) {
        let category = alike.first().map(|it| it.0);
        for (place, text) in &texts {
            let judged: Vec<Range<usize>> = after
                .findings
                .iter()
                .filter(|it| (it.location.part, it.line) == *place)
                .filter(|it| Some(it.category) == category)
                .map(|it| it.span.clone())
                .collect();
            let unescaped = without_percent(text, &judged);
            for (_, value) in alike {
                let is_escaped = |it: &Vec<u8>| memmem::find(it, value.as_bytes()).is_some();
                if stands(text, value, &judged) || unescaped.as_ref().is_some_and(is_escaped) {
                    return Err(LEFT);
                }
            }
        }
    }
    Ok(())
}

/// Whether `value` stands in `text`, as it is or with escapes of JSON, other than in what was `judged`.
fn stands(text: &[u8], value: &str, judged: &[Range<usize>]) -> bool {
    let is_judged = |at: usize| {
        let mut ranges = judged.iter();
        ranges.any(|it| it.start <= at && at + value.len() <= it.end)
    };
    let mut met = memmem::find_iter(text, value.as_bytes());
    if met.any(|at| !is_judged(at)) {
        return true;
    }
    if value.is_ascii() || memchr::memchr(b'\\', text).is_none() {
        return false;
    }
    let mut unescaped = String::new();
    unescape_json(&String::from_utf8_lossy(text), &mut unescaped);
    let found = memmem::find(unescaped.as_bytes(), value.as_bytes());
    found.is_some_and(|_| memmem::find(text, value.as_bytes()).is_none())
}

/// `text` as recipients of forms and queries read it, without what was `judged`; `None` when it is the same to them.
fn without_percent(text: &[u8], judged: &[Range<usize>]) -> Option<Vec<u8>> {
    memchr::memchr2(b'%', b'+', text)?;
    let mut rest = text.to_vec();
    for range in judged {
        rest.get_mut(range.clone()).unwrap_or_default().fill(0);
    }
    for byte in rest.iter_mut().filter(|it| **it == b'+') {
        *byte = b' ';
    }
    Some(percent_decode(&rest).collect())
}

/// The texts of `message`, by place.
fn texts<'m>(message: &'m Message, body: &'m str) -> Vec<((Part, usize), &'m [u8])> {
    let mut texts: Vec<((Part, usize), &[u8])> = vec![
        ((Part::Path, 0), message.path.as_bytes()),
        ((Part::Body, 0), body.as_bytes()),
    ];
    let query = message.query.as_deref().map(str::as_bytes);
    texts.extend(query.map(|it| ((Part::Query, 0), it)));
    for (part, fields) in [
        (Part::Header, &message.headers),
        (Part::Trailer, &message.trailers),
    ] {
        let lines = fields.iter().filter(|it| it.0 != http::header::HOST);
        texts.extend(
            (0..)
                .zip(lines)
                .map(|(at, it)| ((part, at), it.1.as_bytes())),
        );
    }
    texts
}
