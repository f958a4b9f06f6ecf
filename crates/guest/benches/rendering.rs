//! What it costs to render a first boot and to plan a disk.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use domain::catalogue::Family;
use guest::{
    GuestSetup, Identity, first_boot,
    windows::{Layout, plan},
};

fn rendering(c: &mut Criterion) {
    for (name, family) in [("linux", Family::Linux), ("windows", Family::Windows)] {
        let setup = GuestSetup {
            family,
            hostname: "web-01".into(),
            login: "anna".into(),
            password: Some("Vq7-tRn2xLp9".to_owned().into()),
            ssh_keys: vec!["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI anna@home".into(); 3],
            way: None,
        };
        c.bench_function(&format!("render the first boot of {name}"), |b| {
            b.iter(|| first_boot(black_box(&setup), Identity::Own))
        });
    }
    let layout: Layout = serde_json::from_value(serde_json::json!({
        "style": "GPT", "file_system": "NTFS", "encrypted": false, "largest": 107_374_182_400_u64,
        "partitions": [
            {"offset": 1_048_576, "size": 523_239_424, "kind": "Recovery"},
            {"offset": 524_288_000, "size": 103_809_024, "kind": "System"},
            {"offset": 628_097_024, "size": 53_687_091_200_u64, "kind": "Basic", "system": true},
        ]
    }))
    .expect("a layout");
    c.bench_function("plan a Windows disk", |b| b.iter(|| plan(black_box(&layout))));
}

criterion_group!(benches, rendering);
criterion_main!(benches);
