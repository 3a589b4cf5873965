//! `bgecs exec`: what AWS's plugin is given, and what stands in the way of it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::{Ended, Outcome};
use crate::world::World;

/// In the place of AWS's, which speaks to AWS alone.
fn plugin(version: &str) -> String {
    format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then echo {version}; exit; fi\n\
         printf '%s\\n' \"$@\" \"$AWS_SSM_START_SESSION_RESPONSE\" > said\nexit 3\n"
    )
}

impl World {
    fn enters(&self, arguments: &[&str]) -> Outcome<Ended> {
        let mut path = OsString::from(self.desk.path());
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = self.desk.command(arguments);
        let output = command.env("PATH", path).output()?;
        Ok(self.desk.ended(arguments, &output))
    }

    fn has_plugin(&self, version: &str) -> Outcome {
        let path = self
            .desk
            .write("session-manager-plugin", &plugin(version))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

fn expect(ended: &Ended, code: i32, part: &str) {
    assert_eq!(ended.code, Some(code), "{}", ended.shown());
    assert!(ended.stderr.contains(part), "{part}:\n{}", ended.shown());
}

#[test]
fn the_plugin_enters_a_task_where_it_may() -> Outcome {
    let world = World::with_v1_live("enter")?;
    let none = world.bgecs(&["exec"])?;
    expect(
        &none,
        6,
        "`exec` needs the session-manager-plugin, which is not on this machine",
    );
    world.has_plugin("1.2.497.0")?;
    let old = world.enters(&["exec"])?;
    expect(&old, 6, "the session-manager-plugin here is 1.2.497.0");
    world.has_plugin("1.2.707.0")?;
    let off = world.enters(&["exec"])?;
    expect(&off, 6, "was started without ECS Exec");
    let idle = world.enters(&["exec", "blue"])?;
    expect(&idle, 6, "blue runs no task");

    let cluster = world.stack();
    let on = json!({
        "cluster": cluster, "service": "green",
        "enableExecuteCommand": true, "forceNewDeployment": true,
    });
    world.api.ecs("UpdateService", &on)?;
    let mut entered = off;
    world.until("a task with ECS Exec runs", || {
        entered = world.enters(&["exec", "--", "sh", "-c", "echo it's me"])?;
        Ok(entered.code == Some(3))
    })?;
    let said = fs::read_to_string(world.desk.path().join("said"))?;
    let said: Vec<&str> = said.lines().collect();
    let [variable, region, what, profile, target, endpoint, session] = said[..] else {
        return Err(format!("the plugin was given {said:?}").into());
    };
    assert_eq!(
        (variable, region, what, profile, endpoint),
        (
            "AWS_SSM_START_SESSION_RESPONSE",
            "us-east-1",
            "StartSession",
            "",
            "https://ssm.us-east-1.amazonaws.com"
        )
    );
    let target: Value = serde_json::from_str(target)?;
    let task = format!("ecs:{cluster}_");
    assert!(
        target["Target"]
            .as_str()
            .is_some_and(|it| it.starts_with(&task)),
        "{target}"
    );
    let session: Value = serde_json::from_str(session)?;
    let token = session["tokenValue"].as_str().unwrap_or_default();
    assert!(!token.is_empty() && !entered.shown().contains(token));
    Ok(())
}
