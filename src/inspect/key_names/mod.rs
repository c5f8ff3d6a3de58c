//! The key dictionary: what member, field, parameter and header names say about their values. Data from `config/dictionaries`.

mod source;
mod words;

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::LazyLock,
};

use super::{
    detect::{Bearer, KeyHint, Speaks},
    look_alikes::unmixed,
};
use words::Words;

/// The dictionary as written.
const SOURCE: &str = include_str!("../../../config/dictionaries/key_names.yaml");

/// Most words that are left out at the end of a key.
const SUFFIXES_MAX: usize = 2;

/// Parsed once per process.
#[expect(
    clippy::expect_used,
    reason = "the text is embedded and tested; without it the gate would be blind and must not start"
)]
static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(SOURCE).expect("the embedded key dictionary is valid"));

/// The dictionary, compiled. Immutable.
#[derive(Debug)]
pub struct KeyNames {
    table: &'static Table,
}

impl Default for KeyNames {
    fn default() -> Self {
        Self { table: &TABLE }
    }
}

impl KeyNames {
    /// What `key` says. Case, `_ - .` and camelCase do not matter; prefixes such as `customer_` are looked through.
    pub fn lookup(&self, key: &str) -> KeyHint {
        if is_place(key) {
            return KeyHint {
                of_parent: Speaks::Whole,
                ..KeyHint::default()
            };
        }
        let latin = unmixed(key);
        Words::of(latin.as_deref().unwrap_or(key))
            .map_or_else(KeyHint::default, |words| self.table.hint(&words))
    }

    /// Whether `key` is a word of the dictionary (personal or not), so that it may be printed in locations.
    ///
    /// Every word that is looked through must be known too: `customer_email` is printed, `aru_serik_email` is not.
    pub fn is_known(&self, key: &str) -> bool {
        let table = self.table;
        Words::of(key).is_some_and(|mut words| {
            let is_known = |words: &Words| {
                (0..words.count).any(|first| {
                    table.find(words.from(first)).is_some()
                        && (0..first).all(|at| {
                            let word = words.word(at);
                            table.prefixes.contains_key(word) || table.entries.contains_key(word)
                        })
                })
            };
            let mut is_whole = is_known(&words);
            while !is_whole && table.suffix(&words).is_some() {
                words.drop_last();
                is_whole = is_known(&words);
            }
            is_whole
        })
    }
}

/// Whether `key` is the place of an element: lists of some languages are written as objects, `{"0": …}`.
fn is_place(key: &str) -> bool {
    (1..=5).contains(&key.len()) && key.bytes().all(|it| it.is_ascii_digit())
}

/// What the dictionary says of one word or of words written together.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    hint: KeyHint,
    /// Counts after any other words, not only after the prefixes of the dictionary.
    is_ending: bool,
    /// Names a person, an organisation or a thing after any other words.
    is_bearer_ending: bool,
}

impl Entry {
    /// Only of whom or what the entry is.
    fn bearer(&self) -> KeyHint {
        KeyHint {
            is_person: self.hint.is_person,
            bearer: self.hint.bearer,
            ..KeyHint::default()
        }
    }
}

/// A word that may precede or follow: whose the value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Affix {
    /// Names an organisation.
    Organisation,
    /// Says nothing of whose the value is.
    Other,
    /// Names a person, or an address of one.
    Person,
}

type ShortMap<T> = HashMap<Box<[u8]>, T, BuildHasherDefault<ShortHasher>>;

#[derive(Debug, Default)]
struct Table {
    entries: ShortMap<Entry>,
    prefixes: ShortMap<Affix>,
    suffixes: ShortMap<Affix>,
}

impl Table {
    /// The entry of `name` as it is, or without a number at its end (`phone2`).
    fn find(&self, name: &[u8]) -> Option<&Entry> {
        self.entries.get(name).or_else(|| {
            let digits = name.iter().rev().take_while(|it| it.is_ascii_digit());
            let bare = name.len() - digits.count();
            (bare < name.len()).then(|| self.entries.get(name.get(..bare)?))?
        })
    }

    /// What the dictionary says of the key, if need be without a word or two at its end (`telefon_klienta`, `phone_home`).
    fn hint(&self, words: &Words) -> KeyHint {
        if let Some(hint) = self.hint_of_whole(words) {
            return hint;
        }
        let mut shorter = words.clone();
        let mut is_person = false;
        for _ in 0..SUFFIXES_MAX {
            match self.suffix(&shorter) {
                Some(affix) => is_person |= affix == Affix::Person,
                None => break,
            }
            shorter.drop_last();
            let found = self.hint_of_whole(&shorter);
            if let Some(mut hint) = found.filter(|it| it.category.is_some()) {
                if is_person {
                    hint.is_person = true;
                    hint.needs_person = false;
                }
                return hint;
            }
        }
        self.bearer(words)
    }

    /// Of whom or what a key is of which only the last words are known: `fulfillment_service`.
    fn bearer(&self, words: &Words) -> KeyHint {
        (1..words.count)
            .filter_map(|first| self.find(words.from(first)))
            .find(|it| it.is_bearer_ending)
            .map_or_else(KeyHint::default, Entry::bearer)
    }

    /// What the last of several words says, if it may follow any key.
    fn suffix(&self, words: &Words) -> Option<Affix> {
        let last = words.count.checked_sub(1).filter(|it| *it > 0)?;
        self.suffixes.get(words.word(last)).copied()
    }

    /// The longest ending of the key that the dictionary knows and that the words before it let through. A word for a person lets
    /// through what follows it, whatever stands before: `emergency_address_street`.
    fn hint_of_whole(&self, words: &Words) -> Option<KeyHint> {
        let mut is_prefixed = true;
        let mut is_after_other = false;
        let mut is_person = false;
        let mut is_organisation = false;
        for first in 0..words.count {
            let entry = self.find(words.from(first)).filter(|it| {
                let is_let_through = is_prefixed && (!is_after_other || it.hint.category.is_some());
                is_let_through || it.is_ending
            });
            if let Some(entry) = entry {
                let mut hint = entry.hint;
                // What a person has is still a thing, unless it is a list of persons: `customer_plan`, `user_list`.
                let is_had = entry.is_bearer_ending && hint.bearer == Bearer::Thing;
                if first > 0 && is_prefixed && is_person && !is_had {
                    hint.is_person = true;
                    if hint.bearer == Bearer::Thing {
                        hint.bearer = Bearer::None;
                    }
                    hint.needs_person = false;
                } else if is_organisation {
                    hint.bearer = Bearer::Organisation;
                }
                return Some(hint);
            }
            match self.prefixes.get(words.word(first)) {
                Some(Affix::Person) => {
                    is_person = true;
                    is_prefixed = true;
                }
                Some(Affix::Organisation) => is_organisation = true,
                Some(Affix::Other) => {}
                None => {
                    is_prefixed = false;
                    is_after_other = true;
                }
            }
        }
        None
    }
}

/// A multiplicative hash, eight bytes at a time. The table is fixed, so a sender cannot force collisions into it.
#[derive(Debug, Default)]
struct ShortHasher(u64);

impl Hasher for ShortHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (slot, byte) in word.iter_mut().zip(chunk) {
                *slot = *byte;
            }
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Category;

    fn category(key: &str) -> Option<&'static str> {
        KeyNames::default().lookup(key).category.map(Category::code)
    }

    #[test]
    fn one_word_in_many_spellings() {
        for key in [
            "first_name",
            "firstName",
            "FirstName",
            "FIRST_NAME",
            "first-name",
            "first.name",
            "firstname",
            "first name",
            "customer_first_name",
            "user[first_name]",
            "billingFirstName",
            "legalFirstName",
            "first_name_kk",
            "hashedFirstName",
            "first_name_sha256",
            "firstNameHash",
            "first_name_sha_256",
            "FNAME",
            "имя",
            "Имя",
            "imya",
            "Аты",
            "AuthorizedRepresentative1FirstName",
            "first_nаmе",
            "ｆｉｒｓｔ＿ｎａｍｅ",
            "first\u{200b}_name",
        ] {
            assert_eq!(category(key), Some("name.given"), "{key}");
        }
    }

    #[test]
    fn categories_of_real_payloads() {
        let table = [
            ("LNAME", "name.surname"),
            ("LAST_NAME", "name.surname"),
            ("тегі", "name.surname"),
            ("әкесінің аты", "name.patronymic"),
            ("ФИО", "name.full"),
            ("cardholder", "name.full"),
            ("buyer_iin", "national_id"),
            ("numero_secu", "national_id"),
            ("codiceFiscale", "national_id"),
            ("fødselsnummer", "national_id"),
            ("cpf_cnpj", "national_id"),
            ("рнокпп", "national_id"),
            ("ЖСН", "national_id"),
            ("pg_user_phone", "phone"),
            ("ClientPhone", "phone"),
            ("ContactPhoneNumber", "phone"),
            ("phone2", "phone"),
            ("email_address", "email"),
            ("BusinessContactEmail", "email"),
            ("hashedEmail", "email"),
            ("AuthorizedRepresentative1DateOfBirth", "birth_date"),
            ("туған күні", "birth_date"),
            ("to[address_line1]", "address.other"),
            ("мекенжай", "address.other"),
            ("прописка", "address.registration"),
            ("diagnosis", "health.diagnosis"),
            ("cvv", "payment.card_code"),
            ("card_number", "payment.card"),
            ("ip_address", "online.ip"),
            ("userIpAddress", "online.ip"),
            ("_ga", "online.cookie_id"),
            ("customer_id", "online.account_id"),
            ("lat", "location"),
            ("ұлты", "special.ethnicity"),
            ("telefon_klienta", "phone"),
            ("ТелефонПолучателя", "phone"),
            ("phone_home", "phone"),
            ("mobilnyi_telefon", "phone"),
            ("adres_propiski", "address.registration"),
            ("EmergencyAddressStreetSecondary", "address.other"),
            ("imya_zayavitelya", "name.given"),
            ("nom_client", "name.surname"),
            ("geburtsdatum", "birth_date"),
            ("fecha_nacimiento", "birth_date"),
            ("tc_kimlik_no", "national_id"),
        ];
        for (key, code) in table {
            assert_eq!(category(key), Some(code), "{key}");
        }
    }

    #[test]
    fn words_that_only_sound_alike() {
        for key in [
            "product_name",
            "file_name",
            "email_verified",
            "phone_type",
            "address_id",
            "event_name",
            "id",
            "data",
            "",
            "[]",
            "first_names_of_things",
            "phone_type_home",
            "time_to_live",
            "redirect_to_page",
            "статус",
        ] {
            assert_eq!(category(key), None, "{key}");
        }
        assert_eq!(category(&"a".repeat(200)), None);
    }

    #[test]
    fn ambiguous_words_need_a_person_and_prefixes_give_one() {
        let names = KeyNames::default();
        for key in ["name", "title", "city", "first"] {
            assert!(names.lookup(key).needs_person, "{key}");
        }
        for key in [
            "customer_name",
            "recipientName",
            "shipping_city",
            "contact[name]",
        ] {
            let hint = names.lookup(key);
            assert!(hint.category.is_some() && !hint.needs_person, "{key}");
        }
        for key in [
            "to",
            "from",
            "customer",
            "recipients",
            "shipping_address",
            "user",
        ] {
            assert!(names.lookup(key).is_person, "{key}");
        }
    }

    #[test]
    fn a_word_says_whose_the_value_is() {
        let names = KeyNames::default();
        for key in ["BusinessCity", "merchant_zip", "company_tax_id"] {
            assert!(names.lookup(key).bearer == Bearer::Organisation, "{key}");
        }
        for key in ["BusinessContactCity", "city", "customer_zip"] {
            assert!(names.lookup(key).bearer != Bearer::Organisation, "{key}");
        }
        for key in ["nom_client", "gorod_klienta", "prefill_buyer_zip"] {
            let hint = names.lookup(key);
            assert!(hint.is_person && !hint.needs_person, "{key}");
        }
    }

    #[test]
    fn order_numbers_are_nobodys() {
        for key in [
            "order_id",
            "orderNumber",
            "invoice_no",
            "tracking_number",
            "SKU",
            "created_at",
            "amount",
            "version",
        ] {
            assert!(KeyNames::default().lookup(key).is_order_like, "{key}");
        }
    }

    #[test]
    fn only_words_of_the_dictionary_are_known() {
        let names = KeyNames::default();
        for key in [
            "email",
            "customer_email",
            "data",
            "items",
            "order_id",
            "имя",
            "telefon_klienta",
        ] {
            assert!(names.is_known(key), "{key}");
        }
        for key in [
            "aru_serik_email",
            "aru_klienta",
            "aru@example.org",
            "991231100010",
            "",
            "Aruzhan",
        ] {
            assert!(!names.is_known(key), "{key}");
        }
    }

    #[test]
    fn mistakes_in_the_file_are_refused() {
        let file = |keys: &str| {
            format!(
                "source: [x]\nas_of: 2026-11-22\nprefixes: {{person: [], other: []}}\nsuffixes: {{person: [], other: []}}\n\
                 categories:\n  - category: email\n    keys: {keys}\n\
                 person: {{}}\nthings: {{}}\norganisations: {{}}\ncriteria: []\nattributes: []\nof_parent: {{whole: [], kind: []}}\norder_like: {{}}\nneutral: []\n"
            )
        };
        assert!(Table::parse(&file("[email, mail]")).is_ok());
        assert!(Table::parse(&file("[email]\n    ambiguous: [e_mail]")).is_err());
        assert!(Table::parse("source: []").is_err());
    }
}
