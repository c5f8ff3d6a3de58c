//! A file as one slice of memory, so that a body on disk is read like any other.
#![expect(
    unsafe_code,
    reason = "a mapping is a pointer until somebody vouches for it; the argument stands at each use"
)]

use std::{fmt, fs::File, io, ptr, ptr::NonNull, slice};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// The first bytes of a file that nobody else can reach, read-only. Unmapped when dropped.
pub(super) struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the pages are never written while the mapping lives (see `Mapping::new`), so any number of threads may read them, and
// whichever thread drops the only owner may unmap them.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Mapping {
    /// Maps the first `length` bytes of `file` and closes it.
    ///
    /// The file must have no name and no other descriptor: from here on nothing can write to it or cut it short, so what is read
    /// does not change and every page is there. Its blocks are allocated, so reading never needs space. A disk that cannot read
    /// back what it took ends the process (SIGBUS), before anything of this message has left.
    ///
    /// # Errors
    /// The file is empty or shorter than `length`, or the system does not map it.
    pub(super) fn new(file: File, length: u64) -> io::Result<Self> {
        if length == 0 || file.metadata()?.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        // SAFETY: the address is the system's choice, so no memory of ours is replaced. The flags make a private mapping that cannot
        // be written through.
        let start = unsafe {
            mmap(
                ptr::null_mut(),
                length,
                ProtFlags::READ,
                MapFlags::PRIVATE,
                &file,
                0,
            )
        }?;
        drop(file);
        let start = NonNull::new(start.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }
}

impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `start` is the address of `length` readable bytes that stay mapped as long as `self` lives, and that nobody writes:
        // the mapping is read-only, the file has no name, and its only descriptor is closed.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is what `new` mapped, and no slice of it outlives the owner.
        let unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
        debug_assert!(unmapped.is_ok(), "a mapping of our own is unmapped once");
    }
}
