//! Instants, civil days and the operator's fixed offset from UTC.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Text form is RFC 3339 with milliseconds in UTC (`2026-11-22T07:00:00.000Z`); parsing accepts any offset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant this type compares against; before every record.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than every record.
    pub const MAX: Self = Self(i64::MAX);

    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This instant moved by `millis`, saturating at the ends.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The civil day at `offset`.
    pub fn day(self, offset: UtcOffset) -> Day {
        let shifted = self.0.saturating_add(offset.millis());
        let date = jiff::Timestamp::from_millisecond(shifted)
            .map_or(jiff::civil::Date::MIN, |it| {
                jiff::tz::Offset::UTC.to_datetime(it).date()
            });
        Day(date)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(it) => write!(f, "{it:.3}"),
            Err(_) => write!(f, "@{}ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<jiff::Timestamp>()
            .map(|it| Self(it.as_millisecond()))
            .map_err(|_| {
                format!("`{text}` is not an RFC 3339 instant such as 2026-11-22T12:00:00+05:00")
            })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// A calendar day. As a limit it is inclusive: it ends at 24:00 of the operator's [`UtcOffset`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(jiff::civil::Date);

impl Day {
    /// The first instant after the day.
    pub fn end(self, offset: UtcOffset) -> Timestamp {
        self.start(offset).plus_millis(86_400_000)
    }

    /// The first instant of the day.
    pub fn start(self, offset: UtcOffset) -> Timestamp {
        let utc = jiff::tz::Offset::UTC
            .to_timestamp(self.0.to_datetime(jiff::civil::Time::midnight()))
            .map_or(i64::MAX, |it| it.as_millisecond());
        Timestamp(utc.saturating_sub(offset.millis()))
    }

    /// This day moved by `months`, clamped to the end of a shorter month.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        self.0
            .checked_add(jiff::Span::new().months(months))
            .map_or(self, Self)
    }

    /// The `count`th working day after this day, Monday to Friday; public holidays are not known. 0 is the day itself.
    /// Five working days are a week, so the cost does not grow with `count`.
    #[must_use]
    pub fn plus_working_days(self, count: u32) -> Self {
        if count == 0 {
            return self;
        }
        // Saturday and Sunday count like the Friday before them.
        let weekday = i64::from(self.0.weekday().to_monday_zero_offset());
        let from = weekday.min(4);
        let to = from + i64::from(count);
        let days = to / 5 * 7 + to % 5 - weekday;
        jiff::Span::new()
            .try_days(days)
            .and_then(|it| self.0.checked_add(it))
            .map_or(self, Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shaped = text.len() == 10 && text.bytes().filter(|it| *it == b'-').count() == 2;
        shaped
            .then(|| text.parse().ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a day such as 2026-11-22"))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// The operator's fixed distance from UTC, −18:00 to +18:00, written `+05:00`.
///
/// No time-zone database: Kazakhstan has had one offset since 2024-03-01, and a fixed one keeps replay exact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UtcOffset {
    minutes: i32,
}

impl UtcOffset {
    const fn millis(self) -> i64 {
        self.minutes as i64 * 60_000
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        let minutes = self.minutes.abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl FromStr for UtcOffset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a UTC offset such as +05:00");
        let (sign, rest) = match text.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            Some(_) | None => return Err(wrong()),
        };
        let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
        let hours: i32 = hours.parse().map_err(|_| wrong())?;
        let minutes: i32 = minutes.parse().map_err(|_| wrong())?;
        if !(0..=18).contains(&hours) || !(0..60).contains(&minutes) {
            return Err(wrong());
        }
        Ok(Self {
            minutes: sign * (hours * 60 + minutes),
        })
    }
}

impl Serialize for UtcOffset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcOffset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_of_the_operator() {
        let day: Day = "2026-11-21".parse().unwrap();
        let almaty: UtcOffset = "+05:00".parse().unwrap();
        assert_eq!(day.end(almaty).to_string(), "2026-11-21T19:00:00.000Z");
        let just_before: Timestamp = "2026-11-21T23:59:59.999+05:00".parse().unwrap();
        assert!(just_before < day.end(almaty));
        assert_eq!(just_before.day(almaty), day);
    }

    #[test]
    fn working_days_pass_over_weekends() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        // 2026-11-20 is a Friday.
        for (from, count, to) in [
            ("2026-11-20", 0, "2026-11-20"),
            ("2026-11-16", 4, "2026-11-20"),
            ("2026-11-20", 1, "2026-11-23"),
            ("2026-11-21", 1, "2026-11-23"),
            ("2026-11-22", 1, "2026-11-23"),
            ("2026-11-18", 10, "2026-12-02"),
            ("2026-11-22", 10, "2026-12-04"),
        ] {
            assert_eq!(
                day(from).plus_working_days(count),
                day(to),
                "{from} + {count}"
            );
        }
        assert_eq!(
            day("2026-11-20").plus_working_days(u32::MAX),
            day("2026-11-20")
        );
    }

    #[test]
    fn refuses_what_is_not_a_day_or_offset() {
        for text in ["2026-02-30", "22.11.2026", "2026-11-22T00:00:00Z", ""] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
        for text in ["05:00", "+5", "+19:00", "+05:60"] {
            assert!(text.parse::<UtcOffset>().is_err(), "{text}");
        }
    }
}
