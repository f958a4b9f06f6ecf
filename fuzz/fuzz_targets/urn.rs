//! References: what is read and written again is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(id) = text.parse::<vcd::VmId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(id) = text.parse::<vcd::QosProfileId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    let _ = text.parse::<vcd::TaskId>();
    let _ = text.parse::<vcd::EdgeId>();
});
