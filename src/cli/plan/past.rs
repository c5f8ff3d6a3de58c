//! The log and the registers, read for replay.

use std::{collections::BTreeSet, path::Path};

use super::{Args, Evidence, unreadable};
use crate::{
    audit::Records,
    cli::Failure,
    config::Configuration,
    gatekeeper::{
        history::{History, Missing, Owners},
        record::{AuditEvent, Decided},
        replay::Unreplayable,
    },
    model::{counted, evidence::Known, subject::SubjectRef},
    store::{self, Outbox},
};

/// What was recorded, as far as the decisions asked about need it.
#[derive(Debug)]
pub(super) struct Past {
    /// The last record when reading began: a gate may go on appending.
    last: Option<u64>,
    owners: Owners,
    history: History,
}

impl Past {
    /// Reads the log twice, and who the persons of the decisions are.
    pub(super) fn read(args: &Args, configuration: &Configuration) -> Result<Self, Failure> {
        let dir = &configuration.audit.dir;
        if !dir.exists() {
            return Err(Failure::new(format!(
                "there is no audit log in {}: no decision is on record yet; let the gate record some, or name another state \
                 directory with --state",
                dir.display()
            )));
        }
        let mut references: BTreeSet<SubjectRef> = BTreeSet::new();
        let mut last = None;
        for record in Records::open(dir, 0).map_err(unreadable)? {
            let record = record.map_err(unreadable)?;
            last = Some(record.sequence);
            if let AuditEvent::Decided(decided) = &record.event
                && args.takes(decided)
            {
                let persons = decided.transfer.persons.iter();
                references.extend(persons.flat_map(|it| &it.identifiers));
            }
        }
        let mut past = Self {
            last,
            owners: Owners::new(),
            history: History::default(),
        };
        if !references.is_empty() {
            past.read_registers(&references, configuration)?;
            past.read_changes(dir)?;
        }
        Ok(past)
    }

    /// Who has the `references`, and the changes that the log does not have yet.
    fn read_registers(
        &mut self,
        references: &BTreeSet<SubjectRef>,
        configuration: &Configuration,
    ) -> Result<(), Failure> {
        let settings = &configuration.store;
        if !settings.database().exists() {
            return Err(Failure::new(format!(
                "there are no registers in {}, so that who is meant by the {} on record cannot be told; name the state directory \
                 of this log with --state",
                settings.dir.display(),
                counted(references.len(), "identifier")
            )));
        }
        let failed = |it: store::Error| Failure::new(it.to_string());
        let mut reader = store::Reader::open(settings).map_err(failed)?;
        self.owners = reader
            .state()
            .and_then(|it| it.owners(references))
            .map_err(failed)?;
        self.history = History::of(self.owners.values().flatten().cloned().collect());
        // Before the log: a change on its way from here to there is met at least once.
        let outbox = Outbox::open(settings).map_err(failed)?;
        for (_, change) in outbox.pending(u32::MAX).map_err(failed)? {
            self.history.take(&change);
        }
        Ok(())
    }

    fn read_changes(&mut self, dir: &Path) -> Result<(), Failure> {
        for record in Records::open(dir, 0).map_err(unreadable)? {
            if let AuditEvent::Register(change) = record.map_err(unreadable)?.event {
                self.history.take(&change);
            }
        }
        Ok(())
    }

    /// Gives the decisions that `args` asks for, oldest first.
    pub(super) fn for_each(
        &self,
        args: &Args,
        dir: &Path,
        mut take: impl FnMut(&Decided),
    ) -> Result<(), Failure> {
        for record in Records::open(dir, 0).map_err(unreadable)? {
            let record = record.map_err(unreadable)?;
            if Some(record.sequence) > self.last {
                break;
            }
            if let AuditEvent::Decided(decided) = &record.event
                && args.takes(decided)
            {
                take(decided);
            }
        }
        Ok(())
    }

    /// What the registers said when `decided` was.
    pub(super) fn evidence(&self, decided: &Decided) -> Result<Evidence, Unreplayable> {
        let persons = &decided.transfer.persons;
        if persons.is_empty() {
            return Ok(Evidence::Known(Known::default()));
        }
        let Some(sequence) = decided.register_sequence else {
            return Ok(Evidence::Unavailable);
        };
        let known = self.history.evidence(sequence, persons, &self.owners);
        known.map(Evidence::Known).map_err(|it| match it {
            Missing::Change => Unreplayable::ChangesMissing,
            Missing::Meaning => Unreplayable::ChangesUnknown,
        })
    }
}
