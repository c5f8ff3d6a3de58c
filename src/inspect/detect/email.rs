//! E-mail addresses: the dot-atom subset of RFC 5322 with internationalised domains (RFC 6531).

use super::{Context, Sink};
use crate::model::{
    Category,
    finding::Confidence,
    subject::{Identifier, IdentifierKind},
};

/// Stable name in findings.
const DETECTOR: &str = "email";

/// Local parts that a company reads, not a person.
const ROLES: &[&str] = &[
    "abuse",
    "accounting",
    "accounts",
    "admin",
    "administrator",
    "alert",
    "alerts",
    "billing",
    "bot",
    "buh",
    "buhgalter",
    "bukhgalteriya",
    "careers",
    "contact",
    "contacts",
    "customerservice",
    "daemon",
    "do-not-reply",
    "donotreply",
    "enquiries",
    "feedback",
    "finance",
    "git",
    "hello",
    "help",
    "helpdesk",
    "hostmaster",
    "hr",
    "info",
    "inquiries",
    "invoices",
    "it",
    "jobs",
    "kadry",
    "kassa",
    "legal",
    "mail",
    "mailer-daemon",
    "marketing",
    "media",
    "news",
    "newsletter",
    "no-reply",
    "no_reply",
    "noreply",
    "notification",
    "notifications",
    "notify",
    "office",
    "ofis",
    "ops",
    "orders",
    "otdel",
    "payments",
    "postmaster",
    "press",
    "priem",
    "priemnaya",
    "privacy",
    "reception",
    "root",
    "sales",
    "security",
    "service",
    "shop",
    "sklad",
    "store",
    "support",
    "sysadmin",
    "team",
    "webmaster",
    "zakaz",
    "zakupki",
];

/// Longest domain (RFC 1035 §2.3.4).
const DOMAIN_MAX: usize = 253;

/// Last labels that are file extensions, not top-level domains: `icon@2x.png`.
const EXTENSIONS: &[&str] = &[
    "bmp", "css", "gif", "htm", "html", "jpeg", "jpg", "js", "json", "jsx", "map", "pdf", "png",
    "scss", "svg", "ts", "tsx", "txt", "webp", "xml", "yaml", "yml",
];

/// Reads the address around the `@` at byte `at`; appends a hit and returns the byte after it, or `at + 1`.
pub(super) fn around(text: &str, at: usize, context: &Context, sink: &mut Sink<'_>) -> usize {
    sink.spend_validator();
    let Some((start, end)) = bounds(text, at) else {
        return at + 1;
    };
    let Some(address) = text.get(start..end) else {
        return at + 1;
    };
    let local = text.get(start..at).unwrap_or_default();
    if is_jabber_phone(local, address) {
        let identifier = Identifier::normalise(IdentifierKind::Phone, local);
        sink.push(
            Category::Phone,
            "phone.jid",
            Confidence::High,
            start..at,
            identifier,
        );
        return end;
    }
    let is_credential = is_authority(text.get(..start).unwrap_or_default());
    let confidence = if is_role(local) || (is_credential && !is_persons(local)) {
        Confidence::Low
    } else if context.names(Category::Email) {
        Confidence::Certain
    } else {
        Confidence::High
    };
    let identifier = (confidence > Confidence::Low)
        .then(|| Identifier::normalise(IdentifierKind::Email, &address.replace('"', "")))
        .flatten();
    sink.push(
        Category::Email,
        DETECTOR,
        confidence,
        start..end,
        identifier,
    );
    end
}

/// Start of the local part and end of the domain.
fn bounds(text: &str, at: usize) -> Option<(usize, usize)> {
    let before = text.get(..at)?;
    if let Some(inner) = before.strip_suffix('"') {
        return quoted(inner, text.get(at + 1..)?);
    }
    let start = before
        .char_indices()
        .rev()
        .take(64)
        .take_while(|(_, ch)| is_local(*ch))
        .last()?
        .0;
    let local = before
        .get(start..)?
        .trim_start_matches(['.', '-', '+', '%']);
    if local.is_empty() || local.ends_with('.') || !local.chars().any(char::is_alphanumeric) {
        return None;
    }
    let after = text.get(at + 1..)?;
    let domain = domain_of(after)?;
    Some((at - local.len(), at + 1 + domain.len()))
}

/// Start and end of an address whose local part is quoted: `inner` ends before the closing quote, `after` follows the `@`.
fn quoted(inner: &str, after: &str) -> Option<(usize, usize)> {
    let start = inner.rfind('"')?;
    let local = inner.get(start + 1..)?;
    let is_local = local.len() <= 64
        && local.chars().any(char::is_alphanumeric)
        && !local.contains(['\n', '<', '>', '{', '}', '=']);
    let domain = domain_of(after).filter(|_| is_local)?;
    Some((start, inner.len() + 2 + domain.len()))
}

/// Words of the names that machines have.
const MACHINES: &[&str] = &[
    "access", "api", "app", "bot", "build", "ci", "client", "deploy", "dev", "key", "login",
    "oauth", "password", "prod", "public", "read", "robot", "secret", "server", "system", "test",
    "token", "user", "username", "write",
];

/// Whether the local part is written as people's are: a given name or initial and a surname, in letters.
pub(crate) fn is_persons(local: &str) -> bool {
    let bare = local.split('+').next().unwrap_or(local);
    let mut words = bare.split(['.', '_']);
    let is_word = |it: &str| {
        !it.is_empty()
            && it.chars().all(char::is_alphabetic)
            && !is_role(it)
            && !MACHINES.iter().any(|word| word.eq_ignore_ascii_case(it))
    };
    let last = bare.rsplit(['.', '_']).next().unwrap_or_default();
    words.clone().nth(1).is_some()
        && words.clone().nth(3).is_none()
        && words.all(is_word)
        && last.chars().nth(2).is_some()
}

/// Characters of a local part that occur in practice; the rest of RFC 5322's atext would swallow `key=` before an address.
fn is_local(ch: char) -> bool {
    ch.is_alphanumeric() || matches!(ch, '.' | '_' | '%' | '+' | '-')
}

/// The longest valid domain at the start of `raw`: at least two labels, the last one alphabetic or punycode. An extension of a file
/// behind it is none of it: `aru@example.org.pdf`.
fn domain_of(raw: &str) -> Option<&str> {
    let stop = raw
        .char_indices()
        .take(DOMAIN_MAX + 1)
        .find(|(at, ch)| *at >= DOMAIN_MAX || !(ch.is_alphanumeric() || matches!(ch, '-' | '.')))
        .map_or(raw.len(), |(at, _)| at);
    let domain = raw.get(..stop)?.trim_end_matches(['.', '-']);
    let (rest, last) = domain.rsplit_once('.')?;
    if is_extension(last) {
        let named = rest.starts_with(char::is_alphabetic) && !rest.ends_with(".min");
        return named.then(|| domain_of(rest)).flatten();
    }
    let is_top = last.starts_with("xn--") || last.chars().all(char::is_alphabetic);
    let is_valid = is_top
        && last.chars().nth(1).is_some()
        && rest
            .split('.')
            .all(|it| !it.is_empty() && !it.starts_with('-'));
    is_valid.then_some(domain)
}

fn is_extension(label: &str) -> bool {
    EXTENSIONS.iter().any(|it| it.eq_ignore_ascii_case(label))
}

/// Whether the address is a messenger's name for a telephone number: `77010000001@c.us`.
fn is_jabber_phone(local: &str, address: &str) -> bool {
    (7..=15).contains(&local.len())
        && local.bytes().all(|it| it.is_ascii_digit())
        && (address.ends_with("@c.us") || address.ends_with("@s.whatsapp.net"))
}

/// Whether the local part, without a `+tag`, is a role.
fn is_role(local: &str) -> bool {
    let bare = local.split('+').next().unwrap_or(local);
    ROLES.iter().any(|it| it.eq_ignore_ascii_case(bare))
}

/// Whether what precedes is the start of a URL's authority: `https://key@host` is a credential, not an address.
fn is_authority(before: &str) -> bool {
    if before.ends_with("//") {
        return true;
    }
    before.ends_with(':')
        && before
            .rsplit(|ch: char| ch.is_whitespace() || matches!(ch, '"' | '<' | '('))
            .next()
            .is_some_and(|it| it.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_none};
    use crate::model::{Category, finding::Confidence};

    #[test]
    fn credentials_of_a_url_are_no_address_unless_a_person_s() {
        check_found(
            Category::Email,
            &[
                (
                    "https://key@sentry.example.org/1",
                    "key@sentry.example.org",
                    Confidence::Low,
                ),
                (
                    "https://u:pass@example.org/1",
                    "pass@example.org",
                    Confidence::Low,
                ),
                (
                    "https://a.ivanova@example.com/",
                    "a.ivanova@example.com",
                    Confidence::High,
                ),
                (
                    "https://deploy.bot@git.example.org/x",
                    "deploy.bot@git.example.org",
                    Confidence::Low,
                ),
                (
                    "write to \"a.ivanova\"@example.com",
                    "\"a.ivanova\"@example.com",
                    Confidence::High,
                ),
                (
                    "\"a b\"@example.com",
                    "\"a b\"@example.com",
                    Confidence::High,
                ),
            ],
        );
    }

    #[test]
    fn addresses_in_text() {
        let found: &[(&str, &str, Confidence)] = &[
            ("aru@example.org", "aru@example.org", Confidence::High),
            (
                "to: Aru <aru.s+tag@mail.example.org>, hi",
                "aru.s+tag@mail.example.org",
                Confidence::High,
            ),
            (
                "email=aru@example.org&x=1",
                "aru@example.org",
                Confidence::High,
            ),
            (
                "Пишите: aru@пример.test.",
                "aru@пример.test",
                Confidence::High,
            ),
            ("info@example.com", "info@example.com", Confidence::Low),
            ("buh@example.kz", "buh@example.kz", Confidence::Low),
            (
                "No-Reply+7@example.com",
                "No-Reply+7@example.com",
                Confidence::Low,
            ),
            (
                "mailto:aru@example.org",
                "aru@example.org",
                Confidence::High,
            ),
            (
                "/c/aru@example.org.json",
                "aru@example.org",
                Confidence::High,
            ),
            (
                "a@xn--e1afmkfd.xn--p1ai",
                "a@xn--e1afmkfd.xn--p1ai",
                Confidence::High,
            ),
        ];
        check_found(Category::Email, found);
        check_none(&[
            "@user",
            "a@b",
            "pkg@1.2.3",
            "icon@2x.png",
            "icon@2x.dark.png",
            "vue@next.min.js",
            "user@localhost",
            "a@-b.org",
            "@types/node",
            "a.@example.org",
            "x @ y.org",
            "\"\"@example.com",
            "key=\"value\"@",
        ]);
    }
}
