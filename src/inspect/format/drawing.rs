//! A document as a tree of values, drawn from what its reader meets: only for plans with a selector that needs a tree.

use serde_json::{Map, Value};

/// A tree being drawn.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    /// Open containers, each with the name under which it stands.
    open: Vec<(String, Value)>,
    root: Value,
}

impl Drawing {
    /// Begins an object or array; `name` counts if it is a member.
    pub(crate) fn open(&mut self, name: &str, is_object: bool) {
        let empty = if is_object {
            Value::Object(Map::new())
        } else {
            Value::Array(Vec::new())
        };
        self.open.push((name.to_owned(), empty));
    }

    /// Ends the innermost container.
    pub(crate) fn close(&mut self) {
        if let Some((name, value)) = self.open.pop() {
            self.put(name, value);
        }
    }

    /// Adds a scalar.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.put(name.to_owned(), Value::String(text.to_owned()));
    }

    fn put(&mut self, name: String, value: Value) {
        match self.open.last_mut() {
            Some((_, Value::Array(elements))) => elements.push(value),
            Some((_, Value::Object(members))) => {
                members.insert(name, value);
            }
            Some(_) | None => self.root = value,
        }
    }

    /// The whole tree.
    pub(crate) fn finish(self) -> Value {
        self.root
    }
}
