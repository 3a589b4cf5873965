//! The end of a script: faults have stopped, and all must come to rest.

use super::Player;
use crate::Result;
use crate::chaos::model::{Command, Run, Seen};
use crate::chaos::users::Excuse;
use crate::faults::state::State;

/// How many `resume` may be needed.
const RESUMES: usize = 5;

impl Player<'_, '_> {
    pub(super) async fn settle(&mut self) -> Result<Excuse> {
        let before = self.state.clone();
        let mut runs = Vec::new();
        for _ in 0..RESUMES {
            let Some(line) = self.state.as_ref().and_then(next) else {
                break;
            };
            let ended = self.world.run(&[line]).await?;
            let was = Seen::of(self.state.as_ref());
            self.look(1).await?;
            let command = match line {
                "adopt" => Command::Adopt,
                _ => Command::Resume,
            };
            let run = Run {
                command,
                code: Some(ended.code),
            };
            let is = Seen::of(self.state.as_ref());
            let wrong = self.model.take(&was, std::slice::from_ref(&run), &is);
            let is_over = self.state.as_ref().and_then(next).is_none();
            let said = ended.stderr.trim_end();
            if !is_over || !wrong.is_empty() {
                let code = ended.code;
                self.played
                    .told
                    .push(format!("`{line}` in the end -> {code}\n{said}"));
            }
            self.played.violations.extend(wrong);
            runs.push(run);
        }
        let excuse = self.excuse(before.as_ref(), &runs);
        self.calm_down();
        let rest = self.at_rest().await?;
        self.played.violations.extend(rest);
        Ok(excuse)
    }

    /// What is not as it has to be when all is over.
    async fn at_rest(&self) -> Result<Option<String>> {
        let Some(state) = &self.state else {
            let left = self.world.leftovers().await?;
            let left = (!left.is_empty()).then(|| format!("left behind: {}", left.join(", ")));
            return Ok(left);
        };
        if let Some(what) = &state.unfinished {
            return Ok(Some(format!(
                "{what} is unfinished after {RESUMES} times `resume`"
            )));
        }
        if let Some(who) = &state.lease {
            return Ok(Some(format!("{who} holds the lease in the end")));
        }
        // Where a stranger left it: it was adopted.
        if !self.is_messed && self.world.serves(&state.host) == Some(false) {
            return Ok(Some(
                "port 80 is on a colour that is not healthy in the end".to_owned(),
            ));
        }
        self.leaks(state).await
    }

    async fn leaks(&self, state: &State) -> Result<Option<String>> {
        let used: Vec<&str> = state.services().map(|is| is.revision.as_str()).collect();
        let mut leaked = self.world.revisions().await?;
        leaked.retain(|one| !self.served.contains(one));
        if !leaked.is_empty() {
            return Ok(Some(format!("no service ever had {}", leaked.join(", "))));
        }
        let services = self.world.services().await?.len();
        if services != used.len() {
            return Ok(Some(format!(
                "there are {services} services, and status knows {}",
                used.len()
            )));
        }
        // A release that cannot run is started again and again.
        let runs = |color| {
            state
                .service(color)
                .is_none_or(|is| is.running == is.desired)
        };
        if ![
            crate::faults::state::Color::Blue,
            crate::faults::state::Color::Green,
        ]
        .into_iter()
        .all(runs)
        {
            return Ok(None);
        }
        let wanted: i64 = state.services().map(|is| is.desired).sum();
        let settled = async || Ok(i64::try_from(self.world.tasks().await?)? == wanted);
        let what = format!("{wanted} tasks run");
        let settled = self.world.until(&what, settled).await;
        Ok(settled.err().map(|error| error.to_string()))
    }
}

/// What has to be typed next for an end.
fn next(state: &State) -> Option<&'static str> {
    if state.unfinished.is_some() || state.lease.is_some() {
        return Some("resume");
    }
    state.has_drift.then_some("adopt")
}
