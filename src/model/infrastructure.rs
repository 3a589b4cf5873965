//! What `init` made: the names and ARNs that every other command needs.

use super::{
    Color, Endpoint, ListenerArn, Network, PerColor, PerRoute, Places, Route, TargetGroupArn,
};

/// The outputs of the app's CloudFormation stack, typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Infrastructure {
    pub services: ColorServices,
    pub repository: String,
    /// ECR's own address of the repository, `<account>.dkr.ecr.<region>.amazonaws.com/<name>`.
    pub repository_uri: String,
    /// Its ARN.
    pub load_balancer: String,
    pub load_balancer_dns_name: String,
    /// Where either route is decided on.
    pub places: Places,
    pub endpoints: PerRoute<Endpoint>,
    /// That of port 80, where it sends users to HTTPS.
    pub redirect: Option<ListenerArn>,
    pub target_groups: PerColor<TargetGroupArn>,
    pub settings: ServiceSettings,
    pub roles: TaskRoles,
    pub log_group: String,
    /// The table of the lease and the journal.
    pub journal_table: String,
}

/// The two colours' services, by their names in one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColorServices {
    pub cluster: String,
    names: PerColor<String>,
}

/// What says how a service's tasks run, besides what a release does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceSettings {
    /// bgecs, in the network that it made.
    Made(Network),
    /// The service of that colour: it was there before bgecs, and the other one
    /// is made as its copy. Neither is told of anything but releases.
    CopiedFrom(Color),
}

/// The ARNs of the roles that a task definition gets that names none; where there
/// is none to give, it stays without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskRoles {
    pub execution: Option<String>,
    pub task: Option<String>,
}

impl ColorServices {
    pub fn new(cluster: impl Into<String>, names: PerColor<String>) -> Self {
        Self {
            cluster: cluster.into(),
            names,
        }
    }

    /// In a cluster of the app's own: each has its colour's name.
    pub fn alone_in(cluster: impl Into<String>) -> Self {
        let [blue, green] = Color::BOTH.map(|color| color.as_str().to_owned());
        Self::new(cluster, PerColor { blue, green })
    }

    pub fn name(&self, color: Color) -> &str {
        self.names.get(color)
    }

    pub fn color_of(&self, name: &str) -> Option<Color> {
        let mut colors = Color::BOTH.into_iter();
        colors.find(|color| self.name(*color) == name)
    }

    /// `CLUSTER/SERVICE`, as an error names it.
    pub fn path(&self, color: Color) -> String {
        format!("{}/{}", self.cluster, self.name(color))
    }
}

impl Infrastructure {
    pub fn target_group(&self, color: Color) -> &TargetGroupArn {
        self.target_groups.get(color)
    }

    /// The colour whose target group this is, if it is one of ours.
    pub fn color_of(&self, target_group: &str) -> Option<Color> {
        Color::BOTH
            .into_iter()
            .find(|color| self.target_group(*color).as_str() == target_group)
    }

    /// What a person opens: the app's own name, or else the load balancer's.
    pub fn url(&self, route: Route) -> String {
        let name = &self.load_balancer_dns_name;
        match self.endpoints.get(route) {
            Endpoint::Port(80) => format!("http://{name}"),
            Endpoint::Port(port) => format!("http://{name}:{port}"),
            Endpoint::Named(url) => url.clone(),
            Endpoint::Header => self.url(Route::Production),
        }
    }

    pub fn urls(&self) -> PerRoute<String> {
        PerRoute {
            production: self.url(Route::Production),
            test: self.url(Route::Test),
        }
    }
}
