//! What a file would say if its types were right, so that the rest of it is judged at once.
//!
//! A stand-in takes the place of each value that does not fit the schema, and of each that is missing. Its path is kept: nothing
//! is reported of it, and what depends on it waits until it is mended. Such a configuration never takes force.

use serde_json::{Map, Value as Json};

use super::{
    shape::{fits, leaves, meant, properties, required, says, takes, words},
    yaml::{Key, Node, Place, Trail, Value},
};

/// The text that stands for one that could not be read. No value of a file that is right contains it.
pub(super) const UNREAD: &str = "\0";

/// A file without misfits.
#[derive(Debug)]
pub(super) struct Filled {
    /// What it says.
    pub(super) value: Json,
    /// Where stand-ins are.
    pub(super) unread: Vec<Trail>,
}

/// What `tree`, read from `text`, says under `schema`, with a stand-in for all that does not fit.
pub(super) fn fill(text: &str, tree: &Node, schema: &Json) -> Filled {
    let mut filling = Filling {
        text,
        root: schema,
        unread: Vec::new(),
    };
    let value = filling.node(tree, &Trail::default(), schema);
    let value = value.unwrap_or_else(|| filling.stand_in(schema));
    let unread = filling.unread;
    Filled { value, unread }
}

struct Filling<'a> {
    text: &'a str,
    root: &'a Json,
    unread: Vec<Trail>,
}

impl<'a> Filling<'a> {
    /// What `node` says; `None`, noted, if that does not fit.
    fn node(&mut self, node: &Node, trail: &Trail, schema: &'a Json) -> Option<Json> {
        let leaves = leaves(self.root, schema);
        let is_fit = |it: &&Json| fits(&node.value, it);
        let fitting: Vec<&Json> = leaves.iter().copied().filter(is_fit).collect();
        let value = match &node.value {
            _ if fitting.is_empty() => None,
            Value::Bool | Value::Float | Value::Integer => self.scalar(node.place, &fitting),
            Value::List(items) => self.list(items, trail, &fitting),
            Value::Map(members) => self.map(members, trail, &fitting),
            Value::Null => Some(Json::Null),
            Value::Text(text) => says(&leaves, text).then(|| text.as_str().into()),
        };
        if value.is_none() {
            self.unread.push(trail.clone());
        }
        value
    }

    /// A scalar without quotes, as it is written at `place`.
    fn scalar(&self, place: Place, fitting: &[&Json]) -> Option<Json> {
        let above = usize::try_from(place.line.checked_sub(1)?).ok()?;
        let before = usize::try_from(place.column.checked_sub(1)?).ok()?;
        let rest = self.text.lines().nth(above)?.chars().skip(before);
        let is_in = |it: &char| !it.is_whitespace() && !matches!(it, ',' | ']' | '}' | '#');
        let written: String = rest.take_while(is_in).collect();
        let has = |kind| fitting.iter().any(|it| takes(it, kind));
        if has("string") {
            says(fitting, &written).then(|| written.into())
        } else if has("boolean") {
            written.parse::<bool>().ok().map(Json::from)
        } else {
            let number = written.parse::<u64>().ok();
            let holds = |it: u64| match fitting.iter().find_map(|it| it.get("format")) {
                Some(format) if format == "uint16" => u16::try_from(it).is_ok(),
                Some(format) if format == "uint32" => u32::try_from(it).is_ok(),
                Some(_) | None => true,
            };
            number.filter(|it| holds(*it)).map(Json::from)
        }
    }

    fn list(&mut self, items: &[Node], trail: &Trail, fitting: &[&'a Json]) -> Option<Json> {
        let schema = fitting.iter().find_map(|it| it.get("items"))?;
        let mut list = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let value = self.node(item, &trail.index(at), schema);
            list.push(value.unwrap_or_else(|| self.stand_in(schema)));
        }
        Some(Json::Array(list))
    }

    fn map(
        &mut self,
        members: &[(Key, Node)],
        trail: &Trail,
        fitting: &[&'a Json],
    ) -> Option<Json> {
        let schema = meant(members, fitting)?;
        let known = properties(schema);
        let others = schema.get("additionalProperties");
        let others = others.filter(|it| it.is_object());
        let mut map = Map::new();
        for (at, (key, node)) in members.iter().enumerate() {
            let earlier = members.iter().take(at);
            if earlier.clone().any(|(it, _)| it.name == key.name) {
                self.unread.push(trail.key(&key.name));
            }
            let Some(schema) = known.and_then(|it| it.get(&key.name)).or(others) else {
                continue;
            };
            let value = self.node(node, &trail.key(&key.name), schema);
            let value = value.or_else(|| self.marked(schema));
            map.extend(value.map(|it| (key.name.clone(), it)));
        }
        for name in required(schema).filter(|it| !members.iter().any(|(key, _)| key.name == **it)) {
            self.unread.push(trail.key(name));
        }
        self.complete(&mut map, schema);
        Some(Json::Object(map))
    }

    /// Adds what must be in `map` and is not.
    fn complete(&self, map: &mut Map<String, Json>, schema: &'a Json) {
        for name in required(schema)
            .filter(|it| !map.contains_key(*it))
            .collect::<Vec<_>>()
        {
            let schema = properties(schema).and_then(|it| it.get(name));
            let value = schema.map_or(Json::Null, |it| self.stand_in(it));
            map.insert(name.to_owned(), value);
        }
    }

    /// A value that fits `schema`, whatever it is.
    fn stand_in(&self, schema: &'a Json) -> Json {
        let marked = self.marked(schema);
        marked.unwrap_or_else(|| {
            let leaf = self.proper(schema);
            let word = leaf.and_then(|it| words(it).first().copied());
            match (word, leaf) {
                (Some(word), _) => word.into(),
                (None, Some(leaf)) if takes(leaf, "boolean") => false.into(),
                (None, _) => 0.into(),
            }
        })
    }

    /// A value that fits `schema` and shows that nothing was read: texts, and lists and mappings of them. `None` where there is no
    /// such value (numbers, words), so that the default stands there.
    fn marked(&self, schema: &'a Json) -> Option<Json> {
        let leaf = self.proper(schema)?;
        if takes(leaf, "array") {
            let items = leaf.get("items")?;
            Some(Json::Array(vec![self.stand_in(items)]))
        } else if takes(leaf, "object") {
            let members = properties(leaf).into_iter().flatten();
            let value = |(name, it): (&String, &'a Json)| Some((name.clone(), self.marked(it)?));
            let mut map: Map<String, Json> = members.filter_map(value).collect();
            self.complete(&mut map, leaf);
            Some(Json::Object(map))
        } else {
            (takes(leaf, "string") && words(leaf).is_empty()).then(|| UNREAD.into())
        }
    }

    /// The first alternative of `schema` that says something.
    fn proper(&self, schema: &'a Json) -> Option<&'a Json> {
        let is_null = |it: &&Json| it.get("type").is_some_and(|it| it == "null");
        leaves(self.root, schema)
            .into_iter()
            .find(|it| !is_null(it))
    }
}
