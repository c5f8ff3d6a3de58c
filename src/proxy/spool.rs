//! Large bodies on disk while they are judged: files without a name, written off the reactor, read as one slice.
//!
//! Such a file is personal data at rest for as long as its request takes. It has no name from its first byte on, so it vanishes
//! with the last use of it, or with the process, however that ends.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use rustix::{
    fs::{FallocateFlags, Mode, OFlags, fallocate, open},
    io::{Errno, retry_on_intr},
};
use tokio::task::spawn_blocking;

use super::mapping::Mapping;
use crate::gatekeeper::capacity::{Capacity, Full, Reserved};

/// Bytes collected before they are written.
pub(super) const BUFFER_BYTES: u64 = 256 * 1024;
/// Bytes allocated ahead for a body that does not say how long it is.
const STEP_BYTES: u64 = 8 * 1024 * 1024;
/// End of a name that a file has for a moment where the file system knows no files without one.
const SUFFIX: &str = ".spool";

/// Where large bodies are kept.
#[derive(Debug)]
pub(super) struct Spool {
    dir: PathBuf,
    capacity: Arc<Capacity>,
}

/// Why a body could not be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unkept {
    /// As much as is allowed is kept already.
    #[error("{0}")]
    Full(#[from] Full),
    /// The disk is full or broken.
    #[error("{0}")]
    Disk(#[from] io::Error),
}

impl Spool {
    /// Keeps bodies in `dir`, which is made for this user alone if it is not there.
    ///
    /// # Errors
    /// The directory cannot be made, or no file in it.
    pub(super) fn open(dir: &Path, capacity: Arc<Capacity>) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
        remove_left_over(dir)?;
        drop(nameless(dir)?);
        Ok(Self {
            dir: dir.to_owned(),
            capacity,
        })
    }

    /// Whether a file can be made.
    pub(super) async fn works(&self) -> bool {
        let dir = self.dir.clone();
        off_reactor(move || nameless(&dir).map(drop)).await.is_ok()
    }

    /// Begins a body of `expected` bytes; `None` where it does not say.
    ///
    /// # Errors
    /// There is no room.
    pub(super) async fn begin(&self, expected: Option<u64>) -> Result<Spooling, Unkept> {
        let bytes = expected.unwrap_or(STEP_BYTES).max(1);
        let room = self.capacity.spool.reserve(bytes).await?;
        let dir = self.dir.clone();
        let file = off_reactor(move || {
            let file = nameless(&dir)?;
            allocate(&file, bytes)?;
            Ok(file)
        })
        .await?;
        Ok(Spooling {
            file: Arc::new(file),
            room,
            allocated: bytes,
            written: 0,
            buffer: BytesMut::new(),
            capacity: Arc::clone(&self.capacity),
        })
    }
}

/// A body on its way to the disk.
#[derive(Debug)]
pub(super) struct Spooling {
    file: Arc<File>,
    room: Reserved,
    allocated: u64,
    written: u64,
    buffer: BytesMut,
    capacity: Arc<Capacity>,
}

impl Spooling {
    /// Bytes taken so far.
    pub(super) fn length(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Takes `bytes`, which follow those before.
    ///
    /// # Errors
    /// There is no room.
    pub(super) async fn push(&mut self, bytes: &[u8]) -> Result<(), Unkept> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() as u64 >= BUFFER_BYTES {
            self.write().await?;
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), Unkept> {
        let length = self.length();
        let more = length.saturating_sub(self.allocated);
        let grown = if more > 0 {
            let step = more.max(STEP_BYTES);
            self.room.join(self.capacity.spool.reserve(step).await?);
            self.allocated += step;
            Some(self.allocated)
        } else {
            None
        };
        let (file, offset) = (Arc::clone(&self.file), self.written);
        let buffer = std::mem::take(&mut self.buffer);
        let mut buffer = off_reactor(move || {
            if let Some(bytes) = grown {
                allocate(&file, bytes)?;
            }
            file.write_all_at(&buffer, offset)?;
            Ok(buffer)
        })
        .await?;
        buffer.clear();
        self.buffer = buffer;
        self.written = length;
        Ok(())
    }

    /// The body, whole. Its room on the disk is given back when the last clone of it is dropped.
    ///
    /// # Errors
    /// There is no room, or the system does not map it.
    pub(super) async fn finish(mut self) -> Result<Bytes, Unkept> {
        if !self.buffer.is_empty() {
            self.write().await?;
        }
        let Self {
            file,
            mut room,
            written,
            ..
        } = self;
        // Every write has ended, and its clone of the descriptor with it.
        let file = Arc::try_unwrap(file).map_err(|_| io::Error::other("the file is in use"))?;
        let mapping = off_reactor(move || {
            file.set_len(written)?;
            Mapping::new(file, written)
        })
        .await?;
        room.shrink(written);
        Ok(room.hold(mapping))
    }
}

async fn off_reactor<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

/// A new file in `dir` that no path leads to, for this user alone.
fn nameless(dir: &Path) -> io::Result<File> {
    // Exclusive: it can never be given a name.
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::EXCL | OFlags::CLOEXEC;
    match retry_on_intr(|| open(dir, flags, Mode::RUSR | Mode::WUSR)) {
        Ok(descriptor) => Ok(File::from(descriptor)),
        // A file system or kernel that does not know them.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => unnamed_at_once(dir),
        Err(error) => Err(error.into()),
    }
}

/// The same, for a file system where every file begins with a name: it is taken away before a byte is written.
fn unnamed_at_once(dir: &Path) -> io::Result<File> {
    let path = dir.join(format!("{}{SUFFIX}", uuid::Uuid::now_v7()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

/// Takes away names that a process left when it was killed between two system calls; the files are empty.
fn remove_left_over(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(SUFFIX) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Allocates the first `bytes` of `file`, so that a full disk is noticed here. A file system that cannot do it notices at the write.
fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    match retry_on_intr(|| fallocate(file, FallocateFlags::empty(), 0, bytes)) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    fn spool(dir: &Path, bytes: u64) -> (Spool, Arc<Capacity>) {
        let capacity = Arc::new(Capacity::new(1 << 20, bytes));
        let spool = Spool::open(dir, Arc::clone(&capacity)).unwrap();
        (spool, capacity)
    }

    fn body(length: usize) -> Vec<u8> {
        (0..length)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_body_comes_back_as_it_was_given_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (spool, capacity) = spool(&dir.path().join("spool"), 64 << 20);
        for (length, expected) in [
            (1, Some(1)),
            (3_000_000, Some(3_000_000)),
            (3_000_000, None),
            // Longer than one step ahead.
            (20_000_001, None),
        ] {
            let whole = body(length);
            let mut spooling = spool.begin(expected).await.unwrap();
            for piece in whole.chunks(40_000) {
                spooling.push(piece).await.unwrap();
            }
            assert_eq!(spooling.length(), length as u64);
            let bytes = spooling.finish().await.unwrap();
            assert!(bytes == whole, "{length} {expected:?}");
            let held = capacity.spool.reserved();
            assert!(
                held >= length as u64 && held < length as u64 + 1024,
                "{held}"
            );
            let part = bytes.slice(length - 1..);
            drop(bytes);
            assert_eq!(capacity.spool.reserved(), held, "a part of it is in use");
            assert_eq!(part[0], whole[length - 1]);
            drop(part);
            assert_eq!(capacity.spool.reserved(), 0);
        }
        assert_eq!(fs::read_dir(dir.path().join("spool")).unwrap().count(), 0);
        let mode = fs::metadata(dir.path().join("spool"))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o700);
    }

    #[tokio::test]
    async fn what_is_allowed_on_disk_is_not_exceeded() {
        let dir = tempfile::tempdir().unwrap();
        let (spool, capacity) = spool(dir.path(), 10 << 20);
        let first = spool.begin(Some(6 << 20)).await.unwrap();
        let second = spool.begin(Some(6 << 20)).await;
        assert!(matches!(second, Err(Unkept::Full(Full::Late))));
        drop(first);
        assert_eq!(capacity.spool.reserved(), 0);
        // One that does not say how long it is runs into the bound on its way.
        let mut endless = spool.begin(None).await.unwrap();
        let piece = body(1 << 20);
        let mut taken = 0;
        let error = loop {
            match endless.push(&piece).await {
                Ok(()) => taken += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Unkept::Full(_)), "{error}");
        assert!((8..=10).contains(&taken), "{taken}");
    }

    #[test]
    fn a_file_has_no_name_and_one_reader() {
        let dir = tempfile::tempdir().unwrap();
        for file in [
            nameless(dir.path()).unwrap(),
            unnamed_at_once(dir.path()).unwrap(),
        ] {
            let metadata = file.metadata().unwrap();
            assert_eq!(metadata.nlink(), 0);
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let left = dir.path().join(format!("0{SUFFIX}"));
        fs::write(&left, "").unwrap();
        fs::write(dir.path().join("other"), "").unwrap();
        remove_left_over(dir.path()).unwrap();
        assert!(!left.exists() && dir.path().join("other").exists());
    }

    #[test]
    fn a_mapping_is_never_longer_than_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = nameless(dir.path()).unwrap();
        file.write_all_at(b"abc", 0).unwrap();
        assert!(Mapping::new(file.try_clone().unwrap(), 4).is_err());
        assert!(Mapping::new(nameless(dir.path()).unwrap(), 0).is_err());
        assert_eq!(Mapping::new(file, 3).unwrap().as_ref(), b"abc");
    }
}
