//! A shop of three modules and a job, released as one while users are at each of them: it goes
//! live and back as one, a bad module turns all back, and two sets that overlap take
//! turns.

use std::fs;
use std::path::PathBuf;

use localstack::gate::upstream::Upstream;
use tokio::join;

use super::nightly::{self, Nightly};
use super::stage::Stage;
use crate::Result;
use crate::bgecs::Ended;
use crate::json::{at, expect};
use crate::observer::{Observer, PACE, Seen};

/// Each with those that come before it.
const MODULES: [(&str, &[&str]); 3] = [
    ("backend", &[]),
    ("frontend", &["backend"]),
    ("search", &["backend"]),
];

pub struct Shop<'a> {
    pub stage: &'a Stage<'a>,
    pub folder: PathBuf,
    /// Its job, once it is there.
    nightly: Option<Nightly>,
}

/// What users of each module saw.
pub type SeenBy = Vec<(&'static str, Seen)>;

impl<'a> Shop<'a> {
    /// With its infrastructure, and release 1 of all live.
    pub async fn open(stage: &'a Stage<'a>) -> Result<Self> {
        let folder = stage.folder.join("shop");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let mut shop = Self {
            stage,
            folder,
            nightly: None,
        };
        for (module, _) in MODULES {
            shop.configure(module, "")?;
            stage
                .bgecs
                .run(&["init", "--config", &shop.config(module)])
                .await?
                .expect_code(0)?;
        }
        shop.released("1", "v1", &[]).await?;
        let backend = ["status", "--json", "--config", &shop.config("backend")];
        let backend = stage.bgecs.run_quietly(&backend).await?.expect_code(0)?;
        let live = at(&backend.json()?, &["live"]).as_str().map(str::to_owned);
        let authority = stage.endpoint.trim_start_matches("http://");
        let api = Upstream::new(authority, "test");
        let nightly = Nightly::make(api, &live.ok_or("no backend is live")?).await?;
        shop.nightly = Some(nightly);
        fs::write(
            shop.folder.join("nightly.toml"),
            format!("[job]\nschedule = \"{}\"\n", nightly::NAME),
        )?;
        Ok(shop)
    }

    /// None is what it ran by before any release of the shop.
    async fn expect_nightly(&self, release: Option<&str>) -> Result<()> {
        match &self.nightly {
            Some(nightly) => nightly.expect(release).await,
            None => Ok(()),
        }
    }

    pub fn config(&self, module: &str) -> String {
        let path = self.folder.join(module).join("bgecs.toml");
        path.display().to_string()
    }

    fn configure(&self, module: &str, environment: &str) -> Result<()> {
        fs::create_dir_all(self.folder.join(module))?;
        let text = format!(
            "app = \"shop-{module}\"\n[container]\nenvironment = {{ {environment} }}\n[service]\ndesired_count = 1\n\
             [probe]\npath = \"/api\"\nrate = 20\nwindow_seconds = 3\n"
        );
        Ok(fs::write(self.config(module), text)?)
    }

    /// A set of those modules, which builds that version of the app.
    fn set(&self, name: &str, version: &str, of: &[&str]) -> Result<String> {
        let context = crate::bgecs::root().join("sample-app").join(version);
        let mut text = format!("set = \"{name}\"\n");
        for (module, after) in MODULES {
            if !of.contains(&module) {
                continue;
            }
            let after: Vec<String> = after.iter().map(|it| format!("\"{it}\"")).collect();
            text += &format!(
                "[[module]]\nname = \"{module}\"\nconfig = \"{module}/bgecs.toml\"\ncontext = \"{}\"\nafter = [{}]\n",
                context.display(),
                after.join(", ")
            );
        }
        let path = self.folder.join(format!("{name}.toml"));
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    /// The whole shop's.
    pub fn whole(&self, version: &str) -> Result<String> {
        let path = self.set("shop", version, &MODULES.map(|(module, _)| module))?;
        if self.nightly.is_some() {
            let job = "[[job]]\nname = \"nightly\"\nconfig = \"nightly.toml\"\n";
            fs::write(&path, fs::read_to_string(&path)? + job)?;
        }
        Ok(path)
    }

    async fn release(&self, tag: &str, version: &str, more: &[&str]) -> Result<Ended> {
        let set = self.whole(version)?;
        let line = [&["release", &set, "--tag", tag, "--json"], more].concat();
        self.stage.bgecs.run(&line).await
    }

    async fn released(&self, tag: &str, version: &str, more: &[&str]) -> Result<()> {
        let ended = self.release(tag, version, more).await?.expect_code(0)?;
        expect(&ended.json()?, &["outcome"], "released")?;
        self.expect_live(tag).await
    }

    pub async fn expect_live(&self, tag: &str) -> Result<()> {
        let set = self.whole("v1")?;
        let status = ["release", "status", &set, "--json", "-q"];
        let status = self.stage.bgecs.run_quietly(&status).await?;
        let status = status.expect_code(0)?.json()?;
        for n in 0..MODULES.len() {
            let n = n.to_string();
            expect(&status, &["modules", &n, "tag"], tag)?;
            expect(
                &status,
                &["modules", &n, "unfinished"],
                serde_json::Value::Null,
            )?;
        }
        Ok(())
    }

    /// Has users at each module while that is done.
    pub async fn watched<T>(&self, doing: impl Future<Output = Result<T>>) -> Result<(T, SeenBy)> {
        let mut users = Vec::new();
        for (module, _) in MODULES {
            let door = self.stage.door_of(&self.config(module), "prod").await?;
            users.push((module, Observer::start(door, "/api", PACE)));
        }
        let done = doing.await;
        let mut seen = Vec::new();
        for (module, one) in users {
            seen.push((module, one.stop().await?));
        }
        Ok((done?, seen))
    }

    /// Each module has its row.
    fn expect_page(&self, path: &str) -> Result<()> {
        let page = fs::read_to_string(path)?;
        let missing = MODULES.iter().find(|(module, _)| {
            let row = format!("<td>{module}</td>");
            !page.contains(&row)
        });
        match missing {
            Some((module, _)) => Err(format!("{path} says nothing of {module}").into()),
            None => Ok(()),
        }
    }

    pub async fn goes_live_and_back_as_one(&self) -> Result<String> {
        let (page, data) = (self.stage.report("set.html"), self.stage.report("set.json"));
        let there_and_back = async {
            let there = ["--steps", "25% for 2s", "--report", &page];
            self.released("2", "v2", &there).await?;
            self.expect_nightly(Some("2")).await?;
            let set = self.whole("v2")?;
            let back = ["release", &set, "--rollback", "--json", "--report", &data];
            let back = self.stage.bgecs.run(&back).await?.expect_code(0)?;
            expect(&back.json()?, &["outcome"], "went_back")
        };
        let ((), seen) = self.watched(there_and_back).await?;
        let requests = unharmed(&seen, |_| true)?;
        self.expect_page(&page)?;
        let report = serde_json::from_str(&fs::read_to_string(&data)?)?;
        for n in 0..MODULES.len() {
            let n = n.to_string();
            expect(&report, &["modules", &n, "report", "probe", "failed"], 0)?;
        }
        self.expect_live("1").await?;
        self.expect_nightly(None).await?;
        Ok(format!(
            "three apps and a job go live and back as one: {requests} requests of their users, none failed"
        ))
    }

    /// The last one's release fails once users are on it.
    pub async fn a_bad_module_turns_all_back(&self) -> Result<String> {
        self.configure("search", "GREETER_FAIL_WHEN_LIVE = \"1\"")?;
        let page = self.stage.report("failed-set.html");
        let told = ["--report", &page];
        let bad = async { self.release("3", "v2", &told).await?.expect_code(3) };
        let (ended, seen) = self.watched(bad).await?;
        let result = ended.json()?;
        expect(&result, &["outcome"], "rolled_back")?;
        let reason = at(&result, &["reason"]).to_string();
        if !reason.starts_with("\"search: ") {
            return Err(format!("the reason is {reason}").into());
        }
        let requests = unharmed(&seen, |module| module != "search")?;
        self.expect_page(&page)?;
        self.expect_live("1").await?;
        self.expect_nightly(None).await?;
        self.configure("search", "")?;
        Ok(format!(
            "a module that fails turns all back: {requests} requests to the others, none failed"
        ))
    }

    /// Each has the backend, and another module beside it.
    pub async fn sets_that_overlap_take_turns(&self) -> Result<String> {
        let one = self.set("left", "v2", &["backend", "frontend"])?;
        let other = self.set("right", "v2", &["search", "backend"])?;
        let line = |set: &str| {
            let line = [
                "release", set, "--tag", "4", "--window", "1s", "--wait", "3m",
            ];
            line.map(str::to_owned)
        };
        let release = async |set: &str| {
            let line = line(set);
            let line: Vec<&str> = line.iter().map(String::as_str).collect();
            self.stage.bgecs.run(&line).await?.expect_code(0)
        };
        let both = async {
            let (one, other) = join!(release(&one), release(&other));
            one.and(other)
        };
        let (_, seen) = self.watched(both).await?;
        let requests = unharmed(&seen, |_| true)?;
        self.expect_live("4").await?;
        Ok(format!(
            "two sets that share an app take turns: {requests} requests, none failed"
        ))
    }

    pub async fn close(&self) -> Result<()> {
        for (module, _) in MODULES {
            let line = ["destroy", "--yes", "--config", &self.config(module)];
            self.stage.bgecs.run(&line).await?.expect_code(0)?;
        }
        Ok(())
    }
}

/// How many requests there were to those, of which none may have failed.
pub fn unharmed(seen: &SeenBy, of: impl Fn(&str) -> bool) -> Result<usize> {
    let asked = seen.iter().filter(|(module, _)| of(module));
    asked
        .map(|(module, seen)| {
            let sent = seen.unharmed();
            sent.map_err(|error| format!("users of {module}: {error}").into())
        })
        .sum()
}
