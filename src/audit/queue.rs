//! What waits for the writer, and what became of the log.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::format::Prepared;
use crate::gatekeeper::{ports::AuditError, record::Receipt};

/// Memory that waiting decisions may take; further callers wait for room.
const ROOM_BYTES: usize = 64 << 20;
/// How long a completion may wait for a decision to be written with.
const LINGER: Duration = Duration::from_millis(50);

/// One record to be written.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) prepared: Prepared,
    /// Told the receipt once it is durable; `None` for completions. Dropped without a word when the log fails.
    pub(super) waiter: Option<oneshot::Sender<Receipt>>,
    /// Its share of the room; given back when the entry is dropped.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Entry>,
    /// Entries somebody waits for.
    waiters: usize,
    /// When the oldest completion must be written even if no decision comes.
    due: Option<Instant>,
    is_closing: bool,
    /// Why no entry is taken any more.
    ended: Option<String>,
}

/// Counters; each is exact on its own, together they are a moment's view.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) records: AtomicU64,
    pub(super) groups: AtomicU64,
    pub(super) queued: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) last_sync_micros: AtomicU64,
    pub(super) is_poisoned: AtomicBool,
}

/// Shared between callers and the writer thread.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    room: Arc<Semaphore>,
    pub(super) counters: Counters,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            room: Arc::new(Semaphore::new(ROOM_BYTES)),
            counters: Counters::default(),
        }
    }

    // The state is valid between any two statements of this file, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues `prepared` when there is room; the receiver resolves when it is durable and errs when the log fails.
    pub(super) async fn push_waiting(
        &self,
        prepared: Prepared,
    ) -> Result<oneshot::Receiver<Receipt>, AuditError> {
        let share = prepared.record_bytes_max().min(ROOM_BYTES);
        let room = Arc::clone(&self.room)
            .acquire_many_owned(u32::try_from(share).unwrap_or(u32::MAX))
            .await
            .map_err(|_| self.failure())?;
        let (waiter, receipt) = oneshot::channel();
        self.push(Entry {
            prepared,
            waiter: Some(waiter),
            room: Some(room),
        })?;
        Ok(receipt)
    }

    /// Queues `entry` at once. Wakes the writer for a decision, or for the first completion so that it sets its alarm.
    pub(super) fn push(&self, entry: Entry) -> Result<(), AuditError> {
        let mut state = self.lock();
        if state.ended.is_some() || state.is_closing {
            drop(state);
            return Err(self.failure());
        }
        let is_awaited = entry.waiter.is_some();
        let wakes = (is_awaited && state.waiters == 0) || state.entries.is_empty();
        state.waiters += usize::from(is_awaited);
        state.due.get_or_insert_with(|| Instant::now() + LINGER);
        state.entries.push_back(entry);
        // Before the writer can see the entry, so that the count never runs below zero.
        self.counters.queued.fetch_add(1, Ordering::Relaxed);
        drop(state);
        if wakes {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Everything that waits, in order: at once when a decision is among it, else when the oldest completion is due. `None` at the end.
    pub(super) fn take(&self) -> Option<VecDeque<Entry>> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let left = state.due.map(|it| it.saturating_duration_since(now));
            let is_due = left.is_some_and(|it| it.is_zero());
            if state.waiters > 0 || is_due || state.is_closing {
                state.waiters = 0;
                state.due = None;
                let entries = std::mem::take(&mut state.entries);
                return (!entries.is_empty()).then_some(entries);
            }
            state = match left {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    self.changed
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }

    /// Asks the writer to write what waits and end.
    pub(super) fn close(&self) {
        self.lock().is_closing = true;
        self.room.close();
        self.changed.notify_one();
    }

    /// Takes no entry any more and fails those that wait. The first reason stays.
    pub(super) fn end(&self, why: &str) {
        let mut state = self.lock();
        state.ended.get_or_insert_with(|| why.to_owned());
        let entries = std::mem::take(&mut state.entries);
        self.counters.queued.store(0, Ordering::Relaxed);
        drop(state);
        self.room.close();
        // Only now, so that whoever is told finds the reason.
        drop(entries);
    }

    /// [`Queue::end`] after an error: the log stays unwritable for good.
    pub(super) fn poison(&self, why: &str) {
        self.counters.is_poisoned.store(true, Ordering::Release);
        self.end(why);
    }

    pub(super) fn is_open(&self) -> bool {
        let state = self.lock();
        state.ended.is_none() && !state.is_closing
    }

    /// Why the log takes no entry.
    pub(super) fn failure(&self) -> AuditError {
        let why = self.lock().ended.clone();
        AuditError(why.unwrap_or_else(|| "the log is closed".to_owned()))
    }
}
