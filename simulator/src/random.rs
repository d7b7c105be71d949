//! A small deterministic generator (`SplitMix64`), with which events can be generated again.

/// A sequence determined by a seed, a stream and an index.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The sequence of one index in one stream.
    pub(crate) fn new(seed: u64, stream: u64, index: u64) -> Self {
        Self(mix(seed ^ mix(stream.wrapping_add(0x5157_1A2B))) ^ mix(index.wrapping_add(1)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number from 0 to `bound - 1` (0 if `bound` is 0).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True with a probability of `per_mille` thousandths.
    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1_000) < u64::from(per_mille)
    }
}

/// Scrambles 64 bits reversibly, see [`unmix`].
pub(crate) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Inverts [`mix`]: the factors are the inverses of its two, modulo 2^64.
pub(crate) fn unmix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 31) ^ (bits >> 62)).wrapping_mul(0x3196_42B2_D24D_8EC3);
    bits = (bits ^ (bits >> 27) ^ (bits >> 54)).wrapping_mul(0x96DE_1B17_3F11_9089);
    bits ^ (bits >> 30) ^ (bits >> 60)
}
