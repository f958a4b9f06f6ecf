//! What is tested side by side, in one program. Apart are those who need the machine, or PostgreSQL, for themselves.

mod dropped;
mod engine;
mod examples;
mod lab;
mod model;
mod places;
mod reasons;
mod sdk;
mod sdk_bench;
mod sdk_faults;
mod units;
mod wake_ups;
mod writes;
