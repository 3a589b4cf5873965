//! How production is watched while listeners change, and what the journal keeps of that.

use std::time::Duration;

use super::asking::{self, Asking};
use super::attempt::SwapKind;
use super::turn::Turn;
use crate::config;
use crate::engine::hook_task::HookTaskOrder;
use crate::engine::plan::{self, Step};
use crate::model::journal::Operation;
use crate::model::{Color, Observed, Steps, Strategy};

/// How production is watched while listeners change.
#[derive(Debug, Clone)]
pub struct Watching {
    pub asking: Asking,
    /// The steps by which users move; None moves all at once.
    pub steps: Steps,
    /// Whether the new release is meant to fix a failing production: then it is judged
    /// like a way back.
    pub fixes_forward: bool,
    /// Whether not to wait for added tasks.
    pub is_hurried: bool,
    /// Whether production is not probed: only target health and alarms judge.
    pub is_blind: bool,
    /// What a person orders for `before_shift`, if that is a task.
    pub before_shift: Option<HookTaskOrder>,
}

impl Watching {
    pub fn new(asking: Asking) -> Self {
        Self {
            fixes_forward: false,
            is_hurried: false,
            is_blind: false,
            before_shift: None,
            steps: Steps::default(),
            asking,
        }
    }

    /// How long the new release is watched.
    pub fn window(&self) -> Duration {
        self.asking.asked().window
    }

    /// How long production is watched after an operation is taken back: a longer window
    /// that was requested for a new release does not apply to the old one, unless the
    /// person who takes it back asks for it with a flag.
    pub fn window_back(&self, operation: &Operation, config: &config::ProbeSection) -> Duration {
        let asked = operation.asked.as_ref().map(|asked| asked.window);
        match asked == Some(self.window()) {
            true => self.window().min(config.window),
            false => self.window(),
        }
    }

    /// Whether a failed swap is taken back.
    pub fn takes_back(&self) -> bool {
        !self.asking.asked().no_rollback
    }

    /// With the settings of an operation that someone else began.
    pub fn of_operation(operation: &Operation, config: &config::ProbeSection) -> Self {
        Self {
            is_blind: operation.blind,
            ..Self::new(Asking::new(
                asking::base(Some(operation), config),
                Vec::new(),
            ))
        }
    }

    /// Whether an alarm stops it. On the way back alarms are ignored: that may be what
    /// silences them.
    pub fn heeds_alarms(&self, kind: SwapKind, shift: &config::ShiftSection) -> bool {
        kind == SwapKind::Promote && !self.fixes_forward && !shift.alarms.is_empty()
    }

    /// What cannot be judged without the probe, although the file asks for it.
    pub fn unjudged(&self) -> Option<String> {
        let limits = &self.asking.asked().max_latency;
        (self.is_blind && !limits.is_empty()).then(|| {
            format!(
                "production is not probed, so nothing shows how slow the new release is: [shift] max_latency, {}, is not judged",
                limits.join(", ")
            )
        })
    }

    /// Writes it to the journal, for whoever continues the operation.
    pub fn remember(&self, turn: &Turn, strategy: &Strategy) {
        let asked = self.asking.asked().clone();
        turn.describe(|operation| {
            operation.asked = Some(asked);
            operation.blind = self.is_blind;
            operation.strategy = Some(strategy.clone());
        });
    }

    /// How traffic moves to that colour from where it is now.
    pub fn strategy(&self, observed: &Observed, to: Color) -> Strategy {
        plan::strategy(observed, to, &self.steps, self.window())
    }

    /// As a plan's step.
    pub fn step(&self, observed: &Observed, to: Color, heeds_alarms: bool) -> Step {
        if self.is_blind {
            return Step::WatchBlind {
                color: to,
                heeds_alarms,
                seconds: self.window().as_secs_f64(),
                takes_back: self.takes_back(),
            };
        }
        Step::Probe {
            production: observed.endpoints().production.clone(),
            rate: self.asking.schedule.rate,
            seconds: self.window().as_secs_f64(),
            takes_back: self.takes_back(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::asking::of_file;
    use crate::model::journal::Asked;
    use crate::model::testing::operation;

    #[test]
    fn the_way_back_is_not_watched_for_as_long_as_a_new_release() {
        let config = config::ProbeSection::default();
        let seconds = Duration::from_secs;
        let operation = Operation {
            asked: Some(asked_for(&config, seconds(900))),
            ..operation()
        };
        let back = |watching: &Watching| watching.window_back(&operation, &config);
        let watching = Watching::of_operation(&operation, &config);
        assert_eq!(watching.window(), seconds(900));
        assert_eq!(back(&watching), config.window);

        let told = |time| Watching::new(Asking::new(asked_for(&config, time), Vec::new()));
        assert_eq!(back(&told(seconds(60))), seconds(60));
        assert_eq!(back(&told(Duration::ZERO)), Duration::ZERO);
    }

    #[test]
    fn what_began_blind_goes_on_blind_and_says_what_it_cannot_judge() {
        let config = config::ProbeSection::default();
        let begun = Operation {
            blind: true,
            asked: Some(Asked {
                max_latency: vec!["p99=400ms".to_owned()],
                ..of_file(&config)
            }),
            ..operation()
        };
        let watching = Watching::of_operation(&begun, &config);
        assert!(watching.is_blind);
        let unjudged = watching.unjudged().unwrap();
        assert!(unjudged.contains("p99=400ms, is not judged"), "{unjudged}");
        let seeing = Watching {
            is_blind: false,
            ..watching
        };
        assert_eq!(seeing.unjudged(), None);
        assert!(!Watching::of_operation(&operation(), &config).is_blind);
    }

    fn asked_for(config: &config::ProbeSection, window: Duration) -> Asked {
        let asked = of_file(config);
        Asked { window, ..asked }
    }
}
