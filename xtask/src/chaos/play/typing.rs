//! Commands, with what happens to them.

use std::process::Stdio;
use std::time::Duration;

use localstack::gate::faults::{Fault, FaultId, On};
use tokio::process::Child;
use tokio::time::timeout;

use super::Player;
use crate::Result;
use crate::chaos::model::{Command, Run, Seen};
use crate::chaos::script::{Blow, Calls, Ill, Kind, Line, Signal, Trouble};
use crate::chaos::users::Excuse;

/// No command takes so long here, whatever hangs.
const PATIENCE: Duration = Duration::from_secs(150);
const LATE: Duration = Duration::from_millis(700);
const STALE: Duration = Duration::from_secs(2);

struct Ended {
    code: Option<i32>,
    stderr: String,
}

impl Player<'_, '_> {
    pub(super) async fn commands(
        &mut self,
        lines: &[(Line, String)],
        trouble: Option<Trouble>,
        blow: Option<Blow>,
    ) -> Result<(Vec<Run>, Excuse)> {
        let faults = self.world.gate.faults();
        if let Some(trouble) = trouble {
            faults.add(fault(trouble));
        }
        let blow = blow.map(|blow| (blow.signal, faults.add(hold(blow))));
        let mut typed = Vec::new();
        for (line, tag) in lines {
            let command = self.command(*line, tag);
            let words = self.words(*line, &command);
            typed.push((command, self.spawn(&words)?));
        }
        let ended = self.await_ends(typed, blow).await?;
        self.world.gate.faults().clear();
        let before = self.state.take();
        self.look(lines.len()).await?;
        let runs: Vec<Run> = ended.iter().map(|(run, _)| run.clone()).collect();
        let excuse = self.excuse(before.as_ref(), &runs);
        let (was, is) = (Seen::of(before.as_ref()), Seen::of(self.state.as_ref()));
        let wrong = self.model.take(&was, &runs, &is);
        let is_wrong = !wrong.is_empty();
        self.played.violations.extend(wrong);
        self.name_what_both_serve();
        if is_wrong {
            for (run, ended) in &ended {
                let said = ended.stderr.trim_end();
                let code = run.code;
                self.played
                    .told
                    .push(format!("{:?} ended with {code:?}:\n{said}", run.command));
            }
        }
        self.calm_down();
        Ok((runs, excuse))
    }

    /// What both ports serve is somebody's half of a swap, which has to be named.
    fn name_what_both_serve(&mut self) {
        let Some(state) = self.state.as_ref().filter(|_| !self.was_moved) else {
            return;
        };
        if state.prod.is_some() && state.prod == state.test && state.unfinished.is_none() {
            self.played
                .violations
                .push("both ports forward to one colour, and nothing is unfinished".to_owned());
        }
    }

    fn words(&self, line: Line, command: &Command) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match command {
            Command::Deploy(tag) => words(&[
                "deploy",
                "--image",
                &self.world.image,
                "--tag",
                tag,
                "--timeout",
                "90s",
            ]),
            Command::Promote => words(&["promote"]),
            Command::PromoteTag(tag) => words(&["promote", "--tag", tag]),
            Command::PromoteColor(color) => words(&["promote", color.as_str()]),
            Command::Rollback => words(&["rollback"]),
            Command::Resume => words(&["resume"]),
            Command::Retire => words(&["retire"]),
            Command::Adopt => words(&["adopt"]),
            Command::Destroy => words(&["destroy", "--yes"]),
            Command::Other => match line {
                Line::Init => words(&["init"]),
                Line::Unlock => words(&["unlock"]),
                _ => words(&["status"]),
            },
        }
    }

    fn spawn(&self, words: &[String]) -> Result<Child> {
        // A deploy has the configuration of its release, and all else the usual.
        let kind = match words.first().map(String::as_str) {
            Some("deploy") => self.last.1,
            _ => Kind::Good,
        };
        let config = self.configs.get(&kind).ok_or("no such configuration")?;
        let config = config.display().to_string();
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.extend(["--config", &config]);
        let mut command = tokio::process::Command::from(self.world.bgecs.command(&words));
        command.stdout(Stdio::null()).kill_on_drop(true);
        Ok(command.spawn()?)
    }

    async fn await_ends(
        &mut self,
        typed: Vec<(Command, Child)>,
        blow: Option<(Signal, FaultId)>,
    ) -> Result<Vec<(Run, Ended)>> {
        let first = typed.first().and_then(|(_, child)| child.id());
        let (commands, children): (Vec<Command>, Vec<Child>) = typed.into_iter().unzip();
        let ends = futures_util::future::join_all(children.into_iter().map(ended));
        let ends = timeout(PATIENCE, async {
            tokio::pin!(ends);
            if let Some((signal, held)) = blow {
                let faults = self.world.gate.faults();
                tokio::select! {
                    ends = &mut ends => return Ok(ends),
                    () = faults.until_held(held) => {}
                }
                send(first, signal)?;
                if signal != Signal::Kill {
                    faults.remove(held);
                    return Ok(ends.await);
                }
                // Nobody lets go of the write before it is dead.
                tokio::select! {
                    ends = &mut ends => return Ok(ends),
                    () = dead(first) => {}
                }
                faults.remove(held);
            }
            Ok::<_, crate::Failure>(ends.await)
        });
        let Ok(ends) = ends.await else {
            let violation = format!("{commands:?} took longer than {PATIENCE:?}");
            self.played.violations.push(violation);
            return Ok(Vec::new());
        };
        let mut runs = Vec::new();
        for (command, ended) in commands.into_iter().zip(ends?) {
            let ended = ended?;
            let code = ended.code;
            runs.push((Run { command, code }, ended));
        }
        Ok(runs)
    }
}

async fn ended(child: Child) -> Result<Ended> {
    let output = child.wait_with_output().await?;
    Ok(Ended {
        code: output.status.code(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// To a process that may have ended, but was not waited for.
fn send(id: Option<u32>, signal: Signal) -> Result<()> {
    let signal = match signal {
        Signal::Kill => rustix::process::Signal::KILL,
        Signal::Interrupt => rustix::process::Signal::INT,
        Signal::Terminate => rustix::process::Signal::TERM,
    };
    if let Some(id) = pid(id) {
        match rustix::process::kill_process(id, signal) {
            // It has ended just now.
            Err(rustix::io::Errno::SRCH) => {}
            sent => sent?,
        }
    }
    Ok(())
}

fn pid(id: Option<u32>) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(id?).ok()?)
}

/// Returns when that process runs no more.
async fn dead(id: Option<u32>) {
    while pid(id).is_some_and(|id| rustix::process::test_kill_process(id).is_ok()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn fault(trouble: Trouble) -> Fault {
    let on: On = match trouble.on {
        Calls::Any => Fault::on_any(),
        Calls::Writes => Fault::on_writes(),
        Calls::Of(service, operation) => Fault::on(service, operation),
        Calls::Journal => Fault::on_service("dynamodb"),
    };
    let on = match trouble.lasts {
        true => on.from(trouble.nth),
        false => on.nth(trouble.nth),
    };
    match trouble.ill {
        Ill::Throttled => on.throttle(),
        Ill::InternalError => on.internal_error(),
        Ill::LostBefore => on.drop_before(),
        Ill::LostAfter => on.drop_after(),
        Ill::Late => on.delay(LATE),
        Ill::Hangs => on.hold_before(),
        Ill::Stale => on.stale_by(STALE),
    }
}

fn hold(blow: Blow) -> Fault {
    let on = Fault::on_writes().nth(blow.write);
    match blow.after {
        true => on.hold_after(),
        false => on.hold_before(),
    }
}
