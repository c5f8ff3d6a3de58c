//! The shape of the file against its JSON Schema: unknown keys, missing keys and wrong types, all at once.
//!
//! A typed reader stops at the first thing that does not fit. This walk does not, and the typed pass after it finds nothing new.

use serde_json::{Map, Value as Json};

use super::{
    suggest,
    yaml::{Key, Node, Place, Trail, Value},
};

/// Something that does not fit the schema.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) place: Place,
    pub(super) trail: Trail,
    pub(super) message: String,
    pub(super) fix: Option<String>,
}

/// Everything in `node` that does not fit `schema`.
pub(super) fn misfits(node: &Node, schema: &Json) -> Vec<Misfit> {
    let mut walk = Walk {
        root: schema,
        found: Vec::new(),
    };
    walk.node(node, &Trail::default(), schema);
    walk.found
}

struct Walk<'a> {
    root: &'a Json,
    found: Vec<Misfit>,
}

impl<'a> Walk<'a> {
    fn node(&mut self, node: &Node, trail: &Trail, schema: &'a Json) {
        let leaves = leaves(self.root, schema);
        let fitting: Vec<&Json> = leaves
            .iter()
            .copied()
            .filter(|it| fits(&node.value, it))
            .collect();
        if fitting.is_empty() {
            let message = format!(
                "expected {}, found {}",
                describe(&leaves),
                node.value.kind()
            );
            let is_whole = *trail == Trail::default();
            let fix = is_whole.then(|| "begin with what `shekara init` writes".to_owned());
            self.report(node.place, trail, message, fix);
            return;
        }
        match &node.value {
            Value::List(items) => self.list(items, trail, &fitting),
            Value::Map(members) => self.map(node.place, members, trail, &fitting),
            Value::Text(text) => self.text(node.place, text, trail, &leaves),
            Value::Bool | Value::Float | Value::Integer | Value::Null => {}
        }
    }

    fn list(&mut self, items: &[Node], trail: &Trail, fitting: &[&'a Json]) {
        let Some(schema) = fitting.iter().find_map(|it| it.get("items")) else {
            return;
        };
        for (at, item) in items.iter().enumerate() {
            self.node(item, &trail.index(at), schema);
        }
    }

    /// Several object shapes mean an enum of which each variant is one key: the key chooses.
    fn map(&mut self, place: Place, members: &[(Key, Node)], trail: &Trail, fitting: &[&'a Json]) {
        let Some(schema) = meant(members, fitting) else {
            return;
        };
        let known = properties(schema);
        let others = schema.get("additionalProperties");
        for (at, (key, node)) in members.iter().enumerate() {
            let below = trail.key(&key.name);
            let earlier = members.iter().take(at);
            if earlier.clone().any(|(it, _)| it.name == key.name) {
                let message = format!("duplicate key `{}`", key.name);
                let fix = "keep one of the two; the later would silently win elsewhere";
                self.report(key.place, &below, message, Some(fix.to_owned()));
            }
            match (known.and_then(|it| it.get(&key.name)), others) {
                (Some(schema), _) => self.node(node, &below, schema),
                (None, Some(schema @ Json::Object(_))) => self.node(node, &below, schema),
                (None, Some(Json::Bool(false))) => {
                    let names = known
                        .into_iter()
                        .flat_map(|it| it.keys().map(String::as_str));
                    let fix = suggest::fix(&key.name, names);
                    let message = format!("unknown key `{}`", key.name);
                    self.report(key.place, &below, message, fix);
                }
                (None, _) => {}
            }
        }
        self.missing(place, members, trail, schema);
    }

    fn missing(&mut self, place: Place, members: &[(Key, Node)], trail: &Trail, schema: &'a Json) {
        for name in required(schema) {
            if !members.iter().any(|(key, _)| key.name == name) {
                let about = properties(schema)
                    .and_then(|it| it.get(name)?.get("description")?.as_str())
                    .map(|it| format!("add `{name}:` ({})", first_line(it)));
                let message = format!("missing key `{name}`");
                self.report(place, trail, message, about);
            }
        }
    }

    fn text(&mut self, place: Place, text: &str, trail: &Trail, leaves: &[&'a Json]) {
        if !says(leaves, text) {
            let words: Vec<&str> = leaves.iter().flat_map(|it| words(it)).collect();
            let mapped = leaves.iter().find_map(|it| properties(it)?.get(text));
            let fix = match mapped {
                Some(schema) => Some(self.as_mapping(text, schema)),
                None => suggest::fix(text, words.iter().copied()),
            };
            let message = format!("expected {}, found `{text}`", describe(leaves));
            self.report(place, trail, message, fix);
        }
    }

    /// How to write a word that takes a mapping.
    fn as_mapping(&self, word: &str, schema: &'a Json) -> String {
        let keys: Vec<&str> = leaves(self.root, schema)
            .into_iter()
            .flat_map(required)
            .collect();
        format!("write `{word}:` with {} below it", keys.join(", "))
    }

    fn report(&mut self, place: Place, trail: &Trail, message: String, fix: Option<String>) {
        self.found.push(Misfit {
            place,
            trail: trail.clone(),
            message,
            fix,
        });
    }
}

/// The alternatives of `schema`, references into `root` followed.
pub(super) fn leaves<'a>(root: &'a Json, schema: &'a Json) -> Vec<&'a Json> {
    let target = schema
        .get("$ref")
        .and_then(Json::as_str)
        .and_then(|it| root.pointer(it.strip_prefix('#')?));
    if let Some(target) = target {
        return leaves(root, target);
    }
    let branches = schema
        .get("anyOf")
        .or_else(|| schema.get("oneOf"))
        .and_then(Json::as_array);
    match branches {
        Some(branches) => branches.iter().flat_map(|it| leaves(root, it)).collect(),
        None => vec![schema],
    }
}

/// The one of the `fitting` alternatives that a mapping means, by its first key.
pub(super) fn meant<'a>(members: &[(Key, Node)], fitting: &[&'a Json]) -> Option<&'a Json> {
    let has_first = |it: &&&Json| {
        let first = members.first().map_or("", |(key, _)| key.name.as_str());
        properties(it).is_some_and(|it| it.contains_key(first))
    };
    let named = fitting.iter().find(has_first);
    named.or_else(|| fitting.first()).copied()
}

/// Whether one of `leaves` takes the word `text`.
pub(super) fn says(leaves: &[&Json], text: &str) -> bool {
    let is_free = |it: &&&Json| is_untyped(it) || (takes(it, "string") && words(it).is_empty());
    leaves.iter().any(|it| is_free(&it)) || leaves.iter().any(|it| words(it).contains(&text))
}

pub(super) fn properties(schema: &Json) -> Option<&Map<String, Json>> {
    schema.get("properties").and_then(Json::as_object)
}

/// The keys that must be there.
pub(super) fn required(schema: &Json) -> impl Iterator<Item = &str> {
    let names = schema.get("required").and_then(Json::as_array);
    names.into_iter().flatten().filter_map(Json::as_str)
}

/// The values that `schema` allows by name.
pub(super) fn words(schema: &Json) -> Vec<&str> {
    let listed = schema.get("enum").and_then(Json::as_array);
    listed
        .into_iter()
        .flatten()
        .chain(schema.get("const"))
        .filter_map(Json::as_str)
        .collect()
}

/// Whether `schema` is of the JSON Schema type `name`.
pub(super) fn takes(schema: &Json, name: &str) -> bool {
    match schema.get("type") {
        Some(Json::String(it)) => it == name,
        Some(Json::Array(several)) => several.iter().any(|it| it.as_str() == Some(name)),
        Some(_) | None => name == "string" && !words(schema).is_empty(),
    }
}

/// Whether `schema` takes any value.
fn is_untyped(schema: &Json) -> bool {
    schema.get("type").is_none() && words(schema).is_empty()
}

/// A text field takes any scalar: `bin: 990140000007` means the digits as written.
pub(super) fn fits(value: &Value, schema: &Json) -> bool {
    is_untyped(schema)
        || match value {
            Value::Bool => takes(schema, "boolean") || takes(schema, "string"),
            Value::Float => takes(schema, "number") || takes(schema, "string"),
            Value::Integer => ["integer", "number", "string"]
                .iter()
                .any(|it| takes(schema, it)),
            Value::List(_) => takes(schema, "array"),
            Value::Map(_) => takes(schema, "object"),
            Value::Null => takes(schema, "null"),
            Value::Text(_) => takes(schema, "string"),
        }
}

fn describe(leaves: &[&Json]) -> String {
    let mut names: Vec<String> = leaves.iter().flat_map(|it| describe_one(it)).collect();
    names.dedup();
    if names.len() > 3 {
        format!("one of {}", names.join(", "))
    } else {
        names.join(" or ")
    }
}

fn describe_one(schema: &Json) -> Vec<String> {
    let words = words(schema);
    if !words.is_empty() {
        return words.iter().map(|it| format!("`{it}`")).collect();
    }
    let keys: Vec<&str> = required(schema).collect();
    [
        ("array", "a list".to_owned()),
        ("boolean", "true or false".to_owned()),
        ("integer", "a whole number".to_owned()),
        ("number", "a number".to_owned()),
        ("string", "a text".to_owned()),
        (
            "object",
            match keys.as_slice() {
                [] => "a mapping".to_owned(),
                keys => format!("a mapping with {}", keys.join(", ")),
            },
        ),
    ]
    .into_iter()
    .filter(|(kind, _)| takes(schema, kind))
    .map(|(_, text)| text)
    .collect()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text).trim_end_matches('.')
}
