//! Decoding and encoding what is large: a vApp of 100 machines, a recompose of 100, a page of 128 edges.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vcd::{AddressMode, Edge, NewVm, Nic, Recompose, Vapp, VmSource};

const VM: &str = include_str!("../tests/fixtures/vm_busy.xml");

fn vapp(machines: usize) -> String {
    let vm = &VM[VM.find("<Vm ").unwrap_or(0)..];
    format!(
        "<VApp xmlns=\"http://www.vmware.com/vcloud/v1.5\" xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\" \
         status=\"4\" name=\"big\" href=\"https://h/api/vApp/vapp-0a1b2c3d-1111-4222-8333-444455556666\">\
         <Children>{}</Children></VApp>",
        vm.repeat(machines)
    )
}

fn documents(c: &mut Criterion) {
    let body = vapp(100);
    let mut group = c.benchmark_group("100 machines");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("decode a vApp", |b| {
        b.iter(|| Vapp::from_xml(black_box(&body)).map(|v| v.vms.len()))
    });
    // What any reader pays before it looks at anything.
    group.bench_function("peer: parse the same XML only", |b| {
        b.iter(|| roxmltree::Document::parse(black_box(&body)).map(|d| d.descendants().count()))
    });
    let add = (0..100)
        .map(|n| NewVm {
            description: String::new(),
            name: format!("vm-{n}"),
            source: VmSource::Template("aaaaaaaa-0000-4000-8000-000000000001".parse().expect("a template")),
            nics: vec![Nic::new(0, "lan", AddressMode::Manual(format!("10.0.0.{n}")))],
            storage_profile: None,
        })
        .collect();
    let change = Recompose { add, ..Recompose::default() };
    group.throughput(Throughput::Bytes(change.to_xml("https://h").len() as u64));
    group.bench_function("encode a recompose", |b| b.iter(|| black_box(&change).to_xml("https://h").len()));
    group.finish();
    let edge = "{\"id\":\"urn:vcloud:gateway:aaaaaaaa-0000-4000-8000-000000000001\",\"name\":\"edge-001\",\
                \"description\":\"routed 198.18.0.8/29\",\"status\":\"REALIZED\",\"orgVdcNetworkCount\":0}";
    let page = format!("{{\"resultTotal\":128,\"values\":[{}]}}", vec![edge; 128].join(","));
    c.bench_function("decode a page of 128 edges", |b| {
        b.iter(|| Edge::page_from_json(black_box(&page)).map(|e| e.len()))
    });
}

criterion_group!(benches, documents);
criterion_main!(benches);
