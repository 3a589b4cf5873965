//! What every command works with: configuration, AWS, HTTP, the reporter;
//! and the names that follow from them.

mod addresses;
pub mod here;
mod infrastructure;
pub mod secret_header;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::aws::{Access, Aws};
use crate::config::{Config, Resolver, SecretHeader};
use crate::engine::task_definition::LogPlace;
use crate::error::{Error, Result};
use crate::model::{EcsInfrastructure, ServiceSettings};
use crate::report::Reporter;
pub use infrastructure::{incomplete, unusable};
use secret_header::Shown;

pub struct Session {
    pub config: Config,
    pub aws: Aws,
    pub report: Reporter,
    connect_to: Vec<String>,
    /// By whose word the probe finds production, whatever the configuration names.
    pub resolvers: Vec<Resolver>,
    /// Once it was read.
    secret_header: OnceCell<Option<Shown>>,
    /// In what the file differs from the stack, once that was told.
    told: OnceLock<String>,
}

impl Session {
    /// # Errors
    /// No region, or anything else of the environment that cannot be used (exit
    /// 2); another account than the configuration names (exit 6), ahead of
    /// everything else that AWS is asked.
    pub async fn open(
        config: Config,
        access: &Access,
        connect_to: Vec<String>,
        report: Reporter,
    ) -> Result<Self> {
        let aws = Aws::connect(access).await?;
        if let Some(account) = &config.place.account {
            aws.caller().await?.refuse_other_than(account)?;
        }
        // What was said explicitly wins; a local AWS is reached through its endpoint.
        let configured = config
            .load_balancer
            .connect_to
            .as_ref()
            .map(ToString::to_string);
        // What bgecs does not run is where its own name leads.
        let is_edge = config.edge.is_some();
        let local = || aws.local_endpoint().filter(|_| !is_edge);
        let connect_to = match connect_to.is_empty() {
            true => configured.or_else(local).into_iter().collect(),
            false => connect_to,
        };
        Ok(Self {
            config,
            aws,
            report,
            connect_to,
            resolvers: Vec::new(),
            secret_header: OnceCell::new(),
            told: OnceLock::new(),
        })
    }

    /// Trusts the issuers of that file, whatever the configuration names.
    pub fn trust(&mut self, ca_file: Option<PathBuf>) {
        if ca_file.is_some() {
            self.config.probe.ca_file = ca_file;
        }
    }

    /// Shows that header, whatever the configuration names.
    pub fn show(&mut self, header: Option<SecretHeader>) {
        if header.is_some() {
            self.config.probe.secret_header = header;
        }
    }

    /// The header without which the load balancer answers nobody, read once. Who is
    /// about to change something asks ahead of that.
    ///
    /// # Errors
    /// As [`secret_header::read`].
    pub async fn secret_header(&self) -> Result<Option<Shown>> {
        let read = || async {
            let Some(header) = &self.config.probe.secret_header else {
                return Ok(None);
            };
            let aws = async || Ok(self.aws.clone());
            let shown = secret_header::read(header, |name| std::env::var_os(name), aws).await?;
            Ok::<_, Error>(Some(shown))
        };
        self.secret_header.get_or_try_init(read).await.cloned()
    }

    /// The app `hello` on these clients, telling nobody what it does.
    #[cfg(test)]
    pub fn of_hello(aws: Aws) -> Self {
        let audience = crate::report::Audience {
            quiet: true,
            ..Default::default()
        };
        Self::of_hello_telling(aws, Reporter::new(audience))
    }

    #[cfg(test)]
    pub fn of_hello_telling(aws: Aws, report: Reporter) -> Self {
        let config = Config::parse(
            "app = 'hello'",
            std::path::Path::new("/srv/hello/bgecs.toml"),
        );
        Self {
            config: config.unwrap(),
            aws,
            report,
            connect_to: Vec::new(),
            resolvers: Vec::new(),
            secret_header: OnceCell::new(),
            told: OnceLock::new(),
        }
    }

    /// Says whose account this is ahead of everything else, while the command
    /// begins: who cannot be asked holds nothing up.
    pub fn introduce(&self) {
        introduce(&self.aws, &self.report);
    }

    /// Where connections to the load balancer go instead of to its nodes.
    pub fn connect_to(&self) -> &[String] {
        &self.connect_to
    }

    pub fn app(&self) -> &str {
        self.config.app.as_str()
    }

    /// The stack, and with it the cluster and the repository, is named after the app.
    pub fn stack_name(&self) -> String {
        self.config.app.stack_name()
    }

    /// Where `bgecs logs` looks.
    pub fn log_place<'a>(&'a self, infra: &'a EcsInfrastructure) -> LogPlace<'a> {
        LogPlace {
            group: &infra.log_group,
            region: self.aws.region(),
            shared_by: self.shares_logs(infra).then_some(&self.config.app),
        }
    }

    /// A service that ran before keeps the streams that it had.
    fn shares_logs(&self, infra: &EcsInfrastructure) -> bool {
        let is_given = infra.log_group != self.config.app.log_group();
        is_given && matches!(infra.settings, ServiceSettings::Made(_))
    }

    /// The registry's address of the app's repository: where to push, and the
    /// name by which the tasks pull.
    pub fn repository(&self, infra: &EcsInfrastructure) -> String {
        match self.registry() {
            Some(registry) => format!("{registry}/{}", infra.repository),
            None => infra.repository_uri.clone(),
        }
    }

    /// The registry, where it is not reached by ECR's own address.
    pub fn registry(&self) -> Option<String> {
        let named = self.config.registry.url.clone();
        named.or_else(|| self.aws.local_registry())
    }

    /// A pause between two looks: nobody else needs the limits of a local AWS.
    /// The calls' budget is the same there.
    pub fn poll_pause(&self, pause: Duration) -> Duration {
        poll_pause(&self.aws, pause)
    }
}

/// As [`Session::introduce`], where there is no app.
pub fn introduce(aws: &Aws, report: &Reporter) {
    let aws = aws.clone();
    report.introduce(async move {
        match aws.caller().await {
            Ok(caller) => Some(caller),
            Err(error) => {
                tracing::info!(%error, "whose account this is stays unknown");
                None
            }
        }
    });
}

/// As [`Session::poll_pause`], where there is no app.
pub fn poll_pause(aws: &Aws, pause: Duration) -> Duration {
    match aws.local_endpoint() {
        Some(_) => pause / 5,
        None => pause,
    }
}
