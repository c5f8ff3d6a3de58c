//! `shekara demo`: the product's story on this machine alone, told with the production binary, sockets and TLS, checked as it goes.

mod client;
mod configuration;
mod story;
mod upstream;
mod world;

use std::process::ExitCode;

use super::{Failure, Outcome};

/// Shows what the gate does, on loopback, with nothing to install or configure
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep the gate and the recipients running afterwards, for your own requests
    #[arg(long)]
    serve: bool,
}

/// Runs the demo. Exit code 0 only if every line came out as told.
pub fn run(args: &Args) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|it| Failure::new(format!("cannot start: {it}")))?;
    runtime.block_on(async {
        let mut world = world::World::start().await.map_err(Failure::new)?;
        let told = story::tell(&mut world, args.serve)
            .await
            .map_err(Failure::new)?;
        if args.serve && told {
            serve(&world).await?;
            world.stop().map_err(Failure::new)?;
        }
        Ok(if told {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}

async fn serve(world: &world::World) -> Result<(), Failure> {
    super::print(&format!(
        "\nThe gate goes on at http://{gate}, metrics at http://{admin}/metrics, its folder is {folder}.\n\
         Try:  curl -i http://{gate}/us/notify -H 'content-type: application/json' -d '{{\"iin\":\"991231100010\"}}'\n\
         Stop it with Ctrl-C.",
        gate = world.address,
        admin = world.admin,
        folder = world.folder.0.display(),
    ));
    tokio::signal::ctrl_c()
        .await
        .map_err(|it| Failure::new(it.to_string()))
}
