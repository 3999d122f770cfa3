use libseccomp_sys as sys;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScmpArch {
    Native,
    X86,
    X8664,
    X32,
    Arm,
    Aarch64,
    Mips,
    Mips64,
    Mips64N32,
    Mipsel,
    Mipsel64,
    Mipsel64N32,
    Ppc,
    Ppc64,
    Ppc64Le,
    S390,
    S390X,
    Riscv64,
    Parisc,
    Parisc64,
    Loongarch64,
    M68k,
    Sh,
    Sheb,
}

/// Numbers of x32 have this bit set; <asm/unistd.h>.
pub(crate) const X32_BIT: u32 = 0x4000_0000;
const ARCH_64BIT: u32 = 0x8000_0000;

impl ScmpArch {
    /// libseccomp's name for it: the kernel's AUDIT_ARCH, but for x32, which the kernel calls x86_64.
    pub(crate) fn token(self) -> u32 {
        match self {
            // SAFETY: no arguments, and nothing that could fail.
            ScmpArch::Native => unsafe { sys::seccomp_arch_native() },
            ScmpArch::X86 => sys::SCMP_ARCH_X86,
            ScmpArch::X8664 => sys::SCMP_ARCH_X86_64,
            ScmpArch::X32 => sys::SCMP_ARCH_X32,
            ScmpArch::Arm => sys::SCMP_ARCH_ARM,
            ScmpArch::Aarch64 => sys::SCMP_ARCH_AARCH64,
            ScmpArch::Mips => sys::SCMP_ARCH_MIPS,
            ScmpArch::Mips64 => sys::SCMP_ARCH_MIPS64,
            ScmpArch::Mips64N32 => sys::SCMP_ARCH_MIPS64N32,
            ScmpArch::Mipsel => sys::SCMP_ARCH_MIPSEL,
            ScmpArch::Mipsel64 => sys::SCMP_ARCH_MIPSEL64,
            ScmpArch::Mipsel64N32 => sys::SCMP_ARCH_MIPSEL64N32,
            ScmpArch::Ppc => sys::SCMP_ARCH_PPC,
            ScmpArch::Ppc64 => sys::SCMP_ARCH_PPC64,
            ScmpArch::Ppc64Le => sys::SCMP_ARCH_PPC64LE,
            ScmpArch::S390 => sys::SCMP_ARCH_S390,
            ScmpArch::S390X => sys::SCMP_ARCH_S390X,
            ScmpArch::Riscv64 => sys::SCMP_ARCH_RISCV64,
            ScmpArch::Parisc => sys::SCMP_ARCH_PARISC,
            ScmpArch::Parisc64 => sys::SCMP_ARCH_PARISC64,
            ScmpArch::Loongarch64 => sys::SCMP_ARCH_LOONGARCH64,
            ScmpArch::M68k => sys::SCMP_ARCH_M68K,
            ScmpArch::Sh => sys::SCMP_ARCH_SH,
            ScmpArch::Sheb => sys::SCMP_ARCH_SHEB,
        }
    }
}

/// What `seccomp_data.arch` holds.
pub(crate) fn audit(token: u32) -> u32 {
    match token {
        sys::SCMP_ARCH_X32 => sys::SCMP_ARCH_X86_64,
        token => token,
    }
}

/// Whether arguments are compared in full, or their lower halves only.
pub(crate) fn is_64_bit(token: u32) -> bool {
    token & ARCH_64BIT != 0
}

/// The filters that are made here read arguments as little-endian machines lay them out, and expect 32-bit x86's
/// socketcall(2) and ipc(2) of no other machine.
pub(crate) fn is_known(token: u32) -> bool {
    [
        sys::SCMP_ARCH_X86,
        sys::SCMP_ARCH_X86_64,
        sys::SCMP_ARCH_X32,
        sys::SCMP_ARCH_ARM,
        sys::SCMP_ARCH_AARCH64,
        sys::SCMP_ARCH_RISCV64,
        sys::SCMP_ARCH_LOONGARCH64,
    ]
    .contains(&token)
}
