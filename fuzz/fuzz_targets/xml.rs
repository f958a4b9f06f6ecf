//! The XML decoders: whatever comes, an answer or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &str| vcd::decoders::xml(body));
