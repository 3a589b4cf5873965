//! What `attach` and `detach` need in addition: the stack beside a service that existed
//! before, and of its owner's resources only room for testers.

use super::infrastructure::{CERTIFICATE, IMAGES, JOURNAL, LISTENER, LOGS, RULE, TARGET_GROUP};
use super::{ANYTHING, Grant, OWN, PolicyCondition, STACK, along, called, stack};

pub const ATTACHING: &[Grant] = &[
    Grant {
        sid: "Stack",
        needs: &[
            called("cloudformation:CreateStack", &["attach"]),
            called("cloudformation:UpdateStack", &["attach"]),
            called("cloudformation:GetTemplate", &["attach"]),
            called("cloudformation:DescribeStackEvents", &["attach", "detach"]),
            called("cloudformation:DeleteStack", &["detach"]),
            along(
                "cloudformation:TagResource",
                &["cloudformation:CreateStack", "cloudformation:UpdateStack"],
            ),
        ],
        on: STACK,
        condition: None,
    },
    Grant {
        sid: "Seen",
        needs: &[
            called("elasticloadbalancing:DescribeLoadBalancers", &["attach"]),
            called("elasticloadbalancing:DescribeTargetGroups", &["attach"]),
            called(
                "elasticloadbalancing:DescribeTargetGroupAttributes",
                &["attach"],
            ),
            stack("logs:DescribeLogGroups", LOGS),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "TestRules",
        needs: &[stack("elasticloadbalancing:CreateRule", RULE)],
        on: &["{listener}"],
        condition: None,
    },
    // The listener's other rules have their owner's tags.
    Grant {
        sid: "OwnRules",
        needs: &[
            stack("elasticloadbalancing:DeleteRule", RULE),
            stack("elasticloadbalancing:ModifyRule", RULE),
            stack("elasticloadbalancing:SetRulePriorities", RULE),
        ],
        on: &["{rules}"],
        condition: Some(OWN),
    },
    // Existing resources must not get the tag: it would make them the app's.
    Grant {
        sid: "TagWhatIsMade",
        needs: &[stack("elasticloadbalancing:AddTags", TARGET_GROUP)],
        on: &["{rules}", TARGET_GROUP_MADE],
        condition: Some(PolicyCondition {
            operator: "StringEquals",
            key: "elasticloadbalancing:CreateAction",
            values: &["CreateRule", "CreateTargetGroup"],
        }),
    },
    Grant {
        sid: "TargetGroup",
        needs: &[
            stack("elasticloadbalancing:CreateTargetGroup", TARGET_GROUP),
            stack("elasticloadbalancing:DeleteTargetGroup", TARGET_GROUP),
            stack("elasticloadbalancing:ModifyTargetGroup", TARGET_GROUP),
            stack(
                "elasticloadbalancing:ModifyTargetGroupAttributes",
                TARGET_GROUP,
            ),
        ],
        on: &[TARGET_GROUP_MADE],
        condition: None,
    },
    Grant {
        sid: "SecondColor",
        needs: &[
            called("ecs:DeleteService", &["detach"]),
            called("ecs:DeleteTaskDefinitions", &["detach"]),
        ],
        on: &[
            "arn:*:ecs:{region}:{account}:service/{cluster}/{stack}-{made}",
            "arn:*:ecs:{region}:{account}:task-definition/{stack}:*",
        ],
        condition: None,
    },
    // It outlives the stack.
    Grant {
        sid: "Repository",
        needs: &[
            stack("ecr:CreateRepository", IMAGES),
            stack("ecr:GetLifecyclePolicy", IMAGES),
            stack("ecr:GetRepositoryPolicy", IMAGES),
            stack("ecr:ListTagsForResource", IMAGES),
            stack("ecr:TagResource", IMAGES),
        ],
        on: &["arn:*:ecr:{region}:{account}:repository/{made-repository}"],
        condition: None,
    },
    Grant {
        sid: "LogGroup",
        needs: &[
            stack("logs:CreateLogGroup", LOGS),
            stack("logs:DeleteLogGroup", LOGS),
            stack("logs:DescribeIndexPolicies", LOGS),
            stack("logs:GetDataProtectionPolicy", LOGS),
            stack("logs:ListTagsForResource", LOGS),
            stack("logs:TagResource", LOGS),
        ],
        on: &[
            "arn:*:logs:{region}:{account}:log-group:{made-log-group}",
            "arn:*:logs:{region}:{account}:log-group:{made-log-group}:*",
        ],
        condition: None,
    },
    JOURNAL,
];

/// In addition, if the header is all that makes a tester.
pub const NOTHING: &[Grant] = &[];

/// If testers have a name of their own at the users' listener.
pub const NAMED_TESTERS: &[Grant] = &[
    Grant {
        sid: "SeeCertificates",
        needs: &[called(
            "elasticloadbalancing:DescribeListenerCertificates",
            &["attach"],
        )],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "Certificates",
        needs: &[called("acm:DescribeCertificate", &["attach"])],
        on: &["arn:*:acm:{region}:{account}:certificate/*"],
        condition: None,
    },
];

/// If testers have a listener of their own.
pub const OWN_LISTENER: &[Grant] = &[
    Grant {
        sid: "SeeListeners",
        needs: &[
            called(
                "elasticloadbalancing:DescribeListenerCertificates",
                &["attach"],
            ),
            stack("elasticloadbalancing:DescribeListenerAttributes", LISTENER),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "MakeListener",
        needs: &[stack("elasticloadbalancing:CreateListener", LISTENER)],
        on: &["{load-balancer}"],
        condition: None,
    },
    Grant {
        sid: "TagListener",
        needs: &[stack("elasticloadbalancing:AddTags", LISTENER)],
        on: &["{own-listeners}"],
        condition: Some(PolicyCondition {
            operator: "StringEquals",
            key: "elasticloadbalancing:CreateAction",
            values: &["CreateListener"],
        }),
    },
    Grant {
        sid: "OwnListener",
        needs: &[
            stack("elasticloadbalancing:AddListenerCertificates", CERTIFICATE),
            stack("elasticloadbalancing:CreateRule", RULE),
            stack("elasticloadbalancing:DeleteListener", LISTENER),
            stack("elasticloadbalancing:ModifyListener", LISTENER),
            stack(
                "elasticloadbalancing:RemoveListenerCertificates",
                CERTIFICATE,
            ),
        ],
        on: &["{own-listeners}"],
        condition: Some(OWN),
    },
];

const TARGET_GROUP_MADE: &str =
    "arn:*:elasticloadbalancing:{region}:{account}:targetgroup/{stack}-{made}/*";
