//! What every part of the compilation shares: the text, the time, and the list of problems.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use super::super::{
    expiry::{Exception, Standing},
    problem::{Problem, Problems, Severity},
    sources::Sources,
    stand_in, suggest, units,
    yaml::{Node, Place, Trail},
};
use crate::model::{Category, CategorySet, Country, Day, Timestamp, UtcOffset};

/// Words that make a line secret: its value never stands in an excerpt.
const SECRET_WORDS: &[&str] = &["credential", "token", "secret", "password"];

/// Begins the name of a file that systemd hands over (LoadCredential).
const CREDENTIALS: &str = "$CREDENTIALS_DIRECTORY/";

/// The text of the file.
#[derive(Debug)]
pub(in super::super) struct Source<'a> {
    /// As it was named.
    pub(in super::super) file: String,
    /// All of it.
    pub(in super::super) text: &'a str,
}

impl Source<'_> {
    /// A problem at `place`, with the line it stands on.
    pub(in super::super) fn problem(
        &self,
        severity: Severity,
        place: Place,
        trail: &Trail,
        message: String,
        fix: Option<String>,
    ) -> Problem {
        let path = trail.to_string();
        Problem {
            severity,
            file: self.file.clone(),
            line: place.line,
            column: place.column,
            excerpt: self.excerpt(place, &path),
            path,
            message,
            fix,
        }
    }

    fn excerpt(&self, place: Place, path: &str) -> Option<String> {
        let above = usize::try_from(place.line.checked_sub(1)?).ok()?;
        let line = self.text.lines().nth(above)?.trim_end();
        let lower = line.to_ascii_lowercase();
        let has_user = lower
            .split_once("://")
            .is_some_and(|(_, it)| it.contains('@'));
        let is_secret = |text: &str| SECRET_WORDS.iter().any(|it| text.contains(it));
        let shown = if has_user || is_secret(&lower) || is_secret(path) {
            let (key, _) = line.split_once(':')?;
            format!("{key}: …")
        } else {
            line.chars().take(160).collect()
        };
        (!shown.trim().is_empty()).then_some(shown)
    }
}

/// Shared by every part of the compilation.
#[derive(Debug)]
pub(in super::super) struct Context<'a> {
    source: &'a Source<'a>,
    tree: &'a Node,
    /// Directory of the file.
    base: PathBuf,
    /// When it is read.
    pub(super) now: Timestamp,
    /// Whether the configuration is to run on this machine, so that its directories must be usable.
    pub(in super::super) runs_here: bool,
    problems: RefCell<Vec<Problem>>,
    /// Where the file has a wrong type, so that nothing can be said of what stands there.
    unread: Vec<Trail>,
    exceptions: RefCell<Vec<Exception>>,
    /// Files that were read on the way.
    sources: RefCell<Sources>,
}

impl<'a> Context<'a> {
    /// `found` is what is known already, `unread` where stand-ins are.
    pub(in super::super) fn new(
        source: &'a Source<'a>,
        tree: &'a Node,
        base: PathBuf,
        now: Timestamp,
        (found, unread): (Vec<Problem>, Vec<Trail>),
    ) -> Self {
        Self {
            source,
            tree,
            base,
            now,
            runs_here: true,
            problems: RefCell::new(found),
            unread,
            exceptions: RefCell::new(Vec::new()),
            sources: RefCell::default(),
        }
    }

    /// Everything reported, and the files that were read.
    pub(in super::super) fn into_findings(self) -> (Problems, Sources) {
        (
            Problems::new(self.problems.into_inner()),
            self.sources.into_inner(),
        )
    }

    /// Reports what stops the configuration.
    pub(super) fn error(&self, at: &Trail, message: impl Into<String>, fix: impl Into<String>) {
        self.report(Severity::Error, at, message.into(), Some(fix.into()));
    }

    /// Reports what somebody should look at.
    pub(super) fn warning(&self, at: &Trail, message: impl Into<String>, fix: impl Into<String>) {
        self.report(Severity::Warning, at, message.into(), Some(fix.into()));
    }

    fn report(&self, severity: Severity, at: &Trail, message: String, fix: Option<String>) {
        if self.is_unread(at) {
            return;
        }
        let place = self.tree.find(at);
        let problem = self.source.problem(severity, place, at, message, fix);
        self.problems.borrow_mut().push(problem);
    }

    /// Whether the value at `at`, one in it, or one that holds it has a wrong type. What depends on it is judged once it is mended.
    pub(super) fn is_unread(&self, at: &Trail) -> bool {
        self.unread.iter().any(|it| it.meets(at))
    }

    /// Reports a problem of another file.
    pub(in super::super) fn report_of_file(&self, file: String, place: Place, message: String) {
        self.problems.borrow_mut().push(Problem {
            severity: Severity::Error,
            file,
            line: place.line,
            column: place.column,
            path: String::new(),
            message,
            fix: None,
            excerpt: None,
        });
    }

    /// Reports that `what` (`party`, `caller` …) of this name is not there.
    pub(super) fn unknown<'n>(
        &self,
        at: &Trail,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'n str> + Clone,
    ) {
        if known.clone().into_iter().any(|it| it == stand_in::UNREAD) {
            return;
        }
        let fix = suggest::fix(name, known);
        self.report(Severity::Error, at, format!("unknown {what} `{name}`"), fix);
    }

    /// Reads `text` as a `T`, or reports why it is none.
    pub(super) fn parse<T: FromStr<Err = String>>(&self, at: &Trail, text: &str) -> Option<T> {
        self.parse_or_meant(at, text, None)
    }

    /// [`parse`](Self::parse), where `meant` is tried for the fix beside the same text in lower and upper case.
    fn parse_or_meant<T: FromStr<Err = String>>(
        &self,
        at: &Trail,
        text: &str,
        meant: Option<&str>,
    ) -> Option<T> {
        text.parse()
            .map_err(|message| {
                let cases = [text.to_lowercase(), text.to_uppercase()];
                let fix = cases
                    .iter()
                    .map(String::as_str)
                    .chain(meant)
                    .find(|it| it.parse::<T>().is_ok())
                    .map(|it| format!("did you mean `{it}`?"));
                self.report(Severity::Error, at, message, fix);
            })
            .ok()
    }

    /// Reads each of `items`, and reports each that cannot be.
    pub(super) fn parse_all<T: FromStr<Err = String> + Ord>(
        &self,
        at: &Trail,
        items: &[String],
    ) -> BTreeSet<T> {
        let read = |(index, text): (usize, &String)| self.parse(&at.index(index), text);
        items.iter().enumerate().filter_map(read).collect()
    }

    /// Reads a country code; lower case, alpha-3 codes and names get their fix.
    pub(super) fn country(&self, at: &Trail, text: &str) -> Option<Country> {
        let meant = Country::meant(text);
        self.parse_or_meant(at, text, meant.as_ref().map(Country::code))
    }

    /// Reads each country code.
    pub(super) fn countries(&self, at: &Trail, items: &[String]) -> BTreeSet<Country> {
        let read = |(index, text): (usize, &String)| self.country(&at.index(index), text);
        items.iter().enumerate().filter_map(read).collect()
    }

    /// Reads category codes; a parent stands for its leaves.
    pub(super) fn categories(&self, at: &Trail, items: &[String]) -> CategorySet {
        let read = |(index, code): (usize, &String)| self.category(&at.index(index), code);
        let sets = items.iter().enumerate().filter_map(read);
        sets.fold(CategorySet::EMPTY, CategorySet::union)
    }

    /// Reads one category code.
    pub(super) fn category(&self, at: &Trail, code: &str) -> Option<CategorySet> {
        CategorySet::named(code)
            .map_err(|message| {
                let leaves = Category::ALL.iter().map(|it| it.code());
                let parents = leaves.clone().filter_map(|it| Some(it.split_once('.')?.0));
                let near = Category::meant(code)
                    .map(|it| it.code())
                    .or_else(|| suggest::nearest(code, leaves.chain(parents)));
                let fix = near.map(|it| format!("did you mean `{it}`?"));
                self.report(Severity::Error, at, message, fix);
            })
            .ok()
    }

    /// Reads a duration between `least` and `most`; `default` when there is none.
    pub(super) fn duration(
        &self,
        at: &Trail,
        text: Option<&String>,
        default: Duration,
        range: (Duration, Duration),
    ) -> Duration {
        let Some(text) = text else {
            return default;
        };
        match units::duration(text) {
            Ok(it) if it >= range.0 && it <= range.1 => it,
            Ok(_) => {
                let message = format!("`{text}` is out of range");
                let (least, most) = (units::written(range.0), units::written(range.1));
                let fix = format!("a duration from {least} to {most}");
                self.error(at, message, fix);
                default
            }
            Err(message) => {
                self.report(Severity::Error, at, message, None);
                default
            }
        }
    }

    /// Reads a size between `least` and `most` bytes; `default` when there is none.
    pub(super) fn size(
        &self,
        at: &Trail,
        text: Option<&String>,
        default: u64,
        (least, most): (&str, &str),
    ) -> u64 {
        let Some(text) = text else {
            return default;
        };
        let bound = |it: &str| units::size(it).unwrap_or(default);
        match units::size(text) {
            Ok(it) if (bound(least)..=bound(most)).contains(&it) => it,
            Ok(_) => {
                let message = format!("`{text}` is out of range");
                self.error(at, message, format!("a size from {least} to {most}"));
                default
            }
            Err(message) => {
                self.report(Severity::Error, at, message, None);
                default
            }
        }
    }

    /// Checks a number between `least` and `most`; `default` when there is none.
    pub(super) fn number(
        &self,
        at: &Trail,
        number: Option<u64>,
        default: u64,
        (least, most): (u64, u64),
    ) -> u64 {
        match number {
            Some(it) if (least..=most).contains(&it) => it,
            Some(it) => {
                let fix = format!("a number from {least} to {most}");
                self.error(at, format!("{it} is out of range"), fix);
                default
            }
            None => default,
        }
    }

    /// `name` relative to the directory of the file, or to the directory of systemd's credentials where it says so.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        located(&self.base, name, credentials.as_deref().map(Path::new))
    }

    /// The text of a file, or a report why not.
    pub(super) fn file(&self, at: &Trail, name: &str) -> Option<String> {
        let path = self.path(name);
        let text = std::fs::read_to_string(&path);
        let content = text.as_ref().ok().map(|it| it.as_bytes());
        self.sources.borrow_mut().note(&path, content);
        match text {
            Ok(text) => Some(text),
            Err(error) => {
                let message = format!("cannot read {}: {error}", path.display());
                let fix = if path.starts_with(&self.base) && name.starts_with(CREDENTIALS) {
                    "CREDENTIALS_DIRECTORY is not set: name the file with LoadCredential= in the unit"
                } else {
                    "check the path (relative to the configuration file) and its permissions"
                };
                self.error(at, message, fix);
                None
            }
        }
    }

    /// Warns when `until` has passed or is within 30 days. `what` begins the sentence; `fix` says how to renew.
    pub(super) fn expiry(&self, at: &Trail, until: Day, offset: UtcOffset, what: &str, fix: &str) {
        match Standing::of(Some(until), offset, self.now) {
            Standing::Expired => self.warning(at, format!("{what} expired on {until}"), fix),
            Standing::ExpiresSoon => self.warning(at, format!("{what} expires on {until}"), fix),
            Standing::Holds => {}
        }
    }

    /// Reports an exception that has ended, ends within 30 days or is for longer than a year, and keeps it for the record.
    /// Exceptions never outlive their day silently.
    pub(super) fn exception(
        &self,
        at: &Trail,
        exception: Exception,
        offset: UtcOffset,
        what: &str,
    ) {
        let until = exception.until;
        let standing = Standing::of(Some(until), offset, self.now);
        let fix = "remove it, or let its owner renew it";
        if standing == Standing::Expired {
            self.error(at, format!("{what} expired on {until}"), fix);
        } else if standing == Standing::ExpiresSoon {
            self.warning(at, format!("{what} expires on {until}"), fix);
        } else if self.now.day(offset).plus_months(12) < until {
            let message = format!("{what} holds for more than a year");
            self.warning(at, message, "end it within a year, then review it");
        }
        self.exceptions.borrow_mut().push(exception);
    }

    /// The exceptions found so far, in the order of the file's destinations.
    pub(super) fn take_exceptions(&self) -> Vec<Exception> {
        self.exceptions.take()
    }

    /// Reports a text that is empty or only blanks.
    pub(super) fn not_empty(&self, at: &Trail, text: &str) {
        if text.trim().is_empty() {
            self.error(
                at,
                "the text is empty",
                "say it in words; it goes into the record",
            );
        }
    }

    /// Reports an id that is not made of `a-z 0-9 - _`, or is used before.
    pub(super) fn id(&self, at: &Trail, id: &str, what: &str, seen: &mut BTreeSet<String>) {
        let is_word =
            |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-_".contains(&it);
        if id.is_empty() || id.len() > 64 || !id.bytes().all(is_word) {
            let message = format!("`{id}` is not an id");
            let fix = "1 to 64 of a-z, 0-9, - and _ (it becomes a metric label)";
            self.error(at, message, fix);
        }
        if !seen.insert(id.to_owned()) {
            let message = format!("duplicate {what} id `{id}`");
            self.error(at, message, "give each its own id");
        }
    }
}

/// `name` below `base`; below `credentials`, if they are there, where it begins with [`CREDENTIALS`].
fn located(base: &Path, name: &str, credentials: Option<&Path>) -> PathBuf {
    match name.strip_prefix(CREDENTIALS).zip(credentials) {
        Some((name, dir)) => dir.join(name),
        None => base.join(name),
    }
}

/// Whether `path` can be written to, or made. `Err` says why not.
pub(super) fn writable(path: &Path) -> Result<(), String> {
    use rustix::fs::{Access, access};
    let nearest = path.ancestors().find(|it| it.exists());
    let Some(nearest) = nearest.or_else(|| path.is_relative().then_some(Path::new("."))) else {
        return Err(format!("{} has no parent that exists", path.display()));
    };
    if !nearest.is_dir() {
        return Err(format!("{} is not a directory", nearest.display()));
    }
    access(nearest, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| format!("{} cannot be written to: {error}", nearest.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stand_where_systemd_puts_them() {
        let (base, dir) = (Path::new("/etc/shekara"), Path::new("/run/credentials/x"));
        for (name, dir, wanted) in [
            (
                "$CREDENTIALS_DIRECTORY/a",
                Some(dir),
                "/run/credentials/x/a",
            ),
            (
                "$CREDENTIALS_DIRECTORY/a",
                None,
                "/etc/shekara/$CREDENTIALS_DIRECTORY/a",
            ),
            (
                "a/$CREDENTIALS_DIRECTORY/b",
                Some(dir),
                "/etc/shekara/a/$CREDENTIALS_DIRECTORY/b",
            ),
            ("/secrets/a", Some(dir), "/secrets/a"),
        ] {
            assert_eq!(located(base, name, dir), Path::new(wanted), "{name}");
        }
    }
}
