//! The writer thread: takes all that waits, writes it with one write, waits for one sync, then tells everybody.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{
    disk::Disk,
    format::Prepared,
    format::{HEADER_BYTES, Header},
    log::operated,
    queue::{Batch, Entry, Queue},
    scan::Position,
};
use crate::gatekeeper::{
    ports::{Clock as _, SystemClock},
    record::Receipt,
};

/// Most that one write holds, unless a single record is larger.
const GROUP_BYTES_MAX: usize = 8 << 20;
/// How often a full disk is tried again.
const RETRY_TIME: Duration = Duration::from_secs(1);

/// Owns the end of the log.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) queue: Arc<Queue>,
    pub(super) disk: Box<dyn Disk>,
    pub(super) log_id: [u8; 16],
    pub(super) segment_bytes: u64,
    /// Where the next record goes.
    pub(super) end: Position,
    pub(super) buffer: Vec<u8>,
    /// Held as long as anything may be written; released when the thread ends.
    pub(super) _lock: File,
}

/// Poisons the log when the thread panics. Declared after whatever holds waiters, so that they find the reason when they are dropped.
struct Alarm(Arc<Queue>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.poison("the writer failed unexpectedly; restart");
        }
    }
}

impl Writer {
    /// Writes until the queue closes or the first error, which poisons the log for good: after a failed sync the kernel may report success
    /// for pages it has dropped, so nothing is tried again on this descriptor.
    pub(super) fn run(mut self) {
        while let Some(mut batch) = self.queue.take() {
            let _alarm = Alarm(Arc::clone(&self.queue));
            self.note_lost(&mut batch);
            self.queue.set_busy(true);
            if let Err(error) = self.write_all(&mut batch.entries) {
                self.poison(&error);
                return;
            }
            self.queue.set_busy(false);
        }
        if let Err(error) = self.disk.trim(self.end.offset) {
            self.poison(&said("cannot close the segment", &error));
        }
        self.queue.end("the log is closed");
    }

    fn poison(&self, error: &io::Error) {
        self.queue.poison(&format!(
            "{error}; mend the disk, then restart: the log is verified when it opens"
        ));
    }

    fn write_all(&mut self, entries: &mut VecDeque<Entry>) -> io::Result<()> {
        while let Some(first) = entries.front() {
            let is_begun = self.end.offset > HEADER_BYTES as u64;
            if is_begun && !self.fits(first, 0) {
                self.rotate_when_possible(entries)?;
            } else {
                self.write_group(entries)?;
            }
        }
        Ok(())
    }

    /// Begins the next segment. Where the disk is full for it, decisions are refused until there is room: nothing of the new
    /// segment is in the log yet, so that trying again loses nothing and changes no order. Completions are kept for then.
    fn rotate_when_possible(&mut self, entries: &mut VecDeque<Entry>) -> io::Result<()> {
        let mut suspended_at = None;
        loop {
            let error = match self.rotate() {
                Ok(()) => break,
                Err(error) if is_full(&error) => error,
                Err(error) => return Err(error),
            };
            if suspended_at.is_none() {
                suspended_at = Some(SystemClock.now());
                tracing::error!(%error, "The disk of the log is full; nothing is sent until there is room.");
            }
            self.queue
                .suspend(&format!("{error}; the log goes on when there is room"));
            self.tell_waiting(entries);
            let Some(mut batch) = self.queue.linger(RETRY_TIME) else {
                return Err(error);
            };
            self.note_lost(&mut batch);
            entries.extend(batch.entries);
        }
        if let Some(since) = suspended_at {
            let detail = [("suspended_at_ms", since.as_millis().to_string())];
            self.note(entries, "log-resumed", detail);
            self.queue.set_busy(true);
            self.queue.resume();
            tracing::info!("The disk of the log has room again.");
        }
        Ok(())
    }

    /// Lets go of the decisions, whose callers are told why.
    fn tell_waiting(&self, entries: &mut VecDeque<Entry>) {
        let before = entries.len();
        entries.retain(|it| it.waiter.is_none());
        let told = before.saturating_sub(entries.len()) as u64;
        let queued = &self.queue.counters.queued;
        queued.fetch_sub(told, Ordering::Relaxed);
    }

    /// Says how many completions were lost, behind those that were not.
    fn note_lost(&self, batch: &mut Batch) {
        if batch.lost > 0 {
            let detail = [("count", batch.lost.to_string())];
            self.note(&mut batch.entries, "completions-lost", detail);
        }
    }

    /// Adds a record of the log about itself. Without random numbers there is none; then no decision gets its salt either.
    fn note<const N: usize>(
        &self,
        entries: &mut VecDeque<Entry>,
        action: &str,
        detail: [(&str, String); N],
    ) {
        if let Ok(prepared) = Prepared::new(&operated(action, detail)) {
            self.queue.counters.queued.fetch_add(1, Ordering::Relaxed);
            entries.push_back(Entry {
                prepared,
                waiter: None,
                room: None,
            });
        }
    }

    fn fits(&self, entry: &Entry, buffered: usize) -> bool {
        let added = (buffered + entry.prepared.record_bytes_max()) as u64;
        self.end.offset + added <= self.segment_bytes
    }

    /// Writes as many of `entries` as the segment and one write take, at least one.
    fn write_group(&mut self, entries: &mut VecDeque<Entry>) -> io::Result<()> {
        let mut told: Vec<(oneshot::Sender<Receipt>, Receipt)> = Vec::with_capacity(entries.len());
        let mut rooms = Vec::with_capacity(entries.len());
        let _alarm = Alarm(Arc::clone(&self.queue));
        let (group, mut sequence, mut chain) =
            (self.end.sequence, self.end.sequence, self.end.chain);
        self.buffer.clear();
        while let Some(entry) = entries.front() {
            let bytes = self.buffer.len();
            let is_full = bytes + entry.prepared.record_bytes_max() > GROUP_BYTES_MAX;
            if bytes > 0 && (is_full || !self.fits(entry, bytes)) {
                break;
            }
            let Some(entry) = entries.pop_front() else {
                break;
            };
            (_, chain) = entry
                .prepared
                .write_to(&mut self.buffer, sequence, group, &chain);
            let receipt = Receipt {
                sequence,
                hash: chain,
            };
            told.extend(entry.waiter.map(|it| (it, receipt)));
            rooms.extend(entry.room);
            sequence += 1;
        }
        if let Err(error) = self.write_durably() {
            // The reason must stand before the waiters are dropped.
            self.poison(&error);
            return Err(error);
        }
        self.count(sequence - group);
        self.end.offset += self.buffer.len() as u64;
        self.end.sequence = sequence;
        self.end.group = group;
        self.end.chain = chain;
        for (waiter, receipt) in told {
            // Nobody listens when the caller has gone; the record stands all the same.
            let _gone = waiter.send(receipt);
        }
        Ok(())
    }

    fn write_durably(&mut self) -> io::Result<()> {
        self.disk
            .write(&self.buffer, self.end.offset)
            .map_err(|it| said("cannot write a record", &it))?;
        let started = Instant::now();
        self.disk
            .sync()
            .map_err(|it| said("cannot sync the segment", &it))?;
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.queue
            .counters
            .last_sync_micros
            .store(micros, Ordering::Relaxed);
        Ok(())
    }

    fn count(&self, records: u64) {
        let counters = &self.queue.counters;
        let bytes = self.buffer.len() as u64;
        counters.records.fetch_add(records, Ordering::Relaxed);
        counters.groups.fetch_add(1, Ordering::Relaxed);
        counters.queued.fetch_sub(records, Ordering::Relaxed);
        counters.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Closes the segment at its last record and begins the next one.
    fn rotate(&mut self) -> io::Result<()> {
        self.disk
            .trim(self.end.offset)
            .map_err(|it| said("cannot close the segment", &it))?;
        let header = Header {
            log_id: self.log_id,
            first: self.end.sequence,
            previous: self.end.chain,
            created_at: SystemClock.now(),
        };
        self.disk
            .create(header.first, &header.encode(), self.segment_bytes)
            .map_err(|it| said("cannot begin a segment", &it))?;
        self.end = Position {
            segment: header.first,
            offset: HEADER_BYTES as u64,
            sequence: header.first,
            group: header.first,
            chain: header.hash(),
        };
        Ok(())
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

fn said(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
