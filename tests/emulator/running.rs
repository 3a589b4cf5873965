//! A bgecs that runs, and what is done to it meanwhile.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr};

use localstack::gate::faults::{Fault, FaultId};

use crate::signal;
use crate::support::{Ended, Outcome};
use crate::world::World;

pub struct Running<'a> {
    world: &'a World,
    arguments: Vec<String>,
    child: Child,
    stderr: BufReader<ChildStderr>,
    seen: String,
}

impl World {
    pub fn start(&self, arguments: &[&str]) -> Outcome<Running<'_>> {
        self.start_as("test", arguments)
    }

    /// With an access key by which the gate's record tells it from others.
    pub fn start_as(&self, key: &str, arguments: &[&str]) -> Outcome<Running<'_>> {
        let mut command = self.desk.command(arguments);
        let child = command.env("AWS_ACCESS_KEY_ID", key).spawn()?;
        self.running(child, arguments)
    }

    /// One that was started in another way.
    pub fn running(&self, mut child: Child, arguments: &[&str]) -> Outcome<Running<'_>> {
        let stderr = child.stderr.take().ok_or("no stderr")?;
        Ok(Running {
            world: self,
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            child,
            stderr: BufReader::new(stderr),
            seen: String::new(),
        })
    }

    /// Starts it, and kills it when the fault holds a call of it.
    pub fn killed_in(&self, fault: Fault, arguments: &[&str]) -> Outcome {
        let held = self.gate.faults().add(fault);
        let running = self.start(arguments)?;
        self.until_held(held)?;
        running.signal("KILL")?;
        let ended = running.end()?;
        assert_eq!(ended.code, None, "{}", ended.shown());
        self.gate.faults().remove(held);
        Ok(())
    }

    /// Waits until the fault holds a call.
    pub fn until_held(&self, fault: FaultId) -> Outcome {
        self.until(&format!("{fault} holds a call"), || {
            Ok(self.gate.faults().held(fault) > 0)
        })
    }
}

impl Running<'_> {
    /// Waits until it has said that.
    pub fn until_said(&mut self, words: &str) -> Outcome {
        while !self.seen.contains(words) {
            if self.stderr.read_line(&mut self.seen)? == 0 {
                return Err(format!("it never said `{words}`:\n{}", self.seen).into());
            }
        }
        Ok(())
    }

    /// Sends `INT`, `STOP` and so on.
    pub fn signal(&self, name: &str) -> Outcome {
        signal::send(self.child.id(), name)
    }

    /// Waits for its end.
    pub fn end(mut self) -> Outcome<Ended> {
        self.stderr.read_to_string(&mut self.seen)?;
        let mut output = self.child.wait_with_output()?;
        output.stderr = self.seen.into_bytes();
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        Ok(self.world.desk.ended(&arguments, &output))
    }

    /// Waits for its end, which must have that code.
    pub fn ends(self, code: i32) -> Outcome<Ended> {
        let ended = self.end()?;
        if ended.code == Some(code) {
            return Ok(ended);
        }
        Err(format!("not exit code {code}:\n{}", ended.shown()).into())
    }
}
