//! The product's pages, to be measured from outside: a server over a database full of jobs, signed in to.
//!
//! `pages FOLDER ACCOUNTS JOBS` prints one line, `{"url", "table", "staff", "crew", "customers": [{"cookie", "operation"}, …]}`, where
//! `crew` are cookies of more of the staff, and then
//! obeys lines on its input: `one`, `next` and `all` accept an operation of the first customer, of the next in turn, or of each, and print when the last of
//! them was committed, ms. What measures it is `end2end/bench/pages.mjs`.
#![allow(clippy::print_stdout)]

use std::{path::Path, sync::Arc};

use app::request::Product;
use axum::{Router, routing::get};
use domain::{CustomerId, EdgeId, kind::Kind, state::Role};
use jobs::{Clock, SystemClock};
use leptos::{config::LeptosOptions, hydration::HydrationScripts, prelude::*};
use provisioning::{Facade, Offers, OrderPlaced, Seen, Viewer, demo_catalogue, draft_digest};
use secrecy::SecretString;
use serde_json::{Value, json};
use slipway::{
    router::{self, Edge},
    wire,
};
use store::{Store, edges::EdgeFacts, measure::Load, seal::Sealer};
use tokio::net::TcpListener;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PASSWORD: &str = "correct horse battery";
const ROWS: usize = 1000;
const CREW: usize = 5;
const EDGES: u32 = 130;

fn main() {
    slipway::memory::in_small_pages();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [folder, accounts, jobs] = args.as_slice() else {
        println!("pages FOLDER ACCOUNTS JOBS: measured by `cargo xtask bench pages`");
        return;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (accounts, jobs): (usize, usize) = (accounts.parse().unwrap(), jobs.parse().unwrap());
    let folder = Path::new(folder);
    let sealer = Sealer::from_file(&folder.join("key")).unwrap();
    let store = Store::open_sqlite(&folder.join("slipway.db"), sealer).await.unwrap();
    let facade = Facade::over(store.clone(), Offers::new(demo_catalogue().unwrap()), Arc::new(SystemClock));
    if jobs > 0 {
        let kinds = vec![Kind::Power, Kind::Resize, Kind::Activate];
        let load = Load { customers: 100, jobs_each: jobs / 100, kinds, steps: vec!["one", "two", "three"] };
        store.load(&load, 1_000_000).await.unwrap();
    }
    let product = Product { facade: facade.clone(), demo: None, version: "bench", config: Vec::new() };
    let site = folder.join("site");
    let edge = Edge { secure: false };
    let app = router::build(&product, &store, &site, edge).unwrap();
    let url = serve(app).await;
    let rows: Arc<Vec<[String; 2]>> =
        Arc::new((0..ROWS).map(|_| [(); 2].map(|()| uuid::Uuid::now_v7().to_string())).collect());
    let table = leptos_axum::render_app_async(move || table(rows.clone()));
    let table = serve(Router::new().route("/table", get(table))).await;

    facade.account_add("admin@test", "Admin", Role::Admin, SecretString::from(PASSWORD)).await.unwrap();
    let staff = sign_in(&url, "admin@test").await;
    let mut crew = Vec::new();
    for i in 0..CREW {
        let email = format!("support{i}@test");
        facade.account_add(&email, "Support", Role::Support, SecretString::from(PASSWORD)).await.unwrap();
        crew.push(sign_in(&url, &email).await);
    }
    store.edges_import(&pool(), SystemClock.now_ms()).await.unwrap();
    let mut customers = Vec::new();
    let mut told: Vec<Value> = Vec::new();
    for i in 0..accounts {
        let email = format!("customer{i}@test");
        facade.account_add(&email, "Customer", Role::Customer, SecretString::from(PASSWORD)).await.unwrap();
        let cookie = sign_in(&url, &email).await;
        let (customer, operation) = order(&facade, &store, &email).await;
        customers.push(customer);
        told.push(json!({"cookie": cookie, "operation": operation}));
    }
    println!("{}", json!({"url": url, "table": table, "staff": staff, "crew": crew, "customers": told}));
    let next = || tokio::task::block_in_place(|| std::io::stdin().lines().next());
    let mut turn = 0;
    while let Some(Ok(line)) = next() {
        let changed = match line.as_str() {
            "one" => &customers[..1],
            "next" => {
                turn = (turn + 1) % customers.len();
                &customers[turn..=turn]
            }
            _ => &customers[..],
        };
        for customer in changed {
            store.load_more(*customer, Kind::Power, &["one"], SystemClock.now_ms()).await.unwrap();
        }
        println!("{}", SystemClock.now_ms());
    }
}

/// As many edges as there are.
fn pool() -> Vec<(EdgeId, EdgeFacts)> {
    let edge = |n: u32| {
        let facts = EdgeFacts {
            provider_ref: format!("edge:{n}"),
            name: format!("edge-{n:03}"),
            gateway: "198.18.0.1".into(),
            prefix_length: 24,
            first_address: "198.18.0.2".into(),
            last_address: "198.18.0.6".into(),
            networks: 0,
        };
        (EdgeId(uuid::Uuid::now_v7()), facts)
    };
    (1..=EDGES).map(edge).collect()
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(wire::serve(listener, app, std::future::pending()));
    url
}

async fn sign_in(url: &str, email: &str) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = [("login", email), ("password", PASSWORD)];
    let body: Vec<String> = form.iter().map(|(k, v)| format!("{k}={}", v.replace(' ', "+"))).collect();
    let answer = client
        .post(format!("{url}/do/session_open"))
        .header("origin", url)
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.join("&"));
    let answer = answer.send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// An order of this customer, which nobody carries out.
async fn order(facade: &Facade, store: &Store, email: &str) -> (CustomerId, String) {
    let (account, _) = store.account_by_email(email).await.unwrap().unwrap();
    let viewer = Viewer { account, seen_by: None };
    let customer = viewer.customer().unwrap();
    let draft = facade.draft_start(customer).await.unwrap();
    let shown = facade.draft(draft, customer).await.unwrap().unwrap().draft;
    let total_minor = facade.draft_quote(&shown.values).unwrap().1.total_minor;
    let seen = Seen { total_minor, digest: draft_digest(&shown) };
    match facade.order_place(&viewer, draft, true, &seen, "bench").await.unwrap() {
        OrderPlaced::Accepted(job) => (customer, job.to_string()),
        other => panic!("{other:?}"),
    }
}

/// The table that frameworks are compared by: a thousand rows of two UUIDs, with what hydrates it.
fn table(rows: Arc<Vec<[String; 2]>>) -> impl IntoView {
    let options = LeptosOptions::builder().output_name("slipway").site_pkg_dir("pkg").build();
    let rows = rows
        .iter()
        .map(|[id, name]| view! { <tr><td>{id.clone()}</td><td>{name.clone()}</td></tr> })
        .collect_view();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <title>"Table"</title>
                <HydrationScripts options=options islands=true/>
            </head>
            <body><table><tbody>{rows}</tbody></table></body>
        </html>
    }
}
