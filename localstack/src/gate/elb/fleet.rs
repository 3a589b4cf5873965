//! The load balancers that run here: one [`Balancer`] for each that the emulator
//! has, told what it is to do whenever that changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rustls::ServerConfig;

use super::describe::LoadBalancer;
use super::report;
use super::sites::{Places, Sites};
use crate::balancer::config::{Arn, Certificate, Condition, Target, Tls};
use crate::balancer::health::Health;
use crate::balancer::{Authority, Balancer, Config};

#[derive(Debug)]
pub struct Fleet {
    sites: Sites,
    authority: Arc<Authority>,
    places: Mutex<Places>,
    running: RwLock<Vec<Running>>,
    /// Of all groups, those of no load balancer too.
    registered: RwLock<BTreeMap<Arn, BTreeSet<Target>>>,
}

#[derive(Debug, Clone)]
struct Running {
    is: LoadBalancer,
    balancer: Balancer,
    /// What it was told last and did.
    told: Option<Config>,
}

impl Running {
    /// Those of all its listeners.
    fn certificates(&self) -> Vec<Certificate> {
        let config = self.balancer.config();
        let all = config.listeners.iter().filter_map(|one| one.tls.as_ref());
        all.flat_map(|tls| tls.certificates.clone()).collect()
    }

    /// Whether a rule names that host: then its DNS record would lead here.
    fn has_rule_for(&self, host: &str) -> bool {
        let config = self.balancer.config();
        let rules = config.listeners.iter().flat_map(|one| &one.rules);
        let mut conditions = rules.flat_map(|rule| &rule.conditions);
        conditions.any(|condition| match condition {
            Condition::HostHeader(names) => names.iter().any(|it| it.eq_ignore_ascii_case(host)),
            _ => false,
        })
    }
}

impl Fleet {
    pub fn new(sites: Sites) -> Self {
        Self {
            sites,
            authority: Arc::default(),
            places: Mutex::default(),
            running: RwLock::default(),
            registered: RwLock::default(),
        }
    }

    /// Brings the load balancers to these: new ones begin, others are told what
    /// changed, and those that are no more end.
    ///
    /// Not to be called twice at once. Gives what could not be done; it is tried
    /// again the next time.
    pub async fn bring_to(
        &self,
        wanted: Vec<(LoadBalancer, Config)>,
        registered: BTreeMap<Arn, BTreeSet<Target>>,
    ) -> Vec<String> {
        *self
            .registered
            .write()
            .unwrap_or_else(PoisonError::into_inner) = registered;
        self.end_others(&wanted).await;
        let mut troubles = Vec::new();
        for (is, config) in wanted {
            let one = self.running_as(&is);
            if one.told.as_ref() == Some(&config) {
                continue;
            }
            let told = one.balancer.apply(config.clone()).await;
            if let Err(unbound) = &told {
                troubles.push(format!("load balancer {}: {unbound}", is.name));
            }
            self.remember(&is.arn, told.is_ok().then_some(config));
        }
        troubles
    }

    async fn end_others(&self, wanted: &[(LoadBalancer, Config)]) {
        for (gone, balancer) in self.balancers() {
            if !wanted.iter().any(|(is, _)| is.arn == gone.arn) {
                balancer.stop().await;
                self.write().retain(|other| other.is.arn != gone.arn);
                self.places().leave(&gone.arn);
            }
        }
    }

    /// Begins it if need be. It is listed at once, so that none is lost whatever
    /// becomes of the caller.
    fn running_as(&self, is: &LoadBalancer) -> Running {
        let running = self.read().iter().find(|one| one.is.arn == is.arn).cloned();
        if let Some(one) = running {
            return one;
        }
        let site = self.places().of(&is.arn, &self.sites);
        let one = Running {
            is: is.clone(),
            balancer: Balancer::certified_by(self.authority.clone(), site),
            told: None,
        };
        self.write().push(one.clone());
        one
    }

    fn remember(&self, arn: &Arn, told: Option<Config>) {
        if let Some(one) = self.write().iter_mut().find(|one| one.is.arn == *arn) {
            one.told = told;
        }
    }

    pub fn balancer_of(&self, host: &str) -> Option<(Balancer, u16)> {
        let (name, port) = named(host)?;
        let running = self.read();
        let named = running
            .iter()
            .find(|one| one.is.dns.eq_ignore_ascii_case(name));
        let one = named.or_else(|| {
            let covers = |one: &Certificate| one.covers(name);
            running
                .iter()
                .find(|one| one.certificates().iter().any(covers) || one.has_rule_for(name))
        })?;
        Some((one.balancer.clone(), port))
    }

    /// What HTTPS is answered with that comes to the gate's own port: by any
    /// certificate of any load balancer. None where there is none.
    pub fn tls(&self) -> Option<Arc<ServerConfig>> {
        let tls = Tls {
            certificates: self.read().iter().flat_map(Running::certificates).collect(),
            ..Tls::default()
        };
        match tls.certificates.is_empty() {
            true => None,
            false => self.authority.config(&tls).ok(),
        }
    }

    /// Who makes the certificates.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    pub fn balancers(&self) -> Vec<(LoadBalancer, Balancer)> {
        self.read()
            .iter()
            .map(|one| (one.is.clone(), one.balancer.clone()))
            .collect()
    }

    /// Of an attached group what its load balancer's checks say, of another that
    /// its targets are unused.
    pub fn health_of(&self, group: &Arn) -> Vec<(Target, Health)> {
        let attached = |one: &&Running| one.balancer.config().target_group(group).is_some();
        if let Some(one) = self.read().iter().find(attached) {
            return one.balancer.health(group);
        }
        self.registered
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(group)
            .into_iter()
            .flatten()
            .map(|target| (*target, report::not_in_use()))
            .collect()
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Running>> {
        self.running.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Running>> {
        self.running.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Name and port of a Host header. Without a port it is HTTP's.
fn named(host: &str) -> Option<(&str, u16)> {
    match host.rsplit_once(':') {
        Some((name, port)) => Some((name, port.parse().ok()?)),
        None => Some((host, 80)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_names_a_load_balancer_and_a_port() {
        assert_eq!(named("web.elb"), Some(("web.elb", 80)));
        assert_eq!(named("web.elb:81"), Some(("web.elb", 81)));
        assert_eq!(named("web.elb:x"), None);
    }
}
