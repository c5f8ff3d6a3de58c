//! Segment files: names, listing, opening for reading.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, OFlags, flock},
    io::Errno,
};

use super::{
    fault::{Bad, Error, Fault},
    format::{HEADER_BYTES, Header},
};

/// File whose lock the owner of the log holds.
pub(super) const LOCK: &str = "lock";

/// File name of the segment that begins with `first`.
pub(super) fn name(first: u64) -> String {
    format!("{first:020}.seg")
}

/// First sequences of all segments in `dir`, ascending. A `.seg` file with another sort of name is an error: it may be one that was renamed.
pub(super) fn list(dir: &Path) -> Result<Vec<u64>, Error> {
    let mut firsts = Vec::new();
    let entries = fs::read_dir(dir).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            Error::Missing(dir.to_owned())
        } else {
            Error::io("list", dir)(error)
        }
    })?;
    for entry in entries {
        let path = entry.map_err(Error::io("list", dir))?.path();
        if path.extension().is_none_or(|it| it != "seg") {
            continue;
        }
        let file = path
            .file_name()
            .map_or_else(String::new, |it| it.to_string_lossy().into_owned());
        let first = file.strip_suffix(".seg").and_then(|it| it.parse().ok());
        match first.filter(|it| name(*it) == file) {
            Some(first) => firsts.push(first),
            None => {
                return Err(Error::Damaged(Bad {
                    segment: file,
                    offset: 0,
                    sequence: 0,
                    fault: Fault::Link("the file is named as no segment is"),
                }));
            }
        }
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Path of the segment that begins with `first`.
pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(name(first))
}

/// Whether a process holds the log in `dir` open for writing.
pub(super) fn is_owned(dir: &Path) -> bool {
    open(&dir.join(LOCK), false)
        .is_ok_and(|it| flock(&it, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
}

/// Opens a file of the log; a symbolic link in its place is refused.
pub(super) fn open(path: &Path, writable: bool) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(writable)
        .custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default())
        .open(path)
}

/// Reads the header of the segment that begins with `first`, by name and by content.
pub(super) fn header(file: &mut File, path: &Path, first: u64) -> Result<Header, Error> {
    let bad = |fault| {
        Error::Damaged(Bad {
            segment: name(first),
            offset: 0,
            sequence: first,
            fault,
        })
    };
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    file.take(HEADER_BYTES as u64)
        .read_to_end(&mut bytes)
        .map_err(Error::io("read", path))?;
    let header = Header::decode(&bytes).map_err(bad)?;
    if header.first != first {
        return Err(bad(Fault::Link(
            "the segment's header names another first sequence than its file name",
        )));
    }
    Ok(header)
}
