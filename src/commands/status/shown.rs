//! The whole status, for people.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Status;
use crate::counted::counted;
use crate::model::{Color, Endpoint, PerRoute, Rollout, Route};
use crate::report::{CommandResult, Style};
use crate::session::here::beside;
use crate::spoken_time;

impl Status {
    /// A route that is called by its URL is called so once.
    fn route_line(&self, route: Route) -> String {
        let listener = self.listeners.get(route);
        let here = self.here.as_ref().map(|here| here.get(route));
        let url = beside(self.urls.get(route), here);
        let place = match &listener.endpoint {
            Endpoint::Port(_) => format!("{}  {url}", listener.endpoint),
            Endpoint::Named(name) if self.hosted.is_some() => format!("{name}  {url}"),
            // Without the header, that shows what is live.
            Endpoint::Header => format!("{}  {}", listener.endpoint, self.urls.get(route)),
            Endpoint::Named(_) => url,
            Endpoint::Several(_) => listener.endpoint.to_string(),
        };
        format!("  {place}  -> {}", listener.text)
    }
}

impl CommandResult for Status {
    fn human(&self, style: &Style) -> String {
        let mut lines = vec![
            match &self.environment {
                Some(environment) => format!(
                    "{} in {}, environment {environment}",
                    style.strong(&self.app),
                    self.region
                ),
                None => format!("{} in {}", style.strong(&self.app), self.region),
            },
            self.route_line(Route::Production),
        ];
        if self.hosted.is_none() {
            lines.push(self.route_line(Route::Test));
        }
        let others = self.other_ways.iter();
        lines.extend(others.map(|way| format!("  {}", way.text)));
        for color in Color::BOTH {
            lines.push(String::new());
            lines.extend(self.color_lines(color, *style));
        }
        lines.extend(self.stack.line(*style));
        let warning = style.warn("warning:");
        if let Some(unclear) = &self.unclear {
            lines.push(format!("\n{warning} {unclear}"));
        } else if let (None, Some(first)) = (self.live, &self.first) {
            lines.push(format!("\nNothing is deployed yet: {first}."));
        } else if self.live.is_none() && !self.is_split() {
            lines.push("\nNothing is live yet: the first colour to serve becomes live.".to_owned());
        }
        let differs = self.differs_from_stack.iter().chain(&self.certificate);
        lines.extend(differs.map(|sentence| format!("\n{warning} {sentence}")));
        let differences = self.differences.iter();
        lines.extend(differences.map(|what| format!("\n{warning} {what}.")));
        let astray = self.astray.iter();
        lines.extend(astray.map(|sentence| format!("\n{warning} {sentence}.")));
        lines.extend(self.journal_lines(*style));
        let uploads = self.uploads.lines(self.now, style);
        if !uploads.is_empty() {
            lines.push(format!("\n{}", uploads.join("\n")));
        }
        let is_explained = self.unfinished.is_some() || !self.drift.is_empty();
        if let Some(color) = self.on_both_routes().filter(|_| !is_explained) {
            lines.push(format!(
                "\n{} both routes serve {color}: {} shows what users see, until the next promotion.",
                style.warn("warning:"),
                self.listeners.test.endpoint
            ));
        }
        lines.join("\n")
    }
}

impl Status {
    /// Who is at work, and what does not agree with the journal.
    fn journal_lines(&self, style: Style) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.at_work.iter().map(|sentence| format!("\n{sentence}")));
        if let Some(unfinished) = self.unfinished.as_ref().filter(|it| !it.under_way) {
            let warning = style.warn("warning:");
            lines.push(format!("\n{warning} {}", unfinished.sentence()));
        }
        // What forwards to no colour has been told of.
        let told = self
            .drift
            .iter()
            .filter(|drift| drift.route != Route::Production || self.unclear.is_none());
        lines.extend(told.map(|drift| {
            format!(
                "\n{} {drift}: something else changed it.\n`bgecs adopt` accepts what is there now.",
                style.warn("warning:")
            )
        }));
        lines
    }

    /// The colour that gets every request of either route: testers see what users see.
    fn on_both_routes(&self) -> Option<Color> {
        let PerRoute { production, test } = &self.listeners;
        let live = production.split?.only()?;
        (test.split == production.split).then_some(live)
    }

    fn is_split(&self) -> bool {
        self.listeners.production.share_of(Color::Blue).is_some()
    }

    fn color_lines(&self, color: Color, style: Style) -> Vec<String> {
        let share = self.listeners.production.share_of(color);
        let role = match (self.live, share) {
            (Some(live), _) if live == color => "live".to_owned(),
            (Some(_), _) => "idle".to_owned(),
            (None, Some(percent)) => format!("{percent}% of the users"),
            (None, None) => "not live".to_owned(),
        };
        if let Some(hosted) = &self.hosted {
            return hosted.get(color).lines(color, &role, style);
        }
        let Some(state) = self.colors.get(color) else {
            return vec![format!(
                "{}  {role}, no service",
                style.color(color, format!("{color:<5}"))
            )];
        };
        let or_unknown =
            |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
        let short = state.task_definition.rsplit('/').next().unwrap_or_default();
        let mut lines = vec![
            format!(
                "{}  {role}, tag {}{}",
                style.color(color, format!("{color:<5}")),
                style.strong(or_unknown(&state.tag)),
                match (state.draining, state.desired) {
                    (true, _) => ", being deleted",
                    (false, 0) => ", retired",
                    _ => "",
                }
            ),
            format!("  digest   {}", or_unknown(&state.digest)),
            format!("  revision {short}{}", rollout(state.rollout, style)),
            format!(
                "  tasks    {} of {} running, {} of {} healthy",
                state.running,
                state.desired,
                state.healthy,
                counted(state.registered, "target")
            ),
        ];
        if state.service != color.as_str() {
            lines.insert(1, format!("  service  {}", state.service));
        }
        let scaling = state.scaling.iter();
        lines.extend(scaling.map(|target| format!("  scaled   {target}")));
        let warm = state.warm.iter();
        lines.extend(warm.map(|cost| format!("  costs    {cost}")));
        let loss = state.task_definition_lost.map(|loss| loss.sentence(color));
        lines.extend(loss.map(|loss| format!("  {}  {loss}", style.warn("warning"))));
        let setback = state.setback.iter();
        lines.extend(setback.map(|reason| format!("  {}   {reason}", style.bad("failed"))));
        if let Some(at) = &state.deployed_at {
            let by = state.deployed_by.as_deref().unwrap_or("unknown");
            let commit = state
                .commit
                .as_ref()
                .map(|commit| format!(", commit {commit}"))
                .unwrap_or_default();
            lines.push(format!(
                "  deployed {} by {by}{commit}",
                age(at, OffsetDateTime::now_utc())
            ));
        }
        lines
    }
}

fn rollout(rollout: Option<Rollout>, style: Style) -> String {
    match rollout {
        Some(Rollout::InProgress) => style.warn(", rolling out"),
        Some(Rollout::Failed) => style.bad(", failed"),
        Some(Rollout::Completed) | None => String::new(),
    }
}

/// `5 min ago`; the moment itself where it cannot be read.
pub(super) fn age(at: &str, now: OffsetDateTime) -> String {
    let Ok(at) = OffsetDateTime::parse(at, &Rfc3339) else {
        return at.to_owned();
    };
    spoken_time::ago(now - at)
}
