//! Every action that the policies allow, and what it is needed for.
//!
//! The tests compare it with the calls of a whole release life. They include this file as
//! it is, so it refers to nothing else in bgecs.

mod attachment;
mod edge;
mod fleet;
mod import;
mod infrastructure;
mod release;
mod watch;
mod worker;

pub use attachment::{ATTACHING, NAMED_TESTERS, NOTHING, OWN_LISTENER};
pub use edge::{
    API_MAPPING_DEPLOYER, CLOUDFRONT_ALIAS_DEPLOYER, CLOUDFRONT_CANARY_DEPLOYER,
    CLOUDFRONT_ORIGIN_DEPLOYER, EDGE_DEPLOYER, EDGE_OPERATOR_TOO, RECORD_DEPLOYER,
    RECORD_OPERATOR_TOO, STATIC_IP_DEPLOYER, TEST_RULES_DEPLOYER, TEST_RULES_OPERATOR_TOO,
};
pub use fleet::LOOKER;
pub use import::IMPORTER;
pub use infrastructure::{
    GIVEN, GIVEN_NETWORK, NAT_GATEWAYS, OPERATOR_TOO, OWN_NETWORK, PRIVATE_NETWORK,
};
pub use release::{DEPLOYER, MOVE_LISTENER, MOVE_RULE, MOVE_TEST_LISTENER, MOVE_TEST_RULE};
pub use watch::WATCHER;
pub use worker::WORKER;

/// One statement. Placeholders in braces are filled in; if one has several values, the
/// statement applies to each. A statement that applies to nothing is left out.
#[derive(Debug)]
pub struct Grant {
    pub sid: &'static str,
    pub needs: &'static [Need],
    pub on: &'static [&'static str],
    pub condition: Option<PolicyCondition>,
}

#[derive(Debug)]
pub struct PolicyCondition {
    pub operator: &'static str,
    pub key: &'static str,
    pub values: &'static [&'static str],
}

#[derive(Debug)]
pub struct Need {
    pub action: &'static str,
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "for readers, and for the tests that hold it to be true"
        )
    )]
    pub why: WhyNeeded,
}

/// What needs an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNeeded {
    /// These commands call it.
    Called(&'static [&'static str]),
    /// Docker talks to the registry and not to the API, but ECR requires this permission.
    Registry(&'static str),
    /// CloudFormation calls it for this type of the template's resources, with the
    /// credentials of whoever runs `init` or `destroy`.
    Stack(&'static str),
    /// `init` calls it if something else deleted a part of the stack.
    Mending,
    /// AWS requires it together with these other actions.
    Along(&'static [&'static str]),
}

const fn called(action: &'static str, by: &'static [&'static str]) -> Need {
    Need {
        action,
        why: WhyNeeded::Called(by),
    }
}

const fn registry(action: &'static str, step: &'static str) -> Need {
    Need {
        action,
        why: WhyNeeded::Registry(step),
    }
}

const fn stack(action: &'static str, resource_type: &'static str) -> Need {
    Need {
        action,
        why: WhyNeeded::Stack(resource_type),
    }
}

const fn mending(action: &'static str) -> Need {
    Need {
        action,
        why: WhyNeeded::Mending,
    }
}

const fn along(action: &'static str, with: &'static [&'static str]) -> Need {
    Need {
        action,
        why: WhyNeeded::Along(with),
    }
}

/// Only for what the app made, among resources of others.
const OWN: PolicyCondition = PolicyCondition {
    operator: "StringEquals",
    key: "aws:ResourceTag/bgecs:app",
    values: &["{app}"],
};

/// For actions that do not support resources.
const ANYTHING: &[&str] = &["*"];

/// With and without the part that names streams: actions differ in that.
const LOG_GROUP: &[&str] = &[
    "arn:*:logs:{region}:{account}:log-group:{log-group}",
    "arn:*:logs:{region}:{account}:log-group:{log-group}:*",
];
const REPOSITORY: &[&str] = &["arn:*:ecr:{region}:{account}:repository/{repository}"];
const STACK: &[&str] = &["arn:*:cloudformation:{region}:{account}:stack/{stack}/*"];
/// The roles of the tasks.
const ROLES: &[&str] = &["{role}"];
