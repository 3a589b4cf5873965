//! The GitHub Action's shell, step by step, as a runner runs it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::stub::serve_whole;
use crate::support::{Desk, Outcome};

const ACTION: &str = include_str!("../../action.yml");

/// What a runner gives a step: its folders and files, and what the step writes there.
struct Runner {
    desk: Desk,
}

/// How a step ended.
#[derive(Debug)]
struct Step {
    code: Option<i32>,
    said: String,
    /// What it has written into the file of that name so far.
    outputs: String,
    summary: String,
    path: String,
}

impl Runner {
    fn new() -> Outcome<Self> {
        let desk = Desk::empty()?;
        for name in ["output", "summary", "path"] {
            desk.write(name, "")?;
        }
        fs::create_dir_all(desk.path().join("bin"))?;
        symlink(env!("CARGO_BIN_EXE_bgecs"), desk.path().join("bin/bgecs"))?;
        Ok(Self { desk })
    }

    fn run(&self, name: &str, env: &[(&str, &str)]) -> Outcome<Step> {
        let folder = self.desk.path();
        let path = std::env::var("PATH")?;
        let ran = Command::new("bash")
            .args([
                "--noprofile",
                "--norc",
                "-eo",
                "pipefail",
                "-c",
                &step(name)?,
            ])
            .current_dir(folder)
            .env_clear()
            .env("PATH", format!("{}:{path}", folder.join("bin").display()))
            .env("HOME", folder)
            .env("RUNNER_TEMP", folder.join("temp"))
            .env("GITHUB_OUTPUT", folder.join("output"))
            .env("GITHUB_STEP_SUMMARY", folder.join("summary"))
            .env("GITHUB_PATH", folder.join("path"))
            .envs(env.iter().copied())
            .output()?;
        let read = |name: &str| fs::read_to_string(folder.join(name));
        Ok(Step {
            code: ran.status.code(),
            said: String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned(),
            outputs: read("output")?,
            summary: read("summary")?,
            path: read("path")?,
        })
    }
}

/// The shell of that step.
fn step(name: &str) -> Outcome<String> {
    let begin = format!("    - name: {name}\n");
    let at = ACTION
        .find(&begin)
        .ok_or_else(|| format!("no step {name}"))?;
    let step = &ACTION[at + begin.len()..];
    let step = &step[..step.find("\n    - name: ").unwrap_or(step.len())];
    let (_, run) = step.split_once("      run: ").ok_or("it runs nothing")?;
    Ok(run.trim_start_matches('|').replace("\n        ", "\n"))
}

/// A release as it is published: `bgecs` is a script that says its version.
fn publish(folder: &Path, version: &str) -> Outcome {
    let name = format!(
        "bgecs-{version}-{}-unknown-linux-musl",
        std::env::consts::ARCH
    );
    let place = folder.join(format!("published/v{version}"));
    let inner = place.join(&name);
    fs::create_dir_all(&inner)?;
    fs::write(
        inner.join("bgecs"),
        format!("#!/bin/sh\necho bgecs {version}\n"),
    )?;
    let made = Command::new("bash")
        .args(["-euc", r#"cd "$1"; chmod +x "$2/bgecs"; tar -czf "$2.tar.gz" "$2"; sha256sum ./*.gz | sed 's,\./,,' > SHA256SUMS"#, "bash"])
        .arg(&place)
        .arg(&name)
        .status()?;
    assert!(made.success());
    Ok(())
}

#[test]
fn the_version_of_the_file_is_installed_if_it_is_what_was_published() -> Outcome {
    let runner = Runner::new()?;
    let folder = runner.desk.path();
    publish(folder, "1.2.3")?;
    let from = format!("file://{}/published", folder.display());
    let env = |version| {
        [
            ("VERSION", version),
            ("VERSION_FILE", ".bgecs-version"),
            ("DOWNLOAD_URL", from.as_str()),
            ("REPOSITORY", "https://example.invalid/bgecs"),
        ]
    };
    let none = runner.run("Install", &env(""))?;
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.said.contains("no version of bgecs"), "{none:?}");
    runner.desk.write(".bgecs-version", "v1.2.3\n")?;
    let installed = runner.run("Install", &env(""))?;
    assert_eq!(installed.code, Some(0), "{installed:?}");
    assert!(installed.said.ends_with("bgecs 1.2.3\n"), "{installed:?}");
    let there = Path::new(installed.path.trim()).join("bgecs");
    assert!(there.is_file(), "{installed:?}");
    // Somebody has exchanged it since.
    let name = format!(
        "bgecs-1.2.3-{}-unknown-linux-musl.tar.gz",
        std::env::consts::ARCH
    );
    let archive = folder.join("published/v1.2.3").join(name);
    fs::write(&archive, [fs::read(&archive)?, b"x".to_vec()].concat())?;
    let harmed = runner.run("Install", &env("1.2.3"))?;
    assert_eq!(harmed.code, Some(1), "{harmed:?}");
    assert!(
        harmed.said.contains("is not what SHA256SUMS says"),
        "{harmed:?}"
    );
    let unknown = runner.run("Install", &env("9.9.9"))?;
    assert_ne!(unknown.code, Some(0), "{unknown:?}");
    Ok(())
}

#[test]
fn the_summary_says_how_it_went_and_the_job_ends_as_bgecs_did() -> Outcome {
    let url = serve_whole(|_, _| (200, String::new(), "Hello | <b>".to_owned()))?;
    let failing = serve_whole(|_, _| (500, String::new(), String::new()))?;
    let runner = Runner::new()?;
    let of = |line: &str| {
        runner.run(
            "Run",
            &[
                ("RUN", line),
                ("FOLDER", "reports of it"),
                ("INPUT_REGION", ""),
            ],
        )
    };
    let good = of(&format!(
        "probe --url '{url}/$(touch harm) x' --duration 1s"
    ))?;
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(
        good.outputs
            .contains("exit-code=0\nreport=reports of it/report.html"),
        "{good:?}"
    );
    assert!(good.summary.starts_with("### ✅ "), "{good:?}");
    for file in ["report.html", "report.json", "report.svg", "report.md"] {
        assert!(
            runner
                .desk
                .path()
                .join("reports of it")
                .join(file)
                .is_file(),
            "{file}"
        );
    }
    assert!(!runner.desk.path().join("harm").exists());
    let bad = of(&format!("probe --url {failing}/ --duration 1s"))?;
    // The step goes on, so that the report is kept; the last one ends the job.
    assert_eq!(bad.code, Some(0), "{bad:?}");
    assert!(bad.outputs.contains("exit-code=1\n"), "{bad:?}");
    assert!(
        bad.summary.contains("### ❌ ") && bad.summary.contains("HTTP 500"),
        "{bad:?}"
    );
    let ended = runner.run("End as bgecs did", &[("CODE", "1")])?;
    assert_eq!(ended.code, Some(1));
    fs::remove_dir_all(runner.desk.path().join("reports of it"))?;
    let none = of("statuss")?;
    assert!(none.outputs.ends_with("exit-code=2\n"), "{none:?}");
    assert!(
        none.summary
            .ends_with("### ❌ `bgecs statuss` ended with 2\n"),
        "{none:?}"
    );
    Ok(())
}

#[test]
fn a_comment_is_the_report() -> Outcome {
    let runner = Runner::new()?;
    let gh = runner.desk.write("bin/gh", "#!/bin/sh\necho \"$@\"\n")?;
    assert!(Command::new("chmod").arg("+x").arg(gh).status()?.success());
    let env = [
        ("GH_TOKEN", "secret"),
        ("NUMBER", "7"),
        ("FOLDER", "bgecs-report"),
    ];
    let said = runner.run("Comment", &env)?;
    assert_eq!(
        said.said,
        "pr comment 7 --body-file bgecs-report/report.md\n"
    );
    Ok(())
}
