//! How many playbooks run at once, and in which order the rest comes.

use std::time::Duration;

use crate::panel_site::ansible;
use provisioning::ansible::{Ansible, Door, Play, PlayEnd, PlayEvent};
use secrecy::SecretString;

/// A folder with a program in place of Ansible's: it takes its time, and says when it began and ended.
fn program(seconds: &str) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    let program = folder.path().join("bin/ansible-playbook");
    let text = format!(
        "#!/bin/sh\necho + >>{0}/log\nsleep {seconds}\necho - >>{0}/log\n\
         echo '{{\"event\": \"stats\", \"changed\": 0, \"failures\": 0, \"unreachable\": 0}}'\n",
        folder.path().display()
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Closing a door has no place in line: with every place taken it is done at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_wait_does_not() {
    let folder = program("2");
    let ansible = Ansible::new(folder.path(), 1);
    let (key, none) = (SecretString::from("no key"), serde_json::Map::new());
    let run = |waits: bool| {
        let play = Play {
            playbook: "leave.yml",
            address: "192.0.2.1",
            door: Door::Ssh { login: "root", key: &key, python: None },
            values: &none,
            deadline: Duration::from_secs(30),
            waits,
        };
        ansible.run(play, move |event| assert!(waits || !matches!(event, PlayEvent::Waits { .. })))
    };
    let began = async || {
        while std::fs::read_to_string(folder.path().join("log")).is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let second = async {
        began().await;
        run(false).await
    };
    let ends = tokio::join!(run(true), second);
    assert_eq!(ends, (PlayEnd::Done { changed: 0 }, PlayEnd::Done { changed: 0 }));
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.starts_with("+\n+\n"), "one after the other: {log}");
}

/// Fifty at once: never more than there are places for, each in its turn, and all of them in the end.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_are_so_many_at_once() {
    let folder = program("0.1");
    let ansible = Ansible::new(folder.path(), 4);
    let (key, none) = (SecretString::from("no key"), serde_json::Map::new());
    let waited = std::sync::Mutex::new(std::collections::BTreeSet::new());
    let runs = (0..50).map(|_| {
        let play = Play {
            playbook: "panel.yml",
            address: "192.0.2.1",
            door: Door::Ssh { login: "root", key: &key, python: None },
            values: &none,
            deadline: Duration::from_secs(30),
            waits: true,
        };
        ansible.run(play, |event| {
            if let PlayEvent::Waits { ahead } = event {
                waited.lock().unwrap().insert(*ahead);
            }
        })
    });
    let ends = futures::future::join_all(runs).await;
    assert!(ends.iter().all(|end| *end == PlayEnd::Done { changed: 0 }), "{ends:?}");
    let (mut now, mut most) = (0, 0);
    for line in std::fs::read_to_string(folder.path().join("log")).unwrap().lines() {
        now += if line == "+" { 1 } else { -1 };
        most = most.max(now);
    }
    assert_eq!((now, most), (0, 4));
    assert_eq!(waited.into_inner().unwrap(), (0..46).collect(), "each was told its place");
}

/// With two places the third waits, and says how many come first; whoever gives up is passed over.
#[tokio::test(flavor = "multi_thread")]
async fn so_many_at_once_and_the_rest_in_order() {
    let ansible = ansible().await;
    let key = SecretString::from("no key");
    let none = serde_json::Map::new();
    let play = || Play {
        playbook: "panel.yml",
        // Nobody ever answers here.
        address: "192.0.2.1",
        door: Door::Ssh { login: "root", key: &key, python: None },
        values: &none,
        deadline: Duration::from_secs(6),
        waits: true,
    };
    let waited = std::sync::Mutex::new(vec![Vec::new(); 5]);
    let run = |n: usize| {
        let (ansible, waited) = (&ansible, &waited);
        async move {
            ansible
                .run(play(), |event| {
                    if let PlayEvent::Waits { ahead } = event {
                        waited.lock().unwrap()[n].push(*ahead);
                    }
                })
                .await
        }
    };
    let gives_up = async {
        let _ = tokio::time::timeout(Duration::from_secs(2), run(3)).await;
    };
    // In this order: two run, three wait, the second of whom gives up.
    let _ = tokio::join!(biased; run(0), run(1), run(2), gives_up, run(4));
    let waited = waited.into_inner().unwrap();
    assert!(waited[0].is_empty() && waited[1].is_empty(), "{waited:?}");
    assert_eq!(waited[2].first(), Some(&0));
    assert_eq!(waited[3].first(), Some(&1));
    // How far it comes before it is its turn is the machine's to say; it never falls back.
    assert_eq!(waited[4].first(), Some(&2));
    assert!(waited[4].is_sorted_by(|a, b| a >= b) && waited[4].last() < Some(&2), "{waited:?}");
}
