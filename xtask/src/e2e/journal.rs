//! What becomes of a command that dies, and what is remembered of all of them.

use localstack::gate::faults::Fault;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::Result;
use crate::json::{at, expect, text};
use crate::observer::{Observer, PACE};

pub async fn a_killed_promotion_is_named_and_ended(stage: &Stage<'_>) -> Result<String> {
    let before = stage.status().await?;
    let (live, idle) = (text(&before, &["live"])?, text(&before, &["idle"])?);
    let observer = Observer::start(stage.door("prod").await?, "/api", PACE);
    // Its first write has its effect, and bgecs never hears of it.
    let first = Fault::on("elasticloadbalancing", "ModifyListener").nth(1);
    let promote = ["promote", idle];
    stage.killed_in(first.hold_after(), &promote).await?;

    let left = stage.status().await?;
    expect(&left, &["unfinished", "command"], "promote")?;
    expect(&left, &["live"], idle)?;
    let to_idle = json!([{ "color": idle, "weight": 1 }]);
    expect(&left, &["listeners", "test", "forwards"], to_idle)?;
    let resume = ["resume", "--window", "2s", "--json"];
    let resumed = stage.bgecs.run(&resume).await?.expect_code(0)?.json()?;
    expect(&resumed, &["outcome"], "finished")?;
    let after = stage.status().await?;
    expect(&after, &["unfinished"], Value::Null)?;
    expect(&after, &["lease"], Value::Null)?;
    expect(&after, &["live"], idle)?;
    expect(&after, &["previous", "color"], live)?;
    let unharmed = observer.stop().await?.unharmed()?;
    Ok(format!(
        "a promotion that is killed between its writes is named by status and finished by resume: {unharmed} requests of an onlooker, none failed"
    ))
}

pub async fn history_tells_what_was_done(stage: &Stage<'_>) -> Result<String> {
    let rollback = ["rollback", "--window", "2s"];
    stage.bgecs.run(&rollback).await?.expect_code(0)?;
    stage.bgecs.run(&["history"]).await?.expect_code(0)?;
    let history = ["history", "--json", "-q"];
    let history = stage.bgecs.run(&history).await?.expect_code(0)?.json()?;
    let operations = at(&history, &["operations"]).as_array();
    let operations = operations.ok_or("there is no list of operations")?;
    let [back, resumed, ..] = operations.as_slice() else {
        return Err("the newest two are not there".into());
    };
    for (operation, command, outcome) in
        [(back, "rollback", "done"), (resumed, "promote", "finished")]
    {
        expect(operation, &["command"], command)?;
        expect(operation, &["outcome"], outcome)?;
        expect(operation, &["failed"], 0)?;
    }
    let taken_back = |operation: &&Value| operation["outcome"] == "rolled_back";
    if operations.iter().find(taken_back).is_none() {
        return Err("the promotion that was taken back is forgotten".into());
    }
    Ok(format!(
        "history tells of {} operations, the resumed and the rolled back among them",
        operations.len()
    ))
}
