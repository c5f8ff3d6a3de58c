//! Nothing that is read makes the reader fall over.

use proptest::prelude::*;

use super::{SMALL, load};

/// YAML-like text: words of the form, punctuation, indents, in any order.
fn yamlish() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "version: 1\n",
        "operator:\n",
        "  bin: ",
        "destinations:\n",
        "  - ",
        "- id: a\n",
        "routes",
        ": ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\n",
        "    ",
        "'",
        "\"",
        "&a ",
        "*a",
        "<<: ",
        "!!binary ",
        "? ",
        "| \n",
        "true",
        "null",
        "~",
        "1e999",
        "0x7f",
        "-1",
        "é",
        "\t",
        "---\n",
        "...\n",
        "# x\n",
        "country: DE\n",
        "failure:\n",
        "open",
        "gaps: {opaque: {allow-logged: {owner: a}}}\n",
    ]);
    prop::collection::vec(pieces, 0..60).prop_map(|it| it.concat())
}

/// Depth and aliases are bounded by the reader, before they cost stack or memory.
#[test]
fn hostile_yaml_is_refused() {
    let nested = "[".repeat(100_000);
    let mapped = "{a: ".repeat(100_000);
    let mut laughs = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        laughs.push_str(&format!("a{level}: &a{level} [*a{below}, *a{below}]\n"));
    }
    for text in [nested, mapped, laughs] {
        assert!(load(&text).unwrap_err().has_errors());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_text_gives_problems_not_panics(text in "\\PC{0,200}") {
        let _either = load(&text);
    }

    #[test]
    fn arbitrary_yaml_gives_problems_with_places(text in yamlish()) {
        if let Err(problems) = load(&text) {
            prop_assert!(problems.has_errors());
            prop_assert!(!problems.to_string().is_empty());
        }
    }

    /// A piece cut out of a good file: problems, or still good; every place is inside the file.
    #[test]
    fn a_damaged_file_is_reported_inside_the_file(from in 0..SMALL.len(), length in 1..80_usize) {
        let to = (from + length).min(SMALL.len());
        let bytes = SMALL.as_bytes();
        let text = String::from_utf8([&bytes[..from], &bytes[to..]].concat()).unwrap();
        if let Err(problems) = load(&text) {
            let lines = text.lines().count() as u64 + 1;
            prop_assert!(problems.iter().all(|it| it.line <= lines), "{}", problems);
        }
    }
}
