//! A page or server function without a row in the policy table does not compile, nor a row without its page or function.
//!
//! Read as text, before anything is compiled: the table itself says nothing of what has been forgotten in it. The program
//! compares once more with what the framework has registered, when it starts.

use std::{collections::BTreeSet, fs, path::Path};

fn main() {
    let mut faults = Vec::new();
    let policy = read("src/policy.rs");
    let functions: BTreeSet<String> = sources(Path::new("src"))
        .iter()
        .flat_map(|source| attributes(source))
        .map(|attribute| match between(&attribute, "endpoint = \"", "\"") {
            Some(endpoint) => format!("/do/{endpoint}"),
            None => format!("#[server{attribute}] without an endpoint"),
        })
        .collect();
    let pages: BTreeSet<String> = read("src/pages/mod.rs")
        .split("<Route path=path!(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|route| route.split('/').map(segment).collect::<Vec<_>>().join("/"))
        .collect();
    compare(&mut faults, "server function", &functions, &rows(&policy, "FUNCTIONS"));
    compare(&mut faults, "page", &pages, &rows(&policy, "PAGES"));
    println!("cargo::rerun-if-changed=src");
    for fault in faults {
        println!("cargo::error={fault}");
    }
}

fn compare(faults: &mut Vec<String>, what: &str, written: &BTreeSet<String>, listed: &BTreeSet<String>) {
    if written.is_empty() {
        faults.push(format!("no {what} was found"));
    }
    faults.extend(
        written.difference(listed).map(|w| format!("{w} has no policy: add its row to src/policy.rs")),
    );
    faults.extend(listed.difference(written).map(|l| format!("src/policy.rs names {l}, which is no {what}")));
}

/// The routes of one table.
fn rows(policy: &str, table: &str) -> BTreeSet<String> {
    between(policy, &format!("pub const {table}: "), "];")
        .unwrap_or_default()
        .split("(\"")
        .skip(1)
        .filter_map(|row| row.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// What stands behind each `#[server` up to the end of its attribute.
fn attributes(source: &str) -> Vec<String> {
    let ends = |rest: &str| rest.split(']').next().unwrap_or_default().to_owned();
    source
        .split("#[server")
        .skip(1)
        .map(ends)
        // Of an argument, not of a function.
        .filter(|attribute| attribute != "(default)")
        .collect()
}

/// `:id` in the framework's routes is `{id}` in the server's.
fn segment(part: &str) -> String {
    part.strip_prefix(':').map_or_else(|| part.to_owned(), |name| format!("{{{name}}}"))
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found.to_owned())
}

fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the sources are there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(fs::read_to_string(&path).expect("a source can be read"));
        }
    }
    found
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"))
}
