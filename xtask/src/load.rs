//! Load for benchmarks and kill rounds: sample mails, a sender, a sink that plays the relay, a desk as a process, and
//! what the kernel says about processes. Knows the product only by its command line, its ports and its pages.

pub mod chance;
pub mod connection;
pub mod desk;
mod encode;
pub mod mails;
pub mod page;
pub mod process;
pub mod sender;
pub mod sink;
pub mod snapshot;
mod words;
mod write;
