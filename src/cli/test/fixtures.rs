//! Written register records become what the registers would answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::written::{
    Basis, Consent, Objection, PurposeEnd, Registers, Representative, Restriction, Subject, Text,
    Texts, Withdrawal,
};
use crate::{
    gatekeeper::{keys::Keys, memory::MemoryRegisters},
    model::{
        Timestamp, UtcOffset,
        consent::{self, EvidenceMethod, PartyScope, RecordId, Recorded},
        evidence::{General, SubjectRecord},
        law::Operator,
        subject::{Identifier, IdentifierKind, SubjectId},
    },
};

/// SHA-256 that a consent has whose text does not matter.
const ANY_SHA256: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What records are read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) operator: &'a Operator,
    pub(super) keys: &'a Keys,
}

impl Reader<'_> {
    /// Registers that hold `written`.
    pub(super) fn registers(&self, written: &Registers) -> MemoryRegisters {
        let mut registers = MemoryRegisters::default();
        for subject in &written.subjects {
            let identifiers: Vec<_> = identifiers(&subject.identifiers)
                .filter_map(Result::ok)
                .map(|it| self.keys.references(&it))
                .collect();
            registers.put(self.subject(subject, &written.texts), &identifiers);
        }
        registers.set_general(General {
            bases: written
                .bases
                .iter()
                .map(|it| self.basis(it, None))
                .collect(),
            purpose_ends: written.purpose_ends.iter().map(purpose_end).collect(),
        });
        registers
    }

    fn subject(&self, written: &Subject, texts: &[Text]) -> SubjectRecord {
        let id = SubjectId(written.name.as_str().into());
        let consents = written.consents.iter();
        let withdrawals = written.withdrawals.iter();
        let bases = written.bases.iter();
        SubjectRecord {
            needs_representative_until: written.needs_representative_until,
            consents: consents.map(|it| self.consent(it, &id, texts)).collect(),
            withdrawals: withdrawals.map(|it| withdrawal(it, &id)).collect(),
            bases: bases.map(|it| self.basis(it, Some(&id))).collect(),
            restrictions: written.restrictions.iter().map(restriction).collect(),
            objections: written.objections.iter().map(objection).collect(),
            representatives: written.representatives.iter().map(representative).collect(),
            purpose_ends: written.purpose_ends.iter().map(purpose_end).collect(),
            ..SubjectRecord::empty(id)
        }
    }

    fn offset(&self) -> UtcOffset {
        self.operator.utc_offset
    }

    fn consent(&self, written: &Consent, subject: &SubjectId, texts: &[Text]) -> consent::Consent {
        let given_at = written
            .given_at
            .unwrap_or_else(|| written.from.start(self.offset()));
        let evidence = evidence(written, given_at);
        let evidence_mismatch = texts.iter().any(|it| {
            (&*it.text, &*it.version, &*it.locale)
                == (&*evidence.text, &*evidence.version, &*evidence.locale)
                && *it.sha256 != *evidence.sha256
        });
        consent::Consent {
            id: Arc::clone(&written.id),
            subject: subject.clone(),
            operator: written
                .operator
                .as_deref()
                .map_or_else(|| Arc::clone(&self.operator.bin), Arc::from),
            given_at,
            from: written.from,
            until: written.until.clone(),
            third_party: written.third_party.clone(),
            cross_border: written.cross_border.clone(),
            public: written.public,
            categories: written.categories,
            purposes: written.purposes.clone(),
            channels: written.channels.clone(),
            addresses: consent::address_scope(
                identifiers(&written.addresses)
                    .filter_map(Result::ok)
                    .map(|it| self.keys.references(&it).current),
            ),
            representative: written.representative.clone(),
            notify_subject: written.notify_subject,
            evidence,
            evidence_mismatch,
            events: written.events.iter().map(|it| (it.state, it.at)).collect(),
            recorded: recorded(given_at),
        }
    }

    fn basis(&self, written: &Basis, subject: Option<&SubjectId>) -> consent::Basis {
        consent::Basis {
            id: Arc::clone(&written.id),
            subject: subject.cloned(),
            kind: written.kind,
            document: or_test(written.document.as_deref()),
            document_date: written.document_date.unwrap_or(written.from),
            facets: written.facets.iter().copied().collect(),
            purposes: written.purposes.clone(),
            categories: written.categories,
            parties: written.parties.clone().unwrap_or(PartyScope::Any),
            countries: written.countries.clone(),
            from: written.from,
            until: written.until,
            obligation_open: written.obligation_open,
            recorded: recorded(written.from.start(self.offset())),
        }
    }
}

/// The identifiers of `written`, normalised as those of a message are; or what is wrong with one.
pub(super) fn identifiers(
    written: &BTreeMap<String, Texts>,
) -> impl Iterator<Item = Result<Identifier, (&str, String)>> {
    written.iter().flat_map(|(kind, Texts(values))| {
        values.iter().map(move |value| {
            let known: IdentifierKind = kind.parse().map_err(|it| (kind.as_str(), it))?;
            Identifier::normalise(known, value)
                .ok_or_else(|| (kind.as_str(), format!("not an identifier of kind {kind}")))
        })
    })
}

fn evidence(written: &Consent, given_at: Timestamp) -> consent::Evidence {
    let it = &written.evidence;
    consent::Evidence {
        method: it.method.unwrap_or(EvidenceMethod::WebCheckbox),
        reference: or_test(it.reference.as_deref()),
        text: or_test(it.text.as_deref()),
        version: it.version.as_deref().unwrap_or("1").into(),
        sha256: it.sha256.as_deref().unwrap_or(ANY_SHA256).into(),
        locale: it.locale.as_deref().unwrap_or("kk").into(),
        at: it.at.unwrap_or(given_at),
    }
}

fn or_test(text: Option<&str>) -> Arc<str> {
    text.unwrap_or("test").into()
}

fn recorded(at: Timestamp) -> Recorded {
    Recorded {
        at,
        by: or_test(None),
    }
}

fn withdrawal(written: &Withdrawal, subject: &SubjectId) -> consent::Withdrawal {
    consent::Withdrawal {
        id: Arc::clone(&written.id),
        subject: subject.clone(),
        consent: written.consent.clone(),
        scope: written.scope.clone(),
        filed_at: written.filed_at,
        effective_at: written.effective_at.unwrap_or(written.filed_at),
        channel: written.channel.as_deref().unwrap_or("email").into(),
        refused_reason: written.refused_reason.as_deref().map(Arc::from),
        recorded: recorded(written.recorded_at.unwrap_or(written.filed_at)),
    }
}

fn restriction(written: &Restriction) -> consent::Restriction {
    consent::Restriction {
        id: Arc::clone(&written.id),
        reason: written.reason.as_str().into(),
        from: written.from,
        lifted_at: written.lifted_at,
        allowed_purposes: written.allowed_purposes.clone(),
    }
}

fn objection(written: &Objection) -> consent::Objection {
    consent::Objection {
        id: Arc::clone(&written.id),
        against: written.against.clone(),
        from: written.from,
        lifted_at: written.lifted_at,
        lifted_record: written.lifted_at.map(|_| "test".into()),
    }
}

fn representative(written: &Representative) -> consent::Representative {
    consent::Representative {
        id: Arc::clone(&written.id),
        kind: written.kind.as_str().into(),
        document: or_test(written.document.as_deref()),
        from: written.from,
        until: written.until,
    }
}

fn purpose_end(written: &PurposeEnd) -> consent::PurposeEnd {
    consent::PurposeEnd {
        scope: written.scope.clone(),
        at: written.at,
    }
}

impl Registers {
    /// These records and `more`; records of a subject of the same name go together.
    pub(super) fn and(mut self, more: &Self) -> Self {
        for subject in &more.subjects {
            match self.subjects.iter_mut().find(|it| it.name == subject.name) {
                Some(known) => known.add(subject.clone()),
                None => self.subjects.push(subject.clone()),
            }
        }
        self.texts.extend(more.texts.iter().cloned());
        self.bases.extend(more.bases.iter().cloned());
        self.purpose_ends.extend(more.purpose_ends.iter().cloned());
        self
    }

    /// These records but those with the ids `gone`.
    pub(super) fn without(mut self, gone: &BTreeSet<&str>) -> Self {
        let stays = |id: &RecordId| !gone.contains(&**id);
        self.bases.retain(|it| stays(&it.id));
        for subject in &mut self.subjects {
            subject.consents.retain(|it| stays(&it.id));
            subject.withdrawals.retain(|it| stays(&it.id));
            subject.bases.retain(|it| stays(&it.id));
            subject.restrictions.retain(|it| stays(&it.id));
            subject.objections.retain(|it| stays(&it.id));
            subject.representatives.retain(|it| stays(&it.id));
        }
        self
    }

    /// Ids of all records that have one.
    pub(super) fn ids(&self) -> impl Iterator<Item = &RecordId> {
        let own = self.subjects.iter().flat_map(Subject::ids);
        own.chain(self.bases.iter().map(|it| &it.id))
    }

    /// Ids of all consents.
    pub(super) fn consents(&self) -> impl Iterator<Item = &RecordId> {
        let consents = self.subjects.iter().flat_map(|it| &it.consents);
        consents.map(|it| &it.id)
    }
}

impl Subject {
    fn add(&mut self, more: Self) {
        for (kind, Texts(values)) in more.identifiers {
            self.identifiers.entry(kind).or_default().0.extend(values);
        }
        let until = more.needs_representative_until;
        self.needs_representative_until = until.or(self.needs_representative_until);
        self.consents.extend(more.consents);
        self.withdrawals.extend(more.withdrawals);
        self.bases.extend(more.bases);
        self.restrictions.extend(more.restrictions);
        self.objections.extend(more.objections);
        self.representatives.extend(more.representatives);
        self.purpose_ends.extend(more.purpose_ends);
    }

    fn ids(&self) -> impl Iterator<Item = &RecordId> {
        let consents = self.consents.iter().map(|it| &it.id);
        let withdrawals = self.withdrawals.iter().map(|it| &it.id);
        let bases = self.bases.iter().map(|it| &it.id);
        let restrictions = self.restrictions.iter().map(|it| &it.id);
        let objections = self.objections.iter().map(|it| &it.id);
        let representatives = self.representatives.iter().map(|it| &it.id);
        consents
            .chain(withdrawals)
            .chain(bases)
            .chain(restrictions)
            .chain(objections)
            .chain(representatives)
    }
}
