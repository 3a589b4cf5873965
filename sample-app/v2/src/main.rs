//! A greeter: the application that the bgecs quick start releases.
//!
//! `/` is a page, `/api` the same greeting for programs, `/health` for the load
//! balancer. `greeter migrate` runs once and ends, as a migration ahead of a release
//! does. `version.rs` holds what differs between versions.

mod app;
mod faults;
mod migrate;
mod version;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

use crate::app::App;

/// How long a stop waits for answers under way. Amazon ECS kills a container
/// 30 seconds after asking it to stop, unless told otherwise.
const LAST_ANSWERS: Duration = Duration::from_secs(25);

fn main() -> ExitCode {
    let env = |key: &str| std::env::var(key).ok().filter(|value| !value.is_empty());
    let port = env("PORT").map_or(Ok(8080), |port| port.parse::<u16>());
    let (app, port) = match (App::read(env), port) {
        (Ok(app), Ok(port)) => (app, port),
        (Err(reason), _) => return fail(2, &reason),
        (_, Err(_)) => return fail(2, "PORT is to be a port"),
    };
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        None => {}
        Some("migrate") => return migrate::run(&app, arguments),
        Some(other) => return fail(2, &format!("no command is called {other:?}")),
    }
    if app.faults.crash {
        return fail(faults::CRASHED, "crashing, because GREETER_CRASH is set");
    }
    match run(app, port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &format!("port {port}: {error}")),
    }
}

fn fail(code: u8, reason: &str) -> ExitCode {
    eprintln!("greeter: {reason}");
    ExitCode::from(code)
}

/// Serves until it is told to stop. One thread does: a greeting is quickly made,
/// and a small task has no more than a part of one processor.
fn run(app: App, port: u16) -> io::Result<()> {
    runtime()?.block_on(serve(Arc::new(app), port))
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
}

async fn serve(app: Arc<App>, port: u16) -> io::Result<()> {
    let me = format!("greeter {} ({})", env!("CARGO_PKG_VERSION"), app.release);
    // From here on, before any delay: the first process of a container ignores
    // the signals that it has not asked for.
    let mut stop = pin!(stop_signal()?);
    if timeout(app.faults.start_delay, &mut stop).await.is_err() {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
        println!("{me}: listening on {}", listener.local_addr()?);

        let connections = GracefulShutdown::new();
        {
            // Dropped with this block, and the listener with it: whoever comes
            // while the last answers go out is not kept waiting for one.
            let mut accepting = pin!(accept(listener, app, &connections));
            poll_fn(|context| {
                let _ = accepting.as_mut().poll(context);
                stop.as_mut().poll(context)
            })
            .await;
        }
        // What is not answered by then would be cut off a little later anyway.
        let _ = timeout(LAST_ANSWERS, connections.shutdown()).await;
    }
    println!("{me}: stopped");
    Ok(())
}

/// Is ready at the first SIGTERM (Amazon ECS, Docker) or SIGINT (Ctrl-C).
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(poll_fn(move |context| {
        let terminated = terminate.poll_recv(context).is_ready();
        if terminated || interrupt.poll_recv(context).is_ready() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }))
}

/// Accepts connections for ever.
///
/// An idle connection stays open: a load balancer keeps some for later requests
/// and answers 502 when one closes as it sends the next.
async fn accept(
    listener: TcpListener,
    app: Arc<App>,
    connections: &GracefulShutdown,
) -> Infallible {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: some may be free soon.
                eprintln!("greeter: {error}");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let app = Arc::clone(&app);
        let service = service_fn(move |request: Request<Incoming>| {
            let app = Arc::clone(&app);
            let (head, _body) = request.into_parts();
            async move { Ok::<_, Infallible>(app.answer(&head).await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        // An error here is a client that went away.
        tokio::spawn(async move { drop(connection.await) });
    }
}
