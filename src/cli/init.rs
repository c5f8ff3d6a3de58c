//! `shekara init`: a commented configuration to start from.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{Common, Failure, Outcome, print};
use crate::{
    config::preset::{self, Preset},
    gatekeeper::ports::{Clock as _, SystemClock},
    model::{Timestamp, UtcOffset},
};

/// The starter, with `@TODAY@` for the day it is written.
const STARTER: &str = include_str!("../../config/shekara.starter.yaml");

/// Where the starter's own recipients and destinations begin: presets take their place.
const EXAMPLE: &str = "# Recipients: ";

/// Where a starter has its state, and where one below `/etc` has it: nothing is written beside a system's configuration.
const STATE: &str = "state_dir: ./shekara-state";
const SYSTEM_STATE: &str = "state_dir: /var/lib/shekara";

/// What stands in place of the example's assessments: they are the operator's, so none is made up.
const ASSESSMENTS: &str = "
# Your own assessment of a country. Without one, a country is not adequate, and a consent to the transfer is needed.
# adequacy:
#   - regime: kz-94v
#     country: DE
#     result: adequate
#     by: \"Data protection officer\"
#     at: \"@TODAY@\"
#     reason: \"\"
";

/// Writes a commented configuration in log-only mode that passes `check` as it is.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// File to write [default: --config, else ./shekara.yaml]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Overwrite the file if it is there
    #[arg(long)]
    pub force: bool,
    /// Write a destination for this service; may be given several times
    #[arg(long = "preset", value_name = "NAME")]
    pub presets: Vec<String>,
    /// List the services that there are presets for, and write nothing
    #[arg(long)]
    pub list_presets: bool,
}

/// Writes the file and says what to do next.
///
/// # Errors
/// A preset is unknown; the file is there already, or cannot be written.
pub fn run(args: &Args, common: &Common) -> Outcome {
    if args.list_presets {
        for it in preset::all() {
            print(&format!("{:24}{}", it.name, it.title));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let default = || PathBuf::from("shekara.yaml");
    let output = args.output.clone().or_else(|| common.config.clone());
    let path = output.unwrap_or_else(default);
    let text = placed(
        &starter_with(SystemClock.now(), &chosen(&args.presets)?),
        &path,
    );
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let name = path.display();
    let mut file = options.open(&path).map_err(|error| {
        Failure::new(if error.kind() == ErrorKind::AlreadyExists {
            format!("{name} is there already; --force overwrites it")
        } else {
            format!("cannot write {name}: {error}")
        })
    })?;
    file.write_all(text.as_bytes())
        .map_err(|error| Failure::new(format!("cannot write {name}: {error}")))?;
    let fill_in = if args.presets.is_empty() {
        ""
    } else {
        "  fill in what is marked FILL IN, CHECK and CHOOSE\n"
    };
    writeln!(
        std::io::stdout().lock(),
        "wrote {name} (log-only: nothing is refused yet). Next:\n{fill_in}  shekara check --config {name}\n  shekara run --config {name}"
    )
    .map_err(|error| Failure::new(format!("cannot write to stdout: {error}")))?;
    Ok(ExitCode::SUCCESS)
}

/// `text` as it is written to `path`.
fn placed(text: &str, path: &Path) -> String {
    if path.starts_with("/etc") {
        text.replacen(STATE, SYSTEM_STATE, 1)
    } else {
        text.to_owned()
    }
}

/// The presets called `names`, each once.
fn chosen(names: &[String]) -> Result<Vec<Preset>, Failure> {
    let mut presets: Vec<Preset> = Vec::new();
    for name in names {
        if presets.iter().all(|it| it.name != *name) {
            presets.push(preset::find(name).map_err(Failure::new)?);
        }
    }
    Ok(presets)
}

/// The starter as written at `now`.
pub fn starter(now: Timestamp) -> String {
    starter_with(now, &[])
}

/// The starter as written at `now`, with destinations of `presets` in place of its example, if there are any.
pub fn starter_with(now: Timestamp, presets: &[Preset]) -> String {
    let today = now.day(UtcOffset::default());
    let dated = |text: &str| text.replace("@TODAY@", &today.to_string());
    let (head, example) = STARTER.split_once(EXAMPLE).unwrap_or((STARTER, ""));
    if presets.is_empty() {
        return dated(STARTER);
    }
    let about = example.lines().next().unwrap_or_default();
    let parties: String = presets.iter().map(Preset::party).collect();
    let destinations: Vec<String> = presets.iter().map(|it| it.destination(today)).collect();
    format!(
        "{}{EXAMPLE}{about}\nparties:\n{parties}\n# Ways out. A request that matches none is refused.\ndestinations:\n{}{}",
        dated(head),
        destinations.join("\n"),
        dated(ASSESSMENTS),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_once_and_again_only_by_force() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shekara.yaml");
        let write = |force| {
            let args = Args {
                output: Some(path.clone()),
                force,
                ..Args::default()
            };
            run(&args, &Common::default())
        };
        assert!(write(false).is_ok());
        std::fs::write(&path, "mine").unwrap();
        let failure = write(false).unwrap_err();
        assert_eq!(failure.code, 1);
        assert!(failure.text.contains("--force"), "{}", failure.text);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        assert!(write(true).is_ok());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("mode: log-only"));
        assert!(!text.contains('@'));
    }

    #[test]
    fn unknown_presets_are_refused_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shekara.yaml");
        let args = Args {
            output: Some(path.clone()),
            presets: vec!["sendgird".to_owned()],
            ..Args::default()
        };
        let failure = run(&args, &Common::default()).unwrap_err();
        assert!(
            failure.text.contains("did you mean `sendgrid`?"),
            "{}",
            failure.text
        );
        assert!(!path.exists());
    }

    /// If this fails, a configuration written for the unit keeps its registers in /etc, where the unit may not write.
    #[test]
    fn below_etc_the_state_is_where_the_unit_has_it() {
        let text = starter(SystemClock.now());
        let state = |path: &str| {
            let placed = placed(&text, Path::new(path));
            let line = placed.lines().find(|it| it.starts_with("state_dir:"));
            line.unwrap().to_owned()
        };
        assert_eq!(state("/etc/shekara/shekara.yaml"), SYSTEM_STATE);
        assert_eq!(state("shekara.yaml"), STATE);
        assert_eq!(state("/home/a/etc/shekara.yaml"), STATE);
    }

    #[test]
    fn a_preset_given_twice_is_written_once() {
        let names = ["stripe", "sendgrid", "stripe"].map(str::to_owned);
        let presets = chosen(&names).unwrap();
        let names: Vec<_> = presets.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["stripe", "sendgrid"]);
    }
}
