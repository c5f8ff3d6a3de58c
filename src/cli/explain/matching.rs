//! Which destination takes the request, or why none does.

use std::{collections::BTreeSet, sync::Arc};

use super::{Failure, request::Told, unknown};
use crate::{
    config::Configuration,
    gatekeeper::{
        Snapshot,
        destination::{Destination, DestinationTable, Matched, Matcher, check_path},
    },
    model::decision::ReasonCode,
};

/// What the command line asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) listener: Option<&'a str>,
    pub(super) destination: Option<&'a str>,
}

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// Listener and destination.
    Matched(Arc<str>, Matched),
    /// The gate refuses before it reads the body.
    Refused(Refusal),
}

/// A refusal that the head alone settles.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ReasonCode,
    /// What is wrong with this request.
    pub(super) why: String,
    pub(super) title: String,
    pub(super) mend: String,
    /// Every destination, most specific first; empty when matching is not the trouble.
    pub(super) candidates: Vec<Candidate>,
}

/// A destination that did not take the request.
#[derive(Debug, serde::Serialize)]
pub(super) struct Candidate {
    pub(super) id: Arc<str>,
    pub(super) listener: Option<Arc<str>>,
    pub(super) host: Option<Arc<str>>,
    pub(super) path_prefix: Option<Arc<str>>,
    /// Conditions that the request does not meet.
    pub(super) fails: Vec<&'static str>,
}

/// The destination of `told`.
///
/// # Errors
/// A listener or destination that the configuration does not name.
pub(super) fn find(
    told: &Told,
    wanted: &Wanted<'_>,
    configuration: &Configuration,
    snapshot: &Snapshot,
) -> Result<Found, Failure> {
    let listeners = listeners(wanted.listener, configuration)?;
    if let Err(why) = check_path(&told.path) {
        let refusal = Refusal::new(ReasonCode::Framing, why.to_owned(), snapshot);
        return Ok(Found::Refused(refusal));
    }
    let found = match wanted.destination {
        Some(id) => Some(forced(id, told, &listeners, snapshot)?),
        None => by_matching(told, &listeners, &snapshot.destinations),
    };
    let Some((listener, matched)) = found else {
        return Ok(Found::Refused(nowhere(told, &listeners, snapshot)));
    };
    Ok(match early_refusal(told, &matched, snapshot) {
        Some(refusal) => Found::Refused(refusal),
        None => Found::Matched(listener, matched),
    })
}

/// Ids of the listeners that the request may arrive at.
fn listeners(
    wanted: Option<&str>,
    configuration: &Configuration,
) -> Result<Vec<Arc<str>>, Failure> {
    let all = configuration.proxy.listeners.iter().map(|it| &it.id);
    let Some(wanted) = wanted else {
        return Ok(all.map(Arc::clone).collect());
    };
    match all.clone().find(|it| &***it == wanted) {
        Some(id) => Ok(vec![Arc::clone(id)]),
        None => Err(unknown("--listener", wanted, all.map(|it| &**it))),
    }
}

fn by_matching(
    told: &Told,
    listeners: &[Arc<str>],
    table: &DestinationTable,
) -> Option<(Arc<str>, Matched)> {
    listeners.iter().find_map(|listener| {
        let matched = table.find(listener, &told.host, told.method.as_str(), &told.path)?;
        Some((Arc::clone(listener), matched))
    })
}

/// Destination `id`, whatever listener and host say. A path outside its prefix is taken as the path behind the prefix.
fn forced(
    id: &str,
    told: &Told,
    listeners: &[Arc<str>],
    snapshot: &Snapshot,
) -> Result<(Arc<str>, Matched), Failure> {
    let all = || snapshot.destinations.iter();
    let destination = all()
        .find(|it| &*it.facts.id == id)
        .ok_or_else(|| unknown("--destination", id, all().map(|it| &*it.facts.id)))?;
    let Matcher {
        listener,
        host,
        path_prefix,
    } = &destination.matcher;
    let of = |it: &Option<Arc<str>>| it.as_ref().map_or_else(|| "".into(), Arc::clone);
    let prefix = of(path_prefix);
    let only = DestinationTable::new(vec![Arc::clone(destination)]);
    let behind = format!("{}{}", prefix.trim_end_matches('/'), told.path);
    let matched = [told.path.as_str(), &behind]
        .into_iter()
        .find_map(|path| only.find(&of(listener), &of(host), told.method.as_str(), path));
    let matched =
        matched.ok_or_else(|| Failure::new(format!("--path: does not fit under `{prefix}`")))?;
    let listener = listener.as_ref().or_else(|| listeners.first());
    Ok((of(&listener.cloned()), matched))
}

/// What the gate refuses before it asks anything about personal data.
fn early_refusal(told: &Told, matched: &Matched, snapshot: &Snapshot) -> Option<Refusal> {
    let destination = &matched.destination;
    if let Some(methods) = other_methods(matched) {
        let why = format!(
            "no route of `{}` takes {}; this path takes {methods}",
            destination.facts.id, told.method
        );
        return Some(Refusal::new(ReasonCode::MethodNotAllowed, why, snapshot));
    }
    let limit = destination.limits.body_bytes;
    (told.body.len() as u64 > limit).then(|| {
        let why = format!(
            "the body has {}, `{}` takes {limit}",
            crate::model::counted(told.body.len(), "byte"),
            destination.facts.id
        );
        Refusal::new(ReasonCode::BodyTooLarge, why, snapshot)
    })
}

/// The methods under which the path is a route's, when it is none under its own.
fn other_methods(matched: &Matched) -> Option<String> {
    if matched.route.is_some() {
        return None;
    }
    let destination = &matched.destination;
    let only = DestinationTable::new(vec![Arc::clone(destination)]);
    let Matcher { listener, host, .. } = &destination.matcher;
    let (listener, host) = (
        listener.as_deref().unwrap_or(""),
        host.as_deref().unwrap_or(""),
    );
    let prefix = destination.matcher.path_prefix.as_deref().unwrap_or("");
    let path = format!("{}{}", prefix.trim_end_matches('/'), matched.path);
    let is_route = |method: &&str| {
        let found = only.find(listener, host, method, &path);
        found.is_some_and(|it| it.route.is_some())
    };
    let routes = destination.facts.routes.iter();
    let methods: BTreeSet<&str> = routes
        .flat_map(|it| &it.methods)
        .map(|it| &**it)
        .filter(is_route)
        .collect();
    let methods: Vec<&str> = methods.into_iter().collect();
    (!methods.is_empty()).then(|| methods.join(", "))
}

/// No destination takes it: what each asks for, and what of it fails.
fn nowhere(told: &Told, listeners: &[Arc<str>], snapshot: &Snapshot) -> Refusal {
    let host = if told.host.is_empty() {
        "a request without host".to_owned()
    } else {
        format!("host `{}`", told.host)
    };
    let why = format!(
        "no destination takes {host} and this path; a destination is found by listener, host and path prefix on segment \
         boundaries, and the longest prefix wins"
    );
    let candidate = |it: &Arc<Destination>| Candidate {
        id: Arc::clone(&it.facts.id),
        listener: it.matcher.listener.clone(),
        host: it.matcher.host.clone(),
        path_prefix: it.matcher.path_prefix.clone(),
        fails: fails(&it.matcher, told, listeners),
    };
    Refusal {
        candidates: snapshot.destinations.iter().map(candidate).collect(),
        ..Refusal::new(ReasonCode::DestinationUnknown, why, snapshot)
    }
}

fn fails(matcher: &Matcher, told: &Told, listeners: &[Arc<str>]) -> Vec<&'static str> {
    let prefix = matcher.path_prefix.as_deref().unwrap_or("");
    let rest = told.path.strip_prefix(prefix);
    let conditions = [
        (
            "listener",
            matcher
                .listener
                .as_ref()
                .is_none_or(|it| listeners.contains(it)),
        ),
        (
            "host",
            matcher.host.as_deref().is_none_or(|it| it == told.host),
        ),
        (
            "path_prefix",
            rest.is_some_and(|it| it.is_empty() || it.starts_with('/')),
        ),
    ];
    let failed = conditions.into_iter().filter(|(_, holds)| !holds);
    failed.map(|(name, _)| name).collect()
}

impl Refusal {
    fn new(code: ReasonCode, why: String, snapshot: &Snapshot) -> Self {
        let entry = snapshot.policy.reasons().entry(code);
        Self {
            code,
            why,
            title: entry.map_or_else(String::new, |it| it.title.en.clone()),
            mend: entry.map_or_else(String::new, |it| it.mend.en.clone()),
            candidates: Vec::new(),
        }
    }
}
