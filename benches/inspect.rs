//! Throughput of the detectors and of key lookups. Run with `cargo bench --bench inspect`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shekara::inspect::{
    detect::{Detectors, Field, KeyHint, ValueKind},
    key_names::KeyNames,
};

const PROSE: &str =
    "The quick brown fox jumps over the lazy dog, and nobody is named here at all; ";
const CYRILLIC: &str = "Жеке деректер шекарадан тек жазылған негізде ғана өтеді, қалғаны қалады; ";
const NUMBERS: &str = "order 20240115 total 1999.90 sku 4006381333931 at 10:30:45 id 550e8400-e29b-41d4-a716-446655440000; ";
const PERSONS: &str =
    "aru@example.org, +7 701 000 00 01, 991231100010, 4111 1111 1111 1111, 198.51.100.7; ";

fn field(text: &str) -> Field<'_> {
    let none = KeyHint::default();
    Field::new(text, ValueKind::String, none, none)
}

fn texts(criterion: &mut Criterion) {
    let detectors = Detectors::default();
    let mut group = criterion.benchmark_group("detect");
    for (name, unit) in [
        ("prose", PROSE),
        ("cyrillic", CYRILLIC),
        ("numbers", NUMBERS),
        ("persons", PERSONS),
    ] {
        let text = unit.repeat(64 * 1024 / unit.len());
        let mut hits = Vec::new();
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                hits.clear();
                detectors.scan(&field(black_box(&text)), &mut hits)
            });
        });
    }
    group.finish();
}

fn keys(criterion: &mut Criterion) {
    let names = KeyNames::default();
    let mut group = criterion.benchmark_group("key_names");
    for key in [
        "email",
        "customer_first_name",
        "quantityOnHand",
        "мекенжайы",
    ] {
        group.bench_function(key, |bencher| bencher.iter(|| names.lookup(black_box(key))));
    }
    group.finish();
}

criterion_group!(benches, texts, keys);
criterion_main!(benches);
