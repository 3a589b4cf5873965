//! What figures say: the middle and the ends of several runs, ratios of runs that
//! were made in pairs, and whether a target is met. Pure: nothing is measured here.

use serde_json::{Value, json};

/// The middle and the ends of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// None without values, or with one that is no number.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        } else {
            sorted[middle]
        };
        Some(Self { median, min, max })
    }

    /// Of the ratios of runs that were made in pairs, one beside the other, so
    /// that what slowed the machine slowed both.
    pub fn of_ratios(pairs: &[(f64, f64)]) -> Option<Self> {
        let ratios: Vec<f64> = pairs.iter().map(|(ours, theirs)| ours / theirs).collect();
        Self::of(&ratios)
    }

    pub fn json(self) -> Value {
        json!({"median": self.median, "min": self.min, "max": self.max})
    }
}

/// What a figure has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// The same in every run.
    Constant,
    /// Shown for comparison; nothing is asked of it.
    None,
}

impl Target {
    /// Judged by the median: the spread beside it shows how far that can be
    /// trusted.
    pub fn is_met(self, figure: Spread) -> Option<bool> {
        match self {
            Self::AtMost(most) => Some(figure.median <= most),
            Self::AtLeast(least) => Some(figure.median >= least),
            Self::Constant => Some(figure.min == figure.max),
            Self::None => None,
        }
    }
}

/// A unit, and how figures in it are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Of milliseconds.
    Time,
    /// Of KiB.
    Memory,
    /// Requests a second.
    Rate,
    Count,
    Ratio,
}

impl Unit {
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Time if value >= 10_000.0 => format!("{:.1} s", value / 1000.0),
            Self::Time if value >= 1000.0 => format!("{:.2} s", value / 1000.0),
            Self::Time if value >= 100.0 => format!("{value:.0} ms"),
            Self::Time => format!("{value:.1} ms"),
            Self::Memory => format!("{:.1} MiB", value / 1024.0),
            Self::Rate => format!("{value:.0}/s"),
            Self::Count => format!("{value:.0}"),
            Self::Ratio if value < 0.1 => format!("{value:.4}"),
            Self::Ratio => format!("{value:.2}"),
        }
    }

    /// The middle, with the ends where they differ.
    pub fn show_spread(self, spread: Spread) -> String {
        let [median, min, max] =
            [spread.median, spread.min, spread.max].map(|value| self.show(value));
        if min == max {
            median
        } else {
            format!("{median} ({min} – {max})")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64, min: f64, max: f64) -> Option<Spread> {
        Some(Spread { median, min, max })
    }

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(Spread::of(&[9.0, 1.0, 2.0]), spread(2.0, 1.0, 9.0));
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 9.0]), spread(3.0, 1.0, 9.0));
        assert_eq!(Spread::of(&[7.0]), spread(7.0, 7.0, 7.0));
    }

    #[test]
    fn without_figures_there_is_no_middle() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[1.0, f64::NAN]), None);
        assert_eq!(Spread::of_ratios(&[(1.0, 0.0)]), None);
    }

    #[test]
    fn ratios_are_of_the_pairs_and_not_of_the_middles() {
        let pairs = [(1.0, 2.0), (10.0, 10.0), (3.0, 12.0)];
        assert_eq!(Spread::of_ratios(&pairs), spread(0.5, 0.25, 1.0));
    }

    #[test]
    fn a_target_is_met_at_its_own_value() {
        let figure = Spread::of(&[1.0, 2.0, 9.0]).unwrap();
        assert_eq!(Target::AtMost(2.0).is_met(figure), Some(true));
        assert_eq!(Target::AtMost(1.9).is_met(figure), Some(false));
        assert_eq!(Target::AtLeast(2.0).is_met(figure), Some(true));
        assert_eq!(Target::AtLeast(2.1).is_met(figure), Some(false));
        assert_eq!(Target::Constant.is_met(figure), Some(false));
        assert_eq!(Target::None.is_met(figure), None);
        let same = Spread::of(&[2.0, 2.0]).unwrap();
        assert_eq!(Target::Constant.is_met(same), Some(true));
    }

    #[test]
    fn figures_are_written_with_their_unit() {
        assert_eq!(Unit::Time.show(7.26), "7.3 ms");
        assert_eq!(Unit::Time.show(123.4), "123 ms");
        assert_eq!(Unit::Time.show(2345.0), "2.35 s");
        assert_eq!(Unit::Time.show(23_456.0), "23.5 s");
        assert_eq!(Unit::Memory.show(20_480.0), "20.0 MiB");
        assert_eq!(Unit::Rate.show(12_345.6), "12346/s");
        assert_eq!(Unit::Ratio.show(0.0123), "0.0123");
        assert_eq!(Unit::Ratio.show(1.234), "1.23");
    }

    #[test]
    fn ends_are_shown_where_they_differ() {
        let same = Spread::of(&[22.0, 22.0]).unwrap();
        assert_eq!(Unit::Count.show_spread(same), "22");
        let apart = Spread::of(&[1.0, 2.0, 4.0]).unwrap();
        assert_eq!(Unit::Ratio.show_spread(apart), "2.00 (1.00 – 4.00)");
    }
}
