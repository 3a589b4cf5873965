//! What `init` and `destroy` need in addition. CloudFormation acts with its caller's
//! permissions: for each type in the template, these are the permissions of its handlers
//! (`aws cloudformation describe-type`), as far as the template's properties make them
//! necessary.

use super::{ANYTHING, Grant, OWN, PolicyCondition, STACK, along, called, mending, stack};

const GATEWAY: &str = "AWS::EC2::InternetGateway";
const ATTACHMENT: &str = "AWS::EC2::VPCGatewayAttachment";
const ROUTE: &str = "AWS::EC2::Route";
const ROUTE_TABLE: &str = "AWS::EC2::RouteTable";
const ROUTES_OF_SUBNET: &str = "AWS::EC2::SubnetRouteTableAssociation";
const SECURITY_GROUP: &str = "AWS::EC2::SecurityGroup";
const SUBNET: &str = "AWS::EC2::Subnet";
const VPC: &str = "AWS::EC2::VPC";
const ENDPOINT: &str = "AWS::EC2::VPCEndpoint";
const ADDRESS: &str = "AWS::EC2::EIP";
const NAT_GATEWAY: &str = "AWS::EC2::NatGateway";
pub(super) const LISTENER: &str = "AWS::ElasticLoadBalancingV2::Listener";
pub(super) const CERTIFICATE: &str = "AWS::ElasticLoadBalancingV2::ListenerCertificate";
const LOAD_BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
pub(super) const RULE: &str = "AWS::ElasticLoadBalancingV2::ListenerRule";
pub(super) const TARGET_GROUP: &str = "AWS::ElasticLoadBalancingV2::TargetGroup";
const CLUSTER: &str = "AWS::ECS::Cluster";
pub(super) const IMAGES: &str = "AWS::ECR::Repository";
pub(super) const LOGS: &str = "AWS::Logs::LogGroup";
const ROLE: &str = "AWS::IAM::Role";
const TABLE: &str = "AWS::DynamoDB::Table";

pub const OPERATOR_TOO: &[Grant] = &[
    Grant {
        sid: "Stack",
        needs: &[
            called("cloudformation:CreateStack", &["init"]),
            called("cloudformation:UpdateStack", &["init"]),
            called("cloudformation:GetTemplate", &["init"]),
            called("cloudformation:DescribeStackEvents", &["init", "destroy"]),
            called("cloudformation:DeleteStack", &["destroy"]),
            mending("cloudformation:CreateChangeSet"),
            mending("cloudformation:DescribeChangeSet"),
            mending("cloudformation:ExecuteChangeSet"),
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
            stack("ec2:DescribeAccountAttributes", SUBNET),
            stack("ec2:DescribeAvailabilityZones", SUBNET),
            stack("ec2:DescribeInstances", SECURITY_GROUP),
            stack("ec2:DescribeInternetGateways", GATEWAY),
            stack("ec2:DescribeNetworkAcls", SUBNET),
            stack("ec2:DescribeNetworkInterfaces", ROUTE),
            stack("ec2:DescribeRouteTables", ROUTE_TABLE),
            stack("ec2:DescribeSecurityGroups", SECURITY_GROUP),
            stack("ec2:DescribeSubnets", SUBNET),
            stack("ec2:DescribeVpcAttribute", VPC),
            stack("ec2:DescribeVpcs", VPC),
            stack("ec2:DescribeVpnGateways", ATTACHMENT),
            stack("ecs:DescribeClusters", CLUSTER),
            stack(
                "elasticloadbalancing:DescribeCapacityReservation",
                LOAD_BALANCER,
            ),
            stack("elasticloadbalancing:DescribeListenerAttributes", LISTENER),
            stack(
                "elasticloadbalancing:DescribeListenerCertificates",
                CERTIFICATE,
            ),
            stack(
                "elasticloadbalancing:DescribeLoadBalancerAttributes",
                LOAD_BALANCER,
            ),
            stack("elasticloadbalancing:DescribeLoadBalancers", LOAD_BALANCER),
            stack("elasticloadbalancing:DescribeRules", RULE),
            stack(
                "elasticloadbalancing:DescribeTargetGroupAttributes",
                TARGET_GROUP,
            ),
            stack("elasticloadbalancing:DescribeTargetGroups", TARGET_GROUP),
            stack("logs:DescribeLogGroups", LOGS),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "LoadBalancer",
        needs: &[
            stack("elasticloadbalancing:AddListenerCertificates", CERTIFICATE),
            stack("elasticloadbalancing:AddTags", LOAD_BALANCER),
            stack("elasticloadbalancing:CreateListener", LISTENER),
            stack("elasticloadbalancing:CreateLoadBalancer", LOAD_BALANCER),
            stack("elasticloadbalancing:CreateRule", RULE),
            stack("elasticloadbalancing:CreateTargetGroup", TARGET_GROUP),
            stack("elasticloadbalancing:DeleteListener", LISTENER),
            stack("elasticloadbalancing:DeleteLoadBalancer", LOAD_BALANCER),
            stack("elasticloadbalancing:DeleteRule", RULE),
            stack("elasticloadbalancing:DeleteTargetGroup", TARGET_GROUP),
            stack(
                "elasticloadbalancing:ModifyLoadBalancerAttributes",
                LOAD_BALANCER,
            ),
            stack("elasticloadbalancing:ModifyTargetGroup", TARGET_GROUP),
            stack("elasticloadbalancing:SetSecurityGroups", LOAD_BALANCER),
            stack("elasticloadbalancing:SetSubnets", LOAD_BALANCER),
            stack(
                "elasticloadbalancing:RemoveListenerCertificates",
                CERTIFICATE,
            ),
            stack(
                "elasticloadbalancing:ModifyTargetGroupAttributes",
                TARGET_GROUP,
            ),
        ],
        on: &[
            "arn:*:elasticloadbalancing:{region}:{account}:listener-rule/app/{stack}/*",
            "arn:*:elasticloadbalancing:{region}:{account}:listener/app/{stack}/*",
            "arn:*:elasticloadbalancing:{region}:{account}:loadbalancer/app/{stack}/*",
            "arn:*:elasticloadbalancing:{region}:{account}:targetgroup/{stack}-blue/*",
            "arn:*:elasticloadbalancing:{region}:{account}:targetgroup/{stack}-green/*",
        ],
        condition: None,
    },
    Grant {
        sid: "Repository",
        needs: &[
            called("ecr:BatchDeleteImage", &["destroy"]),
            called("ecr:ListImages", &["destroy"]),
            stack("ecr:CreateRepository", IMAGES),
            stack("ecr:DeleteRepository", IMAGES),
            stack("ecr:GetLifecyclePolicy", IMAGES),
            stack("ecr:GetRepositoryPolicy", IMAGES),
            stack("ecr:ListTagsForResource", IMAGES),
            stack("ecr:PutImageScanningConfiguration", IMAGES),
            stack("ecr:PutImageTagMutability", IMAGES),
            stack("ecr:PutLifecyclePolicy", IMAGES),
            stack("ecr:TagResource", IMAGES),
        ],
        on: &["arn:*:ecr:{region}:{account}:repository/{made-repository}"],
        condition: None,
    },
    Grant {
        sid: "Cluster",
        needs: &[
            called("ecs:DeleteService", &["destroy"]),
            called("ecs:DeleteTaskDefinitions", &["destroy"]),
            stack("ecs:DeleteCluster", CLUSTER),
            stack("ecs:PutClusterCapacityProviders", CLUSTER),
            stack("ecs:TagResource", CLUSTER),
        ],
        on: &[
            "arn:*:ecs:{region}:{account}:cluster/{made-cluster}",
            "arn:*:ecs:{region}:{account}:service/{cluster}/{service}",
            "arn:*:ecs:{region}:{account}:task-definition/{stack}:*",
        ],
        condition: None,
    },
    Grant {
        sid: "Roles",
        needs: &[
            stack("iam:CreateRole", ROLE),
            stack("iam:DeleteRole", ROLE),
            stack("iam:DeleteRolePolicy", ROLE),
            stack("iam:GetRole", ROLE),
            stack("iam:GetRolePolicy", ROLE),
            stack("iam:ListAttachedRolePolicies", ROLE),
            stack("iam:ListRolePolicies", ROLE),
            stack("iam:PutRolePolicy", ROLE),
            stack("iam:TagRole", ROLE),
        ],
        on: &["{made-role}"],
        condition: None,
    },
    // An account's first cluster and first load balancer create these two.
    Grant {
        sid: "ServiceRoles",
        needs: &[along(
            "iam:CreateServiceLinkedRole",
            &[
                "ecs:CreateCluster",
                "elasticloadbalancing:CreateLoadBalancer",
            ],
        )],
        on: &["arn:*:iam::{account}:role/aws-service-role/*"],
        condition: Some(PolicyCondition {
            operator: "StringEquals",
            key: "iam:AWSServiceName",
            values: &["ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com"],
        }),
    },
    Grant {
        sid: "LogGroup",
        needs: &[
            stack("logs:CreateLogGroup", LOGS),
            stack("logs:DeleteLogGroup", LOGS),
            stack("logs:DescribeIndexPolicies", LOGS),
            stack("logs:GetDataProtectionPolicy", LOGS),
            stack("logs:ListTagsForResource", LOGS),
            stack("logs:PutRetentionPolicy", LOGS),
            stack("logs:TagResource", LOGS),
        ],
        on: MADE_LOG_GROUP,
        condition: None,
    },
    JOURNAL,
];

/// If the network is the app's own.
pub const OWN_NETWORK: &[Grant] = &[
    // EC2 names its resources itself, and not all of them have their tags from the first
    // moment.
    Grant {
        sid: "MakeNetwork",
        needs: &[
            stack("ec2:AssociateRouteTable", ROUTES_OF_SUBNET),
            stack("ec2:AttachInternetGateway", ATTACHMENT),
            stack("ec2:AuthorizeSecurityGroupEgress", SECURITY_GROUP),
            stack("ec2:AuthorizeSecurityGroupIngress", SECURITY_GROUP),
            stack("ec2:CreateInternetGateway", GATEWAY),
            stack("ec2:CreateRoute", ROUTE),
            stack("ec2:CreateRouteTable", ROUTE_TABLE),
            stack("ec2:CreateSecurityGroup", SECURITY_GROUP),
            stack("ec2:CreateSubnet", SUBNET),
            stack("ec2:CreateTags", VPC),
            stack("ec2:CreateVpc", VPC),
            stack("ec2:ModifySubnetAttribute", SUBNET),
            stack("ec2:ModifyVpcAttribute", VPC),
            stack("ec2:RevokeSecurityGroupEgress", SECURITY_GROUP),
            stack("ec2:RevokeSecurityGroupIngress", SECURITY_GROUP),
            // There is no name to restrict it to, either.
            stack("ecs:CreateCluster", CLUSTER),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "RemoveNetwork",
        needs: &[
            stack("ec2:DeleteInternetGateway", GATEWAY),
            stack("ec2:DeleteRoute", ROUTE),
            stack("ec2:DeleteRouteTable", ROUTE_TABLE),
            stack("ec2:DeleteSecurityGroup", SECURITY_GROUP),
            stack("ec2:DeleteSubnet", SUBNET),
            stack("ec2:DeleteVpc", VPC),
            stack("ec2:DetachInternetGateway", ATTACHMENT),
            stack("ec2:DisassociateRouteTable", ROUTES_OF_SUBNET),
        ],
        on: ANYTHING,
        condition: Some(OWN),
    },
];

/// If it has subnets that the internet does not reach.
pub const PRIVATE_NETWORK: &[Grant] = &[
    Grant {
        sid: "MakeEndpoints",
        needs: &[
            stack("ec2:CreateVpcEndpoint", ENDPOINT),
            stack("ec2:DescribeVpcEndpoints", ENDPOINT),
            stack("ec2:ModifyVpcEndpoint", ENDPOINT),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "RemoveEndpoints",
        needs: &[stack("ec2:DeleteVpcEndpoints", ENDPOINT)],
        on: ANYTHING,
        condition: Some(OWN),
    },
];

/// If it also has NAT gateways.
pub const NAT_GATEWAYS: &[Grant] = &[
    Grant {
        sid: "MakeNat",
        needs: &[
            stack("ec2:AllocateAddress", ADDRESS),
            stack("ec2:CreateNatGateway", NAT_GATEWAY),
            stack("ec2:DescribeAddresses", ADDRESS),
            stack("ec2:DescribeNatGateways", NAT_GATEWAY),
            stack("ec2:ReplaceRouteTableAssociation", ROUTES_OF_SUBNET),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "RemoveNat",
        needs: &[
            stack("ec2:DeleteNatGateway", NAT_GATEWAY),
            stack("ec2:DisassociateAddress", ADDRESS),
            stack("ec2:ReleaseAddress", ADDRESS),
        ],
        on: ANYTHING,
        condition: Some(OWN),
    },
];

/// If the app is in a given VPC.
pub const GIVEN_NETWORK: &[Grant] = &[
    Grant {
        sid: "MakeGroups",
        needs: &[
            stack("ec2:AuthorizeSecurityGroupEgress", SECURITY_GROUP),
            stack("ec2:AuthorizeSecurityGroupIngress", SECURITY_GROUP),
            stack("ec2:CreateSecurityGroup", SECURITY_GROUP),
            stack("ec2:CreateTags", SECURITY_GROUP),
            stack("ec2:RevokeSecurityGroupEgress", SECURITY_GROUP),
            stack("ec2:RevokeSecurityGroupIngress", SECURITY_GROUP),
            stack("ecs:CreateCluster", CLUSTER),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "RemoveGroups",
        needs: &[stack("ec2:DeleteSecurityGroup", SECURITY_GROUP)],
        on: ANYTHING,
        condition: Some(OWN),
    },
];

/// If anything is given.
pub const GIVEN: &[Grant] = &[
    Grant {
        sid: "SeeWhatIsGiven",
        needs: &[
            called("ec2:DescribeRouteTables", &["init"]),
            called("ec2:DescribeSecurityGroups", &["init"]),
            called("ec2:DescribeSubnets", &["init"]),
            called("ec2:DescribeVpcEndpoints", &["init"]),
            called("ec2:DescribeVpcs", &["init"]),
            called("ecs:DescribeClusters", &["init"]),
            called("logs:DescribeLogGroups", &["init"]),
        ],
        on: ANYTHING,
        condition: None,
    },
    Grant {
        sid: "SeeRoles",
        needs: &[called("iam:GetRole", &["init"])],
        on: &["{given-role}"],
        condition: None,
    },
];

const MADE_LOG_GROUP: &[&str] = &[
    "arn:*:logs:{region}:{account}:log-group:{made-log-group}",
    "arn:*:logs:{region}:{account}:log-group:{made-log-group}:*",
];

pub(super) const JOURNAL: Grant = Grant {
    sid: "Journal",
    needs: &[
        stack("dynamodb:CreateTable", TABLE),
        stack("dynamodb:DeleteTable", TABLE),
        stack("dynamodb:DescribeContinuousBackups", TABLE),
        stack("dynamodb:DescribeContributorInsights", TABLE),
        stack("dynamodb:DescribeKinesisStreamingDestination", TABLE),
        stack("dynamodb:DescribeTable", TABLE),
        stack("dynamodb:DescribeTimeToLive", TABLE),
        stack("dynamodb:GetResourcePolicy", TABLE),
        stack("dynamodb:ListTagsOfResource", TABLE),
        stack("dynamodb:TagResource", TABLE),
        stack("dynamodb:UpdateTimeToLive", TABLE),
    ],
    on: &["arn:*:dynamodb:{region}:{account}:table/{stack}"],
    condition: None,
};
