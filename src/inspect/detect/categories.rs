//! Names and kinds of the categories, for reports and exports. Data from `config/dictionaries/categories.yaml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::Category;

/// The dictionary as written.
const SOURCE: &str = include_str!("../../../config/dictionaries/categories.yaml");

/// How the law and the payment rules look at a category.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// Personal data of no special kind.
    Ordinary,
    /// Health, ethnicity, beliefs, intimate life, criminal record.
    Special,
    /// Biometric data.
    Biometric,
    /// A card's number or code.
    Card,
}

/// What a category is called.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryEntry {
    /// The category.
    pub category: Category,
    /// Its kind.
    pub sensitivity: Sensitivity,
    /// Key in Fideslang's taxonomy; empty where none fits.
    pub fideslang: String,
    /// Term of W3C DPV; empty where none fits.
    pub dpv: String,
    /// English label.
    pub en: String,
    /// Russian label.
    pub ru: String,
    /// Kazakh label.
    pub kk: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "required of the file, for its reader")]
    source: Vec<String>,
    #[expect(dead_code, reason = "required of the file, for its reader")]
    as_of: String,
    categories: Vec<CategoryEntry>,
}

/// Parsed once per process. Labels decide nothing, so a file that does not parse would only leave them out; a test forbids it.
static ENTRIES: LazyLock<Vec<CategoryEntry>> = LazyLock::new(|| parse(SOURCE).unwrap_or_default());

fn parse(source: &str) -> Result<Vec<CategoryEntry>, serde_saphyr::Error> {
    serde_saphyr::from_str::<File>(source).map(|it| it.categories)
}

/// The entry of `category`.
pub fn entry(category: Category) -> Option<&'static CategoryEntry> {
    ENTRIES.iter().find(|it| it.category == category)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_one_entry_that_agrees_with_the_model() {
        let entries = parse(SOURCE).unwrap();
        assert_eq!(entries.len(), Category::ALL.len());
        for category in Category::ALL {
            let entry = entry(*category).unwrap_or_else(|| panic!("{category}"));
            let is_special = matches!(
                entry.sensitivity,
                Sensitivity::Special | Sensitivity::Biometric
            );
            assert_eq!(is_special, category.is_special(), "{category}");
            assert_eq!(
                entry.sensitivity == Sensitivity::Card,
                category.is_card_data(),
                "{category}"
            );
            for label in [&entry.en, &entry.ru, &entry.kk] {
                assert!(!label.trim().is_empty(), "{category}");
            }
        }
    }
}
