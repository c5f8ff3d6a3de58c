//! What ends: on a day agreements, assessments, protection levels, safeguards and exceptions by somebody's word; at an instant what
//! proves who is who to an upstream.

use std::{collections::BTreeMap, sync::Arc};

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, pem::PemObject as _};
use x509_parser::{
    certificate::X509Certificate, prelude::FromDer as _,
    revocation_list::CertificateRevocationList, time::ASN1Time,
};

use super::Configuration;
use crate::model::{
    Country, Day, Timestamp, UtcOffset,
    destination::Destination,
    law::{AdequacyAssessment, AssessmentResult, Reading},
};

/// How long before an end it is announced: 30 days.
const NOTICE_MILLIS: i64 = 30 * 86_400_000;

/// Months that an assessment holds when it names no end.
const ASSESSMENT_MONTHS: i32 = 12;

/// What ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ExpiryKind {
    /// An agreement with the recipient.
    Agreement,
    /// The operator's assessment of a country.
    Assessment,
    /// A failure policy that was opened.
    FailureOpen,
    /// A kind of gap that was opened.
    Gap,
    /// The certificate by which the gate proves itself to the upstream.
    Identity,
    /// A value declared as not personal.
    NotPersonal,
    /// The recorded protection level of the recipient.
    ProtectionLevel,
    /// A list of revoked certificates: the time of its next update, after which nothing can be sent.
    RevocationList,
    /// A safeguard (standard clauses, binding rules).
    Safeguard,
    /// A threshold that hides findings.
    Threshold,
    /// A reason that an officer lets pass.
    Waiver,
}

impl ExpiryKind {
    /// The metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::Assessment => "assessment",
            Self::FailureOpen => "failure-open",
            Self::Gap => "gap",
            Self::Identity => "identity",
            Self::NotPersonal => "not-personal",
            Self::ProtectionLevel => "protection-level",
            Self::RevocationList => "revocation-list",
            Self::Safeguard => "safeguard",
            Self::Threshold => "threshold",
            Self::Waiver => "waiver",
        }
    }
}

/// A default set aside at one destination, by somebody's word and for a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exception {
    /// Destination id.
    pub destination: Arc<str>,
    /// [`ExpiryKind::FailureOpen`], [`ExpiryKind::Gap`], [`ExpiryKind::NotPersonal`], [`ExpiryKind::Threshold`] or
    /// [`ExpiryKind::Waiver`].
    pub kind: ExpiryKind,
    /// Which component (`audit`), or which value (`body $.sender.email`).
    pub what: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Last day.
    pub until: Day,
}

/// The earliest end of one kind at one destination.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Expiry {
    /// Destination id.
    pub destination: Arc<str>,
    /// What ends.
    pub kind: ExpiryKind,
    /// Its last day.
    pub until: Day,
}

/// How something with a last day stands at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Its last day is over.
    Expired,
    /// Its last day is within 30 days.
    ExpiresSoon,
    /// It has longer, or no end.
    Holds,
}

impl Standing {
    /// How something that ends with `until` (`None`: never) stands at `now`.
    pub fn of(until: Option<Day>, offset: UtcOffset, now: Timestamp) -> Self {
        match until.map(|it| it.end(offset)) {
            Some(end) if end <= now => Self::Expired,
            Some(end) if end <= now.plus_millis(NOTICE_MILLIS) => Self::ExpiresSoon,
            Some(_) | None => Self::Holds,
        }
    }
}

/// The last day of an assessment: its own, or twelve months after it was made.
pub fn assessment_end(it: &AdequacyAssessment) -> Day {
    it.until
        .unwrap_or_else(|| it.at.plus_months(ASSESSMENT_MONTHS))
}

impl Configuration {
    /// The earliest end of each kind at each destination, by destination and kind. An assessment counts where it makes an
    /// effective country adequate at `now`; a newer one takes the place of an older one.
    pub fn expiries(&self, now: Timestamp) -> Vec<Expiry> {
        let today = now.day(self.operator.utc_offset);
        let mut earliest: BTreeMap<(Arc<str>, ExpiryKind), Day> = BTreeMap::new();
        let mut end = |destination: &Arc<str>, kind, until: Option<Day>| {
            if let Some(until) = until {
                let slot = earliest.entry((Arc::clone(destination), kind));
                slot.and_modify(|it| *it = until.min(*it)).or_insert(until);
            }
        };
        for facts in self.destinations.iter().map(|it| &it.facts) {
            let agreement = facts.agreement.as_ref().and_then(|it| it.until);
            end(&facts.id, ExpiryKind::Agreement, agreement);
            let level = facts.party.protection_level.as_ref();
            let level = level.and_then(|it| it.until);
            end(&facts.id, ExpiryKind::ProtectionLevel, level);
            for it in &facts.safeguards {
                end(&facts.id, ExpiryKind::Safeguard, it.until);
            }
            for reading in &facts.readings {
                for country in facts.effective_countries(reading.regime.home) {
                    let found = assessment(reading, facts, country, today);
                    let until = found.map(assessment_end);
                    end(&facts.id, ExpiryKind::Assessment, until);
                }
            }
        }
        for it in &self.exceptions {
            end(&it.destination, it.kind, Some(it.until));
        }
        let expiry = |((destination, kind), until)| Expiry {
            destination,
            kind,
            until,
        };
        earliest.into_iter().map(expiry).collect()
    }
}

impl Configuration {
    /// When the identity for each upstream and its revocation lists end, the first of several: destination, kind, instant.
    pub fn validities(&self) -> Vec<(Arc<str>, ExpiryKind, Timestamp)> {
        let mut all = Vec::new();
        for it in &self.destinations {
            let upstream = &it.upstream;
            let identity = upstream.identity.as_ref();
            let identity = identity.and_then(|own| identity_end(&own.certificate));
            let lists = upstream.revocations.as_deref().and_then(lists_end);
            let ends = [
                (ExpiryKind::Identity, identity),
                (ExpiryKind::RevocationList, lists),
            ];
            let ends = ends
                .into_iter()
                .filter_map(|(kind, end)| Some((kind, end?)));
            all.extend(ends.map(|(kind, end)| (Arc::clone(&it.facts.id), kind, end)));
        }
        all
    }
}

/// When the first certificate of a PEM chain ends.
fn identity_end(pem: &str) -> Option<Timestamp> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .filter_map(|it| {
            let der = it.ok()?;
            let (_, certificate) = X509Certificate::from_der(&der).ok()?;
            Some(instant(certificate.validity().not_after))
        })
        .min()
}

/// When the first of the lists in a PEM text is to be replaced.
fn lists_end(pem: &str) -> Option<Timestamp> {
    CertificateRevocationListDer::pem_slice_iter(pem.as_bytes())
        .filter_map(|it| {
            let der = it.ok()?;
            let (_, list) = CertificateRevocationList::from_der(&der).ok()?;
            list.next_update().map(instant)
        })
        .min()
}

fn instant(time: ASN1Time) -> Timestamp {
    Timestamp::from_millis(time.timestamp().saturating_mul(1000))
}

/// The newest assessment that says `country` is adequate for a recipient of `facts`; one about the recipient comes first.
fn assessment<'a>(
    reading: &'a Reading,
    facts: &Destination,
    country: Country,
    today: Day,
) -> Option<&'a AdequacyAssessment> {
    let onward = facts.onward.iter().filter(|it| it.country == country);
    let recipients: Vec<&Arc<str>> = std::iter::once(&facts.party.id)
        .chain(onward.map(|it| &it.party))
        .collect();
    reading
        .assessments
        .iter()
        .filter(|it| it.country == country && it.at <= today)
        .filter(|it| {
            it.party
                .as_ref()
                .is_none_or(|party| recipients.contains(&party))
        })
        .max_by_key(|it| (it.party.is_some(), it.at))
        .filter(|it| it.result == AssessmentResult::Adequate)
}
