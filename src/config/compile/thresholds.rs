//! Thresholds: from which confidence findings of some categories, or of one detector, act at a destination.

use super::{
    super::{
        expiry::{Exception, ExpiryKind},
        raw_destination as raw, suggest,
        yaml::Trail,
    },
    context::Context,
};
use crate::{
    inspect::detect::DETECTORS,
    model::{
        Category, CategorySet, Day, UtcOffset,
        finding::{Confidence, Threshold, ThresholdOf},
    },
};

/// The thresholds of `destination`. One that asks for more than `confidence_min` hides findings: it is an exception with an owner, a
/// reason and a last day, after which it acts no more.
pub(super) fn compile(
    cx: &Context<'_>,
    destination_at: &Trail,
    destination: &raw::Destination,
    offset: UtcOffset,
) -> Vec<Threshold> {
    let is_usual_unread = cx.is_unread(&destination_at.key("confidence_min"));
    let usual = destination.confidence_min.unwrap_or(Confidence::High);
    let mut thresholds: Vec<Threshold> = Vec::new();
    for (index, raw) in destination.thresholds.iter().enumerate() {
        let at = destination_at.key("thresholds").index(index);
        let min = raw.confidence_min.confidence();
        let is_milder = !is_usual_unread && min.is_none_or(|it| it > usual);
        let until = if is_milder {
            exception(cx, &at, destination, raw, offset)
        } else {
            warn_of_end(cx, &at, raw);
            None
        };
        let Some(of) = threshold_of(cx, &at.key("of"), &raw.of) else {
            continue;
        };
        if thresholds.iter().any(|it| it.of == of) {
            let message = format!("`{}` has two thresholds", raw.of);
            cx.error(&at.key("of"), message, "keep one of the two");
        }
        if is_milder && until.is_none() {
            continue;
        }
        thresholds.push(Threshold {
            of,
            min,
            until: until.map(|it| it.end(offset)),
        });
    }
    thresholds
}

/// A category with what is below it, or a detector.
fn threshold_of(cx: &Context<'_>, at: &Trail, text: &str) -> Option<ThresholdOf> {
    if let Ok(set) = CategorySet::named(text) {
        return Some(ThresholdOf::Categories(set));
    }
    if DETECTORS.contains(&text) {
        return Some(ThresholdOf::Detector(text.into()));
    }
    let categories = Category::ALL.iter().map(|it| it.code());
    let near = suggest::nearest(text, categories.chain(DETECTORS.iter().copied()));
    let fix = near.map_or_else(
        || {
            format!(
                "a category, or one of the detectors {}",
                DETECTORS.join(", ")
            )
        },
        |it| format!("did you mean `{it}`?"),
    );
    cx.error(
        at,
        format!("`{text}` is neither a category nor a detector"),
        fix,
    );
    None
}

/// The last day of a threshold that hides findings.
fn exception(
    cx: &Context<'_>,
    at: &Trail,
    destination: &raw::Destination,
    raw: &raw::Threshold,
    offset: UtcOffset,
) -> Option<Day> {
    let (Some(reason), Some(owner), Some(expires)) = (&raw.reason, &raw.owner, &raw.expires) else {
        cx.error(
            at,
            "the threshold asks for more than `confidence_min`, so findings no longer act",
            "say `reason`, `owner` and `expires`, or ask for less",
        );
        return None;
    };
    cx.not_empty(&at.key("reason"), reason);
    cx.not_empty(&at.key("owner"), owner);
    let expires_at = at.key("expires");
    let until = cx.parse::<Day>(&expires_at, expires)?;
    let exception = Exception {
        destination: destination.id.as_str().into(),
        kind: ExpiryKind::Threshold,
        what: raw.of.clone(),
        owner: owner.clone(),
        reason: reason.clone(),
        until,
    };
    cx.exception(&expires_at, exception, offset, "the threshold");
    Some(until)
}

fn warn_of_end(cx: &Context<'_>, at: &Trail, raw: &raw::Threshold) {
    if raw.expires.is_some() {
        cx.warning(
            &at.key("expires"),
            "a threshold that asks for no more than `confidence_min` hides nothing and does not end",
            "remove the key",
        );
    }
}
