//! The window: from the first listener write's leaving until both listeners are
//! read back. In it, both ports serve the same release.
//!
//! bgecs says how long its own was. The script's begins when its first write
//! comes to the gate and ends when its last read is answered there: the time in
//! which the first program of the script starts is not counted against it.

use std::time::Instant;

use localstack::gate::record::Call;
use serde_json::Value;

use super::figures::Unit;
use super::program::milliseconds;
use super::row::Row;
use super::stage::App;
use super::table::Found;
use crate::Result;

/// Swaps in a run: one is short, and a few milliseconds more make another ratio.
const SWAPS: usize = 3;

pub async fn measure(app: &App<'_>, runs: usize) -> Result<Found> {
    let (mut beside_script, mut beside_bare) = (Vec::new(), Vec::new());
    for _ in 0..runs * SWAPS {
        let ours = promote(app).await?;
        let places = Places::of(app).await?;
        let bare = bare(app, &places).await?;
        let script = script(app, &places).await?;
        beside_script.push((ours, script));
        beside_bare.push((ours, bare));
    }
    Ok(Found {
        rows: vec![
            Row::beside(
                "window between the first listener write and both read back",
                "two `aws elbv2 modify-listener`, two `describe-listeners`",
                Unit::Time,
                &beside_script,
            )?
            .at_most(1.0 / 20.0),
            Row::beside(
                "the same window",
                "the four calls bare, on one kept connection",
                Unit::Time,
                &beside_bare,
            )?
            .at_most(1.5)
            .or_else_because(
                "Ahead of its second write bgecs notes it in the journal and looks at the \
                 listener once more: what keeps two operators apart takes two calls more.",
            ),
        ],
        notes: Vec::new(),
    })
}

/// A swap of bgecs's; its window.
async fn promote(app: &App<'_>) -> Result<f64> {
    let (_, said) = app.json(&["promote"]).await?;
    let window = said["swap"]["window_ms"].as_f64();
    Ok(window.ok_or_else(|| format!("the promotion had no window: {said}"))?)
}

/// The target groups as they are behind the listeners.
struct Places {
    prod: String,
    test: String,
}

impl Places {
    async fn of(app: &App<'_>) -> Result<Self> {
        let (live, idle) = app.colors().await?;
        Ok(Self {
            prod: app.target_group(&live)?.to_owned(),
            test: app.target_group(&idle)?.to_owned(),
        })
    }
}

/// The four calls that a swap cannot do without, one after the other. They write
/// what is there.
async fn bare(app: &App<'_>, places: &Places) -> Result<f64> {
    // The connection is there before it counts.
    read(app, "ProdListenerArn").await?;
    let began = Instant::now();
    put(app, places).await?;
    Ok(milliseconds(began.elapsed()))
}

async fn put(app: &App<'_>, places: &Places) -> Result<()> {
    for (listener, group) in [
        ("ProdListenerArn", &places.prod),
        ("TestListenerArn", &places.test),
    ] {
        let parameters = [
            ("ListenerArn", app.output(listener)?),
            ("DefaultActions.member.1.Type", "forward"),
            ("DefaultActions.member.1.TargetGroupArn", group),
        ];
        app.stage.api.elb("ModifyListener", &parameters).await?;
        read(app, listener).await?;
    }
    Ok(())
}

async fn read(app: &App<'_>, listener: &str) -> Result<()> {
    let parameters = [("ListenerArns.member.1", app.output(listener)?)];
    app.stage.api.elb("DescribeListeners", &parameters).await?;
    Ok(())
}

/// What people have in their pipelines, there; and back, which is not measured.
async fn script(app: &App<'_>, places: &Places) -> Result<f64> {
    let mark = app.stage.gate.calls().mark();
    for (listener, group) in [
        ("ProdListenerArn", &places.test),
        ("TestListenerArn", &places.prod),
    ] {
        let action = format!("Type=forward,TargetGroupArn={group}");
        let arn = app.output(listener)?;
        let modify = ["elbv2", "modify-listener", "--listener-arn", arn];
        let modify = app.stage.aws(&modify).await?;
        modify.with(&["--default-actions", &action]).run().await?;
    }
    for (listener, group) in [
        ("ProdListenerArn", &places.test),
        ("TestListenerArn", &places.prod),
    ] {
        let arn = app.output(listener)?;
        let describe = ["elbv2", "describe-listeners", "--listener-arns", arn];
        let describe = app.stage.aws(&describe).await?;
        let said = describe.with(&["--output", "json"]).run().await?.json()?;
        let action = &said["Listeners"][0]["DefaultActions"][0];
        if !forwards_to(action, group) {
            return Err(format!("the script's write cannot be read back: {said}").into());
        }
    }
    let window = window_of(&app.stage.calls_since(mark))?;
    put(app, places).await?;
    Ok(window)
}

fn forwards_to(action: &Value, group: &str) -> bool {
    action["TargetGroupArn"] == group
        || action["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"] == group
}

/// From the first write's coming to the last answer.
fn window_of(calls: &[Call]) -> Result<f64> {
    let is_write = |call: &&Call| call.operation == "ModifyListener";
    let first = calls.iter().find(is_write);
    let first = first.ok_or("the script wrote nothing")?;
    let last = calls.last().unwrap_or(first);
    Ok(milliseconds(
        (last.began + last.took()).saturating_sub(first.began),
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use localstack::gate::record::{End, Outcome};
    use serde_json::json;

    use super::*;

    fn call(operation: &str, began: u64, took: u64) -> Call {
        Call {
            number: 1,
            service: "elasticloadbalancing".to_owned(),
            operation: operation.to_owned(),
            resource: String::new(),
            writes: operation.starts_with("Modify"),
            access_key: None,
            began: Duration::from_millis(began),
            at: Instant::now(),
            struck: Vec::new(),
            end: Some(End {
                took: Duration::from_millis(took),
                outcome: Outcome::Answered { status: 200 },
                staleness: None,
            }),
        }
    }

    #[test]
    fn the_window_is_from_the_first_write_to_the_last_answer() {
        let calls = [
            call("DescribeListeners", 10, 5),
            call("ModifyListener", 100, 5),
            call("ModifyListener", 200, 5),
            call("DescribeListeners", 300, 7),
        ];
        assert_eq!(window_of(&calls).unwrap(), 207.0);
        assert!(window_of(&calls[..1]).is_err());
    }

    #[test]
    fn a_listener_forwards_to_its_only_group_however_it_is_written() {
        assert!(forwards_to(&json!({"TargetGroupArn": "a"}), "a"));
        let config = json!({"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "a"}]}});
        assert!(forwards_to(&config, "a"));
        assert!(!forwards_to(&config, "b"));
    }
}
