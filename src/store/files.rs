//! Files that only their owner may read, created so that they survive a power cut.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use super::{Error, Settings};

/// Makes `dir` (0700) with its parents unless it is there.
pub(super) fn create_dir(dir: &Path) -> Result<(), Error> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(Error::file("create", dir))
}

/// Makes an empty file (0600) unless it is there. Whether it was made.
pub(super) fn create_empty(path: &Path) -> Result<bool, Error> {
    match private().create_new(true).open(path) {
        Ok(file) => {
            file.sync_all().map_err(Error::file("write", path))?;
            sync_parent(path)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::file("create", path)(error)),
    }
}

/// Writes a new file (0600) that appears whole or not at all, and is on stable storage when this returns.
///
/// `false` if `path` exists already; it is left as it is.
pub(super) fn create_whole(path: &Path, content: &[u8]) -> Result<bool, Error> {
    let draft = path.with_extension(format!("draft-{}", uuid::Uuid::now_v7()));
    let written = private()
        .create_new(true)
        .open(&draft)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match linked {
        Ok(()) => {
            removed.map_err(Error::file("remove", &draft))?;
            sync_parent(path)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::file("create", path)(error)),
    }
}

/// Permission bits of `path`, or `None` when it is not there.
pub(super) fn mode(path: &Path) -> Result<Option<u32>, Error> {
    match fs::metadata(path) {
        Ok(it) => Ok(Some(it.permissions().mode() & 0o777)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path)(error)),
    }
}

pub(super) fn permission_warnings(settings: &Settings) -> Vec<String> {
    [
        (settings.dir.clone(), 0o700),
        (settings.database(), 0o600),
        (settings.keys(), 0o600),
    ]
    .into_iter()
    .filter_map(|(path, wanted)| {
        let found = mode(&path).ok().flatten()?;
        (found & !wanted != 0).then(|| {
            format!(
                "{} is open to other users (mode {found:03o}); run `chmod {wanted:03o}` on it",
                path.display()
            )
        })
    })
    .collect()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// A new name is durable only when its directory is.
fn sync_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(path);
    File::open(parent)
        .and_then(|it| it.sync_all())
        .map_err(Error::file("write", parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("it");
        assert!(create_whole(&path, b"one").unwrap());
        assert!(!create_whole(&path, b"two").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(mode(&path).unwrap(), Some(0o600));
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no draft stays"
        );
    }

    #[test]
    fn what_others_may_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            dir: dir.path().join("state"),
        };
        create_dir(&settings.dir).unwrap();
        create_empty(&settings.database()).unwrap();
        assert_eq!(settings.permission_warnings(), Vec::<String>::new());
        fs::set_permissions(settings.database(), fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(&settings.dir, fs::Permissions::from_mode(0o755)).unwrap();
        let warnings = settings.permission_warnings();
        assert_eq!(warnings.len(), 2);
        assert!(warnings[1].contains("mode 644"), "{warnings:?}");
    }
}
