//! Waivers: one reason that does not act at one destination, by an officer's word and for a time.

use std::collections::BTreeMap;

use super::{
    super::{
        expiry::{Exception, ExpiryKind},
        raw_destination as raw, suggest,
        yaml::Trail,
    },
    context::Context,
};
use crate::model::{Day, Timestamp, UtcOffset, decision::ReasonCode};

/// Reasons that an officer lets pass here, each until the end of its last day.
pub(super) fn compile(
    cx: &Context<'_>,
    at: &Trail,
    destination: &raw::Destination,
    offset: UtcOffset,
) -> BTreeMap<ReasonCode, Timestamp> {
    let mut waivers = BTreeMap::new();
    for (index, raw) in destination.waivers.iter().enumerate() {
        let at = at.index(index);
        cx.not_empty(&at.key("officer"), &raw.officer);
        cx.not_empty(&at.key("why"), &raw.why);
        let until_at = at.key("until");
        let until = cx.parse::<Day>(&until_at, &raw.until);
        let Some(code) = waived(cx, &at.key("reason"), &raw.reason) else {
            continue;
        };
        let Some(until) = until else { continue };
        let exception = Exception {
            destination: destination.id.as_str().into(),
            kind: ExpiryKind::Waiver,
            what: raw.reason.clone(),
            owner: raw.officer.clone(),
            reason: raw.why.clone(),
            until,
        };
        cx.exception(&until_at, exception, offset, "the waiver");
        if waivers.insert(code, until.end(offset)).is_some() {
            cx.error(
                &at.key("reason"),
                format!("`{code}` is waived twice"),
                "keep one of the two",
            );
        }
    }
    waivers
}

/// The code that a waiver names, if it is one that can be waived.
fn waived(cx: &Context<'_>, at: &Trail, text: &str) -> Option<ReasonCode> {
    match text.parse::<ReasonCode>() {
        Ok(code) if code.acts_always() => {
            cx.error(
                at,
                format!("`{code}` acts always; it cannot be waived"),
                "remove the waiver",
            );
            None
        }
        Ok(code) => Some(code),
        Err(_) => {
            let codes = ReasonCode::ALL.iter().map(|it| it.as_str());
            let fix = suggest::nearest(text, codes).map_or_else(
                || "write a reason code such as no-agreement".to_owned(),
                |it| format!("did you mean `{it}`?"),
            );
            cx.error(at, format!("unknown reason code `{text}`"), fix);
            None
        }
    }
}
