//! Times and durations as a person reads and writes them. Nothing here reads a clock: the
//! caller passes the time.

use time::{Duration, OffsetDateTime};

/// `90`, `90s`, `500ms`, `5m`, `2h`.
///
/// # Errors
/// In a sentence, with what is right.
pub fn read(text: &str) -> Result<std::time::Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits
        .parse()
        .ok()
        .filter(|number| *number >= 0.0)
        .ok_or_else(|| "a time is a number and a unit: 500ms, 90s, 5m, 2h".to_owned())?;
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("unknown unit `{unit}`: it is ms, s, m or h")),
    };
    std::time::Duration::try_from_secs_f64(number * unit).map_err(|error| error.to_string())
}

/// The same, but that nobody has to guess its unit, and that it takes some time.
///
/// # Errors
/// As [`read`].
pub fn with_unit(text: &str) -> Result<std::time::Duration, String> {
    match read(text)? {
        _ if text.ends_with(|last: char| last.is_ascii_digit()) => {
            Err(format!("`{text}` has no unit: it is ms, s, m or h"))
        }
        time if time.is_zero() => Err(format!("it must be longer than {text}")),
        time => Ok(time),
    }
}

/// As long; what is longer than can be told is the longest that can.
pub fn of(time: std::time::Duration) -> Duration {
    Duration::try_from(time).unwrap_or(Duration::MAX)
}

/// `1 min 5 s`, whole seconds, rounded up.
pub fn in_words(time: Duration) -> String {
    let millis = time.whole_milliseconds().max(0);
    let seconds = millis / 1000 + i128::from(millis % 1000 > 0);
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// The same, or `2 h` where it is whole hours.
pub fn span(time: Duration) -> String {
    match time.whole_seconds() {
        seconds if seconds > 0 && seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        _ => in_words(time),
    }
}

/// `6m 12s`, as it is typed: whole seconds, rounded up.
pub fn short(time: std::time::Duration) -> String {
    let seconds = time.as_millis().div_ceil(1000);
    let parts = [
        (seconds / 3600, 'h'),
        (seconds / 60 % 60, 'm'),
        (seconds % 60, 's'),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    match said.is_empty() {
        true => "0s".to_owned(),
        false => said.join(" "),
    }
}

/// The same of what took its time: to the nearest second, and below one in `500ms`.
pub fn took(time: std::time::Duration) -> String {
    let rounded = std::time::Duration::from_secs_f64(time.as_secs_f64().round());
    match rounded.is_zero() {
        true => format!("{}ms", time.as_millis()),
        false => short(rounded),
    }
}

/// `5 min ago`, rounded down.
pub fn ago(time: Duration) -> String {
    format!("{} ago", roughly(time))
}

/// `5 min`, rounded down.
pub fn roughly(time: Duration) -> String {
    match time.whole_seconds() {
        seconds if seconds < 60 => format!("{} s", seconds.max(0)),
        seconds if seconds < 3600 => format!("{} min", seconds / 60),
        seconds if seconds < 48 * 3600 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86400),
    }
}

/// `2026-11-21 07:05:12 UTC`
pub fn clock(at: OffsetDateTime) -> String {
    let format =
        time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    at.to_offset(time::UtcOffset::UTC)
        .format(&format)
        .unwrap_or_default()
}

/// As a number of seconds, for the journal.
pub mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(time.as_secs_f64())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(read("500ms"), Ok(std::time::Duration::from_millis(500)));
        assert_eq!(read("90"), Ok(std::time::Duration::from_secs(90)));
        assert_eq!(read("1.5m"), Ok(std::time::Duration::from_secs(90)));
        assert_eq!(read("2h"), Ok(std::time::Duration::from_secs(7200)));
        assert!(read("5 apples").is_err());
        assert!(read("-1s").is_err());
    }

    #[test]
    fn a_short_time_is_as_one_types_it() {
        for (millis, expected) in [
            (0, "0s"),
            (1, "1s"),
            (372_000, "6m 12s"),
            (600_000, "10m"),
            (3_600_000, "1h"),
            (7_384_500, "2h 3m 5s"),
        ] {
            let time = std::time::Duration::from_millis(millis);
            assert_eq!(short(time), expected);
        }
    }

    #[test]
    fn what_took_its_time_is_told_to_the_nearest_second() {
        for (millis, expected) in [
            (0, "0ms"),
            (30, "30ms"),
            (499, "499ms"),
            (500, "1s"),
            (3_030, "3s"),
            (3_500, "4s"),
            (372_400, "6m 12s"),
        ] {
            let time = std::time::Duration::from_millis(millis);
            assert_eq!(took(time), expected);
        }
    }

    #[test]
    fn times_in_words_are_rounded_up() {
        for (millis, expected) in [
            (-5, "0 s"),
            (0, "0 s"),
            (1, "1 s"),
            (59_000, "59 s"),
            (59_001, "1 min"),
            (65_000, "1 min 5 s"),
            (3_600_000, "60 min"),
        ] {
            assert_eq!(in_words(Duration::milliseconds(millis)), expected);
        }
    }
}
