//! Whether anything at an address accepts a connection from here. If nothing does, no
//! answer is missing: nothing was asked.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// What came of trying to connect to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knock {
    Taken,
    Refused,
    /// Nothing came back in all the time that there was.
    Silent,
    /// No route leads there.
    NoWay,
    /// This machine's own trouble, such as no port to connect from.
    Unknown,
}

/// An address of which no node takes a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    url: String,
    patience: Duration,
    nodes: Vec<(SocketAddr, Knock)>,
}

impl Unreached {
    /// None unless each node was tried in vain, and for reasons that lie between
    /// here and there.
    pub fn of(url: String, patience: Duration, nodes: Vec<(SocketAddr, Knock)>) -> Option<Self> {
        let is_in_vain = |knock| matches!(knock, Knock::Refused | Knock::Silent | Knock::NoWay);
        let is_unreached = !nodes.is_empty() && nodes.iter().all(|(_, knock)| is_in_vain(*knock));
        is_unreached.then_some(Self {
            url,
            patience,
            nodes,
        })
    }
}

/// As in `this machine gets no connection to ...`.
impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = |(node, knock): &(SocketAddr, Knock)| match knock {
            Knock::Refused => format!("{node} refuses it"),
            Knock::NoWay => format!("no route leads to {node}"),
            _ => format!("{node} does not answer"),
        };
        let nodes: Vec<String> = self.nodes.iter().map(node).collect();
        let (url, patience) = (&self.url, self.patience.as_millis());
        write!(f, "{url} within {patience} ms: {}", nodes.join(", "))
    }
}

/// Why nothing can be asked from here, which says nothing of who would answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barrier {
    NoConnection(Unreached),
    /// There is one, and it cannot be secured.
    Tls {
        url: String,
        error: String,
    },
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection(unreached) => {
                write!(f, "this machine gets no connection to {unreached}")
            }
            Self::Tls { url, error } => {
                write!(
                    f,
                    "this machine makes no secure connection to {url}: {error}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(knocks: &[Knock]) -> Option<String> {
        let node = |at: usize| SocketAddr::from(([10, 0, 0, u8::try_from(at).unwrap()], 81));
        let nodes = knocks
            .iter()
            .enumerate()
            .map(|(at, knock)| (node(at), *knock));
        let url = "http://lb.example:81/health".to_owned();
        let found = Unreached::of(url, Duration::from_secs(2), nodes.collect());
        found.map(|unreached| unreached.to_string())
    }

    #[test]
    fn unreached_is_where_every_node_was_tried_in_vain() {
        assert_eq!(
            of(&[Knock::Silent, Knock::Refused, Knock::NoWay]).unwrap(),
            "http://lb.example:81/health within 2000 ms: 10.0.0.0:81 does not answer, \
             10.0.0.1:81 refuses it, no route leads to 10.0.0.2:81"
        );
        for reached in [
            &[][..],
            &[Knock::Taken],
            &[Knock::Silent, Knock::Taken],
            &[Knock::Refused, Knock::Unknown],
        ] {
            assert_eq!(of(reached), None, "{reached:?}");
        }
    }
}
