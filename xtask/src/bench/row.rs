//! A row of the table: one figure of bgecs beside one of a peer, the ratio of
//! both, and what is asked of it.

use serde_json::{Value, json};

use super::figures::{Spread, Target, Unit};
use crate::Result;

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub what: String,
    pub ours: Figure,
    pub peer: Option<Peer>,
    /// What the target is held against: the ratio, or without a peer the figure.
    pub judged: Spread,
    pub judged_in: Unit,
    pub target: Target,
    /// How the target is written.
    pub wanted: String,
    /// Why it is missed, where that is known and cannot be mended.
    pub reason: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub unit: Unit,
    pub runs: Vec<f64>,
    pub spread: Spread,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Peer {
    pub name: String,
    pub figure: Figure,
}

impl Figure {
    pub fn of(unit: Unit, runs: &[f64]) -> Result<Self> {
        Ok(Self {
            unit,
            runs: runs.to_vec(),
            spread: Spread::of(runs).ok_or("nothing was measured")?,
        })
    }

    fn shown(&self) -> String {
        self.unit.show_spread(self.spread)
    }

    fn json(&self) -> Value {
        json!({"runs": self.runs, "spread": self.spread.json()})
    }
}

impl Row {
    /// Beside a peer: `pairs` are bgecs's figure and the peer's of each run.
    pub fn beside(
        what: impl Into<String>,
        peer: impl Into<String>,
        unit: Unit,
        pairs: &[(f64, f64)],
    ) -> Result<Self> {
        let ratios = Spread::of_ratios(pairs).ok_or("a peer's figure is zero")?;
        Self::beside_judged(what, peer, unit, pairs, ratios)
    }

    /// The same where a single run may come to nothing: the ratio is that of all
    /// runs together. Where the peer's come to nothing all, there is none to show.
    pub fn beside_in_all(
        what: impl Into<String>,
        peer: impl Into<String>,
        unit: Unit,
        pairs: &[(f64, f64)],
    ) -> Result<Self> {
        let sum = |sums: (f64, f64), pair: &(f64, f64)| (sums.0 + pair.0, sums.1 + pair.1);
        let sums = pairs.iter().fold((0.0, 0.0), sum);
        match Spread::of_ratios(&[sums]) {
            Some(ratio) => Self::beside_judged(what, peer, unit, pairs, ratio),
            None => {
                let ours: Vec<f64> = pairs.iter().map(|(ours, _)| *ours).collect();
                Self::alone(what, unit, &ours)
            }
        }
    }

    fn beside_judged(
        what: impl Into<String>,
        peer: impl Into<String>,
        unit: Unit,
        pairs: &[(f64, f64)],
        judged: Spread,
    ) -> Result<Self> {
        let (ours, theirs): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        Ok(Self {
            what: what.into(),
            ours: Figure::of(unit, &ours)?,
            peer: Some(Peer {
                name: peer.into(),
                figure: Figure::of(unit, &theirs)?,
            }),
            judged,
            judged_in: Unit::Ratio,
            target: Target::None,
            wanted: String::new(),
            reason: None,
        })
    }

    /// By itself.
    pub fn alone(what: impl Into<String>, unit: Unit, runs: &[f64]) -> Result<Self> {
        let ours = Figure::of(unit, runs)?;
        Ok(Self {
            what: what.into(),
            judged: ours.spread,
            ours,
            peer: None,
            judged_in: unit,
            target: Target::None,
            wanted: String::new(),
            reason: None,
        })
    }

    #[must_use]
    pub fn at_most(self, most: f64) -> Self {
        self.asking(
            Target::AtMost(most),
            |unit, most| format!("at most {}", unit.show(most)),
            most,
        )
    }

    #[must_use]
    pub fn at_least(self, least: f64) -> Self {
        self.asking(
            Target::AtLeast(least),
            |unit, least| format!("at least {}", unit.show(least)),
            least,
        )
    }

    fn asking(self, target: Target, wanted: fn(Unit, f64) -> String, value: f64) -> Self {
        Self {
            target,
            wanted: wanted(self.judged_in, value),
            ..self
        }
    }

    /// What is to be said where the target is missed.
    #[must_use]
    pub fn or_else_because(self, reason: &'static str) -> Self {
        Self {
            reason: Some(reason),
            ..self
        }
    }

    pub fn is_met(&self) -> Option<bool> {
        self.target.is_met(self.judged)
    }

    fn verdict(&self) -> &'static str {
        match self.is_met() {
            None => "",
            Some(true) => "met",
            Some(false) => "**missed**",
        }
    }

    /// Why the target is missed, if it is and that is known.
    pub fn excuse(&self) -> Option<&'static str> {
        self.reason.filter(|_| self.is_met() == Some(false))
    }

    pub fn cells(&self) -> [String; 6] {
        let (peer, ratio) = match &self.peer {
            Some(peer) => (
                format!("{} {}", peer.name, peer.figure.shown()),
                self.judged_in.show_spread(self.judged),
            ),
            None => (String::new(), String::new()),
        };
        [
            self.what.clone(),
            self.ours.shown(),
            peer,
            ratio,
            self.wanted.clone(),
            self.verdict().to_owned(),
        ]
    }

    pub fn json(&self) -> Value {
        json!({
            "what": self.what,
            "bgecs": self.ours.json(),
            "peer": self.peer.as_ref().map(|peer| json!({
                "name": peer.name,
                "figure": peer.figure.json(),
                "ratio": self.judged.json(),
            })),
            "target": self.wanted,
            "met": self.is_met(),
            "reason": self.excuse(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: [(f64, f64); 3] = [(10.0, 200.0), (12.0, 200.0), (30.0, 200.0)];

    fn row() -> Row {
        Row::beside("a window", "the script", Unit::Time, &PAIRS).unwrap()
    }

    #[test]
    fn a_row_shows_both_sides_and_the_ratio_of_the_pairs() {
        let cells = row().at_most(0.05).cells();
        assert_eq!(
            cells,
            [
                "a window",
                "12.0 ms (10.0 ms – 30.0 ms)",
                "the script 200 ms",
                "0.0600 (0.0500 – 0.15)",
                "at most 0.0500",
                "**missed**",
            ]
        );
    }

    #[test]
    fn where_a_run_comes_to_nothing_the_ratio_is_that_of_all() {
        let beside = |pairs| Row::beside_in_all("failures", "a swap", Unit::Count, pairs);
        let row = beside(&[(1.0, 0.0), (0.0, 4.0)]).unwrap();
        assert_eq!(row.cells()[1..4], ["0 (0 – 1)", "a swap 2 (0 – 4)", "0.25"]);
        let row = beside(&[(1.0, 0.0)]).unwrap();
        assert_eq!(row.cells()[1..4], ["1", "", ""]);
        assert!(beside(&[]).is_err());
    }

    #[test]
    fn a_figure_without_a_peer_is_judged_itself() {
        let row = Row::alone("memory", Unit::Memory, &[20_480.0]).unwrap();
        let row = row.at_most(40.0 * 1024.0);
        assert_eq!(row.is_met(), Some(true));
        assert_eq!(row.cells()[1..5], ["20.0 MiB", "", "", "at most 40.0 MiB"]);
    }

    #[test]
    fn only_a_missed_target_needs_a_reason() {
        let because = |most| row().at_most(most).or_else_because("it is slow").excuse();
        assert_eq!(because(0.05), Some("it is slow"));
        assert_eq!(because(0.06), None);
        assert_eq!(row().or_else_because("it is slow").excuse(), None);
    }

    #[test]
    fn what_was_not_measured_makes_no_row() {
        assert!(Row::beside("x", "y", Unit::Time, &[]).is_err());
        assert!(Row::beside("x", "y", Unit::Time, &[(1.0, 0.0)]).is_err());
        assert!(Row::alone("x", Unit::Time, &[]).is_err());
    }

    #[test]
    fn the_data_has_every_run() {
        let json = row().at_most(0.06).json();
        assert_eq!(json["bgecs"]["runs"], json!([10.0, 12.0, 30.0]));
        assert_eq!(json["peer"]["figure"]["spread"]["median"], 200.0);
        assert_eq!(json["met"], true);
    }
}
