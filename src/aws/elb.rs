//! The load balancer: what its listeners do, and which targets are healthy.

mod actions;
mod ways;

use aws_sdk_elasticloadbalancingv2::types::{
    Listener, TargetHealthDescription, TargetHealthStateEnum,
};

use super::Aws;
use super::error::{AwsError, Kind, Named};
use crate::model::{
    Found, Infrastructure, ListenerArn, Move, PerRoute, Target, TargetGroupArn, TargetState,
    Targets,
};
use actions::{aimed_at, found};

pub(super) use actions::LastRead;

const MODIFY_LISTENER: &str = "elasticloadbalancing:ModifyListener";

impl Aws {
    /// Reads both listeners in one call.
    pub async fn read_listeners(
        &self,
        infra: &Infrastructure,
    ) -> Result<PerRoute<Found>, AwsError> {
        let arns = &infra.listeners;
        let answer = self
            .elb
            .describe_listeners()
            .listener_arns(arns.production.as_str())
            .listener_arns(arns.test.as_str())
            .send()
            .await
            .named(
                "elasticloadbalancing:DescribeListeners",
                arns.production.as_str(),
            )?;
        self.understand(infra, answer.listeners())
    }

    /// What both do; and how they do it is kept for the next write.
    fn understand(
        &self,
        infra: &Infrastructure,
        listeners: &[Listener],
    ) -> Result<PerRoute<Found>, AwsError> {
        let of = |arn: &ListenerArn| {
            let listener = listeners
                .iter()
                .find(|listener| listener.listener_arn() == Some(arn.as_str()))
                .ok_or_else(|| AwsError {
                    kind: Kind::NotFound,
                    ..AwsError::unusable(
                        "elasticloadbalancing:DescribeListeners",
                        arn.as_str(),
                        "the load balancer has no such listener any more",
                    )
                })?;
            self.last_read
                .keep(arn.as_str(), listener.default_actions());
            Ok(found(infra, listener.default_actions()))
        };
        Ok(PerRoute {
            production: of(&infra.listeners.production)?,
            test: of(&infra.listeners.test)?,
        })
    }

    /// Has a listener forward as the move has it, and leaves all else of it as it
    /// was when it was last read. It is modified in place: deleting and creating
    /// one propagates separately and answers 503 in between.
    pub async fn apply(&self, infra: &Infrastructure, it: Move) -> Result<(), AwsError> {
        let Move { route, to, .. } = it;
        let listener = infra.listener(route);
        let actions = match self.last_read.of(listener) {
            Some(actions) => actions,
            None => {
                self.read_listeners(infra).await?;
                self.last_read.of(listener).unwrap_or_default()
            }
        };
        let aimed = aimed_at(infra, &actions, to);
        let actions = aimed.map_err(|what| {
            AwsError::unusable(
                MODIFY_LISTENER,
                listener.as_str(),
                format!("{route} {what}"),
            )
        })?;
        self.elb
            .modify_listener()
            .listener_arn(listener.as_str())
            .set_default_actions(Some(actions))
            .send()
            .await
            .named(MODIFY_LISTENER, listener.as_str())?;
        Ok(())
    }

    pub async fn target_health(&self, group: &TargetGroupArn) -> Result<Targets, AwsError> {
        let answer = self
            .elb
            .describe_target_health()
            .target_group_arn(group.as_str())
            .send()
            .await
            .named("elasticloadbalancing:DescribeTargetHealth", group.as_str())?;
        let targets = answer.target_health_descriptions().iter().map(target);
        Ok(Targets(targets.collect()))
    }
}

fn target(description: &TargetHealthDescription) -> Target {
    let health = description.target_health();
    Target {
        id: description
            .target()
            .and_then(|target| target.id())
            .unwrap_or_default()
            .to_owned(),
        state: match health.and_then(|health| health.state()) {
            Some(TargetHealthStateEnum::Healthy) => TargetState::Healthy,
            Some(TargetHealthStateEnum::Initial) => TargetState::Initial,
            Some(TargetHealthStateEnum::Unhealthy) => TargetState::Unhealthy,
            Some(TargetHealthStateEnum::Unused) => TargetState::Unused,
            Some(TargetHealthStateEnum::Draining | TargetHealthStateEnum::UnhealthyDraining) => {
                TargetState::Draining
            }
            _ => TargetState::Unavailable,
        },
        reason: health
            .and_then(|health| health.reason())
            .map(|reason| reason.as_str().to_owned()),
        description: health
            .and_then(|health| health.description())
            .map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
