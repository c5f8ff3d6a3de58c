//! Presets: where persons stand in the requests of a well-known service, for an operator to compare with its documentation.
//!
//! A preset is a suggestion. It never says where the recipient is, what was agreed with it, or that a value is not personal: those
//! are the operator's own statements, so a preset writes them as gaps to be filled in or as comments.

mod render;
mod shipped;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{suggest, yaml};
use crate::{
    gatekeeper::destination::check_path,
    inspect::Inspector,
    model::{
        CategorySet, Day, Purpose,
        destination::Role,
        finding::Part,
        inspection::{PlanSpec, Selector},
        subject::IdentifierKind,
    },
};

/// A service and how personal data stands in its requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Name: file name, destination id and path prefix.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Public documentation to compare the preset with.
    pub source: Vec<String>,
    /// Day on which the preset was written.
    pub as_of: Day,
    /// What the recipient usually is to its customer.
    pub role: Role,
    /// Suggested recipient classes.
    pub classes: Vec<String>,
    /// Base URL of the public API, or of an account to be replaced (then `url_note` says so).
    pub url: String,
    /// What to replace in the URL, or which other hosts the service has.
    pub url_note: Option<String>,
    /// Categories that an agreement usually lists.
    pub categories: Vec<String>,
    /// What else an operator should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Requests that carry personal data; the first that fits is taken.
    pub routes: Vec<Route>,
    /// Values that an operator may decide are not personal.
    #[serde(default)]
    pub not_personal: Vec<NotPersonal>,
}

/// Requests of one meaning.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Name.
    pub id: String,
    /// Methods; empty = any.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Prefixes of the path, on segment boundaries.
    pub paths: Vec<String>,
    /// Purposes to choose from; the first is written.
    pub purposes: Vec<Purpose>,
    /// Channel.
    pub channel: Option<String>,
    /// What the recipient is asked to do.
    pub actions: Vec<String>,
    /// RFC 9535 path of the body's elements that are one person each.
    pub records: Option<String>,
    /// Where identifiers of persons stand.
    #[serde(default)]
    pub subjects: Vec<Subject>,
}

/// Where an identifier of a person stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Part of the message.
    #[serde(rename = "in")]
    pub part: Part,
    /// RFC 9535 path in a body; name in query and header; segment number from 0 in a path.
    pub at: String,
    /// What the identifier is.
    pub kind: IdentifierKind,
    /// What the person is in the message.
    pub role: Option<String>,
}

/// A value that an operator may decide is not personal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotPersonal {
    /// Part of the message.
    #[serde(rename = "in")]
    pub part: Part,
    /// RFC 9535 path in a body; name in query and header; segment number from 0 in a path.
    pub at: String,
    /// When it is not.
    pub reason: String,
}

/// Names of all presets, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    shipped::PRESETS.iter().map(|it| it.0)
}

/// Every preset, in order of name. Those that ship are valid (tested), so none is left out.
pub fn all() -> impl Iterator<Item = Preset> {
    shipped::PRESETS
        .iter()
        .filter_map(|(_, text)| Preset::parse(text).ok())
}

/// The preset called `name`.
///
/// # Errors
/// There is none; names the nearest, or all of them.
pub fn find(name: &str) -> Result<Preset, String> {
    match shipped::PRESETS.iter().find(|it| it.0 == name) {
        Some((_, text)) => Preset::parse(text),
        None => Err(match suggest::nearest(name, names()) {
            Some(near) => format!("there is no preset `{name}`; did you mean `{near}`?"),
            None => format!(
                "there is no preset `{name}`; there are: {}",
                names().collect::<Vec<_>>().join(", ")
            ),
        }),
    }
}

impl Preset {
    /// Reads a preset and checks that `init` can write a valid destination from it.
    ///
    /// # Errors
    /// What is wrong with it, first fault only.
    pub fn parse(text: &str) -> Result<Self, String> {
        let it: Self = yaml::read(text).map_err(|it| it.message)?;
        it.check()
            .map_err(|why| format!("preset `{}`: {why}", it.name))?;
        Ok(it)
    }

    fn check(&self) -> Result<(), String> {
        let is_word = |it: &str| {
            let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            !it.is_empty() && it.bytes().all(|byte| is_part(byte) || byte == b'-')
        };
        if !is_word(&self.name) {
            return Err("the name is not of lower-case letters, digits and hyphens".to_owned());
        }
        let lists = [
            ("source", self.source.is_empty()),
            ("classes", self.classes.is_empty()),
            ("categories", self.categories.is_empty()),
            ("routes", self.routes.is_empty()),
        ];
        if let Some((empty, _)) = lists.iter().find(|it| it.1) {
            return Err(format!("`{empty}` is empty"));
        }
        if let Some(odd) = self.source.iter().find(|it| !it.starts_with("https://")) {
            return Err(format!("the source `{odd}` is not an https URL"));
        }
        let url: url::Url = self.url.parse().map_err(|_| "`url` is not a URL")?;
        if url.scheme() != "https" || url.path() != "/" || self.url.ends_with('/') {
            return Err("`url` is not `https://` and a host alone".to_owned());
        }
        for code in &self.categories {
            CategorySet::named(code)?;
        }
        let mut ids = BTreeSet::new();
        for route in &self.routes {
            let why = |why: String| format!("route `{}`: {why}", route.id);
            if !is_word(&route.id) || !ids.insert(&route.id) {
                return Err(why("the id is no word of its own".to_owned()));
            }
            route.check().map_err(why)?;
        }
        self.check_order()?;
        let plan = PlanSpec {
            not_personal: self
                .not_personal
                .iter()
                .map(|it| selector(it.part, &it.at))
                .collect(),
            ..PlanSpec::default()
        };
        Inspector::default().compile(&plan).map(drop)
    }

    /// Every path must be reached: an earlier route may not take all of its requests.
    fn check_order(&self) -> Result<(), String> {
        for (at, route) in self.routes.iter().enumerate() {
            for path in &route.paths {
                let earlier = self.routes.iter().take(at);
                if let Some(other) = earlier.into_iter().find(|it| it.takes_all(route, path)) {
                    return Err(format!("`{path}` is taken by `{}` before", other.id));
                }
            }
        }
        Ok(())
    }
}

impl Route {
    /// Whether every request of `other` under `path` is one of this route.
    fn takes_all(&self, other: &Self, path: &str) -> bool {
        let takes_methods = self.methods.is_empty()
            || !other.methods.is_empty()
                && other.methods.iter().all(|it| self.methods.contains(it));
        let is_below = |prefix: &String| {
            let rest = path.strip_prefix(prefix.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        takes_methods && self.paths.iter().any(is_below)
    }

    fn check(&self) -> Result<(), String> {
        let is_empty = [
            self.paths.is_empty(),
            self.purposes.is_empty(),
            self.actions.is_empty(),
        ];
        if is_empty.contains(&true) {
            return Err("`paths`, `purposes` and `actions` must each name one".to_owned());
        }
        for path in &self.paths {
            check_path(path)?;
        }
        Inspector::default().compile(&self.plan()).map(drop)
    }

    /// What inspection is asked to do on this route.
    fn plan(&self) -> PlanSpec {
        let subjects = self.subjects.iter();
        PlanSpec {
            records: self.records.as_deref().map(|at| selector(Part::Body, at)),
            subjects: subjects
                .map(|it| (selector(it.part, &it.at), it.kind))
                .collect(),
            ..PlanSpec::default()
        }
    }
}

fn selector(part: Part, at: &str) -> Selector {
    Selector {
        part,
        at: at.to_owned(),
    }
}
