//! Apps routed by a thing of AWS that has one value: an origin, an alias, a mapping or a
//! static address.

mod address;
mod alias;
mod apis;
mod cdn;
mod crashes;
mod mapping;
mod origin;
mod rules;
