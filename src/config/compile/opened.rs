//! What is opened by somebody's word and for a time: components that fail, and kinds of gaps.

use std::collections::BTreeMap;

use super::{
    super::{
        expiry::{Exception, ExpiryKind},
        raw_destination as raw,
        yaml::Trail,
    },
    World,
    context::Context,
};
use crate::model::{
    Timestamp,
    destination::{FailurePolicy, GapPolicy},
    finding::GapKind,
};

/// What happens when the `component`, named as in the file, fails. An opening that cannot be dated stays closed.
pub(super) fn failure(
    cx: &Context<'_>,
    at: &Trail,
    component: (&str, &raw::FailurePolicy),
    destination: &raw::Destination,
    world: &World<'_>,
) -> FailurePolicy {
    let (name, policy) = component;
    let raw::FailurePolicy::Open(opening) = policy else {
        return FailurePolicy::Closed;
    };
    let at = at.key(name).key("open");
    let what = (ExpiryKind::FailureOpen, name);
    let end = end(cx, &at, opening, what, destination, world);
    end.map_or(FailurePolicy::Closed, FailurePolicy::OpenUntil)
}

/// What each kind of gap means at `destination`. One that cannot be dated blocks.
pub(super) fn gaps(
    cx: &Context<'_>,
    at: &Trail,
    destination: &raw::Destination,
    world: &World<'_>,
) -> BTreeMap<GapKind, GapPolicy> {
    let mut gaps = BTreeMap::new();
    for (name, policy) in &destination.gaps {
        let at = at.key(name);
        let Ok(kind) = name.parse::<GapKind>() else {
            let known = GapKind::ALL.iter().map(|it| it.as_str());
            cx.unknown(&at, "kind of gap", name, known);
            continue;
        };
        let policy = match policy {
            raw::GapPolicy::Block => GapPolicy::Block,
            raw::GapPolicy::AllowLogged(opening) if kind.is_openable() => {
                let at = at.key("allow-logged");
                let what = (ExpiryKind::Gap, name.as_str());
                let end = end(cx, &at, opening, what, destination, world);
                end.map_or(GapPolicy::Block, GapPolicy::AllowLoggedUntil)
            }
            raw::GapPolicy::AllowLogged(_) => {
                let fix = if kind == GapKind::InspectionFailed {
                    "use `failure: {inspection: {open: …}}`"
                } else {
                    "remove the line: what can be read in two ways is never sent"
                };
                cx.error(&at, format!("the gap `{name}` cannot be opened"), fix);
                GapPolicy::Block
            }
        };
        gaps.insert(kind, policy);
    }
    gaps
}

/// When the `opening` of `what` at `destination` ends.
fn end(
    cx: &Context<'_>,
    at: &Trail,
    opening: &raw::Opening,
    (kind, what): (ExpiryKind, &str),
    destination: &raw::Destination,
    world: &World<'_>,
) -> Option<Timestamp> {
    cx.not_empty(&at.key("owner"), &opening.owner);
    cx.not_empty(&at.key("reason"), &opening.reason);
    let until_at = at.key("until");
    let until = cx.parse(&until_at, &opening.until)?;
    let exception = Exception {
        destination: destination.id.as_str().into(),
        kind,
        what: what.to_owned(),
        owner: opening.owner.clone(),
        reason: opening.reason.clone(),
        until,
    };
    let offset = world.operator.utc_offset;
    cx.exception(&until_at, exception, offset, "the opening");
    Some(until.end(offset))
}
