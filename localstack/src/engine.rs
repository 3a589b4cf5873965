//! The Docker Engine: one that answers is used; if none does, one is installed
//! and started where that can be done, and ended when its last user is gone.
//!
//! A machine has one engine, so what is agreed on about it lies in one place of
//! the machine, whichever checkout asks: see [`site`]. Never may a second engine
//! be started beside a running one: it would take the first one's network down.

mod decide;
mod guard;
mod pid_file;
mod site;
mod start;

use std::time::Duration;

use bollard::Docker;

use crate::layout::Layout;
use crate::lock::{self, Lock};
use crate::{Error, Progress, Result, debian};
use decide::{Decision, Facts};
use site::Site;

/// How long an engine that is there may take to answer that it is.
const PING: Duration = Duration::from_secs(5);

/// A Docker Engine that answers. While the value lives, the harness does not
/// end the engine.
#[derive(Debug)]
pub struct Engine {
    docker: Docker,
    started: bool,
    /// None where the harness can neither start nor end an engine: there is
    /// nothing to count then.
    place: Option<Place>,
}

#[derive(Debug)]
struct Place {
    site: Site,
    /// Held shared for as long as the engine is used.
    users: Lock,
}

impl Engine {
    /// Finds the engine of `DOCKER_HOST` or of the default socket; installs and
    /// starts one if none answers and this is root on Debian or Ubuntu.
    ///
    /// # Errors
    /// If no engine answers and none can be started; it says what to do.
    pub async fn ensure(progress: &Progress) -> Result<Self> {
        if !debian::is_root() {
            let docker = find_or_refuse().await?;
            return Ok(Self {
                docker,
                started: false,
                place: None,
            });
        }
        let site = Site::of_this_machine()?;
        // Under this lock there is no other who starts or ends an engine.
        let _gate = lock::exclusive(&site.gate(), "look for a Docker Engine").await?;
        let users = lock::shared(&site.users(), "use the Docker Engine").await?;
        let docker = match connect().await {
            Ok(docker) => docker,
            Err(reason) => {
                let layout = Layout::find()?;
                bring_up(&site, &layout, &reason, progress).await?;
                connect().await.map_err(|source| {
                    Error::docker("talk to the engine that was started", source)
                })?
            }
        };
        Ok(Self {
            docker,
            started: site.running().is_some(),
            place: Some(Place { site, users }),
        })
    }

    /// The way to talk to it.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Whether the harness started it, in this process or in another.
    pub fn started_by_us(&self) -> bool {
        self.started
    }

    /// Done with it. If the harness started it and nobody else uses it, it is
    /// ended now. Just dropping the value ends it too, but some seconds later.
    ///
    /// # Errors
    /// If the engine was to be ended and does not.
    pub async fn release(self, progress: &Progress) -> Result<()> {
        match self.place {
            None => Ok(()),
            Some(place) => {
                drop(place.users);
                end_if_unused(&place.site, progress).await
            }
        }
    }

    /// Done with it, but an engine that the harness started stays up until
    /// [`Engine::down`].
    ///
    /// # Errors
    /// If that cannot be written down.
    pub fn keep(self) -> Result<()> {
        match &self.place {
            Some(place) if self.started => place.site.keep(),
            _ => Ok(()),
        }
    }

    /// Ends an engine that was kept, unless it is in use.
    ///
    /// # Errors
    /// If the engine was to be ended and does not.
    pub async fn down(progress: &Progress) -> Result<()> {
        if !debian::is_root() {
            return Ok(());
        }
        let site = Site::of_this_machine()?;
        site.unkeep()?;
        end_if_unused(&site, progress).await
    }
}

/// A connection to the engine, in the version of the API that it speaks.
pub(crate) async fn connect() -> std::result::Result<Docker, bollard::errors::Error> {
    let probe = Docker::connect_with_defaults()?.with_timeout(PING);
    let docker = probe.negotiate_version().await?;
    // Importing an image answers only when the whole image has been sent.
    Ok(docker.with_timeout(Duration::from_secs(600)))
}

/// What `DOCKER_HOST` names, if it names anything.
pub(crate) fn named_host() -> Option<String> {
    std::env::var("DOCKER_HOST")
        .ok()
        .filter(|host| !host.is_empty())
}

async fn find_or_refuse() -> Result<Docker> {
    connect().await.map_err(|reason| {
        let decision = decide::what_to_do(&facts());
        refusal(&reason, decision.hint())
    })
}

fn facts() -> Facts {
    Facts {
        answers: false,
        host_is_named: named_host().is_some(),
        is_root: debian::is_root(),
        is_installed: start::is_installed(),
        os_release: debian::os_release(),
    }
}

fn refusal(reason: &bollard::errors::Error, hint: &'static str) -> Error {
    Error::NoEngine {
        host: named_host().unwrap_or_else(|| "the default socket".to_owned()),
        reason: reason.to_string(),
        hint,
    }
}

/// Sees to it that an engine answers; the gate is held.
async fn bring_up(
    site: &Site,
    layout: &Layout,
    reason: &bollard::errors::Error,
    progress: &Progress,
) -> Result<()> {
    let decision = decide::what_to_do(&facts());
    match decision {
        Decision::Use => Ok(()),
        Decision::Start => start::start(site, layout, progress).await,
        Decision::InstallAndStart => start::install_and_start(site, layout, progress).await,
        Decision::Refuse(hint) => Err(refusal(reason, hint)),
    }
}

async fn end_if_unused(site: &Site, progress: &Progress) -> Result<()> {
    let _gate = lock::exclusive(&site.gate(), "let go of the Docker Engine").await?;
    let Some(running) = site.running() else {
        return Ok(());
    };
    if site.is_kept() || has_users(site).await? {
        return Ok(());
    }
    progress("ending the Docker Engine that was started");
    guard::end(running).await
}

/// Whether someone else uses the engine. The guard, which waits for the last of
/// them, has that same lock for a moment: so it is tried for some time.
async fn has_users(site: &Site) -> Result<bool> {
    for _ in 0..20 {
        if lock::try_exclusive(&site.users())?.is_some() {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Ok(true)
}
