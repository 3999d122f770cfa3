/// How an argument is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScmpCompareOp {
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterEqual,
    Greater,
    /// What OCI calls `valueTwo`: what the argument must be where the mask has bits.
    MaskedEqual(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScmpArgCompare {
    pub(crate) argument: u32,
    pub(crate) op: ScmpCompareOp,
    /// OCI's `value`: for `MaskedEqual`, the mask.
    pub(crate) value: u64,
}

impl ScmpArgCompare {
    #[must_use]
    pub const fn new(argument: u32, op: ScmpCompareOp, value: u64) -> Self {
        ScmpArgCompare {
            argument,
            op,
            value,
        }
    }
}
