//! Views in every order, names, and the comparison that must notice.

use std::{io, sync::Arc};

use alnage_types::{ArtifactPath, MemorySource, Source};

use super::*;
use crate::gather::gather;

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A source of any length whose element at each index is that index, four bytes wide.
struct Counting(u64);

impl Source for Counting {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && offset + (filled as u64) < self.0 {
            let at = offset + filled as u64;
            let number = ((at / 4) as u32).to_le_bytes();
            let from = &number[(at % 4) as usize..];
            let count = from.len().min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&from[..count]);
            filled += count;
        }
        Ok(filled)
    }
}

fn view(shape: &[u64], strides: &[u64], first: u64) -> Tensor {
    Tensor {
        storage: 0,
        element: Element::named("uint32").unwrap(),
        start: first * 4,
        shape: shape.to_vec(),
        strides: strides.to_vec(),
        conjugate: false,
        negative: false,
    }
}

/// Gathers a view of a counting storage and compares each element with the index it should have.
fn check_view(tensor: &Tensor) {
    let len = tensor.end().unwrap();
    let place = Place { source: Arc::new(Counting(len)), start: 0, len, big_endian: false };
    let mut number = 0;
    gather(tensor, &place, &mut |bytes| {
        for found in bytes.chunks_exact(4) {
            let (mut rest, mut expected) = (number, tensor.start / 4);
            for (size, stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
                expected += rest % size * stride;
                rest /= size;
            }
            assert_eq!(found, (expected as u32).to_le_bytes(), "element {number} of {tensor:?}");
            number += 1;
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(number, tensor.elements(), "{tensor:?}");
}

#[test]
fn views_of_any_strides_are_gathered_in_order() {
    let mut numbers = Numbers(1);
    for _ in 0..300 {
        let dimensions = 1 + numbers.below(4) as usize;
        let shape: Vec<u64> = (0..dimensions).map(|_| 1 + numbers.below(6)).collect();
        let strides: Vec<u64> =
            (0..dimensions).map(|_| [0, 1, 2, 3, 7, 40, 2000][numbers.below(7) as usize]).collect();
        check_view(&view(&shape, &strides, numbers.below(50)));
    }
    check_view(&view(&[3, 0, 2], &[1, 1, 1], 5));
    check_view(&view(&[], &[], 9));
}

#[test]
fn views_longer_than_a_piece_are_cut_in_the_right_places() {
    // Transposed, and longer than is read at a time; one row longer than a piece; rows that lie far apart.
    check_view(&view(&[40, 300], &[1, 40], 0));
    check_view(&view(&[2, 12_000], &[12_000, 2], 0));
    check_view(&view(&[7, 5, 300], &[300, 2100, 1], 3));
    check_view(&view(&[3, 5], &[1 << 34, 1 << 30], 7));
}

fn npy() -> Vec<u8> {
    let numbers: Vec<u8> = (0..6_u32).flat_map(|number| (number as f32).to_le_bytes()).collect();
    testkit::archive::npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", &numbers)
}

fn planned(bytes: Vec<u8>) -> Plan {
    let source: Arc<dyn Source> = Arc::new(MemorySource::new(bytes));
    prepare(&ArtifactPath::file("a.npy"), &source, &Options::default()).unwrap()
}

fn written(plan: &Plan) -> Vec<u8> {
    let mut bytes = Vec::new();
    plan.write(&plan.files[0], &mut |more| {
        bytes.extend_from_slice(more);
        Ok(())
    })
    .unwrap();
    bytes
}

#[test]
fn the_comparison_notices_every_changed_byte_of_the_tensors() {
    let plan = planned(npy());
    let bytes = written(&plan);
    let compared = |bytes: Vec<u8>| {
        let source: Arc<dyn Source> = Arc::new(MemorySource::new(bytes));
        check(&plan, &plan.files[0], &source)
    };
    assert_eq!(compared(bytes.clone()).unwrap(), Checked { tensors: 1, bytes: 24 });
    for at in bytes.len() - 24..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(compared(changed).is_err(), "byte {at}");
    }
    let header = bytes.windows(3).position(|window| window == b"F32").unwrap();
    let mut changed = bytes.clone();
    changed[header..header + 3].copy_from_slice(b"I32");
    assert!(compared(changed).is_err());
}

#[test]
fn a_source_that_gives_other_bytes_later_is_noticed() {
    let plan = planned(npy());
    let other = planned(npy().into_iter().rev().skip(1).rev().chain([0]).collect());
    let source: Arc<dyn Source> = Arc::new(MemorySource::new(written(&plan)));
    assert!(check(&other, &other.files[0], &source).is_err());
}

#[test]
fn damaged_sources_are_survived() {
    let mut numbers = Numbers(7);
    let pickle = testkit::pickle::Pickle::protocol(2)
        .raw(b"}")
        .text("a")
        .global("torch._utils", "_rebuild_tensor_v2")
        .raw(b"((")
        .text("storage")
        .global("torch", "FloatStorage")
        .text("0")
        .text("cpu")
        .int(4)
        .raw(b"tQK\x00K\x04\x85K\x01\x85\x89")
        .global("collections", "OrderedDict")
        .raw(b")RtRs")
        .stop();
    let samples = [npy(), testkit::archive::torch_zip(&pickle, &[0; 16]).build(), pickle];
    let mut sound = 0;
    for sample in &samples {
        for round in 0..1500 {
            let mut bytes = sample.clone();
            for _ in 0..round.min(3) {
                let at = numbers.below(bytes.len() as u64) as usize;
                bytes[at] = numbers.below(256) as u8;
            }
            let source: Arc<dyn Source> = Arc::new(MemorySource::new(bytes));
            if let Ok(plan) = prepare(&ArtifactPath::file("a.bin"), &source, &Options::default()) {
                sound += 1;
                let size: u64 = plan.files.iter().map(TensorFile::len).sum();
                assert!(size < 100_000, "{size} bytes of almost none");
                assert!(plan.write_state(&mut io::sink()).is_ok());
            }
        }
    }
    assert!(sound > 10, "only {sound} were read");
}
