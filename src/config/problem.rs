//! What is wrong with a configuration: where, what, and how to mend it.

use std::fmt;

use serde::Serialize;

use crate::model::counted;

/// Whether a problem stops the configuration from taking force.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but somebody should look.
    Warning,
}

impl Severity {
    /// The lower-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One problem.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// The file, as it was named.
    pub file: String,
    /// Line from 1; 0 when the problem is about the file as a whole.
    pub line: u64,
    /// Column in characters from 1; 0 when the problem is about the file as a whole.
    pub column: u64,
    /// Path of the value: `destinations[0].country`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// The likely mend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The line itself; values of keys that hold secrets are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = self.severity.as_str();
        match self.path.as_str() {
            "" => writeln!(f, "{severity}: {}", self.message)?,
            path => writeln!(f, "{severity}: {path}: {}", self.message)?,
        }
        if self.line == 0 {
            writeln!(f, "  --> {}", self.file)?;
        } else {
            writeln!(f, "  --> {}:{}:{}", self.file, self.line, self.column)?;
        }
        if let Some(excerpt) = &self.excerpt {
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            let indent: String = excerpt
                .chars()
                .take(usize::try_from(self.column.saturating_sub(1)).unwrap_or(0))
                .map(|it| if it == '\t' { '\t' } else { ' ' })
                .collect();
            writeln!(f, "{margin} |\n{number} | {excerpt}\n{margin} | {indent}^")?;
        }
        match &self.fix {
            Some(fix) => writeln!(f, "   = fix: {fix}"),
            None => Ok(()),
        }
    }
}

/// All problems of a configuration, in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Orders `problems` by place, errors before warnings at one place, and drops repeats.
    pub fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| {
            (a.line, a.column, a.severity, &a.path).cmp(&(b.line, b.column, b.severity, &b.path))
        });
        problems.dedup();
        Self(problems)
    }

    /// Every problem.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// How many are of `severity`.
    pub fn count(&self, severity: Severity) -> usize {
        self.iter().filter(|it| it.severity == severity).count()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any of them stops the configuration.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// A JSON document: `{"errors": n, "warnings": n, "problems": […]}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
            "problems": self.0,
        })
    }
}

impl fmt::Display for Problems {
    /// Plain text for terminals: the problems, a blank line after each, then the counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        write!(
            f,
            "{}, {}",
            counted(self.count(Severity::Error), "error"),
            counted(self.count(Severity::Warning), "warning")
        )
    }
}

impl std::error::Error for Problems {}
