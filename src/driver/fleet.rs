//! Reads all apps of an account and region: page by page of stacks, and side by side what
//! belongs to the apps of one page. Changes nothing.
//!
//! AWS limits each kind of call, so only some of each kind run at once: enough to use the
//! allowed rate fully, and few enough that none waits for its turn longer than a call may
//! take.

use std::collections::{BTreeMap, HashMap};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use futures_util::{join, try_join};
use tokio::pin;
use tokio::sync::Semaphore;

use super::{hosted, turn};
use crate::aws::{
    AppStack, Aws, AwsError, CREW, RouteActions, Router, StackSnapshot, unless_throttled,
};
use crate::engine::fleet::Recent;
use crate::error::Result;
use crate::model::journal::{Head, Lease, Operation};
use crate::model::{
    AppName, Color, ColorState, EcsInfrastructure, EdgeInfrastructure, Found, Infrastructure,
    Observed, OtherWays, PerColor, PerRoute, Release, ServiceState, Targets,
};
use crate::session::incomplete;

/// How far back each app's history is read.
const RECENT: i32 = 20;
/// Calls of one kind under way at once.
const AT_ONCE: usize = 16;

/// One app, or why it could not be read.
pub struct FleetApp {
    pub app: AppName,
    pub seen: Result<Box<SeenApp>>,
}

/// An app at one moment.
pub struct SeenApp {
    pub stack: StackSnapshot,
    /// Without the colours' target health.
    pub observed: Observed,
    pub ended: Vec<Operation>,
    pub held: Option<Lease>,
}

/// All apps, by name.
///
/// # Errors
/// The stacks cannot be listed.
pub async fn look(aws: &Aws) -> Result<Vec<FleetApp>> {
    let turns = Turns::new();
    let mut reading = FuturesUnordered::new();
    let mut apps: Vec<FleetApp> = Vec::new();
    let mut from = None;
    loop {
        let page = aws.read_app_stacks(from);
        pin!(page);
        // The apps of one page are read while the next is on its way.
        let page = loop {
            tokio::select! {
                page = &mut page => break page?,
                Some(read) = reading.next() => apps.extend(read),
            }
        };
        reading.push(read_page(aws, &turns, page.apps));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    while let Some(read) = reading.next().await {
        apps.extend(read);
    }
    apps.sort_by(|one, other| one.app.as_str().cmp(other.app.as_str()));
    Ok(apps)
}

/// The permits for calls of each kind.
struct Turns {
    services: Semaphore,
    definitions: Semaphore,
    journals: Semaphore,
    routers: Semaphore,
}

impl Turns {
    fn new() -> Self {
        let turns = || Semaphore::new(AT_ONCE);
        Self {
            services: turns(),
            definitions: turns(),
            journals: turns(),
            routers: turns(),
        }
    }
}

/// Makes a call when it is its turn, and keeps the turn while AWS throttles it, so that
/// fewer calls are made. The semaphore is never closed.
async fn in_turn<T>(
    turns: &Semaphore,
    call: impl AsyncFn() -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    let _turn = turns.acquire().await;
    unless_throttled(call).await
}

/// An app that bgecs runs on ECS.
struct EcsApp {
    app: AppName,
    stack: StackSnapshot,
    infra: EcsInfrastructure,
}

/// An app whose colours bgecs does not run.
struct EdgeApp {
    app: AppName,
    stack: StackSnapshot,
    infra: EdgeInfrastructure,
}

/// A page's apps, grouped by how they are read.
#[derive(Default)]
struct PageApps {
    /// The apps of one cluster, as many as can be read in one call.
    crews: Vec<Vec<EcsApp>>,
    edges: Vec<EdgeApp>,
    incomplete: Vec<FleetApp>,
}

impl PageApps {
    fn of(stacks: Vec<AppStack>) -> Self {
        let mut page = Self::default();
        let mut clusters: BTreeMap<String, Vec<EcsApp>> = BTreeMap::new();
        for AppStack { app, stack } in stacks {
            match stack.infrastructure() {
                Ok(Infrastructure::Ecs(infra)) => {
                    let cluster = infra.services.cluster.clone();
                    let infra = *infra;
                    let it = EcsApp { app, stack, infra };
                    clusters.entry(cluster).or_default().push(it);
                }
                Ok(Infrastructure::Edge(infra)) => {
                    let infra = *infra;
                    page.edges.push(EdgeApp { app, stack, infra });
                }
                Err(missing) => {
                    let seen = Err(incomplete(&stack, &missing));
                    page.incomplete.push(FleetApp { app, seen });
                }
            }
        }
        for mut apps in clusters.into_values() {
            while !apps.is_empty() {
                let rest = apps.split_off(apps.len().min(CREW));
                page.crews.push(std::mem::replace(&mut apps, rest));
            }
        }
        page
    }

    fn tables(&self) -> Vec<String> {
        let ecs = self.crews.iter().flatten();
        let ecs = ecs.map(|it| it.infra.journal_table.clone());
        let edges = self.edges.iter();
        ecs.chain(edges.map(|it| it.infra.journal_table.clone()))
            .collect()
    }
}

async fn read_page(aws: &Aws, turns: &Turns, stacks: Vec<AppStack>) -> Vec<FleetApp> {
    let page = PageApps::of(stacks);
    let behind_balancers = page.crews.iter().flatten().map(|it| &it.infra);
    let (heads, actions) = join!(
        aws.read_heads(page.tables()),
        aws.read_actions(behind_balancers),
    );
    let look = PageLook {
        aws,
        turns,
        heads: &heads,
        actions: &actions,
    };
    let crews = join_all(page.crews.into_iter().map(|crew| look.at_crew(crew)));
    let edges = join_all(page.edges.into_iter().map(|it| look.at_edge(it)));
    let (crews, edges) = join!(crews, edges);
    let read = crews.into_iter().flatten().chain(edges);
    read.chain(page.incomplete).collect()
}

/// What was read for all apps of a page together.
struct PageLook<'a> {
    aws: &'a Aws,
    turns: &'a Turns,
    heads: &'a HashMap<String, Result<Head, AwsError>>,
    actions: &'a RouteActions,
}

type Services = PerColor<Option<ServiceState>>;

impl PageLook<'_> {
    async fn at_crew(&self, crew: Vec<EcsApp>) -> Vec<FleetApp> {
        let Some(first) = crew.first() else {
            return Vec::new();
        };
        let names: Vec<_> = crew.iter().map(|it| &it.infra.services).collect();
        let cluster = first.infra.services.cluster.as_str();
        let services = async || self.aws.read_services_of(cluster, &names).await;
        let services = match in_turn(&self.turns.services, services).await {
            Ok(services) => services.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error); crew.len()],
        };
        let apps = crew.into_iter().zip(services);
        join_all(apps.map(async |(it, services)| {
            let app = it.app.clone();
            let seen = self.at_ecs(it, services).await;
            FleetApp {
                app,
                seen: seen.map(Box::new).map_err(Into::into),
            }
        }))
        .await
    }

    async fn at_ecs(
        &self,
        it: EcsApp,
        services: Result<Services, AwsError>,
    ) -> Result<SeenApp, AwsError> {
        let services = services?;
        let traffic = self.aws.routes_among(&it.infra, self.actions)?;
        let (head, ended) = self.journal(&it.infra.journal_table).await?;
        let recent = Recent {
            head: &head,
            ended: &ended,
        };
        let running = |color| self.running(recent, &traffic.production, color, &services);
        let (blue, green) = try_join!(running(Color::Blue), running(Color::Green))?;
        let of = |service: Option<ServiceState>, release| ColorState {
            service,
            hosted: None,
            release,
            targets: Targets::default(),
        };
        let colors = PerColor {
            blue: of(services.blue, blue),
            green: of(services.green, green),
        };
        let observed = Observed {
            infrastructure: it.infra.into(),
            traffic,
            other_ways: OtherWays::default(),
            colors,
            journal: head,
        };
        Ok(self.seen(it.stack, observed, ended))
    }

    /// Asks AWS only if the journal does not know the release, or if its size matters
    /// because it runs without users.
    async fn running(
        &self,
        recent: Recent<'_>,
        production: &Found,
        color: Color,
        services: &Services,
    ) -> Result<Option<Release>, AwsError> {
        let Some(service) = services.get(color) else {
            return Ok(None);
        };
        let is_warm = service.running > 0 && !production.reaches(color);
        let revision = &service.task_definition;
        match recent.release(color, revision).filter(|_| !is_warm) {
            Some(known) => Ok(Some(known)),
            None => {
                let asked = async || self.aws.find_release(revision).await;
                in_turn(&self.turns.definitions, asked).await
            }
        }
    }

    async fn at_edge(&self, it: EdgeApp) -> FleetApp {
        let EdgeApp { app, stack, infra } = it;
        let table = infra.journal_table.clone();
        let infrastructure = Infrastructure::from(infra);
        let router = self.aws.router(&infrastructure);
        let routes = in_turn(&self.turns.routers, async || router.read().await);
        // On the heap: a router of any kind is large.
        let read = Box::pin(async { try_join!(routes, self.journal(&table)) }).await;
        let seen = read.map(|(traffic, (head, ended))| {
            let observed = at_edge(infrastructure.clone(), traffic, head);
            Box::new(self.seen(stack, observed, ended))
        });
        let seen = seen.map_err(Into::into);
        FleetApp { app, seen }
    }

    async fn journal(&self, table: &str) -> Result<(Head, Vec<Operation>), AwsError> {
        let head = self.heads.get(table).cloned().transpose()?;
        let history = async || self.aws.read_history(table, RECENT).await;
        let ended = in_turn(&self.turns.journals, history).await?;
        Ok((head.unwrap_or_default(), ended))
    }

    fn seen(&self, stack: StackSnapshot, observed: Observed, ended: Vec<Operation>) -> SeenApp {
        let held = turn::held(&observed.journal, self.aws.journal_time());
        SeenApp {
            stack,
            observed,
            ended,
            held,
        }
    }
}

fn at_edge(infrastructure: Infrastructure, traffic: PerRoute<Found>, journal: Head) -> Observed {
    let hosted = hosted::remembered(&journal);
    let state = |hosted| hosted::state(hosted, Targets::default());
    Observed {
        colors: PerColor {
            blue: state(hosted.blue),
            green: state(hosted.green),
        },
        infrastructure,
        traffic,
        other_ways: OtherWays::default(),
        journal,
    }
}

#[cfg(test)]
mod tests;
