//! The list for people: one row for each app, narrow enough for a terminal, and remarks
//! below it.

use super::line::{FleetColor, FleetError, FleetLine, FleetState};
use super::{Fleet, FleetRegion};
use crate::counted::counted;
use crate::model::{Color, Tag};
use crate::report::{CommandResult, Style};
use crate::spoken_time;

const HEADINGS: [&str; 4] = ["app", "live", "since", "idle"];
/// A commit's hash is known by its beginning.
const TAG: usize = 12;

impl CommandResult for Fleet {
    fn human(&self, style: &Style) -> String {
        let cells: Vec<_> = self.apps.iter().map(FleetLine::cells).collect();
        let widths = widths(&cells);
        let mut lines = Vec::new();
        for region in &self.regions {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.push(region.heading(*style));
            lines.extend(region.error.iter().flat_map(|error| error.lines(*style)));
            let of_it = |(app, _): &(&FleetLine, _)| app.region == region.region;
            let mut rows = self.apps.iter().zip(&cells).filter(of_it).peekable();
            if rows.peek().is_some() {
                lines.push(style.strong(row(HEADINGS, &widths)));
            } else if region.error.is_none() {
                lines.push("no app of bgecs is here".to_owned());
            }
            for (app, cells) in rows {
                lines.push(row(cells.each_ref().map(String::as_str), &widths));
                lines.extend(app.notes(*style));
            }
        }
        lines.push(format!("\n{}", self.sum()));
        lines.join("\n")
    }
}

fn widths(cells: &[[String; 4]]) -> [usize; 4] {
    std::array::from_fn(|n| {
        let own = cells.iter().map(|row| row[n].chars().count()).max();
        own.unwrap_or(0).max(HEADINGS[n].len())
    })
}

fn row(cells: [&str; 4], widths: &[usize; 4]) -> String {
    let cells = cells.iter().zip(widths);
    let padded: Vec<String> = cells
        .map(|(cell, width)| format!("{cell:<width$}"))
        .collect();
    padded.join("  ").trim_end().to_owned()
}

impl FleetRegion {
    fn heading(&self, style: Style) -> String {
        let region = style.strong(&self.region);
        match &self.account {
            Some(account) => format!("{region}, account {account}"),
            None => region,
        }
    }
}

impl FleetError {
    fn lines(&self, style: Style) -> Vec<String> {
        let mut lines = vec![format!("    {} {}", style.bad("error:"), self.message)];
        let hint = self.hint.iter();
        lines.extend(hint.map(|hint| format!("    {} {hint}", style.dim("hint: "))));
        lines
    }
}

impl FleetLine {
    fn cells(&self) -> [String; 4] {
        let none = || "-".to_owned();
        let Some(state) = &self.state else {
            return [self.app.clone(), "?".to_owned(), none(), none()];
        };
        let since = state.since.map(|since| state.now - since);
        [
            self.app.clone(),
            state.live.map_or_else(none, |live| state.released(live)),
            since.map_or_else(none, spoken_time::ago),
            state.idle.map_or_else(none, |idle| state.released(idle)),
        ]
    }

    fn notes(&self, style: Style) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(state) = &self.state {
            notes.extend(state.notes(style));
        }
        notes.extend(self.error.iter().flat_map(|error| error.lines(style)));
        notes
    }
}

impl FleetState {
    /// `2 on blue`, where something is deployed.
    fn released(&self, color: Color) -> String {
        match self.colors.get(color) {
            None => "-".to_owned(),
            Some(it) => {
                let tag = it.tag.as_ref().map_or_else(|| "?".to_owned(), short);
                let retired = if it.retired { ", retired" } else { "" };
                format!("{tag} on {color}{retired}")
            }
        }
    }

    fn notes(&self, style: Style) -> Vec<String> {
        let warning = style.warn("warning:");
        let mut notes = Vec::new();
        let is_released = self.colors.blue.is_some() || self.colors.green.is_some();
        if self.live.is_none() && is_released {
            notes.push(self.traffic.clone());
        }
        notes.extend(self.set.iter().map(|set| format!("set   {set}")));
        for color in Color::BOTH {
            let warm = self
                .colors
                .get(color)
                .as_ref()
                .and_then(FleetColor::warm_words);
            notes.extend(warm.map(|words| format!("warm  {color}: {words}")));
        }
        let unfinished = self.unfinished.as_ref().filter(|it| !it.under_way);
        match unfinished {
            Some(unfinished) => notes.push(format!("{warning} {}", unfinished.sentence())),
            None => notes.extend(self.at_work.clone()),
        }
        let drift = self.drift.iter();
        notes.extend(drift.map(|drift| format!("{warning} {drift}")));
        let trouble = self.stack_trouble.iter();
        notes.extend(trouble.map(|sentence| format!("{warning} {sentence}")));
        let notes = notes.iter().flat_map(|note| note.lines());
        notes.map(|line| format!("    {line}")).collect()
    }
}

impl FleetColor {
    fn warm_words(&self) -> Option<String> {
        match (&self.warm, self.warm_unknown) {
            (Some(cost), _) => Some(cost.to_string()),
            (None, true) => {
                let tasks = counted(self.running.unwrap_or_default(), "task");
                Some(format!("{tasks} of unknown size"))
            }
            (None, false) => None,
        }
    }
}

impl Fleet {
    /// `3 apps: 1 unfinished, 1 drifted; warm: 2 tasks, 0.5 vCPU and 1 GB`
    fn sum(&self) -> String {
        let states = || self.apps.iter().filter_map(|app| app.state.as_ref());
        let of = |is: fn(&FleetState) -> bool| states().filter(|state| is(state)).count();
        let parts = [
            (of(|it| it.unfinished.is_some()), "unfinished"),
            (of(|it| !it.drift.is_empty()), "drifted"),
            (self.apps.len() - states().count(), "unreadable"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let mut sum = counted(self.apps.len(), "app");
        if !parts.is_empty() {
            sum += &format!(": {}", parts.join(", "));
        }
        match &self.warm {
            Some(warm) => format!("{sum}; warm: {warm}"),
            None => sum,
        }
    }
}

fn short(tag: &Tag) -> String {
    let tag = tag.as_str();
    match tag.char_indices().nth(TAG) {
        Some((end, _)) => format!("{}…", &tag[..end]),
        None => tag.to_owned(),
    }
}
