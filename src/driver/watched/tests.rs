use tokio::time::timeout;

use super::*;
use crate::interrupt::Signal;
use crate::report::Style;
use crate::report::capture::{To, reporter};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn sh(line: &str) -> io::Result<WatchedCommand> {
    let (report, _) = reporter(To::Pipe, false, Style::plain());
    let words = ["-c".into(), line.into()];
    WatchedCommand::start(&"sh".into(), &words, &report)
}

async fn ended(line: &str, interrupts: &mut Interrupts) -> (u8, bool) {
    let (report, _) = reporter(To::Pipe, false, Style::plain());
    let command = sh(line).unwrap();
    let ended = timeout(PATIENCE, command.end(interrupts, &report)).await;
    let (status, is_interrupted) = ended.expect("it ends").unwrap();
    (exit_code(status), is_interrupted)
}

#[tokio::test]
async fn a_command_s_code_is_as_a_shell_gives_it() {
    for (line, code) in [("true", 0), ("exit 7", 7), ("kill -9 $$", 137)] {
        let ended = ended(line, &mut Interrupts::none()).await;
        assert_eq!(ended, (code, false), "{line}");
    }
    let (report, _) = reporter(To::Pipe, false, Style::plain());
    let nothing = WatchedCommand::start(&"/nowhere/at/all".into(), &[], &report);
    assert!(nothing.is_err());
}

/// It takes its time to clean up.
#[tokio::test]
async fn the_first_interrupt_is_the_command_s_own_and_the_second_ends_it() {
    use Signal::{HangUp, Interrupt, Terminate};
    let own = "trap 'exit 3' INT; trap 'exit 4' TERM; trap 'exit 5' HUP";
    for (traps, signals, code) in [
        (own, &[Interrupt][..], 3),
        (own, &[Terminate], 4),
        (own, &[HangUp], 5),
        ("trap '' INT TERM HUP", &[Interrupt, Interrupt], 137),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready");
        let line = format!(
            "{traps}; touch {}; while :; do sleep 0.02; done",
            ready.display()
        );
        let (tell, mut interrupts) = Interrupts::relayed();
        let signalling = async {
            while !ready.exists() {
                sleep(Duration::from_millis(5)).await;
            }
            for signal in signals {
                tell.send(*signal).unwrap();
            }
        };
        let (ended, ()) = tokio::join!(ended(&line, &mut interrupts), signalling);
        assert_eq!(ended, (code, true));
    }
}

#[tokio::test]
async fn what_a_command_leaves_behind_stays_unless_it_was_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let (pid, word) = (folder.path().join("pid"), folder.path().join("word"));
    let line = format!(
        "(sleep 0.3; echo alive > {}) & echo $! > {}",
        word.display(),
        pid.display()
    );
    assert_eq!(ended(&line, &mut Interrupts::none()).await, (0, false));
    let alive = async {
        while !word.exists() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, alive).await.expect("it goes on");
}
