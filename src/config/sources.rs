//! What a configuration was read from, so that a change of any of it can be noticed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{self, SHA256};

/// Every file that was read, with a digest of its content, and every folder, with a digest of the names in it. Content counts and
/// not times or inode numbers: Kubernetes swaps a symbolic link above the file, editors put a new file in its place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sources(BTreeMap<PathBuf, Option<Digest>>);

type Digest = [u8; 32];

impl Sources {
    /// `path` was read as `content`; `None`: it could not be read.
    pub(super) fn note(&mut self, path: &Path, content: Option<&[u8]>) {
        self.0.insert(path.to_owned(), content.map(digest_of));
    }

    /// The folder at `path` was listed.
    pub(super) fn note_folder(&mut self, path: &Path) {
        self.0.insert(path.to_owned(), names(path));
    }

    /// The same files and folders as they are now. Reads them: not for the reactor's threads.
    #[must_use]
    pub fn now(&self) -> Self {
        let look = |path: &PathBuf| {
            let found = if path.is_dir() {
                names(path)
            } else {
                fs::read(path).ok().map(|it| digest_of(&it))
            };
            (path.clone(), found)
        };
        Self(self.0.keys().map(look).collect())
    }

    /// These, and of `other` what is not among them.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (path, found) in &other.0 {
            self.0.entry(path.clone()).or_insert(*found);
        }
        self
    }

    /// How many files and folders there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn digest_of(content: &[u8]) -> Digest {
    let mut out = [0; 32];
    let hash = digest::digest(&SHA256, content);
    out.iter_mut()
        .zip(hash.as_ref())
        .for_each(|(to, from)| *to = *from);
    out
}

/// A digest of the names in a folder; `None` when it cannot be listed.
fn names(folder: &Path) -> Option<Digest> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .ok()?
        .filter_map(|it| Some(it.ok()?.file_name().into_encoded_bytes()))
        .collect();
    names.sort_unstable();
    Some(digest_of(&names.join(&0)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn of(paths: &[&Path]) -> Sources {
        let mut sources = Sources::default();
        for it in paths {
            sources.note(it, fs::read(it).ok().as_deref());
        }
        sources
    }

    #[test]
    fn content_counts_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.yaml");
        fs::write(&file, "one").unwrap();
        let before = of(&[&file]);
        assert_eq!(before.now(), before);
        fs::write(dir.path().join("new"), "one").unwrap();
        fs::rename(dir.path().join("new"), &file).unwrap();
        assert_eq!(before.now(), before, "another file with the same content");
        fs::write(dir.path().join("new"), "two").unwrap();
        fs::rename(dir.path().join("new"), &file).unwrap();
        assert_ne!(before.now(), before, "an editor's rename");
        fs::remove_file(&file).unwrap();
        assert_ne!(before.now(), before, "gone");
    }

    /// Kubernetes mounts `tls.crt -> ..data/tls.crt` and `..data -> ..2026_11_25`, and swaps `..data`.
    #[test]
    fn a_swapped_link_above_the_file_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (folder, content) in [("..1", "one"), ("..2", "two")] {
            fs::create_dir(at(folder)).unwrap();
            fs::write(at(folder).join("tls.crt"), content).unwrap();
        }
        symlink("..1", at("..data")).unwrap();
        symlink("..data/tls.crt", at("tls.crt")).unwrap();
        let before = of(&[&at("tls.crt")]);
        symlink("..2", at("..next")).unwrap();
        fs::rename(at("..next"), at("..data")).unwrap();
        assert_ne!(before.now(), before);
    }

    #[test]
    fn a_file_that_comes_into_a_folder_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let mut before = Sources::default();
        before.note_folder(dir.path());
        assert_eq!(before.now(), before);
        fs::write(dir.path().join("profile.yaml"), "").unwrap();
        assert_ne!(before.now(), before);
    }
}
