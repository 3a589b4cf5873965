//! The pipelines in docs/ci.md: what each types is run here, line by line, as its runner
//! would, up to where AWS is asked.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::desk;
use crate::support::Outcome;

const PAGE: &str = include_str!("../../docs/ci.md");

/// What the systems set for a job.
const SET: [(&str, &str); 7] = [
    ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
    ("CI_COMMIT_SHA", "0123456789abcdef0123456789abcdef01234567"),
    ("CIRCLE_SHA1", "0123456789abcdef0123456789abcdef01234567"),
    (
        "CODEBUILD_RESOLVED_SOURCE_VERSION",
        "0123456789abcdef0123456789abcdef01234567",
    ),
    ("AWS_TOKEN", "a token"),
    ("CIRCLE_OIDC_TOKEN_V2", "a token"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
];

/// The systems by the page's headings, and the shell lines of each.
fn pipelines() -> Vec<(&'static str, Vec<&'static str>)> {
    let parts = PAGE.split("\n## ").skip(1);
    let of_part = |part: &'static str| {
        let (name, text) = part.split_once('\n')?;
        let lines = text.lines().filter_map(|line| {
            let item = line.trim().strip_prefix("- ")?;
            let line = item.strip_prefix("run: ").unwrap_or(item);
            let is_shell = line.starts_with("bgecs ") || line.starts_with("echo ");
            is_shell.then_some(line)
        });
        let lines: Vec<_> = lines.collect();
        (!lines.is_empty()).then_some((name, lines))
    };
    parts.filter_map(of_part).collect()
}

#[test]
fn each_pipeline_types_what_bgecs_takes() -> Outcome {
    let pipelines = pipelines();
    let names: Vec<_> = pipelines.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["GitHub Actions", "GitLab CI", "CircleCI", "AWS CodeBuild"]
    );
    for (name, lines) in pipelines {
        let desk = desk()?;
        fs::create_dir(desk.path().join("bin"))?;
        symlink(env!("CARGO_BIN_EXE_bgecs"), desk.path().join("bin/bgecs"))?;
        desk.write("Dockerfile", "FROM scratch\n")?;
        for line in &lines {
            let mut shell = Command::new("bash");
            shell
                .args(["-euc", line])
                .current_dir(desk.path())
                .env_clear();
            for (variable, value) in desk.command(&[]).get_envs() {
                shell.envs(value.map(|value| (variable, value)));
            }
            let path = format!("{}/bin:{}", desk.path().display(), std::env::var("PATH")?);
            let ran = shell.env("PATH", path).envs(SET).output()?;
            let said = String::from_utf8_lossy(&ran.stderr);
            match line.starts_with("bgecs ") && !line.starts_with("bgecs report") {
                // Nobody is there who could be asked: it was understood until then.
                true => assert!(
                    said.contains("nothing answers at"),
                    "{name}: {line}\n{said}"
                ),
                false => assert!(ran.status.success(), "{name}: {line}\n{said}"),
            }
        }
        assert!(lines.iter().any(|line| line.contains("promote")), "{name}");
    }
    Ok(())
}
