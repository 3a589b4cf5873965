//! A set of apps with unlike routers: a record of Route 53 beside a load balancer.

use serde_json::json;

use crate::records::site::Site;
use crate::support::Outcome;
use crate::world::{V1, V2, string};

const MODULES: [&str; 2] = ["api", "web"];

/// `web` is routed to by the record, and `api` by its load balancer.
struct Front(Site);

impl Front {
    /// With release 1 of both live.
    fn new(name: &str, after: &str) -> Outcome<Self> {
        crate::world::greeter()?;
        let front = Self(Site::new(name, &[])?);
        front.lay_out(V1, after)?;
        front.configure("")?;
        let world = &front.0.world;
        world.done(&["init"])?;
        world.done(&["init", "--config", "api/bgecs.toml"])?;
        world.done(&["release", "--tag", "1", "--window", "0s"])?;
        front.lay_out(V2, after)?;
        Ok(front)
    }

    fn lay_out(&self, context: &str, after: &str) -> Outcome {
        let text = format!(
            "set = 'front'\n\
             [[module]]\nname = 'api'\nconfig = 'api/bgecs.toml'\ncontext = '{context}'\n\
             [[module]]\nname = 'web'\nconfig = 'bgecs.toml'\n{after}\n"
        );
        self.0.world.desk.write("set.toml", &text)?;
        Ok(())
    }

    fn configure(&self, container: &str) -> Outcome {
        let text = format!(
            "app = '{}-api'\n[container]\n{container}\n[service]\ndesired_count = 1\n\
             [probe]\npath = '/api'\nrate = 20\nwindow_seconds = 2\n\
             [load_balancer]\nderegistration_delay_seconds = 0\n",
            self.0.world.app
        );
        self.0.world.desk.write("api/bgecs.toml", &text)?;
        Ok(())
    }

    fn expect_live(&self, tag: &str) -> Outcome {
        let status = self.0.world.done_json(&["release", "status"])?;
        for (n, module) in MODULES.iter().enumerate() {
            let is = string(&status, &format!("/modules/{n}/tag"))?;
            assert_eq!(is, tag, "{module}: {status:#}");
            let unfinished = &status["modules"][n]["unfinished"];
            assert_eq!(unfinished, &json!(null), "{status:#}");
        }
        let answers = self.0.answers("A")?;
        let [color] = &answers[..] else {
            return Err(format!("users of the record are at {answers:?}").into());
        };
        assert_eq!(self.0.tag(color).as_deref(), Some(tag));
        Ok(())
    }

    fn expect_taken_back(&self, failing: &str) -> Outcome {
        let ended = self.0.world.ends(3, &["release", "--tag", "2", "--json"])?;
        let result = ended.json()?;
        assert_eq!(result["outcome"], "rolled_back", "{}", ended.shown());
        let reason = string(&result, "/reason")?;
        let is_told = reason.starts_with(&format!("{failing}: "));
        assert!(is_told, "{}", ended.shown());
        self.expect_live("1")
    }
}

#[test]
fn a_record_and_a_load_balancer_are_released_and_taken_back_as_one() -> Outcome {
    let front = Front::new("front", "after = ['api']")?;
    let world = &front.0.world;
    world.done(&["release", "--tag", "2"])?;
    front.expect_live("2")?;
    world.done(&["release", "--rollback", "--window", "0s"])?;
    front.expect_live("1")?;

    front.configure("environment = { GREETER_FAIL_WHEN_LIVE = '1' }")?;
    front.expect_taken_back("api")?;
    front.configure("")?;
    let live = front.0.answers("A")?;
    let idle = match live[0].as_str() {
        "blue" => "green",
        _ => "blue",
    };
    world.configure_more(&front.0.servers.breaking(idle))?;
    front.expect_taken_back("web")
}

/// What is moved first is what cannot be moved by halves.
#[test]
fn a_record_may_go_first() -> Outcome {
    let front = Front::new("first", "")?;
    let text = std::fs::read_to_string(front.0.world.desk.path().join("set.toml"))?;
    let text = text.replacen("context =", "after = ['web']\ncontext =", 1);
    front.0.world.desk.write("set.toml", &text)?;
    front.0.world.done(&["release", "--tag", "2"])?;
    front.expect_live("2")?;
    front
        .0
        .world
        .done(&["release", "--rollback", "--window", "0s"])?;
    front.expect_live("1")
}
