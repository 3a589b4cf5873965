//! What was measured, beside what, on what.

use std::path::Path;
use std::thread::available_parallelism;

use super::program::Line;
use crate::{Result, peers};

pub async fn describe(exe: &Path) -> Result<Vec<String>> {
    let python = peers::python().await?.display().to_string();
    let docker = peers::docker().await?.display().to_string();
    let exe = exe.display().to_string();
    let mut lines = vec![first_line(&[&exe, "--version"]).await?];
    let aws = first_line(&[&python, "-m", "awscli", "--version"]).await?;
    // What follows tells of the kernel it runs on.
    lines.push(aws.split(' ').next().unwrap_or_default().to_owned());
    lines.push(format!("ecs-deploy {}", ecs_deploy(&python).await?));
    lines.push(first_line(&[&docker, "--version"]).await?);
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    lines.push(format!(
        "CPU: {} × {}",
        available_parallelism()?,
        model(&cpu)
    ));
    Ok(lines)
}

async fn ecs_deploy(python: &str) -> Result<String> {
    let ask = "import importlib.metadata as m; print(m.version('ecs-deploy'))";
    first_line(&[python, "-c", ask]).await
}

async fn first_line(words: &[&str]) -> Result<String> {
    let said = Line::new(words.iter().copied()).run().await?.stdout;
    Ok(said.lines().next().unwrap_or_default().trim().to_owned())
}

fn model(cpuinfo: &str) -> &str {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':'));
    name.map_or("an unknown CPU", |(_, name)| name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_named() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\n";
        assert_eq!(model(cpuinfo), "Some CPU @ 2.00GHz");
        assert_eq!(model(""), "an unknown CPU");
    }
}
