//! Problems with flags, gathered so that all are told at once.

use std::{collections::BTreeSet, fmt::Display, sync::Arc};

use super::vocabulary;
use crate::{
    cli::Failure,
    model::{Day, Timestamp, UtcOffset},
    store,
};

/// The values of a repeatable flag, each once.
pub(in crate::cli) fn texts(values: &[String]) -> BTreeSet<Arc<str>> {
    values.iter().map(|it| it.as_str().into()).collect()
}

/// Problems with flags, gathered so that all are told at once.
#[derive(Debug, Default)]
pub(in crate::cli) struct Problems(Vec<String>);

impl Problems {
    pub(in crate::cli) fn add(&mut self, flag: &str, problem: impl Display) {
        self.0.push(format!("{flag}: {problem}"));
    }

    /// The values of a flag that can be parsed; the others become problems.
    pub(in crate::cli) fn each<'a, T>(
        &mut self,
        flag: &str,
        values: impl IntoIterator<Item = &'a String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut parsed = Vec::new();
        for value in values {
            match parse(value) {
                Ok(it) => parsed.push(it),
                Err(problem) => self.add(flag, problem),
            }
        }
        parsed
    }

    /// The day of a flag.
    pub(in crate::cli) fn day(&mut self, flag: &str, value: Option<&String>) -> Option<Day> {
        self.each(flag, value, str::parse).pop()
    }

    /// The instant of a flag, or the first of its day.
    pub(in crate::cli) fn instant(
        &mut self,
        flag: &str,
        value: Option<&String>,
        offset: UtcOffset,
    ) -> Option<Timestamp> {
        self.each(flag, value, |it| vocabulary::instant(it, offset))
            .pop()
    }

    pub(in crate::cli) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::cli) fn failure(&self) -> Failure {
        usage(&self.0)
    }

    pub(in crate::cli) fn into_result<T>(self, value: T) -> Result<T, Failure> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self.failure())
        }
    }
}

/// Flags or input that cannot be right: all problems, one a line, exit code 2.
pub(in crate::cli) fn usage(problems: &[String]) -> Failure {
    Failure {
        text: problems.join("\n"),
        code: 2,
    }
}

/// The failure of a change, with the flags of the fields that contradict each other.
pub(in crate::cli) fn as_flags(error: store::Error, flags: &[(&str, &str)]) -> Failure {
    let store::Error::Invalid { field, problem } = &error else {
        return error.into();
    };
    let flag = flags.iter().find(|(name, _)| name == field);
    flag.map_or_else(
        || Failure::new(error.to_string()),
        |(_, flag)| usage(&[format!("{flag}: {}", problem.replace("`from`", "`--from`"))]),
    )
}
