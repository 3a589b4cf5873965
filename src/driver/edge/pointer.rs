//! The thing that the file names, which leads all users by one value: it is where it
//! is, and nothing of it is changed ahead of the first release.

use crate::aws::Router;
use crate::config::Edge;
use crate::engine::takeover::{self, Takeover};
use crate::error::Result;
use crate::model::{
    EdgeInfrastructure, EdgeRouter, Infrastructure, PerColor, Pointer, RoutedPointer,
};
use crate::session::Session;

pub(super) async fn look(
    session: &Session,
    edge: &Edge,
    pointer: &Pointer,
    earlier: Option<&RoutedPointer>,
) -> Result<(RoutedPointer, Takeover)> {
    let routed = RoutedPointer {
        pointer: pointer.clone(),
        targets: PerColor {
            blue: edge.colors.blue.points_at.to_string(),
            green: edge.colors.green.points_at.to_string(),
        },
    };
    let router = EdgeRouter::Pointer(routed.clone());
    let infrastructure = Infrastructure::from(EdgeInfrastructure {
        endpoints: router.endpoints(),
        router,
        backends: super::backends(edge),
        url: edge.url.clone(),
        journal_table: session.stack_name(),
    });
    let found = session.aws.router(&infrastructure).read().await?.production;
    let takeover = takeover::of_pointer(&routed, earlier, &found)?;
    Ok((routed, takeover))
}
