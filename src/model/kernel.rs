//! The choice of a kernel, once, when weights are loaded.
//!
//! In: what the processor can do. Out: an encoder packed for it.

use super::encoder::{Batch, Encoder, Outputs, Scratch};
use super::simd::Portable;
#[cfg(target_arch = "x86_64")]
use super::simd::{Avx2, Avx512};
use super::weights::{LoadError, Weights};

/// A set of instructions that the reader is compiled for. All give the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// AVX-512 with VNNI.
    Avx512,
    /// AVX2 with FMA.
    Avx2,
    /// Plain code: any processor.
    Portable,
}

impl Kernel {
    /// Fastest first.
    pub const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512vnni",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// Whether this processor has the instructions.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().is_some(),
            Self::Portable => true,
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
        }
    }

    pub(super) fn fastest() -> Self {
        Self::ALL.into_iter().find(|kernel| kernel.is_available()).unwrap_or(Self::Portable)
    }
}

/// An encoder for the kernel that was chosen.
#[derive(Debug)]
pub(super) enum Engine {
    #[cfg(target_arch = "x86_64")]
    Avx512(Encoder<Avx512>),
    #[cfg(target_arch = "x86_64")]
    Avx2(Encoder<Avx2>),
    Portable(Encoder<Portable>),
}

impl Engine {
    pub(super) fn kernel(&self) -> Kernel {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => Kernel::Avx512,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => Kernel::Avx2,
            Self::Portable(_) => Kernel::Portable,
        }
    }

    /// Packs for `kernel`, or for the portable one where the processor does not have it.
    pub(super) fn pack(weights: &Weights, kernel: Kernel) -> Result<Self, LoadError> {
        #[cfg(target_arch = "x86_64")]
        {
            if kernel == Kernel::Avx512
                && let Some(simd) = Avx512::detect()
            {
                return Ok(Self::Avx512(Encoder::pack(weights, simd)?));
            }
            if kernel == Kernel::Avx2
                && let Some(simd) = Avx2::detect()
            {
                return Ok(Self::Avx2(Encoder::pack(weights, simd)?));
            }
        }
        debug_assert!(kernel == Kernel::Portable || !kernel.is_available());
        Ok(Self::Portable(Encoder::pack(weights, Portable)?))
    }

    /// See [`Encoder::forward`].
    pub(super) fn forward<'s>(&self, batch: &Batch, scratch: &'s mut Scratch) -> Outputs<'s> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(encoder) => encoder.forward(batch, scratch),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(encoder) => encoder.forward(batch, scratch),
            Self::Portable(encoder) => encoder.forward(batch, scratch),
        }
    }
}
