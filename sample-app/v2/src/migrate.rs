//! `greeter migrate [SECONDS [CODE]]`: a command that runs once and ends, for rehearsing
//! migrations. It migrates nothing, takes so long, and ends with that code.

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::timeout;

use crate::app::App;
use crate::{fail, runtime, stop_signal};

/// As a shell says of who was asked to stop.
const STOPPED: u8 = 143;

pub fn run(app: &App, mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let seconds = arguments.next().map_or(Ok(0), |it| it.parse());
    let code = arguments.next().map_or(Ok(0), |it| it.parse());
    let (Ok(seconds), Ok(code)) = (seconds, code) else {
        return fail(
            2,
            "migrate takes seconds and an exit code, which are whole numbers",
        );
    };
    let me = format!("greeter {} ({})", env!("CARGO_PKG_VERSION"), app.release);
    println!("{me}: migrating for {seconds} s");
    let waited = runtime().and_then(|runtime| {
        runtime.block_on(async { Ok(timeout(Duration::from_secs(seconds), stop_signal()?).await) })
    });
    match waited {
        Ok(Err(_)) => {
            println!("{me}: migrated, and ends with {code}");
            ExitCode::from(code)
        }
        Ok(Ok(())) => fail(STOPPED, "stopped in the middle of a migration"),
        Err(error) => fail(1, &error.to_string()),
    }
}
