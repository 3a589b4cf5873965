//! A release that users get only once its migration has run.

use localstack::gate::faults::Fault;

use super::stage::Stage;
use crate::Result;
use crate::json::expect;

pub async fn a_migration_runs_once_ahead_of_its_users(stage: &Stage<'_>) -> Result<String> {
    let deploy = ["deploy", "./sample-app/v1", "--tag", "migrated"];
    stage.bgecs.run(&deploy).await?.expect_code(0)?;
    let failing = promoting(stage, "fails", "\"migrate\", \"1\", \"4\"", "1m")?;
    refused(stage, &failing, "ended with 4").await?;
    let hanging = promoting(stage, "hangs", "\"migrate\", \"600\"", "3s")?;
    refused(stage, &hanging, "took longer than 3 s").await?;

    let migrating = promoting(stage, "migrates", "\"migrate\", \"2\"", "1m")?;
    let words: Vec<&str> = migrating.iter().map(String::as_str).collect();
    // ECS has started the task, and bgecs never hears of it.
    let starting = Fault::on("ecs", "RunTask").nth(1);
    stage.killed_in(starting.hold_after(), &words).await?;
    let (_, sent) = stage.swap_unnoticed(&words).await?;
    expect(&stage.status().await?, &["live"], "green")?;
    let logs = ["logs", "green", "--since", "10m"];
    let logs = stage.bgecs.run_quietly(&logs).await?.expect_code(0)?.stdout;
    match logs.matches("migrating for 2 s").count() {
        1 => {}
        count => return Err(format!("the migration ran {count} times:\n{logs}").into()),
    }
    let back = ["rollback", "--window", "3s"];
    stage.bgecs.run(&back).await?.expect_code(0)?;
    Ok(format!(
        "users wait for a migration that fails or hangs; one whose bgecs is killed runs once: \
         {sent} requests of an onlooker, none failed"
    ))
}

fn promoting(stage: &Stage<'_>, name: &str, run: &str, limit: &str) -> Result<Vec<String>> {
    let hooks = format!("[hooks]\nbefore_shift = {{ run = [{run}] }}\ntimeout = \"{limit}\"\n");
    let config = stage.config_with(name, "", &hooks)?;
    let line = ["promote", "--window", "3s", "--json", "--config", &config];
    Ok(line.map(str::to_owned).to_vec())
}

async fn refused(stage: &Stage<'_>, line: &[String], why: &str) -> Result<()> {
    let words: Vec<&str> = line.iter().map(String::as_str).collect();
    let refused = stage.bgecs.run(&words).await?;
    refused.expect_code(6)?.expect_stderr(why)?;
    expect(&stage.status().await?, &["live"], "blue")?;
    Ok(())
}
