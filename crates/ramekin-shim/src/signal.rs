//! Signals by name, as core's `Signal` has them.

const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The first two real-time signals belong to the C library: SIGRTMIN is 34.
pub fn name(number: i32) -> String {
    match number {
        1..=31 => format!("SIG{}", NAMES[number as usize - 1]),
        34 => "SIGRTMIN".to_owned(),
        64 => "SIGRTMAX".to_owned(),
        32.. => format!("SIGRTMIN+{}", number - 34),
        _ => format!("SIG{number}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_those_of_linux() {
        assert_eq!(
            ["SIGHUP", "SIGKILL", "SIGTERM", "SIGSYS"],
            [1, 9, 15, 31].map(super::name).as_slice()
        );
        assert_eq!(super::name(37), "SIGRTMIN+3");
    }
}
