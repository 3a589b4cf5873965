//! What is needed to watch a service that anybody made.

use super::{ANYTHING, Grant, called};

const WATCH: &[&str] = &["watch"];

pub const WATCHER: &[Grant] = &[
    Grant {
        sid: "FindTheService",
        needs: &[called("ecs:DescribeServices", WATCH)],
        on: &["arn:*:ecs:{region}:{account}:service/{cluster}/{service}"],
        condition: None,
    },
    Grant {
        sid: "FindItsUsers",
        needs: &[
            called("elasticloadbalancing:DescribeListeners", WATCH),
            called("elasticloadbalancing:DescribeLoadBalancers", WATCH),
            called("elasticloadbalancing:DescribeRules", WATCH),
            called("elasticloadbalancing:DescribeTargetGroups", WATCH),
        ],
        on: ANYTHING,
        condition: None,
    },
];
