//! The measuring half of the chores: load, benchmarks and kill rounds, usable from tests as well as from the command line.

pub mod bench;
pub mod corpus;
pub mod kill;
pub mod load;
