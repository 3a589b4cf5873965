//! One swap, from its checks to what came of it.

use tokio::time::Instant;

use super::evidence::Gathered;
use super::narrator::Narrator;
use super::result::Swapped;
use super::{BASELINE, Kind, Watching};
use crate::commands::turn::Work;
use crate::driver::live::LiveWorld;
use crate::driver::swap::{self, Finished};
use crate::driver::turn::Turn;
use crate::engine::evidence::Evidence;
use crate::engine::preflight::{self, TEST_ANSWERS};
use crate::engine::seen::{Identities, Identity, Releases};
use crate::engine::swap::{Policy, Swap};
use crate::error::Result;
use crate::interrupt::Interrupts;
use crate::model::journal::{Left, Previous};
use crate::model::{Answer, Color, Observed, Port};
use crate::probe::{Address, Probe, ask_once};
use crate::report::Event;
use crate::session::Session;

/// One swap, from its checks to its report.
pub struct Attempt<'a> {
    session: &'a Session,
    kind: Kind,
    observed: Observed,
    watching: Watching,
    swap: Swap,
}

impl<'a> Attempt<'a> {
    pub fn new(
        session: &'a Session,
        kind: Kind,
        observed: Observed,
        (from, to): (Color, Color),
        watching: Watching,
    ) -> Self {
        let pace = watching.asking.schedule.pace();
        let baseline = BASELINE.max(pace * 3);
        let policy = Policy {
            baseline,
            window: watching.window,
            pace,
            needs_clean_baseline: kind == Kind::Promote && !watching.fixes_forward,
            takes_back: watching.takes_back,
            tolerates: watching.asking.tolerated(baseline, watching.window),
        };
        Self {
            session,
            kind,
            watching,
            swap: Swap::new(from, to, observed.found(), policy),
            observed,
        }
    }

    /// Checks, swaps and watches; what came of it is not told yet.
    ///
    /// # Errors
    /// An interrupt ahead of the swap (exit 130); a path that nobody can ask for
    /// (exit 2).
    pub async fn run(self, work: &mut Work<'_>) -> Result<Swapped> {
        let (from, to) = (self.swap.from, self.swap.to);
        let infra = &self.observed.infrastructure;
        let url = self
            .session
            .address(infra, Port::Prod, &self.watching.asking.path)?;
        let answers = work
            .interrupts
            .or_stop("checking", "nothing was changed", async {
                self.ask_test_port(to).await
            })
            .await?;
        let checks = preflight::checks(&self.observed, from, to, &answers);
        for check in &checks {
            self.session.report.tell(&Event::Check(check));
        }
        let evidence = Gathered {
            app: self.session.app(),
            url: &url,
            before: &self.observed,
            operation: work.turn.operation(),
        };
        if checks.iter().any(|check| !check.ok) {
            let swapped = Swapped::not_ready(self.kind, &self.observed, &self.swap, checks);
            self.write_report(|| evidence.of(&swapped, &self.swap, None));
            return Ok(swapped);
        }
        let identities = self.identities(from, to).await?;
        let mut finished = self
            .swap_under_probe(&url, identities, work.turn, work.interrupts)
            .await?;
        // The last word is what the load balancer says, not what was meant.
        let now = work.observe_again(&self.observed).await;
        if let Ok(now) = &now {
            finished.swap.look_again(now.live());
            work.turn.saw(now);
            if finished.swap.was_taken_back()
                && let Some(release) = now.deployed(to)
            {
                let left = Left::TakenBack;
                work.turn.came_off(Previous { release, left }, now);
            }
        }
        let traffic = now.as_ref().map_or_else(
            |_| "port 80 -> unknown: the listeners cannot be read".to_owned(),
            Observed::traffic,
        );
        let swapped = Swapped::new(
            self.kind,
            &self.observed,
            &finished,
            checks,
            self.watching.asking.schedule.rate,
            traffic,
        );
        self.write_report(|| evidence.of(&swapped, &finished.swap, Some(&finished.seen)));
        Ok(swapped)
    }

    fn write_report(&self, evidence: impl FnOnce() -> Evidence) {
        let asking = &self.watching.asking;
        asking.write_report(&self.session.report, evidence);
    }

    async fn ask_test_port(&self, color: Color) -> Result<Vec<Answer>> {
        let (infra, path) = (
            &self.observed.infrastructure,
            &self.session.config.container.health_path,
        );
        let mut answers = Vec::new();
        for _ in 0..TEST_ANSWERS {
            let answer = self.session.ask(infra, Port::Test, path, Some(color));
            answers.push(Answer::clone(&*answer.await?));
        }
        Ok(answers)
    }

    /// What each colour answers to the probe's own question, so that its
    /// answers can be told apart later.
    async fn identities(&self, from: Color, to: Color) -> Result<Identities> {
        let (old, new) = tokio::try_join!(self.identity(from), self.identity(to))?;
        Ok(Identities { old, new })
    }

    async fn identity(&self, color: Color) -> Result<Identity> {
        let asking = &self.watching.asking;
        let address = self
            .session
            .address(&self.observed.infrastructure, Port::Test, &asking.path)?
            .asking_for(color);
        let asked = ask_once(&address, &asking.question, asking.timeout).await;
        let tag = self.observed.color(color).tag().map(ToString::to_string);
        let (release, body) = match &*asked.answer {
            Answer::Http { release, body, .. } => (release.clone(), Some(body.clone())),
            Answer::Nothing { .. } => (None, None),
        };
        Ok(Identity {
            name: self.observed.named(color),
            release: release.or(tag),
            body,
        })
    }

    async fn swap_under_probe(
        &self,
        address: &Address,
        identities: Identities,
        turn: &Turn,
        interrupts: &mut Interrupts,
    ) -> Result<Finished> {
        let session = self.session;
        let asking = &self.watching.asking;
        let client = asking.client(address)?;
        let origin = Instant::now();
        session.report.tell(&Event::Note(format!(
            "probing {address} {} times a second",
            asking.schedule.rate
        )));
        let mut probe = Probe::start(
            client,
            address,
            asking.schedule,
            asking.connections,
            origin.into_std(),
        )
        .await;
        let world = LiveWorld {
            aws: &session.aws,
            observed: &self.observed,
            turn,
        };
        let mut narrator = Narrator::new(session, &self.swap);
        let finished = swap::run(
            &world,
            self.swap.clone(),
            Releases::Two(identities),
            &mut probe,
            interrupts,
            origin,
            &mut |notice| narrator.take(&notice),
        )
        .await;
        narrator.end();
        Ok(finished)
    }
}
