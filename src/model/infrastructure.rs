//! What routes an app's users, and what its colours are. Code that is not about one kind
//! of infrastructure asks here.

use std::fmt;

use super::{Color, EcsInfrastructure, EdgeInfrastructure, Endpoint, Observed, PerRoute, Route};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Infrastructure {
    /// Two ECS services behind load balancers.
    Ecs(Box<EcsInfrastructure>),
    /// Two endpoints that bgecs does not run, behind anything else.
    Edge(Box<EdgeInfrastructure>),
}

/// What is about ECS services was asked of an app that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotEcs;

impl fmt::Display for NotEcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this app's colours are not ECS services: bgecs does not run them")
    }
}

impl From<EcsInfrastructure> for Infrastructure {
    fn from(it: EcsInfrastructure) -> Self {
        Self::Ecs(Box::new(it))
    }
}

impl From<EdgeInfrastructure> for Infrastructure {
    fn from(it: EdgeInfrastructure) -> Self {
        Self::Edge(Box::new(it))
    }
}

impl Infrastructure {
    /// # Errors
    /// It has no ECS services.
    pub fn ecs(&self) -> Result<&EcsInfrastructure, NotEcs> {
        match self {
            Self::Ecs(ecs) => Ok(ecs),
            Self::Edge(_) => Err(NotEcs),
        }
    }

    pub fn edge(&self) -> Option<&EdgeInfrastructure> {
        match self {
            Self::Ecs(_) => None,
            Self::Edge(edge) => Some(edge),
        }
    }

    /// What the routes are called.
    pub fn endpoints(&self) -> &PerRoute<Endpoint> {
        match self {
            Self::Ecs(ecs) => &ecs.endpoints,
            Self::Edge(edge) => &edge.endpoints,
        }
    }

    /// The table of the lease and the journal.
    pub fn journal_table(&self) -> &str {
        match self {
            Self::Ecs(ecs) => &ecs.journal_table,
            Self::Edge(edge) => &edge.journal_table,
        }
    }

    /// What a person opens; of an app whose colours have URLs of their own, the test
    /// route's is that of neither.
    pub fn url(&self, route: Route) -> String {
        match self {
            Self::Ecs(ecs) => ecs.url(route),
            Self::Edge(edge) => edge.url.clone(),
        }
    }

    pub fn urls(&self) -> PerRoute<String> {
        PerRoute {
            production: self.url(Route::Production),
            test: self.url(Route::Test),
        }
    }

    /// What a route is decided on by, as a person needs it to put that right by hand.
    pub fn places_named(&self, route: Route) -> String {
        match self {
            Self::Ecs(ecs) => ecs.places_named(route),
            Self::Edge(edge) => edge.endpoints.get(route).to_string(),
        }
    }

    /// `web (blue)`, as a person knows the colour.
    pub fn named(&self, color: Color) -> String {
        match self {
            Self::Ecs(ecs) => ecs.services.named(color),
            Self::Edge(_) => color.to_string(),
        }
    }
}

#[cfg(test)]
impl Observed {
    /// To be changed by a test.
    pub fn ecs_mut(&mut self) -> &mut EcsInfrastructure {
        match &mut self.infrastructure {
            Infrastructure::Ecs(ecs) => ecs,
            Infrastructure::Edge(_) => panic!("it is no app of ECS services"),
        }
    }
}

impl Observed {
    /// # Errors
    /// It has no ECS services.
    pub fn ecs(&self) -> Result<&EcsInfrastructure, NotEcs> {
        self.infrastructure.ecs()
    }
}
