//! Sends requests to the load balancer over HTTP, as users do, and notes what came back.
//!
//! Knows no colours and gives no verdict: it sends, waits and reports samples. It
//! connects directly to the load balancer, whatever HTTP_PROXY says: users do not see a
//! proxy's delays and errors.

mod address;
mod answers;
mod certificate;
mod client;
mod connection;
mod dns;
mod nodes;
mod pace;
mod pulse;
mod reach;
mod run;
mod several;
mod sockets;
#[cfg(test)]
pub mod testing;

pub use address::{Address, Question, Version};
pub use client::{Client, Exchange, ask_each, ask_once};
pub use dns::Dns;
pub use pace::Schedule;
pub use reach::unreached;
pub use run::{Connections, Probe};
pub use several::Probes;
