//! Results for people, for programs, and for CI systems (JUnit XML).

use std::fmt::{self, Write as _};

use serde_json::{Value, json};

use super::judge::Outcome;

/// Results of all files.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order they ran.
    pub files: Vec<FileReport>,
}

/// Results of one file.
#[derive(Debug)]
pub struct FileReport {
    /// As it was named.
    pub file: String,
    /// A result for each case; or why the file cannot be used.
    pub result: Result<Vec<Outcome>, String>,
}

impl Report {
    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        let usable = self.files.iter().filter_map(|it| it.result.as_ref().ok());
        usable.flatten()
    }

    /// How many cases passed.
    pub fn passed(&self) -> usize {
        self.outcomes().filter(|it| it.passed()).count()
    }

    /// How many cases failed.
    pub fn failed(&self) -> usize {
        self.outcomes().filter(|it| !it.passed()).count()
    }

    /// Why files cannot be used.
    pub fn unusable(&self) -> impl Iterator<Item = &str> {
        let files = self.files.iter();
        files.filter_map(|it| it.result.as_ref().err().map(String::as_str))
    }

    /// `{"passed": n, "failed": n, "unusable": n, "files": [{"file", "cases": [{"name", "ok", "differences"}]}]}`.
    pub fn to_json(&self) -> Value {
        json!({
            "passed": self.passed(),
            "failed": self.failed(),
            "unusable": self.unusable().count(),
            "files": self.files.iter().map(file_json).collect::<Vec<_>>(),
        })
    }

    /// The report in the form that Jenkins, GitLab and others read as JUnit results.
    pub fn to_junit(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let (failed, unusable) = (self.failed(), self.unusable().count());
        let tests = self.passed() + failed + unusable;
        let _infallible = writeln!(
            out,
            "<testsuites name=\"shekara test\" tests=\"{tests}\" failures=\"{failed}\" errors=\"{unusable}\">"
        );
        for file in &self.files {
            junit_suite(&mut out, file);
        }
        out.push_str("</testsuites>\n");
        out
    }
}

fn file_json(it: &FileReport) -> Value {
    match &it.result {
        Ok(outcomes) => json!({
            "file": it.file,
            "cases": outcomes.iter().map(|it| json!({
                "name": it.name,
                "cites": it.cites,
                "ok": it.passed(),
                "differences": it.differences,
                "explanation": it.explanation,
            })).collect::<Vec<_>>(),
        }),
        Err(problems) => json!({"file": it.file, "unusable": problems}),
    }
}

fn junit_suite(out: &mut String, file: &FileReport) {
    let name = escaped(&file.file);
    let (tests, failures, errors) = match &file.result {
        Ok(outcomes) => {
            let failures = outcomes.iter().filter(|it| !it.passed()).count();
            (outcomes.len(), failures, 0)
        }
        Err(_) => (1, 0, 1),
    };
    let _infallible = writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">"
    );
    match &file.result {
        Ok(outcomes) => outcomes.iter().for_each(|it| junit_case(out, &name, it)),
        Err(problems) => {
            let problems = escaped(problems);
            let _infallible = writeln!(
                out,
                "    <testcase name=\"file\" classname=\"{name}\"><error message=\"unusable\">{problems}</error></testcase>"
            );
        }
    }
    out.push_str("  </testsuite>\n");
}

fn junit_case(out: &mut String, class: &str, it: &Outcome) {
    let name = escaped(&it.name);
    if it.passed() {
        let _infallible = writeln!(out, "    <testcase name=\"{name}\" classname=\"{class}\"/>");
        return;
    }
    let message = it.differences.first().map_or_else(String::new, |it| {
        format!("{}: expected {}, got {}", it.field, it.expected, it.got)
    });
    let mut text = String::new();
    write_failure(&mut text, it);
    let _infallible = writeln!(
        out,
        "    <testcase name=\"{name}\" classname=\"{class}\"><failure message=\"{}\">{}</failure></testcase>",
        escaped(&message),
        escaped(&text),
    );
}

/// XML 1.0: markup escaped, characters that it forbids left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        match ch {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(ch),
            control if control < ' ' || matches!(control, '\u{fffe}' | '\u{ffff}') => {}
            other => out.push(other),
        }
    }
    out
}

/// What came out otherwise, one field a line, then why.
fn write_failure(out: &mut String, it: &Outcome) {
    for difference in &it.differences {
        let field = difference.field;
        let _infallible = writeln!(out, "{field}: expected {}", difference.expected);
        let indent = " ".repeat(field.len());
        let _infallible = writeln!(out, "{indent}       got {}", difference.got);
    }
    out.push_str(it.explanation.as_deref().unwrap_or_default());
}

impl fmt::Display for Report {
    /// A line a case, and below a failed one what came out otherwise; the counts last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            writeln!(f, "{}", file.file)?;
            match &file.result {
                Ok(outcomes) => outcomes.iter().try_for_each(|it| write_case(f, it))?,
                Err(problems) => writeln!(f, "  UNUSABLE\n{}", indented(problems, "  "))?,
            }
        }
        let unusable = self.unusable().count();
        write!(f, "{} passed, {} failed", self.passed(), self.failed())?;
        if unusable > 0 {
            write!(f, ", {unusable} unusable")?;
        }
        Ok(())
    }
}

fn write_case(f: &mut fmt::Formatter<'_>, it: &Outcome) -> fmt::Result {
    if it.passed() {
        return writeln!(f, "  ok      {}", it.name);
    }
    let cites = if it.cites.is_empty() {
        String::new()
    } else {
        format!(" [{}]", it.cites.join(", "))
    };
    let mut failure = String::new();
    write_failure(&mut failure, it);
    writeln!(f, "  FAILED  {}{cites}", it.name)?;
    writeln!(f, "{}", indented(failure.trim_end(), "          "))
}

fn indented(text: &str, indent: &str) -> String {
    let lines: Vec<String> = text.lines().map(|it| format!("{indent}{it}")).collect();
    lines.join("\n")
}
