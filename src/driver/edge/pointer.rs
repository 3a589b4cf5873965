//! The resource named in the file that leads all users by a single value: it stays as it
//! is, and nothing in it is changed before the first release.

use super::rules;
use crate::aws::Router;
use crate::config::Edge;
use crate::engine::takeover::{self, Takeover};
use crate::error::Result;
use crate::model::{Backends, EdgeRouter, Infrastructure, PerColor, Pointer, RoutedPointer};
use crate::session::Session;

pub(super) async fn look(
    session: &Session,
    edge: &Edge,
    pointer: &Pointer,
    earlier: Option<&RoutedPointer>,
) -> Result<(RoutedPointer, Takeover)> {
    let routed = routed(edge, pointer);
    if let Some(domain) = pointer.domain() {
        let by_header = edge.backends() == Backends::ByHeader;
        rules::refuse_mode(session, domain, by_header).await?;
    }
    let router = EdgeRouter::Pointer(routed.clone());
    let infrastructure = Infrastructure::from(super::infrastructure(session, edge, router));
    let found = session.aws.router(&infrastructure).read().await?.production;
    let takeover = takeover::of_pointer(&routed, earlier, &found)?;
    Ok((routed, takeover))
}

/// As the file says.
pub(super) fn routed(edge: &Edge, pointer: &Pointer) -> RoutedPointer {
    RoutedPointer {
        pointer: pointer.clone(),
        targets: PerColor {
            blue: edge.colors.blue.points_at.to_string(),
            green: edge.colors.green.points_at.to_string(),
        },
    }
}
