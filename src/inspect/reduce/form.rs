//! Forms, queries and cookies: pairs in a row.

use super::{
    ReductionFailed,
    edit::{Child, cuts},
    value::{Fate, Taking},
};
use crate::inspect::format::layer::{Escape, Layer, unescape_percent};

/// Takes the aims out of `text`, a whole form or query. A pair goes with the `&` beside it.
///
/// # Errors
/// Something stands where it cannot be taken out.
pub(super) fn pairs(taking: &mut Taking<'_>, text: &str) -> Result<(), ReductionFailed> {
    let layer = Layer::root(text);
    let mut children = Vec::new();
    let mut from = 0;
    for piece in text.split('&') {
        let (start, end) = (from, from + piece.len());
        from = end + 1;
        if piece.is_empty() {
            continue;
        }
        let (raw_name, raw_value) = piece.split_once('=').unwrap_or((piece, ""));
        let named = name(taking, raw_name, start, &layer)?;
        let at = end - raw_value.len();
        let fate = taking.escaped(raw_value, at, &layer, Escape::PercentPlus)?;
        children.push(Child {
            span: start..end,
            is_gone: named == Fate::Goes || fate == Fate::Goes,
        });
    }
    cut(taking, &children);
    Ok(())
}

fn name(
    taking: &mut Taking<'_>,
    raw: &str,
    at: usize,
    layer: &Layer<'_>,
) -> Result<Fate, ReductionFailed> {
    // What cannot be undone was read as it is written.
    match unescape_percent(raw, Escape::PercentPlus).unwrap_or_default() {
        Some(text) => taking.name(&text, &layer.inside(raw, at, Escape::PercentPlus)),
        None => taking.name(raw, &layer.inside(raw, at, Escape::None)),
    }
}

/// Takes the aims out of a `Cookie` field, and the cookies whose names are in `names`. Whether one is left.
///
/// # Errors
/// Something stands where it cannot be taken out.
pub(super) fn cookies(
    taking: &mut Taking<'_>,
    text: &str,
    names: &[&str],
) -> Result<bool, ReductionFailed> {
    let layer = Layer::root(text);
    let mut children = Vec::new();
    let mut from = 0;
    for piece in text.split(';') {
        let start = from + (piece.len() - piece.trim_start().len());
        from += piece.len() + 1;
        let cookie = piece.trim();
        if cookie.is_empty() {
            continue;
        }
        let (name, raw) = cookie.split_once('=').unwrap_or(("", cookie));
        let end = start + cookie.len();
        let fate = taking.escaped(raw, end - raw.len(), &layer, Escape::Percent)?;
        let is_named = names.contains(&name);
        if is_named {
            taking.count();
        }
        children.push(Child {
            span: start..end,
            is_gone: is_named || fate == Fate::Goes,
        });
    }
    cut(taking, &children);
    Ok(children.iter().any(|it| !it.is_gone))
}

fn cut(taking: &mut Taking<'_>, children: &[Child]) {
    let mut ranges = Vec::new();
    cuts(children, &mut ranges);
    for range in ranges {
        taking.cut(range);
    }
}
