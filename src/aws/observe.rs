//! Looking: everything that a decision needs, read side by side.

use super::Aws;
use super::error::AwsError;
use crate::model::journal::Head;
use crate::model::{Color, ColorState, Infrastructure, Observed, PerColor, ServiceState};

impl Aws {
    /// Reads listeners, services, target health, releases, and the journal where
    /// it is not known. Five kinds of calls, none of them twice for the same fact.
    pub async fn observe(
        &self,
        infra: &Infrastructure,
        journal: Option<Head>,
    ) -> Result<Observed, AwsError> {
        let (listeners, journal, services, blue_targets, green_targets) = futures_util::try_join!(
            self.read_listeners(infra),
            self.read_journal(infra, journal),
            self.read_services(&infra.cluster),
            self.target_health(infra.target_group(Color::Blue)),
            self.target_health(infra.target_group(Color::Green)),
        )?;
        let service_of = |color| {
            services
                .iter()
                .find(|(name, _)| *name == color)
                .map(|(_, service)| service.clone())
        };
        let (blue, green) = (service_of(Color::Blue), service_of(Color::Green));
        let (blue_release, green_release) = futures_util::try_join!(
            self.release_of(blue.as_ref()),
            self.release_of(green.as_ref())
        )?;
        Ok(Observed {
            infrastructure: infra.clone(),
            listeners,
            journal,
            colors: PerColor {
                blue: ColorState {
                    service: blue,
                    release: blue_release,
                    targets: blue_targets,
                },
                green: ColorState {
                    service: green,
                    release: green_release,
                    targets: green_targets,
                },
            },
        })
    }

    async fn read_journal(
        &self,
        infra: &Infrastructure,
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
    ) -> Result<Option<crate::model::Release>, AwsError> {
        match service {
            Some(service) => Ok(Some(self.read_release(&service.task_definition).await?)),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
