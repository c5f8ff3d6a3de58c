//! The nearest known name to a misspelt one.

/// The candidate nearest to `name`, if near enough to be what was meant: at most a third of its letters differ.
/// Case, `-` and `_` do not count as differences.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = folded(name);
    let allowed = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|it| (distance(&wanted, &folded(it)), it))
        .filter(|(away, _)| *away <= allowed)
        .min()
        .map(|(_, it)| it)
}

/// A fix that names the nearest candidate, or else lists all of them when they are few.
pub(super) fn fix<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = nearest(name, candidates.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let mut all: Vec<&str> = candidates.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    let few = (1..=24).contains(&all.len());
    few.then(|| format!("one of: {}", all.join(", ")))
}

/// [`fix`] for purposes, whose names are paths: a candidate is compared with as many segments of `name` as it has, and the rest
/// is kept. `ordre.notice` was meant for `order.notice` where `order` is known.
pub(super) fn purpose<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    let segments: Vec<&str> = name.split('.').collect();
    let whole = nearest(name, candidates.clone()).map(str::to_owned);
    let near = whole.or_else(|| {
        candidates.clone().into_iter().find_map(|it| {
            let (begin, rest) = segments.split_at_checked(it.split('.').count())?;
            let meant = [it].into_iter().chain(rest.iter().copied());
            nearest(&begin.join("."), [it]).map(|_| meant.collect::<Vec<_>>().join("."))
        })
    });
    match near {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None => fix(name, candidates),
    }
}

fn folded(name: &str) -> Vec<char> {
    name.chars()
        .filter(|it| !matches!(it, '-' | '_'))
        .flat_map(char::to_lowercase)
        .take(64)
        .collect()
}

/// Edit distance where a swap of neighbours is one edit (optimal string alignment). `O(|a|·|b|)`, both at most 64.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut last_a = None;
    for (row, from) in a.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut last_b = None;
        for (column, to) in b.iter().enumerate() {
            let of = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let replaced = of(&above, column) + usize::from(from != to);
            let removed = of(&above, column + 1) + 1;
            let added = of(&current, column) + 1;
            let is_swap = last_a == Some(to) && last_b == Some(from);
            let swapped = match column.checked_sub(1) {
                Some(at) if is_swap => of(&before, at) + 1,
                Some(_) | None => usize::MAX,
            };
            current.push(replaced.min(removed).min(added).min(swapped));
            last_b = Some(to);
        }
        last_a = Some(from);
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant_and_nothing_else() {
        let names = ["country", "callers", "confidence_min", "DE", "KZ"];
        for (given, wanted) in [
            ("contry", Some("country")),
            ("confidence-min", Some("confidence_min")),
            ("Kz", Some("KZ")),
            ("clalers", Some("callers")),
            ("sausage", None),
        ] {
            assert_eq!(nearest(given, names), wanted, "{given}");
        }
    }

    #[test]
    fn purposes_are_compared_segment_by_segment() {
        let known = ["marketing", "order", "service.sms"];
        for (given, wanted) in [
            ("ordre.notice", "did you mean `order.notice`?"),
            (
                "marketng.email.weekly",
                "did you mean `marketing.email.weekly`?",
            ),
            ("servise.sms", "did you mean `service.sms`?"),
            ("payroll", "one of: marketing, order, service.sms"),
        ] {
            assert_eq!(purpose(given, known).as_deref(), Some(wanted), "{given}");
        }
    }

    #[test]
    fn distances_count_edits() {
        let of = |a: &str, b: &str| distance(&folded(a), &folded(b));
        assert_eq!(of("abc", "abc"), 0);
        assert_eq!(of("abc", "acb"), 1);
        assert_eq!(of("abc", "ab"), 1);
        assert_eq!(of("", "abc"), 3);
        assert_eq!(of("kitten", "sitting"), 3);
    }
}
