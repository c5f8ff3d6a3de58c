//! The gatekeeper's port on the registers.
//!
//! Every call first learns the change counter from SQLite itself: `PRAGMA data_version`, which costs a look at shared memory,
//! and the counter's row when that moved. So a change that any process committed before the call is always seen. An answer
//! that is in the cache at that counter is given at once; else a reader on a blocking thread reads one state.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Error, Settings,
    cache::{Cache, Parts, assemble},
    database,
    rows::{self, Version},
    writer::references_of,
};
use crate::{
    gatekeeper::{
        keys::IdentifierRefs,
        ports::{self, RegistersError},
    },
    model::{
        evidence::{General, Known},
        subject::SubjectRef,
    },
};

/// Connections that read at once. Reads are short and from the page cache; more would only wait for a core.
const READERS: usize = 4;

/// The registers in SQLite as the gatekeeper asks them. A clone is another handle to the same.
#[derive(Clone, Debug)]
pub struct Registers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    watch: Mutex<Watch>,
    cache: Mutex<Cache>,
    readers: Mutex<Vec<Connection>>,
    free: Arc<Semaphore>,
}

/// A connection that only looks whether something changed.
#[derive(Debug)]
struct Watch {
    connection: Connection,
    /// `data_version` and the version read after it.
    seen: Option<(i64, Version)>,
}

impl Registers {
    /// Opens the registers in `settings`, which are made if they are not there. Blocks on the disk.
    ///
    /// # Errors
    /// The file cannot be made, is not a register, is newer than this program, or is damaged.
    pub fn open(settings: &Settings) -> Result<Self, Error> {
        let first = database::open(settings)?;
        let path = settings.database();
        let watch = database::connect(&path)?;
        // It runs on the async threads, so it must never wait for a lock: a busy answer sends the call to a reader.
        watch
            .busy_timeout(Duration::ZERO)
            .map_err(Error::database("opening"))?;
        Ok(Self {
            shared: Arc::new(Shared {
                path,
                watch: Mutex::new(Watch {
                    connection: watch,
                    seen: None,
                }),
                cache: Mutex::default(),
                readers: Mutex::new(vec![first]),
                free: Arc::new(Semaphore::new(READERS)),
            }),
        })
    }
}

#[async_trait]
impl ports::Registers for Registers {
    async fn evidence(&self, persons: &[Vec<IdentifierRefs>]) -> Result<Known, RegistersError> {
        if let Some(known) = self.shared.cached(persons) {
            return Ok(known);
        }
        let stopped = |_| RegistersError("the registers are being closed".to_owned());
        let permit = Arc::clone(&self.shared.free)
            .acquire_owned()
            .await
            .map_err(stopped)?;
        let shared = Arc::clone(&self.shared);
        let persons = persons.to_vec();
        // A caller that gives up leaves the reader to finish on its own; the permit goes with it.
        tokio::task::spawn_blocking(move || shared.read(&persons, permit))
            .await
            .map_err(|_| RegistersError("a read of the registers was cut off".to_owned()))?
            .map_err(|error| RegistersError(error.to_string()))
    }
}

impl Shared {
    /// The answer at the counter of now, if the cache has it. `None` also when the counter cannot be had without waiting.
    fn cached(&self, persons: &[Vec<IdentifierRefs>]) -> Option<Known> {
        let version = lock(&self.watch).version().ok()?;
        lock(&self.cache).answer(version, persons)
    }

    /// Reads one state that begins after the call did.
    fn read(
        &self,
        persons: &[Vec<IdentifierRefs>],
        permit: OwnedSemaphorePermit,
    ) -> Result<Known, Error> {
        let pooled = lock(&self.readers).pop();
        let mut connection = match pooled {
            Some(it) => it,
            None => database::connect(&self.path)?,
        };
        let known = self.read_with(&mut connection, persons)?;
        // After an error the connection is dropped instead: the next call starts with a fresh one.
        lock(&self.readers).push(connection);
        drop(permit);
        Ok(known)
    }

    fn read_with(
        &self,
        connection: &mut Connection,
        persons: &[Vec<IdentifierRefs>],
    ) -> Result<Known, Error> {
        let doing = "beginning to read";
        let state = connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(Error::database(doing))?;
        // The first read, not BEGIN, fixes what a deferred transaction sees.
        let version = rows::version(&state).map_err(Error::database(doing))?;
        let general = self.general(&state, version)?;
        let parts = self.parts(&state, version, persons)?;
        lock(&self.cache).fill(version, &general, &parts);
        let lookup = |it: &SubjectRef| parts.lookups.get(it).map(Arc::clone);
        let record = |it: i64| parts.records.get(&it).map(Arc::clone);
        assemble(version, general, persons, lookup, record).ok_or(Error::Row { table: "subjects" })
    }

    fn general(&self, state: &Transaction<'_>, version: Version) -> Result<Arc<General>, Error> {
        let cached = lock(&self.cache).general(version);
        match cached {
            Some(it) => Ok(it),
            None => rows::general(state).map(Arc::new),
        }
    }

    /// Look-ups and records of `persons`, from the cache where it is of the same counter.
    fn parts(
        &self,
        state: &Transaction<'_>,
        version: Version,
        persons: &[Vec<IdentifierRefs>],
    ) -> Result<Parts, Error> {
        let mut parts = Parts::default();
        let mut asked = references_of(persons);
        {
            let cache = lock(&self.cache);
            asked.retain(|current, _| {
                let hit = cache.lookup(version, current);
                let missed = hit.is_none();
                parts.lookups.extend(hit.map(|it| (*current, it)));
                missed
            });
        }
        let all = asked
            .iter()
            .flat_map(|(current, it)| std::iter::once(current).chain(&it.older))
            .copied()
            .collect();
        let found = rows::resolve(state, &all)?;
        for (current, identifier) in asked {
            let mut subjects: Vec<_> = std::iter::once(&current)
                .chain(&identifier.older)
                .filter_map(|it| found.get(it))
                .flatten()
                .map(|it| it.subject.clone())
                .collect();
            subjects.sort_unstable();
            subjects.dedup();
            parts.lookups.insert(current, subjects.into());
        }
        let mut wanted: std::collections::BTreeSet<i64> = parts
            .lookups
            .values()
            .flat_map(|it| it.iter().map(|it| it.row))
            .collect();
        {
            let cache = lock(&self.cache);
            wanted.retain(|row| {
                let hit = cache.record(version, *row);
                let missed = hit.is_none();
                parts.records.extend(hit.map(|it| (*row, it)));
                missed
            });
        }
        let read = rows::records(state, &wanted)?;
        parts
            .records
            .extend(read.into_iter().map(|(row, it)| (row, Arc::new(it))));
        Ok(parts)
    }
}

impl Watch {
    /// The version of now. Does not wait.
    fn version(&mut self) -> rusqlite::Result<Version> {
        let data_version: i64 = self
            .connection
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        match self.seen {
            Some((seen, version)) if seen == data_version => Ok(version),
            _ => {
                let version = rows::version(&self.connection)?;
                self.seen = Some((data_version, version));
                Ok(version)
            }
        }
    }
}

/// What the mutexes guard is whole after every statement, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
