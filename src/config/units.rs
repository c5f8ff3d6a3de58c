//! Quantities with their unit: `30s`, `8MiB`.

use std::time::Duration;

/// Reads `500ms`, `30s`, `5m`, `2h` or `365d`: a whole number and one unit, without sign or fraction.
///
/// # Errors
/// Says what was expected.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        let at = fault(text, &["ms", "s", "m", "h", "d"]);
        format!("`{text}` is not a duration such as 500ms, 30s, 5m, 2h or 365d: {at}")
    };
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

/// Reads `512`, `64KiB`, `8MiB`, `1GiB` (powers of 1024) or `8MB` (powers of 1000), in bytes.
///
/// # Errors
/// Says what was expected.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || {
        let at = fault(
            text,
            &["", "B", "KiB", "MiB", "GiB", "kB", "KB", "MB", "GB"],
        );
        format!("`{text}` is not a size such as 64KiB, 8MiB or 1GiB: {at}")
    };
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let bytes = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(bytes).ok_or_else(wrong)
}

/// Writes a duration in its largest whole unit, as [`duration`] reads it.
pub(super) fn written(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    units
        .iter()
        .find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit))
        .map_or_else(
            || {
                if millis == 0 {
                    "0s".to_owned()
                } else {
                    format!("{millis}ms")
                }
            },
            |(unit, name)| format!("{}{name}", millis / unit),
        )
}

/// What keeps `text` from being a whole number and one of `units`, and at which character.
fn fault(text: &str, units: &[&str]) -> String {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let rest = text.chars().skip(digits).collect::<String>();
    let unit = rest.trim_start();
    let number = digits + rest.chars().count() - unit.chars().count() + 1;
    match unit.chars().next() {
        None if digits == 0 => "there is no number".to_owned(),
        Some(it) if digits == 0 => format!("wrong at character 1, `{it}`: it begins with digits"),
        None if !units.contains(&"") => "the unit is missing".to_owned(),
        _ if units.contains(&unit) => "the number is too large".to_owned(),
        Some('.' | ',') => format!("wrong at character {number}: the number is a whole one"),
        _ => format!("wrong at character {number}: `{unit}` is no unit"),
    }
}

/// The number and what follows it.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|it: char| !it.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        for (text, millis) in [
            ("0s", 0),
            ("250ms", 250),
            ("30s", 30_000),
            ("5 m", 300_000),
            ("365d", 31_536_000_000),
        ] {
            assert_eq!(duration(text).unwrap().as_millis(), millis, "{text}");
        }
        for (text, fault) in [
            ("", "there is no number"),
            ("s", "wrong at character 1, `s`: it begins with digits"),
            ("30", "the unit is missing"),
            ("-1s", "wrong at character 1, `-`: it begins with digits"),
            ("1.5s", "wrong at character 2: the number is a whole one"),
            ("10  w", "wrong at character 5: `w` is no unit"),
            ("99999999999999999d", "the number is too large"),
        ] {
            let message = duration(text).unwrap_err();
            assert!(message.ends_with(fault), "{message}");
        }
    }

    #[test]
    fn writes_durations_as_they_are_read() {
        for text in ["0s", "10ms", "90s", "1h", "365d"] {
            assert_eq!(written(duration(text).unwrap()), text);
        }
    }

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [("512", 512), ("8MiB", 8 * 1024 * 1024), ("8 MB", 8_000_000)] {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
        for (text, fault) in [
            ("", "there is no number"),
            ("MiB", "wrong at character 1, `M`: it begins with digits"),
            ("8Mib", "wrong at character 2: `Mib` is no unit"),
            ("99999999999999GiB", "the number is too large"),
        ] {
            let message = size(text).unwrap_err();
            assert!(message.ends_with(fault), "{message}");
        }
    }
}
