//! Question 6: the recipient.

use crate::{
    model::{
        Country,
        decision::{Reason, ReasonCode},
        destination::{Notification, Role},
        law::NotificationRule,
    },
    policy::{adequacy::Adequacy, case::Case, findings::Findings},
};

/// Outcome of a notification after which nothing may be sent.
const REFUSED: &str = "refused";

/// Asks.
pub(in crate::policy) fn ask(case: &Case<'_>, findings: &mut Findings<'_>) {
    let profile = &case.reading.profile;
    let party = &case.destination.party;
    let is_other = party.role != Role::SelfOperator;
    if profile.localisation && case.destination.sole_store {
        findings.add(case.reason(ReasonCode::Localisation));
    }
    let outside = |allowed: &std::collections::BTreeSet<_>| allowed.is_disjoint(&party.classes);
    if is_other && profile.recipient_classes.as_ref().is_some_and(outside) {
        findings.add(case.reason(ReasonCode::RecipientClass));
    }
    if let Some(code) = agreement(case) {
        findings.add(case.reason(code));
    }
    if is_other && profile.protection_level_required && !has_protection_level(case) {
        findings.add(case.reason(ReasonCode::ProtectionLevelMissing));
    }
    if let Some(country) = not_notified(case) {
        findings.add(Reason {
            country: Some(country),
            ..case.reason(ReasonCode::NotificationMissing)
        });
    }
}

/// An agreement not yet signed is none. Its actions and purposes were compared with the routes when the configuration loaded.
fn agreement(case: &Case<'_>) -> Option<ReasonCode> {
    let role = &case.destination.party.role;
    if !case.reading.profile.agreement_required_roles.contains(role) {
        return None;
    }
    match &case.destination.agreement {
        Some(it) if it.signed > case.today || !it.confidentiality || !it.security => {
            Some(ReasonCode::NoAgreement)
        }
        Some(it) if it.until.is_some_and(|it| it < case.today) => {
            Some(ReasonCode::AgreementExpired)
        }
        Some(_) => None,
        None => Some(ReasonCode::NoAgreement),
    }
}

fn has_protection_level(case: &Case<'_>) -> bool {
    let level = &case.destination.party.protection_level;
    level
        .as_ref()
        .is_some_and(|it| it.at <= case.today && it.until.is_none_or(|it| case.today <= it))
}

/// The first country of the border that no notification in force covers, where regime or profile ask for one.
fn not_notified(case: &Case<'_>) -> Option<Country> {
    if case.reading.notification() == NotificationRule::Never {
        return None;
    }
    let notifications = &case.destination.notifications;
    let is_missing = |(country, adequacy)| {
        let covers = |it| covers(case, it, country) && has_waited(case, it, adequacy);
        !notifications.iter().any(covers)
    };
    let mut countries = case.border.iter();
    countries.find(|it| is_missing(*it)).map(|(it, _)| it)
}

/// The regime's own wait after a notification, for a country that is not adequate: nothing goes before its last day is over.
fn has_waited(case: &Case<'_>, it: &Notification, adequacy: Adequacy) -> bool {
    let days = case.reading.regime.notification.wait_working_days;
    days == 0 || adequacy == Adequacy::Adequate || it.submitted.plus_working_days(days) < case.today
}

fn covers(case: &Case<'_>, it: &Notification, country: Country) -> bool {
    let purposes = &it.purposes;
    it.regime == case.reading.regime.code
        && it.submitted <= case.today
        && it.wait_until.is_none_or(|it| it <= case.today)
        && it.outcome.as_deref() != Some(REFUSED)
        && it.countries.contains(&country)
        && (purposes.is_empty()
            || case.purposes().all(|present| {
                present.is_some_and(|present| purposes.iter().any(|it| it.covers(present)))
            }))
}
