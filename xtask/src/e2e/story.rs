//! What a team goes through with its first two releases, and with bad ones.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use localstack::Emulator;
use serde_json::Value;

use crate::bgecs::{Bgecs, root};
use crate::observer::{Door, Observer};
use crate::{Result, say};

/// A deploy that cannot succeed must say so in seconds, not at its timeout.
const SOON: Duration = Duration::from_secs(60);

const ENGLISH: &str = "Hello, World!";
const FRENCH: &str = "Bonjour, le monde";

pub struct Story {
    bgecs: Bgecs,
    endpoint: String,
    passed: usize,
    /// Where configurations of bad releases are written.
    folder: PathBuf,
}

impl Story {
    pub fn new(bgecs: Bgecs, emulator: &Emulator) -> Result<Self> {
        let folder = root().join("target/e2e");
        fs::create_dir_all(&folder)?;
        Ok(Self {
            bgecs,
            endpoint: emulator.endpoint().to_owned(),
            passed: 0,
            folder,
        })
    }

    /// How many chapters held what they promise.
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// Tells it from `init` to `destroy`; the first broken promise ends it.
    pub async fn tell(&mut self) -> Result<()> {
        self.nothing_is_there().await?;
        self.init_makes_the_infrastructure_once().await?;
        self.the_first_release_becomes_live().await?;
        self.the_second_release_is_seen_on_the_test_port_only()
            .await?;
        self.an_unchanged_deploy_changes_nothing().await?;
        self.the_live_colour_is_refused().await?;
        self.a_promotion_is_noticed_by_nobody().await?;
        self.an_init_leaves_the_live_colour_live().await?;
        self.a_rollback_is_noticed_by_nobody().await?;
        self.a_release_that_fails_once_live_is_taken_back().await?;
        self.an_app_that_crashes_is_refused_in_seconds().await?;
        self.an_app_that_is_never_healthy_is_refused().await?;
        self.a_missing_image_is_refused().await?;
        self.the_idle_colour_is_retired_and_comes_back().await?;
        self.logs_and_probe_show_what_runs().await?;
        self.destroy_leaves_nothing().await
    }

    fn holds(&mut self, promise: &str) {
        self.passed += 1;
        say::line(&format!("ok: {promise}"));
    }

    async fn door(&self, port: &str) -> Result<Door> {
        let status = self.status().await?;
        let url = text(&status, &["urls", port])?;
        let host = url
            .strip_prefix("http://")
            .ok_or("the URL is not plain HTTP")?;
        Door::new(&self.endpoint, host)
    }

    async fn status(&self) -> Result<Value> {
        self.bgecs
            .run(&["status", "--json", "-q"])
            .await?
            .expect_code(0)?
            .json()
    }

    /// Production and the test port answer so.
    async fn expect_answers(&self, prod: &str, test: &str) -> Result<()> {
        for (port, expected) in [("prod", prod), ("test", test)] {
            let (status, body) = self.door(port).await?.get("/api").await?;
            if status != 200 || !body.contains(expected) {
                return Err(format!("{port} answers {status} {body}, not {expected}").into());
            }
        }
        Ok(())
    }

    /// A configuration like the repository's own, with a fault switched on.
    fn config(&self, name: &str, environment: &str) -> Result<String> {
        let path = self.folder.join(format!("{name}.toml"));
        let text = format!(
            "app = \"hello\"\n[container]\nenvironment = {{ {environment} }}\n[service]\ndesired_count = 2\n[probe]\npath = \"/api\"\n"
        );
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    /// The image of version 2, as CI would hand it over.
    async fn image(&self) -> Result<String> {
        let port = self.endpoint.rsplit(':').next().unwrap_or_default();
        Ok(format!("localhost:{port}/bgecs-hello:2"))
    }

    async fn nothing_is_there(&mut self) -> Result<()> {
        let ended = self.bgecs.run(&["status"]).await?.expect_code(1)?;
        ended.expect_stderr("bgecs init")?;
        self.bgecs
            .run(&["destroy", "--yes"])
            .await?
            .expect_code(0)?;
        self.holds(
            "before anything was made, status says what to do and destroy has nothing to do",
        );
        Ok(())
    }

    async fn init_makes_the_infrastructure_once(&mut self) -> Result<()> {
        self.bgecs
            .run(&["init", "--dry-run"])
            .await?
            .expect_code(0)?;
        self.bgecs.run(&["status"]).await?.expect_code(1)?;
        self.bgecs.run(&["init"]).await?.expect_code(0)?;
        let again = self
            .bgecs
            .run(&["init", "--json"])
            .await?
            .expect_code(0)?
            .json()?;
        expect(&again, &["outcome"], "unchanged")?;
        let status = self.status().await?;
        expect(&status, &["live"], Value::Null)?;
        let (code, body) = self.door("prod").await?.get("/").await?;
        if code != 503 || !body.contains("nothing is live yet") {
            return Err(
                format!("production answers {code} {body} before the first release").into(),
            );
        }
        self.holds("init makes the infrastructure once, and nothing is live yet");
        Ok(())
    }

    async fn the_first_release_becomes_live(&mut self) -> Result<()> {
        let deploy = [
            "deploy",
            "./sample-app/v1",
            "--tag",
            "1",
            "--color",
            "green",
        ];
        self.bgecs
            .run(&[&deploy[..], &["--dry-run"]].concat())
            .await?
            .expect_code(0)?;
        expect(&self.status().await?, &["colors", "green"], Value::Null)?;
        self.bgecs.run(&deploy).await?.expect_code(0)?;
        let status = self.status().await?;
        expect(&status, &["live"], "green")?;
        expect(&status, &["colors", "green", "tag"], "1")?;
        expect(&status, &["colors", "green", "running"], 2)?;
        let (code, body) = self.door("prod").await?.get("/api?name=Ada").await?;
        if code != 200 || !body.contains("Hello, Ada!") {
            return Err(format!("production answers {code} {body}").into());
        }
        self.holds("the first release becomes live: port 80 speaks English");
        Ok(())
    }

    async fn the_second_release_is_seen_on_the_test_port_only(&mut self) -> Result<()> {
        let deploy = [
            "deploy",
            "./sample-app/v2",
            "--tag",
            "2",
            "--color",
            "blue",
            "--json",
        ];
        let deployed = self.bgecs.run(&deploy).await?.expect_code(0)?.json()?;
        expect(&deployed, &["outcome"], "deployed")?;
        self.expect_answers(ENGLISH, FRENCH).await?;
        self.holds("the second release speaks French on port 81, and port 80 stays English");
        Ok(())
    }

    async fn an_unchanged_deploy_changes_nothing(&mut self) -> Result<()> {
        let before = self.status().await?;
        let deploy = ["deploy", "./sample-app/v2", "--tag", "2", "--json"];
        let deployed = self.bgecs.run(&deploy).await?.expect_code(0)?.json()?;
        expect(&deployed, &["outcome"], "unchanged")?;
        let path = ["colors", "blue", "task_definition"];
        let after = self.status().await?;
        expect(&after, &path, at(&before, &path).clone())?;
        self.holds("the same deploy again changes nothing");
        Ok(())
    }

    async fn the_live_colour_is_refused(&mut self) -> Result<()> {
        let deploy = [
            "deploy",
            "./sample-app/v2",
            "--tag",
            "3",
            "--color",
            "green",
        ];
        let ended = self.bgecs.run(&deploy).await?.expect_code(6)?;
        ended.expect_stderr("green (tag 1) is live")?;
        let taken = ["deploy", "./sample-app/v1", "--tag", "2", "--color", "blue"];
        let ended = self.bgecs.run(&taken).await?.expect_code(6)?;
        ended.expect_stderr("tag 2 is taken")?;
        self.holds(
            "a deploy onto the live colour is refused, and a tag that names another image too",
        );
        Ok(())
    }

    /// Swaps while somebody else uses production; gives the swap's own result
    /// and how many requests the onlooker sent, of which none may have failed.
    async fn swap_unnoticed(&self, swap: &[&str]) -> Result<(Value, usize)> {
        let observer = Observer::start(self.door("prod").await?, "/api");
        let swapped = self.bgecs.run(swap).await;
        let seen = observer.stop().await?;
        let swapped = swapped?.expect_code(0)?.json()?;
        expect(&swapped, &["outcome"], "committed")?;
        expect(&swapped, &["probe", "failed"], 0)?;
        if at(&swapped, &["probe", "changeover_ms"]).is_null() {
            return Err("the probe did not see the changeover".into());
        }
        match seen.failures.first() {
            None => Ok((swapped, seen.sent)),
            Some(failure) => Err(format!(
                "{} of {} requests failed: {failure}",
                seen.failures.len(),
                seen.sent
            )
            .into()),
        }
    }

    async fn a_promotion_is_noticed_by_nobody(&mut self) -> Result<()> {
        let (_, sent) = self.swap_unnoticed(&["promote", "blue", "--json"]).await?;
        self.expect_answers(FRENCH, ENGLISH).await?;
        self.holds(&format!(
            "a promotion is noticed by nobody: {sent} requests of an onlooker, none failed"
        ));
        Ok(())
    }

    async fn an_init_leaves_the_live_colour_live(&mut self) -> Result<()> {
        let path = self.folder.join("retention.toml");
        fs::write(
            &path,
            "app = \"hello\"\n[logs]\nretention_days = 7\n[probe]\npath = \"/api\"\n",
        )?;
        let config = path.display().to_string();
        let init = ["init", "--config", &config, "--json"];
        let changed = self.bgecs.run(&init).await?.expect_code(0)?.json()?;
        expect(&changed, &["outcome"], "updated")?;
        expect(&self.status().await?, &["live"], "blue")?;
        self.expect_answers(FRENCH, ENGLISH).await?;
        self.holds("an update of the infrastructure leaves the live colour live");
        Ok(())
    }

    async fn a_rollback_is_noticed_by_nobody(&mut self) -> Result<()> {
        let rollback = ["rollback", "--window", "5s", "--json"];
        let (rolled, sent) = self.swap_unnoticed(&rollback).await?;
        expect(&rolled, &["to"], "green")?;
        self.expect_answers(ENGLISH, FRENCH).await?;
        self.holds(&format!(
            "a rollback is noticed by nobody ({sent} requests), and port 80 speaks English again"
        ));
        Ok(())
    }

    async fn a_release_that_fails_once_live_is_taken_back(&mut self) -> Result<()> {
        let config = self.config("fails-when-live", "GREETER_FAIL_WHEN_LIVE = \"1\"")?;
        let image = self.image().await?;
        let deploy = [
            "deploy", "--image", &image, "--tag", "4", "--config", &config,
        ];
        self.bgecs.run(&deploy).await?.expect_code(0)?;
        self.expect_answers(ENGLISH, FRENCH).await?;
        let promoted = self
            .bgecs
            .run(&["promote", "blue", "--json"])
            .await?
            .expect_code(3)?
            .json()?;
        expect(&promoted, &["outcome"], "rolled_back")?;
        expect(&self.status().await?, &["live"], "green")?;
        self.expect_answers(ENGLISH, FRENCH).await?;
        self.holds("a release that fails once it is live is taken back by itself");
        Ok(())
    }

    /// A deploy that must fail, soon, and must leave production alone.
    async fn expect_refused_release(&self, deploy: &[&str], reasons: &[&str]) -> Result<()> {
        let began = Instant::now();
        let mut ended = self.bgecs.run(deploy).await?.expect_code(1)?;
        if began.elapsed() > SOON {
            return Err(format!("it took {} s to say so", began.elapsed().as_secs()).into());
        }
        for reason in reasons {
            ended = ended.expect_stderr(reason)?;
        }
        expect(&self.status().await?, &["live"], "green")?;
        let (status, body) = self.door("prod").await?.get("/api").await?;
        if status != 200 || !body.contains(ENGLISH) {
            return Err(format!("production answers {status} {body}").into());
        }
        Ok(())
    }

    async fn an_app_that_crashes_is_refused_in_seconds(&mut self) -> Result<()> {
        let config = self.config("crashes", "GREETER_CRASH = \"1\"")?;
        let image = self.image().await?;
        let deploy = [
            "deploy", "--image", &image, "--tag", "5", "--config", &config,
        ];
        let reasons = [
            "exited with code 3",
            "GREETER_CRASH",
            "port 80 -> green (tag 1), unchanged",
        ];
        self.expect_refused_release(&deploy, &reasons).await?;
        self.holds("an app that crashes is refused in seconds, with its exit code and last lines");
        Ok(())
    }

    async fn an_app_that_is_never_healthy_is_refused(&mut self) -> Result<()> {
        let config = self.config("unhealthy", "GREETER_UNHEALTHY = \"1\"")?;
        let image = self.image().await?;
        let deploy = [
            "deploy", "--image", &image, "--tag", "6", "--config", &config,
        ];
        self.expect_refused_release(&deploy, &["the health check fails"])
            .await?;
        let refused = self
            .bgecs
            .run(&["promote", "blue", "--json"])
            .await?
            .expect_code(6)?
            .json()?;
        expect(&refused, &["outcome"], "refused")?;
        self.holds("an app whose health check never passes is refused, by deploy and by promote");
        Ok(())
    }

    async fn a_missing_image_is_refused(&mut self) -> Result<()> {
        let port = self.endpoint.rsplit(':').next().unwrap_or_default();
        let image = format!("localhost:{port}/bgecs-hello:never");
        let deploy = ["deploy", "--image", &image, "--tag", "7"];
        self.expect_refused_release(&deploy, &["bgecs-hello:never"])
            .await?;
        self.holds("an image that does not exist is refused");
        Ok(())
    }

    async fn the_idle_colour_is_retired_and_comes_back(&mut self) -> Result<()> {
        self.bgecs.run(&["retire"]).await?.expect_code(0)?;
        let status = self.status().await?;
        expect(&status, &["colors", "blue", "desired"], 0)?;
        expect(&status, &["live"], "green")?;
        self.bgecs.run(&["rollback"]).await?.expect_code(6)?;
        self.bgecs
            .run(&["deploy", "./sample-app/v2", "--tag", "8"])
            .await?
            .expect_code(0)?;
        expect(&self.status().await?, &["colors", "blue", "running"], 2)?;
        self.bgecs
            .run(&["promote", "--window", "3s"])
            .await?
            .expect_code(0)?;
        self.expect_answers(FRENCH, ENGLISH).await?;
        self.holds("a retired colour runs nothing, and the next deploy wakes it");
        Ok(())
    }

    async fn logs_and_probe_show_what_runs(&mut self) -> Result<()> {
        let logs = self
            .bgecs
            .run(&["logs", "blue", "--since", "1h"])
            .await?
            .expect_code(0)?;
        if !logs.stdout.contains("listening") {
            return Err(format!("the logs do not show the app:\n{}", logs.stdout).into());
        }
        for listener in ["prod", "test"] {
            let probe = [
                "probe",
                "--listener",
                listener,
                "--duration",
                "2s",
                "--json",
            ];
            let probed = self.bgecs.run(&probe).await?.expect_code(0)?.json()?;
            expect(&probed, &["probe", "failed"], 0)?;
        }
        let nowhere = ["probe", "--url", "http://127.0.0.1:9/", "--duration", "1s"];
        self.bgecs.run(&nowhere).await?.expect_code(1)?;
        self.holds("logs and probe show what runs");
        Ok(())
    }

    async fn destroy_leaves_nothing(&mut self) -> Result<()> {
        self.bgecs
            .run(&["destroy", "--dry-run"])
            .await?
            .expect_code(0)?;
        expect(&self.status().await?, &["live"], "blue")?;
        self.bgecs.run(&["destroy"]).await?.expect_code(2)?;
        self.bgecs
            .run(&["destroy", "--yes"])
            .await?
            .expect_code(0)?;
        self.bgecs.run(&["status"]).await?.expect_code(1)?;
        let again = self
            .bgecs
            .run(&["destroy", "--yes", "--json"])
            .await?
            .expect_code(0)?
            .json()?;
        expect(&again, &["outcome"], "unchanged")?;
        self.holds("destroy leaves nothing");
        Ok(())
    }
}

fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, key| &value[*key])
}

fn text<'a>(value: &'a Value, path: &[&str]) -> Result<&'a str> {
    at(value, path)
        .as_str()
        .ok_or_else(|| format!("{} is missing", path.join(".")).into())
}

fn expect(value: &Value, path: &[&str], expected: impl Into<Value>) -> Result<()> {
    let (found, expected) = (at(value, path), expected.into());
    if *found == expected {
        return Ok(());
    }
    Err(format!("{} is {found}, not {expected}", path.join(".")).into())
}
