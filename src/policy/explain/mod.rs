//! The reasoning behind a decision, as a tree: question by question what was asked, found and cited; person by person which
//! records were held against which facet, and why each failed.
//!
//! Holds codes, categories, record ids and configured names: no value of the payload.

use std::sync::Arc;

use serde::Serialize;

use super::{
    Policy,
    adequacy::{Adequacy, Border},
    reasons::{fill, placeholders},
    trace::Considered,
};
use crate::model::{
    CategorySet, Country, Purpose,
    consent::{Facet, RecordId},
    counted,
    decision::{Carrier, Decision, Mode, Reason, ReasonCode, Verdict},
    destination::Destination,
    evidence::Evidence,
    law::ThirdPartyTransfer,
    subject::SubjectId,
    transfer::Transfer,
};

mod render;

/// Why a message may go or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explanation {
    /// Destination id.
    pub destination: Arc<str>,
    /// Who receives.
    pub recipient: String,
    /// What is done.
    pub verdict: Verdict,
    /// What would be done if every reason were enforced.
    pub would_be: Verdict,
    /// The regime that decided.
    pub regime: Option<Arc<str>>,
    /// The readings, each with the countries it sees behind the destination.
    pub readings: Vec<ReadingLine>,
    /// The questions, in order.
    pub questions: Vec<Answer>,
    /// The persons of the payload, in order.
    pub persons: Vec<PersonLine>,
    /// The shortest mend of the primary reason, in English.
    pub mend: Option<String>,
    /// The same message under another profile.
    pub beside: Option<Beside>,
}

/// One regime under one profile.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ReadingLine {
    /// Regime.
    pub regime: Arc<str>,
    /// Profile.
    pub profile: Arc<str>,
    /// Effective countries and their adequacy.
    pub countries: Vec<(Country, Adequacy)>,
    /// The reading of a clause that a verdict under this profile rests on, with the clause.
    pub rests_on: Option<String>,
}

/// One question and its answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Answer {
    /// Its number.
    pub number: u8,
    /// What was asked.
    pub asked: &'static str,
    /// What was found.
    pub found: String,
    /// What stands against the transfer.
    pub reasons: Vec<Given>,
}

/// One reason, with where it is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Given {
    /// Why.
    pub code: ReasonCode,
    /// Whether it acts.
    pub mode: Mode,
    /// Rule of the catalogue, or empty.
    pub rule: String,
    /// Clause, article or RFC.
    pub citation: String,
    /// What is wrong, in English.
    pub title: String,
    /// The regime that gives it.
    pub regime: Option<Arc<str>>,
    /// Index of the person.
    pub person: Option<u32>,
    /// The facet.
    pub facet: Option<Facet>,
    /// The record that came nearest.
    pub record: Option<RecordId>,
}

/// One person of the payload.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PersonLine {
    /// Index in the transfer.
    pub person: u32,
    /// Whom it was resolved to.
    pub subjects: Vec<SubjectId>,
    /// Categories found.
    pub categories: CategorySet,
    /// Categories that every facet covers.
    pub covered: CategorySet,
    /// Categories that some facet does not.
    pub uncovered: CategorySet,
    /// Categories that are taken out of what leaves, removed or hidden.
    pub reduced: CategorySet,
    /// Ordinal of the record that is dropped with the person.
    pub dropped: Option<u64>,
    /// What carries each facet.
    pub carriers: Vec<(Facet, Carrier)>,
    /// Every record that was held against a demand.
    pub considered: Vec<Considered>,
}

/// The decision of another profile about the same message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Beside {
    /// Profile.
    pub profile: String,
    /// What it would do.
    pub verdict: Verdict,
    /// Why, in the order of questions, without repeats.
    pub reasons: Vec<ReasonCode>,
}

/// What each question asks; its number is its place, from 1.
const QUESTIONS: [&str; 10] = [
    "Is the destination known, and may this caller use it?",
    "Could everything be read?",
    "Is there personal data?",
    "Is a category forbidden?",
    "Is the channel secured?",
    "May this recipient be sent personal data?",
    "Is the purpose in force and allowed?",
    "Is every person known, unrestricted and represented?",
    "Is there a basis for each facet?",
    "Does the consent cover it?",
];

impl Policy {
    /// Decides, and explains. `beside` is the decision of another profile, by its code, about the same facts.
    ///
    /// For people, not for the hot path: allocates a line for every record considered.
    pub fn explain(
        &self,
        destination: &Destination,
        transfer: &Transfer,
        evidence: &Evidence,
        beside: Option<(&str, &Decision)>,
    ) -> (Decision, Explanation) {
        let mut considered: Vec<Considered> = Vec::new();
        let decision = self.decide_traced(destination, transfer, evidence, &mut considered);
        let primary = decision.primary();
        let explanation = Explanation {
            destination: Arc::clone(&destination.id),
            recipient: destination.party.legal_name.clone(),
            verdict: decision.verdict,
            would_be: decision.would_be,
            regime: decision.regime.clone(),
            readings: self.readings(destination, transfer),
            questions: self.answers(destination, transfer, &decision),
            persons: persons(transfer, &decision, &considered),
            mend: primary.and_then(|it| self.mend(it, destination, transfer)),
            beside: beside.map(|(profile, other)| Beside {
                profile: profile.to_owned(),
                verdict: other.verdict,
                reasons: codes(&other.reasons),
            }),
        };
        (decision, explanation)
    }

    /// `explanation`, of a reduction that cannot be carried out, for the reason `why`: the message is refused.
    pub fn explain_failed(
        &self,
        mut explanation: Explanation,
        destination: &Destination,
        transfer: &Transfer,
        why: &str,
    ) -> Explanation {
        let reason = Reason::of(ReasonCode::ReductionFailed);
        explanation.verdict = Verdict::Block;
        explanation.would_be = Verdict::Block;
        for person in &mut explanation.persons {
            person.reduced = CategorySet::EMPTY;
            person.dropped = None;
        }
        let number = place(reason.code);
        let mut questions = explanation.questions.iter_mut();
        if let Some(it) = questions.find(|it| it.number == number) {
            it.found = format!("the message cannot be reduced: {why}");
            it.reasons.push(self.given(&reason, destination, transfer));
        }
        explanation.mend = self.mend(&reason, destination, transfer);
        explanation
    }

    fn readings(&self, destination: &Destination, transfer: &Transfer) -> Vec<ReadingLine> {
        let today = transfer.at.day(self.operator.utc_offset);
        let line = |it: &Arc<crate::model::law::Reading>| ReadingLine {
            regime: Arc::clone(&it.regime.code),
            profile: Arc::clone(&it.profile.code),
            countries: Border::new(it, destination, today).iter().collect(),
            rests_on: third_party_reading(it),
        };
        destination.readings.iter().map(line).collect()
    }

    fn answers(
        &self,
        destination: &Destination,
        transfer: &Transfer,
        decision: &Decision,
    ) -> Vec<Answer> {
        let answer = |(number, asked): (u8, &&'static str)| Answer {
            number,
            asked,
            found: found(number, destination, transfer, decision),
            reasons: decision
                .reasons
                .iter()
                .filter(|it| place(it.code) == number)
                .map(|it| self.given(it, destination, transfer))
                .collect(),
        };
        (1..).zip(&QUESTIONS).map(answer).collect()
    }

    fn given(&self, reason: &Reason, destination: &Destination, transfer: &Transfer) -> Given {
        let entry = self.reasons.entry(reason.code);
        let rule = self.reasons.rule(reason.code);
        let mut readings = destination.readings.iter();
        let reading = readings.find(|it| Some(&it.regime.code) == reason.regime.as_ref());
        let cited = reading.and_then(|it| it.citation(rule));
        let values = placeholders(reason, destination, transfer);
        Given {
            code: reason.code,
            mode: reason.mode,
            rule: rule.to_owned(),
            citation: cited
                .or_else(|| entry.map(|it| it.citation.as_str()))
                .unwrap_or_default()
                .to_owned(),
            title: entry.map_or_else(String::new, |it| fill(&it.title.en, &values)),
            regime: reason.regime.clone(),
            person: reason.person,
            facet: reason.facet,
            record: reason.record.clone(),
        }
    }

    fn mend(
        &self,
        reason: &Reason,
        destination: &Destination,
        transfer: &Transfer,
    ) -> Option<String> {
        let entry = self.reasons.entry(reason.code)?;
        let values = placeholders(reason, destination, transfer);
        Some(fill(&entry.mend.en, &values))
    }
}

/// The question under which a reason is shown. What belongs to none stands with the last: it is about the answer itself.
const fn place(code: ReasonCode) -> u8 {
    match code.question() {
        0 => 1,
        11 => 10,
        number => number,
    }
}

fn codes(reasons: &[Reason]) -> Vec<ReasonCode> {
    let mut codes: Vec<ReasonCode> = reasons.iter().map(|it| it.code).collect();
    codes.dedup();
    codes
}

fn persons(transfer: &Transfer, decision: &Decision, considered: &[Considered]) -> Vec<PersonLine> {
    let reduction = &decision.reduction;
    let reduced = |person: u32| {
        let fields = reduction.reduce_fields.iter().filter(|it| it.0 == person);
        fields.fold(CategorySet::EMPTY, |all, it| all.union(it.1))
    };
    let is_dropped = |record: &u64| reduction.drop_records.contains(record);
    let persons = (0..).zip(transfer.persons.iter().zip(&decision.persons));
    persons
        .map(|(person, (found, outcome))| PersonLine {
            reduced: reduced(person),
            dropped: found.record.filter(is_dropped),
            person,
            subjects: outcome.subjects.clone(),
            categories: found.categories,
            covered: outcome.covered,
            uncovered: outcome.uncovered,
            carriers: outcome.carriers.clone(),
            considered: considered
                .iter()
                .filter(|it| it.person == person)
                .cloned()
                .collect(),
        })
        .collect()
}

/// What a question found, in words.
fn found(
    number: u8,
    destination: &Destination,
    transfer: &Transfer,
    decision: &Decision,
) -> String {
    let persons = transfer.persons.iter();
    match number {
        1 => format!(
            "{} in {}, route {}",
            destination.party.legal_name,
            destination.country,
            transfer.route.as_deref().unwrap_or("none"),
        ),
        2 => {
            let gaps = transfer.gaps.iter();
            let gaps = gaps.map(|(kind, count)| format!("{} x{count}", kind.as_str()));
            list("no gap", gaps)
        }
        3 => {
            let all = persons.fold(CategorySet::EMPTY, |all, it| all.union(it.categories));
            let count = transfer.persons.len();
            let categories = list("none", all.iter().map(|it| it.to_string()));
            format!("{}; categories: {categories}", counted(count, "person"))
        }
        5 => match (destination.is_secured, destination.controlled_zone) {
            (true, _) => "TLS is declared".to_owned(),
            (false, true) => "a controlled zone is declared".to_owned(),
            (false, false) => "an open channel".to_owned(),
        },
        6 => {
            let agreement = destination.agreement.as_ref();
            let agreement = agreement.map_or("none", |it| it.reference.as_str());
            format!("{:?}, agreement {agreement}", destination.party.role)
        }
        7 => {
            let purposes = transfer.purpose.iter().chain(&transfer.section_purposes);
            list("no purpose", purposes.map(Purpose::to_string))
        }
        8 => format!(
            "{} of {} resolved",
            resolved(decision),
            transfer.persons.len()
        ),
        4 | 9 | 10 => {
            let mut reasons = decision.reasons.iter();
            let stands = reasons.any(|it| place(it.code) == number);
            let of_resolved = number != 4 && resolved(decision) < transfer.persons.len();
            match resolved(decision) {
                _ if stands => "see below".to_owned(),
                0 if of_resolved => "nobody was resolved, so that it is not asked".to_owned(),
                some if of_resolved => {
                    let all = transfer.persons.len();
                    format!("nothing stands against the {some} of {all} resolved")
                }
                _ => "nothing stands against it".to_owned(),
            }
        }
        _ => String::new(),
    }
}

/// How many of the persons the register knows.
fn resolved(decision: &Decision) -> usize {
    let persons = decision.persons.iter();
    persons.filter(|it| !it.subjects.is_empty()).count()
}

fn list(nothing: &str, items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        nothing.to_owned()
    } else {
        items.join(", ")
    }
}

/// How a text that closes third parties is read.
fn third_party_reading(reading: &crate::model::law::Reading) -> Option<String> {
    let taken = match reading.profile.third_party_transfer {
        ThirdPartyTransfer::Open => return None,
        ThirdPartyTransfer::StatutoryOrConsent => "a consent counts as a case set by law",
        ThirdPartyTransfer::StatutoryOnly => "only cases set by law, and a consent is none",
    };
    let clause = reading.citation("R-36").unwrap_or("-");
    Some(format!("third parties: {taken} (R-36: {clause})"))
}
