//! Which of the countries behind a destination are adequate under a reading.

use std::sync::Arc;

use serde::Serialize;

use crate::model::{
    Country, Day,
    destination::{Destination, Party},
    law::{AdequacyAssessment, AdequacyRule, AssessmentResult, Reading},
};

/// Whether a country protects the data, mildest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adequacy {
    /// It does.
    Adequate,
    /// The operator's assessment said so, and has run out.
    Expired,
    /// Nothing in force says so.
    NotAdequate,
}

impl Adequacy {
    /// The kebab-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adequate => "adequate",
            Self::Expired => "assessment expired",
            Self::NotAdequate => "not adequate",
        }
    }
}

/// Months an assessment holds when it names no end.
const ASSESSMENT_MONTHS: i32 = 12;

/// The effective countries of a destination, seen from a regime's home: where the data goes or can be read, home left out.
#[derive(Debug)]
pub(super) struct Border {
    /// By code, without repeats.
    countries: Vec<(Country, Adequacy)>,
}

impl Border {
    /// The border of `destination` under `reading` on `today`. A country with several recipients is as adequate as the worst.
    pub(super) fn new(reading: &Reading, destination: &Destination, today: Day) -> Self {
        let party = &destination.party;
        let direct = std::iter::once(destination.country)
            .chain(destination.remote_access_countries.iter().copied())
            .map(|country| (country, &party.id));
        let onward = destination.onward.iter().map(|it| (it.country, &it.party));
        let mut countries: Vec<(Country, Adequacy)> = Vec::new();
        for (country, id) in direct.chain(onward) {
            if reading.regime.is_home(country) {
                continue;
            }
            // Certifications of a recipient behind the recipient are not on record, so none is presumed.
            let certified = (*id == party.id).then_some(party);
            let found = adequacy(reading, country, id, certified, today);
            match countries.iter_mut().find(|(it, _)| *it == country) {
                Some((_, worst)) => *worst = (*worst).max(found),
                None => countries.push((country, found)),
            }
        }
        countries.sort_unstable();
        Self { countries }
    }

    /// Whether nothing leaves home.
    pub(super) const fn is_home(&self) -> bool {
        self.countries.is_empty()
    }

    /// Each effective country with its adequacy.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Country, Adequacy)> {
        self.countries.iter().copied()
    }

    /// Whether every effective country is adequate.
    pub(super) fn is_adequate(&self) -> bool {
        self.iter().all(|(_, it)| it == Adequacy::Adequate)
    }

    /// The first country whose assessment ran out, if renewing assessments alone would make the border adequate.
    pub(super) fn expired(&self) -> Option<Country> {
        let is_curable = self.iter().all(|(_, it)| it != Adequacy::NotAdequate);
        let mut expired = self.iter().filter(|(_, it)| *it == Adequacy::Expired);
        expired.next().map(|(it, _)| it).filter(|_| is_curable)
    }

    /// The country a reason names: the first that is not adequate, else the first.
    pub(super) fn worst(&self) -> Option<Country> {
        let stricter = self.iter().find(|(_, it)| *it != Adequacy::Adequate);
        stricter.or_else(|| self.iter().next()).map(|(it, _)| it)
    }
}

/// `country` for the recipient `id`. `party` is what is known of that recipient's certifications.
fn adequacy(
    reading: &Reading,
    country: Country,
    id: &Arc<str>,
    party: Option<&Party>,
    today: Day,
) -> Adequacy {
    let assessed = governing(reading, country, id, today);
    let refused = assessed.is_some_and(|it| it.result == AssessmentResult::NotAdequate);
    match (reading.regime.adequacy, assessed) {
        _ if refused => Adequacy::NotAdequate,
        (AdequacyRule::List, _) => {
            let listed = reading.regime.adequate.iter().any(|it| {
                it.code == country
                    && it.since.is_none_or(|it| it <= today)
                    && it.until.is_none_or(|it| today <= it)
                    && holds(party, it.requires_certification.as_ref())
            });
            if listed {
                Adequacy::Adequate
            } else {
                Adequacy::NotAdequate
            }
        }
        (AdequacyRule::Assessment, Some(it))
            if holds(party, it.requires_certification.as_ref()) =>
        {
            let until = it.until.unwrap_or(it.at.plus_months(ASSESSMENT_MONTHS));
            if today <= until {
                Adequacy::Adequate
            } else {
                Adequacy::Expired
            }
        }
        (AdequacyRule::Assessment, _) => Adequacy::NotAdequate,
    }
}

/// The assessment that counts: the newest dated not after the transfer. One about the recipient comes before one about the whole
/// country, unless the country was found wanting later.
fn governing<'a>(
    reading: &'a Reading,
    country: Country,
    id: &Arc<str>,
    today: Day,
) -> Option<&'a AdequacyAssessment> {
    let newest = |party: Option<&Arc<str>>| {
        reading
            .assessments
            .iter()
            .filter(|it| {
                it.regime == reading.regime.code
                    && it.country == country
                    && it.at <= today
                    && it.party.as_ref() == party
            })
            .max_by_key(|it| (it.at, it.result == AssessmentResult::NotAdequate))
    };
    match (newest(Some(id)), newest(None)) {
        (Some(own), Some(whole))
            if whole.at > own.at && whole.result == AssessmentResult::NotAdequate =>
        {
            Some(whole)
        }
        (Some(own), _) => Some(own),
        (None, whole) => whole,
    }
}

fn holds(party: Option<&Party>, required: Option<&Arc<str>>) -> bool {
    required.is_none() || party.is_some_and(|it| Reading::is_certified(it, required))
}
