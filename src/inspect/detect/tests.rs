use super::*;

fn scan(text: &str, kind: ValueKind, key: KeyHint, parent: KeyHint) -> Vec<Hit> {
    let mut hits = Vec::new();
    Detectors::default().scan(&Field::new(text, kind, key, parent), &mut hits);
    for hit in &hits {
        assert!(
            text.get(hit.range.clone()).is_some(),
            "{text}: {:?}",
            hit.range
        );
        assert!(hit.confidence <= hit.confidence_beside_person, "{text}");
    }
    hits
}

fn hint(category: Option<Category>) -> KeyHint {
    KeyHint {
        category,
        ..KeyHint::default()
    }
}

/// Each text holds exactly one hit of `category`, at the part named, as sure as said.
pub(super) fn check_found(category: Category, table: &[(&str, &str, Confidence)]) {
    for (text, part, confidence) in table {
        let hits = scan(
            text,
            ValueKind::String,
            KeyHint::default(),
            KeyHint::default(),
        );
        let seen: Vec<_> = hits
            .iter()
            .map(|it| {
                (
                    it.category,
                    text.get(it.range.clone()).unwrap(),
                    it.confidence,
                )
            })
            .collect();
        assert_eq!(seen, [(category, *part, *confidence)], "{text}");
    }
}

/// No text holds a hit.
pub(super) fn check_none(texts: &[&str]) {
    for text in texts {
        assert_eq!(
            scan(
                text,
                ValueKind::String,
                KeyHint::default(),
                KeyHint::default()
            ),
            [],
            "{text}"
        );
    }
}

fn surest(hits: &[Hit]) -> Option<(Category, Confidence)> {
    hits.iter()
        .map(|it| (it.category, it.confidence))
        .max_by_key(|it| it.1)
}

/// What a value under a key of `category` is.
pub(super) fn check_keyed(
    category: Option<Category>,
    text: &str,
    expected: Option<(Category, Confidence)>,
) {
    let hits = scan(text, ValueKind::String, hint(category), KeyHint::default());
    assert_eq!(surest(&hits), expected, "{category:?}: {text}");
}

/// The hits in a text without a key.
pub(super) fn found(text: &str) -> Vec<Hit> {
    scan(
        text,
        ValueKind::String,
        KeyHint::default(),
        KeyHint::default(),
    )
}

/// What a value under an order-like key is.
pub(super) fn order_key(text: &str, expected: Option<(Category, Confidence)>) {
    let key = KeyHint {
        is_order_like: true,
        ..KeyHint::default()
    };
    assert_eq!(
        surest(&scan(text, ValueKind::String, key, KeyHint::default())),
        expected,
        "{text}"
    );
}

/// Confidence of a value under an ambiguous key, alone and beside a person; under a person it is the latter.
pub(super) fn check_ambiguous(
    category: Category,
    text: &str,
    expected: Option<(Confidence, Confidence)>,
) {
    let key = KeyHint {
        needs_person: true,
        ..hint(Some(category))
    };
    let alone = scan(text, ValueKind::String, key, KeyHint::default());
    let seen = alone
        .first()
        .map(|it| (it.confidence, it.confidence_beside_person));
    assert_eq!(seen, expected, "{text}");
    let person = KeyHint {
        is_person: true,
        ..KeyHint::default()
    };
    let inside = scan(text, ValueKind::String, key, person);
    assert_eq!(
        inside.first().map(|it| it.confidence),
        expected.map(|it| it.1),
        "{text}"
    );
}

/// What a value under a key without meaning is, when the parent names `category`.
pub(super) fn check_inherited(
    category: Category,
    text: &str,
    expected: Option<(Category, Confidence)>,
) {
    let hits = scan(
        text,
        ValueKind::String,
        KeyHint::default(),
        hint(Some(category)),
    );
    assert_eq!(surest(&hits), expected, "{category:?}: {text}");
}

/// The normalised identifier of the first hit.
pub(super) fn identifier_of(category: Option<Category>, text: &str) -> Option<String> {
    scan(text, ValueKind::String, hint(category), KeyHint::default())
        .into_iter()
        .find_map(|it| it.identifier)
        .map(|it| it.value.into_exposed())
}

#[test]
fn several_hits_stand_in_order_and_do_not_overlap() {
    let text = "aru@example.org, +77010000001, 991231100010, 4111 1111 1111 1111, 198.51.100.7";
    let hits = scan(
        text,
        ValueKind::String,
        KeyHint::default(),
        KeyHint::default(),
    );
    let seen: Vec<_> = hits.iter().map(|it| it.category).collect();
    assert_eq!(
        seen,
        [
            Category::Email,
            Category::Phone,
            Category::NationalId,
            Category::PaymentCard,
            Category::OnlineIp
        ]
    );
    assert!(
        hits.windows(2)
            .all(|it| it[0].range.end <= it[1].range.start)
    );
}

#[test]
fn literals_and_short_texts_hold_nothing() {
    let key = hint(Some(Category::NameGiven));
    assert_eq!(
        scan("true", ValueKind::Literal, key, KeyHint::default()),
        []
    );
    assert_eq!(
        scan(
            "1234",
            ValueKind::String,
            KeyHint::default(),
            KeyHint::default()
        ),
        []
    );
    assert_eq!(scan("", ValueKind::String, key, KeyHint::default()), []);
}

#[test]
fn member_names_hold_identifiers_but_are_not_read_by_their_key() {
    let hits = scan(
        "aru@example.org",
        ValueKind::Key,
        KeyHint::default(),
        KeyHint::default(),
    );
    assert_eq!(surest(&hits), Some((Category::Email, Confidence::High)));
    let hits = scan(
        "991231100010",
        ValueKind::Key,
        KeyHint::default(),
        KeyHint::default(),
    );
    assert_eq!(
        surest(&hits),
        Some((Category::NationalId, Confidence::High))
    );
    let hits = scan(
        "Aruzhan",
        ValueKind::Key,
        hint(Some(Category::NameGiven)),
        KeyHint::default(),
    );
    assert_eq!(hits, []);
}

#[test]
fn numbers_are_read_as_text_is() {
    let key = hint(Some(Category::NationalId));
    let hits = scan("40229600205", ValueKind::Number, key, KeyHint::default());
    assert_eq!(
        surest(&hits),
        Some((Category::NationalId, Confidence::Certain))
    );
    let hits = scan(
        "991231100010",
        ValueKind::Number,
        KeyHint::default(),
        KeyHint::default(),
    );
    assert_eq!(
        surest(&hits),
        Some((Category::NationalId, Confidence::High))
    );
}

#[test]
fn earlier_hits_stay() {
    let mut hits = scan(
        "aru@example.org",
        ValueKind::String,
        KeyHint::default(),
        KeyHint::default(),
    );
    let field = Field::new(
        "+77010000001 +77010000002",
        ValueKind::String,
        KeyHint::default(),
        KeyHint::default(),
    );
    let work = Detectors::default().scan(&field, &mut hits);
    assert_eq!(hits.len(), 3);
    assert!(work > field.text.len() as u64);
}

/// A zero-width space after each letter hides neither the person nor what is said of her health.
#[test]
fn running_text_is_read_as_people_see_it() {
    let text = "Пациентка Серикова Ару Маратовна, диагноз: сахарный диабет, назначен метформин";
    let hidden: String = text.chars().flat_map(|it| [it, '\u{200b}']).collect();
    let kinds = |text: &str| -> Vec<Category> {
        scan(
            text,
            ValueKind::String,
            KeyHint::default(),
            KeyHint::default(),
        )
        .iter()
        .map(|it| it.category)
        .collect()
    };
    assert!(kinds(text).contains(&Category::HealthOther));
    assert_eq!(kinds(&hidden), kinds(text));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "[0-9a-zA-Zә٣３@:. +()\u{200b}\u{a0}–-]{0,80}", category in 0..Category::ALL.len()) {
        for category in [None, Some(Category::ALL[category])] {
            scan(&text, ValueKind::String, hint(category), hint(None));
        }
    }
}
