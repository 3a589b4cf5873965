//! What `init` made: the names and ARNs that every other command needs.

use super::{Color, Endpoint, ListenerArn, PerColor, PerRoute, Route, TargetGroupArn};

/// The outputs of the app's CloudFormation stack, typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Infrastructure {
    pub cluster: String,
    pub repository: String,
    /// ECR's own address of the repository, `<account>.dkr.ecr.<region>.amazonaws.com/<name>`.
    pub repository_uri: String,
    /// Its ARN.
    pub load_balancer: String,
    pub load_balancer_dns_name: String,
    pub listeners: PerRoute<ListenerArn>,
    pub endpoints: PerRoute<Endpoint>,
    /// That of port 80, where it sends users to HTTPS.
    pub redirect: Option<ListenerArn>,
    pub target_groups: PerColor<TargetGroupArn>,
    pub subnets: Vec<String>,
    pub task_security_group: String,
    pub execution_role_arn: String,
    pub task_role_arn: String,
    pub log_group: String,
    /// The table of the lease and the journal.
    pub journal_table: String,
}

impl Infrastructure {
    pub fn listener(&self, route: Route) -> &ListenerArn {
        self.listeners.get(route)
    }

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
        }
    }

    pub fn urls(&self) -> PerRoute<String> {
        PerRoute {
            production: self.url(Route::Production),
            test: self.url(Route::Test),
        }
    }
}
