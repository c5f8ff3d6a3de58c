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
/// Memory that waiting completions may take. Each belongs to an exchange that was let through, so they reach it only where
/// exchanges go on without the log, by an opened failure policy.
const LATER_BYTES: usize = 16 << 20;
/// How long a completion may wait for a decision to be written with.
const LINGER: Duration = Duration::from_millis(50);
/// A write or sync that takes longer has stalled: nobody is let wait behind it.
const STALL_TIME: Duration = Duration::from_secs(5);

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
    /// Bytes of the completions among them.
    later_bytes: usize,
    /// Completions that were not taken because so many waited.
    lost: u64,
    /// When the writer began what it is at.
    busy_since: Option<Instant>,
    /// Why no decision is taken for now.
    suspended: Option<String>,
    /// Why no entry is taken any more.
    ended: Option<String>,
}

/// What the writer takes at once.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) entries: VecDeque<Entry>,
    /// Completions that were lost before these.
    pub(super) lost: u64,
}

impl State {
    fn is_stalled(&self) -> bool {
        self.busy_since.is_some_and(|it| it.elapsed() > STALL_TIME)
    }

    fn batch(&mut self) -> Batch {
        self.waiters = 0;
        self.due = None;
        self.later_bytes = 0;
        Batch {
            entries: std::mem::take(&mut self.entries),
            lost: std::mem::take(&mut self.lost),
        }
    }
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
        if !self.is_open() {
            return Err(self.failure());
        }
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
        let is_awaited = entry.waiter.is_some();
        let is_refused = is_awaited && state.suspended.is_some();
        if state.ended.is_some() || state.is_closing || is_refused {
            drop(state);
            return Err(self.failure());
        }
        if !is_awaited {
            let bytes = entry.prepared.record_bytes_max();
            if state.later_bytes + bytes > LATER_BYTES {
                state.lost += 1;
                return Ok(());
            }
            state.later_bytes += bytes;
        }
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
    pub(super) fn take(&self) -> Option<Batch> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let left = state.due.map(|it| it.saturating_duration_since(now));
            let is_due = left.is_some_and(|it| it.is_zero());
            if state.waiters > 0 || is_due || state.is_closing {
                let batch = state.batch();
                let is_empty = batch.entries.is_empty() && batch.lost == 0;
                return (!is_empty).then_some(batch);
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

    /// The writer begins something that a disk may take long for, or is done with it.
    pub(super) fn set_busy(&self, is_busy: bool) {
        self.lock().busy_since = is_busy.then(Instant::now);
    }

    /// Takes no decision until [`resume`](Self::resume), and says `why`.
    pub(super) fn suspend(&self, why: &str) {
        let mut state = self.lock();
        state.suspended = Some(why.to_owned());
        state.busy_since = None;
    }

    /// Takes decisions again.
    pub(super) fn resume(&self) {
        self.lock().suspended = None;
    }

    /// While suspended: what has come in within `time`, completions only. `None` when the log is being closed.
    pub(super) fn linger(&self, time: Duration) -> Option<Batch> {
        let until = Instant::now() + time;
        let mut state = self.lock();
        loop {
            if state.is_closing {
                return None;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some(state.batch());
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
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

    /// Whether a decision would be taken, and soon be durable.
    pub(super) fn is_open(&self) -> bool {
        let state = self.lock();
        let is_running = state.ended.is_none() && !state.is_closing;
        is_running && state.suspended.is_none() && !state.is_stalled()
    }

    /// Why the log takes no entry.
    pub(super) fn failure(&self) -> AuditError {
        let state = self.lock();
        let why = state.ended.as_ref().or(state.suspended.as_ref());
        AuditError(match why {
            Some(why) => why.clone(),
            None if state.is_stalled() => "the disk does not answer".to_owned(),
            None => "the log is closed".to_owned(),
        })
    }
}
