//! What is needed to read a service that anybody made, with all its settings.

use super::{ANYTHING, Grant, called};

const IMPORT: &[&str] = &["import"];

pub const IMPORTER: &[Grant] = &[
    Grant {
        sid: "ReadTheService",
        needs: &[called("ecs:DescribeServices", IMPORT)],
        on: &["arn:*:ecs:{region}:{account}:service/{cluster}/{service}"],
        condition: None,
    },
    Grant {
        sid: "ReadWhatItRunsAndItsUsersWays",
        needs: &[
            called("application-autoscaling:DescribeScalableTargets", IMPORT),
            called("application-autoscaling:DescribeScalingPolicies", IMPORT),
            called("ecs:DescribeTaskDefinition", IMPORT),
            called("elasticloadbalancing:DescribeListeners", IMPORT),
            called("elasticloadbalancing:DescribeLoadBalancers", IMPORT),
            called("elasticloadbalancing:DescribeRules", IMPORT),
            called("elasticloadbalancing:DescribeTargetGroups", IMPORT),
        ],
        on: ANYTHING,
        condition: None,
    },
];
