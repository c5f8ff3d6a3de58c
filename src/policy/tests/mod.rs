//! The decision as tables: the acceptance cases, the edges of each rule, and properties.

mod cases;
mod consents;
mod edges;
mod operators;
mod properties;
mod reductions;
mod regimes;
mod setting;
mod shipped;
