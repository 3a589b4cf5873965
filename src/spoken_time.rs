//! Moments and spans of time as a person is told them. What the time is, the
//! caller knows: nothing here reads a clock.

use time::{Duration, OffsetDateTime};

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

#[cfg(test)]
mod tests {
    use super::*;

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
