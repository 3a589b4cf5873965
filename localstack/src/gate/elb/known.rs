//! All that is known of an emulator's load balancers, and what follows of it for
//! each [`crate::balancer`]. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::actions;
use super::describe::{Attributes, Group, LoadBalancer, Registered};
use super::overlay::Overlay;
use super::sni::Added;
use crate::balancer::Config;
use crate::balancer::config::{Action, Arn, Listener, Rule, Target, TargetGroup};

/// The emulator's word, part by part as it was read last, and what the gate
/// knows better.
#[derive(Debug, Default)]
pub struct Known {
    load_balancers: Vec<LoadBalancer>,
    /// Of each load balancer, with their rules; the actions are those said.
    listeners: BTreeMap<Arn, Vec<Listener>>,
    groups: BTreeMap<Arn, Group>,
    attributes: BTreeMap<Arn, Attributes>,
    registered: BTreeMap<Arn, Registered>,
    pub overlay: Overlay,
    pub added: Added,
}

impl Known {
    /// Takes what there is now; what belongs to others is forgotten.
    pub fn set_load_balancers(&mut self, load_balancers: Vec<LoadBalancer>) {
        self.load_balancers = load_balancers;
        let alive: BTreeSet<&Arn> = self.load_balancers.iter().map(|one| &one.arn).collect();
        self.listeners.retain(|arn, _| alive.contains(arn));
        self.forget_actions();
        self.forget_attributes();
    }

    pub fn set_groups(&mut self, groups: Vec<Group>) {
        self.groups = groups
            .into_iter()
            .map(|group| (group.arn.clone(), group))
            .collect();
        self.registered
            .retain(|arn, _| self.groups.contains_key(arn));
        self.forget_attributes();
    }

    /// The listeners of a load balancer, whole.
    pub fn set_listeners(&mut self, load_balancer: &Arn, listeners: Vec<Listener>) {
        for (arn, said) in listeners.iter().flat_map(said) {
            self.overlay.settle(arn, said);
        }
        self.listeners.insert(load_balancer.clone(), listeners);
        self.forget_actions();
    }

    pub fn set_attributes(&mut self, arn: &Arn, attributes: Attributes) {
        self.attributes.insert(arn.clone(), attributes);
    }

    pub fn set_registered(&mut self, group: &Arn, registered: Registered) {
        self.registered.insert(group.clone(), registered);
    }

    pub fn load_balancers(&self) -> &[LoadBalancer] {
        &self.load_balancers
    }

    /// Whether there is a load balancer of that ARN.
    pub fn has(&self, load_balancer: &Arn) -> bool {
        let mut all = self.load_balancers.iter();
        all.any(|one| one.arn == *load_balancer)
    }

    pub fn group(&self, arn: &Arn) -> Option<&Group> {
        self.groups.get(arn)
    }

    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    pub fn registered(&self, group: &Arn) -> Option<&Registered> {
        self.registered.get(group)
    }

    /// The load balancers and target groups whose attributes were never read.
    pub fn without_attributes(&self) -> Vec<Arn> {
        self.bearers()
            .filter(|arn| !self.attributes.contains_key(*arn))
            .cloned()
            .collect()
    }

    /// What has attributes: load balancers and target groups.
    pub fn bearers(&self) -> impl Iterator<Item = &Arn> {
        let load_balancers = self.load_balancers.iter().map(|one| &one.arn);
        load_balancers.chain(self.groups.keys())
    }

    /// What the emulator said last of the actions of a listener or a rule.
    pub fn said(&self, arn: &Arn) -> Option<&[Action]> {
        self.listeners
            .values()
            .flatten()
            .flat_map(said)
            .find(|(other, _)| *other == arn)
            .map(|(_, said)| said)
    }

    /// Those of a listener, the default one first.
    pub fn certificates(&self, listener: &Arn) -> Vec<&Arn> {
        let mut all = self.listeners.values().flatten();
        let tls = all.find(|one| one.arn == *listener);
        let default = tls.and_then(|one| one.tls.as_ref()?.certificates.first());
        let default = default.map(|certificate| &certificate.arn);
        default.into_iter().chain(self.added.of(listener)).collect()
    }

    /// Whether a listener or a rule of a load balancer names it, weight 0
    /// included. Only then its targets are checked.
    pub fn is_attached(&self, group: &Arn) -> bool {
        self.named().any(|named| named == group)
    }

    /// The load balancers by whose listeners and rules it is named.
    pub fn users_of(&self, group: &Arn) -> Vec<&Arn> {
        let uses = |listeners: &Vec<Listener>| {
            let named = listeners.iter().flat_map(said);
            let mut named =
                named.flat_map(|(arn, said)| actions::groups(self.overlay.truth(arn, said)));
            named.any(|named| named == group)
        };
        let all = self.listeners.iter();
        all.filter(|(_, listeners)| uses(listeners))
            .map(|(load_balancer, _)| load_balancer)
            .collect()
    }

    /// Whether a listener or a rule names a target group that was not read.
    pub fn names_unread_group(&self) -> bool {
        self.named().any(|group| !self.groups.contains_key(group))
    }

    /// What each load balancer is told.
    pub fn configs(&self) -> Vec<(LoadBalancer, Config)> {
        self.load_balancers
            .iter()
            .map(|one| (one.clone(), self.config(&one.arn)))
            .collect()
    }

    /// Who is registered, with each group.
    pub fn all_registered(&self) -> BTreeMap<Arn, BTreeSet<Target>> {
        self.registered
            .iter()
            .map(|(arn, registered)| (arn.clone(), registered.targets.clone()))
            .collect()
    }

    /// The target groups that listeners and rules name.
    fn named(&self) -> impl Iterator<Item = &Arn> {
        self.listeners
            .values()
            .flatten()
            .flat_map(said)
            .flat_map(|(arn, said)| actions::groups(self.overlay.truth(arn, said)))
    }

    fn config(&self, load_balancer: &Arn) -> Config {
        let listeners: Vec<Listener> = self
            .listeners
            .get(load_balancer)
            .into_iter()
            .flatten()
            .map(|listener| self.true_listener(listener))
            .collect();
        let named: BTreeSet<&Arn> = listeners
            .iter()
            .flat_map(said)
            .flat_map(|(_, actions)| actions::groups(actions))
            .collect();
        let target_groups = named
            .into_iter()
            .filter_map(|arn| self.target_group(arn))
            .collect();
        let idle_timeout = self
            .seconds(load_balancer, "idle_timeout.timeout_seconds")
            .unwrap_or(Config::default().idle_timeout);
        Config {
            listeners,
            target_groups,
            idle_timeout,
        }
    }

    fn true_listener(&self, listener: &Listener) -> Listener {
        let truth = |arn, said| self.overlay.truth(arn, said).to_vec();
        Listener {
            default_actions: truth(&listener.arn, &listener.default_actions),
            rules: listener
                .rules
                .iter()
                .map(|rule| Rule {
                    actions: truth(&rule.arn, &rule.actions),
                    ..rule.clone()
                })
                .collect(),
            ..listener.clone()
        }
    }

    fn target_group(&self, arn: &Arn) -> Option<TargetGroup> {
        let group = self.groups.get(arn)?;
        let registered = self.registered.get(arn);
        Some(TargetGroup {
            arn: arn.clone(),
            health_check: group.health_check.clone(),
            deregistration_delay: self
                .seconds(arn, "deregistration_delay.timeout_seconds")
                .unwrap_or(DEREGISTRATION_DELAY),
            stickiness: self.stickiness(arn),
            targets: registered
                .map(|all| all.targets.clone())
                .unwrap_or_default(),
        })
    }

    /// `app_cookie` is not imitated: there is none then.
    fn stickiness(&self, group: &Arn) -> Option<Duration> {
        let attributes = self.attributes.get(group)?;
        let is = |key: &str, value: &str| attributes.get(key).is_some_and(|is| is == value);
        let by_cookie =
            !attributes.contains_key("stickiness.type") || is("stickiness.type", "lb_cookie");
        (is("stickiness.enabled", "true") && by_cookie).then(|| {
            self.seconds(group, "stickiness.lb_cookie.duration_seconds")
                .unwrap_or(STICKINESS)
        })
    }

    fn seconds(&self, arn: &Arn, key: &str) -> Option<Duration> {
        let seconds = self.attributes.get(arn)?.get(key)?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    fn forget_actions(&mut self) {
        let alive: BTreeSet<&Arn> = self
            .listeners
            .values()
            .flatten()
            .flat_map(said)
            .map(|(arn, _)| arn)
            .collect();
        self.overlay.retain(|arn| alive.contains(arn));
        self.added.retain(|arn| alive.contains(arn));
    }

    fn forget_attributes(&mut self) {
        let alive: BTreeSet<Arn> = self.bearers().cloned().collect();
        self.attributes.retain(|arn, _| alive.contains(arn));
    }
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html>
const DEREGISTRATION_DELAY: Duration = Duration::from_secs(300);
const STICKINESS: Duration = Duration::from_secs(86_400);

/// A listener's actions and those of its rules.
fn said(listener: &Listener) -> impl Iterator<Item = (&Arn, &[Action])> {
    let rules = listener.rules.iter();
    std::iter::once((&listener.arn, listener.default_actions.as_slice()))
        .chain(rules.map(|rule| (&rule.arn, rule.actions.as_slice())))
}

#[cfg(test)]
mod tests;
