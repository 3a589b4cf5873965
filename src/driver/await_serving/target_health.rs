//! The target health that a wait relies on: read at most once a second, and cached in
//! between.

use std::time::Duration;

use tokio::time::Instant;

use crate::aws::{Aws, AwsError};
use crate::model::{Color, EcsInfrastructure, Targets};

/// How long a reading is used.
const USED_FOR: Duration = Duration::from_secs(1);

/// A colour's targets, and the last reading of them.
#[derive(Debug)]
pub struct TargetHealth<'a> {
    aws: &'a Aws,
    infra: &'a EcsInfrastructure,
    color: Color,
    last: TargetReading,
}

#[derive(Debug)]
struct TargetReading {
    targets: Targets,
    at: Instant,
    has_rolled_out: bool,
}

impl<'a> TargetHealth<'a> {
    /// `known` was read before the wait and serves as its first reading: another call so
    /// soon would be held back, and its answer would come too early to be of use.
    pub fn of(aws: &'a Aws, infra: &'a EcsInfrastructure, color: Color, known: Targets) -> Self {
        let last = TargetReading {
            targets: known,
            at: Instant::now(),
            has_rolled_out: false,
        };
        Self {
            aws,
            infra,
            color,
            last,
        }
    }

    /// The cached reading, or a new one. A reading from before the service had rolled out
    /// says nothing about its current tasks, so those are read anew, which the call
    /// budget may delay by up to a second.
    pub async fn read(&mut self, has_rolled_out: bool) -> Result<Targets, AwsError> {
        let last = &self.last;
        if last.has_rolled_out == has_rolled_out && last.at.elapsed() < USED_FOR {
            return Ok(last.targets.clone());
        }
        let targets = self.aws.color_health(self.infra, self.color).await?;
        self.last = TargetReading {
            targets: targets.clone(),
            at: Instant::now(),
            has_rolled_out,
        };
        Ok(targets)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;
    use crate::aws::testing::{Reply, Wire};
    use crate::model::testing::infrastructure;
    use crate::model::{Target, TargetState};

    fn targets(states: &[&str]) -> Reply {
        let member = |state| {
            format!(
                "<member><Target><Id>10.0.0.1</Id></Target><TargetHealth><State>{state}</State></TargetHealth></member>"
            )
        };
        let members: String = states.iter().map(member).collect();
        Reply::xml(
            "DescribeTargetHealth",
            &format!("<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_is_used_for_a_second_and_never_across_the_roll_out() {
        let answers = [&["healthy"; 1][..], &["healthy"; 2], &["healthy"; 3]];
        let wire = answers.iter().fold(Wire::new(), |wire, states| {
            wire.on("DescribeTargetHealth", targets(states))
        });
        let (aws, infra) = (wire.aws(), infrastructure());
        let mut health = TargetHealth::of(&aws, &infra, Color::Blue, Targets::default());
        let began = Instant::now();
        // The pause in milliseconds, whether it has rolled out, and what is read when.
        for (pause, has_rolled_out, expected, at) in [
            (300, false, 0, 300),
            (700, false, 1, 1000),
            (300, false, 1, 1300),
            (300, true, 2, 2000),
            (100, true, 2, 2100),
            (800, true, 2, 2900),
            (150, true, 3, 3050),
        ] {
            sleep(Duration::from_millis(pause)).await;
            let read = health.read(has_rolled_out).await.unwrap();
            assert_eq!(read.healthy(), expected, "at {at} ms");
            assert_eq!(began.elapsed(), Duration::from_millis(at));
        }
        wire.assert_used_up();
    }

    #[tokio::test]
    async fn what_was_known_ahead_says_nothing_of_what_has_rolled_out() {
        let wire = Wire::new().on("DescribeTargetHealth", targets(&["unhealthy"]));
        let (aws, infra) = (wire.aws(), infrastructure());
        let known = Targets(vec![Target {
            id: "10.0.0.1".to_owned(),
            state: TargetState::Healthy,
            reason: None,
            description: None,
        }]);
        let mut health = TargetHealth::of(&aws, &infra, Color::Blue, known);
        assert_eq!(health.read(false).await.unwrap().healthy(), 1);
        assert_eq!(health.read(true).await.unwrap().healthy(), 0);
    }
}
