//! The JSON decoders.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &str| vcd::decoders::json(body));
