//! Jobs of a set: a queue worker that no load balancer leads to, a schedule of
//! EventBridge Scheduler and a rule of EventBridge.

use localstack::gate::faults::Fault;
use serde_json::{Value, json};

use super::{ELB, Shop};
use crate::support::Outcome;
use crate::world::{V2, string};

/// A family of theirs is in front of each.
const JOBS: [&str; 3] = ["mailer", "nightly", "hourly"];

/// A shop whose jobs run the image of its backend, as they were made by its people.
struct JobShop(Shop);

impl JobShop {
    /// With release 1 of all live, and release 2 to be built.
    fn new(name: &str) -> Outcome<Self> {
        let it = Self(Shop::new(name)?);
        it.make()?;
        it.lay_out(&JOBS)?;
        Ok(it)
    }

    fn lay_out(&self, jobs: &[&str]) -> Outcome {
        let Self(shop) = self;
        let desk = &shop.0.desk;
        shop.lay_out(V2)?;
        let mut set = std::fs::read_to_string(desk.path().join("set.toml"))?;
        for job in jobs {
            set += &format!("[[job]]\nname = '{job}'\nconfig = 'jobs/{job}.toml'\n");
        }
        desk.write("set.toml", &set)?;
        let cluster = self.cluster();
        desk.write(
            "jobs/mailer.toml",
            &format!("[job]\ncluster = '{cluster}'\nservice = 'mailer'\n"),
        )?;
        let nightly = self.family("nightly");
        desk.write(
            "jobs/nightly.toml",
            &format!("[job]\nschedule = '{nightly}'\n"),
        )?;
        let hourly = self.family("hourly");
        desk.write("jobs/hourly.toml", &format!("[job]\nrule = '{hourly}'\n"))?;
        Ok(())
    }

    fn cluster(&self) -> String {
        format!("bgecs-{}-b", self.0.0.app)
    }

    fn family(&self, job: &str) -> String {
        format!("{}-{job}", self.0.0.app)
    }

    /// The service, the schedule and the rule, by revisions that are the backend's but
    /// for the family.
    fn make(&self) -> Outcome {
        let api = &self.0.0.api;
        let live = string(&self.0.of("backend", 0, &["status"])?, "/live")?;
        let asked = json!({ "cluster": self.cluster(), "services": [live] });
        let service = api.ecs("DescribeServices", &asked)?["services"][0].take();
        let asked = json!({ "taskDefinition": service["taskDefinition"] });
        let definition = api.ecs("DescribeTaskDefinition", &asked)?["taskDefinition"].take();
        for job in JOBS {
            let mut body = json!({});
            for key in [
                "containerDefinitions",
                "cpu",
                "memory",
                "networkMode",
                "requiresCompatibilities",
                "executionRoleArn",
            ] {
                if !definition[key].is_null() {
                    body[key] = definition[key].clone();
                }
            }
            body["family"] = json!(self.family(job));
            body["tags"] = json!([{ "key": "team", "value": "shop" }]);
            api.ecs("RegisterTaskDefinition", &body)?;
        }
        let asked = json!({
            "cluster": self.cluster(),
            "serviceName": "mailer",
            "taskDefinition": self.family("mailer"),
            "desiredCount": 1,
            "launchType": "FARGATE",
            "networkConfiguration": service["networkConfiguration"],
        });
        api.ecs("CreateService", &asked)?;
        let cluster = json!(format!(
            "arn:aws:ecs:us-east-1:000000000000:cluster/{}",
            self.cluster()
        ));
        let role = "arn:aws:iam::000000000000:role/events";
        // Without its revision: whichever is the newest.
        let family = format!(
            "arn:aws:ecs:us-east-1:000000000000:task-definition/{}",
            self.family("nightly")
        );
        let schedule = json!({
            "ScheduleExpression": "cron(0 3 1 1 ? 2099)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "Description": "the books",
            "FlexibleTimeWindow": { "Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5 },
            "Target": {
                "Arn": cluster,
                "RoleArn": role,
                "Input": "{}",
                "RetryPolicy": { "MaximumRetryAttempts": 2 },
                "EcsParameters": { "TaskDefinitionArn": family, "TaskCount": 1 },
            },
        });
        let path = format!("POST /schedules/{}", self.family("nightly"));
        api.rest("scheduler", &path, &schedule.to_string())?;
        let rule = self.family("hourly");
        let asked = json!({ "Name": rule, "ScheduleExpression": "rate(1000 days)" });
        api.json("events", "AWSEvents.PutRule", &asked)?;
        let revision = format!(
            "arn:aws:ecs:us-east-1:000000000000:task-definition/{}:1",
            self.family("hourly")
        );
        let asked = json!({ "Rule": rule, "Targets": [{
            "Id": "task",
            "Arn": cluster,
            "RoleArn": role,
            "Input": "{\"a\":1}",
            "EcsParameters": { "TaskDefinitionArn": revision, "TaskCount": 1 },
        }]});
        api.json("events", "AWSEvents.PutTargets", &asked)?;
        Ok(())
    }

    fn schedule(&self) -> Outcome<Value> {
        let path = format!("GET /schedules/{}", self.family("nightly"));
        let text = self.0.0.api.rest("scheduler", &path, "")?;
        Ok(serde_json::from_str(&text)?)
    }

    fn target(&self) -> Outcome<Value> {
        let asked = json!({ "Rule": self.family("hourly") });
        let api = &self.0.0.api;
        Ok(api.json("events", "AWSEvents.ListTargetsByRule", &asked)?["Targets"][0].take())
    }

    /// By its family and number, what each job runs by, as AWS tells it.
    fn revisions(&self) -> Outcome<[String; 3]> {
        let asked = json!({ "cluster": self.cluster(), "services": ["mailer"] });
        let service = self.0.0.api.ecs("DescribeServices", &asked)?;
        let short = |arn: String| arn.rsplit('/').next().unwrap_or_default().to_owned();
        let pointer = "/EcsParameters/TaskDefinitionArn";
        Ok([
            string(&service, "/services/0/taskDefinition")?,
            string(&self.schedule()?["Target"], pointer)?,
            string(&self.target()?, pointer)?,
        ]
        .map(short))
    }

    fn first(&self) -> [String; 3] {
        JOBS.map(|job| format!("{}:1", self.family(job)))
    }

    /// All modules and jobs run that release, and nothing is unfinished.
    fn expect_all(&self, tag: &str) -> Outcome {
        assert_eq!(self.0.live()?, [tag, tag]);
        match tag {
            "1" => assert_eq!(self.revisions()?, self.first()),
            _ => {
                let status = self.0.0.done_json(&["release", "status"])?;
                for n in 0..JOBS.len() {
                    let its = &status["jobs"][n]["tag"];
                    assert_eq!(its, tag, "{status:#}");
                }
            }
        }
        self.0.expect_settled()
    }
}

#[test]
fn jobs_run_by_the_release_once_all_modules_are_live_and_go_back_with_it() -> Outcome {
    let jobs = JobShop::new("jobs")?;
    let world = &jobs.0.0;
    let (schedule, target) = (jobs.schedule()?, jobs.target()?);
    let plan = world.done(&["release", "--tag", "2", "--dry-run"])?;
    let last = format!(
        "once all modules are live, switch the schedule default/{} to it",
        jobs.family("nightly")
    );
    assert!(plan.stdout.contains(&last), "{}", plan.shown());
    let before = world.gate.calls().mark();
    let done = world.done_json(&["release", "--tag", "2"])?;
    assert_eq!(done["outcome"], "released", "{done:#}");
    assert_eq!(done["jobs"][0]["outcome"], "live", "{done:#}");
    jobs.expect_all("2")?;
    let calls = world.gate.calls().since(before);
    let last = |is_it: &dyn Fn(&localstack::gate::record::Call) -> bool| {
        calls.iter().rposition(is_it).ok_or("it was never called")
    };
    let moved = last(&|it| it.is(ELB, "ModifyListener"))?;
    let job = last(&|it| it.is("events", "PutTargets"))?;
    assert!(moved < job, "{moved} and {job}");

    // All else is as it was.
    let [revision, image] = [&jobs.schedule()?, &schedule].map(|it| {
        let mut it = it.clone();
        let revision = it["Target"]["EcsParameters"]["TaskDefinitionArn"].take();
        it["LastModificationDate"] = json!(null);
        (revision, it)
    });
    assert_eq!(revision.1, image.1);
    let mut after = jobs.target()?;
    after["EcsParameters"]["TaskDefinitionArn"] =
        target["EcsParameters"]["TaskDefinitionArn"].clone();
    assert_eq!(after, target);
    let asked = json!({ "taskDefinition": revision.0, "include": ["TAGS"] });
    let described = world.api.ecs("DescribeTaskDefinition", &asked)?;
    let container = &described["taskDefinition"]["containerDefinitions"][0];
    let image = string(container, "/image")?;
    assert!(image.contains("@sha256:"), "{image}");
    let tags = described["tags"].as_array().ok_or("no tags")?;
    assert!(tags.contains(&json!({ "key": "team", "value": "shop" })));

    let again = world.done_json(&["release", "--tag", "2"])?;
    assert_eq!(again["outcome"], "unchanged", "{again:#}");
    let back = world.done_json(&["release", "--rollback", "--window", "0s"])?;
    assert_eq!(back["outcome"], "went_back", "{back:#}");
    jobs.expect_all("1")
}

#[test]
fn a_job_that_cannot_be_moved_turns_all_back() -> Outcome {
    let jobs = JobShop::new("lame")?;
    let world = &jobs.0.0;
    let faults = world.gate.faults();
    let refused = faults.add(Fault::on("events", "PutTargets").throttle());
    let before = world.gate.calls().mark();
    let ended = world.ends(3, &["release", "--tag", "2", "--json"])?;
    faults.remove(refused);
    let result = ended.json()?;
    assert_eq!(result["outcome"], "rolled_back", "{}", ended.shown());
    let reason = string(&result, "/reason")?;
    assert!(reason.starts_with("hourly: "), "{}", ended.shown());
    jobs.expect_all("1")?;
    // They go back ahead of the modules.
    let calls = world.gate.calls().since(before);
    let job = calls.iter().rposition(|it| it.is("ecs", "UpdateService"));
    let module = calls.iter().rposition(|it| it.is(ELB, "ModifyListener"));
    assert!(job < module, "{job:?} and {module:?}");
    Ok(())
}

#[test]
fn a_set_with_jobs_that_is_killed_ends_whole() -> Outcome {
    let jobs = JobShop::new("slain")?;
    let world = &jobs.0.0;
    let line = ["release", "--tag", "2", "--window", "0s"];
    // Two deploys and one module are written down, and the other module is not.
    let at = Fault::on("dynamodb", "PutItem").nth(4).hold_before();
    world.killed_in(at, &line)?;
    jobs.0.of("frontend", 0, &["resume"])?;
    jobs.expect_all("2")?;
    // Who gets away from a release goes on.
    let back = ["release", "--rollback", "--window", "0s"];
    let at = Fault::on("events", "PutTargets").hold_after();
    world.killed_in(at, &back)?;
    jobs.0.of("backend", 0, &["resume"])?;
    jobs.expect_all("1")?;
    for at in [
        Fault::on("events", "PutTargets").hold_before(),
        Fault::on("events", "PutTargets").hold_after(),
        Fault::on(ELB, "ModifyListener").nth(2).hold_after(),
    ] {
        world.killed_in(at, &line)?;
        jobs.0.of("frontend", 0, &["resume"])?;
        jobs.expect_all("1")?;
    }
    Ok(())
}

#[test]
fn what_can_be_no_job_is_refused_ahead_of_anything() -> Outcome {
    let jobs = JobShop::new("unfit")?;
    let world = &jobs.0.0;
    let live = string(&jobs.0.of("backend", 0, &["status"])?, "/live")?;
    let cluster = jobs.cluster();
    let hourly = jobs.family("hourly");
    for (file, code, part) in [
        (
            format!("[job]\ncluster = '{cluster}'\nservice = '{live}'\n"),
            1,
            "it is behind a load balancer",
        ),
        (
            "[job]\nrule = 'nowhere'\n".to_owned(),
            1,
            "or there is no such rule",
        ),
        (
            "[job]\nschedule = 'nowhere'\n".to_owned(),
            6,
            "there is no schedule default/nowhere",
        ),
        (
            format!("[job]\nrule = '{hourly}'\ntarget = 'other'\n"),
            1,
            "it has no target `other`",
        ),
        (
            format!("[job]\ncluster = '{cluster}'\nservice = 'mailer'\ncontainer = 'web'\n"),
            6,
            "no container `web`",
        ),
        (
            format!("[job]\nrule = '{hourly}'\n"),
            2,
            "the jobs mailer and hourly are both the",
        ),
        ("app = 'shop'\n".to_owned(), 2, "a section [job]"),
    ] {
        world.desk.write("jobs/mailer.toml", &file)?;
        let ended = world.ends(code, &["release", "--tag", "2", "--dry-run"])?;
        assert!(ended.stderr.contains(part), "{}", ended.shown());
    }
    jobs.lay_out(&JOBS)?;
    let alone = ["release", "--tag", "2", "--only", "mailer"];
    let ended = world.ends(2, &alone)?;
    assert!(
        ended.stderr.contains("jobs go with a module"),
        "{}",
        ended.shown()
    );
    let ended = world.ends(2, &["status", "--config", "jobs/mailer.toml"])?;
    assert!(
        ended.stderr.contains("this is the file of a job"),
        "{}",
        ended.shown()
    );
    Ok(())
}
