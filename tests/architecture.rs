//! The arrows of the architecture, checked over what cargo knows of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

/// Which of our crates each of them may name.
const ARROWS: &[(&str, &[&str])] = &[
    ("slipway", &["app", "domain", "jobs", "provisioning", "store", "vcd-sim"]),
    ("frontend", &["app"]),
    ("app", &["domain", "provisioning"]),
    ("guest", &["domain"]),
    ("provisioning", &["domain", "guest", "jobs", "store", "synchronizer", "vcd"]),
    ("store", &["domain", "jobs", "synchronizer"]),
    ("synchronizer", &["domain"]),
    ("domain", &[]),
    ("jobs", &[]),
    ("vcd", &[]),
    ("vcd-sim", &[]),
    ("testkit", &["domain", "jobs", "provisioning", "store", "synchronizer", "vcd-sim"]),
    ("rules", &["domain"]),
    ("xtask", &["rules"]),
];

fn cargo(args: &[&str]) -> String {
    let out = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn every_crate_names_only_what_its_arrows_allow() {
    let metadata: serde_json::Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version=1"])).unwrap();
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages.iter().map(|p| p["name"].as_str().unwrap()).collect();
    for package in packages {
        let names = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| d["kind"].is_null())
            .map(|d| d["name"].as_str().unwrap())
            .filter(|n| ours.contains(n))
            .map(str::to_owned)
            .collect();
        seen.insert(package["name"].as_str().unwrap().to_owned(), names);
    }
    for (name, found) in &seen {
        let (_, allowed) =
            ARROWS.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("{name} has no arrows"));
        let extra: Vec<_> = found.iter().filter(|f| !allowed.contains(&f.as_str())).collect();
        assert!(extra.is_empty(), "{name} may not depend on {extra:?}");
    }
}

#[test]
fn the_browser_gets_no_server_code() {
    let tree = cargo(&[
        "tree",
        "-p",
        "frontend",
        "--target",
        "wasm32-unknown-unknown",
        "-e",
        "normal",
        "--prefix",
        "none",
    ]);
    for banned in ["tokio", "sqlx", "reqwest", "axum", "provisioning", "store", "jiff", "fluent-bundle"] {
        let found = tree.lines().any(|l| l.split_whitespace().next() == Some(banned));
        assert!(!found, "the browser would load {banned}");
    }
}

#[test]
fn the_domain_reaches_no_machine() {
    let tree = cargo(&["tree", "-p", "domain", "-e", "normal", "--prefix", "none"]);
    for banned in ["tokio", "sqlx", "reqwest", "leptos", "getrandom"] {
        assert!(
            !tree.lines().any(|l| l.split_whitespace().next() == Some(banned)),
            "domain reaches {banned}"
        );
    }
}

fn sources(dir: &Path, out: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("node_modules") {
                sources(&path, out);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
            out.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let mut out = Vec::new();
    for dir in ["src", "app", "frontend", "crates", "xtask"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut out);
    }
    assert!(out.len() > 80, "the sources were not found");
    out
}

/// Whether a line has the word by itself, not as the end of another.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(i, _)| line[..i].chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_'))
}

#[test]
fn words_stay_where_they_belong() {
    let rules: &[(&str, &[&str])] = &[
        // SQL lives in the store; tests may do what nobody should.
        ("sqlx::", &["crates/store/", "crates/testkit/src/by_hand.rs"]),
        // Below the pages nobody knows the framework.
        ("leptos", &["app/", "frontend/", "src/"]),
        // The words of the platform end at the provider's adapter.
        (
            "vcd::",
            &["crates/vcd/", "crates/provisioning/src/provider_vcd", "crates/testkit/tests/sdk", "xtask/"],
        ),
        // SQL is never put together from text.
        ("AssertSqlSafe", &[]),
    ];
    for (file, text) in all_sources() {
        for (word, homes) in rules {
            let at_home = homes.iter().any(|home| file.starts_with(home));
            let code = text.lines().any(|l| !l.trim_start().starts_with("//") && names(l, word));
            assert!(at_home || !code, "{file} names {word}");
        }
    }
}

#[test]
fn every_module_says_what_it_promises() {
    let bare: Vec<String> = all_sources()
        .into_iter()
        .filter(|(file, text)| !file.contains("/tests/") && !text.starts_with("//!"))
        .map(|(file, _)| file)
        .collect();
    assert!(bare.is_empty(), "these files do not open with what they promise: {bare:?}");
}

/// A file of tests that no program names would never be run, and nothing would say so.
#[test]
fn every_file_of_tests_is_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for package in crates.chain([root.to_owned()]).filter(|p| p.join("tests/all.rs").exists()) {
        let all = fs::read_to_string(package.join("tests/all.rs")).unwrap();
        let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
        for file in fs::read_dir(package.join("tests")).unwrap() {
            let path = file.unwrap().path();
            let main = if path.is_dir() { path.join("main.rs") } else { path.clone() };
            let name = path.file_stem().unwrap().to_string_lossy();
            let named =
                all.contains(&format!("mod {name};")) || manifest.contains(&format!("name = \"{name}\""));
            let holds_tests = main.extension().is_some_and(|e| e == "rs") && main.exists();
            assert!(named || !holds_tests, "{} is in no test program", main.display());
            seen += usize::from(holds_tests);
        }
    }
    assert!(seen > 50, "only {seen} files looked at");
}

/// Classes that appear in views and in the style are the same set.
#[test]
fn every_class_is_styled_and_every_style_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut css = String::new();
    for entry in ["style", "style/components", "style/screens"] {
        for file in fs::read_dir(root.join(entry)).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "css") {
                css.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let views: String =
        all_sources().into_iter().filter(|(f, _)| f.starts_with("app/")).map(|(_, t)| t).collect();
    let mut styled = BTreeSet::new();
    for (at, _) in css.match_indices('.') {
        let name: String =
            css[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        if name.starts_with(|c: char| c.is_ascii_lowercase()) && !["css"].contains(&name.as_str()) {
            styled.insert(name);
        }
    }
    for name in &styled {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let used = views.match_indices(name.as_str()).any(|(i, _)| {
            let before = views[..i].chars().next_back().is_none_or(|c| !word(c));
            before && views[i + name.len()..].chars().next().is_none_or(|c| !word(c))
        });
        assert!(used, "the style has .{name}, which no view names");
    }
    let mut bare = BTreeSet::new();
    for (at, _) in views.match_indices("class=\"") {
        let value: String = views[at + 7..].chars().take_while(|c| *c != '"').collect();
        let classes = value.split_whitespace().filter(|c| !c.contains(['{', '}']) && !styled.contains(*c));
        bare.extend(classes.map(str::to_owned));
    }
    assert!(bare.is_empty(), "views name classes that the style does not have: {bare:?}");
}
