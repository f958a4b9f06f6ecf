//! The simulated cloud of a plane, past its API: faults, what somebody else changes there, and its guests as they are inside.

use std::{sync::LazyLock, time::Duration};

use domain::ServerId;

use super::Plane;

/// Asks the cloud past its API. Each of its kind reads the certificates of the machine, which takes longer than the asking.
pub(super) static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    // A kept connection would outlive the test it belongs to.
    reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("the certificates can be read")
});

impl Plane {
    /// Changes something in the cloud past its API.
    pub async fn foreign(&self, change: serde_json::Value) {
        let answer = HTTP.post(format!("{}/sim/change", self.cloud)).json(&change).send().await;
        let answer = answer.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Makes something go wrong in the cloud.
    pub async fn fault(&self, at: &str, what: serde_json::Value) {
        let asked = serde_json::json!({"at": at, "what": what});
        let answer = HTTP.post(format!("{}/sim/faults", self.cloud)).json(&asked).send().await;
        assert!(answer.unwrap().status().is_success());
    }

    /// Nothing that has not gone wrong yet will.
    pub async fn no_faults(&self) {
        let answer = HTTP.delete(format!("{}/sim/faults", self.cloud)).send().await;
        assert!(answer.unwrap().status().is_success());
    }

    /// Whether the guest lets in whoever comes with this: `{"login": …, "password": …}` or `{…, "key": …}`.
    pub async fn guest_lets_in(&self, with: serde_json::Value) -> bool {
        let vm = self.guest().await["vm"].as_str().unwrap().to_owned();
        let login = HTTP.post(format!("{}/sim/guests/{vm}/login", self.cloud)).json(&with);
        login.send().await.unwrap().status().is_success()
    }

    /// The same for one server's guest.
    pub async fn guest_of(&self, server: ServerId, with: serde_json::Value) -> bool {
        let vm = self.machine_of(server).await;
        let login = HTTP.post(format!("{}/sim/guests/{vm}/login", self.cloud)).json(&with);
        login.send().await.unwrap().status().is_success()
    }

    /// The cloud's id of a server's machine.
    pub async fn machine_of(&self, server: ServerId) -> String {
        let machine = self.store.server(server).await.unwrap().unwrap().machine_ref.unwrap();
        machine.rsplit(':').next().unwrap().to_owned()
    }

    /// From now on the guests of the cloud do not take up what they are told at a start, or do again.
    pub async fn guest_ignores_settings(&self, ignores: bool) {
        self.knobs(serde_json::json!({"guest_ignores_properties": ignores})).await;
    }

    /// The cloud behaves otherwise from now on.
    pub async fn knobs(&self, knobs: serde_json::Value) {
        let url = format!("{}/sim/knobs", self.cloud);
        let answer = HTTP.post(url).json(&knobs).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// Changes a guest from inside, as whoever is signed in there can.
    pub async fn guest_change(&self, vm: &str, change: serde_json::Value) {
        let url = format!("{}/sim/guests/{vm}", self.cloud);
        let answer = HTTP.put(url).json(&change).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    pub async fn until_guest_is_up(&self, vm: &str) {
        let up = async {
            loop {
                let url = format!("{}/sim/guests/{vm}", self.cloud);
                let guest = HTTP.get(url).send().await.unwrap().text().await.unwrap();
                let guest: serde_json::Value = serde_json::from_str(&guest).unwrap();
                if guest["state"] == "up" {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up).await.expect("the guest does not come up");
    }

    /// Of each machine, whether "change password at first log-in" is set.
    pub async fn first_login_flags(&self) -> Vec<bool> {
        let guests =
            HTTP.get(format!("{}/sim/guests", self.cloud)).send().await.unwrap().text().await.unwrap();
        let guests: Vec<serde_json::Value> = serde_json::from_str(&guests).unwrap();
        guests.iter().map(|g| g["first_login_flag"].as_bool().unwrap()).collect()
    }
}
