//! A report in words.

use std::collections::BTreeMap;

use super::{
    Holder, Report,
    document::{Document, Section, Table},
    gather::{Entry, Fate, Ground, Recipient},
    on_record::{BasisLine, ConsentLine, Standing, WithdrawalLine},
    texts::{Names, Text, Wording, join, word},
};
use crate::model::{
    Timestamp, UtcOffset,
    consent::{Facet, ObjectionTarget, PartyScope, Until, WithdrawalScope},
    decision::ReasonCode,
};
use crate::policy::{ReasonTable, data, reasons};

/// The report as a document.
pub(super) fn document(report: &Report, wording: Wording, offset: UtcOffset) -> Document {
    let say = Say {
        wording,
        offset,
        // A test of the table's room holds that it parses; without it codes are printed.
        reasons: ReasonTable::parse(data::REASONS.1).unwrap_or_default(),
    };
    let mut sections = vec![
        say.transfers(report),
        say.recipients(&report.recipients),
        say.refused(report),
    ];
    sections.extend(say.registers(&report.registers));
    sections.push(say.proof(report));
    Document {
        lang: wording.0.tag(),
        title: wording.text(Text::Title),
        facts: say.facts(report),
        sections,
    }
}

/// A time as a person reads it: `2026-11-22 12:00:05 +05:00`.
fn time(at: Timestamp, offset: UtcOffset) -> String {
    let day = at.day(offset);
    let seconds = at
        .as_millis()
        .saturating_sub(day.start(offset).as_millis())
        .div_euclid(1000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{day} {hours:02}:{minutes:02}:{:02} {offset}", seconds % 60)
}

/// Puts values into words of one language.
struct Say {
    wording: Wording,
    offset: UtcOffset,
    reasons: ReasonTable,
}

impl Say {
    fn time(&self, at: Timestamp) -> String {
        time(at, self.offset)
    }

    fn text(&self, text: Text) -> String {
        self.wording.text(text)
    }

    fn head(&self, texts: &[Text]) -> Vec<String> {
        texts.iter().map(|it| self.text(*it)).collect()
    }

    /// A section with a table, or the words for none.
    fn section(
        &self,
        heading: Text,
        head: &[Text],
        rows: Vec<Vec<Vec<String>>>,
        none: Text,
    ) -> Section {
        let is_empty = rows.is_empty();
        Section {
            heading: self.text(heading),
            paragraphs: is_empty.then(|| self.text(none)).into_iter().collect(),
            table: (!is_empty).then(|| Table {
                head: self.head(head),
                rows,
            }),
        }
    }

    fn facts(&self, report: &Report) -> Vec<(String, String)> {
        let wording = self.wording;
        let due = &report.answer_due;
        let period = match (report.from, report.to) {
            (None, None) => self.text(Text::PeriodAll),
            (from, to) => {
                let said = |text, at: Option<Timestamp>| {
                    at.map(|at| wording.filled(text, &[("time", self.time(at))]))
                };
                join(
                    said(Text::PeriodFrom, from)
                        .into_iter()
                        .chain(said(Text::PeriodTo, to)),
                )
            }
        };
        let identifiers = report.identifiers.iter().map(|it| {
            let name = wording.name(Names::Identifiers, it.kind.as_str());
            if it.shared {
                format!("{name} ({})", self.text(Text::IdentifierShared))
            } else {
                name
            }
        });
        let operator = report.operator.as_ref();
        let operator = operator.map(|it| format!("{} ({})", it.legal_name, it.bin));
        let subject = report.subject.as_ref().map(ToString::to_string);
        let due = wording.filled(
            Text::AnswerDueValue,
            &[
                ("day", due.day.to_string()),
                ("count", due.working_days.to_string()),
            ],
        );
        let facts = [
            (Text::Operator, operator),
            (
                Text::Subject,
                Some(subject.unwrap_or_else(|| self.text(Text::SubjectUnregistered))),
            ),
            (Text::MadeAt, Some(self.time(report.made_at))),
            (Text::AnswerDue, Some(due)),
            (Text::Period, Some(period)),
            (Text::Identifiers, Some(join(identifiers))),
        ];
        facts
            .into_iter()
            .filter_map(|(name, value)| Some((self.text(name), value?)))
            .collect()
    }

    fn transfers(&self, report: &Report) -> Section {
        let row = |it: &Entry| {
            let recipient = self.recipient(it.recipient.as_ref());
            vec![
                vec![self.time(it.at)],
                recipient,
                self.countries(it.recipient.as_ref()),
                self.purposes(it),
                self.data(it),
                it.bases.iter().map(|it| self.ground(it)).collect(),
                self.outcome(it),
                vec![it.decision.to_string()],
            ]
        };
        self.section(
            Text::Transfers,
            &[
                Text::When,
                Text::Recipient,
                Text::Countries,
                Text::Purpose,
                Text::Data,
                Text::Basis,
                Text::Outcome,
                Text::Decision,
            ],
            report.transfers.iter().map(row).collect(),
            Text::TransfersNone,
        )
    }

    fn recipients(&self, holders: &[Holder]) -> Section {
        let row = |it: &Holder| {
            let mut recipient = self.recipient(Some(&it.recipient));
            if !it.onward.is_empty() {
                let behind = it
                    .onward
                    .iter()
                    .map(|it| format!("{}, {}", it.party, self.wording.country(it.country)));
                let values = [("recipients", join(behind))];
                recipient.push(self.wording.filled(Text::Onward, &values));
            }
            if it.may_concern_another {
                recipient.push(self.text(Text::MayConcernAnother));
            }
            vec![
                recipient,
                self.countries(Some(&it.recipient)),
                vec![self.wording.categories(it.categories)],
                vec![self.time(it.first)],
                vec![self.time(it.last)],
                vec![it.transfers.to_string()],
                it.recalled_at.map(|at| self.time(at)).into_iter().collect(),
            ]
        };
        let mut section = self.section(
            Text::Recipients,
            &[
                Text::Recipient,
                Text::Countries,
                Text::Data,
                Text::First,
                Text::Last,
                Text::Count,
                Text::Recalled,
            ],
            holders.iter().map(row).collect(),
            Text::RecipientsNone,
        );
        if !holders.is_empty() {
            section.paragraphs.push(self.text(Text::RecipientsHint));
        }
        section
    }

    fn refused(&self, report: &Report) -> Section {
        let row = |it: &Entry| {
            vec![
                vec![self.time(it.at)],
                self.recipient(it.recipient.as_ref()),
                self.countries(it.recipient.as_ref()),
                self.purposes(it),
                self.data(it),
                it.reasons
                    .iter()
                    .map(|code| self.reason(*code, it))
                    .collect(),
                self.outcome(it),
                vec![it.decision.to_string()],
            ]
        };
        let rows = report.refused.attempts.iter().map(row).collect();
        let head = [
            Text::When,
            Text::Recipient,
            Text::Countries,
            Text::Purpose,
            Text::Data,
            Text::Reasons,
            Text::Outcome,
            Text::Decision,
        ];
        let mut section = self.section(Text::Refused, &head, rows, Text::NoneOnRecord);
        if report.refused.count > 0 {
            let values = [("count", report.refused.count.to_string())];
            section.paragraphs = vec![self.wording.filled(Text::RefusedSummary, &values)];
        }
        section
    }

    fn proof(&self, report: &Report) -> Section {
        let head = format!("{}:{}", report.log.head_sequence, report.log.head_hash);
        let log = [("records", report.log.records.to_string()), ("head", head)];
        let sequence = [("sequence", report.register_sequence.to_string())];
        Section {
            heading: self.text(Text::Proof),
            paragraphs: vec![
                self.wording.filled(Text::ProofLog, &log),
                self.wording.filled(Text::ProofRegisters, &sequence),
                self.text(Text::NoteValues),
                self.text(Text::NoteUnattributed),
            ],
            table: None,
        }
    }

    fn recipient(&self, recipient: Option<&Recipient>) -> Vec<String> {
        match recipient {
            Some(it) => vec![it.legal_name.to_string(), self.wording.role(it.role)],
            None => vec![self.text(Text::RecipientUnknown)],
        }
    }

    /// The declared country, and where else the data can be read.
    fn countries(&self, recipient: Option<&Recipient>) -> Vec<String> {
        let Some(it) = recipient else {
            return Vec::new();
        };
        let others = it.countries.iter().filter(|other| **other != it.country);
        std::iter::once(&it.country)
            .chain(others)
            .map(|it| self.wording.country(*it))
            .collect()
    }

    fn purposes(&self, entry: &Entry) -> Vec<String> {
        let said = |it| self.wording.purpose(it);
        entry.purposes.iter().map(said).collect()
    }

    fn data(&self, entry: &Entry) -> Vec<String> {
        let said = |text, categories| {
            let values = [("categories", self.wording.categories(categories))];
            self.wording.filled(text, &values)
        };
        let mut lines = vec![self.wording.categories(entry.categories)];
        let possible = entry.possible_categories.minus(entry.categories);
        if !possible.is_empty() {
            lines.push(said(Text::Possibly, possible));
        }
        if !entry.removed_categories.is_empty() {
            lines.push(said(Text::Removed, entry.removed_categories));
        }
        lines
    }

    fn ground(&self, ground: &Ground) -> String {
        let name = self.wording.name(Names::Carriers, ground.kind);
        let record = ground.record.as_ref();
        let record = record.map_or_else(String::new, |it| format!(" {it}"));
        format!("{}: {name}{record}", self.facet(ground.facet))
    }

    fn facet(&self, facet: Facet) -> String {
        self.text(match facet {
            Facet::CrossBorder => Text::FacetCrossBorder,
            Facet::ThirdParty => Text::FacetThirdParty,
        })
    }

    fn outcome(&self, entry: &Entry) -> Vec<String> {
        let mut lines = vec![self.wording.name(Names::Outcomes, &word(&entry.outcome))];
        let was_observed = entry.outcome.left() || entry.outcome == Fate::NotSent;
        if was_observed && !entry.reasons.is_empty() {
            let reasons = entry.reasons.iter().map(|code| self.reason(*code, entry));
            let values = [("reasons", join(reasons))];
            lines.push(self.wording.filled(Text::LogOnly, &values));
        }
        if entry.may_concern_another {
            lines.push(self.text(Text::MayConcernAnother));
        }
        lines
    }

    /// What a reason says to people, about nothing but this person's part.
    fn reason(&self, code: ReasonCode, entry: &Entry) -> String {
        let Some(known) = self.reasons.entry(code) else {
            return code.to_string();
        };
        let recipient = entry.recipient.as_ref();
        let name = recipient.map_or_else(
            || entry.destination.to_string(),
            |it| it.legal_name.to_string(),
        );
        let country = recipient.map_or_else(String::new, |it| self.wording.country(it.country));
        let values = BTreeMap::from([
            ("destination", name.clone()),
            ("recipient", name),
            ("country", country),
            ("countries", self.countries(recipient).join(", ")),
            ("purpose", self.purposes(entry).join(", ")),
            ("categories", self.wording.categories(entry.categories)),
            ("date", entry.at.day(self.offset).to_string()),
        ]);
        let title = known.title.in_language(self.wording.0.language());
        format!("{} ({code})", reasons::fill(title, &values))
    }

    fn registers(&self, standing: &Standing) -> Vec<Section> {
        let none = Text::NoneOnRecord;
        let consents = standing.consents.iter().map(|it| self.consent(it));
        let bases = standing.bases.iter().map(|it| self.basis(it));
        let withdrawals = standing.withdrawals.iter().map(|it| self.withdrawal(it));
        let lifted = |at: Option<Timestamp>| {
            vec![at.map_or_else(|| self.text(Text::Still), |at| self.time(at))]
        };
        let restrictions = standing.restrictions.iter().map(|it| {
            vec![
                vec![it.id.to_string()],
                vec![self.wording.name(Names::Restrictions, &it.reason)],
                vec![self.time(it.from)],
                lifted(it.lifted_at),
            ]
        });
        let objections = standing.objections.iter().map(|it| {
            let against = match &it.against {
                ObjectionTarget::Basis(id) => id.to_string(),
                ObjectionTarget::Kind(kind) => self.wording.name(Names::Carriers, &word(kind)),
            };
            vec![
                vec![it.id.to_string()],
                vec![against],
                vec![self.time(it.from)],
                lifted(it.lifted_at),
            ]
        });
        vec![
            self.section(Text::Consents, CONSENT, consents.collect(), none),
            self.section(Text::Bases, BASIS, bases.collect(), none),
            self.section(Text::Withdrawals, WITHDRAWAL, withdrawals.collect(), none),
            self.section(
                Text::Restrictions,
                &[Text::Number, Text::Reasons, Text::Since, Text::Lifted],
                restrictions.collect(),
                none,
            ),
            self.section(
                Text::Objections,
                &[Text::Number, Text::Concerns, Text::Since, Text::Lifted],
                objections.collect(),
                none,
            ),
        ]
    }

    fn consent(&self, it: &ConsentLine) -> Vec<Vec<String>> {
        let until = match &it.until {
            Until::Day(day) => self.term(it.from, day.to_string()),
            Until::Programme(id) => self
                .wording
                .filled(Text::UntilProgramme, &[("id", id.to_string())]),
            Until::Purpose => self.text(Text::UntilPurpose),
        };
        let parties = match &it.third_party {
            None => self.text(Text::No),
            Some(PartyScope::Any) => self.text(Text::AnyRecipient),
            Some(PartyScope::Classes(set)) => {
                let classes = join(set.iter().map(ToString::to_string));
                self.wording.filled(Text::Classes, &[("classes", classes)])
            }
            Some(PartyScope::Parties(set)) => join(set.iter().map(ToString::to_string)),
        };
        let countries = it.cross_border.as_ref();
        let countries =
            countries.map_or_else(|| self.text(Text::No), |it| self.wording.countries(it));
        let public = if it.public { Text::Yes } else { Text::No };
        let method = self.wording.name(Names::Methods, &word(&it.method));
        vec![
            vec![it.id.to_string()],
            vec![self.wording.name(Names::States, it.state.as_str())],
            vec![self.time(it.given_at)],
            vec![until],
            it.purposes
                .iter()
                .map(|it| self.wording.purpose(it))
                .collect(),
            vec![self.wording.categories(it.categories)],
            vec![parties],
            vec![countries],
            vec![self.text(public)],
            vec![method, format!("{} {}", it.text, it.text_version)],
        ]
    }

    fn basis(&self, it: &BasisLine) -> Vec<Vec<String>> {
        let mut kind = vec![self.wording.name(Names::Carriers, &word(&it.kind))];
        if it.general {
            kind.push(self.text(Text::Everybody));
        }
        let until = it
            .until
            .map_or_else(|| self.text(Text::WithoutEnd), |it| it.to_string());
        vec![
            vec![it.id.to_string()],
            kind,
            vec![format!("{} {}", it.document, it.document_date)],
            it.facets.iter().map(|it| self.facet(*it)).collect(),
            it.purposes
                .iter()
                .map(|it| self.wording.purpose(it))
                .collect(),
            vec![self.wording.categories(it.categories)],
            vec![self.wording.countries(&it.countries)],
            vec![self.term(it.from, until)],
        ]
    }

    fn term(&self, from: crate::model::Day, until: String) -> String {
        let values = [("from", from.to_string()), ("until", until)];
        self.wording.filled(Text::UntilDay, &values)
    }

    fn withdrawal(&self, it: &WithdrawalLine) -> Vec<Vec<String>> {
        let consent = it
            .consent
            .as_ref()
            .map_or_else(|| self.text(Text::AllConsents), ToString::to_string);
        let mut scope = self.scope(&it.scope);
        if let Some(reason) = &it.refused_reason {
            let values = [("reason", reason.to_string())];
            scope.push(self.wording.filled(Text::WithdrawalRefused, &values));
        }
        vec![
            vec![it.id.to_string()],
            vec![consent],
            vec![self.time(it.filed_at)],
            vec![self.time(it.recorded_at)],
            scope,
        ]
    }

    fn scope(&self, scope: &WithdrawalScope) -> Vec<String> {
        if *scope == WithdrawalScope::default() {
            return vec![self.text(Text::Whole)];
        }
        let words = |set: &std::collections::BTreeSet<std::sync::Arc<str>>| {
            join(set.iter().map(ToString::to_string))
        };
        let actions = scope
            .actions
            .iter()
            .map(|it| self.wording.name(Names::Actions, it));
        let purposes = scope.purposes.iter().map(|it| self.wording.purpose(it));
        [
            join(actions),
            join(purposes),
            words(&scope.channels),
            words(&scope.recipients),
            self.wording.countries(&scope.countries),
            self.wording.categories(scope.categories),
        ]
        .into_iter()
        .filter(|it| !it.is_empty())
        .collect()
    }
}

const CONSENT: &[Text] = &[
    Text::Number,
    Text::State,
    Text::Given,
    Text::Term,
    Text::Purpose,
    Text::Data,
    Text::ThirdParty,
    Text::CrossBorder,
    Text::Public,
    Text::Evidence,
];

const BASIS: &[Text] = &[
    Text::Number,
    Text::Basis,
    Text::Document,
    Text::Scope,
    Text::Purpose,
    Text::Data,
    Text::Countries,
    Text::Term,
];

const WITHDRAWAL: &[Text] = &[
    Text::Number,
    Text::Concerns,
    Text::Filed,
    Text::Recorded,
    Text::Scope,
];
