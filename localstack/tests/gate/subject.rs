//! What the conformance cases are held against: an ELBv2 endpoint, and a way to
//! the listeners of its load balancers.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use localstack::gate::{self, elb::Elb};

use crate::api::{Api, Health, Outcome, With, all, first};
use crate::door::Door;
use crate::store::Store;

/// Longer than anything takes that happens at all.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(10);

pub struct Subject {
    pub api: Api,
    reach: Reach,
    /// Seconds between two checks.
    interval: u32,
    network: Network,
    /// What to delete in the end: call, parameter, ARN.
    made: Mutex<Vec<(&'static str, &'static str, String)>>,
}

/// Where load balancers are made.
struct Network {
    vpc: String,
    subnets: [String; 2],
}

impl Network {
    /// A store asks for none.
    fn anything() -> Self {
        Self {
            vpc: "vpc-1".to_owned(),
            subnets: ["subnet-1".to_owned(), "subnet-2".to_owned()],
        }
    }

    /// Of the default network, which every account has.
    async fn of(api: &Api) -> Outcome<Self> {
        let answer = api.ec2("DescribeSubnets").await?;
        let vpc = first(&answer, "vpcId").ok_or("the account has no subnet")?;
        let mut subnets = all(&answer, "subnetId")?.into_iter();
        let (Some(one), Some(two)) = (subnets.next(), subnets.next()) else {
            return Err("the account's network has not two subnets".into());
        };
        Ok(Self {
            vpc,
            subnets: [one, two],
        })
    }
}

enum Reach {
    /// A gate before a store: listeners have ports of their own.
    Gate(Box<Gate>),
    /// An emulator whose endpoint serves listeners by the Host header.
    Endpoint(SocketAddr),
}

/// A gate before a store that imitates nothing.
pub struct Gate {
    pub store: Store,
    pub elb: Elb,
    pub gate: localstack::Gate,
}

impl Gate {
    /// The way to a load balancer through the gate's own port.
    pub fn entrance(&self, host: &str) -> Outcome<Door> {
        let address = self.gate.endpoint().trim_start_matches("http://").parse()?;
        let host = host.to_owned();
        Ok(Door { address, host })
    }
}

#[derive(Debug, Clone)]
pub struct LoadBalancer {
    pub arn: String,
    pub dns: String,
}

impl Subject {
    /// Before a store that drops what emulators drop.
    pub async fn gate() -> Outcome<Self> {
        Self::gate_of_nodes(1).await
    }

    /// The same with load balancers of so many nodes.
    pub async fn gate_of_nodes(nodes: u32) -> Outcome<Self> {
        Self::gate_as(&gate::Options {
            nodes,
            ..gate::Options::default()
        })
        .await
    }

    pub async fn gate_as(options: &gate::Options) -> Outcome<Self> {
        let store = Store::start().await?;
        store.drop_what_emulators_drop();
        let gate = localstack::Gate::before(&format!("http://{}", store.address), options)?;
        let elb = gate.load_balancing().ok_or("it balances no load")?.clone();
        let api = Api::new(gate.endpoint().trim_start_matches("http://"));
        Ok(Self {
            api,
            reach: Reach::Gate(Box::new(Gate { store, elb, gate })),
            interval: 1,
            network: Network::anything(),
            made: Mutex::default(),
        })
    }

    /// Of `http://HOST:PORT`.
    pub async fn emulator(endpoint: &str) -> Outcome<Self> {
        let authority = endpoint.trim_start_matches("http://").trim_end_matches('/');
        let address = tokio::net::lookup_host(authority)
            .await?
            .next()
            .ok_or("the endpoint has no address")?;
        let api = Api::new(authority);
        Ok(Self {
            network: Network::of(&api).await?,
            api,
            reach: Reach::Endpoint(address),
            // AWS's least.
            interval: 5,
            made: Mutex::default(),
        })
    }

    pub fn behind(&self) -> Outcome<&Gate> {
        match &self.reach {
            Reach::Gate(gate) => Ok(gate),
            Reach::Endpoint(_) => Err("this is no gate".into()),
        }
    }

    pub async fn load_balancer(&self) -> Outcome<LoadBalancer> {
        let name = self.name();
        let with = With::new()
            .and("Name", name)
            .and("Subnets.member.1", &self.network.subnets[0])
            .and("Subnets.member.2", &self.network.subnets[1]);
        let answer = self.api.call("CreateLoadBalancer", with).await?;
        let arn = first(&answer, "LoadBalancerArn").ok_or("no ARN")?;
        self.to_delete("DeleteLoadBalancer", "LoadBalancerArn", &arn);
        let dns = first(&answer, "DNSName").ok_or("no name")?;
        Ok(LoadBalancer { arn, dns })
    }

    /// A target group that is checked as often as can be, and two checks decide.
    pub async fn group(&self, targets: &[SocketAddr]) -> Outcome<String> {
        let timeout = self.interval.div_ceil(2);
        let with = With::new()
            .and("Name", self.name())
            .and("Protocol", "HTTP")
            .and("Port", 80)
            .and("TargetType", "ip")
            .and("VpcId", &self.network.vpc)
            .and("HealthCheckPath", "/health")
            .and("HealthCheckIntervalSeconds", self.interval)
            .and("HealthCheckTimeoutSeconds", timeout)
            .and("HealthyThresholdCount", 2)
            .and("UnhealthyThresholdCount", 2);
        let answer = self.api.call("CreateTargetGroup", with).await?;
        let arn = first(&answer, "TargetGroupArn").ok_or("no ARN")?;
        self.to_delete("DeleteTargetGroup", "TargetGroupArn", &arn);
        if !targets.is_empty() {
            self.register(&arn, targets).await?;
        }
        Ok(arn)
    }

    pub async fn register(&self, group: &str, targets: &[SocketAddr]) -> Outcome {
        let with = With::new().and("TargetGroupArn", group).targets(targets);
        self.api.call("RegisterTargets", with).await.map(drop)
    }

    pub async fn deregister(&self, group: &str, targets: &[SocketAddr]) -> Outcome {
        let with = With::new().and("TargetGroupArn", group).targets(targets);
        self.api.call("DeregisterTargets", with).await.map(drop)
    }

    /// Seconds of deregistration delay.
    pub async fn drain_for(&self, group: &str, seconds: u32) -> Outcome {
        let seconds = seconds.to_string();
        let with = With::new()
            .and("TargetGroupArn", group)
            .attributes(&[("deregistration_delay.timeout_seconds", &seconds)]);
        let action = "ModifyTargetGroupAttributes";
        self.api.call(action, with).await.map(drop)
    }

    /// A listener with default actions; gives its ARN.
    pub async fn listener(&self, of: &LoadBalancer, port: u16, actions: With) -> Outcome<String> {
        let with = actions
            .and("LoadBalancerArn", &of.arn)
            .and("Protocol", "HTTP")
            .and("Port", port);
        let answer = self.api.call("CreateListener", with).await?;
        let arn = first(&answer, "ListenerArn").ok_or("no ARN")?;
        self.to_delete("DeleteListener", "ListenerArn", &arn);
        Ok(arn)
    }

    pub async fn modify_listener(&self, listener: &str, actions: With) -> Outcome<String> {
        let with = actions.and("ListenerArn", listener);
        self.api.call("ModifyListener", with).await
    }

    /// A rule with conditions and actions; gives its ARN.
    pub async fn rule(&self, listener: &str, priority: u32, with: With) -> Outcome<String> {
        let with = with.and("ListenerArn", listener).and("Priority", priority);
        let answer = self.api.call("CreateRule", with).await?;
        let arn = first(&answer, "RuleArn").ok_or("no ARN")?;
        self.to_delete("DeleteRule", "RuleArn", &arn);
        Ok(arn)
    }

    /// A load balancer that forwards port 80 to one group; gives its ARN too.
    pub async fn forwarding_to(&self, group: &str) -> Outcome<(LoadBalancer, String)> {
        let load_balancer = self.load_balancer().await?;
        let to = With::new().forward_to("DefaultActions", group);
        let listener = self.listener(&load_balancer, 80, to).await?;
        Ok((load_balancer, listener))
    }

    /// Where a listener is reached; waits until it is open.
    pub async fn door(&self, of: &LoadBalancer, port: u16) -> Outcome<Door> {
        let host = match port {
            80 => of.dns.clone(),
            _ => format!("{}:{port}", of.dns),
        };
        let address = match &self.reach {
            Reach::Endpoint(address) => *address,
            Reach::Gate(gate) => {
                let door = || {
                    let (balancer, port) = gate.elb.balancer_of(&host)?;
                    balancer.door(0, port)
                };
                eventually("the listener is open", async || Ok(door())).await?
            }
        };
        Ok(Door { address, host })
    }

    /// The health of the only target of a group, when it has that state.
    pub async fn until(&self, group: &str, state: &str) -> Outcome<Health> {
        eventually(&format!("the target is {state}"), async || {
            let all = self.api.health(group, &[]).await?;
            Ok(all.into_iter().find(|health| health.state == state))
        })
        .await
    }

    /// Deletes all that was made, the latest first.
    pub async fn clean(&self) -> Outcome {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        for (action, parameter, arn) in made.into_iter().rev() {
            self.api
                .call(action, With::new().and(parameter, arn))
                .await?;
        }
        Ok(())
    }

    fn to_delete(&self, action: &'static str, parameter: &'static str, arn: &str) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push((action, parameter, arn.to_owned()));
    }

    fn name(&self) -> String {
        format!("case-{:08x}", fastrand::u32(..))
    }
}

/// Waits until there is something.
pub async fn eventually<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> Outcome<Option<T>>,
) -> Outcome<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("not within {PATIENCE:?}: {what}").into());
        }
        tokio::time::sleep(GLANCE).await;
    }
}
