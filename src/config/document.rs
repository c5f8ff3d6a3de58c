//! Other YAML files that people write for this program, read as strictly as the configuration: unknown keys, missing keys and
//! wrong types are reported all at once with line, column and the likely mend.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{
    compile::context::Source,
    problem::{Problem, Problems, Severity},
    shape, suggest,
    yaml::{self, Node, Trail},
};

/// A file read as a `T`, with the places of its values.
#[derive(Debug)]
pub struct Document<T> {
    /// What it says.
    pub value: T,
    file: String,
    text: String,
    tree: Node,
}

impl<T: DeserializeOwned + JsonSchema> Document<T> {
    /// Reads `text`, called `file` in problems. The schema of `T` must close its mappings (`deny_unknown_fields`).
    ///
    /// # Errors
    /// Everything that does not have the shape of a `T`; else the first value that is none.
    pub fn read(text: String, file: String) -> Result<Self, Problems> {
        let source = Source {
            file: file.clone(),
            text: &text,
        };
        let unreadable = |it: yaml::Unreadable| {
            let problem = source.problem(
                Severity::Error,
                it.place,
                &Trail::default(),
                it.message,
                it.fix,
            );
            Problems::new(vec![problem])
        };
        let tree = yaml::tree(&text).map_err(unreadable)?;
        let schema = schemars::schema_for!(T).to_value();
        let misfits: Vec<Problem> = shape::misfits(&tree, &schema)
            .into_iter()
            .map(|it| source.problem(Severity::Error, it.place, &it.trail, it.message, it.fix))
            .collect();
        if !misfits.is_empty() {
            return Err(Problems::new(misfits));
        }
        let value = yaml::read(&text).map_err(unreadable)?;
        Ok(Self {
            value,
            file,
            text,
            tree,
        })
    }
}

impl<T> Document<T> {
    /// An error about the value at `at`.
    pub fn problem(
        &self,
        at: &Trail,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Problem {
        let source = Source {
            file: self.file.clone(),
            text: &self.text,
        };
        let place = self.tree.find(at);
        source.problem(Severity::Error, place, at, message.into(), Some(fix.into()))
    }

    /// An error about a name at `at` that is none of `known`, with the nearest of them.
    pub fn unknown<'a>(
        &self,
        at: &Trail,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Problem {
        let fix = suggest::fix(name, known).unwrap_or_else(|| format!("name a known {what}"));
        self.problem(at, format!("unknown {what} `{name}`"), fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, JsonSchema)]
    #[schemars(deny_unknown_fields)]
    struct Sample {
        name: String,
        #[serde(default)]
        items: Vec<Item>,
    }

    #[derive(Debug, serde::Deserialize, JsonSchema)]
    #[schemars(deny_unknown_fields)]
    struct Item {
        size: u32,
    }

    #[test]
    fn reports_all_at_once_with_places() {
        let text = "nmae: a\nitems:\n  - size: big\n  - size: 1\n    colour: red\n";
        let problems = Document::<Sample>::read(text.to_owned(), "f.yaml".to_owned()).unwrap_err();
        let places: Vec<_> = problems.iter().map(|it| (it.line, it.column)).collect();
        assert_eq!(places, [(1, 1), (1, 1), (3, 11), (5, 5)], "{problems}");
        assert!(problems.to_string().contains("did you mean `name`?"));
    }

    #[test]
    fn places_what_is_found_later() {
        let text = "name: a\nitems:\n  - size: 7\n";
        let read = Document::<Sample>::read(text.to_owned(), "f.yaml".to_owned()).unwrap();
        assert_eq!(
            (read.value.name.as_str(), read.value.items[0].size),
            ("a", 7)
        );
        let at = Trail::default().key("items").index(0).key("size");
        let problem = read.problem(&at, "too small", "write 8");
        assert_eq!((problem.line, problem.column), (3, 11));
        assert_eq!(problem.path, "items[0].size");
        let unknown = read.unknown(&at, "size", "smal", ["small", "large"]);
        assert_eq!(unknown.fix.as_deref(), Some("did you mean `small`?"));
    }
}
