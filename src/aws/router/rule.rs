//! The actions of single rules, on a load balancer that several apps share.
//!
//! A write does not mention conditions or transforms: "Replaces the specified properties
//! of the specified rule. Any properties that you do not specify are unchanged"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyRule.html>).

use aws_sdk_elasticloadbalancingv2::types::{Action, Rule};

use super::actions::ActionsByArn;
use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::model::RuleArn;

pub const DESCRIBE: &str = "elasticloadbalancing:DescribeRules";
pub const MODIFY: &str = "elasticloadbalancing:ModifyRule";

/// Reads those that exist in one call; without ARNs it makes none.
pub async fn read(aws: &Aws, arns: &[&RuleArn]) -> Result<ActionsByArn, AwsError> {
    let Some(first) = arns.first() else {
        return Ok(ActionsByArn::new());
    };
    let arns = arns.iter().map(ToString::to_string).collect();
    let answer = aws
        .elb
        .describe_rules()
        .set_rule_arns(Some(arns))
        .send()
        .await
        .named(DESCRIBE, first.as_str())?;
    Ok(by_arn(answer.rules()).collect())
}

/// Replaces all of them, and leaves everything else in the rule.
pub async fn modify(aws: &Aws, arn: &RuleArn, actions: Vec<Action>) -> Result<(), AwsError> {
    aws.elb
        .modify_rule()
        .rule_arn(arn.as_str())
        .set_actions(Some(actions))
        .send()
        .await
        .named(MODIFY, arn.as_str())?;
    Ok(())
}

pub fn by_arn(rules: &[Rule]) -> impl Iterator<Item = (String, Vec<Action>)> {
    rules.iter().filter_map(|rule| {
        let arn = rule.rule_arn()?.to_owned();
        Some((arn, rule.actions().to_vec()))
    })
}

#[cfg(test)]
mod tests;
