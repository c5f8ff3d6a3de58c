//! What all requests share and may run out of: memory, room on the disk, threads that inspect. Few wait for it, and none for long.

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Default of [`Capacity::memory`], in bytes.
pub const MEMORY_BYTES: u64 = 256 << 20;
/// Default of [`Capacity::spool`], in bytes.
pub const SPOOL_BYTES: u64 = 4 << 30;
/// Requests that may wait for one thing that is spent; the next one is refused at once.
const WAITING_MAX: usize = 256;
/// Longest wait for memory or for room on the disk.
const BYTES_TIME: Duration = Duration::from_secs(1);
/// Bytes are counted in pieces of this size.
const PIECE_BYTES: u64 = 1024;

/// What the whole gate may use at once.
#[derive(Debug)]
pub struct Capacity {
    /// For bodies: as they came while they are held in memory, and what inspection makes of them.
    pub memory: Allowance,
    /// For bodies that are kept on the disk, in bytes.
    pub spool: Allowance,
    /// Inspections off the reactor. More than there are cores would only take time from each other.
    pub inspections: Places,
}

impl Capacity {
    /// `memory` and `spool` bytes, and an inspection for each core.
    pub fn new(memory: u64, spool: u64) -> Self {
        Self {
            memory: Allowance::new(memory),
            spool: Allowance::new(spool),
            inspections: Places::new(
                thread::available_parallelism().map_or(1, NonZero::get),
                WAITING_MAX,
            ),
        }
    }
}

impl Default for Capacity {
    fn default() -> Self {
        Self::new(MEMORY_BYTES, SPOOL_BYTES)
    }
}

/// There is no place, and there will be none soon enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Full {
    /// So many wait already that another one would wait in vain.
    #[error("too many are waiting already")]
    Crowded,
    /// None came free in time.
    #[error("none came free in time")]
    Late,
}

/// Places of which each may be held by one at a time. Who comes first is served first.
#[derive(Debug)]
pub struct Places {
    free: Arc<Semaphore>,
    all: usize,
    waiting: AtomicUsize,
    waiting_max: usize,
}

impl Places {
    /// `all` places, for which at most `waiting_max` may wait.
    pub fn new(all: usize, waiting_max: usize) -> Self {
        let all = all.min(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(all)),
            all,
            waiting: AtomicUsize::new(0),
            waiting_max,
        }
    }

    /// Takes one place, waiting for it no longer than `time`.
    ///
    /// # Errors
    /// There is none.
    pub async fn take(&self, time: Duration) -> Result<OwnedSemaphorePermit, Full> {
        self.take_many(1, time).await
    }

    /// Takes `count` places at once; more than there are become all there are.
    async fn take_many(&self, count: usize, time: Duration) -> Result<OwnedSemaphorePermit, Full> {
        let count = u32::try_from(count.min(self.all)).unwrap_or(u32::MAX);
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(count) {
            return Ok(permit);
        }
        let _waiting = Waiting::begin(self)?;
        let waiting = Arc::clone(&self.free).acquire_many_owned(count);
        match timeout(time, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Full::Late),
        }
    }

    /// Places that are held.
    pub fn held(&self) -> usize {
        self.all.saturating_sub(self.free.available_permits())
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// One that waits; no longer when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(places: &'a Places) -> Result<Self, Full> {
        // Counted first, so that two who come together are not both the last one.
        let waiting = Self(&places.waiting);
        if places.waiting.fetch_add(1, Ordering::Relaxed) < places.waiting_max {
            Ok(waiting)
        } else {
            Err(Full::Crowded)
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes of which so many may be held at once.
#[derive(Debug)]
pub struct Allowance {
    pieces: Places,
}

impl Allowance {
    /// `bytes` may be held.
    pub fn new(bytes: u64) -> Self {
        let pieces = usize::try_from(bytes / PIECE_BYTES).unwrap_or(usize::MAX);
        // The count of one reservation is 32 bits wide, which is four tebibytes.
        let most = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
        Self {
            pieces: Places::new(pieces.clamp(1, most), WAITING_MAX),
        }
    }

    /// Takes `bytes` of it, waiting for a second where it is spent. Who asks for more than the whole gets the whole, and is then
    /// alone.
    ///
    /// # Errors
    /// It is spent.
    pub async fn reserve(&self, bytes: u64) -> Result<Reserved, Full> {
        let pieces = usize::try_from(bytes.div_ceil(PIECE_BYTES)).unwrap_or(usize::MAX);
        let permit = self.pieces.take_many(pieces, BYTES_TIME).await?;
        Ok(Reserved(permit))
    }

    /// Bytes that are held.
    pub fn reserved(&self) -> u64 {
        self.pieces.held() as u64 * PIECE_BYTES
    }
}

/// Bytes taken of an allowance; given back when dropped.
#[derive(Debug)]
pub struct Reserved(OwnedSemaphorePermit);

impl Reserved {
    /// How many they are.
    pub fn bytes(&self) -> u64 {
        self.0.num_permits() as u64 * PIECE_BYTES
    }

    /// Adds `other` to them.
    pub fn join(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    /// `bytes`, which holds this share until the last clone of it is dropped.
    pub fn hold(self, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        Bytes::from_owner(Owner {
            bytes,
            _reserved: self,
        })
    }

    /// Gives back what is more than `bytes`.
    pub fn shrink(&mut self, bytes: u64) {
        let kept = usize::try_from(bytes.div_ceil(PIECE_BYTES)).unwrap_or(usize::MAX);
        let spare = self.0.num_permits().saturating_sub(kept);
        drop(self.0.split(spare));
    }
}

/// Bytes with their share.
struct Owner<B> {
    bytes: B,
    _reserved: Reserved,
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Owner<B> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_place_is_held_until_it_is_dropped() {
        let places = Places::new(2, 8);
        let first = places.take(SHORT).await.unwrap();
        let second = places.take(SHORT).await.unwrap();
        assert_eq!(places.held(), 2);
        assert_eq!(places.take(SHORT).await.unwrap_err(), Full::Late);
        drop(first);
        let _third = places.take(SHORT).await.unwrap();
        drop(second);
        assert_eq!((places.held(), places.waiting()), (1, 0));
    }

    #[tokio::test]
    async fn who_would_wait_in_vain_is_told_at_once() {
        let places = Arc::new(Places::new(1, 1));
        let held = places.take(SHORT).await.unwrap();
        let second = {
            let places = Arc::clone(&places);
            tokio::spawn(async move { places.take(Duration::from_secs(5)).await })
        };
        while places.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let third = places.take(Duration::from_secs(3600)).await;
        assert_eq!(third.unwrap_err(), Full::Crowded);
        drop(held);
        drop(second.await.unwrap().unwrap());
        assert_eq!(places.waiting(), 0);
    }

    #[tokio::test]
    async fn memory_is_given_back_in_part_and_whole() {
        let memory = Allowance::new(10 << 10);
        let mut first = memory.reserve(8 << 10).await.unwrap();
        assert_eq!(memory.reserve(4 << 10).await.unwrap_err(), Full::Late);
        first.shrink(5000);
        assert_eq!((first.bytes(), memory.reserved()), (5 << 10, 5 << 10));
        let second = memory.reserve(4 << 10).await.unwrap();
        first.join(second);
        assert_eq!((first.bytes(), memory.reserved()), (9 << 10, 9 << 10));
        drop(first);
        assert_eq!(memory.reserved(), 0);
        let share = memory.reserve(3 << 10).await.unwrap();
        let bytes = share.hold(vec![7; 3000]);
        let part = bytes.slice(2999..);
        drop(bytes);
        assert_eq!((memory.reserved(), &*part), (3 << 10, &[7][..]));
        drop(part);
        let all = memory.reserve(1 << 40).await.unwrap();
        assert_eq!(all.bytes(), 10 << 10, "more than there is is all there is");
    }
}
