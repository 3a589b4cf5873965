//! What a probe says of the time in which its own process did not run.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::signal;
use crate::support::{Desk, Outcome};

/// Longer than the probe waits for an answer.
const STILL: Duration = Duration::from_secs(4);

/// Holds every connection, until it is told to answer.
struct Holding {
    address: SocketAddr,
    held: Receiver<TcpStream>,
    answers: Arc<AtomicBool>,
}

impl Holding {
    fn start() -> Outcome<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (hold, held) = channel();
        let answers = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&answers);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (hold, told) = (hold.clone(), Arc::clone(&told));
                thread::spawn(move || serve(stream, &hold, &told));
            }
        });
        Ok(Self {
            address,
            held,
            answers,
        })
    }
}

/// How a client leaves is its own affair.
fn serve(mut stream: TcpStream, hold: &Sender<TcpStream>, answers: &AtomicBool) {
    let mut request = [0; 4096];
    if stream.read(&mut request).is_err() {
        return;
    }
    if answers.load(Ordering::Acquire) {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(answer);
    } else {
        let _ = hold.send(stream);
    }
}

#[test]
fn what_was_under_way_meanwhile_is_nobody_s_failure_and_nothing_is_made_up_for() -> Outcome {
    let desk = Desk::empty()?;
    let server = Holding::start()?;
    let url = format!("http://{}/", server.address);
    let line = [
        "probe",
        "--url",
        &url,
        "--duration",
        "6s",
        "--rate",
        "20",
        "--json",
    ];
    let probing = desk.command(&line).spawn()?;
    // One connection is closed while nobody is there, the other one never answers.
    let closed = server.held.recv()?;
    let _silent = server.held.recv()?;
    signal::send(probing.id(), "STOP")?;
    drop(closed);
    server.answers.store(true, Ordering::Release);
    // Not for anything to happen: that it goes by is what is tested.
    thread::sleep(STILL);
    signal::send(probing.id(), "CONT")?;
    let ended = desk.ended(&line, &probing.wait_with_output()?);
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let seen = &ended.json()?["probe"];
    assert_eq!(seen["failed"], 0, "{}", ended.shown());
    let count = |of: &str| seen[of].as_u64().ok_or("a number");
    let (sent, unsent) = (count("sent")?, count("unsent")?);
    assert!(sent >= 20 && unsent >= 2, "{}", ended.shown());
    let paces = |time: Duration| (time.as_secs_f64() * 20.0) as u64;
    assert!(sent < paces(STILL), "{}", ended.shown());
    Ok(())
}
