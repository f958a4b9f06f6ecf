//! Lines for whoever started the program. Somebody who has stopped reading is no reason to end.

use std::io::{Write, stdout};

pub(crate) fn say(line: &str) {
    let mut out = stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
