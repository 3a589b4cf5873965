//! A service that is scaled while users go over to its next release.

use std::cell::Cell;
use std::time::Duration;

use localstack::gate::autoscaling::Autoscaling as Alarms;
use localstack::gate::upstream::Upstream;
use serde_json::json;
use tokio::time::sleep;

use super::stage::Stage;
use crate::Result;
use crate::autoscaling::{Autoscaling, Target};
use crate::json::expect;

const CLUSTER: &str = "bgecs-hello";
const LIVE: &str = "blue";
const NEXT: &str = "green";
/// What is live has as many; its policies may want fewer, and more.
const TASKS: i64 = 2;
const MOST: i64 = 3;
const PACE: Duration = Duration::from_millis(50);
/// How often an alarm rings that no policy may follow.
const RINGS: usize = 20;

pub async fn neither_colour_loses_a_task_to_a_policy(stage: &Stage<'_>) -> Result<String> {
    let api = Upstream::new(stage.endpoint.trim_start_matches("http://"), "test");
    let alarms = stage.gate.and_then(|gate| gate.autoscaling());
    let owner = Owner {
        autoscaling: Autoscaling::of(api.clone(), CLUSTER),
        alarms: alarms.ok_or("there is no gate")?,
        api,
    };
    owner.autoscaling.scale(LIVE, owners()).await?;
    let deploy = ["deploy", "./sample-app/v1", "--tag", "scaled"];
    stage.bgecs.run(&deploy).await?.expect_code(0)?;
    let is_over = Cell::new(false);
    let promoting = async {
        let swapped = stage
            .swap_unnoticed(&["promote", "--window", "3s", "--json"])
            .await;
        is_over.set(true);
        swapped
    };
    let (swapped, followed) = tokio::join!(promoting, owner.follow(&is_over));
    let ((_, sent), looks) = (swapped?, followed?);
    owner.expect_roles(NEXT, LIVE).await?;

    stage.bgecs.run(&["retire"]).await?.expect_code(0)?;
    owner.wake(LIVE).await?;
    expect(&stage.status().await?, &["colors", LIVE, "desired"], 0)?;
    expect(&stage.status().await?, &["colors", LIVE, "running"], 0)?;
    let deploy = ["deploy", "./sample-app/v2", "--tag", "woken"];
    stage.bgecs.run(&deploy).await?.expect_code(0)?;
    let promote = ["promote", "--window", "1s"];
    stage.bgecs.run(&promote).await?.expect_code(0)?;
    owner.expect_roles(LIVE, NEXT).await?;
    Ok(format!(
        "policies that want fewer tasks take none of either colour, and what is retired is not woken: \
         {looks} looks at their counts, {sent} requests of an onlooker, none failed"
    ))
}

fn owners() -> Target {
    Target::between(1, MOST)
}

fn path(service: &str) -> String {
    format!("{CLUSTER}/{service}")
}

/// Of the app, whose policies want what they want.
struct Owner<'a> {
    autoscaling: Autoscaling,
    alarms: &'a Alarms,
    api: Upstream,
}

/// Of one colour, while neither may lose a task.
#[derive(Default)]
struct Followed {
    least: Option<i64>,
    most: i64,
}

impl Followed {
    /// From when on it has what users need.
    fn saw(&mut self, running: i64) {
        self.most = self.most.max(running);
        if self.most >= TASKS {
            let least = self.least.map_or(running, |least| least.min(running));
            self.least = Some(least);
        }
    }

    fn expect(&self, color: &str) -> Result<()> {
        let Self { least, most } = self;
        match (*least, *most) {
            (Some(least), MOST) if least >= TASKS => Ok(()),
            _ => Err(
                format!("{color} ran {least:?} tasks at the least, and {most} at the most").into(),
            ),
        }
    }
}

impl Owner<'_> {
    /// From when on live tasks are not to be taken away until that has changed: the live
    /// colour's policies want one fewer and one more all the time, the other one's one more.
    /// That one's want no fewer here: once users have come to it, they may have them, and the
    /// emulator stops a task without letting go of its users first. Gives how often it was
    /// looked.
    async fn follow(&self, is_over: &Cell<bool>) -> Result<usize> {
        let mut seen = [LIVE, NEXT].map(|color| (color, Followed::default()));
        let (mut looks, mut is_ready) = (0, false);
        while !is_over.get() {
            if self.is_held().await? {
                self.alarms.ring(&path(LIVE), -1).await?;
                for color in [LIVE, NEXT] {
                    self.alarms.ring(&path(color), 1).await?;
                }
                is_ready |= self.is_ready().await?;
                let counts = [self.running(LIVE).await?, self.running(NEXT).await?];
                if self.is_held().await? {
                    looks += 1;
                    for ((_, followed), count) in seen.iter_mut().zip(counts) {
                        followed.saw(count);
                    }
                }
            }
            sleep(PACE).await;
        }
        for (color, followed) in &seen {
            followed.expect(color)?;
        }
        match is_ready {
            true => Ok(looks),
            false => Err(format!("nothing kept a policy from taking tasks of {NEXT}").into()),
        }
    }

    /// Whether no policy may take one of the tasks that users are to come to.
    async fn is_ready(&self) -> Result<bool> {
        let target = self.autoscaling.target(NEXT).await?;
        Ok(target.is_some_and(|it| it.least >= TASKS && it.suspended == [true, false, true]))
    }

    async fn is_held(&self) -> Result<bool> {
        let target = self.autoscaling.target(LIVE).await?;
        Ok(target.is_some_and(|it| it.suspended == [true, false, false]))
    }

    async fn running(&self, service: &str) -> Result<i64> {
        let asked = json!({ "cluster": CLUSTER, "services": [service] });
        let told = self.api.ecs("DescribeServices", &asked).await?;
        let running = told["services"][0]["runningCount"].as_i64();
        Ok(running.ok_or_else(|| format!("{service} has no count"))?)
    }

    /// By all that could.
    async fn wake(&self, service: &str) -> Result<()> {
        self.autoscaling.register_again(service).await?;
        for _ in 0..RINGS {
            self.alarms.ring(&path(service), 1).await?;
        }
        Ok(())
    }

    async fn expect_roles(&self, live: &str, idle: &str) -> Result<()> {
        let of = async |color| self.autoscaling.target(color).await;
        let found = (of(live).await?, of(idle).await?);
        match found == (Some(owners()), Some(owners().at_rest())) {
            true => Ok(()),
            false => Err(format!("{live} is live, and the two are scaled so: {found:?}").into()),
        }
    }
}
