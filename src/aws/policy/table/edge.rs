//! What an app needs whose colours bgecs does not run: its journal, and what
//! routes users.

use super::infrastructure::JOURNAL;
use super::{ANYTHING, Grant, PolicyCondition, STACK, along, called};

/// The zone that serves the app's name.
const ZONE: &[&str] = &["arn:*:route53:::hostedzone/{zone}"];
/// Those that find the app by its stack, and look where users go.
const LOOKING: &[&str] = &[
    "init", "deploy", "promote", "rollback", "status", "retire", "destroy",
];
/// Those that move users.
const MOVING: &[&str] = &["deploy", "promote", "rollback"];

/// On the app's own record and no other name of the zone
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html>).
const ITS_NAME: PolicyCondition = PolicyCondition {
    operator: "ForAllValues:StringEquals",
    key: "route53:ChangeResourceRecordSetsNormalizedRecordNames",
    values: &["{record}"],
};

pub const EDGE_DEPLOYER: &[Grant] = &[
    Grant {
        sid: "FindTheApp",
        needs: &[called("cloudformation:DescribeStacks", LOOKING)],
        on: STACK,
        condition: None,
    },
    Grant {
        sid: "Look",
        needs: &[
            // On less than all alarms, composite ones are not told.
            called("cloudwatch:DescribeAlarms", &["promote"]),
            called("route53:GetChange", MOVING),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "LeaseAndJournal",
        needs: &[
            called("dynamodb:GetItem", LOOKING),
            called("dynamodb:UpdateItem", MOVING),
            called("dynamodb:PutItem", MOVING),
            called("dynamodb:Query", &["deploy", "retire"]),
            called("dynamodb:DeleteItem", &["deploy"]),
        ],
        on: &["arn:*:dynamodb:{region}:{account}:table/{stack}"],
        condition: None,
    },
    Grant {
        sid: "LookAtTheRecord",
        needs: &[
            called("route53:GetHostedZone", &["init", "promote", "retire"]),
            called("route53:ListResourceRecordSets", LOOKING),
        ],
        on: ZONE,
        condition: None,
    },
    Grant {
        sid: "MoveUsers",
        needs: &[called("route53:ChangeResourceRecordSets", MOVING)],
        on: ZONE,
        condition: Some(ITS_NAME),
    },
];

pub const EDGE_OPERATOR_TOO: &[Grant] = &[
    Grant {
        sid: "Stack",
        needs: &[
            called("cloudformation:CreateStack", &["init"]),
            called("cloudformation:UpdateStack", &["init"]),
            called("cloudformation:GetTemplate", &["init"]),
            called("cloudformation:DescribeStackEvents", &["init", "destroy"]),
            called("cloudformation:DeleteStack", &["destroy"]),
            along(
                "cloudformation:TagResource",
                &["cloudformation:CreateStack", "cloudformation:UpdateStack"],
            ),
        ],
        on: STACK,
        condition: None,
    },
    JOURNAL,
    Grant {
        sid: "FindTheRecord",
        needs: &[
            // By whom a record is owned is asked by its name.
            called("cloudformation:DescribeStackResources", &["init"]),
            called("elasticloadbalancing:DescribeLoadBalancers", &["init"]),
            called("elasticloadbalancing:DescribeTargetGroups", &["init"]),
            called("elasticloadbalancing:DescribeTargetHealth", &["init"]),
            called("route53:ListHostedZones", &["init"]),
        ],
        on: ANYTHING,
        condition: None,
    },
];
