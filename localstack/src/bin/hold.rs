//! Starts a local AWS, says where it is, and holds it until this process ends,
//! however it ends: `cargo run -p localstack`.

use localstack::{Emulator, Engine, Options};

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]
async fn main() -> Result<(), localstack::Error> {
    let progress = |line: &str| eprintln!("{line}");
    let engine = Engine::ensure(&progress).await?;
    let aws = Emulator::start(&engine, Options::default(), &progress).await?;
    println!("endpoint {}", aws.endpoint());
    std::future::pending::<()>().await;
    Ok(())
}
