//! YAML as a tree in which every value knows its place. The only file that knows which reader is used.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Spanned};

/// A place in the text; 0:0 when unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Place {
    /// Line from 1.
    pub(super) line: u64,
    /// Column in characters from 1.
    pub(super) column: u64,
}

impl From<serde_saphyr::Location> for Place {
    fn from(location: serde_saphyr::Location) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
        }
    }
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A value. Numbers keep only their sort: their meaning is read by the typed pass.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Bool,
    Float,
    Integer,
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
    Null,
    Text(String),
}

/// A member name and its place.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) name: String,
}

/// One step of a [`Trail`].
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Index(usize),
    Key(String),
}

/// The path of a value from the root: `destinations[0].country`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trail(Vec<Step>);

impl Trail {
    /// This path and the member `name`.
    #[must_use]
    pub fn key(&self, name: &str) -> Self {
        self.and(Step::Key(name.to_owned()))
    }

    /// This path and the element at `index`.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.and(Step::Index(index))
    }

    /// Whether the value at one of the two holds that at the other, or is it.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }

    fn and(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(name) if at == 0 => f.write_str(name)?,
                Step::Key(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

impl Node {
    /// The place of the value at `trail`, or of its nearest ancestor that stands in the text.
    pub(super) fn find(&self, trail: &Trail) -> Place {
        let mut node = self;
        for step in &trail.0 {
            match node.child(step) {
                Some(next) => node = next,
                None => break,
            }
        }
        node.place
    }

    fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.value, step) {
            (Value::List(items), Step::Index(at)) => items.get(*at),
            (Value::Map(members), Step::Key(name)) => members
                .iter()
                .find(|(key, _)| key.name == *name)
                .map(|(_, node)| node),
            _ => None,
        }
    }
}

impl Value {
    /// What it is, for people.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Float => "a fraction",
            Self::Integer => "a whole number",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
            Self::Null => "nothing",
            Self::Text(_) => "a text",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let it = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self {
            place: it.referenced.into(),
            value: it.value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Bool)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Integer)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Integer)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
        Ok(Value::Integer)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
        Ok(Value::Integer)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Float)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Value, E> {
        Ok(Value::Text(String::new()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = members.next_key::<Spanned<String>>()? {
            let place = key.referenced.into();
            let name = key.value;
            map.push((Key { place, name }, members.next_value()?));
        }
        Ok(Value::Map(map))
    }
}

/// The text is not what was asked for.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) fix: Option<String>,
}

/// Reads `text` as a `T`. Duplicate and merge keys are refused, only `true` and `false` are booleans, no variables.
///
/// # Errors
/// The first thing that does not fit, without an excerpt of the text (it may hold secrets).
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    read_with(text, DuplicateKeyPolicy::Error)
}

/// Reads `text` as a tree that keeps every one of several equal keys, so that all of them are reported.
///
/// # Errors
/// The first thing that is not YAML.
pub(super) fn tree(text: &str) -> Result<Node, Unreadable> {
    read_with(text, DuplicateKeyPolicy::PassThrough)
}

fn read_with<T: DeserializeOwned>(
    text: &str,
    duplicate_keys: DuplicateKeyPolicy,
) -> Result<T, Unreadable> {
    let options = serde_saphyr::options! {
        duplicate_keys: duplicate_keys,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let said = error.without_snippet().to_string();
        let (message, fix) = explain(&said);
        Unreadable {
            place: error.location().map(Place::from).unwrap_or_default(),
            message,
            fix,
        }
    })
}

/// The reader's words without the place, which is given apart, and with a mend where there is a known one.
fn explain(said: &str) -> (String, Option<String>) {
    let bare = said.rsplit_once(" at line ").map_or(said, |(bare, _)| bare);
    if bare.contains("found a tab") || bare.contains("tabs disallowed") {
        let fix = "indent with spaces; the tab is here or on the next line";
        (bare.to_owned(), Some(fix.to_owned()))
    } else if bare.contains("merge keys are not allowed") {
        let fix = "write the keys out";
        (
            "merge keys (`<<`) are refused".to_owned(),
            Some(fix.to_owned()),
        )
    } else {
        (bare.to_owned(), None)
    }
}
