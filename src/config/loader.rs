//! Loading again and again: every problem is looked for each time, and what turns out as before is the same object as before.
//!
//! Nothing is skipped, so what depends on the day (an opening that has ended, an agreement that soon will) is never frozen. Law
//! whose texts are the same is not read again; a destination that compiles to an equal value keeps its place in memory, and with
//! it its plans and its connections.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Loaded, Problems, Reading, Sources, compile_text,
    law::{self, LawCache},
    unreadable_file,
};
use crate::{
    gatekeeper::destination::{Caller, Destination},
    inspect::Inspector,
    model::Timestamp,
};

/// Larger files are refused unread.
pub(super) const LARGEST_BYTES: u64 = 4 * 1024 * 1024;

/// Loads one configuration file, as often as it is asked to.
#[derive(Debug)]
pub struct Loader {
    path: PathBuf,
    state_dir: Option<PathBuf>,
    kept: Kept,
}

/// What one reading gave.
#[derive(Debug)]
pub struct Attempt {
    /// What may take force, or every problem.
    pub outcome: Result<Loaded, Problems>,
    /// What was read, as far as reading came.
    pub sources: Sources,
}

/// What outlives one reading.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) law: LawCache,
    pub(super) inspector: Arc<Inspector>,
    destinations: Vec<Arc<Destination>>,
    callers: Arc<[Caller]>,
}

impl Attempt {
    /// Reading broke down: nothing was read, so that the next look tries again.
    pub fn broken_down() -> Self {
        Self {
            outcome: Err(unreadable_file(
                "the configuration",
                "reading it broke down; see the log",
            )),
            sources: Sources::default(),
        }
    }
}

impl Loader {
    /// A loader of the file at `path`, with another state directory than the file's if one is given.
    pub fn new(path: PathBuf, state_dir: Option<PathBuf>) -> Self {
        Self {
            path,
            state_dir,
            kept: Kept::default(),
        }
    }

    /// A loader of the same file that knows nothing yet.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self::new(self.path.clone(), self.state_dir.clone())
    }

    /// Reads and compiles the file under the shipped law. Blocks: not for the reactor's threads.
    pub fn load(&mut self, now: Timestamp) -> Attempt {
        let mut attempt = load_keeping(&self.path, now, &law::SHIPPED, &mut self.kept);
        if let Ok(loaded) = &mut attempt.outcome {
            self.kept.intern(loaded);
            if let Some(dir) = &self.state_dir {
                let configuration = loaded.configuration.clone();
                loaded.configuration = configuration.with_state_dir(dir.clone());
            }
        }
        attempt
    }
}

impl Kept {
    /// Puts what is known already in the place of what was compiled equal to it.
    fn intern(&mut self, loaded: &mut Loaded) {
        let configuration = &mut loaded.configuration;
        for it in &mut configuration.destinations {
            let known = self.destinations.iter().find(|known| *known == it);
            if let Some(known) = known {
                *it = Arc::clone(known);
            }
        }
        if self.callers == configuration.callers {
            configuration.callers = Arc::clone(&self.callers);
        }
        self.destinations.clone_from(&configuration.destinations);
        self.callers = Arc::clone(&configuration.callers);
    }
}

/// Reads and compiles the file at `path`.
pub(super) fn load_keeping(
    path: &Path,
    now: Timestamp,
    shipped: &law::Shipped<'_>,
    kept: &mut Kept,
) -> Attempt {
    let file = path.display().to_string();
    let mut sources = Sources::default();
    let too_large = std::fs::metadata(path).is_ok_and(|it| it.len() > LARGEST_BYTES);
    let text = if too_large {
        Err(format!("larger than {LARGEST_BYTES} bytes"))
    } else {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    };
    sources.note(path, text.as_ref().ok().map(|it| it.as_bytes()));
    let outcome = text
        .map_err(|why| unreadable_file(&file, &why))
        .and_then(|text| {
            let reading = Reading {
                text: &text,
                file: &file,
                base: path.parent().unwrap_or(Path::new("")),
                now,
                shipped,
                runs_here: true,
            };
            compile_text(&reading, kept, &mut sources)
        });
    Attempt { outcome, sources }
}
