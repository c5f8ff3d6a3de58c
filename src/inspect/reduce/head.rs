//! Header and trailer fields.

use http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, HOST},
};

use super::{
    ReductionFailed, Work,
    aim::Aim,
    form,
    value::{Fate, Taking},
};
use crate::{
    inspect::format::layer::{Escape, Layer},
    model::finding::Part,
};

/// `fields` without what is aimed at. A line goes as a whole when its value or its name does; a cookie goes from its line.
///
/// # Errors
/// Something stands where it cannot be taken out.
pub(super) fn fields(
    work: &mut Work<'_>,
    part: Part,
    fields: &HeaderMap,
) -> Result<HeaderMap, ReductionFailed> {
    let mut out = HeaderMap::with_capacity(fields.len());
    let (mut old, mut new) = (0, 0);
    for (name, value) in fields {
        if name == HOST {
            out.append(name, value.clone());
            continue;
        }
        let aims = work.aims((part, old));
        let kept = if aims.is_empty() {
            Some(value.clone())
        } else {
            line(work, (part, old), name == COOKIE, value, aims)?
        };
        let place = kept.is_some().then_some(new);
        work.trail.lines.insert((part, old), place);
        old += 1;
        if let Some(value) = kept {
            new += 1;
            out.append(name, value);
        }
    }
    Ok(out)
}

/// The line without what is aimed at; `None` when nothing of it stays.
fn line(
    work: &mut Work<'_>,
    place: (Part, usize),
    is_cookie: bool,
    value: &HeaderValue,
    aims: Vec<Aim>,
) -> Result<Option<HeaderValue>, ReductionFailed> {
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| ReductionFailed("a field of its head is no text"))?;
    // The bytes of a name are counted in the name itself, so they are apart from those of the value.
    let (in_name, in_value): (Vec<Aim>, Vec<Aim>) = aims.into_iter().partition(|it| it.in_key);
    let mut names = in_name.iter().filter(|it| !it.is_weak).peekable();
    let is_named = names.peek().is_some();
    work.trail.met.extend(names.clone().map(|it| it.finding));
    let is_kept = if is_cookie {
        let names: Vec<&str> = names.filter_map(|it| it.name.as_deref()).collect();
        work.take(place, in_value, |taking| {
            form::cookies(taking, text, &names)
        })?
    } else {
        let fate = work.take(place, in_value, |taking| whole(taking, text))?;
        if is_named {
            work.removed = work.removed.saturating_add(1);
        }
        fate == Fate::Stays && !is_named
    };
    if !is_kept {
        work.trail.edits.remove(&place);
        return Ok(None);
    }
    let text = work.edited(place, text)?;
    HeaderValue::try_from(text)
        .map(Some)
        .map_err(|_| ReductionFailed("a field of its head would be no text"))
}

fn whole(taking: &mut Taking<'_>, text: &str) -> Result<Fate, ReductionFailed> {
    taking.escaped(text, 0, &Layer::root(text), Escape::Percent)
}
