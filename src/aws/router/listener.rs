//! The default actions of listeners.

use aws_sdk_elasticloadbalancingv2::types::{Action, Listener};

use super::actions::ActionsByArn;
use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::model::ListenerArn;

pub const DESCRIBE: &str = "elasticloadbalancing:DescribeListeners";
pub const MODIFY: &str = "elasticloadbalancing:ModifyListener";

/// Reads those that exist in one call; without ARNs it makes none.
pub async fn read(aws: &Aws, arns: &[&ListenerArn]) -> Result<ActionsByArn, AwsError> {
    let Some(first) = arns.first() else {
        return Ok(ActionsByArn::new());
    };
    let arns = arns.iter().map(ToString::to_string).collect();
    let answer = aws
        .elb
        .describe_listeners()
        .set_listener_arns(Some(arns))
        .send()
        .await
        .named(DESCRIBE, first.as_str())?;
    Ok(by_arn(answer.listeners()).collect())
}

/// Replaces all of them, and leaves everything else in the listener.
pub async fn modify(aws: &Aws, arn: &ListenerArn, actions: Vec<Action>) -> Result<(), AwsError> {
    aws.elb
        .modify_listener()
        .listener_arn(arn.as_str())
        .set_default_actions(Some(actions))
        .send()
        .await
        .named(MODIFY, arn.as_str())?;
    Ok(())
}

pub fn by_arn(listeners: &[Listener]) -> impl Iterator<Item = (String, Vec<Action>)> {
    listeners.iter().filter_map(|listener| {
        let arn = listener.listener_arn()?.to_owned();
        Some((arn, listener.default_actions().to_vec()))
    })
}
