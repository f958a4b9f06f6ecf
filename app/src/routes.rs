//! Every address of the product, made in one place.

use domain::{CustomerId, DraftId, EdgeId, JobId, ServerId, draft::WizardStep};

pub const LOGIN: &str = "/login";
pub const SERVERS: &str = "/servers";
pub const OPERATIONS: &str = "/operations";
pub const ACCOUNT: &str = "/account";
pub const KEYS: &str = "/keys";
pub const STAFF: &str = "/staff";
pub const STAFF_JOBS: &str = "/staff/jobs";
pub const STAFF_EDGES: &str = "/staff/edges";
pub const STAFF_DRIFT: &str = "/staff/drift";
pub const STAFF_CUSTOMERS: &str = "/staff/customers";
pub const STAFF_CATALOGUE: &str = "/staff/catalogue";
pub const STAFF_TEMPLATES: &str = "/staff/catalogue/templates";
pub const STAFF_PANELS: &str = "/staff/catalogue/panels";
pub const STAFF_PRICES: &str = "/staff/catalogue/prices";
pub const STAFF_SYSTEM: &str = "/staff/system";
/// What was done by hand, as a page and as files.
pub const STAFF_AUDIT: &str = "/staff/system/audit";
pub const STAFF_AUDIT_CSV: &str = "/staff/system/audit.csv";
pub const STAFF_AUDIT_JSON: &str = "/staff/system/audit.json";
pub const STAFF_VAPPS: &str = "/staff/vapps";
pub const STAFF_HELP: &str = "/staff/help";

pub fn order(draft: DraftId, step: WizardStep) -> String {
    format!("/order/{draft}/{step}")
}

/// The same, with what the keyboard begins at: the step's own form, past everything above it.
pub fn order_step(draft: DraftId, step: WizardStep) -> String {
    format!("{}#step", order(draft, step))
}

pub fn server(id: ServerId) -> String {
    format!("/servers/{id}")
}

/// The file by which Windows' own client signs in.
pub const SERVER_RDP: &str = "/servers/{id}/rdp";

pub fn server_rdp(id: ServerId) -> String {
    SERVER_RDP.replace("{id}", &id.to_string())
}

pub fn server_terminate(id: ServerId) -> String {
    format!("/servers/{id}/terminate")
}

pub fn server_resize(id: ServerId) -> String {
    format!("/servers/{id}/resize")
}

pub fn server_network(id: ServerId) -> String {
    format!("/servers/{id}/network")
}

pub fn server_reinstall(id: ServerId) -> String {
    format!("/servers/{id}/reinstall")
}

/// Where what is asked of several servers is looked at before it is done.
pub const SERVERS_CONFIRM: &str = "/servers/confirm";

/// The screen and keyboard of a server.
pub fn server_console(id: ServerId) -> String {
    format!("/servers/{id}/console")
}

/// The socket that the screen comes by.
pub fn console_socket(id: ServerId) -> String {
    live(&server_console(id))
}

/// Where what interrupts a server is asked for once more.
pub fn server_confirm(id: ServerId, what: &str) -> String {
    format!("/servers/{id}/confirm?do={what}")
}

pub fn operation(id: JobId) -> String {
    format!("/operations/{id}")
}

/// The operations that an order was accepted as.
pub fn operations_of_order(first: JobId) -> String {
    format!("/operations?order={first}")
}

pub fn operations_of_server(id: ServerId) -> String {
    format!("/operations?server={id}")
}

pub fn operation_password(id: JobId) -> String {
    format!("/operations/{id}/password")
}

/// Where running many again is looked at before it is done.
pub const STAFF_JOBS_RERUN: &str = "/staff/jobs/rerun";

pub fn staff_job(id: JobId) -> String {
    format!("/staff/jobs/{id}")
}

/// Everything that was said of a job, as a text.
pub const STAFF_JOB_LOG: &str = "/staff/jobs/{id}/log";

pub fn staff_job_log(id: JobId) -> String {
    STAFF_JOB_LOG.replace("{id}", &id.to_string())
}

/// Where what is done to a job is asked once more.
pub fn staff_job_confirm(id: JobId, what: &str) -> String {
    format!("{}/confirm?do={what}", staff_job(id))
}

pub fn staff_edge(id: EdgeId) -> String {
    format!("{STAFF_EDGES}/{id}")
}

/// Where what is done to an edge is asked once more.
pub fn staff_edge_confirm(id: EdgeId, what: &str) -> String {
    format!("{}/confirm?do={what}", staff_edge(id))
}

pub fn staff_customer(id: CustomerId) -> String {
    format!("{STAFF_CUSTOMERS}/{id}")
}

pub fn staff_vapp(id: CustomerId) -> String {
    format!("{STAFF_VAPPS}/{id}")
}

/// Where what is done to a group is asked once more.
pub fn staff_vapp_confirm(id: CustomerId, what: &str) -> String {
    format!("{}/confirm?do={what}", staff_vapp(id))
}

/// The address of a live page's stream.
pub fn live(page: &str) -> String {
    format!("/live{page}")
}

/// The address of a server function.
pub fn action(function: &str) -> String {
    format!("/do/{function}")
}

/// A way back that stays on this site: a local path, or nothing.
pub fn local(path: &str) -> Option<&str> {
    let sane = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t']);
    sane.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let id = "0193569e-0000-7000-8000-000000000001";
        assert_eq!(order(id.parse().unwrap(), WizardStep::Size), format!("/order/{id}/size"));
        assert_eq!(server_terminate(id.parse().unwrap()), format!("/servers/{id}/terminate"));
        assert_eq!(operation_password(id.parse().unwrap()), format!("/operations/{id}/password"));
        assert_eq!(live(&operation(id.parse().unwrap())), format!("/live/operations/{id}"));
    }

    #[test]
    fn a_way_back_stays_here() {
        assert_eq!(local("/servers?q=1"), Some("/servers?q=1"));
        for bad in ["//evil.test", "https://evil.test", "", "/\\evil.test", "/a\r\nSet-Cookie: x"] {
            assert_eq!(local(bad), None, "{bad:?}");
        }
    }
}
