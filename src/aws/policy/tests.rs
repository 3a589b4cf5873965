use std::collections::BTreeSet;

use super::table::WhyNeeded;
use super::*;
use crate::aws::TEMPLATE;
use crate::model::GivenNetwork;

mod attached;
mod worker;

const ROLES: [Role; 2] = [Role::Deployer, Role::Operator];

fn public(given: &Given) -> Ground<'_> {
    Ground {
        given,
        is_private: false,
        has_nat: false,
    }
}

fn of(role: Role, app: &str, region: Option<&str>) -> Value {
    document(
        role,
        &app.parse().unwrap(),
        &place(region),
        &[],
        public(&Given::default()),
    )
}

fn place(region: Option<&str>) -> AwsPlace {
    AwsPlace {
        region: region.map(str::to_owned),
        ..AwsPlace::default()
    }
}

/// The table's grants, including alternatives.
fn grants(role: Role) -> Vec<&'static Grant> {
    let all = match role {
        Role::Deployer => [DEPLOYER, MOVE_LISTENER],
        Role::Operator => [OPERATOR_TOO, OWN_NETWORK],
    };
    let private = match role {
        Role::Deployer => [NOTHING; 2],
        Role::Operator => [PRIVATE_NETWORK, NAT_GATEWAYS],
    };
    all.into_iter().chain(private).flatten().collect()
}

/// Nobody may change what existed before, and whoever runs tasks may use it.
#[test]
fn what_is_given_is_used_and_neither_made_nor_removed() {
    let role_arn = "arn:aws:iam::123456789012:role/web";
    let given = Given {
        network: Some(GivenNetwork {
            vpc: "vpc-1".to_owned(),
            subnets: Vec::new(),
            security_groups: Vec::new(),
            public_ip: false,
            balancer_subnets: Vec::new(),
            balancer_groups: Vec::new(),
        }),
        cluster: Some("prod".to_owned()),
        roles: TaskRoles {
            execution: None,
            task: Some(role_arn.to_owned()),
        },
        log_group: Some("/logs".to_owned()),
        repository: Some("images".to_owned()),
    };
    let of = |role| {
        document(
            role,
            &"hello".parse().unwrap(),
            &place(None),
            &[],
            public(&given),
        )
    };
    let told = |policy: &Value, needle: &str| {
        let statements = statements(policy).iter();
        let with =
            statements.filter(|it| texts(&it["Resource"]).iter().any(|on| on.contains(needle)));
        let actions = with.flat_map(|it| {
            texts(&it["Action"])
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        actions.collect::<BTreeSet<String>>()
    };
    let (deployer, operator) = (of(Role::Deployer), of(Role::Operator));
    assert!(told(&deployer, "service/prod/bgecs-hello-green").contains("ecs:UpdateService"));
    assert!(told(&deployer, "repository/images").contains("ecr:PutImage"));
    assert!(told(&deployer, "log-group:/logs").contains("logs:FilterLogEvents"));
    assert_eq!(
        told(&deployer, role_arn),
        BTreeSet::from(["iam:PassRole".to_owned()])
    );
    assert_eq!(
        told(&operator, role_arn),
        BTreeSet::from(["iam:GetRole".to_owned()])
    );
    assert!(told(&operator, "service/prod/bgecs-hello-blue").contains("ecs:DeleteService"));
    for theirs in [
        "cluster/prod",
        "repository/images",
        "log-group:/logs",
        "service/prod/*",
    ] {
        assert_eq!(told(&operator, theirs), BTreeSet::new(), "{theirs}");
    }
    assert!(told(&operator, "ExecutionRole").contains("iam:CreateRole"));
    assert_eq!(told(&operator, "TaskRole"), BTreeSet::new());
    let anything = told(&operator, "*");
    assert!(!anything.contains("ec2:CreateVpc") && anything.contains("ec2:CreateSecurityGroup"));
}

/// The app's owner chooses them, and only their properties are read.
#[test]
fn the_operator_may_look_at_the_apps_own_certificates() {
    let arns = ["a", "b"].map(|id| format!("arn:aws:acm:eu-west-1:123456789012:certificate/{id}"));
    let certificates: Vec<CertificateArn> = arns.iter().map(|arn| arn.parse().unwrap()).collect();
    let certified = |role| {
        let (app, given) = ("hello".parse().unwrap(), Given::default());
        document(role, &app, &place(None), &certificates, public(&given))
    };
    let policy = certified(Role::Operator);
    let last = statements(&policy).last().unwrap();
    assert_eq!(texts(&last["Action"]), ["acm:DescribeCertificate"]);
    assert_eq!(texts(&last["Resource"]), arns);
    let plain = statements(&policy).len() - 1;
    assert_eq!(statements(&of(Role::Operator, "hello", None)).len(), plain);
    assert_eq!(certified(Role::Deployer), of(Role::Deployer, "hello", None));
}

/// Exactly that secret, and only a key of its owner's.
#[test]
fn who_shows_a_secret_header_may_read_that_secret_alone() {
    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cdn-AbCdEf";
    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1";
    let plain = of(Role::Deployer, "hello", None);
    let more = |key| {
        let policy = reading_secret(plain.clone(), SECRET, key);
        let statements = statements(&policy)[statements(&plain).len()..].iter();
        let told = statements.map(|it| {
            (
                texts(&it["Action"])[0].to_owned(),
                texts(&it["Resource"])[0].to_owned(),
            )
        });
        told.collect::<Vec<_>>()
    };
    let of = |action: &str, on: &str| (action.to_owned(), on.to_owned());
    let read = of("secretsmanager:GetSecretValue", SECRET);
    assert_eq!(more(None), std::slice::from_ref(&read));
    assert_eq!(more(Some(KEY)), [read, of("kms:Decrypt", KEY)]);
}

fn statements(policy: &Value) -> &Vec<Value> {
    policy["Statement"].as_array().unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    let texts = value.as_array().into_iter().flatten();
    texts.map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn the_longest_policy_is_one_that_iam_takes() {
    for role in ROLES {
        let app = "a-name-as-long-as-20".parse().unwrap();
        let id = "01234567-89ab-cdef-0123-456789abcdef";
        let arn = format!("arn:aws:acm:ap-southeast-1:123456789012:certificate/{id}");
        let certificates = vec![arn.parse().unwrap(); 5];
        let place = place(Some("ap-southeast-1"));
        let policy = document(role, &app, &place, &certificates, public(&Given::default()));
        let written = policy.to_string();
        let characters = length(&policy);
        assert!(characters <= MOST_CHARACTERS, "{role:?}: {characters}");
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), policy);
    }
}

/// For a network with everything, it is too long for a managed policy but fits into a
/// role.
#[test]
fn what_makes_a_private_network_is_asked_for_where_there_is_one() {
    let given = Given::default();
    let with = |is_private, has_nat| {
        let ground = Ground {
            given: &given,
            is_private,
            has_nat,
        };
        document(
            Role::Operator,
            &"hello".parse().unwrap(),
            &place(None),
            &[],
            ground,
        )
    };
    let allows =
        |policy: &Value, action: &str| policy.to_string().contains(&format!("\"{action}\""));
    let (public, private, all) = (with(false, false), with(true, false), with(true, true));
    assert!(!allows(&public, "ec2:CreateVpcEndpoint"));
    assert!(allows(&private, "ec2:CreateVpcEndpoint") && !allows(&private, "ec2:CreateNatGateway"));
    assert!(allows(&all, "ec2:CreateVpcEndpoint") && allows(&all, "ec2:ReleaseAddress"));
    assert!(length(&all) < MOST_IN_A_ROLE, "{}", length(&all));
}

#[test]
fn every_statement_has_a_name_of_its_own_and_allows_named_actions_once() {
    for role in ROLES {
        let policy = of(role, "hello", None);
        let mut sids = BTreeSet::new();
        for statement in statements(&policy) {
            let sid = statement["Sid"].as_str().unwrap();
            assert!(sid.bytes().all(|b| b.is_ascii_alphanumeric()), "{sid}");
            assert!(sids.insert(sid), "{sid} twice");
            let actions = texts(&statement["Action"]);
            let distinct: BTreeSet<&str> = actions.iter().copied().collect();
            assert!(!actions.is_empty(), "{sid}");
            assert_eq!(distinct.len(), actions.len(), "{sid}: {actions:?}");
            for action in actions {
                let (service, name) = action.split_once(':').unwrap();
                let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
                let is_plain = plain(&service.replace('-', "")) && plain(name);
                assert!(is_plain, "{sid}: {action}");
            }
        }
    }
}

/// Only calls that do not name a resource, or name one that EC2 has named.
#[test]
fn what_can_be_named_is_the_apps() {
    for role in ROLES {
        let policy = of(role, "hello", Some("eu-central-1"));
        for statement in statements(&policy) {
            let sid = statement["Sid"].as_str().unwrap();
            for on in texts(&statement["Resource"]) {
                let is_named = on.contains("bgecs-hello") || on.contains("/bgecs/hello");
                let is_bound = statement["Condition"].is_object() || on.contains(":eu-central-1:");
                match on {
                    "*" => {}
                    "arn:*:iam::*:role/aws-service-role/*" => assert!(is_bound, "{sid}"),
                    on if on.starts_with("arn:*:iam::") => assert!(is_named, "{sid}: {on}"),
                    on => assert!(is_named && is_bound, "{sid}: {on}"),
                }
            }
        }
        let written = policy.to_string();
        for open in ["{stack}", "{app}", "{region}"] {
            assert!(!written.contains(open), "{open}");
        }
    }
}

/// Another app whose name begins with this one's must not be reached.
#[test]
fn no_pattern_reaches_an_app_with_a_longer_name() {
    let policy = of(Role::Operator, "shop", None);
    for statement in statements(&policy) {
        for on in texts(&statement["Resource"]) {
            for open in ["bgecs-shop*", "bgecs-shop-*", "/bgecs/shop*"] {
                assert!(!on.ends_with(open), "{on}");
            }
        }
    }
}

#[test]
fn only_the_task_roles_are_passed_and_only_to_tasks() {
    let (deployer, operator) = (
        of(Role::Deployer, "hello", None),
        of(Role::Operator, "hello", None),
    );
    let both = statements(&deployer).iter().chain(statements(&operator));
    let passes = |statement: &&Value| texts(&statement["Action"]).contains(&"iam:PassRole");
    let passing: Vec<&Value> = both.filter(passes).collect();
    let [only] = passing.as_slice() else {
        panic!("{passing:#?}");
    };
    insta::assert_snapshot!(format!("{only:#}"), @r#"
    {
      "Sid": "PassTaskRoles",
      "Effect": "Allow",
      "Action": [
        "iam:PassRole"
      ],
      "Resource": [
        "arn:*:iam::*:role/bgecs-hello-ExecutionRole-*",
        "arn:*:iam::*:role/bgecs-hello-TaskRole-*"
      ],
      "Condition": {
        "StringEquals": {
          "iam:PassedToService": [
            "ecs-tasks.amazonaws.com"
          ]
        }
      }
    }
    "#);
}

/// CloudFormation names a role without a name after its stack and its place in the
/// template; the policies contain that name.
#[test]
fn the_roles_are_those_of_the_template() {
    let resources = resources();
    let roles = resources
        .iter()
        .filter(|(_, kind)| *kind == "AWS::IAM::Role");
    let names: Vec<&str> = roles.map(|(name, _)| *name).collect();
    assert_eq!(names, ["ExecutionRole", "TaskRole"]);
    assert!(!TEMPLATE.contains("RoleName:"), "a name of another form");
}

#[test]
fn every_action_has_a_reason_that_is_there() {
    let types: BTreeSet<&str> = resources().into_iter().map(|(_, kind)| kind).collect();
    let mut reasons = BTreeSet::new();
    let all: Vec<_> = ROLES
        .iter()
        .flat_map(|role| grants(*role))
        .flat_map(|g| g.needs)
        .collect();
    for need in &all {
        match need.why {
            WhyNeeded::Called(by) => assert!(!by.is_empty(), "{}", need.action),
            WhyNeeded::Registry(step) => {
                assert!(need.action.starts_with("ecr:"), "{}", need.action);
                assert!(step.starts_with("pu"), "{}: {step}", need.action);
            }
            WhyNeeded::Stack(kind) => {
                assert!(types.contains(kind), "{}: no {kind}", need.action);
                reasons.insert(kind);
            }
            WhyNeeded::Mending => assert!(need.action.ends_with("ChangeSet"), "{}", need.action),
            WhyNeeded::Along(with) => {
                for other in with {
                    let is_there = all.iter().any(|need| need.action == *other);
                    assert!(is_there, "{} goes with {other}", need.action);
                }
            }
        }
    }
    assert_eq!(reasons, types, "types of the template without any action");
}

#[test]
fn a_deployer_neither_makes_nor_removes_infrastructure() {
    for need in grants(Role::Deployer).iter().flat_map(|grant| grant.needs) {
        assert!(!matches!(need.why, WhyNeeded::Stack(_)), "{}", need.action);
        // Its own place in the line for the lease, and the alarms of policies that it
        // creates, are not infrastructure.
        let is_its_own = ["dynamodb:DeleteItem", "cloudwatch:DeleteAlarms"].contains(&need.action);
        let deletes = need.action.contains(":Delete") && !is_its_own;
        assert!(!deletes, "{}", need.action);
    }
}

/// The template's resources, with their types.
fn resources() -> Vec<(&'static str, &'static str)> {
    let (_, from) = TEMPLATE.split_once("\nResources:\n").unwrap();
    let (resources, _) = from.split_once("\nOutputs:\n").unwrap();
    let lines: Vec<&str> = resources.lines().collect();
    lines
        .windows(2)
        .filter_map(|two| {
            let name = two.first()?.strip_prefix("  ")?.strip_suffix(':')?;
            Some((name, two.last()?.strip_prefix("    Type: ")?))
        })
        .collect()
}
