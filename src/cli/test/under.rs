//! The configuration as a case sees it: as it stands, or under another profile.

use std::sync::Arc;

use super::written::{Case, Switches};
use crate::{
    config::Configuration,
    gatekeeper::{
        Snapshot,
        destination::{Destination, DestinationTable},
        keys::Keys,
    },
    model::{
        self,
        law::{Profile, Reading},
    },
};

/// A configuration, and the profile that is read instead of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Under<'a> {
    configuration: &'a Configuration,
    profile: Option<&'a Arc<Profile>>,
    switches: Switches,
}

/// Why a case cannot be seen so.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong<'a> {
    /// No profile has this code.
    Unknown(&'a str),
    /// It reads a regime that applies nowhere.
    Elsewhere(&'a str),
}

/// `configuration` as `case` sees it.
pub(super) fn of<'a>(
    configuration: &'a Configuration,
    case: &'a Case,
) -> Result<Under<'a>, Wrong<'a>> {
    let code = case.profile.as_deref();
    let profile = match code {
        Some(code) => Some(
            configuration
                .profiles
                .get(code)
                .ok_or(Wrong::Unknown(code))?,
        ),
        None => None,
    };
    if let Some(it) = profile {
        let destinations = configuration.destinations.iter();
        let mut readings = destinations.flat_map(|it| &it.facts.readings);
        if !readings.any(|reading| reading.regime.code == it.on_regime) {
            return Err(Wrong::Elsewhere(&it.on_regime));
        }
    }
    Ok(Under {
        configuration,
        profile,
        switches: case.switches,
    })
}

impl Under<'_> {
    /// What is in force.
    pub(super) fn snapshot(&self, keys: Keys) -> Arc<Snapshot> {
        let whole = self.configuration.build_snapshot(keys, 1);
        if self.profile.is_none() && self.switches == Switches::default() {
            return whole;
        }
        let destinations = self.configuration.destinations.iter();
        let destinations = destinations.map(|it| Arc::new(self.destination(it)));
        Arc::new(Snapshot {
            operator: whole.operator.clone(),
            destinations: DestinationTable::new(destinations.collect()),
            callers: Arc::clone(&whole.callers),
            inspector: Arc::clone(&whole.inspector),
            policy: whole.policy.clone(),
            keys: whole.keys.clone(),
            versions: Arc::clone(&whole.versions),
        })
    }

    fn destination(&self, it: &Destination) -> Destination {
        let readings = it.facts.readings.iter();
        let readings = readings.map(|it| Arc::new(self.reading(it))).collect();
        let facts = model::destination::Destination {
            readings,
            ..(*it.facts).clone()
        };
        Destination {
            facts: Arc::new(facts),
            matcher: it.matcher.clone(),
            callers: it.callers.clone(),
            upstream: it.upstream.clone(),
            limits: it.limits.clone(),
            audit_failure: it.audit_failure,
            plans: it.plans.clone(),
            default_plan: it.default_plan.clone(),
            pass_redirects: it.pass_redirects,
            legal_status: it.legal_status,
        }
    }

    fn reading(&self, it: &Reading) -> Reading {
        let ours = self.profile.filter(|own| own.on_regime == it.regime.code);
        if ours.is_none() && self.profile.is_some() {
            return it.clone();
        }
        let mut profile = (**ours.unwrap_or(&it.profile)).clone();
        let overrides = &mut profile.overrides;
        let switches = self.switches;
        overrides.third_party_needs_consent = switches
            .third_party_needs_consent
            .or(overrides.third_party_needs_consent);
        overrides.adequate_state_requires_consent = switches
            .adequate_state_requires_consent
            .or(overrides.adequate_state_requires_consent);
        let transfer = switches.third_party_transfer;
        profile.third_party_transfer = transfer.unwrap_or(profile.third_party_transfer);
        Reading {
            profile: Arc::new(profile),
            ..it.clone()
        }
    }
}
