//! The policies that `init --print-policy` prints, against what bgecs calls.

#[expect(
    dead_code,
    reason = "what is allowed on which resources is taken from the printed policies"
)]
#[path = "../../src/aws/policy/table/mod.rs"]
pub mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use localstack::Options;
use localstack::gate::faults::Fault;
use localstack::gate::record::Mark;
use serde_json::{Value, json};

use crate::access::User;
use crate::attaching::{FILE, company};
use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V1, V2, World, error, greeter};
use table::{
    ATTACHING, DEPLOYER, GIVEN, GIVEN_NETWORK, Grant, MOVE_LISTENER, MOVE_RULE, MOVE_TEST_LISTENER,
    MOVE_TEST_RULE, NAMED_TESTERS, NAT_GATEWAYS, NOTHING, OPERATOR_TOO, OWN_LISTENER, OWN_NETWORK,
    PRIVATE_NETWORK, WhyNeeded,
};

/// Those that a deployer may not run.
const OPERATORS: [&str; 2] = ["init", "destroy"];
const ATTACHERS: [&str; 2] = ["attach", "detach"];
/// For how long somebody else holds the lease.
const A_WHILE: Duration = Duration::from_secs(3);

/// Which commands made which calls.
type Heard = BTreeMap<String, BTreeSet<String>>;
type Called = BTreeMap<&'static str, BTreeSet<&'static str>>;

impl World {
    fn policy(&self, role: &str) -> Outcome<Value> {
        self.done(&["init", "--print-policy", role])?.json()
    }

    /// Runs it, and writes down what it called.
    fn heard(&self, heard: &mut Heard, code: i32, arguments: &[&str]) -> Outcome {
        let before = self.gate.calls().mark();
        self.ends(code, arguments)?;
        self.write_down(heard, before, arguments[0]);
        Ok(())
    }

    fn write_down(&self, heard: &mut Heard, since: Mark, command: &str) {
        for call in self.gate.calls().since(since) {
            // Whoever has credentials may ask whose they are.
            if call.is("sts", "GetCallerIdentity") {
                continue;
            }
            // As IAM calls it.
            let service = match call.service.as_str() {
                "monitoring" => "cloudwatch",
                service => service,
            };
            let action = format!("{service}:{}", called(&call.operation));
            let commands = heard.entry(action).or_default();
            commands.insert(command.to_owned());
        }
    }

    /// A deploy that is interrupted once it has registered its revision.
    fn registered_and_interrupted(&self, heard: &mut Heard) -> Outcome {
        let before = self.gate.calls().mark();
        let registering = Fault::on("ecs", "RegisterTaskDefinition").hold_after();
        let held = self.gate.faults().add(registering);
        let deploying = self.start(&["deploy", V1, "--tag", "6"])?;
        self.until_held(held)?;
        deploying.signal("INT")?;
        deploying.ends(130)?;
        self.gate.faults().remove(held);
        self.write_down(heard, before, "deploy");
        Ok(())
    }

    /// The life of an app, with all that makes bgecs ask more than usual.
    fn whole_life(&self) -> Outcome<Heard> {
        let mut heard = Heard::new();
        let mut ends = |code, arguments: &[&str]| self.heard(&mut heard, code, arguments);
        ends(0, &["init"])?;
        let migrates = "[hooks]\nbefore_shift = { run = [\"migrate\"] }\n";
        let file = self.file()?;
        self.configure_more(migrates)?;
        ends(0, &["deploy", V1, "--tag", "1", "--color", "green"])?;
        self.desk.write("bgecs.toml", &file)?;
        ends(0, &["deploy", V2, "--tag", "2"])?;
        self.measures_errors()?;
        self.configure_more(
            "[logs]\nretention_days = 7\n\n\
             [shift]\nalarms = [\"errors\"]\nalarms_without_data = \"ignore\"\n",
        )?;
        ends(0, &["init"])?;
        // Whether a tag that is taken can be moved.
        ends(6, &["deploy", V1, "--tag", "2"])?;
        // One more tag for what is in the repository.
        let image = format!("{}/{}:2", self.registry(), self.stack());
        ends(0, &["deploy", "--image", &image, "--tag", "again"])?;
        let file = self.file()?;
        self.configure_more(
            "[hooks]\nbefore_shift = { run = [\"migrate\", \"600\"] }\ntimeout = \"1s\"\n",
        )?;
        ends(6, &["promote"])?;
        self.desk.write("bgecs.toml", &file)?;
        self.configure_more(migrates)?;
        // A policy of green's, and a schedule, for blue to have.
        self.scale_between("green", 1, 3)?;
        self.scale_by_requests("green")?;
        ends(0, &["promote"])?;
        self.desk.write("bgecs.toml", &file)?;
        ends(0, &["rollback"])?;
        ends(0, &["status"])?;
        ends(0, &["logs"])?;
        ends(0, &["run", "--", "migrate"])?;
        ends(5, &["run", "--timeout", "1s", "--", "migrate", "600"])?;
        ends(0, &["probe", "--duration", "300ms"])?;
        // As if its owner had not known that it is at rest.
        self.scale_between("blue", 0, 3)?;
        self.scaling(
            "RegisterScalableTarget",
            "blue",
            &json!({ "SuspendedState": {
                "DynamicScalingInSuspended": false,
            }}),
        )?;
        ends(0, &["retire"])?;
        ends(0, &["adopt"])?;
        ends(0, &["history"])?;
        self.lease_to_bob(A_WHILE)?;
        ends(0, &["unlock", "--force"])?;
        // In the line for a lease that is not renewed.
        self.lease_to_bob(A_WHILE)?;
        ends(
            0,
            &[
                "deploy", V2, "--tag", "4", "--color", "blue", "--wait", "1m",
            ],
        )?;
        self.registered_and_interrupted(&mut heard)?;
        let mut ends = |code, arguments: &[&str]| self.heard(&mut heard, code, arguments);
        // A revision that no service was told of, and a swap that was cut off.
        let registering = Fault::on("ecs", "RegisterTaskDefinition");
        self.killed_in(registering.hold_after(), &["deploy", V1, "--tag", "5"])?;
        ends(0, &["resume"])?;
        let swapping = Fault::on("elasticloadbalancing", "ModifyListener");
        self.killed_in(swapping.hold_after(), &["promote"])?;
        ends(0, &["resume"])?;
        // Why a task ended, and its last words.
        self.configure("environment = { GREETER_CRASH = \"1\" }")?;
        ends(1, &["deploy", V2, "--tag", "3"])?;
        ends(0, &["destroy", "--yes"])?;
        Ok(heard)
    }
}

/// A call of REST by its name.
pub fn called(operation: &str) -> &str {
    match operation {
        "GET /2013-04-01/hostedzone" => "ListHostedZones",
        it if it.starts_with("GET /2013-04-01/hostedzone/") => "ListResourceRecordSets",
        it => it,
    }
}

/// The actions that a policy allows, whatever the resources.
pub fn actions(policy: &Value) -> BTreeSet<&str> {
    let statements = policy["Statement"].as_array().into_iter().flatten();
    let actions = statements.flat_map(|statement| statement["Action"].as_array());
    actions.flatten().filter_map(Value::as_str).collect()
}

/// What these tables say is called, and by which commands, but for some.
fn said_to_be_called(tables: &[&[Grant]], but: [&str; 2]) -> Called {
    let needs = tables.iter().copied().flatten().flat_map(|g| g.needs);
    let called = needs.filter_map(|need| match need.why {
        WhyNeeded::Called(by) => {
            let by = by.iter().copied().filter(|command| !but.contains(command));
            Some((need.action, by.collect()))
        }
        WhyNeeded::Registry(_) | WhyNeeded::Stack(_) | WhyNeeded::Mending | WhyNeeded::Along(_) => {
            None
        }
    });
    called.collect()
}

/// Swaps first let a colour grow that has fewer tasks than the live one, and wait
/// for it just as a deploy does, which calls the same.
fn only_to_grow(command: &str, action: &str) -> bool {
    let waiting = [
        "ecs:UpdateService",
        "ecs:ListTasks",
        "ecs:DescribeTasks",
        "logs:GetLogEvents",
    ];
    matches!(command, "promote" | "rollback") && waiting.contains(&action)
}

/// Nobody moves users by hand in this life.
fn only_after_a_hand(command: &str, action: &str) -> bool {
    command == "adopt" && action.starts_with("application-autoscaling:")
}

/// What goes on with a swap asks the alarms, too, if it lasts long enough.
fn only_if_it_lasts(command: &str, action: &str) -> bool {
    (command, action) == ("resume", "cloudwatch:DescribeAlarms")
}

#[test]
fn the_policies_allow_what_is_called_and_nothing_else() -> Outcome {
    greeter()?;
    let world = World::new("rights")?;
    let (deployer, operator) = (world.policy("deployer")?, world.policy("operator")?);
    world.hosted_zone("shop.test", "")?;
    let heard = world.whole_life()?;
    let tables = [
        DEPLOYER,
        MOVE_LISTENER,
        OPERATOR_TOO,
        OWN_NETWORK,
        PRIVATE_NETWORK,
        NAT_GATEWAYS,
    ];
    let said = said_to_be_called(&tables, ATTACHERS);
    let wrong = wrong(&heard, &said, (&deployer, &operator), OPERATORS);
    assert!(wrong.is_empty(), "{}\n{heard:#?}", wrong.join("\n"));
    Ok(())
}

/// Whoever is given all of it asks for more, of `init` alone.
#[test]
fn an_operator_may_look_at_what_is_given() -> Outcome {
    let world = World::new("lookedat")?;
    world.give_all()?;
    let operator = world.policy("operator")?;
    let mut heard = Heard::new();
    world.heard(&mut heard, 0, &["init"])?;
    let said = said_to_be_called(&[GIVEN, GIVEN_NETWORK], ATTACHERS);
    for action in said.keys() {
        let is_heard = heard.get(*action).is_some_and(|by| by.contains("init"));
        assert!(is_heard, "{action}\n{heard:#?}");
    }
    let (deployer, operators) = (world.policy("deployer")?, actions(&operator));
    let everything: BTreeSet<&str> = operators.union(&actions(&deployer)).copied().collect();
    for action in heard.keys() {
        assert!(everything.contains(action.as_str()), "{action}");
    }
    world.done(&["destroy", "--yes"])?;
    Ok(())
}

/// What is called and not allowed, or not in the table; and what the table has and
/// nothing called.
fn wrong(
    heard: &Heard,
    said: &Called,
    (deployer, operator): (&Value, &Value),
    operators: [&str; 2],
) -> Vec<String> {
    // An operator has both.
    let releasing = actions(deployer);
    let everything: BTreeSet<&str> = actions(operator).union(&releasing).copied().collect();
    let mut wrong = Vec::new();
    for (action, commands) in heard {
        for command in commands {
            let is_operators = operators.contains(&command.as_str());
            let allowed = if is_operators {
                &everything
            } else {
                &releasing
            };
            if !allowed.contains(action.as_str()) {
                wrong.push(format!("{command} calls {action}, which is not allowed"));
            }
            let by = said.get(action.as_str());
            if !by.is_some_and(|by| by.contains(command.as_str())) {
                wrong.push(format!("{command} calls {action}, says no table"));
            }
        }
    }
    for (action, by) in said {
        for command in by {
            let may_be_spared = only_to_grow(command, action)
                || only_if_it_lasts(command, action)
                || only_after_a_hand(command, action);
            if !may_be_spared && !heard.get(*action).is_some_and(|h| h.contains(*command)) {
                wrong.push(format!("{command} never calls {action}"));
            }
        }
    }
    wrong
}

/// Allows one of the policy's own actions on more than AWS asks for: MiniStack
/// takes the cluster for the resource of every call that names one.
pub fn widen(policy: &mut Value, action: &str, on: &str) {
    assert!(actions(policy).contains(action), "{action}");
    let more = json!({ "Effect": "Allow", "Action": action, "Resource": on });
    if let Some(statements) = policy["Statement"].as_array_mut() {
        statements.push(more);
    }
}

#[test]
fn a_deployer_can_release_and_nothing_else() -> Outcome {
    let world = World::with("granted", Options::default().auth(true))?;
    greeter()?;
    world.done(&["init"])?;
    let mut policy = world.policy("deployer")?;
    for action in [
        "DescribeServices",
        "DescribeTasks",
        "CreateService",
        "UpdateService",
        "RunTask",
    ] {
        let cluster = "arn:*:ecs:*:*:cluster/bgecs-granted";
        widen(&mut policy, &format!("ecs:{action}"), cluster);
    }
    // And of no repository's name does it make a resource.
    widen(&mut policy, "ecr:DescribeRepositories", "*");
    let ci = User::with(&world, "ci", &policy.to_string())?;
    let done = |arguments: &[&str]| -> Outcome {
        let ended = ci.bgecs(arguments)?;
        assert_eq!(ended.code, Some(0), "{}", ended.shown());
        Ok(())
    };
    done(&["deploy", V1, "--tag", "1", "--color", "green"])?;
    done(&["deploy", V2, "--tag", "2"])?;
    done(&["promote"])?;
    world.expect_answers(FRENCH, ENGLISH)?;
    done(&["rollback"])?;
    world.expect_answers(ENGLISH, FRENCH)?;
    done(&["retire"])?;
    done(&["status"])?;
    done(&["logs"])?;
    done(&["run", "--", "migrate"])?;
    done(&["probe", "--duration", "300ms"])?;

    world.desk.write("other.toml", "app = \"other\"\n")?;
    world.configure_more("[logs]\nretention_days = 7\n")?;
    let before = world.status()?;
    for (arguments, missing) in [
        (&["init"][..], "cloudformation:GetTemplate on bgecs-granted"),
        (&["destroy", "--yes"], "ecs:DeleteService on bgecs-granted"),
        (
            &["status", "--config", "other.toml"],
            "cloudformation:DescribeStacks on bgecs-other",
        ),
    ] {
        let denied = ci.bgecs(arguments)?;
        assert_eq!(denied.code, Some(1), "{}", denied.shown());
        let said = error(&denied);
        assert!(said.contains(missing), "{missing}:\n{said}");
    }
    assert_eq!(world.status()?, before);
    Ok(())
}

/// The life of an app beside a service that ran before.
fn attached_life(world: &World) -> Outcome<Heard> {
    let mut heard = Heard::new();
    let mut ends = |code, arguments: &[&str]| world.heard(&mut heard, code, arguments);
    ends(0, &["attach"])?;
    ends(0, &["attach"])?;
    ends(0, &["deploy", V2, "--tag", "2"])?;
    ends(0, &["promote"])?;
    ends(0, &["rollback"])?;
    for looking in ["status", "history", "logs"] {
        ends(0, &[looking])?;
    }
    ends(0, &["run", "--", "migrate"])?;
    ends(5, &["run", "--timeout", "1s", "--", "migrate", "600"])?;
    ends(0, &["probe", "--duration", "300ms"])?;
    ends(0, &["retire"])?;
    ends(0, &["adopt"])?;
    ends(0, &["detach"])?;
    Ok(heard)
}

#[test]
fn the_policies_of_an_attached_app_allow_what_is_called() -> Outcome {
    let world = World::with_v1_live("beside")?;
    let _company = company(&world)?;
    world.hosted_zone("shop.test", "")?;
    for (test, tables) in [
        ("", [&[][..], NOTHING]),
        ("host = \"next.test\"", [MOVE_TEST_RULE, NAMED_TESTERS]),
        ("port = 8082", [MOVE_TEST_LISTENER, OWN_LISTENER]),
    ] {
        world
            .desk
            .write("bgecs.toml", &format!("{FILE}\n[test]\n{test}\n"))?;
        let printed =
            |role| -> Outcome<Value> { world.done(&["attach", "--print-policy", role])?.json() };
        let (deployer, operator) = (printed("deployer")?, printed("operator")?);
        let heard = attached_life(&world)?;
        let [moving, making] = tables;
        let tables = [DEPLOYER, MOVE_RULE, moving, ATTACHING, making];
        let said = said_to_be_called(&tables, OPERATORS);
        let all = wrong(&heard, &said, (&deployer, &operator), ATTACHERS);
        // What cuts off and meets others is in the life of an app of bgecs's own.
        let is_rare = |line: &&String| !line.contains(" never calls ");
        let called: Vec<&String> = all.iter().filter(is_rare).collect();
        assert!(called.is_empty(), "{test}: {called:#?}\n{heard:#?}");
        // And the grants that only such an app has are all called for.
        let own = said_to_be_called(&tables[1..], OPERATORS);
        for action in own.keys() {
            // An update takes a change of the running service's, and the company's
            // users come by plain HTTP.
            let may_be_spared = [
                "cloudformation:UpdateStack",
                "acm:DescribeCertificate",
                "elasticloadbalancing:DescribeListenerCertificates",
            ]
            .contains(action);
            assert!(
                may_be_spared || heard.contains_key(*action),
                "{test}: {action} is never called"
            );
        }
    }
    Ok(())
}
