//! A VPC as EC2 describes it: what is in it, and where its routes lead.

use super::Ipv4Cidr;

/// All of a VPC that says whether an app can run in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vpc {
    pub id: String,
    /// Its ranges: it can have several.
    pub ranges: Vec<Ipv4Cidr>,
    pub subnets: Vec<Subnet>,
    pub route_tables: Vec<RouteTable>,
    pub endpoints: Vec<VpcEndpoint>,
    pub security_groups: Vec<SecurityGroup>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    pub id: String,
    pub vpc: String,
    pub zone: String,
    pub range: Option<Ipv4Cidr>,
    /// Addresses that nothing has yet.
    pub free: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteTable {
    pub id: String,
    /// Of all subnets of the VPC that are associated with none.
    pub is_main: bool,
    pub subnets: Vec<String>,
    /// Where the default route leads, or else one to another network; None where there
    /// is neither.
    pub way_out: Option<WayOut>,
}

/// Where all goes that is for no address of the VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayOut {
    /// To and from the internet.
    InternetGateway,
    /// By a NAT gateway, a transit gateway, an appliance: its id.
    By(String),
    /// What it led to is gone: its id.
    Nowhere(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcEndpoint {
    /// Such as `com.amazonaws.eu-west-1.ecr.api`.
    pub service: String,
    pub is_available: bool,
    /// Where it is found by the service's own name, as the agent of a task asks for it.
    pub has_service_name: bool,
    /// Those whose tasks have it by a route; none with an interface, which all have.
    pub route_tables: Vec<String>,
    pub is_gateway: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroup {
    pub id: String,
    pub vpc: String,
    pub inwards: Vec<Opening>,
    pub outwards: Vec<Opening>,
}

/// What a rule lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Ports of TCP, both ends.
    pub ports: (u16, u16),
    pub ranges: Vec<Ipv4Cidr>,
    /// Security groups, by their ids.
    pub groups: Vec<String>,
    /// Whom they hold is not known.
    pub has_prefix_lists: bool,
}

impl Vpc {
    pub fn subnet(&self, id: &str) -> Option<&Subnet> {
        self.subnets.iter().find(|it| it.id == id)
    }

    pub fn group(&self, id: &str) -> Option<&SecurityGroup> {
        self.security_groups.iter().find(|it| it.id == id)
    }

    /// The one that says where the subnet's ways lead.
    pub fn table_of(&self, subnet: &str) -> Option<&RouteTable> {
        let own = |it: &&RouteTable| it.subnets.iter().any(|its| its == subnet);
        let mut tables = self.route_tables.iter();
        let main = || self.route_tables.iter().find(|it| it.is_main);
        tables.find(own).or_else(main)
    }

    pub fn way_out_of(&self, subnet: &str) -> Option<&WayOut> {
        self.table_of(subnet)?.way_out.as_ref()
    }

    /// Whether what is in the subnet finds the service without a way out.
    pub fn has_endpoint(&self, subnet: &str, service: &str) -> bool {
        let table = self.table_of(subnet).map(|table| &table.id);
        let reaches = |it: &VpcEndpoint| match it.is_gateway {
            true => table.is_some_and(|table| it.route_tables.contains(table)),
            false => it.has_service_name,
        };
        let is_it = |it: &&VpcEndpoint| {
            let name = it.service.strip_suffix(service);
            it.is_available && name.is_some_and(|before| before.ends_with('.'))
        };
        self.endpoints.iter().filter(is_it).any(reaches)
    }
}

impl Opening {
    pub fn is_of_port(&self, port: u16) -> bool {
        (self.ports.0..=self.ports.1).contains(&port)
    }

    /// Whether all of that range is let through.
    pub fn is_of_range(&self, range: Ipv4Cidr) -> bool {
        self.ranges.iter().any(|it| it.contains(range))
    }
}
