//! Purposes of a transfer: dotted names, a parent covers its children.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A purpose such as `marketing.email`. Lower-case words of `[a-z0-9_]`, joined by dots, at most 64 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purpose(Arc<str>);

impl Purpose {
    /// The dotted name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this purpose is `other` or a parent of it: `marketing` covers `marketing.email`.
    pub fn covers(&self, other: &Self) -> bool {
        other
            .0
            .strip_prefix(&*self.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Purpose {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = |it: &str| {
            !it.is_empty()
                && it
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if text.len() <= 64 && text.split('.').all(word) {
            Ok(Self(text.into()))
        } else {
            Err(format!(
                "`{text}` is not a purpose such as marketing.email (lower-case words joined by dots)"
            ))
        }
    }
}

impl Serialize for Purpose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Purpose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_covers_its_children_only() {
        let it = |text: &str| text.parse::<Purpose>().unwrap();
        assert!(it("marketing").covers(&it("marketing.email")));
        assert!(it("marketing").covers(&it("marketing")));
        assert!(!it("marketing").covers(&it("marketing_research")));
        assert!(!it("marketing.email").covers(&it("marketing")));
        assert!("Marketing".parse::<Purpose>().is_err());
    }
}
