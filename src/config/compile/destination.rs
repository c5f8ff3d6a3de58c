//! Destinations, whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    super::{raw_destination as raw, suggest, units, yaml::Trail},
    World, agreement,
    context::Context,
    fallback, law, opened, routes, settings, thresholds, upstream, waivers,
};
use crate::{
    gatekeeper::destination::{Destination, Limits, Matcher, check_path},
    model::{
        self, Country, Purpose, counted,
        destination::{Agreement, Modes, Onward, Party, Route},
        finding::{Confidence, Threshold},
        inspection::{Budget, COMBINATION_MIN},
        law::Reading,
    },
};

/// Days that a recipient may keep data, in a profile's `terms`.
const RETENTION_TERM: &str = "retention";

pub(super) fn compile_all(cx: &Context<'_>, world: &World<'_>) -> Vec<Destination> {
    let all = Trail::default().key("destinations");
    let mut ids = BTreeSet::new();
    let mut matchers: BTreeMap<_, &str> = BTreeMap::new();
    let mut destinations = Vec::new();
    for (index, raw) in world.root.destinations.iter().enumerate() {
        let at = all.index(index);
        cx.id(&at.key("id"), &raw.id, "destination", &mut ids);
        let matcher = matcher(cx, &at.key("match"), &raw.matcher, world);
        let wanted = (
            matcher.listener.clone(),
            matcher.host.clone(),
            matcher.path_prefix.clone(),
        );
        if let Some(other) = matchers.insert(wanted, &raw.id) {
            cx.error(
                &at.key("match"),
                format!("`{other}` matches the same requests"),
                "tell them apart by listener, host or path_prefix",
            );
        }
        destinations.extend(destination(cx, &at, raw, world, matcher));
    }
    if world.root.destinations.is_empty() {
        cx.warning(
            &all,
            "there is no destination: every request is refused",
            "add one; `shekara init` writes an example",
        );
    }
    destinations
}

fn destination(
    cx: &Context<'_>,
    at: &Trail,
    raw: &raw::Destination,
    world: &World<'_>,
    matcher: Matcher,
) -> Option<Destination> {
    let upstream = upstream::compile(cx, &at.key("upstream"), &raw.upstream);
    let callers = callers(cx, at, raw, world);
    let limits = limits(cx, &at.key("limits"), &raw.limits);
    let failure = at.key("failure");
    let audit_failure = opened::failure(cx, &failure, ("audit", &raw.failure.audit), raw, world);
    let legal_status = raw.legal_status.unwrap_or(451);
    if !matches!(legal_status, 451 | 403) {
        let message = format!("{legal_status} is not a status of legal refusals");
        cx.error(&at.key("legal_status"), message, "write 451 or 403");
    }
    let party = party(cx, &at.key("party"), &raw.party, world);
    let readings = law::readings(cx, at, raw, world);
    let agreement = agreement::compile(cx, at, raw, world, party.as_ref(), &readings);
    let offset = world.operator.utc_offset;
    let thresholds = thresholds::compile(cx, at, raw, offset);
    let setting = routes::Setting {
        destination: raw,
        at,
        agreement: agreement.as_ref(),
        readings: &readings,
        budget: budget(cx, &at.key("limits"), &raw.limits),
        thresholds: &thresholds,
        offset,
        inspector: world.inspector,
    };
    let (routes, plans, default_plan) = routes::compile(cx, &setting);
    let paper = Paper {
        party,
        readings,
        agreement,
        routes,
        thresholds,
        is_secured: upstream
            .as_ref()
            .is_some_and(|it| it.url.scheme() == "https"),
    };
    let facts = facts(cx, at, raw, world, paper);
    let upstream = upstream?;
    Some(Destination {
        facts: Arc::new(facts?),
        matcher,
        callers,
        upstream,
        limits,
        audit_failure,
        plans,
        default_plan: default_plan?,
        pass_redirects: raw.pass_redirects,
        legal_status,
    })
}

/// The country, or the mark that nobody has declared it yet: a file may be tried in log-only mode before every contract was read.
fn country(cx: &Context<'_>, at: &Trail, text: &str) -> Option<Country> {
    if text != Country::UNDECLARED.code() {
        return cx.country(at, text);
    }
    cx.warning(
        at,
        "the country is not declared: no state is more foreign, and no consent can name it",
        "write the ISO 3166-1 alpha-2 code of the country where this recipient keeps the data",
    );
    Some(Country::UNDECLARED)
}

/// What is compiled before the rest of the legal side.
struct Paper {
    party: Option<Party>,
    readings: Vec<Arc<Reading>>,
    agreement: Option<Agreement>,
    routes: Vec<Route>,
    thresholds: Vec<Threshold>,
    is_secured: bool,
}

/// The legal side.
fn facts(
    cx: &Context<'_>,
    at: &Trail,
    raw: &raw::Destination,
    world: &World<'_>,
    paper: Paper,
) -> Option<model::destination::Destination> {
    warn_of_only_store(cx, at, raw);
    let operators = fallback::operators(cx, at, raw, &paper.readings);
    let country = country(cx, &at.key("country"), &raw.country);
    let remote = cx.countries(
        &at.key("remote_access_countries"),
        &raw.remote_access_countries,
    );
    let onward = onward(cx, &at.key("onward"), &raw.onward, world);
    let safeguards = agreement::safeguards(cx, &at.key("safeguards"), &raw.safeguards, world);
    let noted = agreement::notifications(cx, &at.key("notifications"), &raw.notifications, world);
    let retention_days = retention(cx, &at.key("retention"), raw, &paper.readings);
    let modes = Modes {
        waivers: waivers::compile(cx, &at.key("waivers"), raw, world.operator.utc_offset),
        destination_rules: law::rule_modes(cx, &at.key("rule_modes"), &raw.rule_modes, world.law),
        destination: raw.mode,
        rules: world
            .root
            .rule_modes
            .iter()
            .map(|(name, it)| (name.as_str().into(), *it))
            .collect(),
        global: world.root.mode,
    };
    let gaps = opened::gaps(cx, &at.key("gaps"), raw, world);
    let failure = at.key("failure");
    let open = |component| opened::failure(cx, &failure, component, raw, world);
    let registers_failure = open(("registers", &raw.failure.registers));
    let inspection_failure = open(("inspection", &raw.failure.inspection));
    let facts = model::destination::Destination {
        id: raw.id.as_str().into(),
        party: paper.party?,
        country: country?,
        remote_access_countries: remote,
        onward,
        agreement: paper.agreement,
        safeguards,
        notifications: noted,
        sole_store: raw.sole_store,
        retention_days,
        readings: paper.readings,
        modes,
        confidence_min: raw.confidence_min.unwrap_or(Confidence::High),
        thresholds: paper.thresholds,
        combination_min: raw.combination_min.unwrap_or(COMBINATION_MIN),
        refuse_unverified: raw.refuse_unverified,
        fallback: fallback::compile(cx, at, raw),
        operators,
        gaps,
        registers_failure,
        inspection_failure,
        is_secured: paper.is_secured,
        controlled_zone: raw.upstream.controlled_zone,
        routes: paper.routes,
    };
    warn_at_home(cx, at, &facts, world);
    Some(facts)
}

fn warn_of_only_store(cx: &Context<'_>, at: &Trail, raw: &raw::Destination) {
    if raw.sole_store {
        cx.warning(
            &at.key("sole_store"),
            "a destination that is the only store is refused (localisation)",
            "keep the data at home too, then remove the key",
        );
    }
}

fn party(cx: &Context<'_>, at: &Trail, id: &str, world: &World<'_>) -> Option<Party> {
    let found = world.parties.get(id).cloned();
    if found.is_none() {
        cx.unknown(at, "party", id, world.parties.keys().map(String::as_str));
    }
    let written = world.root.parties.iter().position(|it| it.id == id);
    let all = Trail::default().key("parties");
    found.filter(|_| !written.is_some_and(|it| cx.is_unread(&all.index(it))))
}

fn onward(cx: &Context<'_>, at: &Trail, raw: &[raw::Onward], world: &World<'_>) -> Vec<Onward> {
    let compile = |(index, raw): (usize, &raw::Onward)| {
        let at = at.index(index);
        let party = party(cx, &at.key("party"), &raw.party, world);
        let country = cx.country(&at.key("country"), &raw.country);
        Some(Onward {
            party: party?.id,
            country: country?,
        })
    };
    raw.iter().enumerate().filter_map(compile).collect()
}

/// Safeguards and notifications of a destination that crosses no border are never asked for: often the country is wrong.
fn warn_at_home(
    cx: &Context<'_>,
    at: &Trail,
    facts: &model::destination::Destination,
    world: &World<'_>,
) {
    let home = world.operator.home;
    let has_paper = !facts.safeguards.is_empty() || !facts.notifications.is_empty();
    let is_abroad = !facts.effective_countries(home).is_empty();
    if has_paper && !is_abroad {
        cx.warning(
            &at.key("country"),
            format!("{home} is home: safeguards and notifications are never asked for"),
            "correct the country, or remove them",
        );
    }
}

fn matcher(cx: &Context<'_>, at: &Trail, raw: &raw::Matcher, world: &World<'_>) -> Matcher {
    let listener = raw.listener.as_deref();
    if let Some(id) = listener.filter(|id| !world.root.listeners.iter().any(|it| it.id == *id)) {
        let known = world.root.listeners.iter().map(|it| it.id.as_str());
        cx.unknown(&at.key("listener"), "listener", id, known);
    }
    if let Some(Err(why)) = raw.path_prefix.as_deref().map(check_path) {
        let fix = "write a prefix of plain segments, such as /mail";
        cx.error(&at.key("path_prefix"), why, fix);
    }
    let host = raw.host.as_ref();
    let prefix = raw
        .path_prefix
        .as_deref()
        .map(|it| it.trim_end_matches('/'));
    Matcher {
        listener: listener.map(Arc::from),
        host: host.and_then(|it| Some(upstream::host(cx, &at.key("host"), it)?.into())),
        path_prefix: prefix.filter(|it| !it.is_empty()).map(Arc::from),
    }
}

fn callers(
    cx: &Context<'_>,
    destination_at: &Trail,
    raw: &raw::Destination,
    world: &World<'_>,
) -> BTreeMap<Arc<str>, BTreeSet<Purpose>> {
    let mut allowed: BTreeMap<Arc<str>, BTreeSet<Purpose>> = BTreeMap::new();
    let claimable: BTreeSet<&str> = raw
        .routes
        .iter()
        .flat_map(|it| it.purposes_claimable.iter().map(String::as_str))
        .collect();
    let is_unread = |index| {
        let route = destination_at.key("routes").index(index);
        cx.is_unread(&route.key("purposes_claimable"))
    };
    let is_known = !(0..raw.routes.len()).any(is_unread);
    for (index, it) in raw.callers.iter().enumerate() {
        let at = destination_at.key("callers").index(index);
        if !world.callers.contains(it.caller.as_str()) {
            cx.unknown(
                &at.key("caller"),
                "caller",
                &it.caller,
                world.callers.iter().copied(),
            );
        }
        let purposes: BTreeSet<Purpose> = cx.parse_all(&at.key("purposes"), &it.purposes);
        let lists = |text: &&str| claimable.contains(text);
        for (index, text) in it.purposes.iter().enumerate() {
            if is_known && !lists(&text.as_str()) {
                let fix = suggest::purpose(text, claimable.iter().copied());
                cx.error(
                    &at.key("purposes").index(index),
                    format!("no route lets a caller claim `{text}`"),
                    fix.unwrap_or_else(|| "list it in `purposes_claimable` of a route".to_owned()),
                );
            }
        }
        if allowed
            .insert(it.caller.as_str().into(), purposes)
            .is_some()
        {
            let message = format!("the caller `{}` is listed twice", it.caller);
            cx.error(&at, message, "join the purposes in one entry");
        }
    }
    allowed
}

/// Days the recipient keeps the data: warned about here, enforced only where the profile says so.
fn retention(
    cx: &Context<'_>,
    at: &Trail,
    raw: &raw::Destination,
    readings: &[Arc<Reading>],
) -> Option<u32> {
    let Some(text) = &raw.retention else {
        if readings.iter().any(|it| it.profile.retention_check) {
            let fix = "write how long the recipient keeps the data, such as `retention: 365d`";
            cx.warning(
                at,
                "the profile compares the recipient's retention (R-24), and none is given",
                fix,
            );
        }
        return None;
    };
    let days = match units::duration(text) {
        Ok(it) => u32::try_from(it.as_secs().div_ceil(86_400)).unwrap_or(u32::MAX),
        Err(message) => {
            cx.error(at, message, "write whole days, such as 365d");
            return None;
        }
    };
    for reading in readings {
        let term = reading.profile.terms.get(RETENTION_TERM);
        if let Some(term) = term.filter(|it| days > **it) {
            cx.warning(
                at,
                format!(
                    "{} are more than the {term} of the profile `{}` (R-24)",
                    counted(days, "day"),
                    reading.profile.code
                ),
                "agree on a shorter retention with the recipient",
            );
        }
    }
    Some(days)
}

fn limits(cx: &Context<'_>, at: &Trail, raw: &raw::Limits) -> Limits {
    let default = Limits::default();
    let range = (Duration::from_millis(10), Duration::from_secs(3600));
    let day = Duration::from_secs(86_400);
    let time = |name: &str, text: Option<&String>, otherwise| {
        cx.duration(&at.key(name), text, otherwise, range)
    };
    Limits {
        body_bytes: cx.size(
            &at.key("body_size"),
            raw.body_size.as_ref(),
            default.body_bytes,
            ("1KiB", "1GiB"),
        ),
        body_idle_time: time(
            "body_idle_time",
            raw.body_idle_time.as_ref(),
            default.body_idle_time,
        ),
        body_time: time("body_time", raw.body_time.as_ref(), default.body_time),
        connect_time: time(
            "connect_time",
            raw.connect_time.as_ref(),
            default.connect_time,
        ),
        response_time: time(
            "response_time",
            raw.response_time.as_ref(),
            default.response_time,
        ),
        response_idle_time: time(
            "response_idle_time",
            raw.response_idle_time.as_ref(),
            default.response_idle_time,
        ),
        total_time: cx.duration(
            &at.key("total_time"),
            raw.total_time.as_ref(),
            default.total_time,
            (range.0, day),
        ),
        inspection_time: time(
            "inspection_time",
            raw.inspection_time.as_ref(),
            default.inspection_time,
        ),
        concurrency: settings::concurrency(cx, &at.key("concurrency"), raw.concurrency, 256),
    }
}

fn budget(cx: &Context<'_>, at: &Trail, raw: &raw::Limits) -> Budget {
    let default = Budget::default();
    let depth = cx.number(&at.key("depth"), raw.depth, default.depth.into(), (1, 128));
    Budget {
        depth: u32::try_from(depth).unwrap_or(default.depth),
        values: cx.number(&at.key("values"), raw.values, default.values, (1, u64::MAX)),
        work: cx.number(&at.key("work"), raw.work, default.work, (1024, u64::MAX)),
        decoded_bytes: cx.size(
            &at.key("decoded_size"),
            raw.decoded_size.as_ref(),
            default.decoded_bytes,
            ("1KiB", "1GiB"),
        ),
        decoded_ratio: cx.number(
            &at.key("decoded_ratio"),
            raw.decoded_ratio,
            default.decoded_ratio,
            (1, 1_000_000),
        ),
    }
}
