//! The addresses where an app is probed: production, by each way that users come in, and
//! a colour, wherever users are.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Session;
use super::here::{self, Here};
use crate::driver::resolvers;
use crate::error::{Error, Result};
use crate::model::{
    ADDRESS, Answer, Backends, Color, EcsInfrastructure, EdgeInfrastructure, Infrastructure,
    PerRoute, Route,
};
use crate::probe::{Address, Question, ask_once};

impl Session {
    /// Where to ask a route for a path: by the app's name, at the nodes of its load
    /// balancer, wherever that name leads so far.
    ///
    /// # Errors
    /// A path that no URL can have (exit 2), and what says [`Self::secret_header`].
    pub async fn address(
        &self,
        infra: &Infrastructure,
        route: Route,
        path: &str,
    ) -> Result<Address> {
        self.showing(self.bare_address(infra, route, path)?).await
    }

    /// The same for whoever does not look at the answers: it shows no secret.
    ///
    /// # Errors
    /// A path that no URL can have (exit 2).
    pub fn bare_address(
        &self,
        infra: &Infrastructure,
        route: Route,
        path: &str,
    ) -> Result<Address> {
        let url = infra.url(route);
        match infra {
            Infrastructure::Ecs(ecs) => {
                self.bare_address_by(&url, Some(&ecs.load_balancer_dns_name), path)
            }
            Infrastructure::Edge(_) => self.bare_address_by(&url, None, path),
        }
    }

    /// Where to ask a colour, wherever users are.
    ///
    /// # Errors
    /// As [`Self::address`].
    pub async fn color_address(
        &self,
        infra: &Infrastructure,
        color: Color,
        path: &str,
    ) -> Result<Address> {
        let bare = self.bare_color_address(infra, color, path).await?;
        self.showing(bare).await
    }

    /// The same for whoever does not look at the answers: it shows no secret.
    ///
    /// # Errors
    /// As [`Self::bare_address`].
    pub async fn bare_color_address(
        &self,
        infra: &Infrastructure,
        color: Color,
        path: &str,
    ) -> Result<Address> {
        match infra {
            Infrastructure::Ecs(_) => {
                let address = self.bare_address(infra, Route::Test, path)?;
                Ok(address.asking_for(color))
            }
            Infrastructure::Edge(edge) if edge.backends == Backends::ByHeader => {
                let address = self.bare_address(infra, Route::Production, path)?;
                Ok(address.asking_for(color))
            }
            Infrastructure::Edge(edge) => {
                let url = self.backend(edge, color).await?;
                // Where users come in is not where a colour is.
                self.plain_address(&url, path)
            }
        }
    }

    /// Where a colour is looked at: an instance's own address is for AWS to say, each
    /// time, as it changes when users move.
    async fn backend(&self, edge: &EdgeInfrastructure, color: Color) -> Result<String> {
        let told = edge.backend(color);
        match edge.router.instance(color) {
            Some(instance) if told.contains(ADDRESS) => {
                let address = self.aws.instance_address(instance).await?;
                Ok(told.replace(ADDRESS, &address))
            }
            _ => Ok(told.to_owned()),
        }
    }

    /// Where to ask production, at each way by which users come in; what would be
    /// asked twice is asked once.
    ///
    /// # Errors
    /// As [`Self::address`].
    pub async fn production_addresses(
        &self,
        infra: &Infrastructure,
        path: &str,
    ) -> Result<Vec<Address>> {
        match infra {
            Infrastructure::Ecs(ecs) => self.addresses_at_balancers(ecs, path).await,
            Infrastructure::Edge(edge) => {
                let address = self.address(infra, Route::Production, path).await?;
                // What was said explicitly wins.
                let all = match self.connect_to.is_empty() {
                    true => resolvers::all(self, edge).await,
                    false => Vec::new(),
                };
                Ok(match all.is_empty() {
                    true => vec![address],
                    false => all
                        .into_iter()
                        .map(|dns| address.clone().resolved_by(dns))
                        .collect(),
                })
            }
        }
    }

    async fn addresses_at_balancers(
        &self,
        infra: &EcsInfrastructure,
        path: &str,
    ) -> Result<Vec<Address>> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        let further = infra.further_ways.iter().map(|way| {
            let path = way.probe_path.as_deref().unwrap_or(path);
            (way.url.clone(), &way.load_balancer_dns_name, path)
        });
        let first = (
            infra.url(Route::Production),
            &infra.load_balancer_dns_name,
            path,
        );
        for (url, load_balancer, path) in std::iter::once(first).chain(further) {
            if seen.insert((url.clone(), load_balancer, path)) {
                all.push(self.address_by(&url, load_balancer, path).await?);
            }
        }
        Ok(all)
    }

    /// The same for any URL that leads to that load balancer.
    ///
    /// # Errors
    /// As [`Self::address`].
    pub async fn address_by(&self, url: &str, load_balancer: &str, path: &str) -> Result<Address> {
        self.showing(self.bare_address_by(url, Some(load_balancer), path)?)
            .await
    }

    async fn showing(&self, bare: Address) -> Result<Address> {
        Ok(bare.showing(self.secret_header().await?))
    }

    /// At that load balancer, where it leads to one.
    fn bare_address_by(
        &self,
        url: &str,
        load_balancer: Option<&str>,
        path: &str,
    ) -> Result<Address> {
        let address = self.plain_address(url, path)?;
        let address = match load_balancer {
            Some(name) => address.at_nodes_of(name),
            None => address,
        };
        Ok(address.through(&self.connect_to))
    }

    fn plain_address(&self, url: &str, path: &str) -> Result<Address> {
        Address::parse(url)
            .and_then(|address| address.at_path(path))
            .map(|address| address.trusting(self.config.probe.ca_file.clone()))
            .map_err(Error::usage)
    }

    /// Where a person opens it, if bgecs is redirected.
    pub async fn here(&self, infra: &Infrastructure) -> Option<PerRoute<Here>> {
        let ca_file = self.config.probe.ca_file.as_deref();
        here::here(&self.connect_to, ca_file, infra.ecs().ok()?).await
    }

    /// By which command a person looks at a colour where the test route's URL alone
    /// shows another.
    pub fn asking(&self, infra: &Infrastructure, color: Color, here: Option<&Here>) -> String {
        let probe = &self.config.probe;
        let (path, ca_file) = (probe.path.as_str(), probe.ca_file.as_deref());
        match infra {
            Infrastructure::Ecs(ecs) => {
                here::asking(Some(color), (&ecs.url(Route::Test), path), ca_file, here)
            }
            Infrastructure::Edge(edge) => {
                let named = (edge.backends == Backends::ByHeader).then_some(color);
                here::asking(named, (edge.backend(color), path), ca_file, here)
            }
        }
    }

    /// Asks a colour for a path once, as a new visitor, wherever users are.
    ///
    /// # Errors
    /// As [`Self::address`]; whatever comes or does not come is no error.
    pub async fn ask(
        &self,
        infra: &Infrastructure,
        color: Color,
        path: &str,
        question: &Question,
    ) -> Result<Arc<Answer>> {
        let address = self.color_address(infra, color, path).await?;
        let asked = ask_once(&address, question, self.config.probe.timeout).await;
        Ok(asked.answer)
    }
}
