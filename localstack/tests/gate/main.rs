//! The gate without an emulator: before a store that keeps what it is told and
//! imitates nothing, so that all that happens is the gate's doing.

mod api;
mod api_domains;
mod cdn;
mod conformance;
mod distributions;
mod door;
mod edges;
mod elb;
mod entrance;
mod lightsail;
mod nodes;
mod server;
mod store;
mod subject;
mod target;
mod tls;
