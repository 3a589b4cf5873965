//! What an app needs whose colours bgecs does not run: its journal, and what routes its
//! users.

use super::infrastructure::JOURNAL;
use super::{ANYTHING, Grant, PolicyCondition, STACK, along, called};

/// The zone that serves the app's name.
const ZONE: &[&str] = &["arn:*:route53:::hostedzone/{zone}"];
/// The commands that find the app by its stack, and look where users go.
const LOOKING: &[&str] = &[
    "init", "deploy", "promote", "rollback", "status", "retire", "destroy",
];
/// The commands that move users.
const MOVING: &[&str] = &["deploy", "promote", "rollback"];

/// Only for the app's own record, and no other name in the zone
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
            // A policy for fewer than all alarms would hide composite ones.
            called("cloudwatch:DescribeAlarms", &["promote"]),
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
];

/// For an app behind a record.
pub const RECORD_DEPLOYER: &[Grant] = &[
    Grant {
        sid: "SeeChangesThrough",
        needs: &[called("route53:GetChange", MOVING)],
        on: ANYTHING,
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

pub const RECORD_OPERATOR_TOO: &[Grant] = &[Grant {
    sid: "FindTheRecord",
    needs: &[
        // The owner of a record is looked up by the record's name.
        called("cloudformation:DescribeStackResources", &["init"]),
        called("elasticloadbalancing:DescribeLoadBalancers", &["init"]),
        called("elasticloadbalancing:DescribeTargetGroups", &["init"]),
        called("elasticloadbalancing:DescribeTargetHealth", &["init"]),
        called("route53:ListHostedZones", &["init"]),
    ],
    on: ANYTHING,
    condition: None,
}];

/// For an app behind a static address of Lightsail
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonlightsail.html>):
/// the ARNs have ids instead of names, which cannot be known without AWS.
pub const STATIC_IP_DEPLOYER: &[Grant] = &[Grant {
    sid: "MoveUsers",
    needs: &[
        called("lightsail:GetStaticIp", LOOKING),
        called("lightsail:GetInstance", LOOKING),
        called("lightsail:AttachStaticIp", MOVING),
        called("lightsail:DetachStaticIp", MOVING),
    ],
    on: &[
        "arn:*:lightsail:{region}:{account}:StaticIp/*",
        "arn:*:lightsail:{region}:{account}:Instance/*",
    ],
    condition: None,
}];

/// For an app behind a mapping of API Gateway
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html>).
pub const API_MAPPING_DEPLOYER: &[Grant] = &[
    Grant {
        sid: "LookAtTheDomain",
        needs: &[called("apigateway:GET", LOOKING)],
        on: &[
            "arn:*:apigateway:{region}::/domainnames/{domain}",
            "arn:*:apigateway:{region}::/domainnames/{domain}/*",
        ],
        condition: None,
    },
    Grant {
        sid: "MoveUsers",
        needs: &[
            called("apigateway:PATCH", MOVING),
            called("apigateway:POST", &["deploy"]),
        ],
        on: &[
            "arn:*:apigateway:{region}::/domainnames/{domain}/apimappings",
            "arn:*:apigateway:{region}::/domainnames/{domain}/apimappings/*",
            "arn:*:apigateway:{region}::/domainnames/{domain}/basepathmappings",
            "arn:*:apigateway:{region}::/domainnames/{domain}/basepathmappings/*",
        ],
        condition: None,
    },
];

/// Unlike everything else in API Gateway, these ARNs contain an account
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html>).
const RULES: &[&str] = &[
    "arn:*:apigateway:{region}:{account}:/domainnames/{domain}/routingrules",
    "arn:*:apigateway:{region}:{account}:/domainnames/{domain}/routingrules/*",
];

/// The same, if testers reach the colours by rules of the domain.
pub const TEST_RULES_DEPLOYER: &[Grant] = &[Grant {
    sid: "LookAtTheRules",
    needs: &[called("apigateway:ListRoutingRules", LOOKING)],
    on: RULES,
    condition: None,
}];

pub const TEST_RULES_OPERATOR_TOO: &[Grant] = &[Grant {
    sid: "KeepTheRules",
    needs: &[
        called("apigateway:CreateRoutingRule", &["init"]),
        called("apigateway:UpdateRoutingRule", &["init"]),
        called("apigateway:DeleteRoutingRule", &["init", "destroy"]),
    ],
    on: RULES,
    condition: None,
}];

/// CloudFront's ARNs contain no region
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfront.html>).
const DISTRIBUTIONS: &[&str] = &["arn:*:cloudfront::{account}:distribution/{distribution}"];

/// For an app behind a behaviour of a distribution.
pub const CLOUDFRONT_ORIGIN_DEPLOYER: &[Grant] = &[
    Grant {
        sid: "MoveUsers",
        needs: &[
            called("cloudfront:GetDistribution", LOOKING),
            called("cloudfront:UpdateDistribution", MOVING),
            called("cloudfront:CreateInvalidation", &["promote", "rollback"]),
        ],
        on: DISTRIBUTIONS,
        condition: None,
    },
    Grant {
        sid: "LookAtTheCache",
        needs: &[called(
            "cloudfront:GetCachePolicy",
            &["promote", "rollback"],
        )],
        on: &["arn:*:cloudfront::{account}:cache-policy/*"],
        condition: None,
    },
];

/// The same, with a staging distribution.
pub const CLOUDFRONT_CANARY_DEPLOYER: &[Grant] = &[Grant {
    sid: "ShareUsers",
    needs: &[
        called("cloudfront:GetContinuousDeploymentPolicy", LOOKING),
        called(
            "cloudfront:UpdateContinuousDeploymentPolicy",
            &["promote", "rollback"],
        ),
    ],
    on: &["arn:*:cloudfront::{account}:continuous-deployment-policy/*"],
    condition: None,
}];

/// For an app behind an alias that two distributions share.
pub const CLOUDFRONT_ALIAS_DEPLOYER: &[Grant] = &[
    Grant {
        sid: "MoveUsers",
        needs: &[
            called("cloudfront:GetDistribution", LOOKING),
            called("cloudfront:ListDomainConflicts", &["promote", "rollback"]),
            called(
                "cloudfront:UpdateDomainAssociation",
                &["promote", "rollback"],
            ),
            called("cloudfront:AssociateAlias", &["promote", "rollback"]),
            // For the first release.
            called("cloudfront:UpdateDistribution", &["deploy"]),
        ],
        on: DISTRIBUTIONS,
        condition: None,
    },
    Grant {
        sid: "LookAhead",
        needs: &[
            called("acm:DescribeCertificate", &["promote", "rollback"]),
            called("route53:ListHostedZones", &["promote", "rollback"]),
            called("route53:ListResourceRecordSets", &["promote", "rollback"]),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "RecordFollows",
        needs: &[called(
            "route53:ChangeResourceRecordSets",
            &["promote", "rollback"],
        )],
        on: ZONE,
        condition: Some(ITS_NAME),
    },
];
