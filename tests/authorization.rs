//! Who may do what: every page, stream and server function, tried as nobody, as another customer, and as each role.
//!
//! The lists come from the policy table, and the table is compared with what the framework knows; a route that is added
//! is in the matrix without anybody thinking of it.

use app::{
    policy::{self, Policy},
    request::Product,
    routes,
};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    response::Response,
};
use domain::{
    JobId,
    state::{JobState, Role},
};
use http_body_util::BodyExt;
use provisioning::{Viewer, draft_digest};
use slipway::router::{self, Edge};
use testkit::Plane;
use tower::ServiceExt;

struct Site {
    plane: Plane,
    app: Router,
}

impl Site {
    async fn start() -> Self {
        let plane = Plane::start(4).await;
        let product =
            Product { facade: plane.facade.clone(), demo: None, version: "test", config: Vec::new() };
        let files = std::env::temp_dir();
        let app = router::build(&product, &plane.store, &files, Edge { secure: false }).unwrap();
        Self { plane, app }
    }

    async fn ask(&self, method: &str, path: &str, cookie: Option<&str>, body: &str) -> Response {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "slipway.test")
            .header(header::ORIGIN, "http://slipway.test")
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        self.app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
    }

    /// Signs in through the form. Returns the cookie.
    async fn sign_in(&self, email: &str) -> String {
        let body = format!("login={email}&password=correct+horse+battery");
        let response = self.ask("POST", "/do/session_open", None, &body).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    }
}

/// Everybody who may knock.
struct Cast {
    anna: Viewer,
    cookies: Vec<(&'static str, Option<Role>, Option<String>)>,
}

async fn cast(site: &Site) -> Cast {
    let anna = site.plane.viewer("anna@test", Role::Customer).await;
    site.plane.viewer("boris@test", Role::Customer).await;
    site.plane.viewer("olga@test", Role::Support).await;
    site.plane.viewer("viktor@test", Role::Admin).await;
    let mut cookies = vec![
        ("nobody", None, None),
        ("a forged session", None, Some("slipway=AAAAAAAAAAAAAAAAAAAAAA".into())),
    ];
    for (email, role) in [
        ("anna@test", Role::Customer),
        ("boris@test", Role::Customer),
        ("olga@test", Role::Support),
        ("viktor@test", Role::Admin),
    ] {
        cookies.push((email, Some(role), Some(site.sign_in(email).await)));
    }
    Cast { anna, cookies }
}

/// Ids that stand in routes.
struct Ids {
    server: String,
    job: JobId,
    draft: String,
    edge: String,
    customer: String,
}

/// Puts Anna's ids into a route.
fn fill(route: &str, ids: &Ids) -> String {
    let id = match route {
        r if r.contains("/servers") => ids.server.clone(),
        r if r.contains("/edges") => ids.edge.clone(),
        r if r.contains("/vapps") || r.contains("/customers") => ids.customer.clone(),
        _ => ids.job.to_string(),
    };
    route.replace("{draft}", &ids.draft).replace("{id}", &id)
}

async fn text(response: Response) -> String {
    String::from_utf8_lossy(&response.into_body().collect().await.unwrap().to_bytes()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_and_stream_answers_only_those_it_is_for() {
    let site = Site::start().await;
    let Cast { anna, cookies } = cast(&site).await;
    let job = site.plane.order(&anna).await;
    let server = site.plane.job(job).await.server.unwrap().to_string();
    let draft = site.plane.draft(&anna).await.to_string();
    let edge = site.plane.store.edges().await.unwrap().remove(0).edge.id.to_string();
    let customer = anna.customer().unwrap().to_string();
    // Its group is there once it is made.
    site.plane.until(job, JobState::Succeeded).await;
    let ids = Ids { server, job, draft, edge, customer };
    for (route, allowed) in policy::PAGES.iter().chain(policy::STREAMS) {
        let path = fill(route, &ids);
        for (who, role, cookie) in &cookies {
            let response = site.ask("GET", &path, cookie.as_deref(), "").await;
            let status = response.status();
            let stream = route.starts_with("/live/");
            // What belongs to Anna does not exist for another customer.
            let foreign = *who == "boris@test" && route.contains('{');
            let expected: &[u16] = match (allowed.allows(*role), role) {
                (true, _) if foreign => &[404],
                (true, _) => &[200, 303],
                (false, None) if stream => &[401],
                (false, None) => &[303],
                (false, Some(_)) => &[403],
            };
            assert!(expected.contains(&status.as_u16()), "{who} on {path}: {status}, expected {expected:?}");
            if !allowed.allows(*role) && role.is_none() && !stream {
                let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
                assert!(location.starts_with("/login"), "{path} leads to {location}");
            }
        }
    }
}

/// A file of a server is its owner's and the staff's, and there for a server that it is for.
#[tokio::test(flavor = "multi_thread")]
async fn files_are_had_only_by_those_they_are_for() {
    let site = Site::start().await;
    let Cast { anna, cookies } = cast(&site).await;
    let linux = site.plane.job(site.plane.order(&anna).await).await.server.unwrap();
    let (draft, customer) = (site.plane.draft(&anna).await, anna.customer().unwrap());
    let saved = site.plane.facade.draft_save(draft, customer, domain::draft::WizardStep::Os, None, |v| {
        v.template = "windows-2022".into();
    });
    saved.await.unwrap();
    let job = site.plane.place(&anna, draft).await;
    let windows = site.plane.until(job, JobState::Succeeded).await.server.unwrap();
    assert_eq!(policy::FILES.len(), 4, "a file that is not tried here");
    for (who, role, cookie) in &cookies {
        let got = site.ask("GET", &format!("/servers/{windows}/rdp"), cookie.as_deref(), "").await;
        let expected = match role {
            None => StatusCode::SEE_OTHER,
            Some(_) if *who == "boris@test" => StatusCode::NOT_FOUND,
            Some(_) => StatusCode::OK,
        };
        assert_eq!(got.status(), expected, "{who}");
        if expected == StatusCode::OK {
            assert_eq!(got.headers()[header::CONTENT_TYPE], "application/x-rdp");
            let file = text(got).await;
            assert!(
                file.contains("\r\nusername:s:Administrator\r\n") && !file.contains("password"),
                "{file}"
            );
        }
        let other = site.ask("GET", &format!("/servers/{linux}/rdp"), cookie.as_deref(), "").await;
        assert_ne!(other.status(), StatusCode::OK, "{who}");
        let log = site.ask("GET", &routes::staff_job_log(job), cookie.as_deref(), "").await;
        let expected = match role {
            None => StatusCode::SEE_OTHER,
            Some(Role::Customer) => StatusCode::FORBIDDEN,
            Some(_) => StatusCode::OK,
        };
        assert_eq!(log.status(), expected, "{who}");
        for audit in [routes::STAFF_AUDIT_CSV, routes::STAFF_AUDIT_JSON] {
            let got = site.ask("GET", audit, cookie.as_deref(), "").await;
            let expected = match role {
                None => StatusCode::SEE_OTHER,
                Some(Role::Admin) => StatusCode::OK,
                Some(_) => StatusCode::FORBIDDEN,
            };
            assert_eq!(got.status(), expected, "{who} on {audit}");
        }
        if expected == StatusCode::OK {
            let lines = text(log).await;
            let first = lines.lines().next().unwrap();
            assert!(first.ends_with("accepted") && lines.trim_end().ends_with("succeeded"), "{lines}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_acts_only_for_those_it_is_for() {
    let mut site = Site::start().await;
    let Cast { anna, cookies } = cast(&site).await;
    let job = site.plane.order(&anna).await;
    let row = site.plane.job(job).await;
    let (server, name) = (row.server.unwrap(), row.server_name.unwrap());
    site.plane.until(job, JobState::Succeeded).await;
    // One that waits and could be cancelled: behind it nobody works.
    site.plane.stop_worker().await;
    let queued = site.plane.order(&anna).await;
    let draft = site.plane.draft(&anna).await;
    let customer = anna.customer().unwrap();
    let shown = site.plane.facade.draft(draft, customer).await.unwrap().unwrap().draft;
    let total = site.plane.facade.draft_quote(&shown.values).unwrap().1.total_minor;
    let seen = draft_digest(&shown);
    // Everything that any function reads, all of it Anna's and all of it right: for her each of them would work.
    let edge = site.plane.store.edges().await.unwrap().remove(0).edge.id.to_string();
    let body = |job: &str, server: &str, draft: &str| {
        let (edge, owner) =
            if job == "x" { ("x".to_owned(), job.to_owned()) } else { (edge.clone(), customer.to_string()) };
        format!(
            "draft={draft}&job={job}&server={server}&edge={edge}&customer={owner}&confirm_name={name}&key=k&template=debian-12&vcpu=2&ram=2&disk=20\
             &bandwidth=100&action=shut_down&servers={server}&name=stolen&hostname=stolen&method=password&guest_login=root&total={total}&seen={seen}\
             &terms=yes&go=next"
        )
    };
    let (server, draft) = (server.to_string(), draft.to_string());
    for (path, allowed) in policy::FUNCTIONS {
        // What a function names, and so must not find: the one that could be done, and no id at all.
        let job = if *path == "/do/operation_cancel" { queued } else { job }.to_string();
        let about_the_caller = [
            "session_open",
            "session_close",
            "language_set",
            "theme_set",
            "zone_set",
            "keys_set",
            "draft_start",
            "size_quote",
            "account_rename",
            "password_change",
            "session_revoke",
            "key_add",
            "look_end",
        ];
        // About nobody's own: what the form lacks is said, or what it names is not there.
        let about_the_system = [
            "catalogue_template",
            "catalogue_panel",
            "catalogue_prices",
            "catalogue_limits",
            "catalogue_withdraw",
            "maintenance_begin",
            "maintenance_end",
            "orphan_delete",
            "edge_check",
            "vapp_resync",
        ];
        let about_the_system = about_the_system.iter().any(|f| path.ends_with(f));
        let takes_an_id = !about_the_caller.iter().any(|f| path.ends_with(f));
        for (who, role, cookie) in &cookies {
            if *who == "anna@test" || *path == "/do/session_close" && role.is_some() {
                continue;
            }
            for (annas, body) in [(true, body(&job, &server, &draft)), (false, body("x", "-1", "%00"))] {
                let before = state(&site, &anna, &[job.parse().unwrap(), queued]).await;
                let response = site.ask("POST", path, cookie.as_deref(), &body).await;
                let status = response.status().as_u16();
                let expected: &[u16] = match (allowed.allows(*role), role) {
                    // A function for scripts takes no plain form.
                    (true, _) if *path == "/do/size_quote" => &[400],
                    (true, _) if about_the_system => &[303, 404],
                    // Staff may look at every customer, and write about each.
                    (true, _) if ["/do/look_as", "/do/customer_note"].contains(path) && annas => &[303],
                    // For an administrator Anna's servers are there; the form lacks its reason, and nothing begins.
                    (true, Some(Role::Admin)) if *allowed == Policy::Admin && annas => &[303],
                    // For staff jobs are there, whosever they are; this one is over, and nothing is done to it.
                    (true, _) if path.starts_with("/do/job_") && annas => &[303],
                    // What is not his is not there.
                    (true, _) if takes_an_id => &[404],
                    (true, _) => &[303],
                    (false, None) => &[303],
                    (false, Some(_)) => &[403],
                };
                assert!(expected.contains(&status), "{who} on {path}: {status}, expected {expected:?}");
                let after = state(&site, &anna, &[job.parse().unwrap(), queued]).await;
                assert_eq!(after, before, "{who} on {path} changed what is Anna's");
                if *path == "/do/look_as" && status == 303 {
                    // While somebody looks as Anna nothing else is done, and then everything is as before.
                    if let (Some(Role::Support | Role::Admin), true) = (role, annas) {
                        let shut = site.ask("POST", "/do/draft_start", cookie.as_deref(), "").await;
                        assert_eq!(shut.status(), StatusCode::FORBIDDEN, "{who} looks");
                        let page = site.ask("GET", "/servers", cookie.as_deref(), "").await;
                        assert_eq!(page.status(), StatusCode::OK);
                    }
                    site.ask("POST", "/do/look_end", cookie.as_deref(), "").await;
                }
            }
        }
    }
    assert_eq!(site.plane.store.servers_of(customer).await.unwrap().len(), 2);
    // And for Anna they do work: what was refused was refused because of who asked.
    let annas = cookies.iter().find(|(who, ..)| *who == "anna@test").and_then(|(_, _, c)| c.as_deref());
    for (path, job) in [("/do/password_reveal", job), ("/do/operation_cancel", queued)] {
        let before = state(&site, &anna, &[job]).await;
        assert_eq!(
            site.ask("POST", path, annas, &body(&job.to_string(), &server, &draft)).await.status(),
            303
        );
        assert_ne!(state(&site, &anna, &[job]).await, before, "{path} did nothing");
    }
}

/// What of Anna's a stranger could have changed.
async fn state(site: &Site, anna: &Viewer, jobs: &[JobId]) -> String {
    let customer = anna.customer().unwrap();
    let drafts: Vec<_> = site
        .plane
        .store
        .drafts_open(customer, 0)
        .await
        .unwrap()
        .into_iter()
        .map(|d| (d.id, d.values))
        .collect();
    let servers: Vec<_> =
        site.plane.store.servers_of(customer).await.unwrap().into_iter().map(|s| (s.id, s.name)).collect();
    let account = site.plane.store.account(anna.account.id).await.unwrap();
    let sessions = site.plane.store.sessions_of(anna.account.id, 0).await.unwrap();
    let keys = site.plane.store.ssh_keys(anna.account.id).await.unwrap();
    let mut told = format!("{drafts:?} {servers:?} {account:?} {sessions:?} {keys:?}");
    for (server, _) in &servers {
        let jobs = site.plane.store.jobs_of_server(*server, 50).await.unwrap();
        let jobs: Vec<_> = jobs.iter().map(|j| (j.id, j.state)).collect();
        told += &format!(" {jobs:?}");
        for (job, _) in &jobs {
            told += &format!(" {:?}", site.plane.store.secret_reveal_state(*server, *job).await.unwrap());
        }
    }
    for job in jobs {
        told += &format!(" {}", site.plane.job(*job).await.state);
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_from_elsewhere_are_refused_whoever_sends_them() {
    let site = Site::start().await;
    let Cast { cookies, .. } = cast(&site).await;
    let anna = cookies.iter().find(|(who, ..)| *who == "anna@test").and_then(|(_, _, c)| c.clone()).unwrap();
    for (path, allowed) in policy::FUNCTIONS {
        for (name, value) in
            [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site"), ("origin", "null")]
        {
            let request = Request::builder()
                .method("POST")
                .uri(*path)
                .header(header::HOST, "slipway.test")
                .header(header::COOKIE, &anna)
                .header(name, value)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::empty())
                .unwrap();
            let response = site.app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path} with {name}: {value}");
        }
        let get = site.ask("GET", path, Some(&anna), "").await;
        // Who may not post is told so first.
        let may = allowed.allows(Some(Role::Customer));
        let expected = if may { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::FORBIDDEN };
        assert_eq!(get.status(), expected, "{path} answers a GET");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_posts_are_refused_by_the_same_rules_and_store_nothing() {
    let site = Site::start().await;
    let Cast { anna, cookies } = cast(&site).await;
    let cookie =
        cookies.iter().find(|(who, ..)| *who == "anna@test").and_then(|(_, _, c)| c.clone()).unwrap();
    let customer = anna.customer().unwrap();
    let draft = site.plane.draft(&anna).await;
    let post = |path: &'static str, body: String| {
        let (site, cookie) = (&site, cookie.clone());
        async move { site.ask("POST", path, Some(&cookie), &body).await }
    };
    let size = format!("draft={draft}&vcpu=0&ram=99999&disk=45&bandwidth=7&go=next");
    let response = post("/do/draft_save_size", size).await;
    assert!(response.headers()[header::LOCATION].to_str().unwrap().ends_with("/size#errors"));
    let page = text(site.ask("GET", &format!("/order/{draft}/size"), Some(&cookie), "").await).await;
    for expected in [
        "We offer from 1 to 32 (you entered 0).",
        "99999",
        "40 or 50, not 45",
        "Choose one of the offered speeds.",
    ] {
        assert!(page.contains(expected), "the page does not say {expected:?}");
    }
    // Ordering it all the same, at any price.
    for total in ["0", "1", "-1", "x", "117000"] {
        let response = post("/do/order_place", format!("draft={draft}&total={total}&terms=yes")).await;
        assert!(response.headers()[header::LOCATION].to_str().unwrap().contains("/review#errors"));
    }
    // Fields that no form has are not read, broken forms break nothing.
    for body in [
        "state=succeeded&role=admin&draft=".to_owned(),
        "draft=%FF%FE&go=next".into(),
        "%%%".into(),
        String::new(),
    ] {
        let status = post("/do/draft_save_os", body).await.status();
        assert!(status.is_client_error() || status == StatusCode::SEE_OTHER, "{status}");
    }
    let long = format!("draft={draft}&name={}", "x".repeat(100_000));
    let refused = post("/do/draft_save_access", long).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text(refused).await.contains("longer than any form here allows"));
    // Another price, or other values, than the page showed.
    let shown = site.plane.facade.draft(draft, customer).await.unwrap().unwrap().draft;
    let total = site.plane.facade.draft_quote(&shown.values).map_or(0, |q| q.1.total_minor);
    for (total, seen) in [(total + 1, draft_digest(&shown)), (total, "other".to_owned())] {
        let form = format!("draft={draft}&total={total}&seen={seen}&terms=yes");
        let response = post("/do/order_place", form).await;
        assert!(response.headers()[header::LOCATION].to_str().unwrap().contains("/review#errors"));
    }
    assert!(site.plane.store.servers_of(customer).await.unwrap().is_empty());
    assert!(site.plane.store.jobs_unfinished(customer).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_id_changes_at_sign_in_and_dies_at_sign_out() {
    let site = Site::start().await;
    site.plane.viewer("anna@test", Role::Customer).await;
    let refused = site.ask("POST", "/do/session_open", None, "login=anna@test&password=wrong").await;
    let anonymous =
        refused.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let body = "login=anna@test&password=correct+horse+battery";
    let opened = site.ask("POST", "/do/session_open", Some(&anonymous), body).await;
    let cookie = opened.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_ne!(cookie, anonymous, "a session fixed before signing in must not become the signed-in one");
    assert_eq!(site.ask("GET", "/servers", Some(&anonymous), "").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(site.ask("GET", "/servers", Some(&cookie), "").await.status(), StatusCode::OK);
    site.ask("POST", "/do/session_close", Some(&cookie), "").await;
    assert_eq!(site.ask("GET", "/servers", Some(&cookie), "").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_wrong_passwords_lock_the_account_for_a_while() {
    let site = Site::start().await;
    site.plane.viewer("anna@test", Role::Customer).await;
    for _ in 0..10 {
        site.ask("POST", "/do/session_open", None, "login=anna@test&password=wrong").await;
    }
    let body = "login=anna@test&password=correct+horse+battery";
    let response = site.ask("POST", "/do/session_open", None, body).await;
    let cookie =
        response.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = text(site.ask("GET", "/login", Some(&cookie), "").await).await;
    assert!(page.contains("Too many attempts. Try again in 15 min."), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers() {
    let site = Site::start().await;
    let Cast { cookies, .. } = cast(&site).await;
    let anna = cookies.iter().find(|(who, ..)| *who == "anna@test").and_then(|(_, _, c)| c.clone()).unwrap();
    for path in [
        "/",
        "/login",
        "/servers",
        "/nowhere",
        "/healthz",
        "/pkg/nothing.js",
        "/do/draft_start",
        "/live/servers/x",
    ] {
        let response = site.ask("GET", path, Some(&anna), "").await;
        let header = |name: &str| {
            response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
        };
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        let csp = header("content-security-policy");
        assert!(
            csp.starts_with("default-src 'none'") && csp.contains("frame-ancestors 'none'"),
            "{path}: {csp}"
        );
        assert!(!csp.contains("unsafe-inline"), "{path}: {csp}");
    }
    let page = site.ask("GET", "/servers", Some(&anna), "").await;
    assert_eq!(page.headers()[header::CACHE_CONTROL], "private, no-cache");
}
