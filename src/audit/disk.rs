//! What the writer does to files. The one seam of this room: tests put failing and recording disks under the writer.

use std::{
    fmt::Debug,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FallocateFlags, fallocate, fdatasync},
    io::{Errno, retry_on_intr},
};

use super::segment;

/// The last segment, open for writing. One virtual call beside a system call.
pub(super) trait Disk: Send + Debug {
    /// Writes all of `bytes` at `offset`.
    fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Waits until everything written is on stable storage.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the segment at `length`, durably.
    fn trim(&mut self, length: u64) -> io::Result<()>;
    /// Makes the segment that begins with `first`, durably, and writes to it from now on. When it fails for want of room
    /// ([`StorageFull`](io::ErrorKind::StorageFull)), there is no such segment and it may be tried again.
    fn create(&mut self, first: u64, header: &[u8], bytes: u64) -> io::Result<()>;
}

/// Files of a directory.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    last: Option<File>,
}

impl Files {
    /// In `dir`; nothing is open until [`Disk::create`] or [`Files::resume`].
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            last: None,
        }
    }

    /// Goes on with the segment that begins with `first`: cuts it at `length`, allocates it to `bytes`.
    pub(super) fn resume(&mut self, first: u64, length: u64, bytes: u64) -> io::Result<()> {
        let file = segment::open(&segment::path(&self.dir, first), true)?;
        file.set_len(length)?;
        allocate(&file, bytes.max(length))?;
        file.sync_all()?;
        self.last = Some(file);
        Ok(())
    }

    fn last(&self) -> io::Result<&File> {
        self.last
            .as_ref()
            .ok_or_else(|| io::Error::other("no segment is open"))
    }
}

impl Disk for Files {
    fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.last()?.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        let file = self.last()?;
        // An interrupted call has not failed; every other error is final, since the kernel may have dropped the pages it could not write.
        Ok(retry_on_intr(|| fdatasync(file))?)
    }

    fn trim(&mut self, length: u64) -> io::Result<()> {
        self.last()?.set_len(length)?;
        self.sync()
    }

    fn create(&mut self, first: u64, header: &[u8], bytes: u64) -> io::Result<()> {
        let unnamed = self.dir.join("next.tmp");
        match fs::remove_file(&unnamed) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let named = begin(&unnamed, header, bytes).and_then(|file| {
            fs::rename(&unnamed, segment::path(&self.dir, first))?;
            Ok(file)
        });
        if named.is_err() {
            // What could be allocated of it would keep the disk full.
            let _stays = fs::remove_file(&unnamed);
        }
        self.last = Some(named?);
        // Whether the name is durable is not known when this fails, whatever for: it is final.
        sync_directory(&self.dir).map_err(io::Error::other)
    }
}

/// The file of a segment, under a name that does not count, on stable storage.
fn begin(path: &Path, header: &[u8], bytes: u64) -> io::Result<File> {
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(header)?;
    allocate(&file, bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// Allocates `bytes` ahead, so that a sync has no metadata to write. A file system that cannot do it works without.
fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    match retry_on_intr(|| fallocate(file, FallocateFlags::empty(), 0, bytes)) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes the names in `dir` durable.
pub(super) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
