//! IAM policies for those who run bgecs: they are printed for whoever grants them,
//! without any call.
//!
//! The table of which command needs which action is in `table`; here it becomes a
//! document.

mod edge;
mod table;
mod worker;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::model::{
    AccountId, AppName, AwsPlace, CertificateArn, Color, Given, ListenerArn, TaskRoles,
};
pub use edge::{RoutedBy, of_edge};
use table::{
    ATTACHING, DEPLOYER, GIVEN, GIVEN_NETWORK, Grant, IMPORTER, LOOKER, MOVE_LISTENER, MOVE_RULE,
    MOVE_TEST_LISTENER, MOVE_TEST_RULE, NAMED_TESTERS, NAT_GATEWAYS, NOTHING, OPERATOR_TOO,
    OWN_LISTENER, OWN_NETWORK, PRIVATE_NETWORK, PolicyCondition, WATCHER,
};
pub use worker::{WorkerNames, to_serve};

/// Who the policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// For a pipeline.
    Deployer,
    /// For init and destroy, or attach and detach.
    Operator,
}

/// The parts of an attached app that are not named after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedNames {
    pub cluster: String,
    /// The service that existed before.
    pub service: String,
    /// The colour that is made beside it.
    pub made: Color,
    /// The ways by which users come in.
    pub ways: Vec<PolicyWay>,
    pub tested: TestedAt,
    /// As the task definition names them: by ARN or by name.
    pub roles: Vec<String>,
    /// None if the stack makes one.
    pub repository: Option<String>,
    /// None if the stack makes one.
    pub log_group: Option<String>,
}

/// The resources below an app that `init` makes.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    pub given: &'a Given,
    /// Whether its own network has private subnets.
    pub is_private: bool,
    pub has_nat: bool,
}

/// The longest managed policy that IAM accepts, without white space; a policy embedded in
/// a role may have [`MOST_IN_A_ROLE`]
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub const MOST_CHARACTERS: usize = 6_144;
pub const MOST_IN_A_ROLE: usize = 10_240;

/// The length as IAM counts it.
pub fn length(policy: &Value) -> usize {
    let written = policy.to_string();
    written.chars().filter(|c| !c.is_whitespace()).count()
}

/// The listener by which users come in, as far as it is known without AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedListener {
    Arn(ListenerArn),
    /// One of this load balancer's listeners.
    Of(String),
}

/// A way by which users come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWay {
    pub listener: NamedListener,
    pub moved: MovedAt,
}

/// What leads users to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MovedAt {
    Listener,
    /// By its ARN; without one, any rule of the listener.
    Rule(Option<String>),
}

/// What leads testers to the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestedAt {
    /// The rules for the header, which are never moved.
    Header,
    /// A rule of bgecs's own at the users' listener.
    Rule,
    /// A listener of bgecs's own at the users' load balancer.
    Listener,
}

/// The policy for one app with these certificates; without a region or an account it
/// applies to all of them. The policies for operators and deployers together would be
/// longer than a managed policy may be, so they are meant to be attached side by side.
pub fn document(
    role: Role,
    app: &AppName,
    place: &AwsPlace,
    certificates: &[CertificateArn],
    ground: Ground<'_>,
) -> Value {
    let given = ground.given;
    let stack = app.stack_name();
    // As CloudFormation names the roles in the template.
    let role_of = |resource| format!("arn:*:iam::{{account}}:role/{stack}-{resource}-*");
    let TaskRoles { execution, task } = &given.roles;
    let of_given = [("ExecutionRole", execution), ("TaskRole", task)];
    let made_roles = of_given.iter().filter(|(_, given)| given.is_none());
    let made_roles: Vec<String> = made_roles.map(|(resource, _)| role_of(resource)).collect();
    let given_roles: Vec<String> = execution.iter().chain(task).cloned().collect();
    // The names that the app uses, and those among them that bgecs makes.
    let place_of = |given: &Option<String>, own: String| match given {
        Some(name) => (vec![name.clone()], Vec::new()),
        None => (vec![own.clone()], vec![own]),
    };
    let (cluster, made_cluster) = place_of(&given.cluster, stack.clone());
    let (repository, made_repository) = place_of(&given.repository, stack.clone());
    let (log_group, made_log_group) = place_of(&given.log_group, app.log_group());
    let services = match given.cluster {
        Some(_) => Color::BOTH.map(|color| app.colored(color)).into(),
        None => vec!["*".to_owned()],
    };
    let mut names = Names(vec![
        ("{cluster}", cluster),
        ("{made-cluster}", made_cluster),
        ("{service}", services),
        ("{listener-place}", vec![listener_of(&stack)]),
        ("{role}", [&made_roles[..], &given_roles].concat()),
        ("{made-role}", made_roles),
        ("{given-role}", given_roles),
        ("{repository}", repository),
        ("{made-repository}", made_repository),
        ("{log-group}", log_group),
        ("{made-log-group}", made_log_group),
    ]);
    names.add_own(app, place);
    let network = match given.network {
        Some(_) => [GIVEN_NETWORK, NOTHING, NOTHING],
        None => [
            OWN_NETWORK,
            if ground.is_private {
                PRIVATE_NETWORK
            } else {
                NOTHING
            },
            if ground.has_nat {
                NAT_GATEWAYS
            } else {
                NOTHING
            },
        ],
    };
    let seen = match *given == Given::default() {
        true => NOTHING,
        false => GIVEN,
    };
    let mut policy = match role {
        Role::Deployer => names.policy(&[DEPLOYER, MOVE_LISTENER]),
        Role::Operator => names.policy(&[&[OPERATOR_TOO, seen], &network[..]].concat()),
    };
    if let (Role::Operator, false, Some(statements)) = (
        role,
        certificates.is_empty(),
        policy["Statement"].as_array_mut(),
    ) {
        let arns: Vec<&str> = certificates.iter().map(CertificateArn::as_str).collect();
        statements.push(json!({
            "Sid": "Certificates",
            "Effect": "Allow",
            "Action": ["acm:DescribeCertificate"],
            "Resource": arns,
        }));
    }
    policy
}

/// The policy for an app one of whose colours is a service that existed before.
pub fn of_attached(role: Role, app: &AppName, place: &AwsPlace, it: &AttachedNames) -> Value {
    let stack = app.stack_name();
    let patterns = it.ways.iter().map(|way| way.listener.patterns());
    let (mut listeners, mut rules): (Vec<_>, Vec<_>) = patterns.unzip();
    let (at_rules, at_listeners): (Vec<_>, Vec<_>) = it
        .ways
        .iter()
        .partition(|way| way.moved != MovedAt::Listener);
    let moved_listeners = at_listeners.iter().map(|way| way.listener.patterns().0);
    let moved_rules = at_rules.iter().map(|way| match &way.moved {
        MovedAt::Rule(Some(arn)) => arn.clone(),
        MovedAt::Rule(None) | MovedAt::Listener => way.listener.patterns().1,
    });
    let (moved_listeners, moved_rules) = (moved_listeners.collect(), moved_rules.collect());
    let first = it.ways.first().map(|way| &way.listener);
    let beside = first.map_or_else(String::new, NamedListener::beside);
    // Only on what bgecs itself has made.
    let (moving_test, making, own_listeners) = match it.tested {
        TestedAt::Header => (NOTHING, NOTHING, Vec::new()),
        TestedAt::Rule => (MOVE_TEST_RULE, NAMED_TESTERS, Vec::new()),
        TestedAt::Listener => (MOVE_TEST_LISTENER, OWN_LISTENER, vec![beside.clone()]),
    };
    if it.tested == TestedAt::Listener && !listeners.is_empty() {
        // Testers' rules are at that listener instead of the users' first one.
        listeners.remove(0);
        rules[0] = as_rules(&beside);
    }
    let (listeners, rules) = (each_once(listeners), each_once(rules));
    let role_arn = |role: &String| match role.starts_with("arn:") {
        true => role.clone(),
        false => format!("arn:*:iam::{{account}}:role/{role}"),
    };
    // What the stack makes is named after the app.
    let named = |named: &Option<String>, own: String| match named.as_ref() {
        Some(name) if *name != own => (vec![name.clone()], Vec::new()),
        _ => (vec![own.clone()], vec![own]),
    };
    let (repository, made_repository) = named(&it.repository, stack.clone());
    let (log_group, made_log_group) = named(&it.log_group, app.log_group());
    let mut names = Names(vec![
        ("{cluster}", vec![it.cluster.clone()]),
        ("{service}", vec![it.service.clone(), app.colored(it.made)]),
        ("{made}", vec![it.made.to_string()]),
        ("{listener-place}", moved_listeners),
        ("{rule-place}", moved_rules),
        ("{listener}", listeners),
        ("{own-listeners}", own_listeners),
        ("{rules}", rules),
        (
            "{load-balancer}",
            first.map(NamedListener::balancer).into_iter().collect(),
        ),
        ("{role}", it.roles.iter().map(role_arn).collect()),
        ("{repository}", repository),
        ("{made-repository}", made_repository),
        ("{log-group}", log_group),
        ("{made-log-group}", made_log_group),
    ]);
    names.add_own(app, place);
    match role {
        Role::Deployer => names.policy(&[DEPLOYER, MOVE_LISTENER, MOVE_RULE, moving_test]),
        Role::Operator => names.policy(&[ATTACHING, making]),
    }
}

/// The policy with permission to read that secret as well, and to decrypt it if it has a
/// key that is not AWS's own.
pub fn reading_secret(mut policy: Value, secret: &str, kms_key: Option<&str>) -> Value {
    if let Some(statements) = policy["Statement"].as_array_mut() {
        let allow = |sid, action, on| json!({ "Sid": sid, "Effect": "Allow", "Action": [action], "Resource": [on] });
        statements.push(allow(
            "SecretHeader",
            "secretsmanager:GetSecretValue",
            secret,
        ));
        let key = kms_key.map(|key| allow("SecretHeaderKey", "kms:Decrypt", key));
        statements.extend(key);
    }
    policy
}

/// The policy for watching a service, which may be given by its ARN.
pub fn to_watch(cluster: &str, service: &str, region: Option<&str>) -> Value {
    of_service(WATCHER, cluster, service, region)
}

/// The policy for reading everything about a service.
pub fn to_import(cluster: &str, service: &str, region: Option<&str>) -> Value {
    of_service(IMPORTER, cluster, service, region)
}

/// The policy for listing all apps.
pub fn to_list(region: Option<&str>) -> Value {
    let mut names = Names(Vec::new());
    names.add_place(region, None);
    names.policy(&[LOOKER])
}

fn of_service(grants: &[Grant], cluster: &str, service: &str, region: Option<&str>) -> Value {
    let name = |given: &str| vec![given.rsplit('/').next().unwrap_or(given).to_owned()];
    let mut names = Names(vec![
        ("{cluster}", name(cluster)),
        ("{service}", name(service)),
    ]);
    names.add_place(region, None);
    names.policy(&[grants])
}

/// Several ways can be at the same listener.
fn each_once(mut all: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    all.retain(|name| seen.insert(name.clone()));
    all
}

/// All listeners of a load balancer.
fn listener_of(balancer: &str) -> String {
    format!("arn:*:elasticloadbalancing:{{region}}:{{account}}:listener/app/{balancer}/*")
}

impl NamedListener {
    /// The listener's pattern, and that of its rules: the ARN of a rule extends the
    /// listener's.
    fn patterns(&self) -> (String, String) {
        match self {
            Self::Arn(arn) => {
                let rules = format!("{}/*", as_rules(arn.as_str()));
                (arn.as_str().to_owned(), rules)
            }
            Self::Of(balancer) => {
                let listener = listener_of(balancer);
                let rules = as_rules(&listener);
                (listener, rules)
            }
        }
    }

    fn balancer(&self) -> String {
        let of = |listener: &str| listener.replacen(":listener/", ":loadbalancer/", 1);
        match self {
            Self::Arn(arn) => of(without_last(arn.as_str())),
            Self::Of(balancer) => of(&listener_of(balancer)),
        }
    }

    /// All listeners of the same load balancer.
    fn beside(&self) -> String {
        match self {
            Self::Arn(arn) => format!("{}/*", without_last(arn.as_str())),
            Self::Of(balancer) => listener_of(balancer),
        }
    }
}

fn as_rules(listener: &str) -> String {
    listener.replacen(":listener/", ":listener-rule/", 1)
}

fn without_last(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(before, _)| before)
}

/// The placeholders of the table, each with its values: one, several or none. A value may
/// itself contain a later placeholder.
struct Names(Vec<(&'static str, Vec<String>)>);

impl Names {
    fn add_own(&mut self, app: &AppName, place: &AwsPlace) {
        self.0.push(("{stack}", vec![app.stack_name()]));
        self.0.push(("{app}", vec![app.to_string()]));
        let account = place.account.as_ref().map(AccountId::as_str);
        self.add_place(place.region.as_deref(), account);
    }

    fn add_place(&mut self, region: Option<&str>, account: Option<&str>) {
        for (open, name) in [("{region}", region), ("{account}", account)] {
            self.0.push((open, vec![name.unwrap_or("*").to_owned()]));
        }
    }

    fn policy(&self, grants: &[&[Grant]]) -> Value {
        let grants = grants.iter().copied().flatten();
        let statements: Vec<Value> = grants.filter_map(|grant| self.statement(grant)).collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    /// None if it applies to nothing.
    fn statement(&self, grant: &Grant) -> Option<Value> {
        let actions: Vec<&str> = grant.needs.iter().map(|need| need.action).collect();
        let on: Vec<String> = grant.on.iter().flat_map(|on| self.filled(on)).collect();
        if on.is_empty() {
            return None;
        }
        let mut statement = json!({
            "Sid": grant.sid,
            "Effect": "Allow",
            "Action": actions,
            "Resource": on,
        });
        if let Some(condition) = &grant.condition {
            statement["Condition"] = self.condition(condition);
        }
        Some(statement)
    }

    fn condition(&self, condition: &PolicyCondition) -> Value {
        let values = condition.values.iter();
        let values: Vec<String> = values.flat_map(|v| self.filled(v)).collect();
        let test = Map::from_iter([(condition.key.to_owned(), json!(values))]);
        Value::Object(Map::from_iter([(
            condition.operator.to_owned(),
            Value::Object(test),
        )]))
    }

    /// The text with every combination of values for its placeholders.
    fn filled(&self, text: &str) -> Vec<String> {
        let mut all = vec![text.to_owned()];
        for (open, names) in &self.0 {
            let each = |text: String| match text.contains(open) {
                true => names.iter().map(|it| text.replace(open, it)).collect(),
                false => vec![text],
            };
            all = all.into_iter().flat_map(each).collect();
        }
        all
    }
}

#[cfg(test)]
mod tests;
