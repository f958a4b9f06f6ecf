//! The JSON decoders.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &str| {
    let _ = vcd::Edge::page_from_json(body);
});
