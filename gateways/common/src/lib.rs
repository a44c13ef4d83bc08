//! What every gateway does alike: options, HTTP, workloads, forwarding, lines on standard output, accept loops.

pub mod connection;
mod drain;
pub mod json;
pub mod lines;
pub mod options;
pub mod process;
pub mod reply;
pub mod request;
pub mod server;
pub mod upstream;
pub mod workloads;
