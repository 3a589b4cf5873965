//! DNS over UDP and TCP, by hickory-server: whoever is asked says what there is in
//! words, and here they become messages.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Metadata, ResponseCode};
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, NS};
use hickory_server::proto::rr::{Name, RData, Record};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use super::zones::{Said, plain};

const PATIENCE: Duration = Duration::from_secs(5);
const BUFFER: usize = 16;
/// UDP and TCP are to have the same port.
const TRIES: usize = 20;

/// Who knows what to say.
pub trait Mind: Send + Sync + 'static {
    fn is_authority(&self) -> bool;

    /// None where nobody serves the name.
    fn say<'a>(&'a self, name: &'a str, kind: &'a str) -> BoxFuture<'a, Option<Vec<Said>>>;
}

/// Serves it at that port, of which 0 is any free one, for as long as the present runtime lives.
///
/// # Errors
/// If it is taken, or none is free.
pub fn start(place: (Ipv4Addr, u16), mind: Arc<impl Mind>) -> std::io::Result<SocketAddr> {
    let (udp, tcp) = sockets(place)?;
    let address = udp.local_addr()?;
    let mut server = Server::new(Handler(mind));
    server.register_socket(udp);
    server.register_listener(tcp, PATIENCE, BUFFER);
    tokio::spawn(async move { server.block_until_done().await });
    Ok(address)
}

fn sockets(place: (Ipv4Addr, u16)) -> std::io::Result<(UdpSocket, TcpListener)> {
    let mut last = None;
    for _ in 0..TRIES {
        let udp = std::net::UdpSocket::bind(place)?;
        match std::net::TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => {
                udp.set_nonblocking(true)?;
                tcp.set_nonblocking(true)?;
                return Ok((UdpSocket::from_std(udp)?, TcpListener::from_std(tcp)?));
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("no port is free")))
}

struct Handler<M>(Arc<M>);

#[async_trait]
impl<M: Mind> RequestHandler for Handler<M> {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut to: R,
    ) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.authoritative = self.0.is_authority();
        metadata.recursion_available = !self.0.is_authority();
        let records = match request.request_info() {
            Ok(info) => {
                let name = plain(&info.query.name().to_string());
                let kind = info.query.query_type().to_string();
                self.0.say(&name, &kind).await
            }
            Err(_) => None,
        };
        let records = match records {
            Some(said) => said.iter().filter_map(record).collect(),
            None => {
                metadata.response_code = ResponseCode::NXDomain;
                Vec::new()
            }
        };
        let builder = MessageResponseBuilder::from_message_request(request);
        let answer = builder.build(metadata, &records, [], [], []);
        match to.send_response(answer).await {
            Ok(info) => info,
            Err(_) => {
                let builder = MessageResponseBuilder::from_message_request(request);
                let failed = builder.error_msg(&request.metadata, ResponseCode::ServFail);
                // Who asked is gone.
                match to.send_response(failed).await {
                    Ok(info) => info,
                    Err(_) => hickory_server::proto::op::Header {
                        metadata: Metadata::response_from_request(&request.metadata),
                        counts: Default::default(),
                    }
                    .into(),
                }
            }
        }
    }
}

fn record(said: &Said) -> Option<Record> {
    let name = |text: &str| Name::from_str(&format!("{}.", plain(text))).ok();
    let data = match said.kind.as_str() {
        "A" | "AAAA" => match said.value.parse().ok()? {
            IpAddr::V4(address) => RData::A(A(address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(address)),
        },
        "CNAME" => RData::CNAME(CNAME(name(&said.value)?)),
        "NS" => RData::NS(NS(name(&said.value)?)),
        _ => return None,
    };
    Some(Record::from_rdata(name(&said.name)?, said.ttl, data))
}
