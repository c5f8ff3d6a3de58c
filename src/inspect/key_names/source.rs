//! The file of the dictionary, and how it becomes a table.

use serde::Deserialize;

use super::{
    super::detect::{Bearer, KeyHint, Others, Speaks, ValueShape},
    Affix, Entry, Table,
    words::Words,
};
use crate::model::Category;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: Vec<String>,
    as_of: String,
    prefixes: AffixLists,
    suffixes: AffixLists,
    categories: Vec<CategoryKeys>,
    person: Keys,
    things: Keys,
    organisations: Keys,
    criteria: Vec<String>,
    attributes: Vec<String>,
    of_parent: OfParent,
    order_like: Keys,
    neutral: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AffixLists {
    person: Vec<String>,
    #[serde(default)]
    organisation: Vec<String>,
    other: Vec<String>,
}

impl AffixLists {
    fn words(&self) -> impl Iterator<Item = (&String, Affix)> {
        let with = |affix| move |word| (word, affix);
        self.other
            .iter()
            .map(with(Affix::Other))
            .chain(self.organisation.iter().map(with(Affix::Organisation)))
            .chain(self.person.iter().map(with(Affix::Person)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    endings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfParent {
    whole: Vec<String>,
    kind: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryKeys {
    category: Category,
    #[serde(default)]
    value: ValueShape,
    #[serde(default)]
    of_others: Others,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    endings: Vec<String>,
    #[serde(default)]
    ambiguous: Vec<String>,
    #[serde(default)]
    inside: Vec<String>,
}

impl Table {
    /// Compiles `source`.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let file: File = serde_saphyr::from_str(source).map_err(|it| it.to_string())?;
        if file.source.is_empty() || file.as_of.parse::<crate::model::Day>().is_err() {
            return Err("source and as_of must be given".to_owned());
        }
        let mut table = Self::default();
        for block in &file.categories {
            let hint = KeyHint {
                category: Some(block.category),
                value: block.value,
                of_others: block.of_others,
                ..KeyHint::default()
            };
            let unsure = KeyHint {
                needs_person: true,
                ..hint
            };
            table.add(&block.keys, hint, false)?;
            table.add(&block.endings, hint, true)?;
            table.add(&block.ambiguous, unsure, false)?;
            let inner = KeyHint {
                is_inside: true,
                ..hint
            };
            table.add(&block.inside, inner, false)?;
        }
        let order_like = KeyHint {
            is_order_like: true,
            ..KeyHint::default()
        };
        table.add(&file.order_like.keys, order_like, false)?;
        table.add(&file.order_like.endings, order_like, true)?;
        table.mark(&file.person, |hint| hint.is_person = true)?;
        table.mark(&file.things, |hint| hint.bearer = Bearer::Thing)?;
        table.mark(&file.organisations, |hint| {
            hint.bearer = Bearer::Organisation
        })?;
        for key in &file.criteria {
            table.entry(key)?.hint.is_criteria = true;
        }
        for key in &file.attributes {
            table.entry(key)?.hint.is_attribute_list = true;
        }
        for key in &file.of_parent.whole {
            table.entry(key)?.hint.of_parent = Speaks::Whole;
        }
        for key in &file.of_parent.kind {
            table.entry(key)?.hint.of_parent = Speaks::Kind;
        }
        for key in &file.neutral {
            table.entry(key)?;
        }
        for (word, affix) in file.prefixes.words() {
            table.prefixes.insert(word_of(word)?, affix);
        }
        for (word, affix) in file.suffixes.words() {
            table.suffixes.insert(word_of(word)?, affix);
        }
        Ok(table)
    }

    fn add(&mut self, keys: &[String], hint: KeyHint, is_ending: bool) -> Result<(), String> {
        for key in keys {
            let entry = self.entry(key)?;
            let is_new = entry.hint == KeyHint::default();
            if !is_new && entry.hint != hint {
                return Err(format!("`{key}` stands twice and means different things"));
            }
            entry.hint = hint;
            entry.is_ending |= is_ending;
        }
        Ok(())
    }

    /// Says of `keys` of whom or what they are.
    fn mark(&mut self, keys: &Keys, set: fn(&mut KeyHint)) -> Result<(), String> {
        for key in &keys.keys {
            set(&mut self.entry(key)?.hint);
        }
        for key in &keys.endings {
            let entry = self.entry(key)?;
            set(&mut entry.hint);
            entry.is_bearer_ending = true;
        }
        Ok(())
    }

    fn entry(&mut self, key: &str) -> Result<&mut Entry, String> {
        let words = Words::split(key).ok_or_else(|| format!("`{key}` is too long"))?;
        Ok(self.entries.entry(words.from(0).into()).or_default())
    }
}

/// `word` as it is looked up.
fn word_of(word: &str) -> Result<Box<[u8]>, String> {
    let words = Words::split(word).ok_or_else(|| format!("`{word}` is too long"))?;
    Ok(words.from(0).into())
}
