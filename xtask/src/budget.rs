//! What a browser may have to load. Measured over the files of the release build, compressed as they are served.

use std::fs;

use anyhow::bail;

use crate::build::{brotli, site_dir};

const BUDGETS: &[(&str, usize)] =
    &[("slipway_bg.wasm", 120 * 1024), ("slipway.js", 12 * 1024), ("slipway.css", 8 * 1024)];

/// Prints each weight beside its budget and fails where one is exceeded.
pub(crate) fn check() -> anyhow::Result<()> {
    let mut over = Vec::new();
    for (file, budget) in BUDGETS {
        let plain = fs::read(site_dir(true).join("pkg").join(file))?;
        let small = brotli(&plain)?.len();
        println!(
            "{file}: {:.1} KB brotli of {} KB ({:.1} KB plain)",
            kb(small),
            budget / 1024,
            kb(plain.len())
        );
        if small > *budget {
            over.push(*file);
        }
    }
    if over.is_empty() { Ok(()) } else { bail!("over budget: {}", over.join(", ")) }
}

fn kb(bytes: usize) -> f64 {
    bytes as f64 / 1024.0
}
