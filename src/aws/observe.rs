//! Reads everything that a decision needs, side by side.

use super::Aws;
use super::error::AwsError;
use crate::model::journal::Head;
use crate::model::{
    Color, ColorState, EcsInfrastructure, Observed, OtherWays, PerColor, Release, ServiceState,
};

type ServiceAndRelease = (Option<ServiceState>, Option<Release>);

impl Aws {
    /// Reads the load balancer, services, target health and releases, and the journal if
    /// it is not given; nothing is read twice.
    pub async fn observe(
        &self,
        infra: &EcsInfrastructure,
        journal: Option<Head>,
    ) -> Result<Observed, AwsError> {
        self.look(infra, journal, None).await
    }

    /// The same a little later in the same command; the ways in apart from the two
    /// listeners are taken as they were.
    pub async fn observe_again(
        &self,
        infra: &EcsInfrastructure,
        journal: Head,
        ways: &OtherWays,
    ) -> Result<Observed, AwsError> {
        self.look(infra, Some(journal), Some(ways.clone())).await
    }

    async fn look(
        &self,
        infra: &EcsInfrastructure,
        journal: Option<Head>,
        ways: Option<OtherWays>,
    ) -> Result<Observed, AwsError> {
        let (load_balancer, journal, services, blue_targets, green_targets) = futures_util::try_join!(
            self.read_load_balancer(infra, ways),
            self.read_journal(infra, journal),
            self.read_running(infra),
            self.color_health(infra, Color::Blue),
            self.color_health(infra, Color::Green),
        )?;
        let (traffic, other_ways) = load_balancer;
        let of = |(service, release), targets| ColorState {
            service,
            hosted: None,
            release,
            targets,
        };
        Ok(Observed {
            infrastructure: infra.clone().into(),
            traffic,
            other_ways,
            journal,
            colors: PerColor {
                blue: of(services.blue, blue_targets),
                green: of(services.green, green_targets),
            },
        })
    }

    /// Each colour's service, and the release that it runs.
    async fn read_running(
        &self,
        infra: &EcsInfrastructure,
    ) -> Result<PerColor<ServiceAndRelease>, AwsError> {
        let services = self.read_services(&infra.services).await?;
        let running = async |color| {
            let service = services.iter().find(|(name, _)| *name == color);
            let service = service.map(|(_, service)| service.clone());
            let release = self.release_of(service.as_ref()).await?;
            Ok::<_, AwsError>((service, release))
        };
        let (blue, green) = futures_util::try_join!(running(Color::Blue), running(Color::Green))?;
        Ok(PerColor { blue, green })
    }

    async fn read_journal(
        &self,
        infra: &EcsInfrastructure,
        known: Option<Head>,
    ) -> Result<Head, AwsError> {
        match known {
            Some(head) => Ok(head),
            None => self.read_head(&infra.journal_table).await,
        }
    }

    async fn release_of(
        &self,
        service: Option<&ServiceState>,
    ) -> Result<Option<Release>, AwsError> {
        match service {
            Some(service) => self.find_release(&service.task_definition).await,
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
