//! What `init` made: the names and ARNs that every other command needs.

use super::{
    AppName, Color, Endpoint, ListenerArn, Network, PerColor, PerRoute, Place, Places, Route,
    RuleArn, TargetGroupArn,
};

/// The outputs of the app's CloudFormation stack, typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcsInfrastructure {
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
    /// Users come in by these as well; moved along with production's place, in
    /// that order.
    pub further_ways: Vec<FurtherWay>,
    /// That of port 80, where it sends users to HTTPS.
    pub redirect: Option<ListenerArn>,
    pub target_groups: PerColor<TargetGroupArn>,
    /// Where the colours' tasks are registered besides: a service can be behind
    /// several load balancers, each with a group of its own.
    pub further_groups: Vec<PerColor<TargetGroupArn>>,
    pub settings: ServiceSettings,
    pub roles: TaskRoles,
    pub log_group: String,
    /// The table of the lease and the journal.
    pub journal_table: String,
}

/// Another way by which users come to the same two colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FurtherWay {
    pub place: Place,
    /// Its ARN.
    pub load_balancer: String,
    pub load_balancer_dns_name: String,
    /// What users type there, up to the path.
    pub url: String,
    /// A path that is asked there, where it is not production's.
    pub probe_path: Option<String>,
    /// Ahead of its place: they keep both colours' groups attached to its load
    /// balancer, which checks the health of no other group.
    pub header_rules: PerColor<RuleArn>,
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

impl TaskRoles {
    pub fn is_none(&self) -> bool {
        self.execution.is_none() && self.task.is_none()
    }
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

    /// In a cluster that others are in too: each has the app's name besides.
    pub fn beside_others(cluster: impl Into<String>, app: &AppName) -> Self {
        let [blue, green] = Color::BOTH.map(|color| app.colored(color));
        Self::new(cluster, PerColor { blue, green })
    }

    /// Whether the cluster is the app's own.
    pub fn are_alone(&self) -> bool {
        *self == Self::alone_in(self.cluster.as_str())
    }

    pub fn name(&self, color: Color) -> &str {
        self.names.get(color)
    }

    pub fn color_of(&self, name: &str) -> Option<Color> {
        let mut colors = Color::BOTH.into_iter();
        colors.find(|color| self.name(*color) == name)
    }

    /// `blue`, or where it is called otherwise, `web (blue)`.
    pub fn named(&self, color: Color) -> String {
        match self.name(color) {
            name if name == color.as_str() => name.to_owned(),
            name => format!("{name} ({color})"),
        }
    }

    /// `CLUSTER/SERVICE`, as an error names it.
    pub fn path(&self, color: Color) -> String {
        format!("{}/{}", self.cluster, self.name(color))
    }
}

impl EcsInfrastructure {
    pub fn target_group(&self, color: Color) -> &TargetGroupArn {
        self.target_groups.get(color)
    }

    /// All groups, by what of a service each pair is for.
    pub fn group_pairs(&self) -> impl Iterator<Item = &PerColor<TargetGroupArn>> {
        std::iter::once(&self.target_groups).chain(&self.further_groups)
    }

    /// Where that colour's tasks are registered.
    pub fn groups_of(&self, color: Color) -> impl Iterator<Item = &TargetGroupArn> {
        self.group_pairs().map(move |pair| pair.get(color))
    }

    /// The pair that this group is of, if it is one of ours.
    pub fn pair_of(&self, target_group: &str) -> Option<&PerColor<TargetGroupArn>> {
        let is_of = |pair: &&PerColor<TargetGroupArn>| {
            let mut colors = Color::BOTH.into_iter();
            colors.any(|color| pair.get(color).as_str() == target_group)
        };
        self.group_pairs().find(is_of)
    }

    /// The colour whose target group this is, if it is one of ours.
    pub fn color_of(&self, target_group: &str) -> Option<Color> {
        let is_its = |color: &Color| {
            let mut groups = self.groups_of(*color);
            groups.any(|group| group.as_str() == target_group)
        };
        Color::BOTH.into_iter().find(is_its)
    }

    /// What is written to move a route, each way in by its name; nothing where
    /// nothing moves it.
    pub fn moved(&self, route: Route) -> Vec<(String, &Place)> {
        let Some(first) = self.places.moved(route) else {
            return Vec::new();
        };
        let first = (self.way_name(route), first);
        let further = self.further_ways_of(route);
        let further = further.map(|way| (way.name(), &way.place));
        std::iter::once(first).chain(further).collect()
    }

    /// What is written to move either route.
    pub fn all_moved(&self) -> impl Iterator<Item = &Place> {
        let routes = [Route::Production, Route::Test].into_iter();
        routes
            .flat_map(|route| self.moved(route))
            .map(|(_, place)| place)
    }

    /// Testers have one way in.
    fn further_ways_of(&self, route: Route) -> impl Iterator<Item = &FurtherWay> {
        let all = self.further_ways.iter();
        all.filter(move |_| route == Route::Production)
    }

    /// The name of the first way in.
    fn way_name(&self, route: Route) -> String {
        match self.endpoints.get(route) {
            Endpoint::Several(urls) => urls.first().cloned().unwrap_or_default(),
            endpoint => endpoint.to_string(),
        }
    }

    /// The rules by which a request names its colour, each pair with the place that
    /// it has to be ahead of.
    pub fn header_rules(&self) -> Vec<(&PerColor<RuleArn>, &Place)> {
        let first = self.places.header_rules();
        let first = first.map(|rules| (rules, &self.places.production));
        let further = self.further_ways.iter();
        let further = further.map(|way| (&way.header_rules, &way.place));
        first.into_iter().chain(further).collect()
    }

    /// What a route is decided on by, as a person needs it to put that right by hand.
    pub fn places_named(&self, route: Route) -> String {
        let further = self.further_ways_of(route);
        let further = further.map(|way| way.place.to_string());
        let all = std::iter::once(self.places.named(route)).chain(further);
        all.collect::<Vec<_>>().join(" and ")
    }

    /// The same of a colour's target groups.
    pub fn groups_named(&self, color: Color) -> String {
        let all = self.groups_of(color).map(TargetGroupArn::as_str);
        all.collect::<Vec<_>>().join(" and ")
    }

    /// Each load balancer that users come in by, once.
    pub fn load_balancers(&self) -> Vec<&str> {
        let further = self.further_ways.iter();
        let further = further.map(|way| way.load_balancer.as_str());
        let mut all: Vec<&str> = Vec::new();
        for arn in std::iter::once(self.load_balancer.as_str()).chain(further) {
            if !all.contains(&arn) {
                all.push(arn);
            }
        }
        all
    }

    /// What a person opens: the app's own name, or else the load balancer's.
    pub fn url(&self, route: Route) -> String {
        let name = &self.load_balancer_dns_name;
        match self.endpoints.get(route) {
            Endpoint::Port(80) => format!("http://{name}"),
            Endpoint::Port(port) => format!("http://{name}:{port}"),
            Endpoint::Named(url) => url.clone(),
            Endpoint::Several(urls) => urls.first().cloned().unwrap_or_default(),
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

impl FurtherWay {
    /// `https://shop.example.com/api/health`, as far as it says more than its
    /// name.
    pub fn name(&self) -> String {
        let path = self.probe_path.as_deref().unwrap_or_default();
        format!("{}{path}", self.url)
    }
}
