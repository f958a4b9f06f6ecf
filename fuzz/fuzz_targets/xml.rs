//! The XML decoders: whatever comes, an answer or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &str| {
    let _ = vcd::Vapp::from_xml(body);
    let _ = vcd::Task::from_xml(body);
    let _ = vcd::Record::page_from_xml(body);
});
