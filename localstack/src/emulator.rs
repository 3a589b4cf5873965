//! An AWS emulator for one run or one test: found or started, told how to be
//! used, and stopped with all that it has started.
//!
//! Nothing here may rely on a tidy end. Every instance has a [`record`] that is
//! locked while its owner lives; what a dead owner has left is removed by the
//! next one that starts.

mod container;
mod ecs;
mod health;
mod kept_gate;
pub(crate) mod ministack;
mod options;
mod record;
mod source;
mod stop;
mod sweep;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::TcpStream;

pub use options::Options;
pub use source::Source;

use crate::layout::Layout;
use crate::{Engine, Error, Progress, Result, http, process, venv};
use record::Record;

/// The region of everything here.
pub(crate) const REGION: &str = "us-east-1";

/// How the name of each instance begins.
const ID_PREFIX: &str = "bgecs-";

/// Variables to take away from a program that is run against the emulator, so
/// that nobody's own account is asked: [`Emulator::env`] can only set some.
pub const ENV_TO_REMOVE: &[&str] = &[
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
];

/// An emulator that answers. Dropping it stops it and blocks for that time;
/// [`Emulator::stop`] does not block, and says what went wrong.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    account: String,
    log: Log,
    /// None if it runs without us: there is nothing to stop.
    owned: Option<Owned>,
}

#[derive(Debug)]
struct Owned {
    record: Record,
    process: Option<ministack::Process>,
}

#[derive(Debug)]
enum Log {
    Elsewhere,
    File(PathBuf),
    Container(String),
}

impl Emulator {
    /// Finds or starts the emulator that the options name, and waits until it
    /// answers. Removes first what dead owners of other emulators have left.
    ///
    /// # Errors
    /// If it does not come up; what was started of it is stopped then.
    pub async fn start(_engine: &Engine, options: Options, progress: &Progress) -> Result<Self> {
        let layout = Layout::find()?;
        stop::remove_abandoned(&layout, progress).await?;
        match options.source.clone() {
            Source::Endpoint(endpoint) => Self::join(endpoint, options, progress).await,
            Source::LocalStack { token } => {
                let image = container::Spec::localstack(token);
                container::start(&layout, image, options, progress).await
            }
            Source::Image(image) => {
                let image = container::Spec::like_localstack(image);
                container::start(&layout, image, options, progress).await
            }
            Source::MiniStack => {
                let python = venv::ensure(&layout, progress).await?;
                ministack::start(&layout, &python, options, progress).await
            }
        }
    }

    async fn join(endpoint: String, options: Options, progress: &Progress) -> Result<Self> {
        http::authority(&endpoint)?;
        progress(&format!("using the emulator at {endpoint}"));
        http::get(&endpoint, health::PATH).await?;
        Ok(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            account: options.account,
            log: Log::Elsewhere,
            owned: None,
        })
    }

    /// `http://127.0.0.1:PORT`, for the API and, in MiniStack, for the traffic
    /// of load balancers as well.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The environment for bgecs, or for any other program that calls AWS; see
    /// also [`ENV_TO_REMOVE`].
    pub fn env(&self) -> Vec<(String, String)> {
        environment(&self.endpoint, &self.account)
    }

    /// The end of what the emulator has logged; empty for one that was not
    /// started here.
    pub async fn log_tail(&self, lines: usize) -> String {
        match &self.log {
            Log::Elsewhere => String::new(),
            Log::File(path) => process::tail(path, lines),
            Log::Container(id) => container::log_tail(id, lines).await,
        }
    }

    /// Deletes every ECS service of the account, so that nothing starts
    /// containers any more. Stopping the emulator does that by itself.
    ///
    /// # Errors
    /// If the emulator does not answer, or refuses.
    pub async fn stop_services(&self) -> Result<()> {
        ecs::delete_services(&self.endpoint, &self.account).await
    }

    /// Starts a gate as a process of its own before an emulator that is kept,
    /// and gives its endpoint; it ends with the emulator. The command has to
    /// print that endpoint as its first line, and gets one more argument.
    ///
    /// # Errors
    /// If the gate does not start, or if the emulator was not started here.
    pub async fn put_gate_before(&mut self, command: std::process::Command) -> Result<String> {
        match &mut self.owned {
            Some(owned) => kept_gate::start(owned, command).await,
            None => Err(Error::NotOurs {
                endpoint: self.endpoint.clone(),
            }),
        }
    }

    /// Stops the emulator, and removes the containers that it has started and
    /// no others. One that was started with `keep`, or that was found running,
    /// is left as it is.
    ///
    /// # Errors
    /// If something could not be stopped; it says what is left.
    pub async fn stop(mut self) -> Result<()> {
        match self.owned.take() {
            Some(owned) if !owned.record.entry().kept => stop::end(owned).await,
            _ => Ok(()),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let Some(owned) = self.owned.take() else {
            return;
        };
        if !owned.record.entry().kept {
            // Nobody is left to hear of a failure; the record stays then, and
            // the next emulator that starts tries again.
            let _ = stop::end_blocking(owned);
        }
    }
}

/// An emulator that was left running on purpose.
#[derive(Debug, Clone)]
pub struct Kept {
    endpoint: String,
    account: String,
}

impl Kept {
    /// Those that run, of this workspace: what a machine was switched off with is in the
    /// records, too.
    ///
    /// # Errors
    /// If the records of them cannot be read.
    pub async fn all() -> Result<Vec<Self>> {
        let records = record::abandoned(&Layout::find()?).await?;
        let kept = records.iter().map(Record::entry).filter(|entry| entry.kept);
        let mut running = Vec::new();
        for entry in kept {
            let gate = entry.gate.as_ref().map(|gate| &gate.endpoint);
            let endpoint = gate.unwrap_or(&entry.endpoint);
            if TcpStream::connect(http::authority(endpoint)?).await.is_ok() {
                running.push(Self {
                    endpoint: endpoint.clone(),
                    account: entry.account.clone(),
                });
            }
        }
        Ok(running)
    }

    /// The gate's, where one stands before it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// As [`Emulator::env`].
    pub fn env(&self) -> Vec<(String, String)> {
        environment(&self.endpoint, &self.account)
    }
}

/// Stops every emulator of this workspace that was kept; says how many.
///
/// # Errors
/// If something could not be stopped; it says what is left.
pub async fn stop_kept(_engine: &Engine, progress: &Progress) -> Result<usize> {
    let mut count = 0;
    for record in record::abandoned(&Layout::find()?).await? {
        if record.entry().kept {
            progress(&format!(
                "stopping the emulator at {}",
                record.entry().endpoint
            ));
            let owned = Owned {
                record,
                process: None,
            };
            stop::end(owned).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// What a shell that was told to use an emulator has to forget after it.
pub fn variables() -> Vec<String> {
    let all = environment("", "");
    all.into_iter().map(|(name, _)| name).collect()
}

/// What makes a program use AWS at that endpoint, and nobody's own account.
pub(crate) fn environment(endpoint: &str, account: &str) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", account),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        // Nobody's own settings, and no search for a cloud machine's role.
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// An `Authorization` header whose signature is none: emulators read the access
/// key, which they take for the account, the region and the service of it, and
/// check no signature of the keys that are used here.
pub(crate) fn unsigned(account: &str, region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=none"
    )
}

/// A name that no other instance has, on this machine and at any time.
fn new_id() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(
        "{ID_PREFIX}{:x}-{:x}-{count}",
        since.as_millis(),
        std::process::id()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;

    fn quiet(_: &str) {}

    /// In a layout of its own: what a person has kept must not be stopped.
    #[tokio::test]
    async fn a_kept_emulator_outlives_its_value_and_is_found_again() {
        let engine = Engine::ensure(&quiet).await.expect("engine");
        let python = venv::ensure(&Layout::find().expect("layout"), &quiet)
            .await
            .expect("python");
        let dir = tempfile::tempdir().expect("temporary directory");
        let layout = Layout::at(dir.path()).expect("layout");
        let options = Options::default().keep(true);
        let emulator = ministack::start(&layout, &python, options, &quiet)
            .await
            .expect("start");
        let endpoint = emulator.endpoint().to_owned();
        emulator.stop().await.expect("stop");
        stop::remove_abandoned(&layout, &quiet).await.expect("look");
        http::get(&endpoint, health::PATH).await.expect("it is up");

        let record = record::abandoned(&layout)
            .await
            .expect("look")
            .pop()
            .expect("one");
        assert_eq!(record.entry().endpoint, endpoint);
        stop::end(Owned {
            record,
            process: None,
        })
        .await
        .expect("end");
        http::get(&endpoint, health::PATH)
            .await
            .expect_err("it is down");
        assert!(record::abandoned(&layout).await.expect("look").is_empty());
        engine.release(&quiet).await.expect("release");
    }

    /// What starts emulators may be spawned.
    #[test]
    fn starting_and_stopping_can_move_between_threads() {
        fn movable<T: Send>(_: impl FnOnce() -> T) {}
        async fn work() -> Result<()> {
            let engine = Engine::ensure(&quiet).await?;
            let emulator = Emulator::start(&engine, Options::default(), &quiet).await?;
            crate::teardown(emulator, engine, &quiet).await
        }
        movable(work);
    }
}
