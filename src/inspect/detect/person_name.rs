//! What a person's name may look like, and what only stands in its place.

/// Legal forms and words of organisations and things: a name that holds one is not a person's.
const LEGAL_FORMS: &[&str] = &[
    "ag",
    "bank",
    "business",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "foundation",
    "gmbh",
    "group",
    "hotel",
    "inc",
    "incorporated",
    "institute",
    "kg",
    "limited",
    "llc",
    "llp",
    "ltd",
    "ministry",
    "nv",
    "orders",
    "oy",
    "plc",
    "pty",
    "sales",
    "sarl",
    "service",
    "services",
    "shop",
    "srl",
    "store",
    "support",
    "tax",
    "team",
    "template",
    "university",
    "ао",
    "банк",
    "завод",
    "зао",
    "компания",
    "магазин",
    "нао",
    "оао",
    "ооо",
    "отдел",
    "пао",
    "служба",
    "тоо",
    "университет",
    "фонд",
    "ақ",
    "дүкен",
    "жшс",
    "қоры",
];

/// Words of things and organisations that some surname may be too: they count where the key names things as well.
const THINGS: &[&str] = &[
    "academy",
    "agency",
    "airlines",
    "association",
    "cafe",
    "café",
    "campaign",
    "capital",
    "center",
    "centre",
    "clinic",
    "club",
    "college",
    "committee",
    "construction",
    "consulting",
    "delivery",
    "department",
    "description",
    "electronics",
    "engineering",
    "enterprise",
    "enterprises",
    "entertainment",
    "event",
    "fashion",
    "federation",
    "field",
    "foods",
    "holding",
    "holdings",
    "hospital",
    "industries",
    "insurance",
    "international",
    "investments",
    "invoice",
    "laboratory",
    "labs",
    "logistics",
    "mall",
    "market",
    "media",
    "message",
    "motors",
    "name",
    "network",
    "networks",
    "newsletter",
    "notification",
    "number",
    "office",
    "order",
    "organisation",
    "organization",
    "partners",
    "pharmacy",
    "plan",
    "product",
    "profile",
    "properties",
    "realty",
    "register",
    "restaurant",
    "school",
    "segment",
    "shipping",
    "software",
    "solutions",
    "string",
    "studio",
    "studios",
    "subscription",
    "supermarket",
    "systems",
    "tech",
    "technologies",
    "technology",
    "title",
    "transport",
    "value",
    "ventures",
    "webhook",
    "агентство",
    "аптека",
    "департамент",
    "доставка",
    "дүкені",
    "заказ",
    "институт",
    "кафе",
    "клиника",
    "клуб",
    "комитет",
    "лицей",
    "мектебі",
    "министерство",
    "орталығы",
    "рассылка",
    "ресторан",
    "салон",
    "студия",
    "товар",
    "торговый",
    "управление",
    "центр",
    "школа",
];

/// What people are to a system; alone they name nobody.
const ROLES: &[&str] = &[
    "admin",
    "administrator",
    "agent",
    "author",
    "buyer",
    "client",
    "courier",
    "customer",
    "developer",
    "driver",
    "editor",
    "guest",
    "manager",
    "member",
    "moderator",
    "operator",
    "owner",
    "recipient",
    "seller",
    "sender",
    "user",
];

/// Values that say "nothing here".
const PLACEHOLDERS: &[&str] = &[
    "-",
    "address",
    "anonymous",
    "card holder",
    "cardholder",
    "cardholder name",
    "default",
    "email",
    "empty",
    "false",
    "first name",
    "first_name",
    "firstname",
    "full name",
    "gift card",
    "instant issue",
    "momentum r",
    "no name",
    "unembossed name",
    "valued customer",
    "full_name",
    "fullname",
    "fname",
    "last name",
    "last_name",
    "lastname",
    "lname",
    "n/a",
    "na",
    "name",
    "nan",
    "nil",
    "no",
    "none",
    "null",
    "password",
    "phone",
    "redacted",
    "string",
    "surname",
    "true",
    "undefined",
    "unknown",
    "user name",
    "username",
    "value",
    "xxx",
    "yes",
];

/// Whether `text` holds nothing of a person: empty, a placeholder word, masked, or a template's variable.
pub(super) fn is_placeholder(text: &str) -> bool {
    let bare = text.trim();
    bare.is_empty()
        || bare
            .chars()
            .all(|it| matches!(it, '*' | '.' | '-' | '_' | '?' | '#' | ' '))
        || (bare.len() <= PLACEHOLDER_MAX
            && PLACEHOLDERS.iter().any(|it| bare.eq_ignore_ascii_case(it)))
        || is_zero(bare)
        || says_nothing(bare)
        || (bare.starts_with(|it: char| it.is_ascii_punctuation()) && is_any_variable(bare))
}

/// Whether `bare` is a variable of some language of templates.
fn is_any_variable(bare: &str) -> bool {
    const BRACKETS: [(&str, &str); 9] = [
        ("{{", "}}"),
        ("${", "}"),
        ("{", "}"),
        ("%", "%"),
        ("<", ">"),
        ("*|", "|*"),
        ("[", "]"),
        ("[%", "%]"),
        ("#{", "}"),
    ];
    let mut brackets = BRACKETS.iter();
    brackets.any(|(open, close)| is_variable(bare, open, close))
}

/// Zeroes in groups stand for a number or an id that is not known.
fn is_zero(bare: &str) -> bool {
    bare.len() >= 5
        && bare.bytes().all(|it| matches!(it, b'0' | b'-' | b' '))
        && bare.bytes().filter(|it| *it == b'0').count() >= 5
}

/// Russian and Kazakh words that stand where a value is not known, or where there is none: goods that are fetched have no address.
fn says_nothing(bare: &str) -> bool {
    const WORDS: &[&str] = &[
        "нет",
        "жоқ",
        "нет данных",
        "н/д",
        "не указано",
        "не указан",
        "не указана",
        "не задано",
        "неизвестно",
        "отсутствует",
        "көрсетілмеген",
        "белгісіз",
        "самовывоз",
        "өзі алып кету",
    ];
    !bare.is_ascii() && bare.len() <= 40 && {
        let lower = bare.to_lowercase();
        WORDS.contains(&lower.as_str())
    }
}

/// The whole text is one variable: its name holds no separator of data such as `:` or `,`.
fn is_variable(bare: &str, open: &str, close: &str) -> bool {
    bare.strip_prefix(open)
        .and_then(|it| it.strip_suffix(close))
        .is_some_and(|name| {
            name.chars().all(|it| {
                it.is_alphanumeric() || matches!(it, '_' | '.' | ' ' | '-' | '|' | '$' | '%' | ':')
            })
        })
}

/// Whether `text` may be a person's name: one to six words of letters, no legal form, no address of anything.
pub(super) fn is_name_like(text: &str) -> bool {
    let bare = text.trim();
    let letters = bare.chars().filter(|it| it.is_alphabetic()).count();
    let is_spelt = bare.chars().all(|it| {
        it.is_alphabetic()
            || is_mark(it)
            || matches!(
                it,
                ' ' | '-' | '\'' | '’' | 'ʼ' | '`' | '.' | ',' | '(' | ')'
            )
    });
    letters >= 1
        && is_spelt
        && bare.len() <= 120
        && bare.split_whitespace().count() <= 6
        && !is_placeholder(bare)
        && !has_word_of(bare, LEGAL_FORMS)
        && !bare.split_whitespace().any(|it| PREPOSITIONS.contains(&it))
}

/// Words that join others of a phrase, in small letters: what holds one is a title, `Заявка с сайта`.
const PREPOSITIONS: &[&str] = &[
    "for", "from", "the", "with", "your", "без", "для", "за", "из", "на", "от", "по", "при", "с",
    "со",
];

/// Whether `text` may be a full name under a key that names other things too (`name`): capitals, or a script without them.
pub(super) fn is_full_name_like(text: &str) -> bool {
    is_name_like(text)
        && !has_word_of(text, THINGS)
        && !ROLES.iter().any(|it| it.eq_ignore_ascii_case(text.trim()))
        && text.split_whitespace().all(|it| {
            it.chars()
                .next()
                .is_some_and(|first| !first.is_lowercase() || is_particle(it))
        })
}

/// Whether the whole text is a name of two to four words of which one is a patronymic: `ӘЛІБЕКОВА ҰЛЖАН ҚАЙРАТҚЫЗЫ`.
pub(super) fn has_patronymic(text: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "ұлы", "қызы", "улы", "кызы", "uly", "qyzy", "kyzy", "вич", "вна", "ична", "ovich",
        "evich", "ovna", "evna",
    ];
    let bare = text.trim();
    let words = bare.split(' ').filter(|it| !it.is_empty());
    let ends_so = |word: &str| {
        let lower = word.to_lowercase();
        ENDINGS.iter().any(|end| {
            lower
                .strip_suffix(end)
                .is_some_and(|stem| stem.chars().count() >= 3)
        })
    };
    bare.len() <= 120
        && bare.starts_with(char::is_uppercase)
        && (2..=4).contains(&words.clone().take(5).count())
        && words.skip(1).any(ends_so)
        && is_full_name_like(bare)
}

/// Whether the whole text is a surname and initials: `Серікова Ұ. Б.`, `Kim T.A.`
pub(super) fn has_initials(text: &str) -> bool {
    let Some((surname, initials)) = text.trim().split_once(' ') else {
        return false;
    };
    let letters = surname.chars().filter(|it| it.is_alphabetic()).count();
    let mut rest = initials.chars().filter(|it| *it != ' ').peekable();
    let mut count = 0;
    while let (Some(letter), Some('.')) = (rest.next(), rest.next()) {
        if !letter.is_uppercase() {
            return false;
        }
        count += 1;
        if rest.peek().is_none() {
            break;
        }
    }
    letters >= 2
        && (1..=2).contains(&count)
        && rest.peek().is_none()
        && surname.starts_with(char::is_uppercase)
        && is_name_like(surname)
        && initials.ends_with('.')
}

/// Lower-case words inside names.
fn is_particle(word: &str) -> bool {
    matches!(
        word,
        "al" | "bin"
            | "da"
            | "de"
            | "del"
            | "der"
            | "di"
            | "dos"
            | "du"
            | "ibn"
            | "la"
            | "le"
            | "van"
            | "von"
            | "оглы"
            | "улы"
            | "ұлы"
            | "кызы"
            | "қызы"
            | "uly"
            | "kyzy"
    )
}

/// Combining marks of decomposed letters.
const fn is_mark(ch: char) -> bool {
    matches!(ch, '\u{300}'..='\u{36f}')
}

/// Bytes of the longest of a list; longer words are not looked at.
const fn longest(words: &[&str]) -> usize {
    let (mut longest, mut rest) = (0, words);
    while let [word, more @ ..] = rest {
        if word.len() > longest {
            longest = word.len();
        }
        rest = more;
    }
    longest
}

/// Bytes of the longest of [`PLACEHOLDERS`].
const PLACEHOLDER_MAX: usize = longest(PLACEHOLDERS);

/// Bytes of the longest of [`LEGAL_FORMS`] and [`THINGS`].
const WORD_MAX: usize = {
    let (forms, things) = (longest(LEGAL_FORMS), longest(THINGS));
    if forms > things { forms } else { things }
};

/// Whether a word of `text` is one of `list`, in any case.
fn has_word_of(text: &str, list: &[&str]) -> bool {
    let is_listed = |word: &str| {
        let is_short = word.len() <= WORD_MAX && !word.is_empty();
        is_short && {
            if word.is_ascii() {
                return list.iter().any(|it| it.eq_ignore_ascii_case(word));
            }
            let lower = word.to_lowercase();
            list.iter().any(|it| lower == *it)
        }
    };
    text.split(|it: char| !it.is_alphabetic()).any(is_listed)
}

/// MD5, SHA-1, SHA-256 or SHA-512 in hex: a hashed identifier still stands for the person.
pub(super) fn is_hex_digest(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 64 | 128) && text.bytes().all(|it| it.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for text in [
            "Aruzhan",
            "Нұрлан Серікұлы",
            "O'Brien",
            "Jean-Luc",
            "J. R.",
            "Сериков А. Б.",
            "李雷",
            "de la Cruz",
        ] {
            assert!(is_name_like(text), "{text}");
        }
        for text in [
            "",
            "123",
            "a1",
            "https://example.org",
            "aru@example.org",
            "{{first_name}}",
            "null",
            "Example LLC",
            "ТОО Пример",
            "snake_case",
            "one two three four five six seven",
        ] {
            assert!(!is_name_like(text), "{text}");
        }
    }

    #[test]
    fn full_names_have_capitals() {
        assert!(is_full_name_like("Ludwig van Beethoven"));
        assert!(is_full_name_like("Серік ұлы Болат"));
        assert!(!is_full_name_like("page view"));
    }

    #[test]
    fn patronymics_and_initials_tell_a_person() {
        for text in [
            "ӘЛІБЕКОВА ҰЛЖАН ҚАЙРАТҚЫЗЫ",
            "Смирнова Ольга Петровна",
            "Akhmetov Dauren Serikuly",
            "Нұрлан Серікұлы",
        ] {
            assert!(has_patronymic(text), "{text}");
        }
        for text in [
            "Подольский Ольга",
            "Товар Равна",
            "Ольга Петровна купила чай",
            "ТОО Серікұлы",
            "Петровна",
        ] {
            assert!(!has_patronymic(text), "{text}");
        }
        for text in ["Kim T.A.", "Серікова Ұ. Б.", "Оспанов Н."] {
            assert!(has_initials(text), "{text}");
        }
        for text in [
            "Kim TA",
            "г. Алматы",
            "Kim t.a.",
            "Kim T.A.B.",
            "10 A.",
            "Kim T.Alma",
        ] {
            assert!(!has_initials(text), "{text}");
        }
    }

    #[test]
    fn placeholders() {
        for text in [
            "{{ user.name }}",
            "${name}",
            "%FNAME%",
            "*|FNAME|*",
            "***",
            "N/A",
            "Не указано",
            "Самовывоз",
            "000000000000",
            "00000000-0000-0000-0000-000000000000",
            "  ",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["{\"a\":1}", "Aru", "[1,2]"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
