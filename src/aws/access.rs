//! Whose account, which region, over which network: turns what flags, bgecs.toml, the
//! environment and the profiles say about it into one configuration of the SDK, or into
//! an error message.
//!
//! A flag wins over the file, and the file over the environment. A profile named by a
//! flag or the file takes the environment's keys out of the chain, as in the AWS CLI; one
//! named by `AWS_PROFILE` does not.

mod account;
mod check;
mod credentials;
mod environment;
mod network;
mod profiles;
mod routes;

use std::sync::Arc;

use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector};
use aws_types::os_shim_internal::Fs;
use aws_types::service_config::ServiceConfigKey;

pub use account::CallerIdentity;
pub use credentials::{SIGN_IN, Unsigned};
pub use routes::{NotUp, Proxied};

use super::{ATTEMPT, ATTEMPTS, timeouts};
use crate::error::{Error, Result};
use crate::model::AwsPlace;
use credentials::{About, Explained};
use environment::Variables;
use profiles::{CredentialsOrigin, Selected};

/// The services that bgecs calls, or signs in with, as profiles and variables name them.
const SERVICES: [&str; 11] = [
    "CloudFormation",
    "CloudWatch",
    "CloudWatch Logs",
    "DynamoDB",
    "ECR",
    "ECS",
    "Elastic Load Balancing v2",
    "Signin",
    "SSO",
    "SSO OIDC",
    "STS",
];

/// How the person asked to reach AWS, beyond the ordinary environment.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// What flags say.
    pub profile: Option<String>,
    pub region: Option<String>,
    pub endpoint_url: Option<String>,
    /// What bgecs.toml says.
    pub configured: AwsPlace,
}

impl Access {
    /// A blank flag counts as absent: scripts pass one for a variable that is not set.
    pub fn new(
        profile: Option<&str>,
        region: Option<&str>,
        endpoint_url: Option<&str>,
        configured: AwsPlace,
    ) -> Self {
        let said = |flag: Option<&str>| {
            let value = flag.map(str::trim).filter(|value| !value.is_empty());
            value.map(str::to_owned)
        };
        Self {
            profile: said(profile),
            region: said(region),
            endpoint_url: said(endpoint_url),
            configured,
        }
    }

    fn check(&self) -> Result<()> {
        let region = self.region.as_deref().map_or(Ok(()), check::region);
        region.map_err(|why| Error::usage(format!("--region {why}")))?;
        let endpoint = self.endpoint_url.as_deref().map_or(Ok(()), check::endpoint);
        endpoint.map_err(|why| Error::usage(format!("--endpoint-url {why}")))
    }
}

/// What is needed to make calls.
pub struct LoadedAccess {
    pub config: SdkConfig,
    pub region: String,
    /// The same network access for requests that are not calls to AWS.
    pub downloads: Arc<dyn Fn(&str) -> SharedHttpConnector + Send + Sync>,
}

/// # Errors
/// Settings that cannot be used, wherever they come from (exit 2). Credentials are not
/// looked up here but with the first call.
pub async fn load(access: &Access) -> Result<LoadedAccess> {
    access.check()?;
    let environment = Variables::of_process()?;
    let fs = Fs::real();
    let selected = Selected::new(access, &environment);
    let profiles = profiles::read(&selected, &environment, &fs).await?;
    let network = network::network(&environment, &profiles)?;
    let sources = Sources {
        environment,
        fs,
        selected,
        profiles,
        http: network.client,
    };
    let (config, region) = sources.load(access).await?;
    Ok(LoadedAccess {
        config,
        region,
        downloads: network.downloads,
    })
}

/// What the configuration is built from.
struct Sources {
    environment: Variables,
    fs: Fs,
    selected: Selected,
    profiles: ProfileSet,
    http: SharedHttpClient,
}

impl Sources {
    async fn load(self, access: &Access) -> Result<(SdkConfig, String)> {
        let keys = self.environment.credentials();
        let borrows = self.selected.is_explicit()
            && profiles::borrows_environment(&self.profiles, &self.selected.name);
        self.tell_who_wins(keys);
        let mut environment = self.environment.clone();
        if borrows || !self.selected.is_explicit() {
            environment.has_whole_keys()?;
        }
        if self.selected.is_explicit() {
            environment = environment.without_credentials();
        }
        environment = environment.with("AWS_PROFILE", &self.selected.name);
        let region = access.region.as_ref().or(access.configured.region.as_ref());
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .env(environment.for_sdk())
            .fs(self.fs.clone())
            .http_client(self.http.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts(ATTEMPT));
        if let Some(region) = region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &access.endpoint_url {
            loader = loader.endpoint_url(endpoint);
        }
        let config = loader.load().await;
        let region = self.region(&config)?;
        check_endpoints(&config)?;
        let found = match borrows {
            true => Some(self.borrowing(&region)),
            false => config.credentials_provider(),
        };
        let about = About {
            origin: CredentialsOrigin::of(&self.profiles, &self.selected.name),
            from_environment: keys.is_some() && !self.selected.is_explicit(),
            selected: self.selected,
        };
        let mut config = config.into_builder();
        config.set_credentials_provider(
            found.map(|found| SharedCredentialsProvider::new(Explained::new(found, about))),
        );
        Ok((config.build(), region))
    }

    /// Logs whether a profile or the environment's keys are used, if both exist.
    fn tell_who_wins(&self, keys: Option<&str>) {
        let Some(keys) = keys else { return };
        match self.selected.is_explicit() {
            true => tracing::info!(
                "{} signs requests, not {keys} of the environment",
                self.selected.words()
            ),
            false => tracing::info!(
                "{keys} of the environment signs requests, not {}",
                self.selected.words()
            ),
        }
    }

    /// For an explicit profile whose role is assumed with the environment's keys: they
    /// are not in the chain, but are still the profile's source.
    fn borrowing(&self, region: &str) -> SharedCredentialsProvider {
        let value = |name| self.environment.get(name).unwrap_or_default();
        let keys = Credentials::new(
            value("AWS_ACCESS_KEY_ID"),
            match value("AWS_SECRET_ACCESS_KEY") {
                "" => value("SECRET_ACCESS_KEY"),
                secret => secret,
            },
            self.environment.get("AWS_SESSION_TOKEN").map(str::to_owned),
            None,
            "environment",
        );
        let config = ProviderConfig::without_region()
            .with_http_client(self.http.clone())
            .with_region(Some(Region::new(region.to_owned())));
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&config)
            .profile_name(&self.selected.name)
            .with_custom_provider("Environment", keys)
            .build();
        SharedCredentialsProvider::new(provider)
    }

    fn region(&self, config: &SdkConfig) -> Result<String> {
        let Some(region) = config.region() else {
            return Err(Error::usage("no AWS region").hint(format!(
                "name one with --region, AWS_REGION or [aws] region in bgecs.toml, or in {} (`aws configure`)",
                self.selected.words()
            )));
        };
        // The flag and the variables have been checked; a profile's region has not.
        check::region(region.as_ref()).map_err(|why| {
            Error::usage(format!("the region of {} {why}", self.selected.words()))
        })?;
        Ok(region.to_string())
    }
}

/// Checks a profile's endpoints: the SDK panics on one that it cannot parse.
fn check_endpoints(config: &SdkConfig) -> Result<()> {
    let of_services = SERVICES.iter().filter_map(|service| {
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok()?;
        let url = config.service_config()?.load_config(key)?;
        Some((format!("the endpoint_url for {service}"), url))
    });
    let general = config
        .endpoint_url()
        .map(|url| ("the endpoint_url".to_owned(), url.to_owned()));
    for (name, url) in general.into_iter().chain(of_services) {
        check::endpoint(&url).map_err(|why| {
            Error::usage(format!("{name} {why}")).hint("look at the profile in ~/.aws/config")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
