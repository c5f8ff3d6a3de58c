//! Recipients.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{raw, yaml::Trail},
    context::Context,
};
use crate::model::{
    UtcOffset,
    destination::{Party, ProtectionLevel},
};

/// By id.
pub(super) type Parties = BTreeMap<String, Party>;

pub(super) fn compile(cx: &Context<'_>, root: &raw::Root, offset: UtcOffset) -> Parties {
    let mut ids = BTreeSet::new();
    let mut parties = Parties::new();
    for (index, raw) in root.parties.iter().enumerate() {
        let at = Trail::default().key("parties").index(index);
        cx.id(&at.key("id"), &raw.id, "party", &mut ids);
        cx.not_empty(&at.key("legal_name"), &raw.legal_name);
        let level_at = at.key("protection_level");
        let level = raw.protection_level.as_ref();
        let party = Party {
            id: raw.id.as_str().into(),
            legal_name: raw.legal_name.clone(),
            registration: raw.registration.clone(),
            certifications: raw
                .certifications
                .iter()
                .map(|it| it.as_str().into())
                .collect(),
            protection_level: level.and_then(|it| protection_level(cx, &level_at, it, offset)),
            role: raw.role,
            classes: raw.classes.iter().map(|it| it.as_str().into()).collect(),
        };
        parties.insert(raw.id.clone(), party);
    }
    parties
}

fn protection_level(
    cx: &Context<'_>,
    at: &Trail,
    raw: &raw::ProtectionLevel,
    offset: UtcOffset,
) -> Option<ProtectionLevel> {
    cx.not_empty(&at.key("by"), &raw.by);
    cx.not_empty(&at.key("reason"), &raw.reason);
    let until_at = at.key("until");
    let until = raw.until.as_ref().map(|it| cx.parse(&until_at, it));
    if let Some(Some(until)) = until {
        let fix = "assess the recipient again";
        cx.expiry(&until_at, until, offset, "the protection level", fix);
    }
    Some(ProtectionLevel {
        by: raw.by.clone(),
        at: cx.parse(&at.key("at"), &raw.at)?,
        reason: raw.reason.clone(),
        until: match until {
            Some(until) => Some(until?),
            None => None,
        },
    })
}

/// Warns of parties that nothing names: often a misspelt id elsewhere, or a recipient that was forgotten.
pub(super) fn warn_unused(cx: &Context<'_>, root: &raw::Root) {
    let used: BTreeSet<&str> = root
        .destinations
        .iter()
        .flat_map(|it| {
            let onward = it.onward.iter().map(|it| it.party.as_str());
            onward.chain([it.party.as_str()])
        })
        .chain(root.adequacy.iter().filter_map(|it| it.party.as_deref()))
        .collect();
    for (index, party) in root.parties.iter().enumerate() {
        if !used.contains(party.id.as_str()) {
            cx.warning(
                &Trail::default().key("parties").index(index).key("id"),
                format!("no destination names the party `{}`", party.id),
                "remove it, or name it in a destination",
            );
        }
    }
}
