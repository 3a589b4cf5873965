//! bgecs beside a company's services that run already: watched, imported, attached,
//! released by, and detached again, while users are at all three names and the
//! company's own machines at the internal one.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::{PushImageOptionsBuilder, TagImageOptions};
use futures_util::TryStreamExt;

use super::stage::{ENGLISH, FRENCH, Stage};
use crate::Result;
use crate::bgecs::Ended;
use crate::company::{CLUSTER, Company, Described, INSIDE, LINES, differences};
use crate::json::{at, expect};
use crate::observer::{Observer, Seen};

/// Ten requests a second at each name, half of which agree on TLS anew.
const PACE: Duration = Duration::from_millis(100);
/// The colours of what is attached to `web`: it is the first one, and the other is
/// made beside it.
const SERVICE: &str = "web";
/// So many ways in lead to it; the others' users come after them.
const RELEASED: usize = 2;
/// What the release calls itself that the company does by itself.
const THEIRS: &str = "their-2";

pub struct Visit<'a> {
    stage: &'a Stage<'a>,
    company: Company<'a>,
    /// Where its `bgecs.toml` is written.
    folder: PathBuf,
    /// What it runs, in its own repository.
    image: String,
}

/// Users of all three services.
struct Users(Vec<(&'static str, Observer)>);

/// What came to users, by who they are. First those of the service that is released,
/// inside and outside.
type SeenBy = Vec<(&'static str, Seen)>;

impl Users {
    async fn of(company: &Company<'_>) -> Result<Self> {
        let at = |door| Observer::start(door, "/api", PACE);
        let mut all = vec![(INSIDE, at(company.inside_door().await?))];
        for line in &LINES {
            all.push((line.host, at(company.door(line).await?)));
        }
        Ok(Self(all))
    }

    async fn leave(self) -> Result<SeenBy> {
        let mut all = Vec::new();
        for (who, one) in self.0 {
            all.push((who, one.stop().await?));
        }
        Ok(all)
    }
}

/// None of these saw a failure. Gives how many requests there were.
fn unharmed(seen: &[(&str, Seen)]) -> Result<usize> {
    let each = seen.iter().map(|(who, seen)| {
        let sent = seen.unharmed();
        sent.map_err(|error| format!("users of {who}: {error}").into())
    });
    each.sum()
}

impl<'a> Visit<'a> {
    /// To a company that is founded for it.
    pub async fn begin(stage: &'a Stage<'a>) -> Result<Self> {
        let gate = stage.gate.ok_or("there is no gate")?;
        let folder = stage.folder.join("company");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let image = push(stage).await?;
        let company = Company::founded(gate, &image).await?;
        Ok(Self {
            stage,
            company,
            folder,
            image,
        })
    }

    async fn run(&self, words: &[&str]) -> Result<Ended> {
        let config = self.folder.join("bgecs.toml").display().to_string();
        let words = [words, &["--config", &config]].concat();
        self.stage.bgecs.run(&words).await?.expect_code(0)
    }

    /// Watches the release that the company does by itself.
    pub async fn is_watched(&self) -> Result<String> {
        let environment = [("BGECS_RELEASE", THEIRS)];
        let revision = self
            .company
            .register(SERVICE, &self.image, &environment)
            .await?;
        let script = self.folder.join("their-deploy.sh");
        fs::write(&script, their_deploy(&self.stage.endpoint, &revision))?;
        let script = script.display().to_string();
        let users = Users::of(&self.company).await?;
        // It has a second name inside, which nobody outside knows.
        let url = format!("https://{}/api", LINES[0].host);
        let rate = ["--url", &url, "--rate", "40", "--json"];
        let named = ["--cluster", CLUSTER, "--service", SERVICE];
        let line = [&["watch"], &named[..], &rate, &["--", "sh", &script]].concat();
        let watched = self.stage.bgecs.run(&line).await;
        let seen = users.leave().await?;
        let watched = watched?.expect_code(0)?.json()?;
        expect(&watched, &["command", "exit_code"], 0)?;
        expect(&watched, &["url"], url)?;
        // Whether their own way of releasing harms their users is theirs: the emulator
        // ends old tasks a moment too early, now and then.
        unharmed(&seen[RELEASED..])?;
        let [failed, sent] = ["failed", "sent"].map(|key| at(&watched, &["probe", key]));
        let releases = at(&watched, &["probe", "releases"]);
        if !releases.to_string().contains(THEIRS) {
            return Err(format!("the watch saw {releases}, not {THEIRS}").into());
        }
        let runs = self.company.runs(SERVICE).await?;
        if runs != revision {
            return Err(format!("{SERVICE} runs {runs}, not {revision}").into());
        }
        Ok(format!(
            "a release that a company does by itself is watched: {failed} of {sent} requests failed"
        ))
    }

    /// Imports, attaches, and releases by bgecs until the service that was there has
    /// the users again; then detaches.
    pub async fn is_released_by_bgecs(&self) -> Result<String> {
        let before = self.company.described().await?;
        let users = Users::of(&self.company).await?;
        let released = self.release().await;
        let seen = users.leave().await?;
        released?;
        let requests = unharmed(&seen)?;
        for (number, (who, seen)) in seen.iter().enumerate() {
            let saw_it = seen.0.iter().any(|one| one.says(FRENCH));
            if saw_it != (number < RELEASED) {
                return Err(format!("whether {who} saw the release: {saw_it}").into());
            }
        }
        self.is_as_it_was(&before).await?;
        Ok(format!(
            "attached to one of three services at both its load balancers and detached again, \
             through a canary, a swap and a rollback, bgecs harms none of {requests} requests and \
             leaves nothing but the release"
        ))
    }

    async fn release(&self) -> Result<()> {
        let named = ["--cluster", CLUSTER, "--service", SERVICE];
        let both = self.company.import_flags()?;
        self.run(&[&["import", "--app", "shop"], &named[..], &both].concat())
            .await?;
        self.asks_both()?;
        self.run(&["attach"]).await?;
        self.is_on_the_original().await?;
        self.deploy("v2", "2").await?;
        self.swap(&["promote", "--tag", "2", "--canary", "30%:2s"], FRENCH)
            .await?;
        self.deploy("v1", "3").await?;
        self.swap(&["promote", "--tag", "3"], ENGLISH).await?;
        self.swap(&["rollback"], FRENCH).await?;
        self.swap(&["promote", "--tag", "3"], ENGLISH).await?;
        self.is_on_the_original().await?;
        self.run(&["detach"]).await?;
        Ok(())
    }

    /// For what users ask: `import` reads no path off what takes every request.
    fn asks_both(&self) -> Result<()> {
        let file = self.folder.join("bgecs.toml");
        let written = fs::read_to_string(&file)?;
        let asked = written.replace("path = \"/\" ", "path = \"/api\" ");
        if asked == written {
            return Err(format!("no second way has a path of its own:\n{written}").into());
        }
        fs::write(&file, asked + "\n[probe]\npath = \"/api\"\n")?;
        Ok(())
    }

    async fn deploy(&self, version: &str, tag: &str) -> Result<()> {
        let context = format!("sample-app/{version}");
        let hook = ["--timeout", "120s"];
        self.run(&[&["deploy", &context, "--tag", tag], &hook[..]].concat())
            .await?;
        Ok(())
    }

    /// Moves users, who get that answer then.
    async fn swap(&self, words: &[&str], answer: &str) -> Result<()> {
        let nodes = self.stage.nodes()?;
        let asking = [
            "--window",
            "2s",
            "--rate",
            "20",
            "--connect-to",
            &nodes,
            "--json",
        ];
        let swapped = self.run(&[words, &asking].concat()).await?.json()?;
        expect(&swapped, &["outcome"], "committed")?;
        expect(&swapped, &["probe", "failed"], 0)?;
        self.answers(answer).await
    }

    async fn answers(&self, expected: &str) -> Result<()> {
        let (company, host) = (&self.company, LINES[0].host);
        for (name, door) in [
            (host, company.door(&LINES[0]).await?),
            (INSIDE, company.inside_door().await?),
        ] {
            let (status, body) = door.get("/api").await?;
            if status != 200 || !body.contains(expected) {
                return Err(format!("{name} answers {status} {body}, not {expected}").into());
            }
        }
        Ok(())
    }

    /// Users are on the service that was there.
    async fn is_on_the_original(&self) -> Result<()> {
        let status = self.run(&["status", "--json", "-q"]).await?.json()?;
        expect(&status, &["live"], "blue")?;
        self.answers(ENGLISH).await
    }

    async fn is_as_it_was(&self, before: &Described) -> Result<()> {
        let found = differences(before, &self.company.described().await?);
        if !found.is_empty() {
            return Err(format!("after `detach`:\n{}", found.join("\n")).into());
        }
        let runs = self.company.runs(SERVICE).await?;
        match runs.starts_with("bgecs-shop:") {
            true => Ok(()),
            false => Err(format!("{SERVICE} runs {runs}, which is not the release").into()),
        }
    }
}

/// As a company's CI would do it: with a call of AWS's API, and a look now and then.
fn their_deploy(endpoint: &str, revision: &str) -> String {
    let call = |operation: &str, input: &str| {
        format!(
            "curl -sSf {endpoint} -H 'Content-Type: application/x-amz-json-1.1' \
             -H 'X-Amz-Target: AmazonEC2ContainerServiceV20141113.{operation}' \
             -H 'Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=x' \
             -d '{input}'"
        )
    };
    let update = format!(
        "{{\"cluster\":\"{CLUSTER}\",\"service\":\"{SERVICE}\",\"taskDefinition\":\"{revision}\"}}"
    );
    let look = format!("{{\"cluster\":\"{CLUSTER}\",\"services\":[\"{SERVICE}\"]}}");
    format!(
        "set -eu\n{} > /dev/null\nwhile {} | grep -q IN_PROGRESS; do sleep 0.5; done\nsleep 1\n",
        call("UpdateService", &update),
        call("DescribeServices", &look),
    )
}

/// Into a repository of the company's own, as its CI would; gives its name.
async fn push(stage: &Stage<'_>) -> Result<String> {
    let registry = stage.registry();
    let (built, name) = (stage.image("1"), format!("{registry}/shop"));
    let gate = stage.gate.ok_or("there is no gate")?;
    let repository = serde_json::json!({ "repositoryName": "shop" });
    let ecr = ("ecr", "AmazonEC2ContainerRegistry_V20150921");
    let api = localstack::gate::upstream::Upstream::new(
        gate.endpoint().trim_start_matches("http://"),
        "test",
    );
    api.json(ecr, "CreateRepository", &repository).await?;
    let to = TagImageOptions {
        repo: Some(name.clone()),
        tag: Some("1".to_owned()),
    };
    stage.docker.tag_image(&built, Some(to)).await?;
    let to = PushImageOptionsBuilder::default().tag("1").build();
    let login = DockerCredentials {
        username: Some("ci".to_owned()),
        password: Some("ci".to_owned()),
        ..DockerCredentials::default()
    };
    let pushing = stage.docker.push_image(&name, Some(to), Some(login));
    pushing.try_collect::<Vec<_>>().await?;
    Ok(format!("{name}:1"))
}
