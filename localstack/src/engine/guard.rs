//! The process that runs an engine which the harness started, and ends it when
//! its last user is gone, however that user ended: `bgecs-engine-guard.sh` says how.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::site::{Running, Site};
use super::start;
use crate::layout::write;
use crate::{Error, Result, process};

/// By this its command line is known: it is in the script's name.
pub(super) const MARK: &str = "bgecs-engine-guard";
/// Test programs run one after the other, with some seconds in between.
pub(super) const LINGER: Duration = Duration::from_secs(10);

const SCRIPT: &str = include_str!("bgecs-engine-guard.sh");
/// The engine itself gives containers 15 seconds.
const PATIENCE: Duration = Duration::from_secs(40);

/// Starts an engine under guard, in a session of its own: no Ctrl-C reaches it.
pub(super) fn start(site: &Site, log: &Path, linger: Duration, engine: &[&OsStr]) -> Result<Child> {
    write(log, "")?;
    let script = site.dir().join(format!("{MARK}.sh"));
    // Removed first: a guard whose engine has crashed may still read the old one.
    let _ = fs::remove_file(&script);
    write(&script, SCRIPT)?;
    Command::new("setsid")
        .arg("sh")
        .arg(script)
        .arg(site.dir())
        .arg(linger.as_secs_f32().to_string())
        .args(engine)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(process::append(log)?)
        .stderr(process::append(log)?)
        .spawn()
        .map_err(|source| Error::Spawn {
            program: "setsid".to_owned(),
            source,
            hint: "install util-linux",
        })
}

/// The guard outlives whoever started it; until then somebody has to take
/// notice of its end, or it would seem to be there still.
pub(super) fn leave(mut child: Child) {
    std::thread::spawn(move || child.wait());
}

/// For an engine that did not come up.
pub(super) fn abandon(child: Child) {
    process::ask_to_end(child.id(), MARK);
    leave(child);
}

/// Ends the engine and its guard, and waits for their end.
pub(super) async fn end(running: Running) -> Result<()> {
    let Running { guard, engine } = running;
    process::ask_to_end(guard, MARK);
    let guarded = process::gone_within(guard, MARK, PATIENCE).await;
    // The guard was killed before, or is stuck with an engine that is.
    if super::pid_file::is_program(engine, start::PROGRAM) {
        process::end_one(engine, start::PROGRAM, PATIENCE).await;
        start::end_containerd().await;
    }
    if !guarded && process::is(guard, MARK) {
        return Err(Error::EngineStays {
            pid: engine,
            waited: PATIENCE,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock;

    const SOON: Duration = Duration::from_secs(10);

    struct Fixture {
        _dir: tempfile::TempDir,
        site: Site,
    }

    impl Fixture {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("temporary directory");
            let site = Site::at(dir.path()).expect("site");
            Self { _dir: dir, site }
        }

        /// An engine that does nothing, under guard.
        async fn start(&self) -> Running {
            let log = self.site.dir().join("log");
            let engine = ["sleep", "600"].map(OsStr::new);
            let child = start(&self.site, &log, Duration::from_millis(50), &engine).expect("guard");
            leave(child);
            loop {
                if let Some(running) = self.site.running()
                    && process::is(running.engine, "sleep")
                {
                    return running;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }

        async fn user(&self) -> lock::Lock {
            lock::shared(&self.site.users(), "test")
                .await
                .expect("lock")
        }
    }

    #[tokio::test]
    async fn the_engine_ends_after_its_last_user() {
        let fixture = Fixture::new();
        let (first, second) = (fixture.user().await, fixture.user().await);
        let running = fixture.start().await;
        drop(first);
        assert!(!process::gone_within(running.engine, "sleep", Duration::from_millis(300)).await);
        drop(second);
        assert!(process::gone_within(running.engine, "sleep", SOON).await);
        assert!(process::gone_within(running.guard, MARK, SOON).await);
        assert_eq!(fixture.site.running(), None);
    }

    #[tokio::test]
    async fn a_kept_engine_stays_without_users_and_can_be_ended() {
        let fixture = Fixture::new();
        let user = fixture.user().await;
        let running = fixture.start().await;
        fixture.site.keep().expect("keep");
        drop(user);
        assert!(!process::gone_within(running.engine, "sleep", Duration::from_millis(300)).await);
        end(running).await.expect("end");
        assert!(process::command_line(running.engine).is_none());
    }

    #[tokio::test]
    async fn the_engine_is_ended_at_once_while_its_guard_waits() {
        let fixture = Fixture::new();
        let _user = fixture.user().await;
        let running = fixture.start().await;
        // The gate is held, as by whoever releases the engine.
        let _gate = lock::exclusive(&fixture.site.gate(), "test")
            .await
            .expect("gate");
        end(running).await.expect("end");
        assert!(process::command_line(running.engine).is_none());
        assert_eq!(fixture.site.running(), None);
    }
}
