//! Users who are routed by a record of Route 53 or by the origin of a distribution: a
//! move of either, and an `up`, killed at each write. Nobody is led to what does not
//! serve, and the same line ends where the first would have.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use localstack::Endpoints;
use localstack::gate::crash::Write;

use super::cell::{Gone, Point, Told};
use super::mode::Mode;
use super::operation::{Operation, Release};
use super::world::World;
use crate::Result;
use crate::bgecs::Ended;
use crate::json::expect;
use crate::observer::{Door, Observer};
use crate::others::{self, Distribution};

const COLORS: [&str; 2] = ["blue", "green"];
const ZONE: &str = "matrix.test";
const RECORD: &str = "www.matrix.test";
const HOST: &str = "cdn.matrix.test";
/// A command that is not at its write by then never will be.
const PATIENCE: Duration = Duration::from_secs(120);
const PACE: Duration = Duration::from_millis(50);

pub struct Edges {
    endpoints: Endpoints,
    folder: PathBuf,
    /// Where names are resolved, and where edges are.
    resolver: String,
    edges: Vec<String>,
    /// The ids of the zone and of the distribution.
    ids: [String; 2],
}

impl Edges {
    /// Two apps in that folder, with a release on each colour; each lane has servers of
    /// its own.
    pub async fn founded(world: &World<'_>, folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let addresses = [Ipv4Addr::new(127, 0, 7, 1), Ipv4Addr::new(127, 0, 7, 2)];
        let endpoints = Endpoints::at(addresses, "x-bgecs-release")?;
        let dns = world.gate.dns().ok_or("the gate serves no names")?;
        let cdn = world.gate.cdn().ok_or("the gate has no edges")?;
        let mut it = Self {
            endpoints,
            folder: folder.to_owned(),
            resolver: dns.authority.to_string(),
            edges: cdn.edges.iter().map(ToString::to_string).collect(),
            ids: [String::new(), String::new()],
        };
        let zone = others::make_zone(&world.api, ZONE).await?;
        fs::write(it.endpoints.file("blue"), "begun")?;
        let distribution = Distribution {
            alias: HOST,
            origins: addresses,
            port: it.endpoints.port,
            leads_to: "blue",
            more: "",
        };
        let distribution = distribution.make(&world.api).await?.id;
        it.ids = [zone, distribution];
        for operation in [Operation::PromoteRecord, Operation::PromoteOrigin] {
            it.configure(operation, None)?;
            it.done(world, operation, &["init"]).await?;
        }
        let first = ["deploy", "--tag", "first"];
        it.done(world, Operation::PromoteRecord, &first).await?;
        Ok(it)
    }

    /// `live` is declared in the file, with another TTL than before.
    fn configure(&self, operation: Operation, live: Option<&Release>) -> Result<()> {
        let port = self.endpoints.port;
        let [_, distribution] = &self.ids;
        let live = live.map(|release| format!("live = {{ tag = \"{}\" }}\n", release.tag));
        let router = match operation {
            Operation::PromoteOrigin => format!(
                "kind = \"cloudfront-origin\"\ndistribution = \"{distribution}\"\nurl = \"http://{HOST}:{port}\"\n"
            ),
            _ => format!(
                "kind = \"route53\"\nrecord = \"{RECORD}\"\nurl = \"http://{RECORD}:{port}\"\nttl = {}\nresolvers = [\"{}\"]\n",
                if live.is_some() { 2 } else { 1 },
                self.resolver
            ),
        };
        let mut text = format!(
            "app = \"{}\"\n{}[router]\n{router}[probe]\nwindow_seconds = 1\n",
            app(operation),
            live.unwrap_or_default()
        );
        for color in COLORS {
            let target = match operation {
                Operation::PromoteOrigin => color.to_owned(),
                _ => self.endpoints.address(color).to_string(),
            };
            text += &format!(
                "[colors.{color}]\ntarget = \"{target}\"\nurl = \"{}\"\ndeploy = \"echo $BGECS_TAG > {}\"\n",
                self.endpoints.url(color),
                self.endpoints.file(color).display()
            );
        }
        Ok(fs::write(self.config(operation), text)?)
    }

    fn config(&self, operation: Operation) -> PathBuf {
        self.folder.join(format!("{}.toml", app(operation)))
    }

    fn with_config(&self, operation: Operation, words: &[impl AsRef<str>]) -> Vec<String> {
        let config = self.config(operation).display().to_string();
        let mut all: Vec<String> = words.iter().map(|it| it.as_ref().to_owned()).collect();
        all.extend(["--config".to_owned(), config]);
        if operation == Operation::PromoteOrigin {
            all.extend(["--connect-to".to_owned(), self.edges.join(",")]);
        }
        all
    }

    pub async fn done(
        &self,
        world: &World<'_>,
        operation: Operation,
        words: &[impl AsRef<str>],
    ) -> Result<Ended> {
        world.type_done(&self.with_config(operation, words)).await
    }

    /// Brings it to where that operation starts: a new release waits on the idle colour.
    pub async fn prepare(&self, world: &World<'_>, operation: Operation) -> Result<Release> {
        let release = world.next_release();
        self.configure(operation, None)?;
        self.done(world, operation, &["init"]).await?;
        let deploy = ["deploy", "--tag", &release.tag];
        self.done(world, operation, &deploy).await?;
        if operation == Operation::Up {
            self.configure(operation, Some(&release))?;
        }
        Ok(release)
    }

    /// The writes of a run that nothing disturbs.
    pub async fn written(&self, world: &World<'_>, operation: Operation) -> Result<Vec<Write>> {
        let release = self.prepare(world, operation).await?;
        let mark = world.gate.calls().mark();
        let words = operation.typed(&release).words;
        self.done(world, operation, &words).await?;
        Ok(Write::all(&world.gate.calls().since(mark)))
    }

    /// The same in every lane.
    pub fn plain(&self, write: &Write) -> Write {
        let plain = |text: &str| {
            let ids = self.ids.iter();
            ids.fold(text.to_owned(), |text, id| text.replace(id.as_str(), "ID"))
        };
        Write {
            operation: plain(&write.operation),
            resource: plain(&write.resource),
            ..write.clone()
        }
    }

    /// Goes through a cell.
    pub async fn go(&self, world: &World<'_>, point: Point<'_>) -> Gone {
        let gone = self.gone_through(world, point).await;
        gone.unwrap_or_else(|error| Gone::badly(&error.to_string()))
    }

    async fn gone_through(&self, world: &World<'_>, point: Point<'_>) -> Result<Gone> {
        let prepared = self.prepare(world, point.operation).await;
        let release = prepared.map_err(|error| format!("not brought to its start: {error}"))?;
        let edges = self.edges.iter().map(|edge| {
            let door = Door::new(vec![format!("http://{edge}")], HOST)?;
            Ok(Observer::start(door, "/", PACE))
        });
        let users: Vec<Observer> = edges.collect::<Result<_>>()?;
        let outcome = self.walk(world, point, &release).await;
        let mut harm = None;
        for one in users {
            harm = harm.or(one.stop().await?.unharmed().err());
        }
        Ok(Gone {
            verdict: match (outcome, harm) {
                (Ok(told), None) => Ok(told),
                (Ok(_), Some(harm)) => Err(harm.to_string()),
                (Err(error), _) => Err(error.to_string()),
            },
            failed_for: None,
        })
    }

    async fn walk(&self, world: &World<'_>, point: Point<'_>, release: &Release) -> Result<Told> {
        let operation = point.operation;
        let line = self.with_config(operation, &operation.typed(release).words);
        world.type_and_kill(&line, point, PATIENCE).await?;
        self.leads_to_one(world).await?;
        if point.mode == Mode::Resume {
            self.done(world, operation, &["status"]).await?;
            self.done(world, operation, &["resume"]).await?;
        }
        let codes = world.type_until_done(&line).await?;
        self.ended(world, operation, release).await?;
        Ok(Told::Repeated(codes))
    }

    /// Whatever was cut off, the record has one answer, and not none.
    async fn leads_to_one(&self, world: &World<'_>) -> Result<()> {
        let answer = others::records(&world.api, &self.ids[0]).await?;
        let sets = answer.split("<ResourceRecordSet>").skip(1);
        let led = sets.filter(|set| set.contains(RECORD) && !set.contains("<Weight>0<"));
        match led.count() {
            1 => Ok(()),
            count => Err(format!("{RECORD} has {count} answers with a weight: {answer}").into()),
        }
    }

    async fn ended(
        &self,
        world: &World<'_>,
        operation: Operation,
        release: &Release,
    ) -> Result<()> {
        let status = self.done(world, operation, &["status", "--json"]).await?;
        let status = status.json()?;
        for none in ["unfinished", "lease"] {
            expect(&status, &[none], serde_json::Value::Null)?;
        }
        let live = status["live"].as_str().ok_or("nobody is live")?.to_owned();
        expect(&status, &["hosted", &live, "tag"], release.tag.as_str())
    }
}

fn app(operation: Operation) -> &'static str {
    match operation {
        Operation::PromoteOrigin => "matrix-origin",
        _ => "matrix-record",
    }
}
