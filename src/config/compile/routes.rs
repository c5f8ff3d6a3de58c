//! Routes: purpose, actions, and what inspection is asked to do.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::{
        expiry::{Exception, ExpiryKind},
        raw_destination as raw, suggest,
        yaml::Trail,
    },
    context::Context,
    law,
};
use crate::{
    gatekeeper::destination::check_path,
    inspect::{Inspector, Plan},
    model::{
        Day, Purpose, UtcOffset,
        destination::{Agreement, Route, RoutePurpose},
        finding::{Confidence, Part, Threshold},
        inspection::{Budget, COMBINATION_MIN, PlanSpec, Selector},
        law::Reading,
    },
};

/// What all routes of a destination share.
pub(super) struct Setting<'a> {
    pub(super) destination: &'a raw::Destination,
    pub(super) at: &'a Trail,
    pub(super) agreement: Option<&'a Agreement>,
    pub(super) readings: &'a [Arc<Reading>],
    pub(super) budget: Budget,
    pub(super) thresholds: &'a [Threshold],
    pub(super) offset: UtcOffset,
    pub(super) inspector: &'a Inspector,
}

/// The routes with their compiled plans, and the plan for requests that no route takes.
pub(super) fn compile(
    cx: &Context<'_>,
    setting: &Setting<'_>,
) -> (Vec<Route>, Vec<Plan>, Option<Plan>) {
    let spec = common_plan(cx, setting);
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    let (mut routes, mut plans) = (Vec::new(), Vec::new());
    for (index, raw) in setting.destination.routes.iter().enumerate() {
        let at = setting.at.key("routes").index(index);
        if let Some(id) = raw.id.as_ref().filter(|it| !ids.insert(it.as_str())) {
            let message = format!("duplicate route id `{id}`");
            cx.error(&at.key("id"), message, "give each route its own id");
        }
        let path = raw.path.as_deref().unwrap_or("/");
        if !taken.insert((path.trim_end_matches('/'), raw.methods.clone())) {
            cx.error(
                &at,
                "an earlier route has the same path and methods; this one is never taken",
                "remove one of the two, or tell them apart by path or methods",
            );
        }
        if let Some((route, plan)) = route(cx, setting, &at, index, raw, &spec) {
            routes.push(route);
            plans.push(plan);
        }
    }
    if setting.destination.routes.is_empty() {
        let fix = "add one: `- {purpose: service.orders}`; every transfer has a purpose";
        cx.error(&setting.at.key("routes"), "there is no route", fix);
    }
    let default = setting.inspector.compile(&spec).ok();
    (routes, plans, default)
}

/// The part of the plan that all routes share. Selectors that do not compile are reported here, once.
fn common_plan(cx: &Context<'_>, setting: &Setting<'_>) -> PlanSpec {
    let mut spec = PlanSpec {
        confidence_min: setting
            .destination
            .confidence_min
            .unwrap_or(Confidence::High),
        thresholds: setting.thresholds.to_vec(),
        combination_min: setting
            .destination
            .combination_min
            .unwrap_or(COMBINATION_MIN),
        budget: setting.budget.clone(),
        ..PlanSpec::default()
    };
    for (index, raw) in setting.destination.not_personal.iter().enumerate() {
        let at = setting.at.key("not_personal").index(index);
        cx.not_empty(&at.key("reason"), &raw.reason);
        cx.not_empty(&at.key("owner"), &raw.owner);
        let expires_at = at.key("expires");
        let until = cx.parse::<Day>(&expires_at, &raw.expires);
        if let Some(until) = until {
            let exception = Exception {
                destination: setting.destination.id.as_str().into(),
                kind: ExpiryKind::NotPersonal,
                what: format!("{} {}", raw.part.as_str(), raw.at),
                owner: raw.owner.clone(),
                reason: raw.reason.clone(),
                until,
            };
            cx.exception(&expires_at, exception, setting.offset, "the exception");
        }
        let selector = Selector {
            part: raw.part,
            at: raw.at.clone(),
        };
        let alone = PlanSpec {
            not_personal: vec![selector.clone()],
            ..PlanSpec::default()
        };
        if !cx.is_unread(&at.key("in"))
            && compiles(cx, setting, &at.key("at"), raw.part, &alone)
            && let Some(until) = until
        {
            let end = until.end(setting.offset);
            spec.not_personal_until.push((selector, end));
        }
    }
    spec
}

fn route(
    cx: &Context<'_>,
    setting: &Setting<'_>,
    at: &Trail,
    index: usize,
    raw: &raw::Route,
    common: &PlanSpec,
) -> Option<(Route, Plan)> {
    let path = raw.path.as_deref().unwrap_or("/");
    if let Err(why) = check_path(path) {
        let fix = "write a prefix of plain segments, such as /v3/mail";
        cx.error(&at.key("path"), why, fix);
    }
    methods(cx, &at.key("methods"), &raw.methods);
    within_agreement(cx, setting, at, raw);
    let purpose = purpose(cx, setting, at, raw);
    let plan_spec = plan_spec(cx, setting, at, raw, common);
    let plan = match setting.inspector.compile(&plan_spec) {
        Ok(plan) => plan,
        Err(why) => {
            cx.error(at, why, "correct the selectors of the route");
            return None;
        }
    };
    let numbered = || format!("{}/{index}", setting.destination.id);
    let route = Route {
        id: raw.id.clone().unwrap_or_else(numbered).into(),
        methods: raw.methods.iter().map(|it| it.as_str().into()).collect(),
        path: path.to_owned(),
        purpose: purpose?,
        channel: raw.channel.as_deref().map(Arc::from),
        actions: raw.actions.iter().map(|it| it.as_str().into()).collect(),
        plan: plan_spec,
    };
    Some((route, plan))
}

fn methods(cx: &Context<'_>, at: &Trail, methods: &[String]) {
    for (index, method) in methods.iter().enumerate() {
        let at = at.index(index);
        let upper = method.to_ascii_uppercase();
        if http::Method::from_bytes(method.as_bytes()).is_err() {
            cx.error(
                &at,
                format!("`{method}` is not a method"),
                "write GET, POST, PUT, PATCH or DELETE",
            );
        } else if *method != upper {
            cx.error(
                &at,
                format!("`{method}` would never match: methods are upper-case"),
                format!("did you mean `{upper}`?"),
            );
        } else if matches!(upper.as_str(), "CONNECT" | "TRACE") {
            cx.error(&at, format!("{method} is always refused"), "remove it");
        }
    }
}

fn purpose(
    cx: &Context<'_>,
    setting: &Setting<'_>,
    at: &Trail,
    raw: &raw::Route,
) -> Option<RoutePurpose> {
    let claimable_at = at.key("purposes_claimable");
    let one = "write either `purpose:` or `purposes_claimable:`";
    match (&raw.purpose, raw.purposes_claimable.is_empty()) {
        (Some(text), true) => {
            let at = at.key("purpose");
            let purpose = cx.parse::<Purpose>(&at, text)?;
            check_purpose(cx, setting, &at, &purpose);
            Some(RoutePurpose::Declared(purpose))
        }
        (None, false) => {
            if setting.destination.callers.is_empty() {
                cx.error(
                    &claimable_at,
                    "purposes can be claimed, but no caller may: the destination has no `callers:`",
                    "add `callers:` with the purposes of each, or declare one `purpose:`",
                );
            }
            let set: BTreeSet<Purpose> = cx.parse_all(&claimable_at, &raw.purposes_claimable);
            for (index, text) in raw.purposes_claimable.iter().enumerate() {
                if let Ok(purpose) = text.parse() {
                    check_purpose(cx, setting, &claimable_at.index(index), &purpose);
                }
            }
            Some(RoutePurpose::Claimable(set))
        }
        (Some(_), false) => {
            cx.error(&claimable_at, "the route has a declared purpose too", one);
            None
        }
        (None, true) => {
            cx.error(at, "the route has no purpose", one);
            None
        }
    }
}

/// A purpose must be one of the profile's and inside the agreement's (`decision.md` Q6).
fn check_purpose(cx: &Context<'_>, setting: &Setting<'_>, at: &Trail, purpose: &Purpose) {
    law::purpose_in_profiles(cx, at, purpose, setting.readings);
    let Some(agreement) = setting.agreement else {
        return;
    };
    if cx.is_unread(&setting.at.key("agreement").key("purposes")) {
        return;
    }
    if !agreement.purposes.iter().any(|it| it.covers(purpose)) {
        let known = agreement.purposes.iter().map(Purpose::as_str);
        let near = suggest::purpose(purpose.as_str(), known);
        cx.error(
            at,
            format!("the purpose `{purpose}` is outside the agreement"),
            near.unwrap_or_else(|| {
                "add it to `agreement.purposes` once the document says so".to_owned()
            }),
        );
    }
}

fn within_agreement(cx: &Context<'_>, setting: &Setting<'_>, at: &Trail, raw: &raw::Route) {
    let Some(agreement) = setting.agreement else {
        return;
    };
    if cx.is_unread(&setting.at.key("agreement").key("actions")) {
        return;
    }
    for (index, action) in raw.actions.iter().enumerate() {
        if !agreement.actions.contains(action.as_str()) {
            let near = suggest::fix(action, agreement.actions.iter().map(|it| &**it));
            cx.error(
                &at.key("actions").index(index),
                format!("the action `{action}` is outside the agreement"),
                near.unwrap_or_else(|| {
                    "add it to `agreement.actions` once the document says so".to_owned()
                }),
            );
        }
    }
}

fn plan_spec(
    cx: &Context<'_>,
    setting: &Setting<'_>,
    at: &Trail,
    raw: &raw::Route,
    common: &PlanSpec,
) -> PlanSpec {
    let body = |path: &str| Selector {
        part: Part::Body,
        at: path.to_owned(),
    };
    let mut spec = common.clone();
    if let Some(path) = &raw.records {
        let alone = PlanSpec {
            records: Some(body(path)),
            ..PlanSpec::default()
        };
        if compiles(cx, setting, &at.key("records"), Part::Body, &alone) {
            spec.records = alone.records;
        }
    }
    for (index, subject) in raw.subjects.iter().enumerate() {
        let at = at.key("subjects").index(index);
        if cx.is_unread(&at.key("in")) {
            continue;
        }
        let selector = Selector {
            part: subject.part,
            at: subject.at.clone(),
        };
        let alone = PlanSpec {
            subjects: vec![(selector, subject.kind)],
            ..PlanSpec::default()
        };
        if compiles(cx, setting, &at.key("at"), subject.part, &alone) {
            spec.subjects.extend(alone.subjects);
        }
    }
    for (index, section) in raw.sections.iter().enumerate() {
        let at = at.key("sections").index(index);
        let Some(purpose) = cx.parse::<Purpose>(&at.key("purpose"), &section.purpose) else {
            continue;
        };
        check_purpose(cx, setting, &at.key("purpose"), &purpose);
        let alone = PlanSpec {
            sections: vec![(body(&section.at), purpose)],
            ..PlanSpec::default()
        };
        if compiles(cx, setting, &at.key("at"), Part::Body, &alone) {
            spec.sections.extend(alone.sections);
        }
    }
    spec
}

/// Whether a plan with this selector alone compiles; reports why not, at the selector.
fn compiles(
    cx: &Context<'_>,
    setting: &Setting<'_>,
    at: &Trail,
    part: Part,
    alone: &PlanSpec,
) -> bool {
    let fix = match part {
        Part::Body => "write an RFC 9535 path such as $.to[*].email",
        Part::Path => "write the number of the segment, from 0",
        Part::Query => "write the name of the parameter",
        Part::Header | Part::Trailer => "write the name of the field",
    };
    let compiled = setting.inspector.compile(alone);
    compiled.map_err(|why| cx.error(at, why, fix)).is_ok()
}
