//! First boot on a real guest: what the platform hands to it runs, and then somebody signs in with what was ordered.

use domain::catalogue::Family;
use provisioning::{
    Roads,
    provider::{Access, GuestLogin, GuestSetup},
};
use secrecy::ExposeSecret;
use testkit::guest::{DEBIAN, Guest, With, key};

fn setup(login: &str, password: Option<&str>, ssh_keys: &[&str]) -> String {
    let setup = GuestSetup {
        family: Family::Linux,
        hostname: "web-01.example.com".into(),
        login: login.into(),
        password: password.map(|p| p.to_owned().into()),
        ssh_keys: ssh_keys.iter().map(|k| (*k).to_owned()).collect(),
        way: None,
    };
    guest::first_boot(&setup, guest::Identity::Own).expose_secret().to_owned()
}

fn customized(guest: &Guest, script: &str) {
    let done = guest.customized_by(script);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_login_with_a_password_lets_in_with_it_and_with_nothing_else() {
    let guest = Guest::start(DEBIAN);
    // Every symbol that a password may have.
    let password = "aB3!@#*()-_=+[]{},.:;?~zz";
    let script = setup("anna", Some(password), &[]);
    customized(&guest, &script);
    let who = guest.signs_in("anna", &With::Password(password), "id -un; uname -n; sudo -n id -un").unwrap();
    assert_eq!(who, "anna\nweb-01.example.com\nroot");
    assert!(guest.signs_in("anna", &With::Password("aB3"), "id").is_err());
    assert!(guest.signs_in("root", &With::Password(password), "id").is_err());
    // A second run changes nothing.
    let before = guest.does(
        "cat /etc/shadow /etc/passwd /etc/ssh/sshd_config /etc/sudoers.d/90-slipway | sed 's/^anna:[^:]*//'",
    );
    customized(&guest, &script);
    let after = guest.does(
        "cat /etc/shadow /etc/passwd /etc/ssh/sshd_config /etc/sudoers.d/90-slipway | sed 's/^anna:[^:]*//'",
    );
    assert_eq!(before, after);
    assert!(guest.signs_in("anna", &With::Password(password), "true").is_ok());
}

#[test]
fn root_signs_in_with_its_password_though_the_image_forbids_it() {
    let guest = Guest::start(DEBIAN);
    customized(&guest, &setup("root", Some("correct-horse-12"), &[]));
    assert_eq!(guest.signs_in("root", &With::Password("correct-horse-12"), "id -u").unwrap(), "0");
}

#[test]
fn a_login_by_key_takes_the_key_and_no_password() {
    let dir = tempfile::tempdir().unwrap();
    let (mine, public) = key(dir.path(), "mine");
    let (other, _) = key(dir.path(), "other");
    let guest = Guest::start(DEBIAN);
    let script = setup("root", None, &[&public]);
    customized(&guest, &script);
    customized(&guest, &script);
    assert_eq!(guest.signs_in("root", &With::Key(&mine), "id -u").unwrap(), "0");
    assert!(guest.signs_in("root", &With::Key(&other), "id -u").is_err());
    guest.does("printf 'root:correct-horse-12\\n' | chpasswd");
    assert!(
        guest.signs_in("root", &With::Password("correct-horse-12"), "id").is_err(),
        "only keys were ordered"
    );
    assert_eq!(
        guest.does("grep -c ssh-ed25519 /root/.ssh/authorized_keys").trim(),
        "1",
        "the key is there once"
    );
}

#[test]
fn a_restart_mends_name_address_and_name_servers() {
    let guest = Guest::start(DEBIAN);
    customized(&guest, &setup("root", Some("correct-horse-12"), &[]));
    let (address, gateway) = (guest.address.clone(), guest.gateway.clone());
    guest.is_to_be(&[
        ("slipway.hostname", "web-01.example.com"),
        ("slipway.address", &address),
        ("slipway.prefix", "30"),
        ("slipway.gateway", &gateway),
        ("slipway.dns", "192.0.2.53,192.0.2.54"),
    ]);
    let boots = || guest.does("/usr/local/sbin/slipway-guest");
    boots();
    assert_eq!(boots(), "kept hostname\nkept network\n", "a second run changes nothing");
    // What a customer may break.
    guest.does(
        "hostname oops; echo oops >/etc/hostname; sed -i '/slipway/d' /etc/hosts; echo >/etc/resolv.conf
         printf 'auto eth0\\niface eth0 inet dhcp\\n' >/etc/network/interfaces
         ip addr flush dev eth0; ip addr add 10.255.255.2/30 dev eth0",
    );
    assert_eq!(boots(), "mended hostname\nmended network\n");
    assert_eq!(boots(), "kept hostname\nkept network\n");
    let seen = guest.signs_in(
        "root",
        &With::Password("correct-horse-12"),
        "uname -n; cat /etc/hostname; getent ahostsv4 web-01",
    );
    let seen = seen.unwrap();
    assert!(
        seen.starts_with("web-01.example.com\nweb-01.example.com\n") && seen.contains(&address),
        "{seen}"
    );
    assert_eq!(guest.does("cat /etc/resolv.conf"), "nameserver 192.0.2.53\nnameserver 192.0.2.54\n");
    // The system's own tools understand what was written, and come to the same.
    guest.does("ifdown --force eth0; ip addr flush dev eth0; ifup --force eth0");
    assert_eq!(boots(), "kept hostname\nkept network\n");
}

#[test]
fn what_is_no_name_and_no_address_is_not_taken() {
    let guest = Guest::start(DEBIAN);
    customized(&guest, &setup("root", Some("correct-horse-12"), &[]));
    guest.is_to_be(&[
        ("slipway.hostname", "$(touch /root/taken)`touch /root/taken`;touch /root/taken"),
        ("slipway.address", "1.2.3.4;touch /root/taken"),
        ("slipway.prefix", "30"),
        ("slipway.gateway", "&quot;; touch /root/taken; &quot;"),
        ("slipway.dns", "x"),
    ]);
    assert_eq!(guest.does("/usr/local/sbin/slipway-guest 2>/dev/null"), "");
    assert_eq!(guest.does("uname -n; ls /root/taken 2>/dev/null || true").trim(), "web-01.example.com");
}

/// Folders of attempts to sign in.
fn folders() -> std::collections::BTreeSet<String> {
    let all = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let names = all.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with("slipway-") && name.len() == 40).collect()
}

/// The product's own way of looking whether what was ordered lets in.
#[tokio::test]
async fn the_product_sees_for_itself_who_is_let_in() {
    let dir = tempfile::tempdir().unwrap();
    let (_, public) = key(dir.path(), "mine");
    let (_, other) = key(dir.path(), "other");
    let before = folders();
    let guest = Guest::start(DEBIAN);
    let sees = async |login: &str, password: Option<&str>, keys: &[&str], address: &str| {
        let login = GuestLogin {
            login: login.into(),
            password: password.map(Into::into),
            ssh_keys: keys.iter().map(|k| (*k).to_owned()).collect(),
        };
        Roads::Network(None).lets_in(uuid::Uuid::nil(), Family::Linux, address, &login).await.unwrap()
    };
    let inside = |hostname: Option<&str>| Access::LetsIn {
        hostname: hostname.map(Into::into),
        addresses: hostname.map(|_| vec![guest.address.clone()]),
    };
    assert_eq!(sees("anna", Some("aB3!@#*()-_=+[]"), &[], &guest.address).await, Access::Refused);
    customized(&guest, &setup("anna", Some("aB3!@#*()-_=+[]"), &[]));
    let seen = sees("anna", Some("aB3!@#*()-_=+[]"), &[], &guest.address).await;
    assert_eq!(seen, inside(Some("web-01.example.com")));
    assert_eq!(sees("anna", Some("another"), &[], &guest.address).await, Access::Refused);
    assert_eq!(sees("anna", None, &[&public], &guest.address).await, Access::Refused);
    assert_eq!(sees("anna", Some("aB3!@#*()-_=+[]"), &[], &guest.gateway).await, Access::Silent);
    // By keys alone: the server says that it would take each, and nobody here could sign.
    customized(&guest, &setup("boris", None, &[&public]));
    assert_eq!(sees("boris", None, &[&public], &guest.address).await, inside(None));
    assert_eq!(sees("boris", None, &[&public, &other], &guest.address).await, Access::Refused);
    assert_eq!(sees("boris", None, &[&other], &guest.address).await, Access::Refused);
    assert_eq!(folders(), before, "something was left behind");
}
