//! How long orders take on a cloud of realistic speed, and how much of that is ours.
//!
//! One order, one order for ten servers, and orders of a hundred customers at once, each on a plane of its own, side by
//! side. Ours is the time in which the cloud worked on nothing: the wall clock less the union of its tasks and first boots.

#![allow(clippy::print_stdout, reason = "its figures are its output")]

use std::time::{Duration, Instant};

use domain::state::Role;
use testkit::{Database, Plane};

/// As fast as the clock.
const SPEED: f64 = 1.0;

struct Measured {
    what: &'static str,
    seconds: f64,
    ours: f64,
}

async fn until_all(plane: &Plane, n: i64) {
    while plane.count_jobs("succeeded").await < n {
        assert_eq!(plane.count_jobs("failed").await, 0);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Wall seconds in which the cloud worked on nothing, between two moments of its time.
fn idle(plane: &Plane, wall: f64) -> f64 {
    let mut spans: Vec<(i64, i64)> = plane.sim.spans().into_iter().map(|(_, a, b)| (a, b)).collect();
    spans.sort_unstable();
    let (mut busy, mut end) = (0, i64::MIN);
    for (a, b) in spans {
        busy += (b - a.max(end)).max(0);
        end = end.max(b);
    }
    wall - busy as f64 / 1000.0 / SPEED
}

async fn orders(what: &'static str, customers: usize, each: u32, edges: u32) -> Measured {
    let plane = Plane::start_real(Database::Postgres, edges, SPEED).await;
    let mut viewers = Vec::new();
    for n in 0..customers {
        viewers.push(plane.viewer(&format!("customer{n}@test"), Role::Customer).await);
    }
    let began = Instant::now();
    let placed = viewers.iter().map(async |viewer| match each {
        1 => drop(plane.order(viewer).await),
        n => drop(plane.order_several(viewer, n).await),
    });
    futures::future::join_all(placed).await;
    until_all(&plane, customers as i64 * i64::from(each)).await;
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(plane.store.edge_conflicts().await.unwrap(), 0);
    if (customers, each) == (1, 1) {
        println!("what the cloud did for one order, s:");
        let mut spans = plane.sim.spans();
        spans.sort_by_key(|(_, a, _)| *a);
        let zero = spans.first().map_or(0, |(_, a, _)| *a);
        for (name, a, b) in spans {
            println!("  {:6.1} – {:6.1}  {name}", (a - zero) as f64 / 1e3, (b - zero) as f64 / 1e3);
        }
    }
    Measured { what, seconds, ours: idle(&plane, seconds) }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let all = runtime.block_on(async {
        let (one, ten, hundred) = tokio::join!(
            orders("one order", 1, 1, 130),
            orders("one order of ten servers", 1, 10, 130),
            orders("a hundred customers at once", 100, 1, 130)
        );
        [one, ten, hundred]
    });
    let one = all[0].seconds;
    for m in all {
        println!("{:<30} {:7.1} s   x{:.2}   ours {:5.2} s", m.what, m.seconds, m.seconds / one, m.ours);
    }
    println!("goals: at most x1.5 for ten and for a hundred; ours at most 1.5 s for one order");
}
