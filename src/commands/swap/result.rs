//! How a swap ended: for people and for programs.

use serde::Serialize;

use crate::driver::attempt::{SwapKind, SwapTimes, Swapped};
use crate::engine::evidence::Upshot;
use crate::engine::plan::{AFTER_A_PAUSE, Needless, WarmCost};
use crate::engine::seen::{ProbeReport, StageReport};
use crate::error::Exit;
use crate::model::Check;
use crate::model::journal::Command;
use crate::model::{Color, Observed};
use crate::report::{CommandResult, Style};
use crate::spoken_time;

/// A moment of a swap, in milliseconds from its first write.
fn moment(at: Option<i64>) -> String {
    match at {
        None => "not seen".to_owned(),
        Some(at) if at < 0 => format!("{} ms before the swap", at.unsigned_abs()),
        Some(at) => format!("after {at} ms"),
    }
}

/// A line each.
fn stages(stages: &[StageReport], style: &Style) -> impl Iterator<Item = String> {
    stages.iter().enumerate().map(|(number, stage)| {
        let name = if number == 0 { "stages" } else { "" };
        let line = stage.in_a_line();
        let line = match stage.held_against_new() {
            (0, _) => line,
            _ => style.bad(line),
        };
        format!("  {name:<12}{line}")
    })
}

impl CommandResult for Swapped {
    fn human(&self, style: &Style) -> String {
        let probe = &self.probe;
        let mut lines = Vec::new();
        let is_paused = self.outcome == Upshot::Paused;
        if is_paused {
            lines.push(format!(
                "the promotion of {} waits for a person",
                style.color(self.to, &self.names.1)
            ));
        } else if self.exit == Exit::Done {
            lines.push(format!(
                "{} is live: {} -> {}",
                style.color(self.to, &self.names.1),
                self.names.0,
                self.names.1
            ));
        }
        let failed = match probe.failed {
            0 => style.good("0 failed"),
            failed => style.bad(format!("{failed} failed")),
        };
        lines.push(match self.judged {
            Some(judged) => format!("  blind       {judged}"),
            None => format!("  requests    {} sent, {failed}", probe.sent),
        });
        lines.extend(stages(&self.stages, style));
        if let Some(changeover) = probe.changeover_ms {
            lines.push(format!(
                "  changeover  {changeover} ms (first answer from {} {}, last from {} {})",
                self.to,
                moment(probe.first_new_ms),
                self.from,
                moment(probe.last_old_ms)
            ));
            let kinds = probe.connections;
            if kinds.fresh.sent > 0 && kinds.reused.sent > 0 {
                lines.push(format!(
                    "  connections fresh ones changed over {}, kept ones {}",
                    moment(kinds.fresh.changeover_ms),
                    moment(kinds.reused.changeover_ms)
                ));
            }
        }
        lines.extend(probe.ways.iter().map(|way| {
            format!(
                "  way         {}: new from {}, old until {}",
                way.way,
                moment(way.seen.first_new_ms),
                moment(way.seen.last_old_ms)
            )
        }));
        if let Some(gap) = self.swap.gap() {
            let gap = spoken_time::short(gap);
            lines.push(format!(
                "  gap         users were without an answer for {gap}"
            ));
        }
        if let Some(why) = &self.changeover_unknown {
            lines.push(format!("  changeover  unknown: {why}"));
        }
        let latency = probe.latency_ms.in_words();
        lines.extend(latency.map(|latency| format!("  latency     {latency}")));
        if is_paused {
            lines.push(format!("  traffic     {}", self.traffic));
            lines.push(format!("  next        {AFTER_A_PAUSE}"));
        } else if self.exit == Exit::Done {
            lines.push(format!("  traffic     {}", self.traffic));
            let from = self.from;
            // After a rollback there is nothing to go back to.
            let again = match self.operation {
                Command::Rollback => format!("`bgecs promote {from}` makes it live again"),
                _ => "`bgecs rollback`".to_owned(),
            };
            lines.push(format!(
                "  way back    {from} stays warm: {again}, or `bgecs retire` to stop paying for it"
            ));
            let warm = self.warm.iter();
            lines.extend(warm.map(|cost| format!("  warm        {from}: {cost}")));
        }
        lines.join("\n")
    }
}

/// The result where there was no swap to do.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    operation: Command,
    from: Option<Color>,
    to: Color,
    outcome: Upshot,
    /// Whether nobody was to ask production.
    pub(super) blind: bool,
    checks: Vec<Check>,
    probe: ProbeReport,
    swap: SwapTimes,
    changeover_unknown: Option<String>,
    traffic: String,
    pub(super) warm: Option<WarmCost>,
    reason: Option<String>,
    #[serde(skip)]
    sentence: String,
}

impl Done {
    pub(super) fn nothing(kind: SwapKind, observed: &Observed, live: Color, why: Needless) -> Self {
        let sentence = why.sentence(observed, live);
        Self {
            outcome: Upshot::Unchanged,
            ..Self::new(kind, observed, Some(live.other()), live, sentence)
        }
    }

    pub(super) fn made_live(kind: SwapKind, observed: &Observed, color: Color) -> Self {
        let sentence = format!("{} is live; nothing was before", observed.named(color));
        Self::new(kind, observed, None, color, sentence)
    }

    fn new(
        kind: SwapKind,
        observed: &Observed,
        from: Option<Color>,
        to: Color,
        sentence: String,
    ) -> Self {
        Self {
            operation: kind.command(),
            from,
            to,
            outcome: Upshot::Committed,
            blind: false,
            checks: Vec::new(),
            probe: ProbeReport::default(),
            swap: SwapTimes::default(),
            changeover_unknown: None,
            traffic: observed.traffic_line(),
            warm: from.and_then(|from| WarmCost::of_warm(observed, from)),
            reason: None,
            sentence,
        }
    }
}

impl CommandResult for Done {
    fn human(&self, _: &Style) -> String {
        format!("{}\n  {}", self.sentence, self.traffic)
    }
}

#[cfg(test)]
mod tests;
