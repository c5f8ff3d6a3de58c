//! `destination list` and `destination show`: the record of processing.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::{Value, json};

use super::{Book, Failure, Format, Listing, adequacy, agreement, join, notification};
use crate::{
    cli::audit::line::Printable,
    config::expiry::{Exception, assessment_end},
    model::{
        Country, Purpose, counted,
        destination::{Destination, RoutePurpose},
        law::AdequacyAssessment,
    },
};

pub(super) fn list(book: &Book<'_>) -> Listing<8> {
    let expiries = book.configuration.expiries(book.now);
    let row = |facts: &Destination| {
        let own = expiries.iter().filter(|it| it.destination == facts.id);
        let first = own.min_by_key(|it| it.until);
        let end = first.map_or_else(
            || "-".to_owned(),
            |it| format!("{} {}", it.kind.as_str(), book.end(Some(it.until))),
        );
        let agreement = facts.agreement.as_ref();
        let cells = [
            facts.id.to_string(),
            facts.party.legal_name.clone(),
            book.wording.role(facts.party.role),
            facts.country.to_string(),
            join(effective(book, facts)),
            join(purposes(facts)),
            agreement.map_or_else(|| "-".to_owned(), |it| it.reference.clone()),
            end,
        ];
        (cells, value(book, facts))
    };
    let destinations = book.configuration.destinations.iter();
    Listing {
        head: [
            "ID",
            "RECIPIENT",
            "ROLE",
            "COUNTRY",
            "ABROAD",
            "PURPOSES",
            "AGREEMENT",
            "FIRST END",
        ],
        rows: destinations.map(|it| row(&it.facts)).collect(),
    }
}

pub(super) fn show(book: &Book<'_>, id: &str, format: Format) -> Result<String, Failure> {
    let mut destinations = book.configuration.destinations.iter();
    let Some(found) = destinations.find(|it| *it.facts.id == *id) else {
        let known = join(
            book.configuration
                .destinations
                .iter()
                .map(|it| &it.facts.id),
        );
        return Err(Failure {
            text: format!("no destination `{}`; known are {known}", Printable(id)),
            code: 2,
        });
    };
    if format == Format::Json {
        return Ok(format!("{:#}", value(book, &found.facts)));
    }
    let mut text = String::new();
    for (name, value) in lines(book, &found.facts) {
        let _infallible = writeln!(text, "{name:<18} {}", Printable(&value));
    }
    Ok(text)
}

fn effective(book: &Book<'_>, facts: &Destination) -> BTreeSet<Country> {
    facts.effective_countries(book.configuration.operator.home)
}

/// Every purpose that a route declares or lets claim.
fn purposes(facts: &Destination) -> BTreeSet<&Purpose> {
    let routes = facts.routes.iter();
    routes
        .flat_map(|it| match &it.purpose {
            RoutePurpose::Claimable(choices) => choices.iter().collect(),
            RoutePurpose::Declared(purpose) => vec![purpose],
        })
        .collect()
}

/// Assessments of the countries behind the destination.
fn assessments<'a>(book: &Book<'_>, facts: &'a Destination) -> Vec<&'a AdequacyAssessment> {
    let countries = effective(book, facts);
    let recipients: Vec<_> = std::iter::once(&facts.party.id)
        .chain(facts.onward.iter().map(|it| &it.party))
        .collect();
    let all = facts.readings.iter().flat_map(|it| &it.assessments);
    let concerns = |it: &&AdequacyAssessment| {
        let party = it.party.as_ref();
        countries.contains(&it.country) && party.is_none_or(|it| recipients.contains(&it))
    };
    all.filter(concerns).collect()
}

fn exceptions<'a>(book: &Book<'a>, facts: &'a Destination) -> impl Iterator<Item = &'a Exception> {
    let all = book.configuration.exceptions.iter();
    all.filter(|it| it.destination == facts.id)
}

/// The whole record; the keys are stable.
fn value(book: &Book<'_>, facts: &Destination) -> Value {
    let party = &facts.party;
    let onward = facts.onward.iter();
    let safeguards = facts.safeguards.iter().map(|it| {
        json!({"kind": it.kind, "ref": it.reference, "signed": it.signed, "until": it.until, "standing": book.mark(it.until)})
    });
    let exceptions = exceptions(book, facts).map(|it| {
        json!({"kind": it.kind.as_str(), "what": it.what, "owner": it.owner, "reason": it.reason, "until": it.until,
            "standing": book.mark(Some(it.until))})
    });
    let assessments = assessments(book, facts);
    json!({
        "id": facts.id,
        "recipient": {
            "party": party.id,
            "legal_name": party.legal_name,
            "registration": party.registration,
            "role": party.role,
            "classes": party.classes,
            "certifications": party.certifications,
            "protection_level": party.protection_level,
        },
        "country": facts.country,
        "effective_countries": effective(book, facts),
        "remote_access_countries": facts.remote_access_countries,
        "onward": onward.map(|it| json!({"party": it.party, "country": it.country})).collect::<Vec<_>>(),
        "purposes": purposes(facts),
        "agreement": facts.agreement.as_ref().map(|it| agreement::value(book, it)),
        "adequacy": assessments.into_iter().map(|it| adequacy::value(book, it)).collect::<Vec<_>>(),
        "safeguards": safeguards.collect::<Vec<_>>(),
        "notifications": facts.notifications.iter().map(notification::value).collect::<Vec<_>>(),
        "retention_days": facts.retention_days,
        "sole_store": facts.sole_store,
        "exceptions": exceptions.collect::<Vec<_>>(),
    })
}

fn lines(book: &Book<'_>, facts: &Destination) -> Vec<(&'static str, String)> {
    let party = &facts.party;
    let wording = book.wording;
    let said = |it: Option<&String>| it.cloned().unwrap_or_else(|| "-".to_owned());
    let onward = facts.onward.iter();
    let mut lines = vec![
        ("destination", facts.id.to_string()),
        ("recipient", format!("{} ({})", party.legal_name, party.id)),
        ("registration", said(party.registration.as_ref())),
        ("role", wording.role(party.role)),
        ("country", wording.country(facts.country)),
        (
            "countries abroad",
            wording.countries(&effective(book, facts)),
        ),
        ("remote access", join(&facts.remote_access_countries)),
        (
            "onward",
            join(onward.map(|it| format!("{} ({})", it.party, it.country))),
        ),
    ];
    lines.extend(
        purposes(facts)
            .iter()
            .map(|it| ("purpose", wording.purpose(it))),
    );
    lines.extend(papers(book, facts));
    let days = facts.retention_days;
    lines.push((
        "retention",
        days.map_or_else(|| "-".to_owned(), |it| counted(it, "day")),
    ));
    for it in exceptions(book, facts) {
        let end = book.end(Some(it.until));
        lines.push((
            "exception",
            format!(
                "{} {}, by {}, until {end}: {}",
                it.kind.as_str(),
                it.what,
                it.owner,
                it.reason
            ),
        ));
    }
    lines
}

/// What the transfers rest on, each with its end.
fn papers(book: &Book<'_>, facts: &Destination) -> Vec<(&'static str, String)> {
    let wording = book.wording;
    let mut lines = Vec::new();
    match &facts.agreement {
        None => lines.push(("agreement", "-".to_owned())),
        Some(it) => {
            lines.push((
                "agreement",
                format!(
                    "{}, signed {}, until {}",
                    it.reference,
                    it.signed,
                    book.end(it.until)
                ),
            ));
            lines.push(("agreed purposes", join(&it.purposes)));
            lines.push(("agreed data", wording.categories(it.categories)));
        }
    }
    if let Some(it) = &facts.party.protection_level {
        let end = book.end(it.until);
        lines.push((
            "protection level",
            format!("by {} on {}, until {end}: {}", it.by, it.at, it.reason),
        ));
    }
    for it in assessments(book, facts) {
        let end = book.end(Some(assessment_end(it)));
        let result = crate::cli::report::texts::word(&it.result);
        lines.push((
            "assessment",
            format!(
                "{} {} under {} by {} on {}, until {end}",
                it.country, result, it.regime, it.by, it.at
            ),
        ));
    }
    for it in &facts.safeguards {
        let end = book.end(it.until);
        lines.push((
            "safeguard",
            format!(
                "{} {}, signed {}, until {end}",
                it.kind, it.reference, it.signed
            ),
        ));
    }
    for it in &facts.notifications {
        let outcome = it.outcome.as_deref().unwrap_or("-");
        lines.push((
            "notification",
            format!(
                "{} {}, submitted {}, {outcome}",
                it.authority, it.reference, it.submitted
            ),
        ));
    }
    lines
}
