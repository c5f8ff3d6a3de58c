//! Opens the log, and hands records to its writer.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread,
};

use async_trait::async_trait;
use aws_lc_rs::digest;
use rustix::{
    fs::{FlockOperation, OFlags, flock},
    io::Errno,
};

use super::{
    Settings,
    disk::{Disk, Files, sync_directory},
    fault::{Bad, Error, Fault},
    format::{HASHES_BYTES, HEADER_BYTES, Hash, Header, Prepared, hex, random},
    queue::{Entry, Queue},
    scan::{Position, Scan, Step},
    segment,
    writer::Writer,
};
use crate::gatekeeper::{
    ports::{AuditError, AuditLog, Clock as _, SystemClock},
    record::{AuditEvent, Operated, Receipt},
};

/// The log, open for appending; one owner at a time. Dropping it writes what waits, trims the last segment and lets the next owner in.
#[derive(Debug)]
pub struct Log {
    queue: Arc<Queue>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

/// Figures for metrics, counted since the log was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Records on stable storage.
    pub records: u64,
    /// Groups: writes, and syncs.
    pub groups: u64,
    /// Records that wait for the writer or are being written.
    pub queued: u64,
    /// Bytes of `records`.
    pub bytes: u64,
    /// How long the last sync took, in microseconds.
    pub last_sync_micros: u64,
    /// The log is unwritable for good.
    pub is_poisoned: bool,
}

/// A tail that was cut when the log was opened.
struct Cut {
    segment: String,
    offset: u64,
    sequence: u64,
    bytes: Vec<u8>,
}

impl Log {
    /// Opens the log of `settings`, and makes it if there is none.
    ///
    /// Takes the lock, checks all links between segments and every record of the last one, cuts a torn tail and appends a
    /// `torn-tail-cut` record that says so. Reads the last segment once; earlier records are `audit verify`'s work.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process owns it; [`Error::Damaged`] where a record or header is bad and not torn; I/O errors.
    pub fn open(settings: &Settings) -> Result<Self, Error> {
        Self::open_on(settings, |files| Box::new(files))
    }

    /// [`Log::open`] with a disk of the caller's making around the files.
    pub(super) fn open_on(
        settings: &Settings,
        disk: impl FnOnce(Files) -> Box<dyn Disk>,
    ) -> Result<Self, Error> {
        let dir = settings.dir.as_path();
        let lock = lock(dir)?;
        let mut files = Files::new(dir);
        let firsts = segment::list(dir)?;
        let (log_id, end, cut) = if let Some(last) = firsts.last() {
            check_links(dir, &firsts)?;
            let (header, end, cut) = read_last(dir, *last)?;
            files
                .resume(*last, end.offset, settings.segment_bytes)
                .map_err(Error::io("resume", segment::path(dir, *last)))?;
            (header.log_id, end, cut)
        } else {
            let (header, end) = begin(dir, &mut files, settings.segment_bytes)?;
            (header.log_id, end, None)
        };
        let queue = Arc::new(Queue::new());
        let writer = Writer {
            queue: Arc::clone(&queue),
            disk: disk(files),
            log_id,
            segment_bytes: settings.segment_bytes,
            end,
            buffer: Vec::new(),
            _lock: lock,
        };
        let thread = thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run())
            .map_err(Error::io("start the writer of", dir))?;
        let log = Self {
            queue,
            thread: Mutex::new(Some(thread)),
        };
        if let Some(cut) = cut {
            log.append_later(torn_tail_cut(&cut));
        }
        Ok(log)
    }

    /// Figures for metrics.
    pub fn stats(&self) -> Stats {
        let counters = &self.queue.counters;
        Stats {
            records: counters.records.load(Ordering::Relaxed),
            groups: counters.groups.load(Ordering::Relaxed),
            queued: counters.queued.load(Ordering::Relaxed),
            bytes: counters.bytes.load(Ordering::Relaxed),
            last_sync_micros: counters.last_sync_micros.load(Ordering::Relaxed),
            is_poisoned: counters.is_poisoned.load(Ordering::Acquire),
        }
    }

    /// Writes what waits, trims the last segment and ends the writer. Blocks for as long as that takes; a second call does nothing.
    ///
    /// # Errors
    /// The log was poisoned, now or before.
    pub fn close(&self) -> Result<(), AuditError> {
        self.queue.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // A panic of the writer has poisoned the log, which is what the caller is told.
        let _ended = thread.map(thread::JoinHandle::join);
        if self.queue.counters.is_poisoned.load(Ordering::Acquire) {
            return Err(self.queue.failure());
        }
        Ok(())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _reported_to_waiters = self.close();
    }
}

#[async_trait]
impl AuditLog for Log {
    async fn append(&self, event: AuditEvent) -> Result<Receipt, AuditError> {
        let prepared = Prepared::new(&event).map_err(AuditError)?;
        // Freed before the wait: a decision of many persons is large.
        drop(event);
        let receipt = self.queue.push_waiting(prepared).await?;
        receipt.await.map_err(|_| self.queue.failure())
    }

    fn append_later(&self, event: AuditEvent) {
        let prepared = Prepared::new(&event).or_else(|why| Prepared::new(&record_refused(&why)));
        if let Ok(prepared) = prepared {
            let entry = Entry {
                prepared,
                waiter: None,
                room: None,
            };
            // Refused only by a log that takes no record any more.
            let _ended = self.queue.push(entry);
        } else {
            self.queue
                .poison("the random number generator failed; restart");
        }
    }

    fn is_writable(&self) -> bool {
        self.queue.is_open()
    }
}

/// Takes the lock of `dir`, which is made if need be.
fn lock(dir: &Path) -> Result<File, Error> {
    let is_new = !dir.exists();
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(Error::io("make", dir))?;
    if let (true, Some(parent)) = (
        is_new,
        dir.canonicalize().ok().as_deref().and_then(Path::parent),
    ) {
        sync_directory(parent).map_err(Error::io("sync", parent))?;
    }
    let path = dir.join(segment::LOCK);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default())
        .open(&path)
        .map_err(Error::io("open", &path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid)
                .map_err(Error::io("read", &path))?;
            return Err(Error::Locked {
                dir: dir.to_owned(),
                pid: pid.trim().to_owned(),
            });
        }
        Err(error) => return Err(Error::io("lock", &path)(error.into())),
    }
    let mut write_pid = || -> io::Result<()> {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        writeln!(file, "{}", std::process::id())
    };
    write_pid().map_err(Error::io("write", &path))?;
    Ok(file)
}

/// The first segment of a new log.
fn begin(dir: &Path, files: &mut Files, bytes: u64) -> Result<(Header, Position), Error> {
    let log_id = random().map_err(|it| Error::io("begin", dir)(io::Error::other(it)))?;
    let header = Header {
        log_id,
        first: 0,
        previous: [0; 32],
        created_at: SystemClock.now(),
    };
    files
        .create(0, &header.encode(), bytes)
        .map_err(Error::io("begin", dir))?;
    let end = Position {
        segment: 0,
        offset: HEADER_BYTES as u64,
        sequence: 0,
        group: 0,
        chain: header.hash(),
    };
    Ok((header, end))
}

/// Each segment's header names the log and the chain hash at the end of the segment before.
fn check_links(dir: &Path, firsts: &[u64]) -> Result<(), Error> {
    let mut before: Option<([u8; 16], Hash)> = None;
    for first in firsts {
        let path = segment::path(dir, *first);
        let mut file = segment::open(&path, false).map_err(Error::io("open", &path))?;
        let header = segment::header(&mut file, &path, *first)?;
        let bad = |what| {
            Error::Damaged(Bad {
                segment: segment::name(*first),
                offset: 0,
                sequence: *first,
                fault: Fault::Link(what),
            })
        };
        match before {
            None if *first != 0 => {
                return Err(bad("the segments before this one are missing"));
            }
            Some((log_id, _)) if log_id != header.log_id => {
                return Err(bad("the segment belongs to another log"));
            }
            Some((_, chain)) if chain != header.previous => {
                return Err(bad("the segment does not follow from the one before"));
            }
            None | Some(_) => {}
        }
        let length = file.metadata().map_err(Error::io("read", &path))?.len();
        let mut chain = header.hash();
        if length >= (HEADER_BYTES + HASHES_BYTES) as u64 {
            file.seek(SeekFrom::End(-32))
                .and_then(|_| file.read_exact(&mut chain))
                .map_err(Error::io("read", &path))?;
        }
        before = Some((header.log_id, chain));
    }
    Ok(())
}

/// Reads the whole last segment: where it ends, and what of it is torn.
fn read_last(dir: &Path, first: u64) -> Result<(Header, Position, Option<Cut>), Error> {
    let mut scan = Scan::open(dir, first)?;
    let fault = loop {
        match scan.step()? {
            Step::Record(_) => {}
            Step::Fault(fault) => break Some(fault),
            Step::End if scan.is_zero_filled()? => break None,
            Step::End => break Some(Fault::Fill),
        }
    };
    let end = scan.position();
    let cut = match fault {
        None => None,
        Some(fault) => Some(Cut {
            segment: segment::name(end.segment),
            offset: end.offset,
            sequence: end.sequence,
            bytes: scan.torn_tail(fault)?,
        }),
    };
    Ok((scan.header().clone(), end, cut))
}

/// Says what was cut, so that no repair is silent.
fn torn_tail_cut(cut: &Cut) -> AuditEvent {
    let digest = digest::digest(&digest::SHA256, &cut.bytes);
    operated(
        "torn-tail-cut",
        [
            ("segment", cut.segment.clone()),
            ("offset", cut.offset.to_string()),
            ("sequence", cut.sequence.to_string()),
            ("bytes", cut.bytes.len().to_string()),
            ("sha256", hex(digest.as_ref())),
        ],
    )
}

/// Stands where a completion cannot be written, so that no sequence of events has a silent hole.
fn record_refused(why: &str) -> AuditEvent {
    operated("record-refused", [("why", why.to_owned())])
}

/// Something that happened to the log itself.
pub(super) fn operated<const N: usize>(action: &str, detail: [(&str, String); N]) -> AuditEvent {
    let detail: BTreeMap<String, String> = detail
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    AuditEvent::Operated(Operated {
        at: SystemClock.now(),
        action: action.into(),
        detail,
    })
}
