//! What is needed to list all apps of an account.

use super::{ANYTHING, Grant, called};

const FLEET: &[&str] = &["fleet"];

pub const LOOKER: &[Grant] = &[
    // Listing stacks, and reading what load balancers do, is allowed for all or for none.
    Grant {
        sid: "FindTheAppsAndTheirUsersWays",
        needs: &[
            called("cloudformation:DescribeStacks", FLEET),
            called("elasticloadbalancing:DescribeListeners", FLEET),
            called("elasticloadbalancing:DescribeRules", FLEET),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "ReadTheirJournals",
        needs: &[
            called("dynamodb:BatchGetItem", FLEET),
            called("dynamodb:Query", FLEET),
        ],
        on: &["arn:*:dynamodb:{region}:{account}:table/bgecs-*"],
        condition: None,
    },
    // With a service that existed before, clusters and services may have any name.
    Grant {
        sid: "ReadWhatTheyRun",
        needs: &[
            called("ecs:DescribeServices", FLEET),
            called("ecs:DescribeTaskDefinition", FLEET),
        ],
        on: ANYTHING,
        condition: None,
    },
    // For the routers of apps whose colours bgecs does not run; take out what you do not
    // have.
    Grant {
        sid: "ReadTheirRouters",
        needs: &[
            called("apigateway:GET", FLEET),
            called("apigateway:ListRoutingRules", FLEET),
            called("cloudfront:GetContinuousDeploymentPolicy", FLEET),
            called("cloudfront:GetDistribution", FLEET),
            called("lightsail:GetInstance", FLEET),
            called("lightsail:GetStaticIp", FLEET),
            called("route53:ListResourceRecordSets", FLEET),
        ],
        on: ANYTHING,
        condition: None,
    },
];
