//! What somebody else does to the app, by AWS's own calls.

use serde_json::json;

use super::script::Act;
use crate::Result;
use crate::faults::state::{Color, State};
use crate::faults::world::{NAME, World};

/// False where there was nothing to do it to.
pub async fn act(world: &World<'_>, state: &State, act: Act) -> Result<bool> {
    let Some(live) = state.live else {
        return Ok(false);
    };
    let idle = live.other();
    let [prod, test] = &state.arns;
    match act {
        Act::MoveProd => point(world, state, prod, idle).await,
        Act::MoveTest => {
            let now = state.test.unwrap_or(idle);
            point(world, state, test, now.other()).await
        }
        Act::ScaleLive => {
            world.scale(live, 2).await?;
            Ok(true)
        }
        Act::RestartIdle | Act::DeleteIdle if state.service(idle).is_none() => Ok(false),
        Act::RestartIdle => {
            let restart = json!({
                "cluster": NAME, "service": idle.as_str(), "forceNewDeployment": true,
            });
            world.api.ecs("UpdateService", &restart).await?;
            Ok(true)
        }
        Act::DeleteIdle => {
            let delete = json!({"cluster": NAME, "service": idle.as_str(), "force": true});
            world.api.ecs("DeleteService", &delete).await?;
            Ok(true)
        }
    }
}

/// Both listeners to where they were.
pub async fn put_back(world: &World<'_>, was: &State) -> Result<()> {
    for (listener, color) in was.arns.iter().zip([was.prod, was.test]) {
        if let Some(color) = color {
            point(world, was, listener, color).await?;
        }
    }
    Ok(())
}

async fn point(world: &World<'_>, state: &State, listener: &str, color: Color) -> Result<bool> {
    let balancer = world.gate.balancer(&state.host);
    let config = balancer
        .ok_or("the gate knows no load balancer of that name")?
        .config();
    let named = format!("-{}/", color.as_str());
    let groups = config.target_groups.iter().map(|group| group.arn.as_str());
    let mut groups = groups.filter(|arn| arn.contains(&named));
    let group = groups.next();
    let group = group.ok_or_else(|| format!("{} has no target group", color.as_str()))?;
    let action = "DefaultActions.member.1";
    let parameters = [
        ("ListenerArn", listener.to_owned()),
        (&format!("{action}.Type"), "forward".to_owned()),
        (&format!("{action}.TargetGroupArn"), group.to_owned()),
    ];
    let parameters = parameters.each_ref();
    let parameters: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    world.api.elb("ModifyListener", &parameters).await?;
    Ok(true)
}
