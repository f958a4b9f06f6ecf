//! Documents changed at random, from a fixed seed: an answer or an error, never a panic. The coverage-guided search for
//! what this misses is in `fuzz/`, run by `cargo xtask test --slow`.

use vcd::{Edge, Record, Task, TaskId, Vapp, VmId};

const SEEDS: &[&str] = &[
    include_str!("fixtures/vapp_9_0.xml"),
    include_str!("fixtures/vm_busy.xml"),
    include_str!("fixtures/vdc_5_1.xml"),
    include_str!("fixtures/versions.xml"),
    r#"{"resultTotal":1,"values":[{"id":"urn:vcloud:gateway:3f2504e0-4f89-11d3-9a0c-0305e82c3301","name":"e","status":"REALIZED","orgVdcNetworkCount":1}]}"#,
    r#"<QueryResultRecords total="1"><VMRecord href="https://h/api/vApp/vm-3f2504e0-4f89-11d3-9a0c-0305e82c3301" name="a"/></QueryResultRecords>"#,
    "urn:vcloud:vm:3f2504e0-4f89-11d3-9a0c-0305e82c3301",
];
const ROUNDS: usize = 4000;

/// Xorshift: enough to choose by, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

fn mutated(seed: &str, random: &mut Random) -> String {
    let mut bytes = seed.as_bytes().to_vec();
    for _ in 0..=random.below(6) {
        let (at, other) = (random.below(bytes.len()), random.below(bytes.len()));
        let (from, to) = (at.min(other), at.max(other));
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(from..to)),
            2 => bytes.extend_from_within(from..to),
            3 if !bytes.is_empty() => bytes[at] = random.below(256) as u8,
            4 => bytes.splice(from..from, b"</".iter().copied()).for_each(drop),
            _ => {
                let part: Vec<u8> = bytes[from..to.min(from + 64)].to_vec();
                bytes.splice(from..from, part).for_each(drop);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn no_document_is_more_than_an_error() {
    let mut random = Random(0x5119_3a7b_11c0_de01);
    let mut read = 0;
    for round in 0..ROUNDS {
        let body = mutated(SEEDS[round % SEEDS.len()], &mut random);
        vcd::decoders::xml(&body);
        vcd::decoders::json(&body);
        read += usize::from(Vapp::from_xml(&body).is_ok());
        read += usize::from(Task::from_xml(&body).is_ok());
        read += usize::from(Record::page_from_xml(&body).is_ok());
        read += usize::from(Edge::page_from_json(&body).is_ok());
        if let Ok(id) = body.parse::<VmId>() {
            assert_eq!(id.to_string().parse(), Ok(id));
            read += 1;
        }
        let _ = body.parse::<TaskId>();
    }
    assert!(
        read > 20,
        "only {read} of the documents were still some: the mutations are too wild to find anything"
    );
}
