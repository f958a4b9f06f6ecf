//! Who may call what. One row for every page, stream and server function; what has no row does not exist.
//!
//! The router is built from these tables and the guard reads them. The build compares them with the functions and page
//! routes that are written (`build.rs`), and the program, when it starts, with what the framework has registered.

use domain::state::Role;

use crate::routes;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    Anyone,
    SignedIn,
    /// The owner of what is named; whose a thing is is checked where it is read.
    Customer,
    /// Support and administrators.
    Staff,
    /// Administrators alone.
    Admin,
}

impl Policy {
    pub fn allows(self, role: Option<Role>) -> bool {
        match (self, role) {
            (Self::Anyone, _) => true,
            (Self::SignedIn, role) => role.is_some(),
            (Self::Customer, role) => role == Some(Role::Customer),
            (Self::Staff, role) => role.is_some_and(Role::is_staff),
            (Self::Admin, role) => role == Some(Role::Admin),
        }
    }
}

/// Pages, by their route.
pub const PAGES: &[(&str, Policy)] = &[
    ("/", Policy::Anyone),
    ("/login", Policy::Anyone),
    ("/servers", Policy::Customer),
    ("/servers/confirm", Policy::Customer),
    ("/servers/{id}", Policy::SignedIn),
    ("/servers/{id}/terminate", Policy::Customer),
    ("/servers/{id}/resize", Policy::Customer),
    ("/servers/{id}/network", Policy::Customer),
    ("/servers/{id}/reinstall", Policy::Customer),
    ("/servers/{id}/confirm", Policy::Customer),
    ("/servers/{id}/console", Policy::Customer),
    ("/order/{draft}/os", Policy::Customer),
    ("/order/{draft}/panel", Policy::Customer),
    ("/order/{draft}/size", Policy::Customer),
    ("/order/{draft}/access", Policy::Customer),
    ("/order/{draft}/review", Policy::Customer),
    ("/operations", Policy::Customer),
    ("/operations/{id}", Policy::SignedIn),
    ("/operations/{id}/password", Policy::Customer),
    ("/account", Policy::SignedIn),
    ("/keys", Policy::SignedIn),
    ("/staff", Policy::Staff),
    ("/staff/jobs", Policy::Staff),
    ("/staff/jobs/rerun", Policy::Staff),
    ("/staff/jobs/{id}", Policy::Staff),
    ("/staff/jobs/{id}/confirm", Policy::Staff),
    ("/staff/edges", Policy::Staff),
    ("/staff/edges/{id}", Policy::Staff),
    ("/staff/edges/{id}/confirm", Policy::Admin),
    ("/staff/vapps", Policy::Staff),
    ("/staff/vapps/{id}", Policy::Staff),
    ("/staff/vapps/{id}/confirm", Policy::Admin),
    ("/staff/customers", Policy::Staff),
    ("/staff/customers/{id}", Policy::Staff),
    ("/staff/drift", Policy::Staff),
    ("/staff/drift/confirm", Policy::Admin),
    ("/staff/catalogue/templates", Policy::Admin),
    ("/staff/catalogue/panels", Policy::Admin),
    ("/staff/catalogue/prices", Policy::Admin),
    ("/staff/system", Policy::Admin),
    ("/staff/system/audit", Policy::Admin),
    ("/staff/help", Policy::Staff),
];

/// Server functions. All are posts.
pub const FUNCTIONS: &[(&str, Policy)] = &[
    ("/do/session_open", Policy::Anyone),
    ("/do/session_close", Policy::SignedIn),
    ("/do/language_set", Policy::Anyone),
    ("/do/theme_set", Policy::Anyone),
    ("/do/zone_set", Policy::Anyone),
    ("/do/keys_set", Policy::Anyone),
    ("/do/account_rename", Policy::SignedIn),
    ("/do/password_change", Policy::SignedIn),
    ("/do/session_revoke", Policy::SignedIn),
    ("/do/key_add", Policy::Customer),
    ("/do/key_change", Policy::Customer),
    ("/do/draft_start", Policy::Customer),
    ("/do/draft_discard", Policy::Customer),
    ("/do/draft_save_os", Policy::Customer),
    ("/do/draft_save_panel", Policy::Customer),
    ("/do/draft_save_size", Policy::Customer),
    ("/do/draft_save_access", Policy::Customer),
    ("/do/order_place", Policy::Customer),
    ("/do/size_quote", Policy::Customer),
    ("/do/operation_cancel", Policy::Customer),
    ("/do/operation_retry", Policy::Customer),
    ("/do/password_reveal", Policy::Customer),
    ("/do/server_power", Policy::Customer),
    ("/do/servers_power", Policy::Customer),
    ("/do/server_terminate", Policy::Customer),
    ("/do/server_resize", Policy::Customer),
    ("/do/server_change_ip", Policy::Customer),
    ("/do/server_reinstall", Policy::Customer),
    ("/do/server_reset_password", Policy::Customer),
    ("/do/server_snapshot", Policy::Customer),
    ("/do/server_repair", Policy::Customer),
    ("/do/job_rerun", Policy::Staff),
    ("/do/jobs_rerun", Policy::Staff),
    ("/do/job_cancel", Policy::Staff),
    ("/do/job_assign", Policy::Staff),
    ("/do/job_note", Policy::Staff),
    ("/do/job_roll_back", Policy::Admin),
    ("/do/job_mark_step", Policy::Admin),
    ("/do/job_bypass", Policy::Admin),
    ("/do/catalogue_template", Policy::Admin),
    ("/do/catalogue_panel", Policy::Admin),
    ("/do/catalogue_prices", Policy::Admin),
    ("/do/catalogue_limits", Policy::Admin),
    ("/do/catalogue_withdraw", Policy::Admin),
    ("/do/customer_note", Policy::Staff),
    ("/do/look_as", Policy::Staff),
    ("/do/look_end", Policy::SignedIn),
    ("/do/vapp_resync", Policy::Admin),
    ("/do/vapp_migrate", Policy::Admin),
    ("/do/orphan_delete", Policy::Admin),
    ("/do/maintenance_begin", Policy::Admin),
    ("/do/maintenance_end", Policy::Admin),
    ("/do/edge_release", Policy::Admin),
    ("/do/edge_quarantine", Policy::Admin),
    ("/do/edge_return", Policy::Admin),
    ("/do/edge_check", Policy::Admin),
    ("/do/drift_accept", Policy::Staff),
    ("/do/server_change_edge", Policy::Admin),
    ("/do/server_rename", Policy::Customer),
];

/// Live streams.
pub const STREAMS: &[(&str, Policy)] = &[
    ("/live/servers", Policy::Customer),
    ("/live/servers/{id}", Policy::SignedIn),
    ("/live/operations", Policy::Customer),
    ("/live/operations/{id}", Policy::SignedIn),
    ("/live/staff", Policy::Staff),
    ("/live/staff/edges", Policy::Staff),
    ("/live/staff/edges/{id}", Policy::Staff),
    ("/live/staff/system", Policy::Admin),
    ("/live/staff/jobs", Policy::Staff),
    ("/live/staff/jobs/{id}", Policy::Staff),
];

/// Sockets: there is one kind of them, a server's screen.
pub const SOCKETS: &[(&str, Policy)] = &[("/live/servers/{id}/console", Policy::Customer)];

/// Files that a page offers.
pub const FILES: &[(&str, Policy)] = &[
    (routes::SERVER_RDP, Policy::SignedIn),
    (routes::STAFF_JOB_LOG, Policy::Staff),
    (routes::STAFF_AUDIT_CSV, Policy::Admin),
    (routes::STAFF_AUDIT_JSON, Policy::Admin),
];

/// Addresses that are neither: no session is needed and nothing is told.
pub const PLAIN: &[(&str, Policy)] = &[
    ("/healthz", Policy::Anyone),
    ("/readyz", Policy::Anyone),
    ("/favicon.svg", Policy::Anyone),
    ("/pkg/{*file}", Policy::Anyone),
];

/// What somebody of the staff may ask for while looking as a customer does: pages, their streams and files, and what is about
/// the looker alone.
pub fn open_to_a_look(route: &str) -> bool {
    const OWN: [&str; 6] = [
        "/do/look_end",
        "/do/session_close",
        "/do/language_set",
        "/do/theme_set",
        "/do/zone_set",
        "/do/keys_set",
    ];
    const NEVER: [&str; 2] = ["/servers/{id}/console", "/operations/{id}/password"];
    let listed = |table: &[(&str, Policy)]| table.iter().any(|(path, _)| *path == route);
    OWN.contains(&route)
        || (listed(PAGES) || listed(STREAMS) || listed(FILES) || listed(PLAIN)) && !NEVER.contains(&route)
}

/// The policy of a route. `None` means that nobody may.
pub fn of(route: &str) -> Option<Policy> {
    [PAGES, FUNCTIONS, STREAMS, SOCKETS, FILES, PLAIN]
        .into_iter()
        .flatten()
        .find(|(r, _)| *r == route)
        .map(|(_, p)| *p)
}
