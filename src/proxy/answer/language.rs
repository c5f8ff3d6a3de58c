//! The language of an answer, from `Accept-Language` (RFC 9110 §12.5.4).

use http::{HeaderMap, HeaderValue, header};

use crate::policy::reasons::Language;

/// The language asked for most among those that there are; English when none is.
pub(in crate::proxy) fn preferred(headers: &HeaderMap) -> Language {
    let mut best: Option<(u32, Language)> = None;
    let ranges = headers
        .get_all(header::ACCEPT_LANGUAGE)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','));
    for range in ranges {
        let (tag, weight) = range.split_once(";q=").unwrap_or((range, "1"));
        let Some(language) = of_tag(tag.trim()) else {
            continue;
        };
        let weight = thousandths(weight.trim());
        if weight > best.map_or(0, |it| it.0) {
            best = Some((weight, language));
        }
    }
    best.map_or(Language::En, |it| it.1)
}

fn of_tag(tag: &str) -> Option<Language> {
    let primary = tag.split('-').next()?.to_ascii_lowercase();
    match primary.as_str() {
        "en" | "*" => Some(Language::En),
        "kk" => Some(Language::Kk),
        "ru" => Some(Language::Ru),
        _ => None,
    }
}

/// A quality value (`0.8`) in thousandths; 0 when it is none.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), fraction.parse::<u32>()) {
        (Ok(whole), Ok(fraction)) if whole <= 1 => whole * 1000 + fraction,
        _ => 0,
    }
}

/// The tag for `Content-Language`.
pub(super) const fn tag(language: Language) -> HeaderValue {
    HeaderValue::from_static(match language {
        Language::En => "en",
        Language::Kk => "kk",
        Language::Ru => "ru",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_known_language_wins() {
        let check = |field: &str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, field.parse().unwrap());
            assert_eq!(preferred(&headers), expected, "{field}");
        };
        check("kk-KZ, ru;q=0.9", Language::Kk);
        check("de, ru;q=0.5, en;q=0.4", Language::Ru);
        check("en;q=0, ru;q=0.001", Language::Ru);
        check("fr", Language::En);
        check("ru;q=x", Language::En);
        assert_eq!(preferred(&HeaderMap::new()), Language::En);
    }
}
