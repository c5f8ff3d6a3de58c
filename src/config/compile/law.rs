//! Operator, regimes under profiles, assessments of countries, modes by rule.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    super::{law::Law, raw, suggest, yaml::Trail},
    World,
    context::Context,
    parties::Parties,
};
use crate::{
    inspect::detect::is_kz_number,
    model::{
        Country, Day, Purpose,
        decision::{Mode, ReasonCode},
        law::{
            AdequacyAssessment, AdequacyRule, AssessmentResult, Operator, Profile, Reading, Regime,
        },
    },
};

/// Whose gate this is. Total, so that everything after it is still checked when a field is wrong.
pub(super) fn operator(cx: &Context<'_>, root: &raw::Root, law: &Law) -> Operator {
    let at = Trail::default().key("operator");
    let raw = &root.operator;
    cx.not_empty(&at.key("legal_name"), &raw.legal_name);
    if raw.bin.len() != 12 || !raw.bin.bytes().all(|it| it.is_ascii_digit()) {
        let fix = "write the 12 digits in quotes";
        cx.error(&at.key("bin"), "not a BIN: 12 digits", fix);
    } else if raw.home.as_deref().unwrap_or("KZ") == "KZ" && !is_kz_number(&raw.bin) {
        cx.warning(
            &at.key("bin"),
            "the last digit is not the check digit of a BIN",
            "compare it with the certificate of registration: a consent counts only if it names this number",
        );
    }
    if let Some(name) = &raw.profile {
        find_profile(cx, &at.key("profile"), name, law);
    }
    for (index, code) in applying(raw).into_iter().enumerate() {
        find_regime(cx, &at.key("regimes").index(index), code, law);
    }
    if raw.regimes.as_ref().is_some_and(Vec::is_empty) {
        let fix = "name at least one, such as kz-94v";
        cx.error(&at.key("regimes"), "no regime applies", fix);
    }
    let home = raw.home.as_ref();
    let offset = raw.utc_offset.as_deref().unwrap_or("+05:00");
    Operator {
        legal_name: raw.legal_name.clone(),
        bin: raw.bin.as_str().into(),
        home: home
            .and_then(|it| cx.country(&at.key("home"), it))
            .unwrap_or(Country::KZ),
        utc_offset: cx.parse(&at.key("utc_offset"), offset).unwrap_or_default(),
    }
}

/// The regimes that apply to every transfer.
fn applying(raw: &raw::Operator) -> Vec<&str> {
    match &raw.regimes {
        Some(codes) => codes.iter().map(String::as_str).collect(),
        None => vec!["kz-94v"],
    }
}

fn find_regime(cx: &Context<'_>, at: &Trail, code: &str, law: &Law) -> Option<Arc<Regime>> {
    let found = law.regimes.get(code).cloned();
    if found.is_none() {
        cx.unknown(at, "regime", code, law.regimes.keys().map(|it| &**it));
    }
    found
}

fn find_profile(cx: &Context<'_>, at: &Trail, code: &str, law: &Law) -> Option<Arc<Profile>> {
    let found = law.profiles.get(code).cloned();
    if found.is_none() {
        cx.unknown(at, "profile", code, law.profiles.keys().map(|it| &**it));
    }
    found
}

/// The regimes of a destination, each under its profile: the named profile for the regime it reads, for any other regime the
/// one called `baseline`, or `baseline-` and the regime's code, or the only one that reads it.
pub(super) fn readings(
    cx: &Context<'_>,
    at: &Trail,
    raw: &raw::Destination,
    world: &World<'_>,
) -> Vec<Arc<Reading>> {
    let operator = &world.root.operator;
    let named = raw.profile.as_deref().or(operator.profile.as_deref());
    let profile_at = match raw.profile {
        Some(_) => at.key("profile"),
        None => Trail::default().key("operator").key("profile"),
    };
    let mut codes = applying(operator);
    for (index, code) in raw.regimes.iter().enumerate() {
        find_regime(cx, &at.key("regimes").index(index), code, world.law);
        if !codes.contains(&code.as_str()) {
            codes.push(code);
        }
    }
    let profile = match (named, &raw.profile) {
        (Some(name), Some(_)) => find_profile(cx, &profile_at, name, world.law),
        (Some(name), None) => world.law.profiles.get(name).cloned(),
        (None, _) => None,
    };
    let are_codes_unread = cx.is_unread(&at.key("regimes"))
        || cx.is_unread(&Trail::default().key("operator").key("regimes"));
    if let Some(it) = profile
        .as_ref()
        .filter(|it| !are_codes_unread && !codes.contains(&&*it.on_regime))
    {
        cx.error(
            &profile_at,
            format!(
                "the profile `{}` reads {}, which does not apply",
                it.code, it.on_regime
            ),
            format!(
                "add {} to `regimes:`, or name another profile",
                it.on_regime
            ),
        );
    }
    let read = |code: &&str| {
        let regime = world.law.regimes.get(*code).cloned()?;
        let fits = profile.as_ref().filter(|it| *it.on_regime == **code);
        let Some(profile) = fits.or_else(|| default_profile(world.law, code)) else {
            let message = format!("no profile reads the regime `{code}`");
            cx.error(
                &profile_at,
                message,
                "name a profile, or add one in `data_dir`",
            );
            return None;
        };
        let profile = Arc::clone(profile);
        let about = world.assessments.iter();
        let assessments = about.filter(|it| *it.regime == **code).cloned().collect();
        Some(Arc::new(Reading {
            regime,
            profile,
            assessments,
        }))
    };
    codes.iter().filter_map(read).collect()
}

fn default_profile<'a>(law: &'a Law, regime: &str) -> Option<&'a Arc<Profile>> {
    let reads = |it: &&Arc<Profile>| *it.on_regime == *regime;
    let named = ["baseline".to_owned(), format!("baseline-{regime}")];
    let shipped = named
        .iter()
        .find_map(|it| law.profiles.get(it.as_str()).filter(reads));
    shipped.or_else(|| {
        let mut all = law.profiles.values().filter(reads);
        let first = all.next();
        if all.next().is_none() { first } else { None }
    })
}

/// The operator's assessments.
pub(super) fn assessments(
    cx: &Context<'_>,
    root: &raw::Root,
    law: &Law,
    operator: &Operator,
    parties: &Parties,
) -> Vec<AdequacyAssessment> {
    let all = Trail::default().key("adequacy");
    let mut seen = BTreeSet::new();
    let mut assessments = Vec::new();
    for (index, raw) in root.adequacy.iter().enumerate() {
        let at = all.index(index);
        let Some(assessment) = assessment(cx, &at, raw, law, operator) else {
            continue;
        };
        if let Some(party) = raw.party.as_ref().filter(|it| !parties.contains_key(*it)) {
            cx.unknown(
                &at.key("party"),
                "party",
                party,
                parties.keys().map(String::as_str),
            );
        }
        let subject = (
            raw.regime.as_str(),
            assessment.country,
            raw.party.as_deref(),
            assessment.at,
        );
        if !seen.insert(subject) {
            cx.error(
                &at,
                format!(
                    "{} is assessed twice on {}",
                    assessment.country, assessment.at
                ),
                "keep one of the two",
            );
        }
        assessments.push(assessment);
    }
    assessments
}

fn assessment(
    cx: &Context<'_>,
    at: &Trail,
    raw: &raw::Assessment,
    law: &Law,
    operator: &Operator,
) -> Option<AdequacyAssessment> {
    let regime = find_regime(cx, &at.key("regime"), &raw.regime, law);
    let country = cx.country(&at.key("country"), &raw.country);
    let day: Option<Day> = cx.parse(&at.key("at"), &raw.at);
    let until_at = at.key("until");
    let until = raw.until.as_ref().map(|it| cx.parse(&until_at, it));
    cx.not_empty(&at.key("by"), &raw.by);
    cx.not_empty(&at.key("reason"), &raw.reason);
    if country == Some(operator.home) {
        let fix = "remove it: a transfer at home crosses no border";
        cx.warning(
            &at.key("country"),
            "an assessment of the home country is never asked for",
            fix,
        );
    }
    let (regime, country, day) = (regime?, country?, day?);
    if day > cx.now.day(operator.utc_offset) {
        let fix = "write the day on which it was made";
        cx.error(&at.key("at"), format!("{day} is in the future"), fix);
    }
    let until = match until {
        Some(until) => Some(until?),
        None => None,
    };
    if until.is_some_and(|it| it < day) {
        cx.error(
            &until_at,
            "it ends before it was made",
            "swap the days, or correct them",
        );
    }
    let end = until.unwrap_or_else(|| day.plus_months(12));
    let what = format!("the assessment of {country}");
    cx.expiry(
        &until_at,
        end,
        operator.utc_offset,
        &what,
        "assess the country again",
    );
    if regime.adequacy == AdequacyRule::List
        && !regime.adequate.iter().any(|it| it.code == country)
        && raw.result == AssessmentResult::Adequate
    {
        let message = format!("{country} is not on the list of {}", regime.code);
        let fix = "an assessment can only narrow a list; remove it or write `result: not-adequate`";
        cx.warning(&at.key("result"), message, fix);
    }
    Some(AdequacyAssessment {
        regime: Arc::clone(&regime.code),
        country,
        party: raw.party.as_deref().map(Arc::from),
        result: raw.result,
        requires_certification: raw.requires_certification.as_deref().map(Arc::from),
        by: raw.by.clone(),
        at: day,
        until,
        reason: raw.reason.clone(),
        source: raw.source.clone(),
        list_version: raw.list_version.clone(),
    })
}

/// Modes by reason code or rule. What acts always cannot be softened.
pub(super) fn rule_modes(
    cx: &Context<'_>,
    at: &Trail,
    raw: &BTreeMap<String, Mode>,
    law: &Law,
) -> BTreeMap<Arc<str>, Mode> {
    let rules: BTreeSet<&str> = ReasonCode::ALL
        .iter()
        .map(|it| law.reasons.rule(*it))
        .filter(|it| !it.is_empty())
        .collect();
    for (name, mode) in raw {
        let at = at.key(name);
        match name.parse::<ReasonCode>() {
            Ok(code) if code.acts_always() && *mode == Mode::LogOnly => cx.error(
                &at,
                format!("`{name}` acts always; log-only cannot soften it"),
                "remove the line",
            ),
            Ok(_) => {}
            Err(_) if rules.contains(name.as_str()) => {}
            Err(_) => {
                let codes = ReasonCode::ALL.iter().map(|it| it.as_str());
                let known = codes.chain(rules.iter().copied());
                let near = suggest::nearest(name, known);
                let fix = near.map_or_else(
                    || "write a reason code such as no-consent, or a rule such as R-05".to_owned(),
                    |it| format!("did you mean `{it}`?"),
                );
                cx.error(&at, format!("unknown reason code or rule `{name}`"), fix);
            }
        }
    }
    raw.iter()
        .map(|(name, mode)| (name.as_str().into(), *mode))
        .collect()
}

/// Reports purposes outside the closed list of a profile.
pub(super) fn purpose_in_profiles(
    cx: &Context<'_>,
    at: &Trail,
    purpose: &Purpose,
    readings: &[Arc<Reading>],
) {
    for reading in readings {
        let Some(closed) = &reading.profile.purposes else {
            like_a_class(cx, at, purpose, &reading.profile);
            continue;
        };
        if !closed.iter().any(|it| it.covers(purpose)) {
            let fix = suggest::purpose(purpose.as_str(), closed.iter().map(Purpose::as_str));
            cx.error(
                at,
                format!(
                    "the profile `{}` does not know the purpose `{purpose}`",
                    reading.profile.code
                ),
                fix.unwrap_or_else(|| "choose a purpose of the profile".to_owned()),
            );
        }
    }
}

/// Warns of a purpose in the open list of `profile` that is nearly one of its classes: `marketng.email` would need no opt-in.
fn like_a_class(cx: &Context<'_>, at: &Trail, purpose: &Purpose, profile: &Profile) {
    let classes = profile.purpose_classes.keys();
    let own = profile.opt_in_classes.iter().map(|it| &**it);
    let known: Vec<&str> = classes.map(Purpose::as_str).chain(own).collect();
    let first = purpose.as_str().split('.').next().unwrap_or_default();
    if known.contains(&first) || known.contains(&purpose.as_str()) {
        return;
    }
    let of_first = known.iter().copied().filter(|it| !it.contains('.'));
    if let Some(near) = suggest::nearest(first, of_first) {
        cx.warning(
            at,
            format!(
                "the profile `{}` has no class for the purpose `{purpose}`, so it is judged without an opt-in",
                profile.code
            ),
            format!("did you mean `{near}`?"),
        );
    }
}
