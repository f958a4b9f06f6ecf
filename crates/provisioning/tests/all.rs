//! The tests of provisioning in one program: each program of its own is linked by itself, and takes its room.

mod accounts;
mod changes;
mod deaths;
mod disks;
mod drift;
mod edges;
mod failures;
mod first_boot;
mod history;
mod identity;
mod job_actions;
mod life;
mod nodes;
mod orders;
mod panel_orders;
mod panel_site;
mod panel_ways;
mod panels;
mod panels_windows;
mod playbooks;
mod pool;
mod remedies;
mod staff_jobs;
mod staff_side;
mod sweeps;
