//! What releases need, from looking at what is live to the last step.

use super::{
    ANYTHING, Grant, LOG_GROUP, OWN, PolicyCondition, REPOSITORY, ROLES, STACK, along, called,
    registry,
};

/// The commands that find the app by its stack.
const ALL: &[&str] = &[
    "init", "deploy", "promote", "rollback", "status", "probe", "retire", "logs", "destroy",
    "resume", "history", "adopt", "unlock", "attach", "detach", "run",
];
/// The commands that read both colours and both listeners.
const LOOKING: &[&str] = &[
    "init", "deploy", "promote", "rollback", "status", "retire", "logs", "resume", "adopt",
    "attach", "detach", "run",
];
/// The commands that must know by which ways users come in.
const WAYS: &[&str] = &[
    "init", "deploy", "promote", "rollback", "status", "retire", "logs", "resume", "adopt",
    "destroy", "attach", "detach", "run",
];
/// The commands that read the journal without the lease; those that meet a lease; and
/// those that check whether a task has run for a release.
const READING: &[&str] = &[
    "init", "status", "logs", "history", "unlock", "deploy", "resume", "destroy", "attach",
    "detach", "run", "promote",
];
/// The commands that take the lease.
const CHANGING: &[&str] = &[
    "init", "deploy", "promote", "rollback", "retire", "destroy", "resume", "adopt", "unlock",
    "attach", "detach",
];
/// The commands that leave something in the history.
const REMEMBERED: &[&str] = &["init", "deploy", "promote", "rollback", "retire", "resume"];
/// The commands that point a listener.
const MOVING: &[&str] = &["deploy", "promote", "rollback", "resume"];
/// The commands that leave the load balancer a target group without targets.
const EMPTYING: &[&str] = &["retire", "attach", "detach"];
/// The commands that make a release live which alarms may watch.
const WATCHING: &[&str] = &["promote", "resume"];
/// The commands that run a task: `before_shift` may be one.
const RUNNING: &[&str] = &["run", "promote", "deploy"];
/// The commands that read what scales the two services.
const COMPARING: &[&str] = &[
    "promote", "status", "rollback", "retire", "resume", "destroy", "detach", "adopt",
];
/// The commands that copy a colour's scaling to the other one.
const MIRRORING: &[&str] = &["promote"];
/// The commands after which another colour is scaled, or none.
const SCALING: &[&str] = &["promote", "rollback", "retire", "resume", "adopt"];
/// The commands that wait until a colour serves.
const WAITING: &[&str] = &["deploy", "promote", "rollback"];

pub const DEPLOYER: &[Grant] = &[
    Grant {
        sid: "FindTheApp",
        needs: &[called("cloudformation:DescribeStacks", ALL)],
        on: STACK,
        condition: None,
    },
    Grant {
        sid: "Look",
        needs: &[
            // What scales a colour is copied to its twin:
            called("application-autoscaling:DescribeScalableTargets", COMPARING),
            // by which metrics,
            called("application-autoscaling:DescribeScalingPolicies", COMPARING),
            // and when.
            called(
                "application-autoscaling:DescribeScheduledActions",
                MIRRORING,
            ),
            // A policy for fewer than all alarms would hide composite ones.
            called("cloudwatch:DescribeAlarms", WATCHING),
            called("ecr:GetAuthorizationToken", &["deploy"]),
            called("ecs:DescribeTaskDefinition", LOOKING),
            called("elasticloadbalancing:DescribeListeners", WAYS),
            // A rule may lead users to a colour.
            called("elasticloadbalancing:DescribeRules", WAYS),
            called("elasticloadbalancing:DescribeTargetHealth", LOOKING),
            // A record may depend on the load balancer's health.
            called("route53:ListHostedZones", EMPTYING),
            called("route53:ListResourceRecordSets", EMPTYING),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "LeaseAndJournal",
        needs: &[
            called("dynamodb:GetItem", READING),
            called("dynamodb:UpdateItem", CHANGING),
            called("dynamodb:PutItem", REMEMBERED),
            called("dynamodb:Query", &["history", "deploy"]),
            called("dynamodb:DeleteItem", &["deploy"]),
        ],
        on: &["arn:*:dynamodb:{region}:{account}:table/{stack}"],
        condition: None,
    },
    Grant {
        sid: "ListTasks",
        needs: &[called(
            "ecs:ListTasks",
            &["deploy", "promote", "rollback", "destroy"],
        )],
        on: ANYTHING,
        // Every call that bgecs makes names a cluster.
        condition: Some(PolicyCondition {
            operator: "ArnLikeIfExists",
            key: "ecs:cluster",
            values: &["arn:*:ecs:{region}:{account}:cluster/{cluster}"],
        }),
    },
    Grant {
        sid: "Release",
        needs: &[
            called(
                "ecs:DescribeServices",
                &[
                    "init", "deploy", "promote", "rollback", "status", "retire", "logs", "destroy",
                    "resume", "adopt", "attach", "detach", "run",
                ],
            ),
            called(
                "ecs:DescribeTasks",
                &["deploy", "promote", "rollback", "destroy", "run"],
            ),
            called("ecs:RunTask", RUNNING),
            called("ecs:StopTask", &["run", "promote"]),
            called("ecs:CreateService", &["deploy"]),
            called(
                "ecs:UpdateService",
                &["deploy", "promote", "rollback", "retire"],
            ),
            along(
                "ecs:TagResource",
                &["ecs:CreateService", "ecs:RegisterTaskDefinition"],
            ),
        ],
        on: &[
            "arn:*:ecs:{region}:{account}:service/{cluster}/{service}",
            "arn:*:ecs:{region}:{account}:task/{cluster}/*",
            "arn:*:ecs:{region}:{account}:task-definition/{stack}:*",
        ],
        condition: None,
    },
    // AWS chooses a target's ARN.
    Grant {
        sid: "Scale",
        needs: &[
            called("application-autoscaling:RegisterScalableTarget", SCALING),
            called("application-autoscaling:PutScalingPolicy", MIRRORING),
            called("application-autoscaling:PutScheduledAction", MIRRORING),
            called(
                "application-autoscaling:DeregisterScalableTarget",
                &["destroy", "detach"],
            ),
        ],
        on: ANYTHING,
        condition: Some(PolicyCondition {
            operator: "StringEqualsIfExists",
            key: "application-autoscaling:service-namespace",
            values: &["ecs"],
        }),
    },
    Grant {
        sid: "ScaleByAlarms",
        needs: &[
            along(
                "cloudwatch:PutMetricAlarm",
                &["application-autoscaling:PutScalingPolicy"],
            ),
            along(
                "cloudwatch:DeleteAlarms",
                &["application-autoscaling:DeregisterScalableTarget"],
            ),
        ],
        // The alarms that Application Auto Scaling makes for the policies of a service.
        on: &[
            "arn:*:cloudwatch:{region}:{account}:alarm:TargetTracking-service/{cluster}/{service}-*",
        ],
        condition: None,
    },
    // Revisions that a deploy registered but gave to no service, because it was killed,
    // interrupted or refused.
    Grant {
        sid: "ForgetRevisions",
        needs: &[
            called(
                "ecs:DeregisterTaskDefinition",
                &["deploy", "resume", "destroy", "detach"],
            ),
            called(
                "ecs:ListTaskDefinitions",
                &["deploy", "resume", "destroy", "detach"],
            ),
        ],
        on: ANYTHING,
        condition: None,
    },
    // The next statement restricts which roles a revision may have.
    Grant {
        sid: "RegisterRevisions",
        needs: &[called("ecs:RegisterTaskDefinition", &["deploy"])],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "PassTaskRoles",
        needs: &[along(
            "iam:PassRole",
            &["ecs:RegisterTaskDefinition", "ecs:RunTask"],
        )],
        on: ROLES,
        condition: Some(PolicyCondition {
            operator: "StringEquals",
            key: "iam:PassedToService",
            values: &["ecs-tasks.amazonaws.com"],
        }),
    },
    Grant {
        sid: "Images",
        needs: &[
            called("ecr:BatchGetImage", &["deploy"]),
            called("ecr:GetDownloadUrlForLayer", &["deploy"]),
            called("ecr:PutImage", &["deploy"]),
            called("ecr:DescribeRepositories", &["attach", "deploy", "init"]),
            registry("ecr:BatchCheckLayerAvailability", "push: is a layer there?"),
            registry("ecr:InitiateLayerUpload", "push: begin a layer"),
            registry("ecr:UploadLayerPart", "push: send a layer"),
            registry("ecr:CompleteLayerUpload", "push: end a layer"),
        ],
        on: REPOSITORY,
        condition: None,
    },
    Grant {
        sid: "ReadLogs",
        needs: &[
            called(
                "logs:FilterLogEvents",
                &["attach", "logs", "init", "run", "promote", "deploy"],
            ),
            called("logs:GetLogEvents", WAITING),
        ],
        on: LOG_GROUP,
        condition: None,
    },
];

/// If the app's place for users is a listener's default action.
pub const MOVE_LISTENER: &[Grant] = &[Grant {
    sid: "MoveTraffic",
    needs: &[called("elasticloadbalancing:ModifyListener", MOVING)],
    on: &["{listener-place}"],
    condition: None,
}];
/// Beside a service that existed before, bgecs makes the testers' place itself, and its
/// ARN is not known yet when the policy is written: its tag distinguishes it.
pub const MOVE_TEST_LISTENER: &[Grant] = &[Grant {
    sid: "MoveTesters",
    needs: &[called("elasticloadbalancing:ModifyListener", MOVING)],
    on: &["{own-listeners}"],
    condition: Some(OWN),
}];
/// The same for a rule.
pub const MOVE_TEST_RULE: &[Grant] = &[Grant {
    sid: "MoveTesters",
    needs: &[called("elasticloadbalancing:ModifyRule", MOVING)],
    on: &["{rules}"],
    condition: Some(OWN),
}];

/// If it is a rule.
pub const MOVE_RULE: &[Grant] = &[Grant {
    sid: "MoveTrafficByRule",
    needs: &[called("elasticloadbalancing:ModifyRule", MOVING)],
    on: &["{rule-place}"],
    condition: None,
}];
