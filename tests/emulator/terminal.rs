//! What a person does at a terminal, and sees there: commands that go on until Ctrl-C, and
//! the question before everything goes. By `script`, which gives a command a terminal.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use localstack::gate::faults::Fault;

use crate::support::Outcome;
use crate::world::World;

/// As a terminal sends Ctrl-C.
const INTERRUPT: &[u8] = b"\x03";

/// A command on a terminal of its own.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    fn of(world: &World, line: &str) -> Outcome<Self> {
        let bgecs = world.desk.command(&[]);
        let mut script = Command::new("script");
        let line = format!("exec '{}' {line}", bgecs.get_program().to_string_lossy());
        script.args([
            "--quiet",
            "--return",
            "--flush",
            "--command",
            &line,
            "/dev/null",
        ]);
        script
            .env_clear()
            .env("TERM", "xterm")
            .env("PATH", std::env::var("PATH")?);
        for (name, value) in bgecs.get_envs() {
            script.envs(value.map(|value| (name, value)));
        }
        script.current_dir(world.desk.path());
        script
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = script.spawn()?;
        let keys = child.stdin.take().ok_or("no keys")?;
        let mut screen = child.stdout.take().ok_or("no screen")?;
        let shown = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&shown);
        thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut some) {
                let text = String::from_utf8_lossy(&some[..count]);
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&text);
            }
        });
        Ok(Self { child, keys, shown })
    }

    fn shown(&self) -> String {
        self.shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn shows(&self, world: &World, words: &str) -> Outcome {
        let is_there = world.until(words, || Ok(self.shown().contains(words)));
        is_there.map_err(|error| format!("{error}\n{}", self.shown()).into())
    }

    fn press(&mut self, keys: &[u8]) -> Outcome {
        self.keys.write_all(keys)?;
        Ok(self.keys.flush()?)
    }

    fn end(mut self) -> Outcome<(Option<i32>, String)> {
        let code = self.child.wait()?.code();
        Ok((code, self.shown()))
    }
}

/// Without its terminal the command ends, too.
impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn who_watches_loses_no_sight_of_it_by_calls_that_fail() -> Outcome {
    let world = World::with_v1_live("watched")?;
    let status = Terminal::of(&world, "status --watch")?;
    status.shows(&world, "green")?;
    let logs = Terminal::of(&world, "logs green -f")?;
    logs.shows(&world, "listening")?;
    let faults = world.gate.faults();
    let spoilt = [
        faults.add(Fault::on("cloudformation", "DescribeStacks").internal_error()),
        faults.add(Fault::on("logs", "FilterLogEvents").internal_error()),
    ];
    status.shows(&world, "looking again")?;
    logs.shows(&world, "looking again")?;
    for fault in spoilt {
        faults.remove(fault);
    }
    status.shows(&world, "AWS answers again")?;
    logs.shows(&world, "AWS answers again")?;
    for mut terminal in [status, logs] {
        terminal.press(INTERRUPT)?;
        let (code, shown) = terminal.end()?;
        assert_eq!(code, Some(0), "{shown}");
        assert_eq!(shown.matches("looking again").count(), 1, "{shown}");
    }
    Ok(())
}

#[test]
fn destroy_wants_the_name_typed() -> Outcome {
    let world = World::new("typed")?;
    world.done(&["init"])?;
    for wrong in ["\n", "yes\n", "Typed\n"] {
        let mut asked = Terminal::of(&world, "destroy")?;
        asked.shows(&world, "type the app's name, typed, to continue: ")?;
        asked.press(wrong.as_bytes())?;
        let (code, shown) = asked.end()?;
        assert_eq!(code, Some(130), "{shown}");
        assert!(
            shown.contains("not confirmed: nothing was removed"),
            "{shown}"
        );
    }
    world.status()?;
    let mut asked = Terminal::of(&world, "destroy")?;
    asked.shows(&world, "to continue: ")?;
    asked.press(b"typed\n")?;
    let (code, shown) = asked.end()?;
    assert_eq!(code, Some(0), "{shown}");
    world.expect_nothing()
}
