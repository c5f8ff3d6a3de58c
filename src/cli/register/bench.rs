//! A bench for the tests of these commands.

use std::sync::Arc;

use clap::Parser as _;

use super::{Command, Context, Terminal, session::run_on};
use crate::{
    cli::Failure,
    gatekeeper::ports::Registers as _,
    model::{
        evidence::{Known, SubjectRecord},
        subject::{Identifier, IdentifierKind},
    },
    store::{self, Settings, Writer, contract::TestClock},
};

/// The form of an identifier file that names the test person.
pub(in crate::cli) const WHO: &str =
    "# a test person\nemail: Ann@Example.org\nphone: 8 701 000 00 01\n";

#[derive(Debug, clap::Parser)]
struct Line<A: clap::Args> {
    #[command(flatten)]
    args: A,
}

/// An empty state directory at 2026-11-22T07:00:00Z, operator at +05:00.
pub(in crate::cli) struct Bench {
    pub(in crate::cli) dir: tempfile::TempDir,
    pub(in crate::cli) clock: Arc<TestClock>,
}

impl Bench {
    pub(in crate::cli) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: TestClock::new(),
        }
    }

    pub(in crate::cli) fn settings(&self) -> Settings {
        Settings {
            dir: self.dir.path().to_owned(),
        }
    }

    pub(in crate::cli) fn writer(&self) -> Writer {
        Writer::open(
            &self.settings(),
            Arc::clone(&self.clock) as _,
            "tester".into(),
        )
        .unwrap()
    }

    /// Sets the clock.
    pub(in crate::cli) fn at(&self, time: &str) {
        self.clock.set(time.parse().unwrap());
    }

    /// What the gate learns about the test person, through its own port.
    pub(in crate::cli) fn evidence(&self) -> Known {
        let keys = store::keys::open_or_create(self.dir.path()).unwrap();
        let who = Identifier::normalise(IdentifierKind::Email, "ann@example.org").unwrap();
        let registers = store::Registers::open(&self.settings()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let asked = [vec![keys.references(&who)]];
        runtime.block_on(registers.evidence(&asked)).unwrap()
    }

    /// The one record of the test person that the gate reads.
    pub(in crate::cli) fn record(&self) -> SubjectRecord {
        let known = self.evidence();
        assert_eq!(known.persons[0].subjects.len(), 1, "one subject");
        known.persons[0].subjects[0].as_ref().clone()
    }

    /// Runs `line` of the command `A` with `input`: output and notes, or the failure.
    pub(in crate::cli) fn run<A: clap::Args + Command>(
        &self,
        line: &str,
        input: &str,
    ) -> Result<(String, String), Failure> {
        let words = ["shekara", "--by", "tester"]
            .into_iter()
            .chain(line.split_whitespace());
        let args = Line::<A>::try_parse_from(words)
            .map_err(|error| Failure {
                text: error.to_string(),
                code: 2,
            })?
            .args;
        let context = Context {
            state_dir: self.dir.path(),
            operator_bin: Some("180940029997"),
            utc_offset: "+05:00".parse().unwrap(),
            purposes: &[],
            audit_dir: &self.dir.path().join("audit"),
            configuration: None,
        };
        let (mut output, mut notes) = (Vec::new(), Vec::new());
        let mut terminal = Terminal {
            input: &mut input.as_bytes(),
            output: &mut output,
            notes: &mut notes,
            is_interactive: false,
        };
        run_on(&args, &context, &mut terminal, Arc::clone(&self.clock) as _)?;
        Ok((
            String::from_utf8(output).unwrap(),
            String::from_utf8(notes).unwrap(),
        ))
    }

    /// `line` must fail and say each of `says`, and nothing of the test person.
    #[track_caller]
    pub(in crate::cli) fn check_refused<A: clap::Args + Command>(
        &self,
        line: &str,
        input: &str,
        says: &[&str],
    ) {
        let failure = self.run::<A>(line, input).expect_err(line);
        for it in says {
            assert!(
                failure.text.contains(it),
                "{} should say {it}",
                failure.text
            );
        }
        for secret in ["Ann@", "ann@example", "7010000001"] {
            assert!(!failure.text.contains(secret), "{}", failure.text);
        }
    }
}
