//! The load balancer: what its listeners do, and which targets are healthy.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, TargetHealthDescription, TargetHealthStateEnum,
};

use super::Aws;
use super::error::{AwsError, Named};
use crate::model::{
    Forward, Forwarding, Infrastructure, ListenerArn, PerPort, Target, TargetGroupArn, TargetState,
    Targets,
};

impl Aws {
    /// Reads both listeners in one call.
    pub async fn read_listeners(
        &self,
        infra: &Infrastructure,
    ) -> Result<PerPort<Forwarding>, AwsError> {
        let arns = &infra.listeners;
        let answer = self
            .elb
            .describe_listeners()
            .listener_arns(arns.prod.as_str())
            .listener_arns(arns.test.as_str())
            .send()
            .await
            .named("elasticloadbalancing:DescribeListeners", arns.prod.as_str())?;
        let of = |arn: &ListenerArn| {
            answer
                .listeners()
                .iter()
                .find(|listener| listener.listener_arn() == Some(arn.as_str()))
                .map(|listener| forwarding(infra, listener.default_actions()))
                .unwrap_or_default()
        };
        Ok(PerPort {
            prod: of(&arns.prod),
            test: of(&arns.test),
        })
    }

    /// Modifies the listener in place: deleting and creating one propagates
    /// separately and answers 503 in between.
    pub async fn point_listener_at(
        &self,
        listener: &ListenerArn,
        target_group: &TargetGroupArn,
    ) -> Result<(), AwsError> {
        let forward = Action::builder()
            .r#type(ActionTypeEnum::Forward)
            .target_group_arn(target_group.as_str())
            .build();
        self.elb
            .modify_listener()
            .listener_arn(listener.as_str())
            .default_actions(forward)
            .send()
            .await
            .named("elasticloadbalancing:ModifyListener", listener.as_str())?;
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

fn forwarding(infra: &Infrastructure, actions: &[Action]) -> Forwarding {
    let forward = |arn: &str, weight| Forward {
        color: infra.color_of(arn),
        target_group: TargetGroupArn::new(arn),
        weight,
    };
    let Some(action) = actions
        .iter()
        .find(|action| action.r#type() == Some(&ActionTypeEnum::Forward))
    else {
        return Forwarding::default();
    };
    // AWS answers a simple forward in both forms: the configuration is the
    // whole of it, the ARN alone is what an emulator may give.
    let groups = action
        .forward_config()
        .map(aws_sdk_elasticloadbalancingv2::types::ForwardActionConfig::target_groups)
        .unwrap_or_default();
    let forwards: Vec<Forward> = groups
        .iter()
        .filter_map(|group| {
            Some(forward(
                group.target_group_arn()?,
                group.weight().unwrap_or(1),
            ))
        })
        .collect();
    if forwards.is_empty() {
        return Forwarding(
            action
                .target_group_arn()
                .map(|arn| forward(arn, 1))
                .into_iter()
                .collect(),
        );
    }
    Forwarding(forwards)
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
