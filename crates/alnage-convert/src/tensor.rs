//! Tensors as views of storages: where their bytes are, and in what order.

use std::sync::Arc;

use alnage_types::Source;

use crate::{
    element::{Element, Reshape},
    refusal::{Refusal, malformed},
};

/// Where the bytes of a storage are.
#[derive(Clone)]
pub struct Place {
    /// What holds them.
    pub source: Arc<dyn Source>,
    /// The first.
    pub start: u64,
    /// How many.
    pub len: u64,
    /// Whether numbers have their highest byte first.
    pub big_endian: bool,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("start", &self.start).field("len", &self.len).finish_non_exhaustive()
    }
}

/// Bytes that tensors are views of.
#[derive(Debug, Clone)]
pub struct Storage {
    /// As the source names it.
    pub key: String,
    /// Bytes that the source says it has.
    pub declared: u64,
    /// Bytes of an element of it.
    pub item: u64,
    /// Where they are, once that is known.
    pub place: Option<Place>,
}

/// A view of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Index of its storage.
    pub storage: u32,
    /// Its data type.
    pub element: &'static Element,
    /// Byte of the storage where its first element is.
    pub start: u64,
    /// Its sizes.
    pub shape: Vec<u64>,
    /// How many elements lie from one index to the next, dimension by dimension.
    pub strides: Vec<u64>,
    /// Whether the imaginary parts are to be negated.
    pub conjugate: bool,
    /// Whether all numbers are to be negated.
    pub negative: bool,
}

/// How many dimensions a tensor may have; PyTorch and NumPy have 64.
const MAX_DIMENSIONS: usize = 64;

impl Tensor {
    /// A tensor whose elements lie one after another from `start` on.
    pub(crate) fn contiguous(
        storage: u32,
        element: &'static Element,
        start: u64,
        shape: Vec<u64>,
        fortran: bool,
    ) -> Result<Self, Refusal> {
        let mut strides = vec![0; shape.len()];
        let mut stride = 1_u64;
        let mut dimensions: Vec<usize> = (0..shape.len()).collect();
        if !fortran {
            dimensions.reverse();
        }
        for dimension in dimensions {
            strides[dimension] = stride;
            let Some(next) = stride.checked_mul(shape[dimension].max(1)) else {
                return malformed("a tensor's sizes overflow");
            };
            stride = next;
        }
        Ok(Self { storage, element, start, shape, strides, conjugate: false, negative: false })
    }

    /// How many elements there are.
    pub fn elements(&self) -> u64 {
        self.shape.iter().fold(1, |all: u64, &size| all.saturating_mul(size))
    }

    /// How many bytes are written.
    pub fn bytes(&self) -> u64 {
        self.elements().saturating_mul(self.element.size)
    }

    /// The shape that is written.
    pub fn written_shape(&self) -> Vec<u64> {
        let mut shape = self.shape.clone();
        match self.element.shape {
            Reshape::Same => {}
            Reshape::Pairs => shape.push(2),
            Reshape::DoublesLast => match shape.last_mut() {
                Some(last) => *last = last.saturating_mul(2),
                None => shape.push(2),
            },
        }
        shape
    }

    /// One past the last byte of the storage that the view reaches; an error when numbers overflow.
    pub(crate) fn end(&self) -> Result<u64, Refusal> {
        if self.shape.len() > MAX_DIMENSIONS || self.shape.len() != self.strides.len() {
            return malformed("a tensor has more dimensions, or others, than tensors can have");
        }
        let overflow = || Refusal::Malformed("a tensor's sizes overflow".to_owned());
        let count = self.shape.iter().try_fold(1_u64, |all, &size| all.checked_mul(size.max(1)));
        count.and_then(|count| count.checked_mul(self.element.size * 2)).ok_or_else(overflow)?;
        if self.shape.contains(&0) {
            return Ok(self.start);
        }
        let mut last = 0_u64;
        for (&size, &stride) in self.shape.iter().zip(&self.strides) {
            let reach = (size - 1).checked_mul(stride).ok_or_else(overflow)?;
            last = last.checked_add(reach).ok_or_else(overflow)?;
        }
        let elements = last.checked_add(1).and_then(|count| count.checked_mul(self.element.size));
        elements.and_then(|bytes| bytes.checked_add(self.start)).ok_or_else(overflow)
    }

    /// Whether the elements lie in the order in which they are written, without gaps.
    pub(crate) fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if size != 1 && stride != expected {
                return self.elements() == 0;
            }
            expected = expected.saturating_mul(size);
        }
        true
    }
}
