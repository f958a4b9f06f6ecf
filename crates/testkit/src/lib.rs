//! Helpers of the tests: whole planes over throw-away databases, so that a case is one line.

mod by_hand;
pub mod campaign;
pub mod chaos;
pub mod guest;
pub mod hands;
pub mod machine;
mod mortal;
mod plane;
pub mod postgres;
pub mod powershell;

pub use plane::{Database, Node, Plane, Uptime};

/// Each of these tests on SQLite and on PostgreSQL.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::Database::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::Database::Postgres).await;
            })*
        }
    };
}

/// A reinstall of what a server has, with a new password where it has one.
pub fn same_system(server: &provisioning::Server) -> provisioning::ReinstallWish {
    provisioning::ReinstallWish {
        template: server.template_id.clone(),
        method: server.method.as_str().into(),
        guest_login: server.guest_login.clone(),
        ssh_keys: server.ssh_keys.join("\n"),
        confirm_name: server.name.clone(),
        ..provisioning::ReinstallWish::default()
    }
}
