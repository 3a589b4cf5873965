//! The load balancer: which targets are healthy, and every way in.

mod copied;
mod entrance;
mod ways;

use aws_sdk_elasticloadbalancingv2::types::{TargetHealthDescription, TargetHealthStateEnum};
use futures_util::future::try_join_all;

use super::Aws;
use super::error::{AwsError, AwsErrorKind, Named};
use crate::model::{
    Color, EcsInfrastructure, ListenerArn, Target, TargetGroupArn, TargetState, Targets,
};

impl Aws {
    pub async fn has_listener(
        &self,
        load_balancer: &str,
        listener: &ListenerArn,
    ) -> Result<bool, AwsError> {
        match self.listeners_of(load_balancer).await {
            Ok(all) => Ok(all
                .iter()
                .any(|it| it.listener_arn() == Some(listener.as_str()))),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The health of a colour: that of its group in the worst state.
    pub async fn color_health(
        &self,
        infra: &EcsInfrastructure,
        color: Color,
    ) -> Result<Targets, AwsError> {
        let groups = infra
            .groups_of(color)
            .map(|group| self.target_health(group));
        Ok(Targets::weakest(try_join_all(groups).await?))
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
