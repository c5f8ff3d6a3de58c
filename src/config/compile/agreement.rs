//! What is on paper: agreements, safeguards, notifications.

use super::{
    super::{raw_destination as raw, yaml::Trail},
    World, callers,
    context::Context,
};
use crate::model::{
    Day,
    destination::{Agreement, Notification, Party, Role, Safeguard},
    law::Reading,
};

/// Compiles the agreement and compares it with the recipient's role.
pub(super) fn compile(
    cx: &Context<'_>,
    at: &Trail,
    raw: &raw::Destination,
    world: &World<'_>,
    party: Option<&Party>,
    readings: &[std::sync::Arc<Reading>],
) -> Option<Agreement> {
    let is_required = |it: &Party| {
        let mut profiles = readings.iter().map(|it| &it.profile);
        profiles.any(|profile| profile.agreement_required_roles.contains(&it.role))
    };
    let agreement_at = at.key("agreement");
    let Some(written) = &raw.agreement else {
        if let Some(party) = party.filter(|it| is_required(it)) {
            cx.warning(
                &at.key("party"),
                format!(
                    "no agreement with `{}`: personal data to it is refused (no-agreement)",
                    party.id
                ),
                "add `agreement:` with its actions and purposes, once it is signed",
            );
        }
        return None;
    };
    if let Some(party) = party {
        fits_party(cx, &agreement_at, written, party, is_required(party));
    }
    Some(agreement(cx, &agreement_at, written, world))
}

fn fits_party(
    cx: &Context<'_>,
    at: &Trail,
    written: &raw::Agreement,
    party: &Party,
    is_required: bool,
) {
    if matches!(party.role, Role::SelfOperator | Role::Public) {
        cx.warning(
            at,
            format!("an agreement with `{}` is never asked for", party.id),
            "remove it, or correct the party's role",
        );
    }
    if let Some(other) = written.party.as_ref().filter(|it| **it != *party.id) {
        cx.error(
            &at.key("party"),
            format!(
                "the agreement is with `{other}`, the destination's party is `{}`",
                party.id
            ),
            "name the same party in both, or remove this key",
        );
    }
    let duties = [
        ("confidentiality", written.confidentiality),
        ("security", written.security),
    ];
    for (duty, _) in duties.iter().filter(|(_, binds)| is_required && !binds) {
        cx.warning(
            at,
            format!("the agreement does not bind to {duty}: transfers are refused (no-agreement)"),
            format!("write `{duty}: true` once the document says so"),
        );
    }
}

/// Total, so that the routes are compared with it when its days are wrong.
fn agreement(cx: &Context<'_>, at: &Trail, raw: &raw::Agreement, world: &World<'_>) -> Agreement {
    if let Some(text) = raw.sha256.as_ref().filter(|it| callers::hash(it).is_none()) {
        let message = format!("`{text}` is not a SHA-256");
        cx.error(
            &at.key("sha256"),
            message,
            "write 64 lower-case hex digits: sha256sum FILE",
        );
    }
    let (signed, until) = term(
        cx,
        at,
        &raw.signed,
        raw.until.as_ref(),
        world,
        "the agreement",
    );
    Agreement {
        reference: raw.reference.clone(),
        sha256: raw.sha256.clone(),
        signed: signed.unwrap_or_else(|| cx.now.day(world.operator.utc_offset)),
        until,
        actions: raw.actions.iter().map(|it| it.as_str().into()).collect(),
        purposes: cx.parse_all(&at.key("purposes"), &raw.purposes),
        categories: cx.categories(&at.key("categories"), &raw.categories),
        confidentiality: raw.confidentiality,
        security: raw.security,
    }
}

/// The days of a document: signed, and until when.
fn term(
    cx: &Context<'_>,
    at: &Trail,
    signed: &str,
    until: Option<&String>,
    world: &World<'_>,
    what: &str,
) -> (Option<Day>, Option<Day>) {
    let offset = world.operator.utc_offset;
    let signed: Option<Day> = cx.parse(&at.key("signed"), signed);
    let until_at = at.key("until");
    let until: Option<Day> = until.and_then(|it| cx.parse(&until_at, it));
    if signed.is_some_and(|it| it > cx.now.day(offset)) {
        let fix = "write the day of signature; an agreement holds from then";
        cx.error(
            &at.key("signed"),
            format!("{what} is signed in the future"),
            fix,
        );
    }
    if let (Some(signed), Some(until)) = (signed, until)
        && until < signed
    {
        let message = format!("{what} ends before it is signed");
        cx.error(&until_at, message, "swap the days, or correct them");
    } else if let Some(until) = until {
        cx.expiry(
            &until_at,
            until,
            offset,
            what,
            "renew it and record the new last day",
        );
    }
    (signed, until)
}

pub(super) fn safeguards(
    cx: &Context<'_>,
    at: &Trail,
    raw: &[raw::Safeguard],
    world: &World<'_>,
) -> Vec<Safeguard> {
    let compile = |(index, raw): (usize, &raw::Safeguard)| {
        let at = at.index(index);
        let (signed, until) = term(
            cx,
            &at,
            &raw.signed,
            raw.until.as_ref(),
            world,
            "the safeguard",
        );
        Some(Safeguard {
            kind: raw.kind.as_str().into(),
            reference: raw.reference.clone(),
            signed: signed?,
            until,
        })
    };
    raw.iter().enumerate().filter_map(compile).collect()
}

pub(super) fn notifications(
    cx: &Context<'_>,
    at: &Trail,
    raw: &[raw::Notification],
    world: &World<'_>,
) -> Vec<Notification> {
    let compile = |(index, raw): (usize, &raw::Notification)| {
        let at = at.index(index);
        if !world.law.regimes.contains_key(raw.regime.as_str()) {
            let known = world.law.regimes.keys().map(|it| &**it);
            cx.unknown(&at.key("regime"), "regime", &raw.regime, known);
        }
        if raw.countries.is_empty() {
            let fix = "list the countries that the notification names";
            cx.error(
                &at.key("countries"),
                "the notification covers no country",
                fix,
            );
        }
        let outcome = raw.outcome.as_deref();
        if outcome.is_some_and(|it| !matches!(it, "accepted" | "refused")) {
            let fix = "write accepted or refused, or leave it out while there is no answer";
            cx.error(&at.key("outcome"), "unknown outcome", fix);
        }
        let wait_at = at.key("wait_until");
        Some(Notification {
            regime: raw.regime.as_str().into(),
            authority: raw.authority.clone(),
            reference: raw.reference.clone(),
            submitted: cx.parse(&at.key("submitted"), &raw.submitted)?,
            wait_until: match &raw.wait_until {
                Some(text) => Some(cx.parse(&wait_at, text)?),
                None => None,
            },
            countries: cx.countries(&at.key("countries"), &raw.countries),
            purposes: cx.parse_all(&at.key("purposes"), &raw.purposes),
            outcome: raw.outcome.clone(),
        })
    };
    raw.iter().enumerate().filter_map(compile).collect()
}
