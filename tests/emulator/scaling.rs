//! What scales users' colour goes with them, and the other one is at rest: with tasks that
//! nothing takes away, or without any that something could start.

use localstack::gate::faults::Fault;
use serde_json::{Value, json};

use crate::attaching::company;
use crate::canary::expect_said;
use crate::support::Outcome;
use crate::world::{V2, World};

/// The least and the most tasks, and whether all of its scaling is suspended.
type Target = Option<(i64, i64, bool)>;

const OWNERS: Target = Some((2, 10, false));
const AT_REST: Target = Some((0, 10, true));

impl World {
    pub fn scaling(&self, operation: &str, color: &str, more: &Value) -> Outcome<Value> {
        self.scaling_of(&format!("{}/{color}", self.stack()), operation, more)
    }

    /// Of a service that is named with its cluster.
    pub fn scaling_of(&self, service: &str, operation: &str, more: &Value) -> Outcome<Value> {
        let mut asked = json!({
            "ServiceNamespace": "ecs",
            "ResourceId": format!("service/{service}"),
            "ScalableDimension": "ecs:service:DesiredCount",
        });
        let object = asked.as_object_mut().ok_or("not an object")?;
        object.extend(more.as_object().cloned().unwrap_or_default());
        let target = format!("AnyScaleFrontendService.{operation}");
        self.api.json("application-autoscaling", &target, &asked)
    }

    pub fn scale_between(&self, color: &str, least: i32, most: i32) -> Outcome {
        let bounds = json!({ "MinCapacity": least, "MaxCapacity": most });
        self.scaling("RegisterScalableTarget", color, &bounds)?;
        Ok(())
    }

    /// By the requests of its own targets, and less at night.
    pub fn scale_by_requests(&self, color: &str) -> Outcome {
        let policy = json!({
            "PolicyName": "requests",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 100,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ALBRequestCountPerTarget",
                    "ResourceLabel": self.label(color)?,
                },
            },
        });
        self.scaling("PutScalingPolicy", color, &policy)?;
        let night = json!({
            "ScheduledActionName": "night", "Schedule": "cron(0 22 * * ? *)",
            "ScalableTargetAction": { "MinCapacity": 1 },
        });
        self.scaling("PutScheduledAction", color, &night)?;
        Ok(())
    }

    fn label(&self, color: &str) -> Outcome<String> {
        let group = self.target_group(color)?;
        let at = group.find("targetgroup/").ok_or("it is no ARN")?;
        Ok(format!("app/lb/1/{}", &group[at..]))
    }

    fn target(&self, color: &str) -> Outcome<Target> {
        self.target_of(&format!("{}/{color}", self.stack()))
    }

    fn target_of(&self, service: &str) -> Outcome<Target> {
        let asked = json!({ "ResourceIds": [format!("service/{service}")] });
        let told = self.scaling_of(service, "DescribeScalableTargets", &asked)?;
        let it = &told["ScalableTargets"][0];
        let suspended = it["SuspendedState"].as_object();
        let mut suspended = suspended.into_iter().flat_map(|it| it.values());
        let bounds = it["MinCapacity"].as_i64().zip(it["MaxCapacity"].as_i64());
        Ok(bounds.map(|(least, most)| (least, most, suspended.all(|it| *it == true))))
    }

    fn expect_scaled(&self, what: &str, blue: Target, green: Target) -> Outcome {
        let found = (self.target("blue")?, self.target("green")?);
        assert_eq!(found, (blue, green), "{what}");
        Ok(())
    }

    /// On either colour the owner's bounds, wherever users are; and the other one at rest,
    /// or not known at all.
    fn expect_roles(&self, what: &str) -> Outcome {
        let live = self.status()?["live"].as_str().map(str::to_owned);
        let (live, idle) = match live.as_deref() {
            Some("blue") => ("blue", "green"),
            _ => ("green", "blue"),
        };
        assert_eq!(self.target(live)?, OWNERS, "{what}: {live} is live");
        let resting = self.target(idle)?;
        assert!(
            resting.is_none() || resting == AT_REST,
            "{what}: {idle} is {resting:?}"
        );
        Ok(())
    }

    fn desired(&self, color: &str) -> Outcome<Value> {
        Ok(self.status()?["colors"][color]["desired"].clone())
    }

    fn until_twice(&self, color: &str) -> Outcome {
        self.until("as many run as it is told", || {
            Ok(self.status()?["colors"][color]["running"] == 2)
        })
    }

    /// Tag 2 is idle on blue; green is live, with two tasks, and scaled.
    fn with_green_scaled(app: &str) -> Outcome<Self> {
        let world = Self::with_v2_idle(app)?;
        world.scale_between("green", 2, 10)?;
        world.scale_by_requests("green")?;
        world.until_twice("green")?;
        Ok(world)
    }
}

#[test]
fn what_scales_users_goes_with_them() -> Outcome {
    let world = World::with_green_scaled("scaled")?;
    let planned = world.done(&["promote", "--dry-run"])?;
    for step in [
        "have blue scaled as green is, with as many tasks",
        "have blue scaled from 2 to 10 tasks",
        "suspend what scales green",
    ] {
        assert!(planned.stdout.contains(step), "{step}: {}", planned.shown());
    }
    let done = world.done(&["promote", "--window", "1s"])?;
    expect_said(
        &done,
        &[
            "blue is scaled from 2 to 10 tasks",
            "the scaling of green is suspended",
        ],
    );
    expect_said(
        &done,
        &[
            "blue is scaled as green is",
            "✓ twin",
            "blue is made like green",
        ],
    );
    world.expect_scaled("promoted", OWNERS, AT_REST)?;
    let status = world.done(&["status"])?;
    let scaled = status.stdout.find("scaled   from 2 to 10 tasks");
    let rests = status.stdout.find("scaled   not until users are there");
    assert!(scaled.is_some() && rests.is_some(), "{}", status.shown());
    assert_eq!(
        (world.desired("blue")?, world.desired("green")?),
        (json!(2), json!(2))
    );
    let policies = world.scaling("DescribeScalingPolicies", "blue", &json!({}))?;
    let policies = policies["ScalingPolicies"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert_eq!(policies.len(), 1, "{policies:#?}");
    let counted =
        "/TargetTrackingScalingPolicyConfiguration/PredefinedMetricSpecification/ResourceLabel";
    assert_eq!(
        policies[0].pointer(counted),
        Some(&world.label("blue")?.into())
    );
    let schedules = world.scaling("DescribeScheduledActions", "blue", &json!({}))?;
    assert_eq!(
        schedules["ScheduledActions"][0]["ScheduledActionName"],
        "night"
    );

    // Its owner wants more of them, wherever users are; and a schedule that blue alone has.
    world.scale_between("blue", 3, 12)?;
    let besides = json!({
        "ScheduledActionName": "besides", "Schedule": "cron(0 1 * * ? *)",
        "ScalableTargetAction": { "MaxCapacity": 1 },
    });
    world.scaling("PutScheduledAction", "blue", &besides)?;
    world.done(&["rollback", "--window", "0s", "--now"])?;
    world.expect_scaled("rolled back", Some((0, 12, true)), Some((3, 12, false)))?;
    world.done(&["retire"])?;
    assert_eq!(world.desired("blue")?, 0);
    // Whoever registers it again, for whatever reason, wakes nothing.
    world.scaling("RegisterScalableTarget", "blue", &json!({}))?;
    assert_eq!(world.desired("blue")?, 0);
    world.done(&["deploy", V2, "--tag", "3"])?;
    let woken = world.done(&["promote", "--window", "0s"])?;
    expect_said(
        &woken,
        &["blue is also scaled by the schedule `besides`, and green is not"],
    );
    world.expect_scaled("woken", Some((3, 12, false)), Some((0, 12, true)))?;
    assert_eq!(world.desired("blue")?, 3);
    world.done(&["destroy", "--yes"])?;
    world.expect_scaled("destroyed", None, None)
}

#[test]
fn a_colour_that_is_scaled_by_itself_stays_retired() -> Outcome {
    let world = World::with_v2_idle("asleep")?;
    world.scale_between("blue", 2, 4)?;
    let planned = world.done(&["retire", "--dry-run"])?;
    let step = "suspend what scales blue, with 0 tasks for its minimum";
    assert!(planned.stdout.contains(step), "{}", planned.shown());
    world.done(&["retire"])?;
    world.expect_scaled("retired", Some((0, 4, true)), None)?;
    world.scaling("RegisterScalableTarget", "blue", &json!({}))?;
    assert_eq!(world.desired("blue")?, 0);
    Ok(())
}

#[test]
fn what_is_not_promoted_is_not_scaled() -> Outcome {
    let world = World::with_green_scaled("refused")?;
    world.configure_more("[hooks]\nbefore_shift = \"false\"\n")?;
    world.ends(6, &["promote", "--window", "1s"])?;
    world.expect_scaled("its hook failed", AT_REST, OWNERS)?;
    world.expect_roles("its hook failed")
}

#[test]
fn a_promotion_that_is_killed_leaves_no_role_half_given() -> Outcome {
    let world = World::with_green_scaled("halves")?;
    let line = ["promote", "--tag", "2", "--window", "0s"];
    for (operation, count) in [("RegisterScalableTarget", 4), ("PutScalingPolicy", 1)] {
        for nth in 1..=count {
            let what = format!("killed at the {nth}th {operation}");
            let on = || Fault::on("application-autoscaling", operation).nth(nth);
            for fault in [on().hold_before(), on().hold_after()] {
                if count == 1 {
                    world.scaling("DeregisterScalableTarget", "blue", &json!({}))?;
                }
                world.killed_in(fault, &line)?;
                world.done(&["resume"])?;
                world.expect_roles(&what)?;
                if world.status()?["live"] == "blue" {
                    world.done(&["rollback", "--window", "0s", "--now"])?;
                    world.expect_roles(&what)?;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_scaled_is_told_and_done_later() -> Outcome {
    let world = World::with_green_scaled("later")?;
    // Two of them ahead of the shift.
    let on = || Fault::on("application-autoscaling", "RegisterScalableTarget");
    let refused = world.gate.faults().add(on().from(3).internal_error());
    let ended = world.ends(1, &["promote", "--window", "0s"])?;
    expect_said(
        &ended,
        &[
            "the scaling of the two colours is not yet as it should be",
            "bgecs resume",
        ],
    );
    assert_eq!(world.status()?["live"], "blue");
    world.gate.faults().remove(refused);
    world.done(&["resume"])?;
    world.expect_scaled("resumed", OWNERS, AT_REST)?;

    // And ahead of it, nothing is begun that cannot be ended.
    world.gate.faults().clear();
    let _refused = world.gate.faults().add(on().from(1).internal_error());
    world.done(&["deploy", V2, "--tag", "4"])?;
    world.ends(1, &["promote", "--window", "0s"])?;
    assert_eq!(world.status()?["live"], "blue");
    world.gate.faults().clear();
    world.done(&["resume"])?;
    world.expect_roles("refused ahead of it")
}

/// By hand, as somebody does in a fright.
#[test]
fn what_scales_users_follows_them_to_where_others_have_brought_them() -> Outcome {
    let world = World::with_green_scaled("follows")?;
    world.done(&["promote", "--window", "0s"])?;
    let listener = world.listener("prod")?;
    world.api.point(&listener, &world.target_group("green")?)?;
    let planned = world.done(&["adopt", "--dry-run"])?;
    let step = "have green scaled from 2 to 10 tasks";
    assert!(planned.stdout.contains(step), "{}", planned.shown());
    world.done(&["adopt"])?;
    world.expect_roles("adopted")?;
    // And what a promotion has begun is over with it.
    let line = ["promote", "--tag", "2", "--window", "0s"];
    let moving = Fault::on("elasticloadbalancing", "ModifyListener");
    world.killed_in(moving.hold_before(), &line)?;
    world.done(&["adopt"])?;
    world.expect_scaled("adopted again", AT_REST, OWNERS)
}

#[test]
fn a_service_that_ran_before_keeps_what_scales_it() -> Outcome {
    let world = World::with_v1_live("kept")?;
    let company = company(&world)?;
    let bounds = json!({ "MinCapacity": 1, "MaxCapacity": 3 });
    world.scaling_of("prod/web", "RegisterScalableTarget", &bounds)?;
    let steps = json!({
        "PolicyName": "steps", "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": { "AdjustmentType": "ChangeInCapacity" },
    });
    world.scaling_of("prod/web", "PutScalingPolicy", &steps)?;
    let policies = || world.scaling_of("prod/web", "DescribeScalingPolicies", &json!({}));
    let before = (company.seen()?, policies()?);
    world.done(&["attach"])?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    let refused = world.ends(6, &["promote"])?;
    expect_said(
        &refused,
        &["✗ twin", "the step scaling policy `steps` of blue"],
    );
    world.scaling_of(
        "prod/web",
        "DeleteScalingPolicy",
        &json!({ "PolicyName": "steps" }),
    )?;
    world.done(&["promote", "--window", "0s"])?;
    assert_eq!(world.target_of("prod/web")?, Some((0, 3, true)));
    assert_eq!(
        world.target_of("prod/bgecs-shop-green")?,
        Some((1, 3, false))
    );
    world.done(&["rollback", "--window", "0s", "--now"])?;
    world.scaling_of("prod/web", "PutScalingPolicy", &steps)?;
    world.done(&["detach"])?;
    assert_eq!(world.target_of("prod/web")?, Some((1, 3, false)));
    assert_eq!(world.target_of("prod/bgecs-shop-green")?, None);
    assert_eq!((company.seen()?, policies()?), before);
    Ok(())
}

#[test]
fn no_task_is_stopped_for_a_maximum_and_that_is_told() -> Outcome {
    let world = World::with_v2_idle("beyond")?;
    world.scale_between("green", 1, 1)?;
    let more = json!({ "cluster": world.stack(), "service": "blue", "desiredCount": 3 });
    world.api.ecs("UpdateService", &more)?;
    world.until("three run", || {
        Ok(world.status()?["colors"]["blue"]["healthy"] == 3)
    })?;
    let done = world.done(&["promote", "--window", "0s"])?;
    expect_said(
        &done,
        &["blue has more tasks than the 1 that its scaling allows: the maximum is 3 now"],
    );
    assert_eq!(world.desired("blue")?, 3);
    world.expect_scaled("promoted", Some((1, 3, false)), Some((0, 1, true)))
}
