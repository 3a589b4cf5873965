//! Tasks that run as containers, with MiniStack as a process and as a container
//! itself: nothing of them is left when it is stopped. The image that is made
//! for the second is what the tasks of both run as well.

use crate::support::{Outcome, address, containers, health, progress, run_service};
use localstack::{Emulator, Engine, Options, Source, image};

#[tokio::test]
async fn stopping_leaves_no_container_of_a_task() -> Outcome {
    let engine = Engine::ensure(&progress).await?;
    let image = image::ensure(engine.docker(), &progress).await?;
    let options = || Options::default().source(Source::MiniStack);
    let stopped = Emulator::start(&engine, options(), &progress).await?;
    let dropped = Emulator::start(&engine, options(), &progress).await?;
    run_service(&engine, &stopped, "stopped", &image).await?;
    run_service(&engine, &dropped, "dropped", &image).await?;

    stopped.stop().await?;
    assert_eq!(containers(&engine, "stopped").await?, 0);
    assert_eq!(
        containers(&engine, "dropped").await?,
        2,
        "another's are left alone"
    );
    drop(dropped);
    assert_eq!(containers(&engine, "dropped").await?, 0);
    Ok(())
}

#[tokio::test]
async fn services_can_be_stopped_before_the_emulator() -> Outcome {
    let engine = Engine::ensure(&progress).await?;
    let image = image::ensure(engine.docker(), &progress).await?;
    let options = Options::default().source(Source::MiniStack).auth(true);
    let aws = Emulator::start(&engine, options, &progress).await?;
    run_service(&engine, &aws, "services", &image).await?;
    aws.stop_services().await?;
    health(&address(&aws))?;
    aws.stop().await?;
    assert_eq!(containers(&engine, "services").await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_image_of_the_emulator_works_like_the_process() -> Outcome {
    let engine = Engine::ensure(&progress).await?;
    let image = image::ensure(engine.docker(), &progress).await?;
    let options = Options::default().source(Source::Image(image.clone()));
    let aws = Emulator::start(&engine, options, &progress).await?;
    let address = address(&aws);
    assert!(health(&address)?.contains("\"version\": \"1.5.33\""));
    assert!(!aws.log_tail(5).await.is_empty());
    run_service(&engine, &aws, "contained", &image).await?;

    aws.stop().await?;
    assert_eq!(containers(&engine, "contained").await?, 0);
    assert!(health(&address).is_err());
    Ok(())
}
